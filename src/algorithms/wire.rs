//! How values are written in the request: as Python's `str()` would, which is what the container reads.

use std::fmt::{Display, Write};

/// From here on not every integer is a float of its own, and a whole number keeps its `.0`.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The shortest text that reads back as the same number; whole numbers without `.0`.
pub(super) fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = value.abs();
    if !value.is_finite() || size < EXACT && (value.fract() == 0.0 || size >= 1e-4) {
        return value.to_string();
    }
    if (EXACT..1e16).contains(&size) {
        return format!("{value:?}");
    }
    let scientific = format!("{value:e}");
    match scientific.split_once('e') {
        // Two digits at least, and always a sign.
        Some((digits, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        },
        None => scientific,
    }
}

/// As Python's `str()` of a float: whole numbers keep their `.0`.
fn float(value: f64) -> String {
    let mut text = number(value);
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        text.push_str(".0");
    }
    text
}

/// A value as the Python SDK's classes of built-in algorithms send it.
pub(super) trait ToWire {
    fn to_wire(&self) -> String;
}

macro_rules! displayed {
    ($($type:ty),*) => {
        $(impl ToWire for $type {
            fn to_wire(&self) -> String {
                self.to_string()
            }
        })*
    };
}
displayed!(u32, u64, i64, String, &str);

impl ToWire for f64 {
    fn to_wire(&self) -> String {
        float(*self)
    }
}

impl ToWire for bool {
    fn to_wire(&self) -> String {
        if *self { "True" } else { "False" }.to_owned()
    }
}

/// `["msd", "ssd"]` as Python's JSON has it.
pub(super) fn names<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    format!("[{}]", joined(values.into_iter().map(|value| format!("\"{value}\"")), ", "))
}

/// `[16, 8]` as Python's JSON has it.
pub(super) fn numbers<T: ToWire>(values: impl IntoIterator<Item = T>) -> String {
    format!("[{}]", joined(values.into_iter().map(|value| value.to_wire()), ", "))
}

/// `0` or `1`
pub(super) fn bit(value: bool) -> String {
    u8::from(value).to_string()
}

/// `a,b`: the container splits at the comma and does not trim.
pub(super) fn list<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    joined(values, ",")
}

/// `(0, 1)`, and `(1,)` for one value, as the container evaluates a Python literal.
pub(super) fn tuple<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let inner = joined(values, ", ");
    let comma = if inner.is_empty() || inner.contains(',') { "" } else { "," };
    format!("({inner}{comma})")
}

/// `[[1, 2], [3, 4, 5]]`
pub(super) fn nested(groups: impl IntoIterator<Item = Vec<u32>>) -> String {
    format!("[{}]", joined(groups.into_iter().map(|group| format!("[{}]", joined(group, ", "))), ", "))
}

fn joined<T: Display>(values: impl IntoIterator<Item = T>, separator: &str) -> String {
    let mut text = String::new();
    for (index, value) in values.into_iter().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_as_python_prints_them() {
        for (value, text) in [
            (0.2, "0.2"),
            (100.0, "100"),
            (4.0, "4"),
            (-0.0, "0"),
            (-2.5, "-2.5"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e-7, "1e-07"),
            (1.25e-100, "1.25e-100"),
            (0.1 + 0.2, "0.30000000000000004"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (9_007_199_254_740_992.0, "9007199254740992.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn floats_keep_their_point() {
        for (value, text) in
            [(0.0, "0.0"), (3.0, "3.0"), (1e-6, "1e-06"), (0.25, "0.25"), (-2.0, "-2.0"), (1e16, "1e+16")]
        {
            assert_eq!(value.to_wire(), text);
        }
        assert_eq!((true.to_wire(), 5_u32.to_wire()), ("True".to_owned(), "5".to_owned()));
    }

    #[test]
    fn lists() {
        assert_eq!(list(["rmse", "mae"]), "rmse,mae");
        assert_eq!(tuple([0, 1]), "(0, 1)");
        assert_eq!(tuple([-1]), "(-1,)");
        assert_eq!(tuple::<i32>([]), "()");
        assert_eq!(nested([vec![1, 2], vec![3, 4, 5]]), "[[1, 2], [3, 4, 5]]");
        assert_eq!(names(["msd", "ssd"]), r#"["msd", "ssd"]"#);
        assert_eq!(numbers([0.1, 1.0]), "[0.1, 1.0]");
        assert_eq!((bit(true), bit(false)), ("1".to_owned(), "0".to_owned()));
    }

    proptest! {
        #[test]
        fn numbers_read_back(value in proptest::num::f64::ANY) {
            let back: f64 = number(value).parse().unwrap();
            prop_assert!(back == value || back.is_nan() && value.is_nan(), "{} {}", value, number(value));
        }
    }
}
