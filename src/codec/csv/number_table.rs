use std::str::FromStr;

use crate::codec::shortened;
use crate::{Error, ErrorKind, Result};

/// A rectangle of numbers that was read from CSV.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NumberTable {
    /// The fields, row after row; a missing value is NaN.
    pub values: Vec<f32>,
    /// How many rows.
    pub rows: usize,
    /// How many fields a row.
    pub columns: usize,
}

/// Reads a table of numbers whose fields are apart by `delimiter`: `b','`, `b';'` or `b'\t'`.
///
/// There is no header. An empty field is a missing value and becomes NaN. Lines end with `\n` or `\r\n`, the last may
/// lack it, blank lines are skipped, spaces around a number do not matter, and a number may stand in quotes. A byte
/// order mark at the start is skipped. No rows at all give an empty table.
///
/// ```
/// use sagemaker::codec::csv::parse_numbers;
///
/// let table = parse_numbers(b"1,2.5,\n3,4,5e-1\n", b',')?;
/// assert_eq!((table.rows, table.columns), (2, 3));
/// assert!(table.values[2].is_nan());
///
/// let error = parse_numbers(b"1,2\n3,abc", b',').unwrap_err();
/// assert_eq!(error.to_string(), "cannot deserialize: line 2, column 2: \"abc\" is not a number");
/// # Ok::<(), sagemaker::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Deserialization`] for a field that is not a number and for rows of different lengths; both say where.
pub fn parse_numbers(text: &[u8], delimiter: u8) -> Result<NumberTable> {
    let (values, columns) = parse_table::<f32>(text, delimiter)?;
    let rows = values.len().checked_div(columns).unwrap_or(0);
    Ok(NumberTable { values, rows, columns })
}

/// `f32` or `f64`.
pub(super) trait Number: FromStr + Copy {
    const MISSING: Self;
}

impl Number for f32 {
    const MISSING: Self = f32::NAN;
}

impl Number for f64 {
    const MISSING: Self = f64::NAN;
}

/// The fields of a table and its number of columns.
pub(super) fn parse_table<N: Number>(text: &[u8], delimiter: u8) -> Result<(Vec<N>, usize)> {
    let mut values = Vec::new();
    // Of the first row: its line and its length.
    let mut first: Option<(usize, usize)> = None;
    for (line, row) in lines(text) {
        let before = values.len();
        for (column, field) in (1..).zip(row.split(|byte| *byte == delimiter)) {
            values.push(parse_field(field, line, column)?.unwrap_or(N::MISSING));
        }
        let columns = values.len() - before;
        match first {
            None => first = Some((line, columns)),
            Some((first_line, expected)) if columns != expected => {
                return Err(fault(format!("line {line} has {columns} columns, line {first_line} has {expected}")));
            }
            Some(_) => {}
        }
    }
    Ok((values, first.map_or(0, |(_, columns)| columns)))
}

/// The lines that are not blank, each with its number from one and without its line end.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    (1..)
        .zip(text.split(|byte| *byte == b'\n'))
        .map(|(line, row)| (line, row.strip_suffix(b"\r").unwrap_or(row)))
        .filter(|(_, row)| !row.iter().all(|byte| *byte == b' '))
}

/// A number, or `None` for an empty field.
pub(super) fn parse_field<N: Number>(field: &[u8], line: usize, column: usize) -> Result<Option<N>> {
    let trimmed = field.trim_ascii();
    let bare =
        trimmed.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).map_or(trimmed, <[u8]>::trim_ascii);
    if bare.is_empty() {
        return Ok(None);
    }
    std::str::from_utf8(bare)
        .ok()
        .and_then(|text| text.parse().ok())
        .map(Some)
        .ok_or_else(|| fault(format!("line {line}, column {column}: {} is not a number", shortened(trimmed))))
}

pub(super) fn fault(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Deserialization, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text_of(error: &Error) -> String {
        error.to_string().trim_start_matches("cannot deserialize: ").to_owned()
    }

    #[test]
    fn tables_are_read() {
        for (text, delimiter, rows, columns, values) in [
            (&b"1,2\n3,4"[..], b',', 2, 2, &[1.0, 2.0, 3.0, 4.0][..]),
            (b"1,2\r\n3,4\r\n", b',', 2, 2, &[1.0, 2.0, 3.0, 4.0]),
            (b"\xef\xbb\xbf1;-2\n\n3; 4 \n", b';', 2, 2, &[1.0, -2.0, 3.0, 4.0]),
            (b"1e-3\t+.5\n", b'\t', 1, 2, &[0.001, 0.5]),
            (b"\"7\"", b',', 1, 1, &[7.0]),
            (b"", b',', 0, 0, &[]),
            (b"\n\r\n", b',', 0, 0, &[]),
        ] {
            let table = parse_numbers(text, delimiter).unwrap();
            assert_eq!((table.rows, table.columns, &table.values[..]), (rows, columns, values));
        }
    }

    #[test]
    fn empty_fields_are_missing() {
        for (text, delimiter, missing) in [
            (&b"1,,3"[..], b',', &[false, true, false][..]),
            (b",", b',', &[true, true]),
            (b"\t\t1", b'\t', &[true, true, false]),
            (b"\"\"\n1", b',', &[true, false]),
            (b"1, \r\n", b',', &[false, true]),
        ] {
            let table = parse_numbers(text, delimiter).unwrap();
            assert_eq!(table.values.iter().map(|v| v.is_nan()).collect::<Vec<_>>(), missing);
        }
    }

    #[test]
    fn errors_say_where() {
        for (text, message) in [
            (&b"1,2\n1,2\n3,abc"[..], "line 3, column 2: \"abc\" is not a number"),
            (b"1,2\n\n3", "line 3 has 1 columns, line 1 has 2"),
            (b"\n1,2,3\n1,2,3,4", "line 3 has 4 columns, line 2 has 3"),
            (b"\"1", "line 1, column 1: \"\\\"1\" is not a number"),
            (b"1,\xff", "line 1, column 2: \"\u{fffd}\" is not a number"),
            (
                b"a field that is far too long to be shown",
                "line 1, column 1: \"a field that is far too …\" is not a number",
            ),
        ] {
            let error = parse_numbers(text, b',').unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Deserialization);
            assert_eq!(text_of(&error), message);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(text: Vec<u8>, delimiter: u8) {
            if let Ok(table) = parse_numbers(&text, delimiter) {
                prop_assert_eq!(table.values.len(), table.rows * table.columns);
            }
        }

        #[test]
        fn text_like_bytes_do_not_panic(text in "[0-9a.,;\"\r\n -]{0,64}") {
            if let Ok(table) = parse_numbers(text.as_bytes(), b',') {
                prop_assert_eq!(table.values.len(), table.rows * table.columns);
            }
        }

        #[test]
        fn what_was_written_is_read(
            columns in 1_usize..5,
            rows in 1_usize..6,
            numbers in prop::collection::vec(any::<f32>().prop_filter("finite", |v| v.is_finite()), 30),
            line_end in prop_oneof![Just("\n"), Just("\r\n")],
        ) {
            let values = &numbers[..rows * columns];
            let lines: Vec<String> = values
                .chunks(columns)
                .map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
                .collect();
            let table = parse_numbers(lines.join(line_end).as_bytes(), b',').unwrap();
            prop_assert_eq!((table.rows, table.columns), (rows, columns));
            prop_assert_eq!(&table.values[..], values);
        }
    }
}
