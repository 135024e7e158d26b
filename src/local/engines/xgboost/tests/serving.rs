//! Answers, and models that Python made.

use hessboost::model::{BoostedModel, ModelFormat};

use super::*;

/// Made with Python's xgboost 3.2: `save_model` of a regression.
const PYTHON_UBJ: &[u8] = include_bytes!("python-gbtree.ubj");
/// Made with Python's xgboost 3.2: three classes, booster dart with dropped trees.
const PYTHON_DART: &[u8] = include_bytes!("python-dart.json");

/// What Python predicts for [`ROWS`] with the two models.
const PREDICTED: [f64; 2] = [0.902_970_671_653_747_6, 1.924_735_426_902_771];
const PROBABILITIES: [f64; 6] = [
    0.510_889_291_763_305_7,
    0.323_639_810_085_296_63,
    0.165_470_853_447_914_12,
    0.168_378_680_944_442_75,
    0.363_246_649_503_707_9,
    0.468_374_669_551_849_37,
];

const ROWS: &str = "0.05,0.05,0.5\n0.95,0.9,\n";

fn regression() -> Arc<dyn LoadedModel> {
    serve(&[("xgboost-model", PYTHON_UBJ)], IMAGE, &[]).unwrap()
}

fn softprob(environment: &[(&str, &str)]) -> Arc<dyn LoadedModel> {
    serve(&[("model.json", PYTHON_DART)], IMAGE, environment).unwrap()
}

fn numbers(text: &str) -> Vec<f64> {
    text.split([',', '\n']).filter(|field| !field.is_empty()).map(|field| field.parse().unwrap()).collect()
}

fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn models_of_python_predict_what_python_predicts() {
    let answer = ask(&regression(), "text/csv", "text/csv", ROWS).unwrap();
    assert_near(&numbers(&answer), &PREDICTED);
    let answer = ask(&softprob(&[]), "text/csv", "text/csv", ROWS).unwrap();
    assert_near(&numbers(&answer), &PROBABILITIES);
    assert_eq!(answer.lines().count(), 2);
}

#[test]
fn answers_are_printed_as_python_prints_them() {
    let model = regression();
    let csv = ask(&model, "text/csv", "*/*", ROWS).unwrap();
    let (first, second) = csv.trim_end().split_once('\n').unwrap();
    assert!(csv.ends_with('\n'));
    // A 32-bit float printed as a 64-bit one.
    assert!(first.len() > 12, "{first}");
    let json = ask(&model, "text/csv", "application/json", ROWS).unwrap();
    assert_eq!(json, format!("{{\"predictions\": [{{\"score\": {first}}}, {{\"score\": {second}}}]}}"));
    let libsvm = ask(&model, "text/x-libsvm", "text/csv", "1 0:0.05 1:0.05 2:0.5\n0 0:0.95 1:0.9").unwrap();
    assert_eq!(libsvm, csv);

    let old = serve(&[("xgboost-model", PYTHON_UBJ)], "r/sagemaker-xgboost:1.2-2", &[]).unwrap();
    assert_eq!(ask(&old, "text/csv", "text/csv", ROWS).unwrap(), format!("{first},{second}"));
    let batch = serve(&[("xgboost-model", PYTHON_UBJ)], IMAGE, &[("SAGEMAKER_BATCH", "true")]).unwrap();
    assert_eq!(ask(&batch, "text/csv", "text/csv", ROWS).unwrap(), csv);

    let lines = ask(&softprob(&[("SAGEMAKER_BATCH", "true")]), "text/csv", "text/csv", ROWS).unwrap();
    assert!(lines.starts_with('[') && lines.ends_with("]\n") && lines.contains(", "), "{lines}");
    let json = ask(&softprob(&[]), "text/csv", "application/json", ROWS).unwrap();
    assert!(json.starts_with("{\"predictions\": [{\"score\": [0."), "{json}");
}

#[test]
fn selected_content_is_given() {
    let keys = ("SAGEMAKER_INFERENCE_OUTPUT", "predicted_label, probability,labels,predicted_score");
    let model = softprob(&[keys]);
    let lines = ask(&model, "text/csv", "application/jsonlines", ROWS).unwrap();
    assert_eq!(lines.lines().count(), 2);
    assert!(lines.starts_with("{\"predicted_label\": 0, \"labels\": [0, 1, 2], \"probability\": 0."), "{lines}");
    assert!(lines.ends_with(", \"predicted_score\": NaN}\n"), "{lines}");
    let csv = ask(&model, "text/csv", "text/csv", ROWS).unwrap();
    assert!(csv.starts_with("0,0.") && csv.contains(",\"[0, 1, 2]\",nan\n2,0."), "{csv}");
}

/// Python's XGBoost 1.x leaves the number of trees that early stopping chose; the containers of that time heed it.
#[test]
fn the_best_trees_of_early_stopping_predict_before_2_0() {
    let settings = [("num_round", "6"), ("objective", "reg:squarederror"), ("num_parallel_tree", "2")];
    let file = Job::new(&settings, &[("train", &rows(100, 1, |a, b, _| a + b))]).train().unwrap().model.remove(0).1;
    let model = format::load(&file).unwrap().model;
    let answer = |model: &BoostedModel, best: Option<&str>, image: &str| {
        let json = model.encode(ModelFormat::XgboostJson).unwrap();
        let mut document: serde_json::Value = serde_json::from_slice(&json).unwrap();
        if let Some(best) = best {
            document["learner"]["attributes"]["best_ntree_limit"] = best.into();
        }
        let served = serve(&[("m.json", document.to_string().as_bytes())], image, &[]).unwrap();
        ask(&served, "text/csv", "text/csv", ROWS).unwrap()
    };
    let all = answer(&model, None, IMAGE);
    let first = answer(&model.slice(..4, 1).unwrap(), None, IMAGE);
    assert_ne!(all, first);
    // Eight trees, of which each round has two.
    assert_eq!(answer(&model, Some("8"), IMAGE), first);
    assert_eq!(answer(&model, Some("8"), NEWER), all);
    for all_or_more in ["0", "12", "99"] {
        assert_eq!(answer(&model, Some(all_or_more), IMAGE), all);
    }
}

