//! The plain part of S3's SQL.

use std::cmp::Ordering;

use super::Json;

/// How deep expressions may be nested.
const MAX_DEPTH: usize = 40;

/// A query that has been read.
#[derive(Debug)]
pub(super) struct Query {
    /// `None`: `*`.
    items: Option<Vec<(Expr, String)>>,
    from: Vec<Step>,
    aliases: Vec<String>,
    condition: Option<Expr>,
    limit: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Member(String),
    Item(usize),
    Each,
}

#[derive(Debug)]
enum Expr {
    Value(Json),
    Path(Vec<Step>),
    Not(Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// Whether it is `null` (or missing), or the contrary.
    IsNull(Box<Expr>, bool),
    In(Box<Expr>, Vec<Expr>),
    Call(String, Vec<Expr>),
    Cast(Box<Expr>, String),
    /// One of the aggregates; the number finds its state. `None`: `COUNT(*)`.
    Sum(usize, String, Option<Box<Expr>>),
}

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
const COMPARISONS: [&str; 7] = ["<>", "!=", "<=", ">=", "=", "<", ">"];

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    sums: usize,
}

impl Query {
    /// Reads a query; the text says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
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

    /// The rows that the query gives.
    pub(super) fn run(&self, records: impl Iterator<Item = Json>) -> Vec<Json> {
        let mut rows = Vec::new();
        let mut states: Vec<State> = Vec::new();
        let sums = self.items.as_ref().is_some_and(|items| items.iter().any(|(item, _)| item.has_sum()));
        for record in records {
            for value in self.values(record) {
                if !self.condition.as_ref().is_none_or(|condition| is_true(&self.value(condition, &value, &states))) {
                    continue;
                }
                if sums {
                    let items = self.items.iter().flatten();
                    items.for_each(|(item, _)| self.count(item, &value, &mut states));
                } else if rows.len() < self.limit {
                    rows.push(self.row(&value, &states));
                }
            }
        }
        if sums && self.limit > 0 {
            rows.push(self.row(&Json::Missing, &states));
        }
        rows
    }

    /// What is below the path of FROM in a record; what is not there is one missing value.
    fn values(&self, record: Json) -> Vec<Json> {
        let mut values = vec![record];
        // The first `[*]` stands for the records themselves.
        let steps = self.from.strip_prefix(&[Step::Each]).unwrap_or(&self.from);
        for step in steps {
            values = values
                .into_iter()
                .flat_map(|value| match (step, value) {
                    (Step::Each, Json::Array(items)) => items,
                    (Step::Each, value) => vec![value],
                    (step, value) => vec![follow(&value, step)],
                })
                .collect();
        }
        values
    }

    fn row(&self, value: &Json, states: &[State]) -> Json {
        match (&self.items, value) {
            (None, Json::Object(_)) => value.clone(),
            (None, Json::Missing) => Json::Object(Vec::new()),
            (None, other) => Json::Object(vec![("_1".to_owned(), other.clone())]),
            (Some(items), _) => {
                let member = |(item, name): &(Expr, String)| (name.clone(), self.value(item, value, states));
                Json::Object(items.iter().map(member).collect())
            }
        }
    }

    fn value(&self, expression: &Expr, row: &Json, states: &[State]) -> Json {
        let of = |expression: &Expr| self.value(expression, row, states);
        match expression {
            Expr::Value(value) => value.clone(),
            Expr::Path(steps) => self.find(steps, row),
            Expr::Not(inner) => match of(inner) {
                Json::Bool(value) => Json::Bool(!value),
                _ => Json::Null,
            },
            Expr::IsNull(inner, wanted) => Json::Bool(of(inner).is_nothing() == *wanted),
            Expr::In(inner, list) => {
                let value = of(inner);
                Json::Bool(list.iter().any(|item| compare(&value, &of(item)) == Some(Ordering::Equal)))
            }
            Expr::Binary(sign, left, right) => binary(sign, &of(left), || of(right)),
            Expr::Call(name, arguments) => call(name, &arguments.iter().map(of).collect::<Vec<Json>>()),
            Expr::Cast(inner, kind) => cast(&of(inner), kind),
            Expr::Sum(number, name, _) => states.get(*number).map_or_else(
                || if name == "COUNT" { Json::Number(0.0) } else { Json::Null },
                |state| state.value(name),
            ),
        }
    }

