//! Tests of the engine.

use super::RandomCutForestEngine;
use crate::local::engines::numeric::testing::{Job, csv, json, load, normal_rows};

const ENGINE: RandomCutForestEngine = RandomCutForestEngine;

fn job() -> Job {
    Job::new(&[("feature_dim", "2"), ("num_trees", "50"), ("num_samples_per_tree", "128")])
}

#[test]
fn anomalies_score_high() {
    let rows = normal_rows(1, 1000, 2);
    let mut test = normal_rows(2, 95, 2);
    test.extend([[9.0, 0.0], [0.0, -9.0], [7.0, 7.0], [-8.0, 3.0], [20.0, 20.0]].map(|point| point.to_vec()));
    let labels: Vec<f32> = (0..100u8).map(|at| f32::from(u8::from(at >= 95))).collect();
    let job = job().csv("train", 0, &csv(&rows, &[])).csv("test", 1, &csv(&test, &labels));
    let output = job.train(&ENGINE);
    assert!(job.metric("test recall") >= 0.8, "{}", job.metric("test recall"));
    assert!(job.metric("test f1") > 0.5, "{}", job.metric("test f1"));
    assert!(job.metric("test accuracy") > 0.9);

    let again = output.clone();
    let answer = json(&*load(&ENGINE, output), "0,0\n9,9\n");
    let score = |at: usize| answer["scores"][at]["score"].as_f64().unwrap();
    assert!((0.4..1.3).contains(&score(0)) && score(1) > 2.0 * score(0), "{answer}");
    assert_eq!(json(&*load(&ENGINE, again), "0,0\n9,9\n"), answer);
}

#[test]
fn what_cannot_be_trained_is_refused() {
    for (job, text) in [
        (job().csv("train", 1, "1,2,3\n"), "text/csv;label_size=0"),
        (job().set("num_trees", "10").csv("train", 0, "1,2\n"), "an integer from 50 to 1000"),
        (job().csv("train", 0, "1,2\n").csv("test", 0, "1,2\n"), "text/csv;label_size=1"),
    ] {
        let refusal = job.refusal(&ENGINE);
        assert!(refusal.contains(text), "{refusal}");
    }
}
