//! RecordIO-protobuf: rows that are dense or sparse, with a label or without.

use bytes::Bytes;

use super::text::{MAX_COLUMNS, SparseRows};
use crate::codec::recordio::{self, Record, Tensor};

/// The name of a row's features, and of its label.
const VALUES: &str = "values";

/// Reads the rows of a body. A dense row gives every column; a row without a label adds none to `labels`.
///
/// # Errors
/// The record, counted from 0, and what is wrong with it.
pub(super) fn rows(body: &Bytes) -> Result<SparseRows, String> {
    let mut rows = SparseRows { starts: vec![0], ..SparseRows::default() };
    for (at, frame) in recordio::frames(body.clone()).enumerate() {
        let in_record = |why: String| format!("record {at}: {why}");
        let record = frame.and_then(Record::decode).map_err(|error| in_record(error.to_string()))?;
        let features = record.feature(VALUES).ok_or_else(|| in_record("it has no feature 'values'".to_owned()))?;
        push(features, &mut rows).map_err(in_record)?;
        match record.label(VALUES).map(Tensor::to_f64).as_deref() {
            None | Some([]) => {}
            Some([value]) => rows.labels.push(*value as f32),
            Some(_) => return Err(in_record("its label has more than one number".to_owned())),
        }
    }
    Ok(rows)
}

fn push(features: &Tensor, rows: &mut SparseRows) -> Result<(), String> {
    let values = features.to_f64();
    let too_wide = || format!("its features are more than the {MAX_COLUMNS} that the local engine takes");
    if features.is_sparse() {
        if features.keys.len() != values.len() {
            return Err(format!("it has {} keys for {} values", features.keys.len(), values.len()));
        }
        let mut pairs: Vec<(u64, f64)> = features.keys.iter().copied().zip(values).collect();
        pairs.sort_by_key(|(key, _)| *key);
        if pairs.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err("it has a key twice".to_owned());
        }
        for (key, value) in pairs {
            let column = u32::try_from(key).ok().filter(|column| (*column as usize) < MAX_COLUMNS);
            let column = column.ok_or_else(too_wide)?;
            rows.columns.push(column);
            rows.values.push(value as f32);
            rows.width = rows.width.max(column as usize + 1);
        }
        // The last number of the shape is the width of the row.
        let width = features.shape.last().map_or(Some(0), |width| usize::try_from(*width).ok());
        let width = width.filter(|width| *width <= MAX_COLUMNS).ok_or_else(too_wide)?;
        rows.width = rows.width.max(width);
    } else {
        if values.len() > MAX_COLUMNS {
            return Err(too_wide());
        }
        rows.width = rows.width.max(values.len());
        for (column, value) in (0..).zip(values) {
            rows.columns.push(column);
            rows.values.push(value as f32);
        }
    }
    rows.starts.push(rows.values.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::recordio::RecordWriter;
    use proptest::prelude::*;

    fn body(records: &[Record]) -> Bytes {
        let mut writer = RecordWriter::new();
        records.iter().for_each(|record| writer.record(record).unwrap());
        writer.finish()
    }

    fn of(features: Tensor, label: Option<f32>) -> Record {
        let record = Record::default().with_feature(VALUES, features);
        label.into_iter().fold(record, |record, label| record.with_label(VALUES, Tensor::dense(vec![label])))
    }

    #[test]
    fn dense_and_sparse_rows() {
        let dense = of(Tensor::dense(vec![1.0f32, 2.0]), Some(5.0));
        let sparse = of(Tensor::sparse(4, vec![3, 0], vec![7.0f32, 8.0]), Some(6.0));
        let rows = rows(&body(&[dense, sparse])).unwrap();
        let expected = SparseRows {
            starts: vec![0, 2, 4],
            columns: vec![0, 1, 0, 3],
            values: vec![1.0, 2.0, 8.0, 7.0],
            labels: vec![5.0, 6.0],
            width: 4,
            ..SparseRows::default()
        };
        assert_eq!(rows, expected);
    }

    #[test]
    fn what_is_no_row_is_refused() {
        for (record, why) in [
            (Record::default(), "record 0: it has no feature"),
            (of(Tensor::sparse(4, vec![1, 1], vec![1.0f32, 2.0]), None), "record 0: it has a key twice"),
            (of(Tensor::sparse(u64::MAX, vec![1], vec![1.0f32]), None), "record 0: its features are more"),
            (of(Tensor::sparse(9, vec![u64::MAX], vec![1.0f32]), None), "record 0: its features are more"),
        ] {
            let refused = rows(&body(&[record])).unwrap_err();
            assert!(refused.starts_with(why), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = rows(&Bytes::from(bytes));
        }
    }
}
