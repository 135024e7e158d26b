//! Patterns of columns: `[ip, user, request = *html*, status = 4* || status = 5*, ..., bytes]`.

use serde_json::Value;

use super::json::Test;

/// The columns in their order; `None` is `...`, any number of columns.
#[derive(Debug)]
pub(in crate::local::services::logs) struct Columns(Vec<Option<Column>>);

#[derive(Debug)]
struct Column {
    name: String,
    /// One of these lists must pass as a whole; without any, every value does.
    any: Vec<Vec<Test>>,
}

impl Columns {
    /// Reads what is between the brackets.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self(vec![None]));
        }
        let mut columns = Vec::new();
        for (part, number) in split(text, ",")?.into_iter().zip(1..) {
            let part = part.trim();
            columns.push(if part == "..." { None } else { Some(Column::parse(part, number)?) });
        }
        let open = columns.iter().filter(|column| column.is_none()).count();
        (open <= 1).then_some(Self(columns))
    }

    /// The columns of an event with their names, if it matches.
    pub(super) fn matches(&self, message: &str) -> Option<Vec<(String, String)>> {
        let values = fields(message);
        let open = self.0.iter().position(Option::is_none);
        let (before, after) = match open {
            None => (self.0.as_slice(), &self.0[self.0.len()..]),
            Some(at) => (&self.0[..at], &self.0[at + 1..]),
        };
        let named = before.len() + after.len();
        if values.len() < named || (open.is_none() && values.len() != named) {
            return None;
        }
        let head = before.iter().zip(&values);
        let tail = after.iter().zip(&values[values.len() - after.len()..]);
        let mut found = Vec::with_capacity(values.len());
        for (column, value) in head.chain(tail).filter_map(|(column, value)| Some((column.as_ref()?, *value))) {
            if !column.passes(value) {
                return None;
            }
            found.push((format!("${}", column.name), value.to_owned()));
        }
        Some(found)
    }
}

impl Column {
    fn parse(text: &str, number: usize) -> Option<Self> {
        let mut name = String::new();
        let mut any = Vec::new();
        for alternative in split(text, "||")? {
            let mut all = Vec::new();
            for condition in split(alternative, "&&")? {
                let condition = condition.trim().trim_start_matches('(').trim_end_matches(')').trim();
                let end = condition.find(|c: char| !(c.is_alphanumeric() || "_-.@$".contains(c)));
                let (found, test) = condition.split_at(end.unwrap_or(condition.len()));
                if !name.is_empty() && found != name {
                    return None;
                }
                found.clone_into(&mut name);
                if !test.trim().is_empty() {
                    all.push(Test::parse(test.trim())?);
                }
            }
            any.push(all);
        }
        if any.iter().all(Vec::is_empty) {
            any.clear();
        }
        let name = name.trim_start_matches('$').to_owned();
        Some(Self { name: if name.is_empty() { number.to_string() } else { name }, any })
    }

    fn passes(&self, value: &str) -> bool {
        let value = Value::from(value);
        self.any.is_empty() || self.any.iter().any(|all| all.iter().all(|test| test.passes(Some(&value))))
    }
}

/// Splits at a separator that is neither in quotes nor in a regular expression between percent signs.
fn split<'a>(text: &'a str, separator: &str) -> Option<Vec<&'a str>> {
    let (mut parts, mut begin, mut at, mut closing) = (Vec::new(), 0, 0, None);
    while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) {
        match closing {
            Some(end) if next == end => closing = None,
            Some(_) => {}
            None if next == '"' || next == '%' => closing = Some(next),
            None if text[at..].starts_with(separator) => {
                parts.push(&text[begin..at]);
                begin = at + separator.len();
                at = begin;
                continue;
            }
            None => {}
        }
        at += next.len_utf8();
    }
    parts.push(&text[begin..]);
    closing.is_none().then_some(parts)
}

/// The fields of an event: words, and what is in quotes or brackets.
fn fields(message: &str) -> Vec<&str> {
    let (mut found, mut rest) = (Vec::new(), message.trim_start());
    while let Some(first) = rest.chars().next() {
        let closing = match first {
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        let enclosed = closing.and_then(|closing| rest[1..].split_once(closing));
        let (field, tail) = enclosed.unwrap_or_else(|| rest.split_once(char::is_whitespace).unwrap_or((rest, "")));
        found.push(field);
        rest = tail.trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LINE: &str = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;

    fn value(pattern: &str, name: &str) -> Option<String> {
        let found = Columns::parse(pattern).unwrap().matches(LINE)?;
        found.into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    #[test]
    fn columns_are_named_and_compared() {
        let all = "ip, user, name, time, request, status, bytes";
        assert_eq!(value(all, "$bytes").unwrap(), "1534");
        assert_eq!(value(all, "$time").unwrap(), "10/Oct/2000:13:25:15 -0700");
        assert_eq!(value("..., status = 4*, bytes", "$status").unwrap(), "404");
        assert_eq!(value("ip, ..., size > 1000", "$size").unwrap(), "1534");
        assert_eq!(value("ip, ..., s = 500 || s = 404, bytes", "$ip").unwrap(), "127.0.0.1");
        assert_eq!(value("..., request = *html*, s != 500 && s = 4*, bytes > 9", "$s").unwrap(), "404");
        assert_eq!(value("..., request = %[a-z]+[.]html%, s, b", "$b").unwrap(), "1534");
        for none in ["ip, user", "..., s = 5*, b", "..., b < 1000", &format!("{all}, more")] {
            assert_eq!(value(none, "$b"), None, "{none}");
        }
        assert!(Columns::parse("").unwrap().matches("anything at all").is_some());
        for bad in ["a, \"open", "..., ..., a", "a = 1 || b = 2", "a ~ 1"] {
            assert!(Columns::parse(bad).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(pattern in "([a-c]|[.]{3}|,| |=|\\*|\"|%|&&|[|]{2}|\\PC){0,20}", line in "(\"|\\[|\\]| |\\PC){0,20}") {
            if let Some(columns) = Columns::parse(&pattern) {
                columns.matches(&line);
            }
        }
    }
}
