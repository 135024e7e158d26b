//! Channels, logs, early stopping, stopping, refusals.

use super::*;

const REGRESSION: [(&str, &str); 2] = [("num_round", "3"), ("objective", "reg:squarederror")];

fn line(a: f64, b: f64, _: f64) -> f64 {
    a + b
}

#[test]
fn the_log_is_that_of_the_container() {
    let job = Job::new(&REGRESSION, &[("train", &rows(50, 1, line)), ("validation", &rows(20, 2, line))]);
    let output = job.train().unwrap();
    let lines = job.lines();
    for expected in [
        "Determined delimiter of CSV input is ','",
        "Single node training.",
        "Train matrix has 50 rows and 3 columns",
        "Validation matrix has 20 rows",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected} in {lines:?}");
    }
    let rounds: Vec<&String> = lines.iter().filter(|line| line.starts_with('[')).collect();
    assert_eq!(rounds.len(), 3);
    let shape = regex_lite::Regex::new(r"^\[0\]\ttrain-rmse:\d+\.\d{5}\tvalidation-rmse:\d+\.\d{5}$").unwrap();
    assert!(shape.is_match(rounds[0]), "{}", rounds[0]);
    assert_eq!(output.model.len(), 1);
    assert_eq!(output.model[0].0, "xgboost-model");
    assert!(output.data.is_empty());
}

#[test]
fn files_are_concatenated_and_libsvm_is_the_default() {
    let mut job = Job::new(&REGRESSION, &[]);
    let files = [("part-0", "1 0:1 3:2\n0 1:1\n"), ("part-1", "1 0:2\n"), ("a/b/c/too-deep", "x")];
    job.task.channels = vec![channel("train", None, &files)];
    job.train().unwrap();
    assert!(job.lines().contains(&"Train matrix has 3 rows and 4 columns".to_owned()));
    assert!(job.lines().iter().any(|line| line.starts_with("a/b/c/too-deep is more than 3 folders deep")));

    let files = [("1.csv", "1;2;3\n"), ("2.csv", "4;;6\n7;8;9\n"), ("3.csv", "")];
    job.task.channels = vec![channel("train", Some("csv"), &files)];
    job.train().unwrap();
    assert!(job.lines().contains(&"Train matrix has 3 rows and 2 columns".to_owned()));
}

#[test]
fn early_stopping_keeps_the_best_round() {
    // Labels that no feature explains: the validation error grows as the training error falls.
    let noise = |a: f64, b: f64, c: f64| (a * 7919.0 + b * 104_729.0 + c * 1_299_709.0).fract();
    let settings = [
        ("num_round", "200"),
        ("objective", "reg:squarederror"),
        ("eval_metric", "mae,rmse"),
        ("early_stopping_rounds", "5"),
        ("eta", "0.5"),
    ];
    let job = Job::new(&settings, &[("train", &rows(200, 1, noise)), ("validation", &rows(100, 2, noise))]);
    let output = job.train().unwrap();
    let values = job.values("validation-rmse");
    let best = values.iter().enumerate().min_by(|left, right| left.1.total_cmp(right.1)).unwrap().0;
    assert_eq!(values.len(), best + 1 + 5, "{values:?}");

    let model = format::load(&output.model[0].1).unwrap().model;
    assert_eq!(model.num_boost_rounds(), best + 1);
    let text = String::from_utf8_lossy(&output.model[0].1).into_owned();
    assert!(text.contains("best_iteration") && text.contains("best_score"));
}

#[test]
fn early_stopping_needs_a_metric_and_validation_data() {
    let settings = [("num_round", "12"), ("objective", "reg:squarederror"), ("early_stopping_rounds", "1")];
    let constant = |_, _, _| 1.0;
    let job = Job::new(&settings, &[("train", &rows(30, 1, constant)), ("validation", &rows(30, 2, constant))]);
    job.train().unwrap();
    assert_eq!(job.values("validation-rmse").len(), 12);
    assert!(job.lines().iter().any(|line| line.contains("early_stopping_rounds has no effect")));
}

