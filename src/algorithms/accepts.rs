//! What a hyperparameter may be, checked as it is sent.

use std::fmt;

/// What a hyperparameter may be; the ends are those that the container checks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Accepts {
    Integer(i64, i64),
    Number(Bound, Bound),
    OneOf(&'static [&'static str]),
    /// One of these names, or what the other takes.
    NameOr(&'static [&'static str], &'static Accepts),
    /// A JSON list, not empty, of these.
    List(&'static Accepts),
    /// Values apart by commas, at least one.
    Commas(&'static Accepts),
    /// Any text.
    Text,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    To(f64),
    Beyond(f64),
    None,
}

use Accepts::{Commas, Integer, List, NameOr, Number, OneOf, Text};
use Bound::{Beyond, To};

/// The service's largest integer.
pub(super) const MAX: i64 = i32::MAX as i64;
pub(super) const POSITIVE: Accepts = Integer(1, MAX);
pub(super) const FROM_ZERO: Accepts = Number(To(0.0), Bound::None);
pub(super) const ABOVE_ZERO: Accepts = Number(Beyond(0.0), Bound::None);
pub(super) const ANY_NUMBER: Accepts = Number(Bound::None, Bound::None);
/// From 0 to 1, both possible.
pub(super) const SHARE: Accepts = Number(To(0.0), To(1.0));
/// From 0 to 1, neither possible.
pub(super) const FRACTION: Accepts = Number(Beyond(0.0), Beyond(1.0));
/// From 0 to 1, 0 impossible.
pub(super) const ABOVE_ZERO_TO_ONE: Accepts = Number(Beyond(0.0), To(1.0));
/// From 0 to 1, 1 impossible.
pub(super) const BELOW_ONE: Accepts = Number(To(0.0), Beyond(1.0));
pub(super) const BOOL: Accepts = OneOf(&["True", "False", "true", "false"]);
pub(super) const BIT: Accepts = OneOf(&["0", "1"]);

impl Accepts {
    pub(super) fn takes(&self, value: &str) -> bool {
        match self {
            Integer(least, most) => value.parse().is_ok_and(|value: i64| (*least..=*most).contains(&value)),
            Number(from, to) => value.parse().is_ok_and(|value: f64| {
                let above = match from {
                    To(least) => value >= *least,
                    Beyond(least) => value > *least,
                    Bound::None => true,
                };
                let below = match to {
                    To(most) => value <= *most,
                    Beyond(most) => value < *most,
                    Bound::None => true,
                };
                value.is_finite() && above && below
            }),
            OneOf(names) => names.contains(&value),
            NameOr(names, other) => names.contains(&value) || other.takes(value),
            List(each) => serde_json::from_str::<Vec<serde_json::Value>>(value).is_ok_and(|values| {
                let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                !values.is_empty() && values.iter().all(|value| each.takes(&text(value)))
            }),
            Commas(each) => value.split(',').all(|value| each.takes(value)),
            Text => true,
        }
    }
}

impl fmt::Display for Accepts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Integer(least, MAX) => write!(f, "an integer of at least {least}"),
            Integer(least, most) => write!(f, "an integer from {least} to {most}"),
            Number(Bound::None, Bound::None) => f.write_str("a number"),
            Number(from, to) => {
                f.write_str("a number ")?;
                match from {
                    To(least) => write!(f, "of at least {least}")?,
                    Beyond(least) => write!(f, "above {least}")?,
                    Bound::None => {}
                }
                match to {
                    To(most) => write!(f, " and at most {most}"),
                    Beyond(most) => write!(f, " and below {most}"),
                    Bound::None => Ok(()),
                }
            }
            OneOf(names) => f.write_str(&names.join(" or ")),
            NameOr(names, other) => write!(f, "{} or {other}", names.join(" or ")),
            List(each) => write!(f, "a list, each {each}"),
            Commas(each) => write!(f, "apart by commas, each {each}"),
            Text => f.write_str("a text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_and_says() {
        const METRICS: Accepts = List(&OneOf(&["msd", "ssd"]));
        const NLISTS: Accepts = NameOr(&["auto"], &POSITIVE);
        for (accepts, good, bad, text) in [
            (POSITIVE, "1", "0", "an integer of at least 1"),
            (FRACTION, "0.5", "1.0", "a number above 0 and below 1"),
            (ANY_NUMBER, "-1e-06", "NaN", "a number"),
            (METRICS, r#"["msd", "ssd"]"#, r#"["rmse"]"#, "a list, each msd or ssd"),
            (METRICS, r#"["ssd"]"#, "[]", "a list, each msd or ssd"),
            (List(&POSITIVE), "[16, 8]", "[16, 0]", "a list, each an integer of at least 1"),
            (NLISTS, "auto", "many", "auto or an integer of at least 1"),
            (Commas(&POSITIVE), "10,20", "10,", "apart by commas, each an integer of at least 1"),
            (BOOL, "True", "yes", "True or False or true or false"),
        ] {
            assert!(accepts.takes(good) && !accepts.takes(bad), "{good} {bad}");
            assert_eq!(accepts.to_string(), text);
        }
    }
}
