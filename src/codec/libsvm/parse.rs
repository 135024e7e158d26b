use std::str::FromStr;

use crate::codec::shortened;
use crate::{Error, ErrorKind, Result};

/// Sparse rows that were read from LibSVM text, one after another in shared lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LibSvmTable {
    /// The label of each row.
    pub labels: Vec<f32>,
    /// The weight of each row, from `label:weight`; empty when no row has one.
    pub weights: Vec<f32>,
    /// The query of each row, from `qid:`; empty when no row has one.
    pub query_ids: Vec<u64>,
    /// Row `i` has the features `offsets[i]..offsets[i + 1]`; one more entry than there are rows.
    pub offsets: Vec<usize>,
    /// The index of each feature, as it is in the text: whether the first column is 0 or 1 is not guessed.
    pub indices: Vec<u32>,
    /// The value of each feature.
    pub values: Vec<f32>,
}

impl LibSvmTable {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// The `(index, value)` pairs of a row, by growing index.
    ///
    /// # Panics
    ///
    /// When there is no such row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = (u32, f32)> {
        let features = self.offsets[row]..self.offsets[row + 1];
        self.indices[features.clone()].iter().copied().zip(self.values[features].iter().copied())
    }
}

/// Reads LibSVM text: `label index:value ..`, also `label:weight` and `qid:number` as XGBoost takes them.
///
/// The first item of a line is the label always, so a line that begins with `1:0.5` has the label 1 and the weight
/// 0.5, as for XGBoost. Text after `#` is skipped, and so are blank lines. Lines end with `\n` or `\r\n`.
///
/// ```
/// use sagemaker::codec::libsvm::parse;
///
/// let table = parse(b"1 1:0.5 7:2\n0 2:1e-3 # a remark\n")?;
/// assert_eq!(table.labels, [1.0, 0.0]);
/// assert_eq!(table.row(0).collect::<Vec<_>>(), [(1, 0.5), (7, 2.0)]);
/// # Ok::<(), sagemaker::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Deserialization`] with line and item, counted from 1: for what is not a number, for indices that do
/// not grow, and where some rows have a weight or `qid:` and others have none.
pub fn parse(text: &[u8]) -> Result<LibSvmTable> {
    let mut table = LibSvmTable { offsets: vec![0], ..LibSvmTable::default() };
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    for (line, row) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let row = row.split(|byte| *byte == b'#').next().unwrap_or_default();
        let mut items = (1..)
            .zip(row.split(u8::is_ascii_whitespace).filter(|item| !item.is_empty()))
            .map(|(number, text)| Item { line, number, text });
        let Some(label) = items.next() else { continue };
        table.push_label(&label)?;
        let mut last_index = None;
        for item in items {
            match item.pair() {
                Some((b"qid", id)) if item.number == 2 => table.push_query(&item, id)?,
                Some((b"qid", _)) => return Err(item.fault("stands behind the label only")),
                Some((index, value)) => {
                    let index: u32 = item.parse(index, "is not `index:value` with a whole number as the index")?;
                    if last_index.replace(index).is_some_and(|last| index <= last) {
                        return Err(item.fault("does not have a larger index than the item before"));
                    }
                    table.indices.push(index);
                    table.values.push(item.parse(value, "is not `index:value` with a number as the value")?);
                }
                None => return Err(item.fault("is not `index:value`")),
            }
        }
        table.offsets.push(table.indices.len());
        table.check_row(line)?;
    }
    Ok(table)
}

impl LibSvmTable {
    fn push_label(&mut self, item: &Item<'_>) -> Result<()> {
        match item.pair() {
            None => self.labels.push(item.parse(item.text, "is not a number, expected a label")?),
            Some((label, weight)) => {
                self.labels.push(item.parse(label, "is not a label")?);
                self.weights.push(item.parse(weight, "is not `label:weight`")?);
            }
        }
        Ok(())
    }

