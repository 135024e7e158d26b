//! Reads a query.

use super::super::Json;
use super::{Expr, Query, Step};

/// How deep expressions may be nested.
const MAX_DEPTH: usize = 40;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Name(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
}

const SIGNS: [&str; 20] =
    ["<>", "!=", "<=", ">=", "||", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", ",", ".", "[", "]", ";"];
const AGGREGATES: [&str; 5] = ["COUNT", "SUM", "AVG", "MIN", "MAX"];
const KEYWORDS: [&str; 16] = [
    "SELECT", "FROM", "WHERE", "LIMIT", "AS", "AND", "OR", "NOT", "LIKE", "IN", "IS", "NULL", "BETWEEN", "MISSING",
    "TRUE", "FALSE",
];
/// The ranks of operators, the weakest first.
const RANKS: [&[&str]; 3] = [&["||"], &["+", "-"], &["*", "/", "%"]];
pub(super) const COMPARISONS: [&str; 7] = ["<>", "!=", "<=", ">=", "=", "<", ">"];

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    sums: usize,
}

const FUNCTIONS: [&str; 8] =
    ["UPPER", "LOWER", "TRIM", "CHAR_LENGTH", "CHARACTER_LENGTH", "SUBSTRING", "COALESCE", "NULLIF"];

impl Query {
    /// Reads a query; the text says what is wrong.
    pub(in crate::local::s3::select) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0, sums: 0 };
        parser.keyword("SELECT")?;
        let items = if parser.sign("*") { None } else { Some(parser.items()?) };
        parser.keyword("FROM")?;
        let source = parser.name()?;
        if !source.eq_ignore_ascii_case("S3Object") {
            return Err(format!("Unexpected source {source}: only S3Object can be queried."));
        }
        let from = parser.steps()?;
        let mut aliases = vec![source];
        let named = parser.word("AS");
        if named || parser.is_name() {
            aliases = vec![parser.name()?];
        }
        let condition = if parser.word("WHERE") { Some(parser.expression()?) } else { None };
        let limit = match parser.word("LIMIT") {
            false => usize::MAX,
            true => match parser.next() {
                Some(Token::Number(number)) if number >= 0.0 => number as usize,
                _ => return Err("LIMIT must be followed by a number.".to_owned()),
            },
        };
        parser.sign(";");
        match parser.next() {
            None => Ok(Self { items, from, aliases, condition, limit }),
            Some(token) => Err(format!("Unexpected token {token:?}.")),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let (mut found, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let word_end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let number_end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let tail = if first == '\'' || first == '"' {
            let (inner, tail) = rest[1..].split_once(first).ok_or("A text is not closed.")?;
            let inner = inner.to_owned();
            found.push(if first == '"' { Token::Name(inner) } else { Token::Text(inner) });
            tail
        } else if first.is_ascii_digit() {
            let number: f64 = rest[..number_end].parse().map_err(|_| "A number cannot be read.")?;
            found.push(Token::Number(number));
            &rest[number_end..]
        } else if word_end > 0 {
            found.push(Token::Word(rest[..word_end].to_owned()));
            &rest[word_end..]
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            found.push(Token::Sign(sign));
            &rest[sign.len()..]
        } else {
            return Err(format!("Unexpected character {first}."));
        };
        rest = tail.trim_start();
    }
    Ok(found)
}

