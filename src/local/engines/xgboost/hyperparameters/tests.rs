use proptest::prelude::*;

use super::*;

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = [("num_round".to_owned(), "5".to_owned())].into();
    all.extend(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    all
}

fn refusal(pairs: &[(&str, &str)]) -> String {
    match Hyperparameters::parse(&given(pairs)) {
        Err(EngineFailure::Algorithm { message, .. }) => message,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn what_the_container_takes_is_taken() {
    let pairs: &[&[(&str, &str)]] = &[
        &[("objective", "reg:linear"), ("eval_metric", "rmse,mae"), ("early_stopping_rounds", "3")],
        &[("objective", "multi:softprob"), ("num_class", "3"), ("eval_metric", "mlogloss,accuracy")],
        &[("objective", "binary:logistic"), ("eval_metric", "auc,error@0.7,f1"), ("scale_pos_weight", "2.5")],
        &[("tree_method", "hist"), ("monotone_constraints", "(1,-1,0)"), ("interaction_constraints", "[[1,2],[3,4]]")],
        &[("learning_rate", " 0.1 "), ("reg_lambda", "0"), ("min_split_loss", "1e-3"), ("seed", "-7")],
        &[("_tuning_objective_metric", "validation:rmse"), ("max_depth", "0"), ("grow_policy", "lossguide")],
    ];
    for pairs in pairs {
        assert!(Hyperparameters::parse(&given(pairs)).is_ok(), "{pairs:?}");
    }
    let parsed = Hyperparameters::parse(&given(&[("learning_rate", "0.25"), ("objective", "reg:linear")])).unwrap();
    assert_eq!(parsed.get("eta"), Some(&Value::Float(0.25)));
    assert_eq!(parsed.objective(), "reg:squarederror");
}

#[test]
fn what_the_container_refuses_is_refused_in_its_words() {
    let missing = Hyperparameters::parse(&BTreeMap::new()).unwrap_err();
    assert_eq!(missing.to_string(), "AlgorithmError: Missing required hyperparameter: num_round, exit code: 1");
    assert_eq!(refusal(&[("max_dept", "3")]), "Extraneous hyperparameter found: max_dept");
    assert_eq!(refusal(&[("num_round", "0")]), "Hyperparameter num_round: 0 is not in [1, +inf)");
    assert_eq!(
        refusal(&[("max_depth", "3.0")]),
        "Hyperparameter max_depth: could not parse value (caused by ValueError)"
    );
    assert_eq!(refusal(&[("eta", "1.5")]), "Hyperparameter eta: 1.5 is not in [0, 1]");
    assert_eq!(refusal(&[("subsample", "0")]), "Hyperparameter subsample: 0.0 is not in (0, 1]");
    assert_eq!(refusal(&[("lambda", "nan")]), "Hyperparameter lambda: nan is not in [0, +inf)");
    assert_eq!(
        refusal(&[("booster", "forest")]),
        "Hyperparameter booster: forest is not in ['gbtree', 'gblinear', 'dart']"
    );
    assert_eq!(
        refusal(&[("objective", "multi:softmax")]),
        "Require input for parameter 'num_class' for multi-classification"
    );
    assert!(refusal(&[("objective", "reg:squarederror"), ("eval_metric", "rmse,sse")]).contains("not in range ['acc"));
    assert_eq!(
        refusal(&[("objective", "reg:squarederror"), ("eval_metric", "auc")]),
        "Metric 'auc' can only be applied for classification and ranking problems."
    );
    assert!(refusal(&[("eval_metric", "rmse")]).starts_with("KeyError: 'objective'"));
    assert!(refusal(&[("objective", "binary:logistic"), ("eval_metric", "error@x")]).contains("expects float input"));
    assert!(refusal(&[("monotone_constraints", "(1,0)")]).contains("either 'exact' or 'hist'"));
    assert!(refusal(&[("tree_method", "hist"), ("monotone_constraints", "(2)")]).contains("not in range [-1, 0, 1]"));
    assert!(refusal(&[("tree_method", "hist"), ("interaction_constraints", "[[0]]")]).contains("[1, +inf)"));
    assert!(refusal(&[("updater", "grow_colmaker,distcol")]).starts_with("Only one tree grow plugin"));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(index in 0..table::SPECS.len(), text in ".{0,30}", number in any::<f64>()) {
        let name = table::SPECS[index].name;
        let _ = Hyperparameters::parse(&given(&[(name, &text)]));
        let _ = Hyperparameters::parse(&given(&[(name, &number.to_string())]));
    }

    #[test]
    fn any_name_is_read_or_refused(name in "[a-z_]{0,12}", text in ".{0,10}") {
        let _ = Hyperparameters::parse(&given(&[(&name, &text)]));
    }
}
