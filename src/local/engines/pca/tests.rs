//! Tests of the engine.

use super::PcaEngine;
use crate::local::engines::numeric::testing::{Job, ask, csv, json, load, normal_rows};

const ENGINE: PcaEngine = PcaEngine;

/// Spread 5 along (3, 4) / 5 and 1 across, in four dimensions of which two are almost still; around (10, 20, 0, 0).
fn points(seed: u64, rows: usize) -> Vec<Vec<f32>> {
    let turn = |row: Vec<f32>| {
        let (along, across) = (5.0 * row[0], row[1]);
        vec![10.0 + 0.6 * along - 0.8 * across, 20.0 + 0.8 * along + 0.6 * across, 0.01 * row[2], 0.01 * row[3]]
    };
    normal_rows(seed, rows, 4).into_iter().map(turn).collect()
}

fn job() -> Job {
    Job::new(&[("feature_dim", "4"), ("num_components", "2"), ("mini_batch_size", "100")])
}

#[test]
fn components_are_found_in_both_modes_the_largest_last() {
    let rows = points(1, 500);
    for mode in ["regular", "randomized"] {
        let job = job().set("algorithm_mode", mode).records("train", &rows, &[]);
        let model = load(&ENGINE, job.train(&ENGINE));
        let answer = json(&*model, "13,24,0,0\n10,20,0,0\n");
        let at = |row: usize, component: usize| answer["projections"][row]["projection"][component].as_f64().unwrap();
        // From the mean 5 along the largest component, and nothing across.
        assert!((at(0, 1) - at(1, 1) - 5.0).abs() < 0.05, "{mode}: {answer}");
        assert!((at(0, 0) - at(1, 0)).abs() < 0.3, "{mode}: {answer}");
        assert!(at(1, 1).abs() < 0.6, "{mode}: {answer}");
        assert_eq!(answer["projections"][0]["projection"].as_array().unwrap().len(), 2);
    }
    let job = job().set("subtract_mean", "false").csv("train", 0, &csv(&rows, &[]));
    let model = load(&ENGINE, job.train(&ENGINE));
    let (_, body) = ask(&*model, "text/csv", "application/jsonlines", "0,0,0,0").unwrap();
    assert_eq!(body, "{\"projection\": [0.0, 0.0]}\n");
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let refusal = job().set("num_components", "5").csv("train", 0, "1,2,3,4\n").refusal(&ENGINE);
    assert!(refusal.contains("num_components (5) must not be greater than feature_dim (4)"), "{refusal}");
    let refusal =
        Job::new(&[("feature_dim", "4"), ("num_components", "2")]).csv("train", 0, "1,2,3,4\n").refusal(&ENGINE);
    assert!(refusal.contains("No value(s) were specified for 'mini_batch_size'"), "{refusal}");
}
