use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::codec::csv::Matrix;
use crate::codec::{Deserializer, Serializer};
use crate::types::ContentType;
use crate::{ErrorKind, Result};

/// What `write_numpy_to_dense_tensor` and `write_spmatrix_to_sparse_tensor` of the SageMaker Python SDK 2.257.7 wrote;
/// tools/recordio_vectors.py made it.
const PYTHON: &str = include_str!("tests/python.txt");

fn python(name: &str) -> Vec<u8> {
    let hex = PYTHON.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
    (0..hex.len() / 2).map(|index| u8::from_str_radix(&hex[2 * index..][..2], 16).unwrap()).collect()
}

fn records(body: Bytes) -> Result<Vec<Record>> {
    RecordIo::records().deserialize(body, &ContentType::RECORDIO_PROTOBUF)
}

#[test]
fn dense_rows_are_the_python_sdk_s_bytes() {
    let rows = RecordIo::rows();
    assert_eq!(rows.serialize(&[[1.0, 2.0]]).unwrap(), python("float64"));
    assert_eq!(rows.serialize(&[1.0, 2.0]).unwrap(), python("float64"), "one row");
    let numbers: Vec<f32> = (0..12).map(|index| index as f32 * 0.1 - 0.5).collect();
    assert_eq!(rows.serialize(&Matrix::new(&numbers, 3).unwrap()).unwrap(), python("float32"));
    assert_eq!(
        rows.serialize(&[[0_i64, 1, 127], [128, -1, 2_147_483_647], [-2_147_483_648, 300, -300]]).unwrap(),
        python("int64")
    );
    assert_eq!(rows.serialize(&[[0.0_f32; 0]; 2]).unwrap(), python("no_columns"));
    let wide: Vec<f64> = (0..300).map(|index| f64::from(index) / 7.0).collect();
    assert_eq!(rows.serialize(&vec![wide]).unwrap(), python("wide"));
    assert_eq!(rows.serialize(&[[f64::NAN, f64::INFINITY, -0.0, f64::MIN_POSITIVE]]).unwrap(), python("special"));
}

#[test]
fn labelled_rows_are_the_python_sdk_s_bytes() {
    let rows = RecordIo::labelled_rows();
    let features = vec![vec![1.0_f32, -2.5], vec![0.0, 3.25], vec![7.0, 8.0]];
    assert_eq!(rows.serialize(&(&features, [1.0_f32, 0.0, 1.0])).unwrap(), python("float32_labels_float32"));
    assert_eq!(rows.serialize(&(&features, vec![1.5, 0.0, -1.5])).unwrap(), python("float32_labels_float64"));
    assert_eq!(rows.serialize(&(&features, [0, -1, 300])).unwrap(), python("float32_labels_int64"));
    assert_eq!(rows.serialize(&([[5, 6], [7, 8]], [1.0, 2.0])).unwrap(), python("int64_labels_float64"));
}

#[test]
fn sparse_rows_are_the_python_sdk_s_bytes() {
    let (starts, keys) = ([0, 2, 2, 3], [1, 299, 0]);
    let values = [1.5, -2.0, 0.25];
    let matrix = SparseMatrix::new(300, &starts, &keys, &values).unwrap();
    assert_eq!(RecordIo::sparse_rows().serialize(&matrix).unwrap(), python("sparse_float64"));
    let labelled = matrix.labels(&[1.0_f32, 0.0, 1.0]).unwrap();
    assert_eq!(RecordIo::sparse_rows().serialize(&labelled).unwrap(), python("sparse_float64_labels"));
}

