//! Metrics Insights: `SELECT AVG(m) FROM SCHEMA("ns", a, b) WHERE a = 'x' GROUP BY b ORDER BY MAX() DESC LIMIT 5`.

use super::super::statistic::Statistic;

/// A query over many metrics.
#[derive(Debug, PartialEq)]
pub(in crate::local::services::cloudwatch) struct Select {
    pub(in crate::local::services::cloudwatch) statistic: Statistic,
    pub(in crate::local::services::cloudwatch) metric: String,
    pub(in crate::local::services::cloudwatch) namespace: String,
    /// The dimensions that a metric must have, and no others; `None`: any.
    pub(in crate::local::services::cloudwatch) schema: Option<Vec<String>>,
    /// Dimension, equal or not, value.
    pub(in crate::local::services::cloudwatch) conditions: Vec<(String, bool, String)>,
    pub(in crate::local::services::cloudwatch) groups: Vec<String>,
    /// By what the groups are sorted, and whether the largest comes first.
    pub(in crate::local::services::cloudwatch) order: Option<(String, bool)>,
    pub(in crate::local::services::cloudwatch) limit: usize,
}

/// How many time series a query gives at most.
const MAX_SERIES: usize = 500;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    /// In double quotes: a name.
    Name(String),
    /// In single quotes: a value.
    Value(String),
    Sign(&'static str),
}

struct Parser(std::iter::Peekable<std::vec::IntoIter<Token>>);

impl Select {
    /// Whether an expression is such a query.
    pub(in crate::local::services::cloudwatch) fn is(text: &str) -> bool {
        let word = text.trim_start().split(|next: char| !next.is_ascii_alphabetic()).next();
        word.is_some_and(|word| word.eq_ignore_ascii_case("SELECT"))
    }

    /// Reads a query; the text says what is wrong.
    pub(in crate::local::services::cloudwatch) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser(tokens(text)?.into_iter().peekable());
        parser.keyword("SELECT")?;
        let function = parser.word()?;
        let statistic = statistic(&function)?;
        parser.sign("(")?;
        let metric = parser.name()?;
        parser.sign(")")?;
        parser.keyword("FROM")?;
        let mut select = Self {
            statistic,
            metric,
            namespace: String::new(),
            schema: None,
            conditions: Vec::new(),
            groups: Vec::new(),
            order: None,
            limit: MAX_SERIES,
        };
        if parser.takes("SCHEMA") {
            parser.sign("(")?;
            let mut names = parser.names()?.into_iter();
            parser.sign(")")?;
            select.namespace = names.next().unwrap_or_default();
            select.schema = Some(names.collect());
        } else {
            select.namespace = parser.name()?;
        }
        if parser.takes("WHERE") {
            loop {
                let name = parser.name()?;
                let equal = if parser.sign("=").is_ok() { true } else { parser.sign("!=").map(|()| false)? };
                select.conditions.push((name, equal, parser.value()?));
                if !parser.takes("AND") {
                    break;
                }
            }
        }
        if parser.takes("GROUP") {
            parser.keyword("BY")?;
            select.groups = parser.names()?;
        }
        if parser.takes("ORDER") {
            parser.keyword("BY")?;
            let function = parser.word()?.to_ascii_uppercase();
            statistic_name(&function)?;
            parser.sign("(")?;
            parser.sign(")")?;
            let descending = parser.takes("DESC");
            if !descending {
                parser.takes("ASC");
            }
            select.order = Some((function, descending));
        }
        if parser.takes("LIMIT") {
            let limit = parser.word()?;
            let limit: usize = limit.parse().map_err(|_| format!("{limit} is no limit"))?;
            select.limit = limit.clamp(1, MAX_SERIES);
        }
        match parser.0.next() {
            None => Ok(select),
            Some(token) => Err(format!("unexpected {token:?}")),
        }
    }

    /// The values of the groups' dimensions, if a metric belongs to the query.
    pub(in crate::local::services::cloudwatch) fn group(&self, dimensions: &[(String, String)]) -> Option<Vec<String>> {
        let value = |wanted: &str| dimensions.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        let of_schema = self
            .schema
            .as_ref()
            .is_none_or(|names| names.len() == dimensions.len() && names.iter().all(|name| value(name).is_some()));
        let passes = |(name, equal, wanted): &(String, bool, String)| {
            value(name).is_some_and(|found| (found == wanted) == *equal)
        };
        if !of_schema || !self.conditions.iter().all(passes) {
            return None;
        }
        self.groups.iter().map(|name| value(name).cloned()).collect()
    }
}