#[test]
fn an_ensemble_answers_with_the_mean() {
    let two = serve(&[("a", PYTHON_UBJ), ("b", PYTHON_UBJ)], IMAGE, &[]).unwrap();
    let one = ask(&regression(), "text/csv", "text/csv", ROWS).unwrap();
    assert_eq!(ask(&two, "text/csv", "text/csv", ROWS).unwrap(), one);
}

#[test]
fn payloads_are_refused_with_the_containers_status() {
    let model = regression();
    let refusal = |content_type: &str, accept: &str, body: &str| {
        let failure = ask(&model, content_type, accept, body).unwrap_err();
        (failure.status, failure.message)
    };
    let (status, message) = refusal("text/csv", "", "1,2\n");
    assert_eq!(status, 400);
    assert_eq!(
        message,
        "Unable to evaluate payload provided: Feature size of csv inference data 2 is not consistent with feature size of \
         trained model 3."
    );
    let (status, message) = refusal("text/csv", "", "1,2,3\n1,oops,3\n");
    assert_eq!(status, 415);
    assert!(message.starts_with("Loading csv data failed with Exception, please ensure data is in csv format:"));
    assert!(message.ends_with("line 2, column 2: 'oops' is not a number"), "{message}");
    assert_eq!(refusal("text/csv", "", "1,2,3\n\n1,2,3").0, 415);
    assert_eq!(refusal("text/csv", "", " \n").0, 415);
    assert_eq!(refusal("text/libsvm", "", "1 x:2").0, 415);
    assert_eq!(refusal("text/libsvm", "", "1 0:1 3:2").0, 400);
    let (status, message) = refusal("application/json", "", "{}");
    assert_eq!(status, 415);
    assert!(message.starts_with("application/json is not an accepted ContentType: csv, libsvm, parquet"), "{message}");
    assert_eq!(refusal("text/csv; label_size=0", "", "1,2,3").0, 415);
    assert_eq!(refusal("application/x-recordio-protobuf", "", "abc").0, 415);
    let (status, message) = refusal("text/csv", "image/png", "1,2,3");
    assert_eq!(status, 406);
    assert!(message.contains("['application/json', 'application/jsonlines', "), "{message}");
    assert_eq!(refusal("text/csv", "application/jsonlines", "1,2,3").0, 500);
    assert_eq!(ask(&model, "text/csv", "*/*", "").unwrap(), "");
}

#[test]
fn files_that_are_no_model_are_refused_with_advice() {
    let refusal = |content: &[u8]| serve(&[("xgboost-model", content)], IMAGE, &[]).err().unwrap();
    assert!(refusal(b"\x80\x03cxgboost.core\nBooster").contains("pickled"));
    assert!(refusal(b"binf\x00\x00").contains("old binary format"));
    assert!(refusal(b"{\"learner\": {}}").contains("cannot be loaded"));
    assert!(refusal(b"").contains("cannot be loaded"));
    assert!(serve(&[("code/x.py", b"")], IMAGE, &[]).err().unwrap().contains("xgboost-model is expected"));
}

#[test]
fn a_dart_model_survives_the_file() {
    let settings = [("num_round", "12"), ("booster", "dart"), ("rate_drop", "0.5"), ("seed", "3")];
    let job = Job::new(&settings, &[("train", &rows(100, 1, |a, b, _| a + b))]);
    let file = job.train().unwrap().model.remove(0).1;
    let text = String::from_utf8_lossy(&file).into_owned();
    assert!(text.contains("weight_drop") && text.contains("dart"));
    let model = format::load(&file).unwrap().model;
    assert!(model.tree_weights().any(|weight| weight != 1.0));
}

proptest! {
    #[test]
    fn any_request_is_answered_or_refused(
        body in proptest::collection::vec(any::<u8>(), 0..100),
        csv in "[0-9.,;: \n\\-]{0,40}",
        content_type in prop_oneof![Just("text/csv"), Just("text/libsvm"), Just(""), Just(";;=")],
        accept in ".{0,12}",
    ) {
        let model = regression();
        let _ = ask(&model, content_type, &accept, body);
        let _ = ask(&model, content_type, &accept, csv);
    }

    #[test]
    fn any_file_is_loaded_or_refused(at in 0..PYTHON_UBJ.len(), byte in any::<u8>(), cut in 0..PYTHON_UBJ.len()) {
        let mut content = PYTHON_UBJ.to_vec();
        content[at] = byte;
        if let Ok(model) = serve(&[("m", &content)], IMAGE, &[]) {
            let _ = ask(&model, "text/csv", "", ROWS);
        }
        let _ = serve(&[("m", &PYTHON_UBJ[..cut])], IMAGE, &[]);
    }
}
