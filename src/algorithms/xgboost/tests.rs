use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;
use crate::types::Compute;

fn base() -> Hyperparameters {
    Hyperparameters::new(Objective::RegSquaredError, 100)
}

/// The names, without their prefix, of what is refused.
fn refused(hyperparameters: &Hyperparameters) -> Vec<String> {
    let mut problems = Problems::default();
    hyperparameters.validate(&mut problems);
    match problems.into_result() {
        Ok(()) => Vec::new(),
        Err(error) => error
            .invalid_values()
            .iter()
            .map(|value| value.field.strip_prefix("hyperparameters.").unwrap().to_owned())
            .collect(),
    }
}

fn messages(hyperparameters: &Hyperparameters) -> String {
    let mut problems = Problems::default();
    hyperparameters.validate(&mut problems);
    problems.into_result().map_or_else(|error| error.to_string(), |()| String::new())
}

#[track_caller]
fn accepts(hyperparameters: Hyperparameters) {
    assert_eq!(messages(&hyperparameters), "", "{hyperparameters:?}");
}

#[track_caller]
fn refuses(name: &str, hyperparameters: Hyperparameters) {
    assert_eq!(refused(&hyperparameters), [name], "{hyperparameters:?}");
}

#[test]
fn the_parity_example_is_sent_as_python_sends_it() {
    let xgboost = XGBoost::builder(Objective::BinaryLogistic, 100)
        .max_depth(5)
        .eta(0.2)
        .gamma(4.0)
        .min_child_weight(6.0)
        .subsample(0.8)
        .compute(Compute::instances("ml.m5.xlarge", 1))
        .build()
        .unwrap();
    let expected = [
        ("eta", "0.2"),
        ("gamma", "4"),
        ("max_depth", "5"),
        ("min_child_weight", "6"),
        ("num_round", "100"),
        ("objective", "binary:logistic"),
        ("subsample", "0.8"),
    ];
    let expected: BTreeMap<String, String> =
        expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(xgboost.hyperparameters().to_wire(), expected);
}

#[test]
fn numbers_are_kept_within_their_ends() {
    type Setter = fn(Hyperparameters, f64) -> Hyperparameters;
    /// What is accepted, what is refused.
    type Values = (&'static [f64], &'static [f64]);
    const TINY: f64 = 1e-9;
    let dart: Setter = |set, _| set.booster(Booster::Dart);
    let aft: Setter = |set, _| set.hyperparameter("objective", "survival:aft");
    let tweedie: Setter = |set, _| set.hyperparameter("objective", "reg:tweedie");
    let linear: Setter = |set, _| set.booster(Booster::GbLinear);
    let plain: Setter = |set, _| set;

    let share: Values = (&[TINY, 0.5, 1.0], &[0.0, -TINY, 1.0 + TINY]);
    let probability: Values = (&[0.0, 0.5, 1.0], &[-TINY, 1.0 + TINY]);
    let from_zero: Values = (&[0.0, 1.5, 1e9], &[-TINY, -1.0]);
    let cases: [(&str, Setter, Setter, Values); 19] = [
        ("aft_loss_distribution_scale", aft, Hyperparameters::aft_loss_distribution_scale, from_zero),
        ("alpha", plain, Hyperparameters::alpha, from_zero),
        ("base_score", plain, Hyperparameters::base_score, from_zero),
        ("colsample_bylevel", plain, Hyperparameters::colsample_bylevel, share),
        ("colsample_bynode", plain, Hyperparameters::colsample_bynode, share),
        ("colsample_bytree", plain, Hyperparameters::colsample_bytree, share),
        ("eta", plain, Hyperparameters::eta, probability),
        ("gamma", plain, Hyperparameters::gamma, from_zero),
        ("lambda", plain, Hyperparameters::lambda, from_zero),
        ("lambda_bias", linear, Hyperparameters::lambda_bias, probability),
        ("max_delta_step", plain, Hyperparameters::max_delta_step, from_zero),
        ("min_child_weight", plain, Hyperparameters::min_child_weight, from_zero),
        ("rate_drop", dart, Hyperparameters::rate_drop, probability),
        ("scale_pos_weight", plain, Hyperparameters::scale_pos_weight, (&[TINY, 1e9], &[0.0, -1.0])),
        ("sketch_eps", plain, Hyperparameters::sketch_eps, (&[TINY, 1.0 - TINY], &[0.0, 1.0, 2.0])),
        ("skip_drop", dart, Hyperparameters::skip_drop, probability),
        ("subsample", plain, Hyperparameters::subsample, share),
        (
            "tweedie_variance_power",
            tweedie,
            Hyperparameters::tweedie_variance_power,
            (&[1.0 + TINY, 1.5, 2.0 - TINY], &[1.0, 2.0, 0.0, 3.0]),
        ),
        ("learning_rate", plain, |set, value| set.hyperparameter("learning_rate", value), probability),
    ];
    for (name, context, set, (good, bad)) in cases {
        let name = if name == "learning_rate" { "eta" } else { name };
        for value in good {
            let set = set(context(base(), 0.0), *value);
            assert_eq!(set.get(name).unwrap().parse(), Ok(*value));
            accepts(set);
        }
        for value in bad.iter().chain(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]) {
            refuses(name, set(context(base(), 0.0), *value));
        }
    }
}

