//! The plain part of S3's SQL.

use std::cmp::Ordering;

use self::values::{binary, call, cast, compare, is_true};
use super::Json;

mod parser;
mod values;

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

impl Query {
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