/// A job that is asked to stop after it looked so many times.
fn stopped_after(polls: usize, extra: &[(&str, &str)]) -> (Job, Result<TrainingOutput, EngineFailure>) {
    let settings: Vec<(&str, &str)> = [("num_round", "100"), REGRESSION[1]].iter().chain(extra).copied().collect();
    let mut job = Job::new(&settings, &[("train", &rows(50, 1, line))]);
    let count = AtomicUsize::new(0);
    job.task.stopping = Arc::new(move || count.fetch_add(1, Ordering::SeqCst) >= polls);
    let output = job.train();
    (job, output)
}

#[test]
fn a_stopped_job_keeps_the_model_so_far_only_if_told_to() {
    let keep = ("save_model_on_termination", "true");
    let output = stopped_after(4, &[keep]).1.unwrap();
    assert_eq!(format::load(&output.model[0].1).unwrap().model.num_boost_rounds(), 4);
    assert!(matches!(stopped_after(0, &[keep]).1, Err(EngineFailure::Stopped)));
    for settings in [&[][..], &[("save_model_on_termination", "false")]] {
        assert!(matches!(stopped_after(4, settings).1, Err(EngineFailure::Stopped)));
    }
}

#[test]
fn a_stop_between_metrics_ends_the_round_without_a_line() {
    // A look before the first round; three of three metrics and one after them in it; one metric in the second.
    let settings = [("eval_metric", "mae,mse,r2"), ("save_model_on_termination", "true")];
    let (job, output) = stopped_after(6, &settings);
    assert_eq!(format::load(&output.unwrap().model[0].1).unwrap().model.num_boost_rounds(), 2);
    assert_eq!(job.values("train-mae").len(), 1);
}

#[test]
fn data_is_refused_with_its_place() {
    let refusal = |settings: &[(&str, &str)], csv: &str| {
        let all: Vec<(&str, &str)> = [("num_round", "2")].iter().chain(settings).copied().collect();
        Job::new(&all, &[("train", csv)]).refusal()
    };
    assert!(
        refusal(&[], "label,a,b\n1,2,3\n")
            .contains("data.csv, line 1, column 1: 'label' is not a number; the line looks like a header")
    );
    assert!(refusal(&[], "1,2,3\n4,x,6\n").ends_with("channel train, data.csv, line 2, column 2: 'x' is not a number"));
    assert!(refusal(&[], "1,2,3\n4,5\n").contains("line 2, column 3: 2 columns where"));
    assert!(refusal(&[], "1,2\n,3\n").ends_with("too large. (channel train, data.csv, line 2)"));
    assert!(refusal(&[], "1\n2\n").contains("at least one feature"));
    assert!(refusal(&[], "\n\n").starts_with("Got input data without labels."));
    assert_eq!(refusal(&[], ""), "No data in training channel path /opt/ml/input/data/train");
    assert_eq!(
        refusal(&[("objective", "binary:logistic")], "1,2\n\n2,3\n"),
        "label must be in [0,1] for logistic regression (channel train, data.csv, line 3)"
    );
    let multi = [("objective", "multi:softmax"), ("num_class", "3")];
    for label in ["3", "-1", "0.5"] {
        let message = refusal(&multi, &format!("0,1\n{label},2\n"));
        assert!(message.starts_with("SoftmaxMultiClassObj: label must be in [0, num_class)."), "{message}");
        assert!(message.ends_with("line 2)"), "{message}");
    }
    let f1 = [("objective", "multi:softmax"), ("num_class", "3"), ("eval_metric", "f1_binary")];
    assert!(refusal(&f1, "0,1\n2,1\n").starts_with("Target is multiclass but average='binary'"));
}

