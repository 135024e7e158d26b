//! Metric math: what an expression of `GetMetricData` makes of other queries.

use std::collections::BTreeMap;

mod functions;
mod parser;
pub(super) mod select;

pub(super) use parser::Expression;
use parser::Operator;

/// A value of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Series(Series),
    Array(Vec<Series>),
    Text(String),
}

/// A time series: values by the second that their period begins with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) label: String,
    /// In seconds.
    pub(super) period: i64,
    pub(super) points: BTreeMap<i64, f64>,
}

/// What an expression may ask for.
pub(super) trait Scope {
    /// The result of the query with this identifier; the text says what is wrong.
    fn query(&mut self, id: &str) -> Result<Value, String>;
    /// The results of all queries that are metrics and whose identifiers hold this text.
    fn metrics(&mut self, part: &str) -> Result<Vec<Series>, String>;
    /// The whole periods that are asked for, by their first seconds.
    fn seconds(&self, period: i64) -> Vec<i64>;
    /// The period of what has none of its own, in seconds.
    fn period(&self) -> i64;
}

/// Evaluates an expression; the text says what is wrong.
pub(super) fn evaluate(expression: &Expression, scope: &mut dyn Scope) -> Result<Value, String> {
    match expression {
        Expression::Number(number) => Ok(Value::Number(*number)),
        Expression::Text(text) => Ok(Value::Text(text.clone())),
        Expression::Name(name) => scope.query(name),
        Expression::Negated(inner) => functions::map(evaluate(inner, scope)?, |value| Some(-value)),
        Expression::List(items) => {
            let mut all = Vec::new();
            for item in items {
                match evaluate(item, scope)? {
                    Value::Series(series) => all.push(series),
                    Value::Array(series) => all.extend(series),
                    _ => return Err("A list may hold time series only".to_owned()),
                }
            }
            Ok(Value::Array(all))
        }
        Expression::Binary(operator, left, right) => {
            let (left, right) = (evaluate(left, scope)?, evaluate(right, scope)?);
            combine(left, right, &|a, b| operator.apply(a, b))
        }
        Expression::Call(name, arguments) => functions::call(name, arguments, scope),
    }
}

impl Operator {
    /// `None` is a value that does not exist, such as one that was divided by zero.
    fn apply(self, a: f64, b: f64) -> Option<f64> {
        let truth = |true_: bool| Some(f64::from(u8::from(true_)));
        let number = match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide => a / b,
            Self::Power => a.powf(b),
            Self::Equal => return truth(a == b),
            Self::NotEqual => return truth(a != b),
            Self::Less => return truth(a < b),
            Self::LessOrEqual => return truth(a <= b),
            Self::Greater => return truth(a > b),
            Self::GreaterOrEqual => return truth(a >= b),
            Self::And => return truth(a != 0.0 && b != 0.0),
            Self::Or => return truth(a != 0.0 || b != 0.0),
        };
        Some(number).filter(|number| number.is_finite())
    }
}

/// Combines two values point by point; a number stands for each point.
fn combine(left: Value, right: Value, with: &dyn Fn(f64, f64) -> Option<f64>) -> Result<Value, String> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => {
            with(a, b).map(Value::Number).ok_or_else(|| "The result is no number".to_owned())
        }
        (Value::Number(a), right) => functions::map(right, |b| with(a, b)),
        (left, Value::Number(b)) => functions::map(left, |a| with(a, b)),
        (Value::Series(a), Value::Series(b)) => Ok(Value::Series(pair(a, &b, with))),
        (Value::Series(a), Value::Array(all)) => {
            let one = |b: Series| Series { label: b.label.clone(), ..pair(a.clone(), &b, with) };
            Ok(Value::Array(all.into_iter().map(one).collect()))
        }
        (Value::Array(all), Value::Series(b)) => Ok(Value::Array(all.into_iter().map(|a| pair(a, &b, with)).collect())),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            Ok(Value::Array(a.into_iter().zip(&b).map(|(a, b)| pair(a, b, with)).collect()))
        }
        (Value::Array(_), Value::Array(_)) => Err("Two arrays must have the same number of time series".to_owned()),
        _ => Err("Unsupported operand type: a text".to_owned()),
    }
}

