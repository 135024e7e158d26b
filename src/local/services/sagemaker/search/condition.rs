//! What a search looks for.

use std::cmp::Ordering;

use aws_smithy_types::date_time::{DateTime, Format};
use serde_json::Value;

use super::Searchable;
use super::property::{Property, below};
use crate::api_model::ShapeKind;
use crate::local::aws_error::AwsError;
use crate::local::state::{Resource, text};

/// No expression is deeper: the API has a limit of 20 sub-expressions in all.
const MAX_DEPTH: usize = 20;

/// A condition on a resource.
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Test(Property, Test),
    /// One element of the list at the property passes all tests; each has its path within the element.
    Element(Property, Vec<(Vec<String>, Test)>),
}

/// A comparison with a value.
pub(super) struct Test {
    operator: String,
    value: String,
    /// Whether what is greater or less is so as a number, though it is text.
    as_number: bool,
}

impl Condition {
    pub(super) fn read(expression: &Value, searchable: &Searchable) -> Result<Self, AwsError> {
        Self::read_at(expression, searchable, 0)
    }

    fn read_at(expression: &Value, searchable: &Searchable, depth: usize) -> Result<Self, AwsError> {
        if depth > MAX_DEPTH {
            return Err(AwsError::validation("The search expression has too many levels."));
        }
        let mut parts = Vec::new();
        for filter in list(expression, "Filters") {
            let property = Property::read(text(filter, "Name")?, searchable)?;
            let mut test = Test::read(filter)?;
            if searchable.strict {
                test.check(&property, searchable)?;
            }
            test.as_number = property.is_hyperparameter();
            parts.push(Self::Test(property, test));
        }
        for nested in list(expression, "NestedFilters") {
            let name = text(nested, "NestedPropertyName")?;
            let property = Property::read(name, searchable)?;
            let mut tests = Vec::new();
            for filter in list(nested, "Filters") {
                let own = text(filter, "Name")?;
                let within = own.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')).unwrap_or(own);
                tests.push((within.split('.').map(str::to_owned).collect(), Test::read(filter)?));
            }
            parts.push(Self::Element(property, tests));
        }
        for inner in list(expression, "SubExpressions") {
            parts.push(Self::read_at(inner, searchable, depth + 1)?);
        }
        let any = expression.get("Operator").and_then(Value::as_str) == Some("Or");
        Ok(if any { Self::Any(parts) } else { Self::All(parts) })
    }

    pub(super) fn holds(&self, resource: &Resource) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(resource)),
            Self::Any(parts) => parts.is_empty() || parts.iter().any(|part| part.holds(resource)),
            Self::Test(property, test) => test.passes(&property.values(resource)),
            Self::Element(property, tests) => property.elements(resource).iter().any(|element| {
                tests.iter().all(|(path, test)| {
                    let mut found = Vec::new();
                    below(element, path, &mut found);
                    test.passes(&found)
                })
            }),
        }
    }
}

fn list<'a>(value: &'a Value, member: &str) -> impl Iterator<Item = &'a Value> {
    value.get(member).and_then(Value::as_array).into_iter().flatten()
}

impl Test {
    fn read(filter: &Value) -> Result<Self, AwsError> {
        let operator = filter.get("Operator").and_then(Value::as_str).unwrap_or("Equals").to_owned();
        match filter.get("Value").and_then(Value::as_str) {
            Some(value) => Ok(Self { operator, value: value.to_owned(), as_number: false }),
            None if matches!(operator.as_str(), "Exists" | "NotExists") => {
                Ok(Self { operator, value: String::new(), as_number: false })
            }
            None => Err(AwsError::validation(format!("A filter with the operator {operator} must have a Value."))),
        }
    }

    /// Refuses an operator that the type of the property does not support.
    fn check(&self, property: &Property, searchable: &Searchable) -> Result<(), AwsError> {
        let is_text = match property.kind(searchable) {
            Some(ShapeKind::String) => true,
            Some(
                ShapeKind::Integer | ShapeKind::Long | ShapeKind::Float | ShapeKind::Boolean | ShapeKind::Timestamp,
            ) => false,
            // Lists and unions have values of more than one type.
            _ => return Ok(()),
        };
        let suits = match self.operator.as_str() {
            "Contains" | "In" => is_text,
            "GreaterThan" | "GreaterThanOrEqualTo" | "LessThan" | "LessThanOrEqualTo" => {
                !is_text || property.is_hyperparameter()
            }
            _ => true,
        };
        if suits {
            return Ok(());
        }
        let which = if is_text { "text" } else { "properties that are no text" };
        let (operator, name) = (&self.operator, property.name());
        Err(AwsError::validation(format!("The operator {operator} is not supported for {which}: {name}")))
    }