fn statistic_name(function: &str) -> Result<&'static str, String> {
    Ok(match function.to_ascii_uppercase().as_str() {
        "AVG" => "Average",
        "COUNT" => "SampleCount",
        "MAX" => "Maximum",
        "MIN" => "Minimum",
        "SUM" => "Sum",
        _ => return Err(format!("{function} is no function")),
    })
}

fn statistic(function: &str) -> Result<Statistic, String> {
    Statistic::plain(statistic_name(function)?).ok_or_else(|| format!("{function} is no function"))
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    const SIGNS: [&str; 5] = ["!=", "=", "(", ")", ","];
    let (mut found, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            found.push(Token::Sign(sign));
            rest = rest[sign.len()..].trim_start();
        } else if first == '"' || first == '\'' {
            let (inner, tail) = rest[1..].split_once(first).ok_or("a text is not closed")?;
            let inner = inner.to_owned();
            found.push(if first == '"' { Token::Name(inner) } else { Token::Value(inner) });
            rest = tail.trim_start();
        } else {
            let end = rest.find(|next: char| next.is_whitespace() || "=!(),\"'".contains(next)).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            if word.is_empty() {
                return Err(format!("unexpected {first}"));
            }
            found.push(Token::Word(word.to_owned()));
            rest = tail.trim_start();
        }
    }
    Ok(found)
}

impl Parser {
    fn takes(&mut self, keyword: &str) -> bool {
        let is = |token: &Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.0.next_if(is).is_some()
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), String> {
        if self.takes(keyword) { Ok(()) } else { Err(format!("{keyword} expected")) }
    }

    fn sign(&mut self, sign: &'static str) -> Result<(), String> {
        self.0.next_if(|token| *token == Token::Sign(sign)).map(|_| ()).ok_or_else(|| format!("{sign} expected"))
    }

    fn word(&mut self) -> Result<String, String> {
        match self.0.next() {
            Some(Token::Word(word)) => Ok(word),
            _ => Err("a word expected".to_owned()),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.0.next() {
            Some(Token::Word(name) | Token::Name(name)) => Ok(name),
            _ => Err("a name expected".to_owned()),
        }
    }

    fn value(&mut self) -> Result<String, String> {
        match self.0.next() {
            Some(Token::Value(value)) => Ok(value),
            _ => Err("a value in single quotes expected".to_owned()),
        }
    }

    fn names(&mut self) -> Result<Vec<String>, String> {
        let mut names = vec![self.name()?];
        while self.sign(",").is_ok() {
            names.push(self.name()?);
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(dimensions: &[(&str, &str)]) -> Vec<(String, String)> {
        dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn queries_are_read() {
        let text = "SELECT AVG(\"C P U\") FROM SCHEMA(\"AWS/EC2\", Id, Zone) WHERE Zone = 'a' AND Id != 'x' GROUP BY Id \
                    ORDER BY MAX() DESC LIMIT 5";
        let select = Select::parse(text).unwrap();
        assert_eq!((select.metric.as_str(), select.namespace.as_str(), select.limit), ("C P U", "AWS/EC2", 5));
        assert_eq!(select.order, Some(("MAX".to_owned(), true)));
        assert_eq!(select.group(&pairs(&[("Id", "i"), ("Zone", "a")])), Some(vec!["i".to_owned()]));
        for other in [&[("Id", "x"), ("Zone", "a")][..], &[("Id", "i"), ("Zone", "b")], &[("Zone", "a")]] {
            assert_eq!(select.group(&pairs(other)), None, "{other:?}");
        }
        assert!(Select::parse("select sum(m) from \"my ns\"").unwrap().schema.is_none());
        for bad in [
            "SELECT",
            "SELECT x(m) FROM n",
            "SELECT SUM(m) FROM",
            "SELECT SUM(m) FROM n WHERE a",
            "SELECT SUM(m) FROM n x",
        ] {
            assert!(Select::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "SELECT ?(SUM|[(]|[)]|m| |FROM|WHERE|=|'|\"|,|GROUP BY|LIMIT|[0-9]|\\PC){0,14}") {
            let _ = Select::parse(&text);
        }
    }
}