#[test]
fn channels_are_refused_in_the_containers_words() {
    let refusal = |channels: Vec<Channel>| {
        let mut job = Job::new(&REGRESSION, &[]);
        job.task.channels = channels;
        job.refusal()
    };
    let csv = |name: &str| channel(name, Some("text/csv"), &[("f", "1,2\n2,3\n")]);
    assert_eq!(refusal(vec![csv("validation")]), "Missing required channel: train");
    assert_eq!(refusal(vec![csv("train"), csv("test")]), "Extraneous channel found: test");
    assert_eq!(
        refusal(vec![csv("train"), channel("validation", Some("text/csv"), &[])]),
        "No data in validation channel path /opt/ml/input/data/validation"
    );
    let declared = |name: &str| refusal(vec![channel("train", Some(name), &[("f", "1,2\n")])]);
    assert!(declared("text/csv; label_size=0").ends_with("Optional parameter label_size must be equal to 1"));
    assert!(
        declared("text/csv; label_size=1").starts_with("Channel configuration for 'train' channel is not supported")
    );
    assert!(declared("application/json").starts_with("application/json is not an accepted ContentType: csv, libsvm"));
    assert!(declared("application/x-parquet").contains("only the container on AWS reads"));
    let undeclared = refusal(vec![channel("train", None, &[("f.csv", "1,2,3\n")])]);
    assert!(undeclared.starts_with("First line '1,2,3'... of file 'f.csv' is not 'LIBSVM' format."), "{undeclared}");
    assert!(refusal(vec![channel("train", None, &[(".hidden", "1 0:1\n")])]).starts_with("Hidden file found"));
    let wide = channel("validation", Some("text/csv"), &[("f", "1,2,3\n")]);
    assert!(refusal(vec![csv("train"), wide]).contains("Number of columns does not match number of features"));
}

#[test]
fn what_the_engine_cannot_do_is_refused() {
    for (name, value) in [
        ("tree_method", "gpu_hist"),
        ("process_type", "update"),
        ("use_dask_gpu_training", "true"),
        ("updater", "grow_skmaker"),
    ] {
        let message = Job::new(&[("num_round", "2"), (name, value)], &[("train", "1,2\n2,3\n")]).refusal();
        assert!(message.starts_with("the local XGBoost engine does not support"), "{message}");
    }
}

#[test]
fn a_linear_booster_learns_a_line_and_is_served() {
    let data = rows(200, 9, |a, b, c| 3.0 * a - 2.0 * b + c + 1.0);
    let linear = |more: &[(&str, &str)], data: &str| {
        let settings: Vec<(&str, &str)> =
            [("num_round", "200"), ("booster", "gblinear")].iter().chain(more).copied().collect();
        let job = Job::new(&settings, &[("train", data)]);
        let output = job.train().unwrap();
        (job, output)
    };
    let (job, output) = linear(&[("max_depth", "3")], &data);
    assert!(job.values("train-rmse").last().is_some_and(|rmse| *rmse < 0.01), "{:?}", job.lines());
    assert!(job.lines().iter().any(|line| line == "WARNING: Parameters: { \"max_depth\" } are not used."));
    let model = serve(&[("xgboost-model", &output.model[0].1)], IMAGE, &[]).unwrap();
    let answer = ask(&model, "text/csv", "text/csv", "0.5,0.5,0.5\n1,0,0").unwrap();
    let answers: Vec<f64> = answer.lines().map(|line| line.trim().parse().unwrap()).collect();
    assert!((answers[0] - 2.0).abs() < 0.02 && (answers[1] - 4.0).abs() < 0.05, "{answers:?}");

    // Penalties are per row: twice the same rows change nothing.
    let penalty = [("lambda", "0.1"), ("alpha", "0.01")];
    let weights =
        |data: &str| format::load(&linear(&penalty, data).1.model[0].1).unwrap().model.linear().unwrap().clone();
    let (once, twice) = (weights(&data), weights(&format!("{data}{data}")));
    for (one, other) in once.weights().iter().zip(twice.weights()) {
        assert!((one - other).abs() < 1e-3 && *one != 3.0, "{one} {other}");
    }

    let classes = rows(200, 9, |a, b, _| f64::from(u8::from(a > b)));
    let (_, output) = linear(&[("objective", "multi:softprob"), ("num_class", "2")], &classes);
    let model = serve(&[("xgboost-model", &output.model[0].1)], NEWER, &[]).unwrap();
    let answer = ask(&model, "text/csv", "application/json", "0.9,0.1,0.5").unwrap();
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert!(answer["predictions"][0]["score"][1].as_f64().unwrap() > 0.8, "{answer}");
    let early = [
        ("num_round", "5"),
        ("booster", "gblinear"),
        ("objective", "reg:squarederror"),
        ("eval_metric", "rmse"),
        ("early_stopping_rounds", "2"),
    ];
    let refused = Job::new(&early, &[("train", &data), ("validation", &data)]).refusal();
    assert!(refused.contains("`save_best` is not applicable"), "{refused}");
}