#[test]
fn the_python_sdk_s_bytes_are_read() {
    let read = records(python("float32_labels_int64").into()).unwrap();
    let labels: Vec<f64> = read.iter().map(|record| record.scalar("values").unwrap()).collect();
    assert_eq!(labels, [0.0, -1.0, 300.0]);
    assert_eq!(read[1].feature("values").unwrap().values, TensorValues::F32(vec![0.0, 3.25]));

    let sparse = records(python("sparse_float64").into()).unwrap();
    let mut row = vec![9.0; 300];
    sparse[0].feature("values").unwrap().write_to(&mut row).unwrap();
    assert_eq!((row[0], row[1], row[299]), (0.0, 1.5, -2.0));
    sparse[1].feature("values").unwrap().write_to(&mut row).unwrap();
    assert_eq!(row, [0.0; 300], "a row of zeros has a shape only");
    assert!(sparse[0].feature("values").unwrap().write_to(&mut [0.0; 10]).is_err(), "a key beyond the row");

    for line in PYTHON.lines().filter(|line| !line.starts_with('#')) {
        let body = python(line.split(' ').next().unwrap());
        let read = records(body.clone().into()).unwrap();
        assert_eq!(RecordIo::values().serialize(&read).unwrap(), body, "{line}");
    }
}

#[test]
fn answers_are_read_by_label() {
    let answers = [("score", vec![0.25_f32]), ("score", vec![0.5])]
        .map(|(name, score)| Record::default().with_label(name, score));
    let body = RecordIo::values().serialize(&answers).unwrap();
    let content_type = ContentType::RECORDIO_PROTOBUF;
    assert_eq!(RecordIo::floats("score").deserialize(body.clone(), &content_type).unwrap(), [0.25, 0.5]);
    assert_eq!(RecordIo::vectors("score").deserialize(body.clone(), &content_type).unwrap(), [[0.25], [0.5]]);
    let error = RecordIo::floats("projection").deserialize(body.clone(), &content_type).unwrap_err();
    assert_eq!(error.to_string(), "cannot deserialize: record 0: there is no label projection; there are \"score\"");
    let error = RecordIo::floats("score").deserialize(body, &ContentType::CSV).unwrap_err();
    assert!(error.to_string().contains("expected application/x-recordio-protobuf"), "{error}");
}

#[test]
fn errors_name_the_row() {
    let refused = |body: Result<Bytes>| {
        let error = body.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Serialization);
        error.to_string()
    };
    let ragged = refused(RecordIo::rows().serialize(&vec![vec![1.0], vec![1.0, 2.0]]));
    assert!(ragged.contains("row 1 has 2 numbers, the first has 1"), "{ragged}");
    let large = refused(RecordIo::rows().serialize(&[[1_i64], [1 << 31]]));
    assert!(large.contains("row 1: 2147483648 does not fit a 32-bit integer"), "{large}");
    let few = refused(RecordIo::labelled_rows().serialize(&([[1.0], [2.0]], [1.0])));
    assert!(few.contains("2 rows have 1 labels"), "{few}");
    let error = records(Bytes::from_static(b"\x0a\x23\xd7\xce\x01\0\0\0\x0b\0\0\0")).unwrap_err();
    assert_eq!(error.to_string(), "cannot deserialize: record 0: no protobuf record: a field has the wire type 3");
}

#[test]
fn a_writer_keeps_whole_frames_only() {
    let mut writer = RecordWriter::new();
    writer.rows(&[[1_i64]]).unwrap();
    let length = writer.len();
    assert!(writer.rows(&[[i64::MAX]]).is_err());
    assert_eq!(writer.len(), length);
    assert_eq!(records(writer.take()).unwrap().len(), 1);
    assert!(writer.is_empty());
}

#[test]
fn a_sparse_matrix_must_fit() {
    let field = |starts: &[usize], keys: &[u64]| {
        SparseMatrix::new(3, starts, keys, &[1.0, 2.0]).unwrap_err().invalid_values()[0].field.clone()
    };
    assert_eq!(field(&[0, 1, 2], &[0]), "keys");
    assert_eq!(field(&[0, 1, 2], &[0, 3]), "keys");
    assert_eq!(field(&[], &[0, 1]), "starts");
    assert_eq!(field(&[0, 2, 1], &[0, 1]), "starts");
    assert_eq!(field(&[1, 2], &[0, 1]), "starts");
    let labels = SparseMatrix::new(3, &[0, 2], &[0, 1], &[1.0, 2.0]).unwrap().labels(&[1.0, 2.0]);
    assert_eq!(labels.unwrap_err().invalid_values()[0].field, "labels");
}