impl Parser {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += usize::from(token.is_some());
        token
    }

    fn word(&mut self, word: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, sign: &'static str) -> bool {
        let is = self.tokens.get(self.at) == Some(&Token::Sign(sign));
        self.at += usize::from(is);
        is
    }

    fn keyword(&mut self, word: &str) -> Result<(), String> {
        if self.word(word) { Ok(()) } else { Err(format!("{word} is expected.")) }
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), String> {
        if self.sign(sign) { Ok(()) } else { Err(format!("{sign} is expected.")) }
    }

    fn is_name(&self) -> bool {
        match self.tokens.get(self.at) {
            Some(Token::Word(word)) => !KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word)),
            Some(Token::Name(_)) => true,
            _ => false,
        }
    }

    fn name(&mut self) -> Result<String, String> {
        if !self.is_name() {
            return Err("A name is expected.".to_owned());
        }
        match self.next() {
            Some(Token::Word(name) | Token::Name(name)) => Ok(name),
            _ => Err("A name is expected.".to_owned()),
        }
    }

    fn steps(&mut self) -> Result<Vec<Step>, String> {
        let mut steps = Vec::new();
        loop {
            if self.sign(".") {
                steps.push(if self.sign("*") { Step::Each } else { Step::Member(self.name()?) });
            } else if self.sign("[") {
                steps.push(match self.next() {
                    Some(Token::Sign("*")) => Step::Each,
                    Some(Token::Number(number)) => Step::Item(number as usize),
                    Some(Token::Text(name)) => Step::Member(name),
                    _ => return Err("A number is expected between brackets.".to_owned()),
                });
                self.expect("]")?;
            } else {
                return Ok(steps);
            }
        }
    }

    fn items(&mut self) -> Result<Vec<(Expr, String)>, String> {
        let mut items = Vec::new();
        loop {
            let item = self.expression()?;
            let named = self.word("AS");
            let name = if named || self.is_name() {
                self.name()?
            } else {
                match &item {
                    Expr::Path(steps) => match steps.last() {
                        Some(Step::Member(name)) => name.clone(),
                        _ => format!("_{}", items.len() + 1),
                    },
                    _ => format!("_{}", items.len() + 1),
                }
            };
            items.push((item, name));
            if !self.sign(",") {
                return Ok(items);
            }
        }
    }

    fn expression(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("The expression is nested too deeply.".to_owned());
        }
        let mut left = self.all()?;
        while self.word("OR") {
            left = Expr::Binary("OR", Box::new(left), Box::new(self.all()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn all(&mut self) -> Result<Expr, String> {
        let mut left = self.condition()?;
        while self.word("AND") {
            left = Expr::Binary("AND", Box::new(left), Box::new(self.condition()?));
        }
        Ok(left)
    }

    fn condition(&mut self) -> Result<Expr, String> {
        if self.word("NOT") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err("The expression is nested too deeply.".to_owned());
            }
            let inner = self.condition()?;
            self.depth -= 1;
            return Ok(Expr::Not(Box::new(inner)));
        }
        let left = self.of_rank(0)?;
        if self.word("IS") {
            let wanted = !self.word("NOT");
            if !self.word("NULL") {
                self.keyword("MISSING")?;
            }
            return Ok(Expr::IsNull(Box::new(left), wanted));
        }
        let negated = self.word("NOT");
        let found = if self.word("LIKE") {
            Expr::Binary("LIKE", Box::new(left), Box::new(self.of_rank(0)?))
        } else if self.word("IN") {
            self.expect("(")?;
            Expr::In(Box::new(left), self.arguments()?)
        } else if self.word("BETWEEN") {
            let low = self.of_rank(0)?;
            self.keyword("AND")?;
            let high = self.of_rank(0)?;
            // The value is read twice: it is a path or a plain term.
            let again = self.copy(&left)?;
            let from = Expr::Binary(">=", Box::new(left), Box::new(low));
            Expr::Binary("AND", Box::new(from), Box::new(Expr::Binary("<=", Box::new(again), Box::new(high))))
        } else if negated {
            return Err("LIKE, IN or BETWEEN is expected.".to_owned());
        } else if let Some(sign) = COMPARISONS.into_iter().find(|sign| self.sign(sign)) {
            Expr::Binary(sign, Box::new(left), Box::new(self.of_rank(0)?))
        } else {
            left
        };
        Ok(if negated { Expr::Not(Box::new(found)) } else { found })
    }

    fn copy(&self, expression: &Expr) -> Result<Expr, String> {
        Ok(match expression {
            Expr::Value(value) => Expr::Value(value.clone()),
            Expr::Path(steps) => Expr::Path(steps.clone()),
            Expr::Cast(inner, kind) => Expr::Cast(Box::new(self.copy(inner)?), kind.clone()),
            _ => return Err("BETWEEN takes a column, a value or a CAST of one.".to_owned()),
        })
    }

    fn of_rank(&mut self, rank: usize) -> Result<Expr, String> {
        let Some(signs) = RANKS.get(rank) else { return self.single() };
        let mut left = self.of_rank(rank + 1)?;
        while let Some(sign) = signs.iter().find(|sign| self.sign(sign)) {
            left = Expr::Binary(sign, Box::new(left), Box::new(self.of_rank(rank + 1)?));
        }
        Ok(left)
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, String> {
        let mut arguments = vec![self.expression()?];
        while self.sign(",") {
            arguments.push(self.expression()?);
        }
        self.expect(")")?;
        Ok(arguments)
    }

    fn single(&mut self) -> Result<Expr, String> {
        if self.sign("(") {
            let inner = self.expression()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.sign("-") {
            return match self.next() {
                Some(Token::Number(number)) => Ok(Expr::Value(Json::Number(-number))),
                _ => Err("A number is expected.".to_owned()),
            };
        }
        for (word, value) in [("NULL", Json::Null), ("TRUE", Json::Bool(true)), ("FALSE", Json::Bool(false))] {
            if self.word(word) {
                return Ok(Expr::Value(value));
            }
        }
        match self.next() {
            Some(Token::Number(number)) => Ok(Expr::Value(Json::Number(number))),
            Some(Token::Text(text)) => Ok(Expr::Value(Json::Text(text))),
            Some(Token::Word(word)) if self.sign("(") => self.function(&word.to_ascii_uppercase()),
            Some(Token::Word(word)) if KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(&word)) => {
                Err(format!("Unexpected {word}."))
            }
            Some(Token::Word(name) | Token::Name(name)) => {
                let mut steps = vec![Step::Member(name)];
                steps.extend(self.steps()?);
                Ok(Expr::Path(steps))
            }
            Some(token) => Err(format!("Unexpected token {token:?}.")),
            None => Err("The expression is incomplete.".to_owned()),
        }
    }

    fn function(&mut self, name: &str) -> Result<Expr, String> {
        if AGGREGATES.contains(&name) {
            self.sums += 1;
            let number = self.sums - 1;
            if self.sign("*") {
                self.expect(")")?;
                return Ok(Expr::Sum(number, name.to_owned(), None));
            }
            let inner = self.expression()?;
            self.expect(")")?;
            return Ok(Expr::Sum(number, name.to_owned(), Some(Box::new(inner))));
        }
        if name == "CAST" {
            let inner = self.expression()?;
            self.keyword("AS")?;
            let kind = self.name()?.to_ascii_uppercase();
            self.expect(")")?;
            return Ok(Expr::Cast(Box::new(inner), kind));
        }
        if !FUNCTIONS.contains(&name) {
            return Err(format!("The local backend does not support the function {name}."));
        }
        Ok(Expr::Call(name.to_owned(), self.arguments()?))
    }
}