#[test]
fn linear_models_of_python_are_read() {
    // As Booster.save_model("model.json") of XGBoost 1.7 writes one with two features.
    let model = br#"{"learner": {"attributes": {}, "feature_names": [], "feature_types": [],
        "gradient_booster": {"model": {"boosted_rounds": 3, "weights": [2E0, -1E0, 2.5E-1]}, "name": "gblinear"},
        "learner_model_param": {"base_score": "5E-1", "boost_from_average": "1", "num_class": "0", "num_feature": "2",
            "num_target": "1"},
        "objective": {"name": "reg:squarederror", "reg_loss_param": {"scale_pos_weight": "1"}}}, "version": [1, 7, 6]}"#;
    let served = serve(&[("xgboost-model", model)], IMAGE, &[]).unwrap();
    let answer = ask(&served, "text/csv", "text/csv", "1,2\n3,4").unwrap();
    let answers: Vec<f64> = answer.lines().map(|line| line.trim().parse().unwrap()).collect();
    assert_eq!(answers, [0.75, 2.75]);
    let broken = String::from_utf8_lossy(model).replace("2.5E-1", "1, 1");
    assert!(serve(&[("xgboost-model", broken.as_bytes())], IMAGE, &[]).err().unwrap().contains("4 weights"));
}

#[test]
fn cross_validation_trains_a_model_for_each_part() {
    let data = rows(90, 3, |a, b, _| f64::from(a + b > 1.0));
    let settings = [
        ("num_round", "4"),
        ("_kfold", "3"),
        ("_num_cv_round", "2"),
        ("objective", "binary:logistic"),
        ("max_depth", "3"),
    ];
    let job = Job::new(&settings, &[("train", &data)]);
    let output = job.train().unwrap();
    let names: Vec<&str> = output.model.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, (0..6).map(|number| format!("xgboost-model-{number}")).collect::<Vec<_>>());
    let lines = job.lines();
    let at = |text: &str| lines.iter().position(|line| line == text).unwrap_or_else(|| panic!("{text}: {lines:?}"));
    at("Run 2-round of 3-fold cross validation with 90 rows");
    assert_eq!(lines.iter().filter(|line| *line == "Train cross validation fold 3").count(), 2);
    let overall = &lines[at("The overall metrics of 2-round cross validation") + 1];
    let value = |line: &str, name: &str| -> f64 {
        line.split_once(&format!("\t{name}:")).unwrap().1.split('\t').next().unwrap().parse().unwrap()
    };
    let rounds: Vec<&String> =
        (1..=2).map(|round| &lines[at(&format!("The metrics of round {round} cross validation")) + 1]).collect();
    for name in ["train-logloss", "validation-logloss"] {
        let mean = rounds.iter().map(|line| value(line, name)).sum::<f64>() / 2.0;
        assert!(overall.starts_with("[4]\t") && (value(overall, name) - mean).abs() < 2e-5, "{overall}");
    }
    let predictions = String::from_utf8(output.data[0].1.to_vec()).unwrap();
    assert_eq!((output.data[0].0.as_str(), predictions.lines().count()), ("predictions.csv", 90));
    let right = predictions.lines().filter(|line| {
        let fields: Vec<f64> = line.split(',').map(|field| field.parse().unwrap()).collect();
        fields[0] == fields[2]
    });
    assert!(right.count() > 70, "{predictions}");
    // Several models answer with their mean.
    let files: Vec<(&str, &[u8])> = output.model.iter().map(|(name, file)| (name.as_str(), file.as_ref())).collect();
    let answer = ask(&serve(&files, IMAGE, &[]).unwrap(), "text/csv", "text/csv", "0.9,0.9,0.5").unwrap();
    assert!(answer.trim().parse::<f64>().unwrap() > 0.5, "{answer}");
}

