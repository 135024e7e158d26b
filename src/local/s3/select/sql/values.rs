//! Comparisons, operators and functions.

use std::cmp::Ordering;

use super::super::Json;
use super::parser::COMPARISONS;

pub(super) fn is_true(value: &Json) -> bool {
    *value == Json::Bool(true)
}

/// Numbers by worth, also those in texts if the other side is a number; everything else as text.
pub(super) fn compare(a: &Json, b: &Json) -> Option<Ordering> {
    if a.is_nothing() || b.is_nothing() {
        return None;
    }
    let any_number = matches!(a, Json::Number(_)) || matches!(b, Json::Number(_));
    match (a.number(), b.number()) {
        (Some(a), Some(b)) if any_number => a.partial_cmp(&b),
        _ => Some(a.text().cmp(&b.text())),
    }
}

pub(super) fn binary(sign: &str, left: &Json, right: impl FnOnce() -> Json) -> Json {
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

pub(super) fn call(name: &str, arguments: &[Json]) -> Json {
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

pub(super) fn cast(value: &Json, kind: &str) -> Json {
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