    fn find(&self, steps: &[Step], row: &Json) -> Json {
        // A path may begin with the name of the source.
        let rest = match steps {
            [Step::Member(first), rest @ ..] if self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(first)) => {
                rest
            }
            all => all,
        };
        rest.iter().fold(row.clone(), |value, step| follow(&value, step))
    }

    fn count(&self, expression: &Expr, row: &Json, states: &mut Vec<State>) {
        match expression {
            Expr::Sum(number, _, inner) => {
                let value = match inner {
                    Some(inner) => self.value(inner, row, &[]),
                    None => Json::Bool(true),
                };
                if states.len() <= *number {
                    states.resize_with(number + 1, State::default);
                }
                if let Some(state) = states.get_mut(*number) {
                    state.add(value);
                }
            }
            Expr::Not(inner) | Expr::IsNull(inner, _) | Expr::Cast(inner, _) => self.count(inner, row, states),
            Expr::Binary(_, left, right) => {
                self.count(left, row, states);
                self.count(right, row, states);
            }
            Expr::Call(_, list) => list.iter().for_each(|item| self.count(item, row, states)),
            Expr::Value(_) | Expr::Path(_) | Expr::In(..) => {}
        }
    }
}

impl Expr {
    fn has_sum(&self) -> bool {
        match self {
            Self::Sum(..) => true,
            Self::Not(inner) | Self::IsNull(inner, _) | Self::Cast(inner, _) => inner.has_sum(),
            Self::Binary(_, left, right) => left.has_sum() || right.has_sum(),
            Self::Call(_, list) => list.iter().any(Self::has_sum),
            Self::Value(_) | Self::Path(_) | Self::In(..) => false,
        }
    }
}

/// What an aggregate has seen.
#[derive(Debug, Default)]
struct State {
    count: f64,
    sum: f64,
    least: Option<Json>,
    most: Option<Json>,
}

impl State {
    fn add(&mut self, value: Json) {
        if value.is_nothing() {
            return;
        }
        self.count += 1.0;
        self.sum += value.number().unwrap_or(0.0);
        let beats = |best: &Option<Json>, wanted: Ordering| {
            best.as_ref().is_none_or(|best| compare(&value, best) == Some(wanted))
        };
        if beats(&self.least, Ordering::Less) {
            self.least = Some(value.clone());
        }
        if beats(&self.most, Ordering::Greater) {
            self.most = Some(value);
        }
    }

    fn value(&self, name: &str) -> Json {
        match name {
            "COUNT" => Json::Number(self.count),
            _ if self.count == 0.0 => Json::Null,
            "SUM" => Json::Number(self.sum),
            "AVG" => Json::Number(self.sum / self.count),
            "MIN" => self.least.clone().unwrap_or(Json::Null),
            _ => self.most.clone().unwrap_or(Json::Null),
        }
    }
}

fn follow(value: &Json, step: &Step) -> Json {
    match (step, value) {
        (Step::Member(name), Json::Object(members)) => match value.member(name) {
            // The columns of a file with a header have numbers too.
            Json::Missing => {
                let number = name.strip_prefix('_').and_then(|digits| digits.parse::<usize>().ok());
                let at = number.and_then(|number| number.checked_sub(1));
                at.and_then(|at| members.get(at)).map_or(Json::Missing, |(_, value)| value.clone())
            }
            found => found,
        },
        (Step::Item(at), Json::Array(items)) => items.get(*at).cloned().unwrap_or(Json::Missing),
        (Step::Each, value) => value.clone(),
        _ => Json::Missing,
    }
}

fn is_true(value: &Json) -> bool {
    *value == Json::Bool(true)
}

/// Numbers by worth, also those in texts if the other side is a number; everything else as text.
fn compare(a: &Json, b: &Json) -> Option<Ordering> {
    if a.is_nothing() || b.is_nothing() {
        return None;
    }
    let any_number = matches!(a, Json::Number(_)) || matches!(b, Json::Number(_));
    match (a.number(), b.number()) {
        (Some(a), Some(b)) if any_number => a.partial_cmp(&b),
        _ => Some(a.text().cmp(&b.text())),
    }
}

