//! Conditions of a pipeline's condition steps.

use std::cmp::Ordering;

use serde_json::Value;

use super::value::Scope;

/// Whether all conditions of a list hold.
pub(super) fn all(conditions: &Value, scope: &Scope) -> Result<bool, String> {
    for condition in conditions.as_array().into_iter().flatten() {
        if !holds(condition, scope)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn holds(condition: &Value, scope: &Scope) -> Result<bool, String> {
    let kind = condition["Type"].as_str().unwrap_or_default();
    let compared = |test: fn(Ordering) -> bool| {
        let left = scope.resolve(&condition["LeftValue"])?;
        let right = scope.resolve(&condition["RightValue"])?;
        compare(&left, &right).map(test).ok_or_else(|| format!("{left} and {right} cannot be compared."))
    };
    match kind {
        "Equals" => compared(Ordering::is_eq),
        "GreaterThan" => compared(Ordering::is_gt),
        "GreaterThanOrEqualTo" => compared(Ordering::is_ge),
        "LessThan" => compared(Ordering::is_lt),
        "LessThanOrEqualTo" => compared(Ordering::is_le),
        "In" => {
            let value = scope.resolve(&condition["QueryValue"])?;
            let values = scope.resolve(&condition["Values"])?;
            Ok(values.as_array().into_iter().flatten().any(|one| compare(&value, one) == Some(Ordering::Equal)))
        }
        "Not" => holds(&condition["Expression"], scope).map(|holds| !holds),
        "Or" => {
            for inner in condition["Conditions"].as_array().into_iter().flatten() {
                if holds(inner, scope)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        other => Err(format!("The local backend does not support conditions of the type {other}.")),
    }
}

/// Numbers may come as text.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    match (number(left), number(right), left, right) {
        (Some(left), Some(right), _, _) => left.partial_cmp(&right),
        (_, _, Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (_, _, Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn conditions_hold_or_not() {
        let scope = Scope {
            parameters: BTreeMap::from([("Limit".to_owned(), json!("0.5"))]),
            execution: Map::new(),
            steps: BTreeMap::new(),
        };
        let limit = json!({"Get": "Parameters.Limit"});
        let less = json!({"Type": "LessThan", "LeftValue": 0.4, "RightValue": limit});
        let equals = json!({"Type": "Equals", "LeftValue": "a", "RightValue": "b"});
        for (condition, expected) in [
            (less.clone(), Ok(true)),
            (equals.clone(), Ok(false)),
            (json!({"Type": "Not", "Expression": equals}), Ok(true)),
            (json!({"Type": "Or", "Conditions": [equals, less]}), Ok(true)),
            (json!({"Type": "In", "QueryValue": "a", "Values": ["b", "a"]}), Ok(true)),
        ] {
            assert_eq!(all(&json!([condition]), &scope), expected);
        }
        assert!(all(&json!([{"Type": "GreaterThan", "LeftValue": "a", "RightValue": 1}]), &scope).is_err());
        assert!(all(&json!([{"Type": "Other"}]), &scope).is_err());
    }
}