#[test]
fn integers_are_kept_within_their_ends() {
    type Setter = fn(Hyperparameters, u32) -> Hyperparameters;
    const MAX: u32 = i32::MAX as u32;
    let lossguide: Setter = |set, _| set.tree_method(TreeMethod::Hist).grow_policy(GrowPolicy::Lossguide);
    let watched: Setter = |set, _| set.eval_metric([EvalMetric::Rmse]);
    let plain: Setter = |set, _| set;
    let cases: [(&str, Setter, Setter, u32, u32); 9] = [
        ("early_stopping_rounds", watched, Hyperparameters::early_stopping_rounds, 1, MAX),
        ("max_bin", plain, Hyperparameters::max_bin, 2, MAX),
        ("max_depth", lossguide, Hyperparameters::max_depth, 0, MAX),
        ("max_leaves", lossguide, Hyperparameters::max_leaves, 0, MAX),
        ("nthread", plain, Hyperparameters::nthread, 1, MAX),
        ("num_parallel_tree", plain, Hyperparameters::num_parallel_tree, 1, MAX),
        ("verbosity", plain, Hyperparameters::verbosity, 0, 3),
        ("num_round", plain, |_, rounds| Hyperparameters::new(Objective::RegSquaredError, rounds), 1, MAX),
        ("num_class", plain, |_, num_class| Hyperparameters::new(Objective::MultiSoftmax { num_class }, 1), 2, MAX),
    ];
    for (name, context, set, least, most) in cases {
        for value in [least, most] {
            let set = set(context(base(), 0), value);
            assert_eq!(set.get(name), Some(value.to_string().as_str()));
            accepts(set);
        }
        if let Some(below) = least.checked_sub(1) {
            refuses(name, set(context(base(), 0), below));
        }
        refuses(name, set(context(base(), 0), most + 1));
    }

    for seed in [i32::MIN + 1, -1, 0, i32::MAX - 1] {
        accepts(base().seed(seed));
    }
    refuses("seed", base().seed(i32::MIN));
    refuses("seed", base().seed(i32::MAX));
}

