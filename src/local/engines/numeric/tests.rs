//! Tests of what the engines share.

use bytes::Bytes;
use proptest::prelude::*;

use super::answer::{self, Form, Value};
use super::artifact::Artifact;
use super::matrix::{MAX_SPARSE_COLUMNS, Matrix};
use super::parameters::{Parameters, Spec, between, choice, float, int, list};
use super::scores::{Confusion, roc_auc};
use super::{csv, linear_algebra, records, repository, request};
use crate::codec::recordio::{Record, RecordWriter, Tensor};
use crate::local::engines::Invocation;

const ALL: &[&str] = &["text/csv", "application/json", "application/jsonlines", "application/x-recordio-protobuf"];

fn read(content_type: &str, body: impl Into<Bytes>) -> Result<Vec<f32>, (u16, String)> {
    let request = Invocation { content_type: content_type.to_owned(), accept: "*/*".to_owned(), body: body.into() };
    let rows = request::rows(&request, 3, ALL).map_err(|failure| (failure.status, failure.message))?;
    Ok(rows.to_dense(1000).unwrap())
}

#[test]
fn requests_of_all_content_types_give_the_same_rows() {
    let expected = [1.0, 0.0, 2.5, 0.0, -3.0, 0.0];
    let sparse = r#"{"data":{"features":{"keys":[2,0],"shape":[3],"values":[2.5,1]}}}"#;
    let dense = r#"{"data":{"features":{"values":[0,-3,0]}}}"#;
    assert_eq!(read("text/csv", "1,0,2.5\r\n0,\"-3\",0\n").unwrap(), expected);
    assert_eq!(read("text/csv; charset=utf-8", "1,0,2.5\n\n0,-3,0").unwrap(), expected);
    let json = r#"{"instances":[{"features":[1,0,2.5]},{"features":[0,-3,0]}]}"#;
    assert_eq!(read("application/json", json).unwrap(), expected);
    assert_eq!(read("application/json", format!(r#"{{"instances":[{sparse},{dense}]}}"#)).unwrap(), expected);
    assert_eq!(read("application/jsonlines", format!("{sparse}\n{dense}\n")).unwrap(), expected);
    let mut writer = RecordWriter::new();
    let sparse = Tensor::sparse(3, vec![0, 2], vec![1.0f32, 2.5]);
    writer.record(&Record::default().with_feature("values", sparse)).unwrap();
    writer.rows(&[[0.0, -3.0, 0.0]]).unwrap();
    assert_eq!(read("application/x-recordio-protobuf", writer.finish()).unwrap(), expected);
}

#[test]
fn requests_that_are_wrong_are_refused() {
    for (content_type, body, status, text) in [
        ("image/png", "1,2,3", 415, "Content-Type 'image/png' is not supported"),
        ("", "1,2,3", 415, "Content-Type '' is not supported"),
        ("text/csv", "", 400, "it has no record"),
        ("text/csv", "1,2", 400, "line 1: a row has 2 features, 3 are expected"),
        ("text/csv", "1,2,3\n1,secret,3", 400, "line 2: a field is no number"),
        ("text/csv", "1,2,inf", 400, "line 1: a field is no number"),
        ("application/json", r#"{"instances":[{}]}"#, 400, "neither"),
        ("application/json", "{", 400, "no valid JSON"),
        ("application/json", r#"{"rows":[]}"#, 400, "not of the form"),
        (
            "application/json",
            r#"{"instances":[{"data":{"features":{"keys":[3],"shape":[3],"values":[1]}}}]}"#,
            400,
            "key 3 is out of range",
        ),
        (
            "application/json",
            r#"{"instances":[{"data":{"features":{"keys":[0,0],"shape":[3],"values":[1,2]}}}]}"#,
            400,
            "key 0 is given twice",
        ),
        (
            "application/json",
            r#"{"instances":[{"data":{"features":{"keys":[0],"shape":[3],"values":[1,2]}}}]}"#,
            400,
            "1 keys but 2 values",
        ),
        ("application/x-recordio-protobuf", "nonsense", 400, "record 0"),
    ] {
        let (found, message) = read(content_type, body).unwrap_err();
        assert!(found == status && message.contains(text), "{content_type} {body}: {found} {message}");
        assert!(!message.contains("secret"));
    }
}

#[test]
fn answers_have_the_forms_of_the_containers() {
    let predictions = [
        vec![("score", Value::Number(0.1)), ("predicted_label", Value::Whole(1.0))],
        vec![("score", Value::List(vec![1.0, 0.5])), ("predicted_label", Value::Whole(0.0))],
    ];
    let text =
        |form| String::from_utf8(answer::reply(form, "predictions", &predictions).unwrap().body.to_vec()).unwrap();
    // A float32 is printed as Python prints the double of the same value.
    let first = r#"{"score": 0.10000000149011612, "predicted_label": 1}"#;
    let second = r#"{"score": [1.0, 0.5], "predicted_label": 0}"#;
    assert_eq!(text(Form::Json), format!(r#"{{"predictions": [{first}, {second}]}}"#));
    assert_eq!(text(Form::JsonLines), format!("{first}\n{second}\n"));
    assert_eq!(text(Form::Csv), "0.10000000149011612,1\n1.0,0.5,0\n");
    let body = answer::reply(Form::RecordIo, "predictions", &predictions).unwrap().body;
    let frames: Vec<Record> =
        crate::codec::recordio::frames(body).map(|frame| Record::decode(frame.unwrap()).unwrap()).collect();
    assert_eq!(frames[1].vector("score").unwrap(), [1.0, 0.5]);
    assert_eq!(frames[0].scalar("predicted_label").unwrap(), 1.0);

    assert_eq!(answer::form("application/jsonlines;verbose=true", false), Ok((Form::JsonLines, true)));
    assert_eq!(answer::form("*/*", false), Ok((Form::Json, false)));
    assert_eq!(answer::form("text/csv", true), Ok((Form::Csv, false)));
    assert_eq!(answer::form("text/csv", false).unwrap_err().status, 406);
}

const SPECS: &[Spec] = &[
    int("k", 1, 10).required(),
    choice("mode", &["a", "b"]).or("a"),
    float("wd", 0.0, f64::INFINITY).or_auto(),
    between("rate", 0.0, 1.0),
    list("metrics", &["msd", "ssd"]),
];

fn parse(pairs: &[(&str, &str)]) -> Result<Parameters, String> {
    let wire = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Parameters::parse(&wire, SPECS).map_err(|failure| failure.to_string())
}

#[test]
fn hyperparameters_are_checked() {
    let given = parse(&[("k", "3"), ("metrics", r#"["ssd"]"#), ("_kvstore", "auto")]).unwrap();
    assert_eq!((given.count("k"), given.text("mode"), given.float("wd")), (Some(3), Some("a"), None));
    assert_eq!(given.list("metrics"), ["ssd"]);
    for (pairs, text) in [
        (
            &[][..],
            "No value(s) were specified for 'k' which are required hyperparameter(s) (caused by ValidationError)",
        ),
        (&[("k", "1"), ("z", "1")], "Additional hyperparameters are not allowed ('z' was unexpected)"),
        (
            &[("k", "11")],
            "The value '11' is not valid for the 'k' hyperparameter which expects an integer from 1 to 10",
        ),
        (&[("k", "1"), ("mode", "c")], "which expects one of the following: 'a', 'b'"),
        (&[("k", "1"), ("wd", "-1")], "which expects 'auto' or a number in [0, inf)"),
        (&[("k", "1"), ("rate", "1")], "which expects a number in (0, 1)"),
        (&[("k", "1"), ("rate", "nan")], "is not valid"),
        (&[("k", "1"), ("metrics", "msd")], "a JSON list of: 'msd', 'ssd'"),
    ] {
        let refusal = parse(pairs).unwrap_err();
        assert!(refusal.starts_with("ClientError: ") && refusal.contains(text), "{refusal}");
        assert!(refusal.ends_with(", exit code: 2"), "{refusal}");
    }
}

#[test]
fn eigenvectors_are_those_of_the_matrix() {
    let size = 12;
    let mut random = fastrand::Rng::with_seed(3);
    let half: Vec<f64> = (0..size * size).map(|_| random.f64() - 0.5).collect();
    let entry = |row: usize, column: usize| (0..size).map(|at| half[row * size + at] * half[column * size + at]).sum();
    let matrix: Vec<f64> = (0..size * size).map(|at| entry(at / size, at % size)).collect();
    let times = |vector: &Vec<f64>| -> Vec<f64> {
        matrix.chunks_exact(size).map(|line| linear_algebra::dot(line, vector)).collect()
    };
    let whole = linear_algebra::symmetric_eigen(matrix.clone(), size, &|| false);
    assert!(whole.values.windows(2).all(|pair| pair[0] >= pair[1]));
    let few = linear_algebra::subspace_eigen(|basis| basis.iter().map(times).collect(), size, 5, 200, &mut random);
    for found in [&whole, &few] {
        for (value, vector) in found.values.iter().zip(&found.vectors).take(3) {
            let off: f64 = times(vector).iter().zip(vector).map(|(image, entry)| (image - value * entry).abs()).sum();
            assert!(off < 1e-6, "{off}");
            assert!((linear_algebra::dot(vector, vector) - 1.0).abs() < 1e-9);
        }
    }
    assert!((whole.values[0] - few.values[0]).abs() < 1e-9);
}

#[test]
fn scores_are_those_of_their_definitions() {
    let table = Confusion { true_positive: 2.0, false_positive: 1.0, false_negative: 2.0, true_negative: 5.0 };
    assert_eq!((table.accuracy(), table.precision(), table.recall()), (0.7, 2.0 / 3.0, 0.5));
    assert!((table.f(1.0) - 4.0 / 7.0).abs() < 1e-12);
    assert_eq!(Confusion::default().f(1.0), 0.0);
    assert_eq!(roc_auc(&[(0.1, false), (0.4, false), (0.35, true), (0.8, true)]), 0.75);
    assert_eq!(roc_auc(&[(0.5, false), (0.5, true)]), 0.5);
}

#[test]
fn models_of_others_are_refused() {
    let file = Artifact::new("pca").setting("a", 1).array("v", &[2, 1], vec![1.0, 2.0]).encode().unwrap();
    assert!(Artifact::decode(&file).is_ok());
    assert!(Artifact::decode(&file[..file.len() - 1]).unwrap_err().contains("cut off"));
    assert!(Artifact::decode(&[&file[..], &[0]].concat()).unwrap_err().contains("1 bytes follow"));
    assert!(Artifact::decode(b"PK\x03\x04 a zip \n of MXNet").unwrap_err().contains("models of AWS are MXNet files"));
    assert_eq!(repository("174872318107.dkr.ecr.us-west-2.amazonaws.com/linear-learner@sha256:ab"), "linear-learner");
}

/// A few bytes must not ask for gigabytes.
#[test]
fn the_width_of_sparse_rows_is_bounded() {
    let mut rows = Matrix::new(None);
    let refused = rows.push_sparse(MAX_SPARSE_COLUMNS + 1, &[1], &[1.5]).unwrap_err();
    assert!(refused.contains("a row says that it has 16777217 features"), "{refused}");
    for _ in 0..5 {
        rows.push_sparse(MAX_SPARSE_COLUMNS, &[1], &[1.5]).unwrap();
    }
    let refused = rows.to_dense(usize::MAX).unwrap_err();
    assert!(refused.contains("too many to be held dense"), "{refused}");
    rows = rows.select(&[0]);
    assert_eq!(rows.to_dense(usize::MAX).unwrap().len(), MAX_SPARSE_COLUMNS);
}

proptest! {
    #[test]
    fn csv_is_read_as_it_was_written(rows in prop::collection::vec(prop::collection::vec(-1e6f32..1e6, 3), 1..20)) {
        let mut found = Matrix::new(None);
        csv::rows(super::testing::csv(&rows, &[]).as_bytes(), |row| found.push_dense(row)).unwrap();
        prop_assert_eq!(found.to_dense(1000).unwrap(), rows.concat());
    }

    #[test]
    fn any_bytes_are_safe(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for content_type in ALL {
            let _ = read(content_type, body.clone());
        }
        let _ = Artifact::decode(&body);
        let _ = records::rows(&Bytes::from(body), |_| {}, &mut Matrix::new(None));
    }

    #[test]
    fn models_are_read_as_they_were_written(values in prop::collection::vec(any::<f32>(), 0..50), text in ".{0,10}") {
        let file = Artifact::new("knn").setting("text", text).array("v", &[values.len()], values.clone()).encode().unwrap();
        let again = Artifact::decode(&file).unwrap().encode().unwrap();
        prop_assert_eq!(again, file);
    }

    #[test]
    fn sparse_rows_are_the_dense_ones(rows in prop::collection::vec(prop::collection::vec(prop::sample::select(vec![0.0f32, 1.5, -2.0]), 4), 1..10), weights in prop::collection::vec(-3.0f64..3.0, 4)) {
        let (mut dense, mut sparse) = (Matrix::new(None), Matrix::new(None));
        for (at, row) in rows.iter().enumerate() {
            dense.push_dense(row).unwrap();
            if at % 2 == 0 {
                let keys: Vec<u64> = (0..4).filter(|key| row[*key as usize] != 0.0).rev().collect();
                let values: Vec<f32> = keys.iter().map(|key| row[*key as usize]).collect();
                sparse.push_sparse(4, &keys, &values).unwrap();
            } else {
                sparse.push_dense(row).unwrap();
            }
        }
        prop_assert!(sparse.is_sparse() && !dense.is_sparse());
        prop_assert_eq!(sparse.to_dense(100).unwrap(), dense.to_dense(100).unwrap());
        prop_assert_eq!(sparse.select(&[0]).to_dense(100).unwrap(), dense.select(&[0]).to_dense(100).unwrap());
        for (one, other) in sparse.iter().zip(dense.iter()) {
            prop_assert!((one.dot(&weights) - other.dot(&weights)).abs() < 1e-9);
        }
    }
}
