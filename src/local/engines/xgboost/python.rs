//! How Python prints values: the container's answers and messages are made by `str` and `json.dumps`.

/// A float as Python's `repr` prints it: the shortest digits that read back, `1.0`, `1e-05`, `1e+16`, `nan`.
pub(super) fn float(value: f64) -> String {
    let mut out = String::new();
    push_float(&mut out, value);
    out
}

/// Appends a float as Python's `repr` prints it.
pub(super) fn push_float(out: &mut String, value: f64) {
    use std::fmt::Write as _;

    if value.is_nan() {
        return out.push_str("nan");
    }
    if value.is_infinite() {
        return out.push_str(if value > 0.0 { "inf" } else { "-inf" });
    }
    // Python writes an exponent below 1e-4 and from 1e16 on; Rust's `{}` never does, its `{:e}` always.
    let size = value.abs();
    let start = out.len();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{value:e}");
        let Some(at) = out[start..].find('e').map(|at| start + at) else { return };
        let exponent = out.split_off(at + 1);
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', exponent.as_str()),
        };
        let _ = write!(out, "{sign}{digits:0>2}");
        return;
    }
    let _ = write!(out, "{value}");
    if !out[start..].contains('.') {
        out.push_str(".0");
    }
}

/// A float as `json.dumps` prints it: as `repr`, but `NaN`, `Infinity` and `-Infinity`.
pub(super) fn push_json_float(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        push_float(out, value);
    }
}

/// A list of texts as Python's `repr` prints it: `['a', 'b']`.
pub(super) fn text_list(items: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("'{}'", item.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn floats_print_as_in_python() {
        // Each pair was printed by Python 3.11's repr().
        let pairs = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (f64::from(0.1_f32), "0.10000000149011612"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (-2.5e300, "-2.5e+300"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, text) in pairs {
            assert_eq!(float(value), text);
        }
    }

    proptest! {
        #[test]
        fn a_printed_float_reads_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let read: f64 = float(value).parse().unwrap();
            prop_assert!(read == value || (read.is_nan() && value.is_nan()));
        }
    }
}
