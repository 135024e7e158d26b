//! Numbers as Python prints them: what the SageMaker Python SDK puts on the wire, and thus what models were tested with.

/// A float with a text form: `f64` as Python's `repr`, `f32` as NumPy's `str` of a `float32`.
///
/// Sealed by [`zmij::Float`].
pub(super) trait Float: zmij::Float + Copy + Into<f64> {
    /// Whether zmij's text is Python's already: true for nearly all values, false for NaN and infinities.
    fn is_plain(self) -> bool;
}

impl Float for f64 {
    #[inline]
    fn is_plain(self) -> bool {
        let size = self.abs();
        (1e-4..1e16).contains(&size) || size == 0.0
    }
}

impl Float for f32 {
    #[inline]
    fn is_plain(self) -> bool {
        // NumPy compares in a wider type, so that the float32 next to 1e-4, which is below it, is `1e-04`.
        let size = f64::from(self.abs());
        (1e-4..1e6).contains(&size) || size == 0.0
    }
}

/// Appends a finite number.
#[inline]
pub(super) fn push<F: Float>(out: &mut Vec<u8>, value: F) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    if value.is_plain() {
        out.extend_from_slice(text.as_bytes());
    } else {
        push_scientific(out, text);
    }
}

/// Appends a finite number with no `.0` behind a whole one, as LibSVM files are written.
pub(super) fn push_short<F: Float>(out: &mut Vec<u8>, value: F) {
    push(out, value);
    if out.ends_with(b".0") {
        out.truncate(out.len() - 2);
    }
}

/// Rewrites a number in positional or scientific form as Python's scientific form: a sign and at least two digits in
/// the exponent.
#[cold]
fn push_scientific(out: &mut Vec<u8>, text: &str) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let digits = mantissa.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let leading_zeros = whole.len() + fraction.len() - (whole.to_owned() + fraction).trim_start_matches('0').len();
    let exponent = exponent.parse::<i32>().unwrap_or_default() + whole.len() as i32 - 1 - leading_zeros as i32;
    let significant = whole.to_owned() + fraction;
    let significant = significant.trim_matches('0');
    let (first, rest) = significant.split_at(significant.len().min(1));

    if mantissa.starts_with('-') {
        out.push(b'-');
    }
    out.extend_from_slice(first.as_bytes());
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest.as_bytes());
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("e{sign}{:02}", exponent.abs()).as_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text<F: Float>(value: F) -> String {
        let mut out = Vec::new();
        push(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn f64_is_pythons_repr() {
        for (value, expected) in [
            (1.0, "1.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (2.5e-10, "2.5e-10"),
            (1e22, "1e+22"),
            (1e16, "1e+16"),
            (-1e16, "-1e+16"),
            (1e15, "1000000000000000.0"),
            (1e10, "10000000000.0"),
            (9999999999999998.0, "9999999999999998.0"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-4, "0.0001"),
            (9.9e-5, "9.9e-05"),
            (1e-5, "1e-05"),
            (-1.25e-5, "-1.25e-05"),
            (1e-7, "1e-07"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn f32_is_numpys_str() {
        for (value, expected) in [
            (0.1_f32, "0.1"),
            (1.0, "1.0"),
            (999_999.0, "999999.0"),
            (999_999.94, "999999.94"),
            (1e6, "1e+06"),
            (16_777_216.0, "1.6777216e+07"),
            (1e10, "1e+10"),
            (1_234_567.8, "1.2345678e+06"),
            (1e-4, "1e-04"),
            (0.00012, "0.00012"),
            (9.9e-5, "9.9e-05"),
            (1e-45, "1e-45"),
            (f32::MAX, "3.4028235e+38"),
            (-0.0, "-0.0"),
        ] {
            assert_eq!(text(value), expected);
        }
    }

    #[test]
    fn whole_numbers_may_be_short() {
        for (value, expected) in [(0.0, "0"), (-3.0, "-3"), (0.5, "0.5"), (1e16, "1e+16")] {
            let mut out = Vec::new();
            push_short(&mut out, value);
            assert_eq!(out, expected.as_bytes());
        }
    }

    proptest! {
        #[test]
        fn every_f64_reads_back(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
            prop_assert_eq!(text(value).parse::<f64>().unwrap().to_bits(), value.to_bits());
        }

        #[test]
        fn every_f32_reads_back(value in any::<f32>().prop_filter("finite", |v| v.is_finite())) {
            prop_assert_eq!(text(value).parse::<f32>().unwrap().to_bits(), value.to_bits());
        }
    }
}
