//! Reading numbers out of CSV and libsvm text, one pass over the bytes.
//!
//! The readers of `crate::codec` are for answers and samples, and cannot serve here. That of CSV takes byte order marks,
//! quoted numbers and infinity, which XGBoost's own reader misreads, so that a job would pass here and go wrong on AWS.
//! That of libsvm wants growing indices, which XGBoost does not, and labels, which requests may lack.

use std::fmt;

/// A rectangle of numbers, row after row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbers {
    pub(super) values: Vec<f32>,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// Rows of which only some columns are given, as compressed sparse rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SparseRows {
    pub(super) starts: Vec<usize>,
    pub(super) columns: Vec<u32>,
    pub(super) values: Vec<f32>,
    pub(super) labels: Vec<f32>,
    /// Empty unless labels have weights (`label:weight`).
    pub(super) weights: Vec<f32>,
    /// Empty unless rows have `qid:` fields.
    pub(super) queries: Vec<u64>,
    /// One more than the highest column.
    pub(super) width: usize,
}

impl SparseRows {
    /// Adds the rows of another one.
    pub(super) fn append(&mut self, more: Self) {
        let offset = self.values.len();
        self.starts.extend(more.starts.iter().skip(1).map(|start| start + offset));
        self.columns.extend(more.columns);
        self.values.extend(more.values);
        self.labels.extend(more.labels);
        self.weights.extend(more.weights);
        self.queries.extend(more.queries);
        self.width = self.width.max(more.width);
    }
}

/// Where a text is not what it should be; line and column count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) what: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.what)
    }
}

/// The most columns that the local engine trains with: memory is per column, and an index is just a number in a file.
pub(super) const MAX_COLUMNS: usize = 1 << 24;

/// The delimiter that Python's `csv.Sniffer` finds in one line, as far as it can separate numbers: the first of these
/// that is there, else a comma.
pub(super) fn delimiter(text: &[u8]) -> u8 {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.trim_ascii();
    *[b',', b'\t', b';', b' ', b':'].iter().find(|candidate| line.contains(candidate)).unwrap_or(&b',')
}

/// Reads CSV of numbers: an empty field is NaN, empty lines do not count, every line has as many columns as the first.
pub(super) fn numbers(text: &[u8], delimiter: u8) -> Result<Numbers, Trouble> {
    let mut values = Vec::with_capacity(text.len() / 4);
    let (mut rows, mut columns) = (0, 0);
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let before = values.len();
        for (column, field) in line.split(|byte| *byte == delimiter).enumerate() {
            let value = number(field).ok_or_else(|| Trouble {
                line: index + 1,
                column: column + 1,
                what: format!("{} is not a number", shown(field)),
            })?;
            values.push(value);
        }
        let width = values.len() - before;
        if rows == 0 {
            columns = width;
        } else if width != columns {
            let what = format!("{width} columns where the lines before have {columns}");
            return Err(Trouble { line: index + 1, column: width.min(columns) + 1, what });
        }
        rows += 1;
    }
    Ok(Numbers { values, rows, columns })
}

/// Reads libsvm: `label[:weight] [qid:number] index:value ..`, with `#` before a comment.
///
/// Indices are columns counted from 0, as XGBoost reads them; a column that a row does not name is missing in it.
pub(super) fn libsvm(text: &[u8]) -> Result<SparseRows, Trouble> {
    let mut rows = SparseRows { starts: vec![0], ..SparseRows::default() };
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        let Some(label) = fields.next() else { continue };
        let trouble = |column: usize, field: &[u8], needed: &str| Trouble {
            line: index + 1,
            column: column + 1,
            what: format!("{} is not {needed}", shown(field)),
        };
        let (label_text, weight) = match cut(label) {
            Some((label, weight)) => (label, Some(weight)),
            None => (label, None),
        };
        let label_number = present(label_text).ok_or_else(|| trouble(0, label, "a label"))?;
        if let Some(weight) = weight {
            rows.weights.push(present(weight).ok_or_else(|| trouble(0, label, "a label with a weight"))?);
        }
        rows.labels.push(label_number);
        if !rows.weights.is_empty() && rows.weights.len() != rows.labels.len() {
            return Err(trouble(0, label, "a label with a weight, though other rows have weights"));
        }
        for (position, field) in fields.enumerate() {
            let column = position + 1;
            let (name, value) = cut(field).ok_or_else(|| trouble(column, field, "index:value"))?;
            if name == b"qid" {
                rows.queries.push(integer(value).ok_or_else(|| trouble(column, field, "qid:number"))?);
                continue;
            }
            let feature = integer(name)
                .and_then(|feature| u32::try_from(feature).ok())
                .ok_or_else(|| trouble(column, field, "index:value"))?;
            if feature as usize >= MAX_COLUMNS {
                return Err(trouble(column, field, &format!("below index {MAX_COLUMNS}, the local engine's limit")));
            }
            let value = present_or_nan(value).ok_or_else(|| trouble(column, field, "index:value"))?;
            rows.width = rows.width.max(feature as usize + 1);
            if value.is_nan() {
                continue;
            }
            rows.columns.push(feature);
            rows.values.push(value);
        }
        if !rows.queries.is_empty() && rows.queries.len() != rows.labels.len() {
            return Err(trouble(0, label, "in a row with qid, though other rows have one"));
        }
        rows.starts.push(rows.values.len());
    }
    Ok(rows)
}

