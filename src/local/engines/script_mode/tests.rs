use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;

use super::*;
use crate::local::archive;
use crate::local::engines::process::has_python;
use crate::local::engines::{Invocation, Reply};

const IMAGE: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";
const XGBOOST: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";

/// A program in the place of Python that has the toolkit, or that has not.
fn python(has_toolkit: bool) -> (tempfile::TempDir, ScriptModeEngine) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("python");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = -c ] && exit {}\necho \"$@\"\nls \"$SAGEMAKER_BASE_DIR/code\"\n\
         echo \"$SM_STUDIO_LOCAL_MODE\" > \"$SM_MODEL_DIR/m\"\n",
        i32::from(!has_toolkit)
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let engine = ScriptModeEngine::new().python(path.to_str().unwrap());
    (folder, engine)
}

fn sourcedir(files: &[(&str, &str)]) -> super::super::ReadObject {
    let files: Vec<_> =
        files.iter().map(|(path, text)| ((*path).to_owned(), Bytes::from((*text).to_owned()))).collect();
    let packed = archive::pack(&files).unwrap();
    Arc::new(move |bucket, key| (bucket == "bucket" && key == "sourcedir.tar.gz").then(|| packed.clone()))
}

fn job(hyperparameters: &[(&str, &str)]) -> (TrainingTask, Arc<Mutex<Vec<String>>>) {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let (sink, also) = (log.clone(), log.clone());
    let task = TrainingTask {
        image: IMAGE.to_owned(),
        hyperparameters: hyperparameters.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        log: Arc::new(move |line| sink.lock().unwrap().push(line.to_owned())),
        log_of: Arc::new(move |_, line| also.lock().unwrap().push(line.to_owned())),
        s3: sourcedir(&[("train.py", "pass"), ("requirements.txt", "pandas")]),
        ..TrainingTask::default()
    };
    (task, log)
}

const SCRIPT: [(&str, &str); 2] =
    [("sagemaker_program", "\"train.py\""), ("sagemaker_submit_directory", "\"s3://bucket/sourcedir.tar.gz\"")];

#[test]
fn the_script_runs_by_the_toolkit() {
    let (_folder, engine) = python(true);
    let (task, log) = job(&SCRIPT);
    assert_eq!(engine.train(&task).unwrap().model, [("m".to_owned(), Bytes::from("True\n"))]);
    let not_installed = "[sagemaker-local] requirements.txt is not installed: \
                         ScriptModeEngine::install_requirements(true) would do it";
    assert_eq!(*log.lock().unwrap(), [not_installed, "-m sagemaker_training.cli.train", "train.py"]);

    let (task, log) = job(&SCRIPT);
    engine.install_requirements(true).train(&task).unwrap();
    assert!(log.lock().unwrap().contains(&"requirements.txt".to_owned()));
}

#[test]
fn what_is_missing_is_named() {
    let (_folder, without) = python(false);
    let reason = without.train(&job(&SCRIPT).0).unwrap_err().to_string();
    assert!(
        reason.starts_with("ClientError: script mode needs the Python package sagemaker-training, which "),
        "{reason}"
    );
    assert!(reason.contains("-m pip install sagemaker-training scikit-learn; or"), "{reason}");

    let nowhere = ScriptModeEngine::new().python("/no/such/python");
    let reason = nowhere.train(&job(&SCRIPT).0).unwrap_err().to_string();
    assert!(reason.contains("/no/such/python cannot be started ("), "{reason}");

    let reason = nowhere.train(&job(&[]).0).unwrap_err().to_string();
    assert!(
        reason.starts_with("ClientError: the job names no script: the hyperparameters sagemaker_program"),
        "{reason}"
    );

    let elsewhere = [SCRIPT[0], ("sagemaker_submit_directory", "\"s3://bucket/other\"")];
    let reason = nowhere.train(&job(&elsewhere).0).unwrap_err().to_string();
    assert_eq!(reason, "ClientError: Data download failed: s3://bucket/other does not exist");
}

#[test]
fn xgboost_is_script_mode_with_a_script_only() {
    let engine = ScriptModeEngine::new();
    let task = |pairs: &[(&str, &str)]| TrainingTask { image: XGBOOST.to_owned(), ..job(pairs).0 };
    assert!(engine.trains(&task(&SCRIPT)) && !engine.trains(&task(&[])));
    let with = |name: &str| ModelFiles {
        image: XGBOOST.to_owned(),
        environment: [(name.to_owned(), "s.py".to_owned())].into(),
        ..ModelFiles::default()
    };
    assert!(engine.serves(&with("SAGEMAKER_PROGRAM")) && !engine.serves(&with("OTHER")));
    assert!(engine.trains(&job(&[]).0));
    assert!(!engine.runs("my-image"));
}