#[test]
fn cross_validation_takes_both_channels_and_hears_a_stop() {
    let (train, validation) = (rows(20, 3, line), rows(10, 4, line));
    let settings = [("num_round", "2"), ("_kfold", "2")];
    let job = Job::new(&settings, &[("train", &train), ("validation", &validation)]);
    let output = job.train().unwrap();
    assert_eq!((output.model.len(), output.data[0].1.split(|byte| *byte == b'\n').count()), (2, 31));
    assert!(job.lines().contains(&"Run 1-round of 2-fold cross validation with 30 rows".to_owned()));
    let ranking = [("num_round", "2"), ("_kfold", "2"), ("objective", "rank:ndcg")];
    assert!(Job::new(&ranking, &[("train", &train)]).refusal().contains("does not divide queries"));
    let (job, stopped) = stopped_after(6, &[("_kfold", "2")]);
    assert_eq!(stopped.err(), Some(EngineFailure::Stopped), "{:?}", job.lines());
}

#[test]
fn records_train_as_csv_does() {
    let csv = rows(60, 5, line);
    let mut writer = crate::codec::recordio::RecordWriter::new();
    for row in csv.lines() {
        let numbers: Vec<f32> = row.split(',').map(|field| field.parse().unwrap()).collect();
        writer.labelled_rows(&[[numbers[1], numbers[2], numbers[3]]], &[numbers[0]]).unwrap();
    }
    let body = writer.finish();
    let mut job = Job::new(&[("num_round", "5")], &[("train", &csv)]);
    let of_csv = job.train().unwrap().model;
    job.task.channels[0].content_type = Some("application/x-recordio-protobuf".to_owned());
    job.task.channels[0].files = vec![("data.pbr".to_owned(), body.clone())];
    let of_records = job.train().unwrap().model;
    assert!(of_csv == of_records);
    let model = serve(&[("xgboost-model", &of_records[0].1)], IMAGE, &[]).unwrap();
    let answers = ask(&model, "application/x-recordio-protobuf", "text/csv", body.to_vec()).unwrap();
    let features: Vec<&str> = csv.lines().map(|row| row.split_once(',').unwrap().1).collect();
    assert_eq!(answers, ask(&model, "text/csv", "text/csv", features.join("\n")).unwrap());
    job.task.channels[0].files = vec![("data.pbr".to_owned(), Bytes::from("no records"))];
    assert!(
        job.refusal().starts_with("Failed to load recordio-protobuf data with exception:\nchannel train, data.pbr, ")
    );
}

#[test]
fn unused_hyperparameters_are_named_in_the_log() {
    let settings = [("num_round", "2"), ("rate_drop", "0.5"), ("tweedie_variance_power", "1.3"), ("nthread", "4")];
    let job = Job::new(&settings, &[("train", "1,2\n2,3\n")]);
    job.train().unwrap();
    let warning = "WARNING: Parameters: { \"rate_drop\", \"tweedie_variance_power\" } are not used.";
    assert!(job.lines().iter().any(|line| line == warning), "{:?}", job.lines());
}

