//! Conditions of `filter`.

use regex_lite::Regex;

use super::query::field;

/// How deep parentheses may be.
const MAX_DEPTH: usize = 32;

#[derive(Debug)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Present(String),
    Like(String, Regex),
    Compare(String, &'static str, String),
    In(String, Vec<String>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    /// A name, number or keyword.
    Word(String),
    Text(String),
    Regex(String),
    Mark(&'static str),
}

const MARKS: [&str; 13] = ["=~", "!=", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ",", "!"];

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Condition {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text)?.into_iter().peekable(), depth: 0 };
        let condition = parser.any()?;
        match parser.tokens.next() {
            None => Ok(condition),
            Some(token) => Err(format!("unexpected symbol found in filter: {token:?}")),
        }
    }

    /// Whether an event matches; `value` gives the text of its fields.
    pub(super) fn matches(&self, value: &dyn Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(value)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(value)),
            Self::Not(inner) => !inner.matches(value),
            Self::Present(name) => value(name).is_some(),
            Self::Like(name, regex) => value(name).is_some_and(|text| regex.is_match(&text)),
            Self::In(name, list) => value(name).is_some_and(|text| list.contains(&text)),
            Self::Compare(name, order, wanted) => value(name).map_or(*order == "!=", |text| {
                let numbers = (text.parse::<f64>(), wanted.parse::<f64>());
                let compared = match numbers {
                    (Ok(a), Ok(b)) => a.total_cmp(&b),
                    _ => text.as_str().cmp(wanted),
                };
                match *order {
                    "=" => compared.is_eq(),
                    "!=" => compared.is_ne(),
                    "<" => compared.is_lt(),
                    "<=" => compared.is_le(),
                    ">" => compared.is_gt(),
                    _ => compared.is_ge(),
                }
            }),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut rest = text.trim_start();
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        if let '"' | '\'' | '/' | '`' = first {
            let (inner, tail) = quoted(rest, first).ok_or("a quote in filter has no end")?;
            found.push(match first {
                '/' => Token::Regex(inner),
                '`' => Token::Word(inner),
                _ => Token::Text(inner),
            });
            rest = tail;
        } else if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            found.push(Token::Mark(mark));
            rest = rest.get(mark.len()..).unwrap_or_default();
        } else {
            let word = |c: char| c.is_alphanumeric() || "@._-*".contains(c);
            let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("unexpected symbol found in filter: {first}"));
            }
            let (word, tail) = rest.split_at(end);
            found.push(Token::Word(word.to_owned()));
            rest = tail;
        }
        rest = rest.trim_start();
    }
    Ok(found)
}

/// What is between quotes, without the backslashes before quotes, and what follows.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut inner = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            c if escaped => {
                if c != quote {
                    inner.push('\\');
                }
                inner.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            c if c == quote => return Some((inner, text.get(at + c.len_utf8()..)?)),
            c => inner.push(c),
        }
    }
    None
}

impl Parser {
    fn word(&mut self, word: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(found) if found.eq_ignore_ascii_case(word))).is_some()
    }

    fn mark(&mut self, mark: &'static str) -> bool {
        self.tokens.next_if_eq(&Token::Mark(mark)).is_some()
    }

    fn any(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.all()?];
        while self.word("or") {
            parts.push(self.all()?);
        }
        Ok(Condition::Any(parts))
    }

    fn all(&mut self) -> Result<Condition, String> {
        let mut parts = vec![self.one()?];
        while self.word("and") {
            parts.push(self.one()?);
        }
        Ok(Condition::All(parts))
    }

    fn one(&mut self) -> Result<Condition, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("the condition of filter is too deep".to_owned());
        }
        let condition = if self.word("not") || self.mark("!") {
            Condition::Not(Box::new(self.one()?))
        } else if self.mark("(") {
            let inner = self.any()?;
            self.close()?;
            inner
        } else if self.word("ispresent") {
            if !self.mark("(") {
                return Err("ispresent needs a field in parentheses".to_owned());
            }
            let name = self.field()?;
            self.close()?;
            Condition::Present(name)
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn close(&mut self) -> Result<(), String> {
        if self.mark(")") { Ok(()) } else { Err("a parenthesis in filter has no end".to_owned()) }
    }

    fn field(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(name)) => field(&name),
            _ => Err("filter needs a field here".to_owned()),
        }
    }

    fn comparison(&mut self) -> Result<Condition, String> {
        let name = self.field()?;
        let not = self.word("not");
        let condition = if self.word("like") || self.mark("=~") {
            let regex = match self.tokens.next() {
                Some(Token::Regex(regex)) => regex,
                Some(Token::Text(text)) => regex_lite::escape(&text),
                _ => return Err("like needs a pattern in quotes or slashes".to_owned()),
            };
            let regex = Regex::new(&regex).map_err(|error| format!("the pattern of like cannot be read: {error}"))?;
            Condition::Like(name, regex)
        } else if self.word("in") {
            Condition::In(name, self.list()?)
        } else {
            let orders = ["=", "!=", "<=", ">=", "<", ">"];
            let order = orders.into_iter().find(|order| self.mark(order));
            let order = order.ok_or_else(|| format!("filter needs a comparison after {name}"))?;
            Condition::Compare(name, order, self.value()?)
        };
        Ok(if not { Condition::Not(Box::new(condition)) } else { condition })
    }

    fn value(&mut self) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(text) | Token::Text(text)) => Ok(text),
            _ => Err("filter needs a value here".to_owned()),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        if !self.mark("[") {
            return Err("in needs a list in brackets".to_owned());
        }
        let mut values = vec![self.value()?];
        while self.mark(",") {
            values.push(self.value()?);
        }
        if self.mark("]") { Ok(values) } else { Err("a bracket in filter has no end".to_owned()) }
    }
}