#[test]
fn what_is_wrong_is_said_with_what_is_accepted() {
    let set = base()
        .eta(1.5)
        .max_bin(1)
        .seed(i32::MAX)
        .hyperparameter("csv_weights", "yes")
        .sketch_eps(1.0)
        .alpha(-1.0)
        .rate_drop(0.5)
        .max_depth(0);
    let said = messages(&set);
    for part in [
        "hyperparameters.eta: must be a number of at least 0 and at most 1, is 1.5",
        "hyperparameters.max_bin: must be an integer of at least 2, is 1",
        "hyperparameters.seed: must be an integer from -2147483647 to 2147483646, is 2147483647",
        "hyperparameters.csv_weights: must be 0 or 1, is yes",
        "hyperparameters.sketch_eps: must be a number above 0 and below 1, is 1",
        "hyperparameters.alpha: must be a number of at least 0, is -1",
        "hyperparameters.rate_drop: needs booster dart, which is not set",
        "hyperparameters.max_depth: 0 needs grow_policy lossguide, which is not set",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let long = messages(&base().hyperparameter("eta", "é".repeat(500)));
    assert!(long.len() < 300 && long.ends_with("..."), "{long}");
}

#[test]
fn flags_names_and_lists_on_the_wire() {
    let wire = Hyperparameters::new(Objective::SurvivalAft, 10)
        .aft_loss_distribution(AftDistribution::Extreme)
        .booster(Booster::Dart)
        .csv_weights(true)
        .deterministic_histogram(false)
        .eval_metric([EvalMetric::AftNloglik, EvalMetric::ErrorAt(0.3), EvalMetric::NdcgAt(5), EvalMetric::MapAt(3)])
        .grow_policy(GrowPolicy::Lossguide)
        .interaction_constraints(vec![vec![1, 2], vec![3, 4, 5]])
        .monotone_constraints([Monotone::Decreasing, Monotone::Unconstrained, Monotone::Increasing])
        .normalize_type(NormalizeType::Forest)
        .one_drop(false)
        .process_type(ProcessType::Default)
        .refresh_leaf(true)
        .sample_type(SampleType::Weighted)
        .sampling_method(SamplingMethod::Uniform)
        .save_model_on_termination(true)
        .single_precision_histogram(true)
        .tree_method(TreeMethod::Hist)
        .updater([Updater::GrowColmaker, Updater::Prune])
        .use_dask_gpu_training(false);
    accepts(wire.clone());
    for (name, value) in [
        ("objective", "survival:aft"),
        ("aft_loss_distribution", "extreme"),
        ("booster", "dart"),
        ("csv_weights", "1"),
        ("deterministic_histogram", "false"),
        ("eval_metric", "aft-nloglik,error@0.3,ndcg@5,map@3"),
        ("grow_policy", "lossguide"),
        ("interaction_constraints", "[[1, 2], [3, 4, 5]]"),
        ("monotone_constraints", "(-1, 0, 1)"),
        ("normalize_type", "forest"),
        ("one_drop", "0"),
        ("process_type", "default"),
        ("refresh_leaf", "1"),
        ("sample_type", "weighted"),
        ("sampling_method", "uniform"),
        ("save_model_on_termination", "true"),
        ("single_precision_histogram", "true"),
        ("tree_method", "hist"),
        ("updater", "grow_colmaker,prune"),
        ("use_dask_gpu_training", "false"),
    ] {
        assert_eq!(wire.get(name), Some(value), "{name}");
    }
    assert_eq!(wire.to_wire().len(), 21);
}

#[test]
fn dropout_needs_dart() {
    accepts(base().booster(Booster::Dart).rate_drop(0.1).skip_drop(0.5).one_drop(true));
    refuses("rate_drop", base().rate_drop(0.1));
    refuses("skip_drop", base().booster(Booster::GbTree).skip_drop(0.1));
    refuses("one_drop", base().one_drop(true));
    refuses("sample_type", base().sample_type(SampleType::Uniform));
    refuses("normalize_type", base().normalize_type(NormalizeType::Tree));
    refuses("lambda_bias", base().lambda_bias(0.5));
}

#[test]
fn trees_grow_by_one_policy() {
    let lossguide = || base().grow_policy(GrowPolicy::Lossguide).tree_method(TreeMethod::Hist);
    accepts(lossguide().max_leaves(31).max_depth(0));
    accepts(base().max_leaves(0).grow_policy(GrowPolicy::Depthwise));
    refuses("max_leaves", base().max_leaves(31));
    refuses("max_depth", base().max_depth(0));
    refuses("grow_policy", base().grow_policy(GrowPolicy::Lossguide));
    refuses("grow_policy", base().grow_policy(GrowPolicy::Lossguide).tree_method(TreeMethod::Exact));
    refuses("sampling_method", base().sampling_method(SamplingMethod::GradientBased));
    accepts(base().sampling_method(SamplingMethod::GradientBased).tree_method(TreeMethod::GpuHist));
    refuses("use_dask_gpu_training", base().use_dask_gpu_training(true));
    accepts(base().use_dask_gpu_training(true).tree_method(TreeMethod::GpuHist));
}

#[test]
fn constraints_need_a_tree_method_by_name() {
    let monotone = || base().monotone_constraints([Monotone::Increasing]);
    assert_eq!(monotone().get("monotone_constraints"), Some("(1,)"));
    accepts(monotone().tree_method(TreeMethod::Hist));
    refuses("monotone_constraints", monotone());
    refuses("monotone_constraints", monotone().tree_method(TreeMethod::Approx));
    refuses("monotone_constraints", base().monotone_constraints([]).tree_method(TreeMethod::Hist));
    for bad in ["(1)", "1, 0", "(2, 0)", "(,)", "", "(1, 0", "(1,,0)"] {
        refuses(
            "monotone_constraints",
            monotone().tree_method(TreeMethod::Hist).hyperparameter("monotone_constraints", bad),
        );
    }

    let interaction = |groups| base().interaction_constraints(groups).tree_method(TreeMethod::Approx);
    accepts(interaction(vec![vec![1, 2], vec![3]]));
    for bad in [vec![], vec![vec![]], vec![vec![1], vec![]], vec![vec![0, 1]]] {
        refuses("interaction_constraints", interaction(bad));
    }
    refuses("interaction_constraints", base().interaction_constraints(vec![vec![1]]));
    refuses("interaction_constraints", interaction(vec![vec![1]]).hyperparameter("interaction_constraints", "[1, 2]"));
}

#[test]
fn metrics_fit_the_objective() {
    let binary = |metric| Hyperparameters::new(Objective::BinaryLogistic, 1).eval_metric([metric]);
    accepts(binary(EvalMetric::Auc));
    accepts(Hyperparameters::new(Objective::RankNdcg, 1).eval_metric([EvalMetric::Auc]));
    accepts(binary(EvalMetric::Other("new".to_owned())));
    refuses("eval_metric", base().eval_metric([EvalMetric::Rmse, EvalMetric::Auc]));
    refuses("eval_metric", binary(EvalMetric::AftNloglik));
    refuses("eval_metric", binary(EvalMetric::ErrorAt(f64::NAN)));
    refuses("eval_metric", binary(EvalMetric::Other("rmse@2".to_owned())));
    refuses("eval_metric", binary(EvalMetric::Other("ndcg@3-".to_owned())));
    refuses("eval_metric", base().eval_metric([]));
}

#[test]
fn every_metric_but_those_with_a_threshold_is_reported_by_default() {
    let names: Vec<String> = default_metrics().into_iter().map(|metric| metric.name).collect();
    for metric in
        [EvalMetric::Rmse, EvalMetric::AftNloglik, EvalMetric::IntervalRegressionAccuracy, EvalMetric::F1Macro]
    {
        assert!(names.contains(&format!("validation:{metric}")), "{metric}");
    }
}

#[test]
fn objectives_have_their_names_and_classes() {
    for (objective, name) in [
        (Objective::RegSquaredLogError, "reg:squaredlogerror"),
        (Objective::RegLogistic, "reg:logistic"),
        (Objective::RegPseudoHuberError, "reg:pseudohubererror"),
        (Objective::RegAbsoluteError, "reg:absoluteerror"),
        (Objective::RegGamma, "reg:gamma"),
        (Objective::RegTweedie, "reg:tweedie"),
        (Objective::CountPoisson, "count:poisson"),
        (Objective::BinaryLogitRaw, "binary:logitraw"),
        (Objective::BinaryHinge, "binary:hinge"),
        (Objective::RankPairwise, "rank:pairwise"),
        (Objective::RankMap, "rank:map"),
        (Objective::SurvivalCox, "survival:cox"),
        (Objective::Other("reg:quantileerror".to_owned()), "reg:quantileerror"),
    ] {
        let set = Hyperparameters::new(objective, 1);
        assert_eq!((set.get("objective"), set.get("num_class")), (Some(name), None));
        accepts(set);
    }
    let multi = Hyperparameters::new(Objective::MultiSoftprob { num_class: 3 }, 1);
    assert_eq!((multi.get("objective"), multi.get("num_class")), (Some("multi:softprob"), Some("3")));
    accepts(multi);
    refuses("num_class", Hyperparameters::new(Objective::Other("multi:softmax".to_owned()), 1));

    for score in [0.0, 1.0, 2.0] {
        refuses("base_score", Hyperparameters::new(Objective::BinaryLogistic, 1).base_score(score));
    }
    accepts(Hyperparameters::new(Objective::BinaryLogistic, 1).base_score(0.01));
    refuses("tweedie_variance_power", base().tweedie_variance_power(1.5));
    refuses("aft_loss_distribution", base().aft_loss_distribution(AftDistribution::Normal));
}

#[test]
fn updaters_fit_the_booster_and_the_process() {
    let update = || base().process_type(ProcessType::Update);
    let linear = || base().booster(Booster::GbLinear);
    accepts(base().updater([Updater::GrowHistmaker, Updater::Sync, Updater::Refresh, Updater::Prune]));
    accepts(base().updater([Updater::Other("grow_gpu_hist".to_owned()), Updater::Prune]));
    accepts(update().updater([Updater::Refresh, Updater::Prune]).refresh_leaf(true));
    accepts(linear().updater([Updater::Shotgun]));
    refuses("updater", base().updater([]));
    refuses("updater", base().updater([Updater::GrowColmaker, Updater::GrowHistmaker]));
    refuses("updater", base().updater([Updater::CoordDescent]));
    refuses("updater", update().updater([Updater::GrowColmaker]));
    refuses("process_type", update());
    refuses("updater", linear().updater([Updater::Prune]));
    refuses("updater", linear().updater([Updater::Shotgun, Updater::CoordDescent]));
    refuses("tree_method", base().updater([Updater::Prune]).tree_method(TreeMethod::Hist));
}

#[test]
fn the_named_door_meets_the_same_checks() {
    let set = base().hyperparameter("reg_lambda", 2).hyperparameter("newer", true).hyperparameter("max_depth", "deep");
    assert_eq!((set.get("lambda"), set.get("reg_lambda"), set.get("newer")), (Some("2"), None, Some("true")));
    refuses("max_depth", set);
    refuses("deterministic_histogram", base().hyperparameter("deterministic_histogram", "True"));

    let read = Hyperparameters::from_wire([("min_split_loss", "1"), ("objective", "multi:softmax")]);
    assert_eq!(read.get("gamma"), Some("1"));
    assert_eq!(refused(&read), ["num_round", "num_class"]);
    assert_eq!(Hyperparameters::from_wire(base().eta(0.1).to_wire()), base().eta(0.1));
}

#[test]
fn build_reports_everything_at_once() {
    let error =
        XGBoost::builder(Objective::MultiSoftmax { num_class: 1 }, 0).eta(-0.1).subsample(0.0).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let fields: Vec<&str> = error.invalid_values().iter().map(|value| value.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "hyperparameters.eta",
            "hyperparameters.num_class",
            "hyperparameters.num_round",
            "hyperparameters.subsample",
            "compute"
        ]
    );
}

proptest! {
    #[test]
    fn any_text_is_judged_without_a_panic(
        name in prop_oneof![
            Just("eval_metric"), Just("updater"), Just("monotone_constraints"), Just("interaction_constraints"),
            Just("seed"), Just("eta"), Just("base_score"), Just("max_leaves"), Just("objective"),
        ],
        value in prop_oneof![any::<String>(), r"[-(\[,@ 0-9a-z\])]{0,12}"],
    ) {
        refused(&base().tree_method(TreeMethod::Hist).hyperparameter(name, value));
    }

    #[test]
    fn what_is_set_by_type_is_well_formed(
        signs in prop::collection::vec(prop_oneof![
            Just(Monotone::Decreasing), Just(Monotone::Unconstrained), Just(Monotone::Increasing)
        ], 1..8),
        groups in prop::collection::vec(prop::collection::vec(1u32.., 1..5), 1..5),
    ) {
        let set = base().tree_method(TreeMethod::Hist).monotone_constraints(signs).interaction_constraints(groups);
        prop_assert_eq!(messages(&set), "");
    }
}