    fn passes(&self, found: &[Value]) -> bool {
        let any = |test: fn(Ordering) -> bool| found.iter().any(|value| order(value, &self.value).is_some_and(test));
        let ordered = |test: fn(Ordering) -> bool| {
            let order =
                |value| if self.as_number { order_as_numbers(value, &self.value) } else { order(value, &self.value) };
            found.iter().any(|value| order(value).is_some_and(test))
        };
        match self.operator.as_str() {
            "Equals" => any(Ordering::is_eq),
            "NotEquals" => !any(Ordering::is_eq),
            "GreaterThan" => ordered(Ordering::is_gt),
            "GreaterThanOrEqualTo" => ordered(Ordering::is_ge),
            "LessThan" => ordered(Ordering::is_lt),
            "LessThanOrEqualTo" => ordered(Ordering::is_le),
            "Contains" => found.iter().any(|value| value.as_str().is_some_and(|text| text.contains(&self.value))),
            "Exists" => !found.is_empty(),
            "NotExists" => found.is_empty(),
            // The values are separated by commas.
            "In" => found
                .iter()
                .any(|value| self.value.split(',').any(|one| order(value, one.trim()).is_some_and(Ordering::is_eq))),
            _ => false,
        }
    }
}

/// A number that is kept as text, against the text of a filter. If the filter's is whole, what follows the point does
/// not count.
fn order_as_numbers(value: &Value, text: &str) -> Option<Ordering> {
    let number: f64 = value.as_str()?.parse().ok()?;
    let number = if text.parse::<i64>().is_ok() { number.trunc() } else { number };
    number.partial_cmp(&text.parse().ok()?)
}

/// A value against the text of a filter: as numbers, times or truths where it is one.
fn order(value: &Value, text: &str) -> Option<Ordering> {
    match value {
        Value::String(value) => Some(value.as_str().cmp(text)),
        Value::Bool(value) => Some(value.cmp(&text.parse().ok()?)),
        Value::Number(value) => {
            let number = text.parse().ok().or_else(|| {
                let time = DateTime::from_str(text, Format::DateTimeWithOffset).ok()?;
                Some(time.as_secs_f64())
            });
            value.as_f64()?.partial_cmp(&number?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_by_their_types() {
        for (value, operator, text, passes) in [
            (json!("b"), "Equals", "b", true),
            (json!("b"), "NotEquals", "b", false),
            (json!(10), "GreaterThan", "9", true),
            (json!(10), "LessThanOrEqualTo", "10.0", true),
            (json!(true), "Equals", "true", true),
            (json!(1_577_836_800.5), "GreaterThanOrEqualTo", "2020-01-01T00:00:00Z", true),
            (json!(1_577_836_799), "GreaterThan", "2020-01-01T00:00:00Z", false),
            (json!("abc"), "Contains", "b", true),
            (json!("b"), "In", "a, b", true),
            (json!("b"), "In", "ab", false),
            (json!({}), "Exists", "", true),
            (json!(1), "NotExists", "", false),
            (json!(1), "Equals", "one", false),
        ] {
            let test = Test { operator: operator.to_owned(), value: text.to_owned(), as_number: false };
            assert_eq!(test.passes(std::slice::from_ref(&value)), passes, "{value} {operator} {text}");
        }
    }

    #[test]
    fn hyperparameters_are_ordered_as_numbers() {
        for (value, operator, text, passes) in [
            ("10", "GreaterThan", "9", true),
            ("0.05", "LessThan", "0.5", true),
            ("1.7", "GreaterThan", "1", false),
            ("1.7", "GreaterThan", "1.0", true),
            ("auto", "LessThan", "1", false),
            ("0.10", "Equals", "0.1", false),
        ] {
            let test = Test { operator: operator.to_owned(), value: text.to_owned(), as_number: true };
            assert_eq!(test.passes(&[json!(value)]), passes, "{value} {operator} {text}");
        }
    }
}
