//! Tests of the engine: it learns, logs, serves and refuses.

use super::LinearLearnerEngine;
use crate::local::engines::numeric::testing::{Job, ask, csv, json, load, normal_rows};
use crate::local::engines::{Engine, ModelFiles};

const ENGINE: LinearLearnerEngine = LinearLearnerEngine;

/// Labels `3 x0 - 2 x1 + 10`, with features of very different size.
fn regression(seed: u64, rows: usize) -> (Vec<Vec<f32>>, Vec<f32>) {
    let mut features = normal_rows(seed, rows, 2);
    features.iter_mut().for_each(|row| row[1] = row[1] * 100.0 + 500.0);
    let labels = features.iter().map(|row| 3.0 * row[0] - 0.02 * row[1] + 20.0).collect();
    (features, labels)
}

fn regressor() -> Job {
    Job::new(&[("predictor_type", "regressor"), ("mini_batch_size", "20"), ("num_models", "8"), ("epochs", "40")])
}

#[test]
fn a_regression_is_learnt_and_served_in_every_form() {
    let (features, labels) = regression(1, 300);
    let (test, test_labels) = regression(2, 50);
    let job = regressor().csv("train", 1, &csv(&features, &labels)).records("validation", &test, &test_labels).csv(
        "test",
        1,
        &csv(&test, &test_labels),
    );
    let output = job.train(&ENGINE);
    assert!(job.metric("test rmse") < 0.1, "{}", job.metric("test rmse"));
    assert!(job.metric("validation r2") > 0.99);
    assert!(job.metric("train mse_objective") < 0.01);
    let lines = job.lines();
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(has("#quality_metric: host=algo-1, epoch=0, train mse_objective <loss>="));
    assert!(has("#quality_metric: host=algo-1, epoch=0, validation mse_objective <loss>="));
    assert!(has("#progress_metric: host=algo-1, completed 2.5 % of epochs"));
    assert!(has("[01/01/1970 00:00:00 INFO "));
    assert!(has("#metrics {"));

    let model = load(&ENGINE, output);
    let answer = json(&*model, "1,500\n0,400\n");
    let scores: Vec<f64> =
        answer["predictions"].as_array().unwrap().iter().map(|one| one["score"].as_f64().unwrap()).collect();
    assert!((scores[0] - 13.0).abs() < 0.2 && (scores[1] - 12.0).abs() < 0.2, "{scores:?}");
    assert!(answer["predictions"][0].get("predicted_label").is_none());
    assert_eq!(ask(&*model, "text/csv", "text/csv", "1,2").unwrap_err().status, 406);
    assert_eq!(ask(&*model, "text/csv", "*/*", "1,2,3").unwrap_err().status, 400);
}

#[test]
fn every_loss_of_a_regression_learns() {
    let (features, labels) = regression(3, 200);
    for loss in [
        "absolute_loss",
        "eps_insensitive_squared_loss",
        "eps_insensitive_absolute_loss",
        "quantile_loss",
        "huber_loss",
    ] {
        let job = regressor().set("loss", loss).records("train", &features, &labels);
        job.train(&ENGINE);
        assert!(job.metric("train r2") > 0.97, "{loss}: {}", job.metric("train r2"));
    }
    for optimizer in ["sgd", "rmsprop"] {
        let job =
            regressor().set("optimizer", optimizer).set("learning_rate", "0.01").records("train", &features, &labels);
        job.train(&ENGINE);
        assert!(job.metric("train r2") > 0.97, "{optimizer}: {}", job.metric("train r2"));
    }
}

fn classes(seed: u64, rows: usize, count: usize) -> (Vec<Vec<f32>>, Vec<f32>) {
    let features = normal_rows(seed, rows, 2);
    let label = |row: &Vec<f32>| {
        let angle = f64::from(row[1]).atan2(f64::from(row[0])) / std::f64::consts::TAU + 0.5;
        ((angle * count as f64) as usize).min(count - 1) as f32
    };
    let labels = features.iter().map(label).collect();
    (features, labels)
}

