//! The CSV codecs from outside: golden texts of the SageMaker Python SDK, faults, and round trips.

use bytes::Bytes;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::codec::{Deserializer, Serializer};
use crate::types::ContentType;
use crate::{Error, ErrorKind};

fn text<T: ?Sized>(csv: impl Serializer<T>, value: &T) -> String {
    String::from_utf8(csv.serialize(value).unwrap().to_vec()).unwrap()
}

fn refused(error: Error) -> String {
    assert_eq!(error.kind(), ErrorKind::Serialization);
    error.to_string().split(';').next().unwrap().trim_start_matches("cannot serialize: ").to_owned()
}

/// Stands for a call such as `predictor.predict(&rows)`.
fn predict<S: Serializer<T>, T: ?Sized>(serializer: &S, value: &T) -> Bytes {
    serializer.serialize(value).unwrap()
}

#[test]
fn every_shape_of_rows_is_taken() {
    let csv = Csv::rows();
    let table = vec![vec![1.0, 2.0], vec![3.0, 4.0]];
    let slices: Vec<&[f64]> = table.iter().map(Vec::as_slice).collect();
    let by_name: Vec<&Vec<f64>> = table.iter().collect();
    let expected = "1.0,2.0\n3.0,4.0";
    assert_eq!(predict(&csv, &table), expected);
    assert_eq!(predict(&csv, &table[..]), expected);
    assert_eq!(predict(&csv, &[[1.0, 2.0], [3.0, 4.0]][..]), expected);
    assert_eq!(predict(&csv, &[[1.0_f32, 2.0], [3.0, 4.0]]), expected);
    assert_eq!(predict(&csv, &slices), expected);
    assert_eq!(predict(&csv, &by_name), expected);
    assert_eq!(predict(&csv, &[(1.0, 2.0), (3.0, 4.0)]), expected);
    assert_eq!(predict(&csv, &Matrix::new(&[1.0, 2.0, 3.0, 4.0], 2).unwrap()), expected);
    assert_eq!(predict(&csv, &[1.0, 2.0][..]), "1.0,2.0");
    assert_eq!(predict(&csv, &vec![1.0, 2.0]), "1.0,2.0");
    assert_eq!(predict(&csv, &("a", 2_u8)), "a,2");
    assert_eq!(predict(&csv, &["a".to_owned()]), "a");
}

#[test]
fn texts_are_those_of_the_python_sdk() {
    assert_eq!(text(Csv::rows(), &[1, 2, 3]), "1,2,3");
    assert_eq!(text(Csv::rows(), &[[1, 2], [3, 4]]), "1,2\n3,4");
    assert_eq!(
        text(Csv::rows(), &[1.0, 2.5e-10, 1e22, 1e16, 1e15, 0.1 + 0.2, -0.0, 1e10]),
        "1.0,2.5e-10,1e+22,1e+16,1000000000000000.0,0.30000000000000004,-0.0,10000000000.0"
    );
    assert_eq!(text(Csv::rows(), &[0.1_f32, 16_777_216.0, 1e10]), "0.1,1.6777216e+07,1e+10");
    assert_eq!(text(Csv::rows(), &(None::<f64>, true, false, 1)), ",True,False,1");
    assert_eq!(text(Csv::rows(), &[None::<f64>]), "\"\"");
    assert_eq!(text(Csv::rows(), &[("a,b", 1)]), "\"a,b\",1");
    assert_eq!(text(Csv::rows(), &[("a\nb", "c\"d", " e")]), "\"a\nb\",\"c\"\"d\", e");
    assert_eq!(text(Csv::rows(), &["\u{feff}a"]), "\"\u{feff}a\"");
    assert_eq!(text(Csv::text(), "1,2\n3,4\n"), "1,2\n3,4\n");
    assert_eq!(Serializer::<[f64]>::content_type(&Csv::rows()), ContentType::CSV);
}

#[test]
fn empty_input_is_refused() {
    let csv = Csv::rows();
    assert_eq!(refused(csv.serialize(&Vec::<Vec<f64>>::new()).unwrap_err()), "empty rows");
    assert_eq!(refused(csv.serialize(&Vec::<f64>::new()).unwrap_err()), "empty rows");
    assert_eq!(refused(csv.serialize(&[Vec::<f64>::new()]).unwrap_err()), "empty rows");
    assert_eq!(refused(csv.serialize(&Matrix::new(&[0.0; 0], 3).unwrap()).unwrap_err()), "empty rows");
    assert_eq!(refused(Csv::records().serialize(&Vec::<(f64,)>::new()).unwrap_err()), "empty rows");
}