#[test]
fn numbers_that_are_not_packed_are_read() {
    // Record { features: { "v": Float32Tensor { values: 1.0, 2.0, one field each; keys: 7 } } }
    let tensor = [&[0x0d][..], &1_f32.to_le_bytes(), &[0x0d], &2_f32.to_le_bytes(), &[0x10, 7]].concat();
    let value = [&[0x12, tensor.len() as u8][..], &tensor].concat();
    let entry = [&[0x0a, 1, b'v', 0x12, value.len() as u8][..], &value].concat();
    let payload = [&[0x0a, entry.len() as u8][..], &entry, &[0x30, 1]].concat();
    let record = Record::decode(payload.into()).unwrap();
    let tensor = record.feature("v").unwrap();
    assert_eq!((tensor.to_f64(), &tensor.keys[..]), (vec![1.0, 2.0], &[7_u64][..]));
}

fn values() -> impl Strategy<Value = RecordValue> {
    let tensor = prop_oneof![
        any::<Vec<f32>>().prop_map(TensorValues::F32),
        any::<Vec<f64>>().prop_map(TensorValues::F64),
        any::<Vec<i32>>().prop_map(TensorValues::I32),
    ];
    prop_oneof![
        (tensor, any::<Vec<u64>>(), any::<Vec<u64>>()).prop_map(|(values, keys, shape)| RecordValue::Tensor(Tensor {
            values,
            keys,
            shape
        })),
        (any::<Vec<Vec<u8>>>(), any::<Option<String>>()).prop_map(|(parts, content_type)| RecordValue::Bytes {
            parts: parts.into_iter().map(Bytes::from).collect(),
            content_type,
        }),
    ]
}

fn a_record() -> impl Strategy<Value = Record> {
    let map = || proptest::collection::btree_map(any::<String>(), values(), 0..3);
    (map(), map(), any::<Option<String>>(), any::<Option<String>>(), any::<Option<String>>()).prop_map(
        |(features, label, uid, metadata, configuration)| Record { features, label, uid, metadata, configuration },
    )
}

/// Equal but for NaN, which is unequal to itself.
fn same(one: &Record, other: &Record) -> bool {
    format!("{one:?}") == format!("{other:?}")
}

proptest! {
    #[test]
    fn records_come_back(written in proptest::collection::vec(a_record(), 0..4)) {
        let body = RecordIo::values().serialize(&written).unwrap();
        let read = records(body).unwrap();
        prop_assert_eq!(read.len(), written.len());
        prop_assert!(read.iter().zip(&written).all(|(one, other)| same(one, other)));
    }

    #[test]
    fn rows_are_as_records_are(rows in proptest::collection::vec(proptest::collection::vec(any::<f32>(), 3), 0..5), label: i32) {
        let labels = vec![label; rows.len()];
        let body = RecordIo::labelled_rows().serialize(&(&rows, &labels)).unwrap();
        let written: Vec<Record> = rows
            .iter()
            .map(|row| Record::default().with_feature("values", row.clone()).with_label("values", vec![label]))
            .collect();
        prop_assert_eq!(body, RecordIo::values().serialize(&written).unwrap());
    }

    #[test]
    fn no_bytes_panic(payload: Vec<u8>, record in a_record(), at: usize, byte: u8) {
        let _ = Record::decode(payload.clone().into());
        let _ = records(payload.into());
        let mut damaged = record.encode().unwrap().to_vec();
        if !damaged.is_empty() {
            let at = at % damaged.len();
            damaged[at] = byte;
            let _ = Record::decode(damaged.clone().into());
            damaged.truncate(at);
            let _ = Record::decode(damaged.into());
        }
    }

    #[test]
    fn a_tensor_writes_within_its_row(keys: Vec<u64>, values: Vec<f64>, shape: Vec<u64>, length in 0..9_usize) {
        let tensor = Tensor { values: TensorValues::F64(values), keys, shape };
        let _ = tensor.write_to(&mut vec![0.0; length]);
    }
}
