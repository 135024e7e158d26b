//! What an estimator hosts of a job: the right image with the right code, data, role, tags.

use std::sync::Arc;

use sagemaker::algorithms::xgboost::XGBoost;
use sagemaker::codec::Csv;
use sagemaker::estimator::{ContainerEstimator, Estimator, EstimatorExt};
use sagemaker::frameworks::{PyTorch, SKLearn, TensorFlow};
use sagemaker::job::Completed;
use sagemaker::local::{LocalBackend, Profile};
use sagemaker::source::SourceCode;
use sagemaker::training::{Channels, Training, TrainingInput};
use sagemaker::transform::TransformInput;
use sagemaker::types::Compute;
use sagemaker::{ErrorKind, Result, Session};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{one, operations, plane, put, xgboost};

const ROLE: &str = "arn:aws:iam::123456789012:role/SageMakerRole";
const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/stand-in:1";

/// A session whose jobs succeed without an engine, with a script.
async fn lenient() -> Result<(Session, TempDir, SourceCode)> {
    let session = Session::with_backend(&LocalBackend::builder().profile(Profile::Lenient).build());
    session.ensure_bucket().await?;
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("run.py");
    std::fs::write(&script, "print('run')\n")?;
    Ok((session, folder, SourceCode::script(script)))
}

fn sent(session: &Session, operation: &str) -> Value {
    let requests = session.backend().unwrap().requests();
    requests.iter().rev().find(|request| request.operation == operation).unwrap().body.clone()
}

async fn trained(session: &Session, name: &str, estimator: &impl Estimator) -> Result<Completed<Training>> {
    estimator.fit(session, Channels::default()).job_name(name).await?.wait().await
}

#[tokio::test]
async fn a_script_is_hosted_by_the_image_that_serves_with_its_code() -> Result<()> {
    let (session, _folder, source) = lenient().await?;
    let forest = SKLearn::builder(source).framework_version("1.2-1").compute(one()).tags([("team", "a")]).build()?;
    let done = trained(&session, "forest", &forest).await?;
    // Without the estimator nothing tells the code.
    assert_eq!(done.model().await.unwrap_err().kind(), ErrorKind::InvalidInput);
    let model = forest.model(&session, &done).environment("DEPTH", "3").await?;
    let request = sent(&session, "CreateModel");
    let container = &request["PrimaryContainer"];
    assert!(container["Image"].as_str().unwrap().ends_with("/sagemaker-scikit-learn:1.2-1-cpu-py3"));
    let environment = &container["Environment"];
    assert_eq!((&environment["SAGEMAKER_PROGRAM"], &environment["DEPTH"]), (&json!("run.py"), &json!("3")));
    let code = environment["SAGEMAKER_SUBMIT_DIRECTORY"].as_str().unwrap();
    assert!(code.ends_with("/forest/source/sourcedir.tar.gz"), "{code}");
    assert_eq!(request["Tags"], json!([{"Key": "team", "Value": "a"}]));
    model.deploy(one()).no_wait().await?;
    for operation in ["CreateEndpointConfig", "CreateEndpoint"] {
        assert_eq!(sent(&session, operation)["Tags"], request["Tags"], "{operation}");
    }
    Ok(())
}

#[tokio::test]
async fn the_image_that_serves_follows_the_instances() -> Result<()> {
    let (session, _folder, source) = lenient().await?;
    let torch =
        PyTorch::builder(source.clone()).framework_version("2.0.1").py_version("py310").compute(one()).build()?;
    let flow = TensorFlow::builder(source).framework_version("2.11").py_version("py39").compute(one()).build()?;
    let jobs: [(&str, Box<dyn Estimator>); 2] = [("torch", Box::new(torch)), ("flow", Box::new(flow))];
    for (name, estimator) in jobs {
        let done = trained(&session, name, &estimator).await?;
        let before = operations(&session).len();
        let error = estimator.model(&session, &done).await.unwrap_err();
        let fields: Vec<_> = error.invalid_values().iter().map(|value| value.field.clone()).collect();
        assert_eq!((fields, operations(&session).len()), (vec!["instance_type".to_owned()], before), "{error}");
        // Without the estimator nothing tells what would serve.
        assert_eq!(done.model().await.unwrap_err().kind(), ErrorKind::InvalidInput);
    }
    let flow = TensorFlow::attach(&session, "flow").await?;
    let done = sagemaker::training::TrainingJob::attach(&session, "flow").await?.wait().await?;
    for (instance_type, end) in [("ml.m5.large", "2.11-cpu"), ("ml.g4dn.xlarge", "2.11-gpu")] {
        let model = flow.model(&session, &done).instance_type(instance_type).role(ROLE).name(end.replace('.', "-"));
        let model = model.await?;
        let image = sent(&session, "CreateModel")["PrimaryContainer"]["Image"].clone();
        assert!(image.as_str().unwrap().ends_with(&format!("/tensorflow-inference:{end}")), "{image}");
        assert_eq!(model.name(), end.replace('.', "-"));
    }
    Ok(())
}

