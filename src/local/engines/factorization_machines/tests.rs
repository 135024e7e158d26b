//! Tests of the engine.

use super::FactorizationMachinesEngine;
use crate::codec::recordio::{Record, RecordWriter, Tensor};
use crate::local::engines::numeric::testing::{Job, ask, load, normal_rows, records};

const ENGINE: FactorizationMachinesEngine = FactorizationMachinesEngine;

fn job(kind: &str) -> Job {
    Job::new(&[("feature_dim", "3"), ("num_factors", "4"), ("predictor_type", kind)])
        .set("epochs", "150")
        .set("mini_batch_size", "50")
        .set("linear_lr", "0.02")
        .set("factors_lr", "0.02")
        .set("factors_init_sigma", "0.1")
        .set("factors_wd", "0")
        .set("linear_wd", "0")
        .set("bias_wd", "0")
}

/// What no linear model learns: a product of features.
fn products(seed: u64, rows: usize) -> (Vec<Vec<f32>>, Vec<f32>) {
    let features = normal_rows(seed, rows, 3);
    let labels = features.iter().map(|row| 2.0 * row[0] * row[1] - row[1] * row[2] + 0.5).collect();
    (features, labels)
}

#[test]
fn interactions_are_learnt() {
    let (features, labels) = products(1, 400);
    let (test, test_labels) = products(2, 100);
    let job = job("regressor").records("train", &features, &labels).records("test", &test, &test_labels);
    let model = load(&ENGINE, job.train(&ENGINE));
    assert!(job.metric("test rmse") < 0.15, "{}", job.metric("test rmse"));
    let lines = job.lines();
    for text in ["epoch=0, batch=0 train rmse <loss>=", "epoch=149, train mse <loss>=", "test absolute_loss <loss>="] {
        assert!(lines.iter().any(|line| line.contains(&format!("#quality_metric: host=algo-1, {text}"))), "{text}");
    }
    let (_, body) = ask(&*model, "application/json", "*/*", r#"{"instances":[{"features":[1,1,0]}]}"#).unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert!((answer["predictions"][0]["score"].as_f64().unwrap() - 2.5).abs() < 0.3, "{answer}");
    assert_eq!(ask(&*model, "text/csv", "*/*", "1,1,0").unwrap_err().status, 415);
}

#[test]
fn a_classifier_learns_from_sparse_records() {
    let (features, labels) = products(3, 600);
    let labels: Vec<f32> = labels.iter().map(|label| f32::from(u8::from(*label > 0.5))).collect();
    let mut writer = RecordWriter::new();
    for (row, label) in features.iter().zip(&labels) {
        let sparse = Tensor::sparse(3, vec![0, 1, 2], row.clone());
        let record = Record::default().with_feature("values", sparse).with_label("values", Tensor::dense(vec![*label]));
        writer.record(&record).unwrap();
    }
    let job = job("binary_classifier").channel("train", "application/x-recordio-protobuf", writer.finish());
    let model = load(&ENGINE, job.train(&ENGINE));
    let last =
        job.lines().iter().rev().find(|line| line.contains("train binary_classification_accuracy")).cloned().unwrap();
    let accuracy: f64 = last.rsplit('=').next().unwrap().parse().unwrap();
    assert!(accuracy > 0.9, "{last}");
    let (_, body) = ask(
        &*model,
        "application/x-recordio-protobuf",
        "application/x-recordio-protobuf",
        records(&[vec![2.0, 2.0, 0.0]], &[]),
    )
    .unwrap();
    let frame = crate::codec::recordio::frames(body).next().unwrap().unwrap();
    let record = Record::decode(frame).unwrap();
    assert_eq!(record.scalar("predicted_label").unwrap(), 1.0);
    assert!(record.scalar("score").unwrap() > 0.5);
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let refusal = job("regressor").csv("train", 1, "1,2,3,4\n").refusal(&ENGINE);
    assert!(refusal.contains("'text/csv' is not one of ['application/x-recordio-protobuf']"), "{refusal}");
    let refusal = job("regressor").records("train", &[vec![1.0, 2.0]], &[1.0]).refusal(&ENGINE);
    assert!(refusal.contains("record 0: a row has 2 features, 3 are expected"), "{refusal}");
    let refusal = job("binary_classifier").records("train", &[vec![1.0, 2.0, 3.0]], &[3.0]).refusal(&ENGINE);
    assert!(refusal.contains("must be 0 or 1"), "{refusal}");
}