    fn push_query(&mut self, item: &Item<'_>, id: &[u8]) -> Result<()> {
        self.query_ids.push(item.parse(id, "is not `qid:` with a whole number")?);
        Ok(())
    }

    /// Weights and queries are for all rows or for none.
    fn check_row(&self, line: usize) -> Result<()> {
        for (what, count) in [("weight", self.weights.len()), ("`qid:`", self.query_ids.len())] {
            if count != 0 && count != self.rows() {
                let message = format!("line {line}: give every row a {what} or none");
                return Err(Error::new(ErrorKind::Deserialization, message));
            }
        }
        Ok(())
    }
}

/// What stands between two spaces.
struct Item<'a> {
    line: usize,
    number: usize,
    text: &'a [u8],
}

impl<'a> Item<'a> {
    /// The parts before and after the colon.
    fn pair(&self) -> Option<(&'a [u8], &'a [u8])> {
        let colon = self.text.iter().position(|byte| *byte == b':')?;
        Some((&self.text[..colon], &self.text[colon + 1..]))
    }

    fn parse<N: FromStr>(&self, text: &[u8], otherwise: &str) -> Result<N> {
        std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(|| self.fault(otherwise))
    }

    fn fault(&self, reason: &str) -> Error {
        let Self { line, number, text } = self;
        Error::new(ErrorKind::Deserialization, format!("line {line}, item {number}: {} {reason}", shortened(text)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn weights_queries_remarks_and_line_ends() {
        let table = parse(b"\xef\xbb\xbf1:0.5 qid:3 0:1\r\n\n# only a remark\n-1:2 qid:4\t2:.5 9:-1e2# end").unwrap();
        assert_eq!(table.labels, [1.0, -1.0]);
        assert_eq!(table.weights, [0.5, 2.0]);
        assert_eq!(table.query_ids, [3, 4]);
        assert_eq!(table.offsets, [0, 1, 3]);
        assert_eq!(table.row(1).collect::<Vec<_>>(), [(2, 0.5), (9, -100.0)]);
    }

    #[test]
    fn nothing_is_an_empty_table() {
        for text in [&b""[..], b"\n", b" \r\n#\n"] {
            let table = parse(text).unwrap();
            assert_eq!((table.rows(), &table.offsets[..]), (0, &[0][..]));
        }
    }

    #[test]
    fn errors_say_where() {
        for (text, message) in [
            ("1 1:2\n1 1:a", "line 2, item 2: \"1:a\" is not `index:value` with a number as the value"),
            ("1 x:2", "line 1, item 2: \"x:2\" is not `index:value` with a whole number as the index"),
            ("1 -1:2", "line 1, item 2: \"-1:2\" is not `index:value` with a whole number as the index"),
            ("1 7", "line 1, item 2: \"7\" is not `index:value`"),
            ("a,b", "line 1, item 1: \"a,b\" is not a number, expected a label"),
            ("1 3:1 3:2", "line 1, item 3: \"3:2\" does not have a larger index than the item before"),
            ("1 1:1 qid:1", "line 1, item 3: \"qid:1\" stands behind the label only"),
            ("1 qid:x", "line 1, item 2: \"qid:x\" is not `qid:` with a whole number"),
            ("1 qid:1\n1 1:1", "line 2: give every row a `qid:` or none"),
            ("1 1:1\n1 qid:1", "line 2: give every row a `qid:` or none"),
            ("1 1:1\n1:2 1:1", "line 2: give every row a weight or none"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Deserialization);
            assert_eq!(error.to_string().trim_start_matches("cannot deserialize: "), message);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(text: Vec<u8>) {
            let _ = parse(&text);
        }

        #[test]
        fn text_like_bytes_do_not_panic(text in "[0-9:qid#. \r\n-]{0,64}") {
            if let Ok(table) = parse(text.as_bytes()) {
                prop_assert_eq!(table.offsets.len(), table.rows() + 1);
                prop_assert_eq!(table.indices.len(), table.values.len());
            }
        }
    }
}
