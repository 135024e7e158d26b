//! Tests of the engine.

use super::KnnEngine;
use crate::local::engines::numeric::testing::{Job, ask, csv, json, load, normal_rows};

const ENGINE: KnnEngine = KnnEngine;

fn job(kind: &str) -> Job {
    Job::new(&[("feature_dim", "2"), ("k", "3"), ("predictor_type", kind), ("sample_size", "1000")])
}

const POINTS: &str = "0,0,0\n0,1,0\n0,0,1\n7,10,10\n7,11,10\n7,10,11\n";

#[test]
fn neighbours_vote_or_give_their_mean() {
    let classifier = job("classifier").csv("train", 1, POINTS).csv("test", 1, "0,0.5,0.5\n7,9,9\n7,0,0\n");
    let model = load(&ENGINE, classifier.train(&ENGINE));
    assert!((classifier.metric("test accuracy") - 2.0 / 3.0).abs() < 1e-9);
    assert_eq!(
        json(&*model, "0.2,0.2\n12,12\n"),
        serde_json::json!({"predictions": [{"predicted_label": 0.0}, {"predicted_label": 7.0}]})
    );
    let (_, body) = ask(&*model, "text/csv", "application/jsonlines; verbose=true", "0,0").unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert_eq!(text, "{\"predicted_label\": 0.0, \"distances\": [0.0, 1.0, 1.0], \"labels\": [0.0, 0.0, 0.0]}\n");

    let regressor = job("regressor").set("k", "2").csv("train", 1, "1,0,0\n3,1,0\n9,50,50\n").csv("test", 1, "3,0,0\n");
    let model = load(&ENGINE, regressor.train(&ENGINE));
    assert_eq!(regressor.metric("test mse"), 1.0);
    assert_eq!(json(&*model, "0,0")["predictions"][0]["predicted_label"], 2.0);
}

#[test]
fn metrics_order_differently() {
    let points = "1,1,0.1\n2,100,90\n3,0,5\n";
    for (metric, label) in [("L2", 1.0), ("INNER_PRODUCT", 2.0), ("COSINE", 1.0)] {
        let job = job("classifier").set("k", "1").set("index_metric", metric).csv("train", 1, points);
        let model = load(&ENGINE, job.train(&ENGINE));
        assert_eq!(json(&*model, "2,0")["predictions"][0]["predicted_label"], label, "{metric}");
    }
}

#[test]
fn projections_keep_neighbours() {
    let mut rows = normal_rows(1, 200, 64);
    let labels: Vec<f32> = (0..200u8).map(|at| f32::from(at % 2)).collect();
    rows.iter_mut().zip(&labels).for_each(|(row, label)| row[7] += 40.0 * label);
    for kind in ["sign", "fjlt"] {
        let job =
            Job::new(&[("feature_dim", "64"), ("k", "5"), ("predictor_type", "classifier"), ("sample_size", "150")])
                .set("dimension_reduction_type", kind)
                .set("dimension_reduction_target", "16")
                .set("index_type", "faiss.IVFFlat")
                .records("train", &rows, &labels)
                .csv("test", 1, &csv(&rows, &labels));
        let output = job.train(&ENGINE);
        assert!(job.metric("test accuracy") > 0.97, "{kind}: {}", job.metric("test accuracy"));
        // 150 points and the matrix, both 16 wide, and the labels.
        let length = output.model[0].1.len();
        assert!(length > 4 * (150 * 16 + 64 * 16 + 150) && length < 4 * (150 * 16 + 64 * 16 + 150) + 600, "{length}");
        load(&ENGINE, output);
    }
}

#[test]
fn what_cannot_be_trained_is_refused() {
    for (job, text) in [
        (job("classifier").set("dimension_reduction_type", "sign"), "'dimension_reduction_target'"),
        (
            job("classifier").set("dimension_reduction_type", "sign").set("dimension_reduction_target", "2"),
            "less than feature_dim (2)",
        ),
        (job("classifier").set("sample_size", "2"), "The number of sampled records (2) is less than k (3)"),
        (job("ranker"), "'classifier', 'regressor'"),
    ] {
        let refusal = job.csv("train", 1, POINTS).refusal(&ENGINE);
        assert!(refusal.contains(text), "{refusal}");
    }
    let refusal = job("classifier").csv("train", 1, "0.5,1,1\n").refusal(&ENGINE);
    assert!(refusal.contains("labels of a classifier must be integers"), "{refusal}");
}
