//! Filter patterns: terms for text, conditions for JSON, columns for what is separated by spaces.

use regex_lite::Regex;
use serde_json::Value;

use crate::local::aws_error::AwsError;

mod columns;
mod json;

/// A parsed pattern.
#[derive(Debug)]
pub(super) enum Pattern {
    Terms(Terms),
    Json(json::Condition),
    Columns(columns::Columns),
}

/// Terms separated by spaces: all of `all`, one of `any` (`?`), none of `none` (`-`).
#[derive(Debug, Default)]
pub(super) struct Terms {
    all: Vec<Term>,
    any: Vec<Term>,
    none: Vec<Term>,
}

#[derive(Debug)]
enum Term {
    Text(String),
    /// Between percent signs.
    Regex(Regex),
}

fn invalid() -> AwsError {
    AwsError::invalid_parameter("Invalid filter pattern")
}

impl Pattern {
    /// Reads a pattern; the empty one matches everything.
    pub(super) fn parse(pattern: &str) -> Result<Self, AwsError> {
        let pattern = pattern.trim();
        if let Some(rest) = pattern.strip_prefix('{') {
            let condition = rest.strip_suffix('}').ok_or_else(invalid)?;
            return json::Condition::parse(condition).map(Self::Json).ok_or_else(invalid);
        }
        if let Some(rest) = pattern.strip_prefix('[') {
            let columns = rest.strip_suffix(']').ok_or_else(invalid)?;
            return columns::Columns::parse(columns).map(Self::Columns).ok_or_else(invalid);
        }
        Terms::parse(pattern).map(Self::Terms)
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Terms(terms) => terms.matches(message),
            Self::Json(condition) => serde_json::from_str(message).is_ok_and(|document| condition.matches(&document)),
            Self::Columns(columns) => columns.matches(message).is_some(),
        }
    }

    /// What an event gives, if it matches.
    pub(super) fn find(&self, message: &str) -> Option<Match> {
        match self {
            Self::Terms(terms) => terms.matches(message).then_some(Match::Text),
            Self::Json(condition) => {
                let document = serde_json::from_str(message).ok().filter(|document| condition.matches(document))?;
                let mut selected = Vec::new();
                condition.selected(&document, &mut selected);
                Some(Match::Json(document, selected))
            }
            Self::Columns(columns) => columns.matches(message).map(Match::Columns),
        }
    }

    /// Whether events give values, as JSON and columns do.
    pub(super) fn has_values(&self) -> bool {
        !matches!(self, Self::Terms(_))
    }
}

/// An event that matches, and what can be taken from it.
#[derive(Debug)]
pub(super) enum Match {
    Text,
    /// The document, and what the pattern's own selectors find in it.
    Json(Value, Vec<(String, String)>),
    Columns(Vec<(String, String)>),
}

impl Match {
    /// What a selector finds: `$.member` of JSON, `$name` of columns.
    pub(super) fn value(&self, selector: &str) -> Option<String> {
        match self {
            Self::Text => None,
            Self::Json(document, _) => json::Selector::parse(selector)?.text(document),
            Self::Columns(columns) => columns.iter().find(|(name, _)| name == selector).map(|(_, value)| value.clone()),
        }
    }

    /// The values that the pattern names.
    pub(super) fn values(self) -> Vec<(String, String)> {
        match self {
            Self::Text => Vec::new(),
            Self::Json(_, values) | Self::Columns(values) => values,
        }
    }
}

impl Terms {
    fn parse(mut rest: &str) -> Result<Self, AwsError> {
        let mut terms = Self::default();
        while !rest.is_empty() {
            let bucket = match rest.as_bytes() {
                [b'?', ..] => &mut terms.any,
                [b'-', ..] => &mut terms.none,
                _ => &mut terms.all,
            };
            let body = rest.strip_prefix(['?', '-']).unwrap_or(rest);
            let (term, tail) = if let Some(quoted) = body.strip_prefix('"') {
                let (text, tail) = quoted.split_once('"').ok_or_else(invalid)?;
                (Term::Text(text.to_owned()), tail)
            } else if let Some(regex) = body.strip_prefix('%') {
                let (regex, tail) = regex.split_once('%').ok_or_else(invalid)?;
                (Term::Regex(Regex::new(regex).map_err(|_| invalid())?), tail)
            } else {
                let (text, tail) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
                (Term::Text(text.to_owned()), tail)
            };
            bucket.push(term);
            rest = tail.trim_start();
        }
        Ok(terms)
    }

    fn matches(&self, message: &str) -> bool {
        let found = |term: &Term| match term {
            Term::Text(text) => message.contains(text.as_str()),
            Term::Regex(regex) => regex.is_match(message),
        };
        self.all.iter().all(found)
            && (self.any.is_empty() || self.any.iter().any(found))
            && !self.none.iter().any(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(pattern: &str, message: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(message)
    }

    #[test]
    fn terms_are_and_or_and_not() {
        assert!(matches("", "anything"));
        assert!(matches("ERROR \"disk full\"", "ERROR: disk full"));
        assert!(!matches("ERROR disk-full", "ERROR: disk full"));
        assert!(matches("?WARN ?ERROR", "ERROR"));
        assert!(!matches("ERROR -ignored", "ERROR ignored"));
        assert!(matches("%E[A-Z]+ [0-9]%", "an ERROR 5") && !matches("%^x%", "ax"));
        for bad in ["\"open", "%open", "%(%", "[a, b", "{ $.a", "{ $.a = }", "{ a = 1 }", "{ $.a = 1 ) }"] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn json_is_compared_by_its_members() {
        let event =
            r#"{"level": "ERROR", "code": 500, "user": {"name": "ann", "tags": ["a", "b"]}, "ok": true, "no": null}"#;
        for (pattern, expected) in [
            ("{ $.level = \"ERROR\" }", true),
            ("{ $.level = ERR* }", true),
            ("{ $.level != \"ERROR\" }", false),
            ("{ $.code >= 500 && $.code < 600 }", true),
            ("{ $.code = 5* }", true),
            ("{ $.code = 404 || ($.ok IS TRUE && $.user.name = \"ann\") }", true),
            ("{ $.user.tags[1] = \"b\" }", true),
            ("{ $.missing NOT EXISTS }", true),
            ("{ $.no IS NULL }", true),
            ("{ $.ok IS FALSE }", false),
            ("{ $.level = %E.*R% }", true),
            ("{ $.missing = 1 }", false),
        ] {
            assert_eq!(matches(pattern, event), expected, "{pattern}");
        }
        assert!(!matches("{ $.a = 1 }", "no JSON"));
    }

    proptest! {
        #[test]
        fn no_pattern_makes_it_panic(pattern in "\\PC{0,40}", json in "\\{( |[(]|[)]|&&|[|]{2}|[$].a|=|!=|<|\"x\"|1|IS|NULL|%a%|[*]){0,12}\\}") {
            let _ = Pattern::parse(&pattern);
            if let Ok(pattern) = Pattern::parse(&json) {
                pattern.matches("{\"a\": 1}");
            }
        }
    }
}