/// The points that both series have.
fn pair(a: Series, b: &Series, with: &dyn Fn(f64, f64) -> Option<f64>) -> Series {
    let point = |(at, value): (i64, f64)| Some((at, with(value, *b.points.get(&at)?)?));
    Series { period: a.period.max(b.period), points: a.points.into_iter().filter_map(point).collect(), ..a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Series `a` with values at the first, second and fourth of five minutes, and `b` with one at each.
    struct Fixed;

    fn series(label: &str, points: &[(i64, f64)]) -> Series {
        Series { label: label.to_owned(), period: 60, points: points.iter().copied().collect() }
    }

    fn a() -> Series {
        series("a", &[(0, 1.0), (60, 4.0), (180, 7.0)])
    }

    fn b() -> Series {
        series("b", &[(0, 10.0), (60, 20.0), (120, 30.0), (180, 40.0), (240, 0.0)])
    }

    impl Scope for Fixed {
        fn query(&mut self, id: &str) -> Result<Value, String> {
            match id {
                "a" => Ok(Value::Series(a())),
                "b" => Ok(Value::Series(b())),
                "both" => Ok(Value::Array(vec![a(), b()])),
                other => Err(format!("no {other}")),
            }
        }

        fn metrics(&mut self, part: &str) -> Result<Vec<Series>, String> {
            Ok([a(), b()].into_iter().filter(|series| series.label.contains(part)).collect())
        }

        fn seconds(&self, period: i64) -> Vec<i64> {
            (0..300).step_by(usize::try_from(period).unwrap()).collect()
        }

        fn period(&self) -> i64 {
            60
        }
    }

    fn value(text: &str) -> Value {
        evaluate(&Expression::parse(text).unwrap(), &mut Fixed).unwrap()
    }

    fn number(text: &str) -> f64 {
        let Value::Number(number) = value(text) else { panic!("{text}") };
        number
    }

    fn points(text: &str) -> Vec<(i64, f64)> {
        let Value::Series(series) = value(text) else { panic!("{text}") };
        series.points.into_iter().collect()
    }

    #[test]
    fn operators_work_point_by_point() {
        assert_eq!(number("1 + 2 * 3 ^ 2 - -4 / 2"), 21.0);
        assert_eq!(number("(1 + 2) * 3 >= 9 AND 1 < 2 || 0"), 1.0);
        assert_eq!(points("a + b"), [(0, 11.0), (60, 24.0), (180, 47.0)]);
        assert_eq!(points("100 * a / b"), [(0, 10.0), (60, 20.0), (180, 17.5)]);
        assert_eq!(points("b / b").len(), 4, "what was divided by zero is missing");
        assert_eq!(points("a > 3"), [(0, 0.0), (60, 1.0), (180, 1.0)]);
        assert_eq!(points("IF(a > 3, a, b)"), [(0, 10.0), (60, 4.0), (180, 7.0)]);
        assert_eq!(points("IF(a > 3, 1, 0) + 0"), points("a > 3"));
    }

    #[test]
    fn functions_of_series_and_arrays() {
        assert_eq!((number("SUM(a)"), number("AVG(a)"), number("MAX(b)"), number("MIN(b)")), (12.0, 4.0, 40.0, 0.0));
        assert_eq!(points("SUM([a, b])")[..3], [(0, 11.0), (60, 24.0), (120, 30.0)]);
        assert_eq!(points("AVG(METRICS())")[0], (0, 5.5));
        assert_eq!(points("MAX(METRICS(\"b\"))"), b().points.into_iter().collect::<Vec<_>>());
        assert_eq!(points("FILL(a, 0)")[2..], [(120, 0.0), (180, 7.0), (240, 0.0)]);
        assert_eq!(points("FILL(a, REPEAT)")[2..], [(120, 4.0), (180, 7.0), (240, 7.0)]);
        assert_eq!(points("FILL(a, LINEAR)")[2], (120, 5.5));
        assert_eq!(points("DIFF(b)"), [(60, 10.0), (120, 10.0), (180, 10.0), (240, -40.0)]);
        assert_eq!(points("RATE(b)")[0], (60, 10.0 / 60.0));
        assert_eq!(points("DIFF_TIME(a)"), [(60, 60.0), (180, 120.0)]);
        assert_eq!(points("RUNNING_SUM(a)"), [(0, 1.0), (60, 5.0), (180, 12.0)]);
        assert_eq!((number("PERIOD(a)"), number("DATAPOINT_COUNT(a)"), number("METRIC_COUNT(both)")), (60.0, 3.0, 2.0));
        assert_eq!(points("CEIL(a / 2) - FLOOR(a / 2)"), [(0, 1.0), (60, 0.0), (180, 1.0)]);
        assert_eq!(points("ABS(a - 4)"), [(0, 3.0), (60, 0.0), (180, 3.0)]);
        assert_eq!(points("FIRST(SORT(both, MAX, DESC))"), points("b"));
        assert_eq!(points("LAST(SLICE(both, 0, 1))"), points("a"));
        assert_eq!(points("TIME_SERIES(3)").len(), 5);
        assert_eq!(points("MINUTE(b)")[3], (180, 3.0));
        assert_eq!(points("STDDEV([a, b])")[0], (0, 4.5));
        assert_eq!(value("REMOVE_EMPTY([a / 0, b])"), Value::Array(vec![b()]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("c", "no c"),
            ("both + [a]", "same number"),
            ("NOTHING(a)", "NOTHING"),
            ("ANOMALY_DETECTION_BAND(a, 2)", "ANOMALY_DETECTION_BAND"),
            ("1 / 0", "no number"),
            ("SUM()", "argument"),
            ("\"x\" + 1", "text"),
        ] {
            let error = evaluate(&Expression::parse(text).unwrap(), &mut Fixed).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        for bad in ["", "a +", "(a", "a b", "SUM(a", "[a", "1 2", "a ~ b", "\"open"] {
            assert!(Expression::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_expression_makes_it_panic(text in "(a|b|both|c|[(]|[)]|,| |[-+*/^<>=]|AND|SUM[(]|FILL[(]|SORT[(]|SLICE[(]|[0-9]|\"|\\[|\\]|\\PC){0,16}") {
            if let Ok(expression) = Expression::parse(&text) {
                let _ = evaluate(&expression, &mut Fixed);
            }
        }
    }
}