#[test]
fn a_binary_classifier_learns_and_aims_at_its_target() {
    let (features, labels) = classes(5, 400, 2);
    let binary =
        || Job::new(&[("predictor_type", "binary_classifier"), ("mini_batch_size", "50"), ("num_models", "4")]);
    for loss in ["logistic", "hinge_loss"] {
        let job = binary().set("loss", loss).records("train", &features, &labels);
        let model = load(&ENGINE, job.train(&ENGINE));
        assert!(job.metric("train binary_classification_accuracy") > 0.95, "{loss}");
        assert!(job.metric("train roc_auc_score") > 0.98, "{loss}");
        let answer = json(&*model, csv(&[vec![0.3, 2.0]], &[]));
        assert_eq!(answer["predictions"][0]["predicted_label"], 1);
        assert!(answer["predictions"][0]["score"].is_f64());
    }
    let noisy: Vec<f32> =
        labels.iter().enumerate().map(|(at, label)| if at % 5 == 0 { 1.0 - label } else { *label }).collect();
    let job = binary()
        .set("binary_classifier_model_selection_criteria", "precision_at_target_recall")
        .set("target_recall", "0.95")
        .records("train", &features, &noisy);
    job.train(&ENGINE);
    assert!(job.metric("train recall") >= 0.95, "{}", job.metric("train recall"));
    let weighted = binary().set("positive_example_weight_mult", "balanced").records("train", &features, &noisy);
    weighted.train(&ENGINE);
}

#[test]
fn a_multiclass_classifier_learns() {
    let (features, labels) = classes(6, 600, 3);
    let job = Job::new(&[("predictor_type", "multiclass_classifier"), ("num_classes", "3")])
        .set("mini_batch_size", "50")
        .set("num_models", "4")
        .records("train", &features, &labels);
    let model = load(&ENGINE, job.train(&ENGINE));
    assert!(job.metric("train multiclass_accuracy") > 0.9, "{}", job.metric("train multiclass_accuracy"));
    assert_eq!(job.metric("train multiclass_top_k_accuracy_3"), 1.0);
    let answer = json(&*model, "0,-2");
    let scores = answer["predictions"][0]["score"].as_array().unwrap();
    let total: f64 = scores.iter().map(|score| score.as_f64().unwrap()).sum();
    assert!(scores.len() == 3 && (total - 1.0).abs() < 1e-6);
    assert!(answer["predictions"][0]["predicted_label"].is_u64());
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let rows = "1,2,3\n0,1,2\n";
    let regressor = || Job::new(&[("predictor_type", "regressor")]);
    let multiclass = Job::new(&[("predictor_type", "multiclass_classifier")]);
    for (job, text) in [
        (Job::new(&[]).csv("train", 1, rows), "No value(s) were specified for 'predictor_type'"),
        (multiclass.csv("train", 1, rows), "'num_classes'"),
        (
            regressor().set("loss", "logistic").csv("train", 1, rows),
            "'loss' hyperparameter when 'predictor_type' is 'regressor'",
        ),
        (regressor(), "Caused by: 'train' is a required property"),
        (regressor().csv("train", 1, rows).csv("extra", 1, rows), "('extra' was unexpected)"),
        (regressor().channel("train", "image/png", "x".into()), "'image/png' is not one of"),
        (regressor().set("feature_dim", "3").csv("train", 1, rows), "a row has 2 features, 3 are expected"),
        (regressor().csv("train", 0, rows), "Channel 'train' has no labels"),
        (regressor().csv("train", 1, ""), "Channel 'train' is empty"),
        (
            regressor().csv("train", 1, "a,b\n1,2\n"),
            "Unable to read data channel 'train'. Requested content-type is 'text/csv'",
        ),
        (
            regressor().channel("train", "", "no records".into()),
            "Requested content-type is 'application/x-recordio-protobuf'",
        ),
        (
            Job::new(&[("predictor_type", "binary_classifier")]).csv("train", 1, "2,1\n"),
            "labels of a binary_classifier must be 0 or 1",
        ),
    ] {
        let refusal = job.refusal(&ENGINE);
        assert!(refusal.contains(text), "{refusal}");
    }
}

#[test]
fn models_that_are_no_models_are_refused() {
    let failure = ENGINE.load(&ModelFiles::default()).err().unwrap().to_string();
    assert!(failure.contains("Unable to load model: the model archive holds no file model_algo-1"), "{failure}");
    let files = vec![("model_algo-1".to_owned(), "PK".into())];
    assert!(ENGINE.load(&ModelFiles { files, ..ModelFiles::default() }).is_err());
}