fn binary(sign: &str, left: &Json, right: impl FnOnce() -> Json) -> Json {
    match sign {
        "AND" => return Json::Bool(is_true(left) && is_true(&right())),
        "OR" => return Json::Bool(is_true(left) || is_true(&right())),
        _ => {}
    }
    let right = right();
    if left.is_nothing() || right.is_nothing() {
        return Json::Null;
    }
    if let "||" = sign {
        return Json::Text(left.text() + &right.text());
    }
    if let "LIKE" = sign {
        return Json::Bool(like(&left.text(), &right.text()));
    }
    if COMPARISONS.contains(&sign) {
        let Some(order) = compare(left, &right) else { return Json::Null };
        return Json::Bool(match sign {
            "=" => order.is_eq(),
            "<" => order.is_lt(),
            ">" => order.is_gt(),
            "<=" => order.is_le(),
            ">=" => order.is_ge(),
            _ => order.is_ne(),
        });
    }
    let (Some(a), Some(b)) = (left.number(), right.number()) else { return Json::Null };
    let number = match sign {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        _ => a % b,
    };
    if number.is_finite() { Json::Number(number) } else { Json::Null }
}

/// `%` stands for any text, `_` for one character.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    // Where to go on if what follows the last `%` does not fit.
    let (mut at, mut of, mut again) = (0, 0, None);
    while at < text.len() {
        match pattern.get(of) {
            Some('%') => {
                again = Some((at, of));
                of += 1;
            }
            Some(wanted) if *wanted == '_' || *wanted == text[at] => {
                at += 1;
                of += 1;
            }
            _ => match again {
                Some((begin, percent)) => {
                    again = Some((begin + 1, percent));
                    at = begin + 1;
                    of = percent + 1;
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|rest| *rest == '%')
}

fn call(name: &str, arguments: &[Json]) -> Json {
    let first = || arguments.first().cloned().unwrap_or(Json::Missing);
    let on_text = |change: &dyn Fn(&str) -> String| match first() {
        value if value.is_nothing() => Json::Null,
        value => Json::Text(change(&value.text())),
    };
    match name {
        "UPPER" => on_text(&str::to_uppercase),
        "LOWER" => on_text(&str::to_lowercase),
        "TRIM" => on_text(&|text| text.trim().to_owned()),
        "CHAR_LENGTH" | "CHARACTER_LENGTH" => match first() {
            value if value.is_nothing() => Json::Null,
            value => Json::Number(value.text().chars().count() as f64),
        },
        "SUBSTRING" => {
            let number = |at: usize| arguments.get(at).and_then(Json::number);
            let begin = number(1).unwrap_or(1.0).max(1.0) as usize - 1;
            let length = number(2).map_or(usize::MAX, |length| length.max(0.0) as usize);
            on_text(&|text| text.chars().skip(begin).take(length).collect())
        }
        "COALESCE" => arguments.iter().find(|value| !value.is_nothing()).cloned().unwrap_or(Json::Null),
        // NULLIF: the parser lets no other name through.
        _ => match (first(), arguments.get(1)) {
            (a, Some(b)) if compare(&a, b) == Some(Ordering::Equal) => Json::Null,
            (a, _) => a,
        },
    }
}

const FUNCTIONS: [&str; 8] =
    ["UPPER", "LOWER", "TRIM", "CHAR_LENGTH", "CHARACTER_LENGTH", "SUBSTRING", "COALESCE", "NULLIF"];

fn cast(value: &Json, kind: &str) -> Json {
    if value.is_nothing() {
        return Json::Null;
    }
    match kind {
        "INT" | "INTEGER" => value.number().map_or(Json::Null, |number| Json::Number(number.trunc())),
        "FLOAT" | "DECIMAL" | "NUMERIC" => value.number().map_or(Json::Null, Json::Number),
        "BOOL" | "BOOLEAN" => Json::Bool(value.text().eq_ignore_ascii_case("true")),
        _ => Json::Text(value.text()),
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