#[test]
fn faults_name_line_and_column() {
    let csv = Csv::rows();
    assert_eq!(
        refused(csv.serialize(&[vec![1, 2], vec![3, 4], vec![5]]).unwrap_err()),
        "line 3 has 1 columns, line 1 has 2"
    );
    assert_eq!(refused(csv.serialize(&[vec![1], vec![]]).unwrap_err()), "line 2 has 0 columns, line 1 has 1");
    assert_eq!(refused(csv.serialize(&[[1.0, 2.0], [3.0, f64::NAN]]).unwrap_err()), "line 2, column 2 is NaN");
    assert!(
        refused(csv.serialize(&[Some(f32::NEG_INFINITY)]).unwrap_err()).starts_with("line 1, column 1 is infinite")
    );
    assert!(csv.nan_as_missing().serialize(&[f64::INFINITY]).is_err());
    // The line as an editor counts it, past the line break inside of a field.
    assert_eq!(refused(csv.serialize(&[("a\nb", 1.0), ("c", f64::NAN)]).unwrap_err()), "line 3, column 2 is NaN");
    assert_eq!(refused(Csv::records().serialize(&[(1, (2, f32::NAN))]).unwrap_err()), "line 1, column 3 is NaN");
}

#[test]
fn a_matrix_has_whole_rows() {
    for columns in [0, 2] {
        let error = Matrix::new(&[1.0, 2.0, 3.0], columns).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Colour {
    Red,
    Blue,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Point {
    name: String,
    at: (f64, f32),
    colour: Colour,
    count: Option<u64>,
    on: char,
}

#[test]
fn records_are_flattened() {
    let point = Point { name: "a,\"b".into(), at: (1e16, 0.1), colour: Colour::Blue, count: None, on: 'x' };
    assert_eq!(text(Csv::records(), &vec![point.clone()]), "\"a,\"\"b\",1e+16,0.1,Blue,,x");
    assert_eq!(text(Csv::records(), &[1.5, 2.5]), "1.5\n2.5");
}

#[test]
fn records_without_a_row_form_are_refused() {
    #[derive(Serialize)]
    enum Holds {
        Fields(u8, u8),
    }
    let map = std::collections::BTreeMap::from([("a", 1)]);
    assert!(refused(Csv::records().serialize(&[map]).unwrap_err()).starts_with("line 1: a map has no CSV form"));
    assert!(refused(Csv::records().serialize(&[Holds::Fields(1, 2)]).unwrap_err()).contains("`Fields`"));
}

fn floats(body: &'static str) -> crate::Result<Vec<f64>> {
    Csv::floats().deserialize(body.into(), &ContentType::CSV)
}

fn unreadable(error: Error) -> String {
    assert_eq!(error.kind(), ErrorKind::Deserialization);
    error.to_string().trim_start_matches("cannot deserialize: ").to_owned()
}

#[test]
fn floats_come_in_lines_and_in_columns() {
    for body in ["1,2,3", "1\n2\n3", "1,2\n3\n", "1\r\n2,3\r\n", " 1 , 2.0\n\n+3e0"] {
        assert_eq!(floats(body).unwrap(), [1.0, 2.0, 3.0], "{body:?}");
    }
    assert!(floats("").unwrap().is_empty());
    assert_eq!(unreadable(floats("1\n2,x").unwrap_err()), "line 2, column 2: \"x\" is not a number");
    assert_eq!(unreadable(floats("1,,2").unwrap_err()), "line 1, column 2: empty, expected a number");
}

#[test]
fn tables_are_rectangles() {
    let read = |body: &'static str| Csv::float_rows().deserialize(body.into(), &ContentType::CSV);
    assert_eq!(read("1,2\n3,4\n").unwrap(), [[1.0, 2.0], [3.0, 4.0]]);
    assert!(read("1,\n").unwrap()[0][1].is_nan());
    assert!(read("").unwrap().is_empty());
    assert_eq!(unreadable(read("1,2\n3\n").unwrap_err()), "line 2 has 1 columns, line 1 has 2");
}

#[test]
fn strings_keep_quoted_line_breaks() {
    let read = |body: &'static [u8]| Csv::strings().deserialize(body.into(), &ContentType::CSV);
    assert_eq!(read(b"\"a\nb\",2\r\n\r\nc\n").unwrap(), [vec!["a\nb", "2"], vec!["c"]]);
    assert_eq!(unreadable(read(b"a,b\nc,\xff").unwrap_err()), "line 2, column 2: not UTF-8 text");
}

#[test]
fn records_say_where_they_do_not_fit() {
    let read = |body: &'static str| Csv::records_of::<(u8, f64)>().deserialize(body.into(), &ContentType::CSV);
    assert_eq!(read("1,2.5\n3,4").unwrap(), [(1, 2.5), (3, 4.0)]);
    assert_eq!(unreadable(read("1,2\n3,x").unwrap_err()), "line 2, column 2: invalid float literal");
    assert_eq!(unreadable(read("1,2\n3").unwrap_err()), "line 2 has 1 columns, the first row has 2");
}

#[test]
fn the_declared_type_must_not_contradict() {
    let read = |content_type: &str| Csv::floats().deserialize("1".into(), &content_type.into());
    assert_eq!(read("text/csv; charset=utf-8").unwrap(), [1.0]);
    assert_eq!(read("application/octet-stream").unwrap(), [1.0]);
    assert!(unreadable(read("application/json").unwrap_err()).contains("application/json"));
    assert_eq!(Csv::floats().accept(), ContentType::CSV);
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |value| value.is_finite())
}

/// A table of one to five columns.
fn table<F: std::fmt::Debug + Clone + 'static>(
    field: impl Strategy<Value = F> + Clone + 'static,
) -> impl Strategy<Value = Vec<Vec<F>>> {
    (1_usize..6)
        .prop_flat_map(move |columns| prop::collection::vec(prop::collection::vec(field.clone(), columns), 1..6))
}

fn point() -> impl Strategy<Value = Point> {
    let colour = prop_oneof![Just(Colour::Red), Just(Colour::Blue)];
    (".*", finite(), -1e30_f32..1e30, colour, any::<Option<u64>>(), "[a-z]").prop_map(
        |(name, x, y, colour, count, on)| Point { name, at: (x, y), colour, count, on: on.chars().next().unwrap() },
    )
}

proptest! {
    #[test]
    fn numbers_come_back(rows in table(prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL)) {
        let body = Csv::rows().serialize(&rows).unwrap();
        prop_assert!(!body.ends_with(b"\n"));
        let flat = Csv::floats().deserialize(body.clone(), &ContentType::CSV).unwrap();
        prop_assert_eq!(flat, rows.concat());
        prop_assert_eq!(Csv::float_rows().deserialize(body, &ContentType::CSV).unwrap(), rows);
    }

    #[test]
    fn missing_numbers_come_back(rows in table(prop::option::of(-1e9..1e9))) {
        let body = Csv::rows().serialize(&rows).unwrap();
        let back = Csv::float_rows().deserialize(body, &ContentType::CSV).unwrap();
        let back: Vec<Vec<Option<f64>>> =
            back.into_iter().map(|row| row.into_iter().map(|v| (!v.is_nan()).then_some(v)).collect()).collect();
        prop_assert_eq!(back, rows);
    }

    #[test]
    fn text_comes_back(rows in table("[a-c,\"\r\n é]{0,6}")) {
        let body = Csv::rows().serialize(&rows).unwrap();
        prop_assert_eq!(Csv::strings().deserialize(body, &ContentType::CSV).unwrap(), rows);
    }

    #[test]
    fn records_come_back(points in prop::collection::vec(point(), 1..5)) {
        let body = Csv::records().serialize(&points).unwrap();
        prop_assert_eq!(Csv::records_of::<Point>().deserialize(body, &ContentType::CSV).unwrap(), points);
    }

    #[test]
    fn no_bytes_panic(body: Vec<u8>) {
        let body = Bytes::from(body);
        let _ = Csv::floats().deserialize(body.clone(), &ContentType::CSV);
        let _ = Csv::float_rows().deserialize(body.clone(), &ContentType::CSV);
        let _ = Csv::strings().deserialize(body.clone(), &ContentType::CSV);
        let _ = Csv::records_of::<(String, Option<f64>)>().deserialize(body, &ContentType::CSV);
    }
}
