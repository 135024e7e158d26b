//! The image's tag decides which release's defaults and metrics hold.

use super::*;

/// The model's bytes, the answer to two rows, and the log.
fn train(image: &str, settings: &[(&str, &str)], label: impl Fn(f64, f64, f64) -> f64) -> (Bytes, Vec<f64>, Job) {
    let all: Vec<(&str, &str)> = [("num_round", "3")].iter().chain(settings).copied().collect();
    let mut job = Job::new(&all, &[("train", &rows(200, 1, label))]);
    job.task.image = image.to_owned();
    let file = job.train().unwrap().model.remove(0).1;
    // Images before 1.3 answer in another form.
    let model = serve(&[("xgboost-model", &file)], NEWER, &[]).unwrap();
    let answer = ask(&model, "text/csv", "text/csv", "0.05,0.05,0.5\n0.95,0.9,0.2\n").unwrap();
    (file, answer.lines().map(|line| line.parse().unwrap()).collect(), job)
}

fn line(a: f64, b: f64, _: f64) -> f64 {
    5.0 + 4.0 * a + b
}

fn class(a: f64, b: f64, _: f64) -> f64 {
    f64::from(u8::from(a * b > 0.25))
}

fn number(a: f64, _: f64, _: f64) -> f64 {
    (1.0 + 8.0 * a).floor()
}

/// The expected numbers are those of Python's XGBoost 3.2 with `base_score=0.5, tree_method="exact"` and with neither.
#[test]
fn defaults_are_those_of_the_release() {
    let near = |found: &[f64], expected: [f64; 2]| {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 2e-6 * expected.max(1.0), "{found} {expected}");
        }
    };
    let regression = [("objective", "reg:squarederror")];
    near(&train(IMAGE, &regression, line).1, [4.132_468_7, 5.737_386_7]);
    near(&train(NEWER, &regression, line).1, [6.322_598_9, 8.702_911_4]);
    let binary = [("objective", "binary:logistic")];
    near(&train(IMAGE, &binary, class).1, [0.199_962_2, 0.797_297_4]);
    near(&train(NEWER, &binary, class).1, [0.181_689_7, 0.778_957_8]);
    let counts = [("objective", "count:poisson")];
    near(&train(IMAGE, &counts, number).1, [0.694_161_1, 0.938_805_3]);
    near(&train(NEWER, &counts, number).1, [3.138_651_8, 5.810_616_5]);
}

#[test]
fn what_the_job_says_wins_over_the_release() {
    let model = |image: &str, settings: &[(&str, &str)]| train(image, settings, line).0;
    let explicit = [("base_score", "0.5"), ("tree_method", "exact")];
    let auto = [("tree_method", "auto")];
    for old in ["r/sagemaker-xgboost:0.90-2", "r/sagemaker-xgboost:1.5-1", IMAGE, "r/xgboost:latest"] {
        assert_eq!(model(old, &[]), model(NEWER, &explicit), "{old}");
        assert_eq!(model(old, &auto), model(NEWER, &explicit), "{old}");
    }
    let other = [("base_score", "3"), ("tree_method", "hist"), ("max_bin", "16")];
    assert_eq!(model(IMAGE, &other), model(NEWER, &other));
    assert_ne!(model(IMAGE, &other), model(IMAGE, &[]));
    let updater = [("updater", "grow_histmaker"), ("base_score", "0.5")];
    assert_eq!(model(IMAGE, &updater[..1]), model(NEWER, &updater));
    // 1.7 estimates the intercept of this objective already.
    let median = [("objective", "reg:absoluteerror"), ("tree_method", "exact")];
    assert_eq!(model(IMAGE, &median), model(NEWER, &median));
    // `exact` passes over how leaves are chosen.
    assert_eq!(model(IMAGE, &[("grow_policy", "lossguide"), ("max_leaves", "4")]), model(IMAGE, &[]));
}

/// As Python's XGBoost 3.2 refuses them with `tree_method="exact"`.
#[test]
fn exact_refuses_what_it_cannot_do() {
    for (extra, words) in [
        (("max_depth", "0"), "exact tree method doesn't support unlimited depth"),
        (("colsample_bynode", "0.5"), "column sample by node is not yet supported by the exact tree method"),
    ] {
        let mut job = Job::new(&[("num_round", "2"), extra], &[("train", &rows(20, 1, line))]);
        assert!(job.refusal().contains(words));
        job.task.image = NEWER.to_owned();
        assert!(job.train().is_ok());
    }
}

/// The expected numbers are Python's, of predictions and of margins.
#[test]
fn metrics_see_margins_in_1_7_and_predictions_in_3_0() {
    let rmse = |image: &str, objective: &str, label: fn(f64, f64, f64) -> f64| {
        let settings = [
            ("objective", objective),
            ("eval_metric", "rmse,accuracy"),
            ("base_score", "0.5"),
            ("tree_method", "exact"),
        ];
        let job = train(image, &settings, label).2;
        let last = |name: &str| *job.values(name).last().unwrap();
        let warned = job.lines().iter().any(|line| line.contains("take every prediction above 0 for class 1"));
        (last("train-rmse"), last("train-accuracy"), warned)
    };
    let (value, accuracy, warned) = rmse(IMAGE, "binary:logistic", class);
    assert!((value - 1.000_21).abs() < 2e-5 && accuracy > 0.9 && !warned, "{value} {accuracy}");
    let (value, share, warned) = rmse(NEWER, "binary:logistic", class);
    let labels: Vec<bool> = rows(200, 1, class).lines().map(|row| row.starts_with('1')).collect();
    let positive = f64::from(u32::try_from(labels.iter().filter(|label| **label).count()).unwrap()) / 200.0;
    assert!((value - 0.231_16).abs() < 2e-5 && (share - positive).abs() < 1e-6 && warned, "{value} {share}");
    let (value, accuracy, _) = rmse("r/sagemaker-xgboost:1.0-1", "binary:logistic", class);
    assert!((value - 0.231_16).abs() < 2e-5 && accuracy > 0.9);
    assert!((rmse(IMAGE, "count:poisson", number).0 - 4.919_07).abs() < 2e-5);
    assert!((rmse(NEWER, "count:poisson", number).0 - 4.032_37).abs() < 2e-5);
}

#[test]
fn metrics_of_one_number_refuse_many_outputs() {
    let job = |image: &str, objective: &str, metric: &str| {
        let settings = [("num_round", "1"), ("num_class", "3"), ("objective", objective), ("eval_metric", metric)];
        let mut job = Job::new(&settings, &[("train", "0,1,2\n1,2,3\n2,3,4\n")]);
        job.task.image = image.to_owned();
        job
    };
    for metric in ["mae", "mse", "rmse", "r2", "merror,rmse"] {
        for (image, objective) in [(IMAGE, "multi:softprob"), (IMAGE, "multi:softmax"), (NEWER, "multi:softprob")] {
            let message = job(image, objective, metric).refusal();
            assert!(message.contains("y_true and y_pred have different number of output (1!=3)"), "{message}");
        }
        // Here the container sees the class, one number a row.
        assert!(job(NEWER, "multi:softmax", metric).train().is_ok());
    }
    assert!(job(IMAGE, "multi:softprob", "merror,accuracy,mlogloss").train().is_ok());
    let hinge = [("num_round", "1"), ("objective", "binary:hinge"), ("eval_metric", "mae")];
    assert!(Job::new(&hinge, &[("train", "0,1\n1,2\n")]).refusal().contains("metric mae for binary:hinge"));
}