/// Reads libsvm as the container does when it serves: `index:value` fields are features, every other field (a label, a
/// comment's words) is passed over, and so is where a row has none.
pub(super) fn libsvm_features(text: &[u8]) -> Result<SparseRows, Trouble> {
    let mut rows = SparseRows { starts: vec![0], ..SparseRows::default() };
    for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
        for (column, field) in fields.enumerate() {
            let Some((name, value)) = cut(field) else { continue };
            let trouble = || Trouble {
                line: index + 1,
                column: column + 1,
                what: format!("{} is not index:value", shown(field)),
            };
            let feature = integer(name).and_then(|feature| u32::try_from(feature).ok()).ok_or_else(trouble)?;
            let value = present_or_nan(value).ok_or_else(trouble)?;
            rows.width = rows.width.max(feature as usize + 1);
            if !value.is_nan() {
                rows.columns.push(feature);
                rows.values.push(value);
            }
        }
        rows.labels.push(f32::NAN);
        rows.starts.push(rows.values.len());
    }
    Ok(rows)
}

/// A field as a number; empty is NaN. Infinity is no number here: XGBoost refuses it.
fn number(field: &[u8]) -> Option<f32> {
    let field = field.trim_ascii();
    if field.is_empty() { Some(f32::NAN) } else { present_or_nan(field) }
}

fn present_or_nan(field: &[u8]) -> Option<f32> {
    let value: f32 = std::str::from_utf8(field).ok()?.parse().ok()?;
    (!value.is_infinite()).then_some(value)
}

fn present(field: &[u8]) -> Option<f32> {
    present_or_nan(field).filter(|value| !value.is_nan())
}

fn integer(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

fn cut(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = field.iter().position(|byte| *byte == b':')?;
    Some((&field[..at], &field[at + 1..]))
}

/// The start of a field for a message: the field only, never the line around it.
pub(super) fn shown(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(field.trim_ascii());
    let mut out: String = text.chars().take(20).flat_map(char::escape_debug).collect();
    if text.chars().nth(20).is_some() {
        out.push_str("..");
    }
    format!("'{out}'")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn csv_reads_missing_fields_blank_lines_and_windows_line_ends() {
        let table = numbers(b"1,2,3\r\n\r\n4,,6\r\n", b',').unwrap();
        assert_eq!((table.rows, table.columns), (2, 3));
        assert_eq!(table.values[..4], [1.0, 2.0, 3.0, 4.0]);
        assert!(table.values[4].is_nan());
    }

    #[test]
    fn csv_says_where_it_is_wrong() {
        let what = |text: &str| numbers(text.as_bytes(), b',').unwrap_err().to_string();
        assert_eq!(what("1,2\n\n3,x\n"), "line 3, column 2: 'x' is not a number");
        assert_eq!(what("1,2\n3\n"), "line 2, column 2: 1 columns where the lines before have 2");
        assert_eq!(what("1,inf\n"), "line 1, column 2: 'inf' is not a number");
        assert_eq!(what("1,1e39\n"), "line 1, column 2: '1e39' is not a number");
    }

    #[test]
    fn the_delimiter_is_sniffed_from_the_first_line() {
        assert_eq!(delimiter(b"1;2;3\n4,5"), b';');
        assert_eq!(delimiter(b"1\t2\n"), b'\t');
        assert_eq!(delimiter(b"1, 2\n"), b',');
        assert_eq!(delimiter(b"1.5\n"), b',');
    }

    #[test]
    fn libsvm_reads_weights_queries_and_comments() {
        let rows = libsvm(b"1:0.5 qid:3 0:1 2:2.5 # first\n0:2 qid:3\n").unwrap();
        assert_eq!(rows.labels, [1.0, 0.0]);
        assert_eq!(rows.weights, [0.5, 2.0]);
        assert_eq!(rows.queries, [3, 3]);
        assert_eq!(rows.starts, [0, 2, 2]);
        assert_eq!((rows.columns.as_slice(), rows.width), ([0, 2].as_slice(), 3));
    }

    #[test]
    fn libsvm_says_where_it_is_wrong() {
        let what = |text: &str| libsvm(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(what("1 0:1\nx 0:1"), "line 2, column 1: 'x' is not a label");
        assert_eq!(what("1 0:1 7"), "line 1, column 3: '7' is not index:value");
        assert_eq!(what("1 -1:1"), "line 1, column 2: '-1:1' is not index:value");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let separator = delimiter(&text);
            if let Ok(table) = numbers(&text, separator) {
                prop_assert_eq!(table.values.len(), table.rows * table.columns);
            }
            if let Ok(rows) = libsvm(&text) {
                prop_assert_eq!(rows.starts.len(), rows.labels.len() + 1);
                prop_assert_eq!(rows.columns.len(), rows.values.len());
            }
        }

        #[test]
        fn written_csv_reads_back(rows in proptest::collection::vec(proptest::collection::vec(-1e6f32..1e6, 3), 1..20)) {
            let lines: Vec<String> =
                rows.iter().map(|row| row.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")).collect();
            let table = numbers(lines.join("\n").as_bytes(), b',').unwrap();
            prop_assert_eq!(table.values, rows.concat());
        }
    }
}