#[tokio::test]
async fn tags_of_the_call_are_those_of_the_deployment() -> Result<()> {
    let (session, _folder, _source) = lenient().await?;
    let tags = |value: &str| json!([{"Key": "team", "Value": value}]);
    let plain = ContainerEstimator::builder(IMAGE).compute(one()).tags([("team", "estimator")]).build()?;
    let done = trained(&session, "plain", &plain).await?;
    let model = plain.model(&session, &done).tags([("team", "model")]).await?;
    assert_eq!(sent(&session, "CreateModel")["Tags"], tags("model"));
    model.deploy(one()).no_wait().await?;
    assert_eq!(sent(&session, "CreateEndpoint")["Tags"], tags("model"));
    model.deploy(one()).endpoint_name("other").tags([("team", "call")]).no_wait().await?;
    assert_eq!(sent(&session, "CreateEndpointConfig")["Tags"], tags("call"));
    let batch = put(&session, "batch/x.csv", "1\n").await?;
    model.transformer(one()).build()?.transform(TransformInput::csv(&batch)).await?;
    assert_eq!(sent(&session, "CreateTransformJob")["Tags"], tags("model"));
    // Only what an estimator has trained passes its tags on.
    let model = sagemaker::model::Model::create(&session, IMAGE).role(ROLE).name("own").tags([("team", "own")]).await?;
    model.deploy(one()).no_wait().await?;
    assert_eq!(sent(&session, "CreateEndpoint")["Tags"], json!([]));
    Ok(())
}

#[tokio::test]
async fn files_that_were_not_packed_are_served() -> Result<()> {
    let session = Session::local();
    let data = put(&session, "plane/train.csv", plane()).await?;
    let xgboost: XGBoost = xgboost().uncompressed_output().build()?;
    let done = xgboost.fit(&session, [("train", TrainingInput::csv(data))]).await?.wait().await?;
    let place = done.model_artifacts()?;
    let model = xgboost.model(&session, &done).await?;
    let container = sent(&session, "CreateModel")["PrimaryContainer"].clone();
    let uri = format!("s3://{}/{}/", place.bucket(), place.key().trim_end_matches('/'));
    let source = json!({"S3DataSource": {"S3Uri": uri, "S3DataType": "S3Prefix", "CompressionType": "None"}});
    assert_eq!((&container["ModelDataSource"], &container["ModelDataUrl"]), (&source, &Value::Null));
    let predictor = model.deploy(one()).await?.predictor(Csv::rows(), Csv::floats());
    let answers: Vec<f64> = predictor.predict(&vec![vec![4.0, 2.0]]).await?;
    assert!((answers[0] - 14.0).abs() < 1.5, "{answers:?}");

    // Without the estimator, too; and by hand.
    done.model().name("again").await?;
    assert_eq!(sent(&session, "CreateModel")["PrimaryContainer"]["ModelDataSource"], source);
    Ok(())
}

#[tokio::test]
async fn code_does_not_go_into_files_that_are_not_packed() -> Result<()> {
    let (session, _folder, source) = lenient().await?;
    let torch = PyTorch::builder(source).framework_version("2.0.1").py_version("py310").compute(one());
    let torch = torch.uncompressed_output().build()?;
    let done = trained(&session, "torch", &torch).await?;
    let error = torch.model(&session, &done).instance_type("ml.m5.large").await.unwrap_err();
    let fields: Vec<_> = error.invalid_values().iter().map(|value| value.field.as_str()).collect();
    assert_eq!(fields, ["model_data"], "{error}");
    Ok(())
}

#[tokio::test]
async fn a_role_is_given_by_name_everywhere() -> Result<()> {
    let backend = LocalBackend::builder().profile(Profile::Lenient).build();
    let session = Session::builder().local(&backend).role("SageMakerRole").build().await?;
    session.ensure_bucket().await?;
    assert_eq!(session.execution_role().await?.as_str(), ROLE);
    let model = sagemaker::model::Model::create(&session, IMAGE).name("by-session").await?;
    assert_eq!(model.describe().await?.raw().execution_role_arn(), Some(ROLE));
    sagemaker::model::Model::create(&session, IMAGE).name("by-call").role("SageMakerRole").await?;
    assert_eq!(sent(&session, "CreateModel")["ExecutionRoleArn"], ROLE);
    let looked_up = operations(&session).iter().filter(|name| name.ends_with(".GetRole")).count();
    assert_eq!(looked_up, 2, "the session's is looked up once");
    let error = sagemaker::model::Model::create(&session, IMAGE).role("no/role").await.unwrap_err();
    assert_eq!(error.invalid_values()[0].field, "role");
    Ok(())
}

#[tokio::test]
async fn estimators_are_shared_and_borrowed() -> Result<()> {
    let (session, _folder, _source) = lenient().await?;
    let plain = ContainerEstimator::builder(IMAGE)
        .compute(Compute::instances("ml.m5.large", 1))
        .environment_variables([("A", "1"), ("B", "2")])
        .environment_variables([("B", "3")])
        .metric_definitions([("loss", "loss=(.*)"), ("error", "error=(.*)")])
        .build()?;
    let shared: Arc<dyn Estimator> = Arc::new(plain);
    trained(&session, "shared", &shared).await?;
    trained(&session, "borrowed", &&*shared).await?;
    let request = sent(&session, "CreateTrainingJob");
    assert_eq!(request["Environment"], json!({"A": "1", "B": "3"}));
    assert_eq!(request["AlgorithmSpecification"]["MetricDefinitions"].as_array().unwrap().len(), 2);
    let forest = SKLearn::builder("run.py").framework_version("1.2-1").compute(one());
    let forest = forest.hyperparameters([("depth", 3), ("trees", 10)]).build()?;
    assert_eq!(forest.hyperparameters().len(), 2);
    Ok(())
}

#[test]
fn scikit_learn_may_run_on_gpus_in_an_image_of_ones_own() {
    let forest = |instance_type| SKLearn::builder("run.py").compute(Compute::instances(instance_type, 1));
    assert!(forest("ml.g5.xlarge").framework_version("1.2-1").build().is_err());
    assert!(forest("ml.g5.xlarge").image_uri(IMAGE).build().is_ok());
    assert!(forest("ml.p3.8xlarge").image_uri(IMAGE).build().is_err(), "as in the Python SDK");
}
