//! Conditions on JSON events: `{ $.level = "ERROR" && ($.code > 499 || $.retry IS TRUE) }`.

use regex_lite::Regex;
use serde_json::Value;

/// How deep parentheses may be.
const MAX_DEPTH: usize = 32;

#[derive(Debug)]
pub(in crate::local::services::logs) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Compare { path: Selector, test: Test },
}

/// A place in a document, and how it was written.
#[derive(Debug)]
pub(in crate::local::services::logs) struct Selector {
    text: String,
    steps: Vec<Step>,
}

/// A step into a document.
#[derive(Debug)]
pub(in crate::local::services::logs) enum Step {
    Member(String),
    Item(usize),
}

#[derive(Debug)]
pub(in crate::local::services::logs) enum Test {
    Number(Order, f64),
    /// Equal to text that may hold `*`; false: not equal.
    Text(bool, Vec<String>),
    Regex(bool, Regex),
    Is(Value),
    Missing,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::local::services::logs) enum Order {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl Condition {
    /// Reads what is between the braces.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { rest: text, depth: 0 };
        let condition = parser.any()?;
        parser.skip_spaces();
        parser.rest.is_empty().then_some(condition)
    }

    pub(super) fn matches(&self, document: &Value) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.matches(document)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.matches(document)),
            Self::Compare { path, test } => test.passes(path.find(document)),
        }
    }

    /// What the selectors of the condition find in a document.
    pub(super) fn selected(&self, document: &Value, found: &mut Vec<(String, String)>) {
        match self {
            Self::All(conditions) | Self::Any(conditions) => {
                conditions.iter().for_each(|condition| condition.selected(document, found));
            }
            Self::Compare { path, .. } => {
                if let Some(value) = path.text(document) {
                    found.push((path.text.clone(), value));
                }
            }
        }
    }
}

impl Selector {
    /// Reads a selector such as `$.user.name`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { rest: text.trim(), depth: 0 };
        let selector = parser.path()?;
        parser.rest.trim().is_empty().then_some(selector)
    }

    fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(document, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Item(number) => value.get(number),
        })
    }

    /// What it finds as text.
    pub(super) fn text(&self, document: &Value) -> Option<String> {
        self.find(document).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}

impl Test {
    /// Reads an operator and what it compares with, such as `>= 400`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { rest: text, depth: 0 };
        let test = parser.test()?;
        parser.rest.trim().is_empty().then_some(test)
    }

    pub(super) fn passes(&self, found: Option<&Value>) -> bool {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match (self, found) {
            (Self::Missing, found) => found.is_none(),
            (_, None) => false,
            (Self::Is(wanted), Some(value)) => value == wanted,
            (Self::Number(order, wanted), Some(value)) => {
                let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
                number.is_some_and(|number| match order {
                    Order::Equal => number == *wanted,
                    Order::NotEqual => number != *wanted,
                    Order::Less => number < *wanted,
                    Order::LessOrEqual => number <= *wanted,
                    Order::Greater => number > *wanted,
                    Order::GreaterOrEqual => number >= *wanted,
                })
            }
            (Self::Text(equal, parts), Some(value)) => glob(parts, &text(value)) == *equal,
            (Self::Regex(equal, regex), Some(value)) => regex.is_match(&text(value)) == *equal,
        }
    }
}

/// Whether text consists of these parts with anything in between.
fn glob(parts: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = parts else { return parts.first().is_some_and(|only| only == text) };
    let Some(rest) = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
        return false;
    };
    let mut rest = rest;
    middle.iter().all(|part| match rest.split_once(part.as_str()) {
        Some((_, tail)) => {
            rest = tail;
            true
        }
        None => false,
    })
}

impl<'a> Parser<'a> {
    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip_spaces();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn any(&mut self) -> Option<Condition> {
        let mut parts = vec![self.all()?];
        while self.take("||") {
            parts.push(self.all()?);
        }
        Some(Condition::Any(parts))
    }

    fn all(&mut self) -> Option<Condition> {
        let mut parts = vec![self.one()?];
        while self.take("&&") {
            parts.push(self.one()?);
        }
        Some(Condition::All(parts))
    }

    fn one(&mut self) -> Option<Condition> {
        if self.take("(") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return None;
            }
            let inner = self.any()?;
            self.depth -= 1;
            return self.take(")").then_some(inner);
        }
        let path = self.path()?;
        Some(Condition::Compare { path, test: self.test()? })
    }

    fn path(&mut self) -> Option<Selector> {
        self.skip_spaces();
        let written = self.rest;
        if !self.take("$") {
            return None;
        }
        let mut steps = Vec::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix('.') {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || "_-@:".contains(c))).unwrap_or(rest.len());
                let (name, tail) = rest.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
                steps.push(Step::Member(name.to_owned()));
                self.rest = tail;
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                let (number, tail) = rest.split_once(']')?;
                let name = number.strip_prefix(['"', '\'']).and_then(|name| name.strip_suffix(['"', '\'']));
                steps.push(match name {
                    Some(name) => Step::Member(name.to_owned()),
                    None => Step::Item(number.trim().parse().ok()?),
                });
                self.rest = tail;
            } else {
                let text = written.strip_suffix(self.rest).unwrap_or_default().to_owned();
                return (!steps.is_empty()).then_some(Selector { text, steps });
            }
        }
    }

    fn test(&mut self) -> Option<Test> {
        if self.take("NOT EXISTS") {
            return Some(Test::Missing);
        }
        if self.take("IS") {
            let values = [("NULL", Value::Null), ("TRUE", Value::Bool(true)), ("FALSE", Value::Bool(false))];
            return values.into_iter().find(|(word, _)| self.take(word)).map(|(_, value)| Test::Is(value));
        }
        let orders = [
            ("!=", Order::NotEqual),
            ("<=", Order::LessOrEqual),
            (">=", Order::GreaterOrEqual),
            ("=", Order::Equal),
            ("<", Order::Less),
            (">", Order::Greater),
        ];
        let order = orders.into_iter().find(|(token, _)| self.take(token)).map(|(_, order)| order)?;
        let equal = match order {
            Order::Equal => Some(true),
            Order::NotEqual => Some(false),
            _ => None,
        };
        self.skip_spaces();
        if let Some(rest) = self.rest.strip_prefix('%') {
            let (regex, tail) = rest.split_once('%')?;
            self.rest = tail;
            return Some(Test::Regex(equal?, Regex::new(regex).ok()?));
        }
        let quoted = self.rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
        let word_end = self.rest.find(|c: char| c.is_whitespace() || "()&|".contains(c)).unwrap_or(self.rest.len());
        let (text, tail) = quoted.or_else(|| self.rest.split_at_checked(word_end))?;
        if quoted.is_none() && text.is_empty() {
            return None;
        }
        self.rest = tail;
        if let (None, Ok(number)) = (quoted, text.parse::<f64>()) {
            return Some(Test::Number(order, number));
        }
        Some(Test::Text(equal?, text.split('*').map(str::to_owned).collect()))
    }
}
