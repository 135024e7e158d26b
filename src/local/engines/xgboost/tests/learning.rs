//! What is learned is better than what can be guessed.

use super::*;

const SETTINGS: [(&str, &str); 3] = [("num_round", "40"), ("eta", "0.2"), ("max_depth", "4")];

fn learn(objective: &[(&str, &str)], label: impl Fn(f64, f64, f64) -> f64 + Copy) -> Job {
    let settings: Vec<(&str, &str)> = SETTINGS.iter().chain(objective).copied().collect();
    let mut job = Job::new(&settings, &[("train", &rows(600, 1, label)), ("validation", &rows(200, 2, label))]);
    // The container's metrics see margins in 1.x, in which a count or a gamma value cannot be recognised.
    let margins = ["count:poisson", "reg:gamma", "reg:tweedie"].contains(&objective[0].1);
    if margins {
        job.task.image = NEWER.to_owned();
    }
    job.train().unwrap();
    job
}

#[test]
fn a_regression_beats_the_mean() {
    let label = |a: f64, b: f64, _| 10.0 * a + 5.0 * (6.0 * b).sin();
    let job = learn(&[("objective", "reg:squarederror"), ("eval_metric", "rmse,r2,mae")], label);
    assert!(job.values("validation-rmse").last().unwrap() < &0.8, "{:?}", job.values("validation-rmse"));
    // The mean has an R2 of 0.
    assert!(job.values("validation-r2").last().unwrap() > &0.95);
    assert_eq!(job.values("train-mae").len(), 40);
}

#[test]
fn a_binary_classifier_beats_the_larger_class() {
    let label = |a: f64, b: f64, _| f64::from(u8::from(a * b > 0.25));
    let job = learn(&[("objective", "binary:logistic"), ("eval_metric", "logloss,auc,error,accuracy")], label);
    assert!(job.values("validation-auc").last().unwrap() > &0.97);
    assert!(job.values("validation-accuracy").last().unwrap() > &0.9);
    let (error, accuracy) = (job.values("validation-error"), job.values("validation-accuracy"));
    for (error, accuracy) in error.iter().zip(accuracy) {
        assert!((error + accuracy - 1.0).abs() < 2e-5);
    }
}

#[test]
fn a_multiclass_classifier_beats_the_largest_class() {
    let label = |a: f64, b: f64, _| (a * 2.0).floor() + (b * 2.0).floor();
    let metrics = ("eval_metric", "merror,mlogloss,f1_macro");
    let job = learn(&[("objective", "multi:softprob"), ("num_class", "3"), metrics], label);
    assert!(job.values("validation-merror").last().unwrap() < &0.05);
    assert!(job.values("validation-f1_macro").last().unwrap() > &0.95);
}

#[test]
fn a_count_model_beats_the_mean() {
    let label = |a: f64, _, _| (1.0 + 8.0 * a).floor();
    let job = learn(&[("objective", "count:poisson"), ("eval_metric", "rmse")], label);
    // The labels' deviation is 2.3; XGBoost's default metric is shown before the container's.
    assert!(job.values("validation-rmse").last().unwrap() < &0.6, "{:?}", job.values("validation-rmse"));
    assert_eq!(job.values("validation-poisson-nloglik").len(), 40);
}

#[test]
fn other_objectives_and_boosters_learn() {
    let positive = |a: f64, b: f64, _| 1.0 + 3.0 * a + b;
    for objective in ["reg:gamma", "reg:tweedie", "reg:squaredlogerror", "reg:absoluteerror"] {
        let job = learn(&[("objective", objective), ("eval_metric", "r2")], positive);
        assert!(job.values("validation-r2").last().unwrap() > &0.8, "{objective}");
    }
    // Far from the label the pseudo-Huber loss is almost straight, and its steps run away (in Python's XGBoost as well).
    let near = |a: f64, b: f64, c: f64| positive(a, b, c) / 10.0;
    let job = learn(&[("objective", "reg:pseudohubererror"), ("eval_metric", "r2")], near);
    assert!(job.values("validation-r2").last().unwrap() > &0.8);
    for extra in [
        &[("booster", "dart"), ("rate_drop", "0.1"), ("one_drop", "1")][..],
        &[("tree_method", "exact"), ("monotone_constraints", "(1,1,0)")],
        &[("tree_method", "approx"), ("colsample_bynode", "0.7"), ("num_parallel_tree", "2")],
        &[("grow_policy", "lossguide"), ("max_leaves", "8"), ("max_depth", "0"), ("tree_method", "hist")],
        &[("updater", "grow_histmaker,prune"), ("subsample", "0.5"), ("seed", "-3"), ("max_bin", "32")],
    ] {
        let settings: Vec<(&str, &str)> =
            [("objective", "reg:squarederror"), ("eval_metric", "r2")].iter().chain(extra).copied().collect();
        let job = learn(&settings, positive);
        assert!(job.values("validation-r2").last().unwrap() > &0.8, "{extra:?}");
    }
}

#[test]
fn ranking_learns_within_queries() {
    let lines = |seed: u64| -> String {
        let csv = rows(300, seed, |a, _, _| (4.0 * a).floor());
        let line = |(index, line): (usize, &str)| {
            let fields: Vec<&str> = line.split(',').collect();
            format!("{} qid:{} 0:{} 1:{}\n", fields[0], index / 10, fields[1], fields[2])
        };
        csv.lines().enumerate().map(line).collect()
    };
    for objective in ["rank:pairwise", "rank:ndcg"] {
        let mut job = Job::new(&[("num_round", "20"), ("objective", objective), ("eval_metric", "ndcg@5")], &[]);
        job.task.channels = vec![
            channel("train", Some("text/libsvm"), &[("a", &lines(1))]),
            channel("validation", Some("text/libsvm"), &[("b", &lines(2))]),
        ];
        job.train().unwrap();
        assert!(job.values("validation-ndcg@5").last().unwrap() > &0.95, "{objective}");
    }
}

#[test]
fn weights_count() {
    // The same rows with label 0 and 10: the weights decide where the prediction lies.
    let csv = "0,3,1,1\n10,1,1,1\n".repeat(50);
    let job = Job::new(&[("num_round", "50"), ("csv_weights", "1")], &[("train", &csv)]);
    let output = job.train().unwrap();
    assert!(job.lines().contains(&"Train matrix has 100 rows and 2 columns".to_owned()));
    let model = serve(&[("xgboost-model", &output.model[0].1)], IMAGE, &[]).unwrap();
    let prediction: f64 = ask(&model, "text/csv", "*/*", "1,1").unwrap().trim().parse().unwrap();
    assert!((prediction - 2.5).abs() < 0.1, "{prediction}");
}