#[test]
fn in_the_lenient_profile_what_cannot_run_is_left_to_others() {
    let (_folder, with) = python(true);
    let (_other, without) = python(false);
    let (with, without) = (with.bundled(true), without.bundled(true));
    assert!(with.trains(&job(&SCRIPT).0) && !with.trains(&job(&[]).0) && !without.trains(&job(&SCRIPT).0));
    let model = ModelFiles { image: IMAGE.to_owned(), ..ModelFiles::default() };
    assert!(!with.serves(&model));
    let files = vec![("code/inference.py".to_owned(), Bytes::new())];
    assert!(with.serves(&ModelFiles { files, ..model }));
}

fn serve(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Served, EngineFailure> {
    let model = ModelFiles {
        image: IMAGE.to_owned(),
        files: files.iter().map(|(path, text)| ((*path).to_owned(), Bytes::from((*text).to_owned()))).collect(),
        environment: environment.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        s3: sourcedir(&[("app.py", DOUBLE)]),
        ..ModelFiles::default()
    };
    let engine = ScriptModeEngine::new().python("python3");
    let loaded = engine.load(&model)?;
    Ok(Served { model: loaded, _engine: engine })
}

/// A model, and the engine whose end would be its own.
struct Served {
    model: Arc<dyn LoadedModel>,
    _engine: ScriptModeEngine,
}

/// A model that doubles; what it does not define is as in AWS's image.
const DOUBLE: &str = r#"
import os
class Model:
    def __init__(self, weight): self.weight = weight
    def predict(self, data):
        return [self.weight * x for row in data for x in (row if hasattr(row, "__len__") else [row])]
def model_fn(model_dir):
    return Model(float(open(os.path.join(model_dir, "weight.txt")).read()))
"#;

fn ask(served: &Served, content_type: &str, accept: &str, body: &str) -> Result<Reply, (u16, String)> {
    let request = Invocation {
        content_type: content_type.to_owned(),
        accept: accept.to_owned(),
        body: Bytes::from(body.to_owned()),
    };
    served.model.invoke(&request).map_err(|failure| (failure.status, failure.message))
}

#[test]
fn models_are_served_by_their_functions() {
    if !has_python() {
        return;
    }
    // Code from S3, and the functions of AWS's image.
    let submitted = [("SAGEMAKER_PROGRAM", "app.py"), ("SAGEMAKER_SUBMIT_DIRECTORY", "s3://bucket/sourcedir.tar.gz")];
    let model = serve(&[("weight.txt", "2")], &submitted).unwrap();
    let reply = ask(&model, "application/json", "*/*", "[[1.5], [2]]").unwrap();
    assert_eq!((reply.content_type.as_str(), &*reply.body), ("application/json", b"[3.0, 4.0]".as_slice()));
    let reply = ask(&model, "text/csv", "text/csv", "1,2\n3,4\n").unwrap();
    assert_eq!((reply.content_type.as_str(), &*reply.body), ("text/csv", b"2.0\n4.0\n6.0\n8.0\n".as_slice()));
    assert_eq!(ask(&model, "image/png", "*/*", "x").unwrap_err().0, 415);
    assert_eq!(ask(&model, "text/csv", "image/png", "1").unwrap_err().0, 406);
    let (status, message) = ask(&model, "application/json", "*/*", "{").unwrap_err();
    assert!(status == 500 && message.starts_with("JSONDecodeError: "), "{message}");

    // Code within the model, and functions of its own.
    let own = r#"
def model_fn(model_dir, context): return "m"
def input_fn(body, content_type): return body.decode()
def predict_fn(data, model): return model + data
def output_fn(prediction, accept): return prediction + "!", "text/own"
"#;
    let model = serve(&[("code/inference.py", own), ("code/requirements.txt", "x")], &[]).unwrap();
    let reply = ask(&model, "", "", "x").unwrap();
    assert_eq!((reply.content_type.as_str(), &*reply.body), ("text/own", b"mx!".as_slice()));

    let transform = "def model_fn(d): return 1\ndef transform_fn(model, body, kind, accept): return body * 2\n";
    let named = [("SAGEMAKER_PROGRAM", "t.py"), ("SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/code")];
    let model = serve(&[("code/t.py", transform)], &named).unwrap();
    assert_eq!(&*ask(&model, "a/b", "c/d", "xy").unwrap().body, b"xyxy");

    for (files, environment) in [(&[("code/inference.py", "pass")][..], &[][..]), (&[], &[])] {
        let refused = serve(files, environment).err().unwrap().to_string();
        assert!(refused.contains("it ended with exit code 1 before it answered GET /ping"), "{refused}");
    }
}
