//! Tests of the engine.

use super::KMeansEngine;
use crate::local::engines::numeric::testing::{Job, ask, csv, json, load, normal_rows};

const ENGINE: KMeansEngine = KMeansEngine;

/// Points around (0, 0), (20, 0), (0, 20) and (20, 20), in turn.
fn clusters(seed: u64, rows: usize) -> Vec<Vec<f32>> {
    let mut points = normal_rows(seed, rows, 2);
    for (at, point) in points.iter_mut().enumerate() {
        point[0] += if at % 2 == 1 { 20.0 } else { 0.0 };
        point[1] += if at % 4 >= 2 { 20.0 } else { 0.0 };
    }
    points
}

fn job() -> Job {
    Job::new(&[("k", "4"), ("feature_dim", "2"), ("force_dense", "True")])
}

#[test]
fn clusters_are_found() {
    let points = clusters(1, 400);
    for (init, batch) in [("random", "5000"), ("kmeans++", "50")] {
        let job = job()
            .set("init_method", init)
            .set("mini_batch_size", batch)
            .set("eval_metrics", r#"["msd","ssd"]"#)
            .records("train", &points, &[])
            .csv("test", 0, &csv(&clusters(2, 100), &[]));
        let output = job.train(&ENGINE);
        // Two dimensions with variance 1.
        let msd = job.metric("test msd");
        assert!((1.5..2.6).contains(&msd), "{init}: {msd}");
        assert!((job.metric("test ssd") - 100.0 * msd).abs() < 1e-6);
        assert!((1.7..2.3).contains(&job.metric("train msd")));
        let model = load(&ENGINE, output);
        let answer = json(&*model, "0,0\n20,0\n0,20\n20,20\n0,1\n");
        let of = |at: usize| answer["predictions"][at]["closest_cluster"].as_f64().unwrap();
        let mut found: Vec<i64> = (0..4).map(|at| of(at) as i64).collect();
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2, 3]);
        assert_eq!(of(0), of(4));
        let distance = answer["predictions"][4]["distance_to_cluster"].as_f64().unwrap();
        assert!((0.6..1.4).contains(&distance), "{distance}");
        let (content_type, body) = ask(&*model, "text/csv", "text/csv", "0,0").unwrap();
        assert_eq!(content_type, "text/csv; charset=utf-8");
        assert_eq!(body.split(|byte| *byte == b',').count(), 2);
    }
}

#[test]
fn old_data_is_forgotten_with_a_half_life() {
    let mut points = normal_rows(3, 1000, 1);
    points.iter_mut().skip(500).for_each(|point| point[0] += 100.0);
    let one = |half_life: &str| {
        let job =
            Job::new(&[("k", "1"), ("feature_dim", "1"), ("extra_center_factor", "1"), ("mini_batch_size", "50")]);
        let model =
            load(&ENGINE, job.set("half_life_time_size", half_life).records("train", &points, &[]).train(&ENGINE));
        json(&*model, "100")["predictions"][0]["distance_to_cluster"].as_f64().unwrap()
    };
    assert!((one("0") - 50.0).abs() < 1.0, "{}", one("0"));
    assert!(one("50") < 2.0, "{}", one("50"));
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let refused = |job: Job, text: &str| {
        let refusal = job.refusal(&ENGINE);
        assert!(refusal.contains(text), "{refusal}");
    };
    refused(job().csv("train", 0, "1,2\n"), "(1) is less than k (4)");
    refused(Job::new(&[("k", "4")]).csv("train", 0, "1,2\n"), "'feature_dim'");
    refused(job().csv("train", 0, "1,2,3\n"), "a row has 3 features, 2 are expected");
    refused(job().set("init_method", "best").csv("train", 0, "1,2\n"), "'init_method'");
}