/// Values around the edges of each hyperparameter's range, small enough to train with.
const EDGES: &[(&str, &[&str])] = &[
    (
        "objective",
        &[
            "reg:squarederror",
            "reg:linear",
            "reg:logistic",
            "reg:gamma",
            "reg:tweedie",
            "reg:squaredlogerror",
            "reg:absoluteerror",
            "reg:pseudohubererror",
            "binary:logistic",
            "binary:logitraw",
            "binary:hinge",
            "count:poisson",
            "multi:softmax",
            "multi:softprob",
            "rank:pairwise",
            "rank:ndcg",
            "rank:map",
            "survival:aft",
            "survival:cox",
            "aft_loss_distribution",
        ],
    ),
    ("num_class", &["2", "3"]),
    ("booster", &["gbtree", "dart"]),
    ("eta", &["0", "1e-300", "1"]),
    ("gamma", &["0", "1e300"]),
    ("max_depth", &["0", "1", "12"]),
    ("min_child_weight", &["0", "1e30"]),
    ("max_delta_step", &["0", "1e-30", "1e30"]),
    ("subsample", &["1e-9", "0.5", "1"]),
    ("colsample_bytree", &["1e-9", "1"]),
    ("colsample_bynode", &["1e-9", "0.5"]),
    ("lambda", &["0", "1e300"]),
    ("alpha", &["0", "1e300"]),
    ("tree_method", &["auto", "exact", "approx", "hist"]),
    ("scale_pos_weight", &["1e-300", "1e300"]),
    ("grow_policy", &["depthwise", "lossguide"]),
    ("max_leaves", &["0", "1", "2"]),
    ("max_bin", &["0", "1", "2", "70000"]),
    ("monotone_constraints", &["(1)", "(1,-1)", "(0,0,0,0)", "()"]),
    ("interaction_constraints", &["[[1]]", "[[]]", "[]", "[[9]]"]),
    ("rate_drop", &["0", "1"]),
    ("skip_drop", &["0", "1"]),
    ("base_score", &["0", "0.5", "1", "1e300"]),
    ("eval_metric", &["auc", "aucpr", "rmse,r2", "error@0.3", "f1", "map,ndcg@2", "gamma-deviance", "tweedie-nloglik"]),
    ("early_stopping_rounds", &["1"]),
    ("seed", &["-5", "0"]),
    ("num_parallel_tree", &["1", "3"]),
    ("sampling_method", &["uniform", "gradient_based"]),
    ("csv_weights", &["0", "1"]),
];

fn edges() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let one = (0..EDGES.len(), any::<proptest::sample::Index>())
        .prop_map(|(at, value)| (EDGES[at].0, *value.get(EDGES[at].1)));
    proptest::collection::vec(one, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_hyperparameters_are_trained_with_or_refused(
        settings in edges(),
        csv in "([01],[0-3],[0-9],[0-9]?\n){1,12}",
    ) {
        let settings: Vec<(&str, &str)> = [("num_round", "3")].into_iter().chain(settings).collect();
        let job = Job::new(&settings, &[("train", &csv), ("validation", "1,1,2,3\n0,2,,4\n")]);
        if let Ok(output) = job.train() {
            let model = serve(&[("xgboost-model", &output.model[0].1)], IMAGE, &[]);
            prop_assert!(model.is_ok(), "{:?}", model.err());
        }
    }

    #[test]
    fn any_bytes_are_trained_on_or_refused(
        csv in "[0-9.,;\\-ex \n]{0,80}",
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        libsvm in "([0-3](:[0-9])? (qid:[0-9] )?([0-9]:[0-9.]+ ?){0,3}\n){0,4}",
    ) {
        let mut job = Job::new(&[("num_round", "2"), ("objective", "reg:squarederror")], &[("train", &csv)]);
        let _ = job.train();
        for content_type in ["text/csv", "text/libsvm"] {
            let mut train = channel("train", Some(content_type), &[("f", &libsvm)]);
            job.task.channels = vec![train.clone()];
            let _ = job.train();
            train.files[0].1 = Bytes::from(bytes.clone());
            job.task.channels = vec![train];
            let _ = job.train();
        }
    }
}
