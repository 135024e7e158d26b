//! A plan is the request that is sent: for every estimator there is.

use sagemaker::algorithms::linear_learner::PredictorType;
use sagemaker::algorithms::xgboost::Objective;
use sagemaker::algorithms::{
    BlazingText, DeepAr, FactorizationMachines, ImageClassification, IpInsights, KMeans, Knn, Lda, LinearLearner, Ntm,
    Object2Vec, ObjectDetection, Pca, RandomCutForest, SemanticSegmentation, Seq2Seq, XGBoost, blazing_text, deepar,
    factorization_machines, knn,
};
use sagemaker::estimator::{
    AlgorithmEstimator, ContainerEstimator, Estimator, EstimatorExt, PlanContext, TrainingPlan,
};
use sagemaker::frameworks::{
    self, BaseFramework, Chainer, Distribution, HuggingFace, Mpi, PyTorch, SKLearn, TensorFlow,
};
use sagemaker::local::{LocalBackend, Profile};
use sagemaker::source::SourceCode;
use sagemaker::training::{Channels, RecordSet, TrainingInput};
use sagemaker::types::Compute;
use sagemaker::{Result, Session};
use serde_json::{Value, json};

use crate::fixture::put;

const ROLE: &str = "arn:aws:iam::123456789012:role/SageMakerRole";
const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/stand-in:1";

fn cpu() -> Compute {
    Compute::instances("ml.c5.xlarge", 1)
}

fn gpu() -> Compute {
    Compute::instances("ml.p3.2xlarge", 1)
}

pub fn backend() -> LocalBackend {
    LocalBackend::builder().profile(Profile::Lenient).build()
}

/// The last request to start a job that a backend has seen.
pub fn sent(backend: &LocalBackend) -> Value {
    let requests = backend.requests();
    requests.iter().rev().find(|request| request.operation == "CreateTrainingJob").unwrap().body.clone()
}

/// What a plan would send.
pub async fn planned(plan: &TrainingPlan) -> Value {
    planned_on(&backend(), plan).await
}

/// The same, for many plans on one backend.
pub async fn planned_on(elsewhere: &LocalBackend, plan: &TrainingPlan) -> Value {
    let session = Session::with_backend(elsewhere);
    // Only the request counts: there are no data.
    let _ = plan.request().clone().send_with(session.aws().sagemaker()).await;
    sent(elsewhere)
}

/// Compares the plan of a session that knows its bucket with what is sent then, and gives the latter.
async fn compare(session: &Session, name: &str, estimator: &impl Estimator, channels: &Channels) -> Result<Value> {
    let plan = estimator.plan(&PlanContext::of(session).job_name(name), channels)?;
    estimator.fit(session, channels.clone()).job_name(name).await?;
    let request = sent(session.backend().unwrap());
    assert_eq!(planned(&plan).await, request, "{name}");
    assert_eq!(plan.job_name(), name);
    Ok(request)
}

pub fn scripts(script: &std::path::Path) -> Result<Vec<(&'static str, Box<dyn Estimator>)>> {
    let source = || SourceCode::script(script);
    macro_rules! torch {
        ($compute:expr) => {
            PyTorch::builder(source()).framework_version("2.0.1").py_version("py310").role(ROLE).compute($compute)
        };
    }
    macro_rules! tensorflow {
        () => {
            TensorFlow::builder(source()).framework_version("2.11").py_version("py39").role(ROLE).compute(cpu())
        };
    }
    let torchrun = torch!(Compute::instances("ml.p4d.24xlarge", 2)).distribution(Distribution::torchrun());
    let isolated = torch!(gpu()).network_isolation().output_kms_key("output-key");
    let mpi = tensorflow!().distribution(Distribution::mpi(Mpi::new().processes_per_host(2)));
    let sklearn = SKLearn::builder(source()).framework_version("1.2-1").role(ROLE).compute(cpu());
    let xgboost = frameworks::XGBoost::builder(source()).framework_version("1.7-1").role(ROLE).compute(cpu());
    let face = HuggingFace::builder(source(), BaseFramework::pytorch("2.0.0"));
    let face = face.framework_version("4.28.1").py_version("py310").role(ROLE).compute(gpu());
    let mxnet = frameworks::MXNet::builder(source()).framework_version("1.9.0").py_version("py38").role(ROLE);
    let chainer = Chainer::builder(source()).framework_version("5.0.0").py_version("py3").use_mpi().role(ROLE);
    let in_s3 = SourceCode::script("train.py").source_dir("s3://bucket/source/sourcedir.tar.gz");
    let in_s3 = PyTorch::builder(in_s3).framework_version("2.0.1").py_version("py310").role(ROLE).compute(cpu());
    let container = ContainerEstimator::builder(IMAGE).source(source().code_location("s3://codes/here"));
    Ok(vec![
        ("pytorch", Box::new(torch!(gpu()).hyperparameter("epochs", 5).build()?)),
        ("pytorch-distributed", Box::new(torchrun.output_path("s3://bucket/out").build()?)),
        ("pytorch-isolated", Box::new(isolated.build()?)),
        ("pytorch-in-s3", Box::new(in_s3.build()?)),
        ("tensorflow", Box::new(tensorflow!().build()?)),
        ("tensorflow-elsewhere", Box::new(tensorflow!().output_path("s3://bucket/out").build()?)),
        ("tensorflow-mpi", Box::new(mpi.build()?)),
        ("sklearn", Box::new(sklearn.build()?)),
        ("xgboost-script", Box::new(xgboost.build()?)),
        ("huggingface", Box::new(face.build()?)),
        ("mxnet", Box::new(mxnet.compute(cpu()).build()?)),
        ("chainer", Box::new(chainer.compute(cpu()).build()?)),
        ("container-script", Box::new(container.role(ROLE).compute(cpu()).build()?)),
    ])
}

/// An estimator by a name of its own, with its channels: none where it takes records.
type Case = (&'static str, Box<dyn Estimator>, &'static [&'static str]);

pub fn algorithms() -> Result<Vec<Case>> {
    use deepar::TimeFrequency;
    let insights = IpInsights::builder(100, 8).mini_batch_size(10);
    let machines = FactorizationMachines::builder(10, factorization_machines::PredictorType::Regressor);
    let one_gpu = gpu();
    Ok(vec![
        ("kmeans", Box::new(KMeans::builder(2).role(ROLE).compute(cpu()).build()?), &[]),
        ("pca", Box::new(Pca::builder(3).role(ROLE).compute(cpu()).build()?), &[]),
        ("linear", Box::new(LinearLearner::builder(PredictorType::Regressor).role(ROLE).compute(cpu()).build()?), &[]),
        ("knn", Box::new(Knn::builder(5, 40, knn::PredictorType::Regressor).role(ROLE).compute(cpu()).build()?), &[]),
        ("lda", Box::new(Lda::builder(5, 50).role(ROLE).compute(cpu()).build()?), &[]),
        ("ntm", Box::new(Ntm::builder(4).role(ROLE).compute(cpu()).build()?), &[]),
        ("rcf", Box::new(RandomCutForest::builder().role(ROLE).compute(cpu()).build()?), &[]),
        ("machines", Box::new(machines.role(ROLE).compute(cpu()).build()?), &[]),
        ("insights", Box::new(insights.role(ROLE).compute(cpu()).build()?), &[]),
        ("object2vec", Box::new(Object2Vec::builder(5, 50, 1000).role(ROLE).compute(cpu()).build()?), &[]),
        (
            "xgboost",
            Box::new(XGBoost::builder(Objective::RegSquaredError, 5).role(ROLE).compute(cpu()).build()?),
            &["train"],
        ),
        (
            "blazingtext",
            Box::new(BlazingText::builder(blazing_text::Mode::Supervised).role(ROLE).compute(cpu()).build()?),
            &["train"],
        ),
        (
            "deepar",
            Box::new(DeepAr::builder(TimeFrequency::hours(1), 24, 12, 20).role(ROLE).compute(cpu()).build()?),
            &["train"],
        ),
        (
            "classification",
            Box::new(ImageClassification::builder(10, 1000).role(ROLE).compute(one_gpu.clone()).build()?),
            &["train", "validation"],
        ),
        (
            "detection",
            Box::new(ObjectDetection::builder(3, 300).role(ROLE).compute(one_gpu.clone()).build()?),
            &["train", "validation"],
        ),
        (
            "segmentation",
            Box::new(SemanticSegmentation::builder(3, 300).role(ROLE).compute(one_gpu.clone()).build()?),
            &["train", "validation"],
        ),
        (
            "seq2seq",
            Box::new(Seq2Seq::builder().role(ROLE).compute(one_gpu).build()?),
            &["train", "validation", "vocab"],
        ),
        ("container", Box::new(ContainerEstimator::builder(IMAGE).role(ROLE).compute(cpu()).build()?), &["train"]),
    ])
}

#[tokio::test]
async fn a_plan_is_what_is_sent() -> Result<()> {
    let backend = backend();
    let session = Session::with_backend(&backend);
    let data = put(&session, "in/a.csv", "1,2\n").await?.to_string();
    for bucket in ["bucket", "codes"] {
        session.aws().s3().create_bucket().bucket(bucket).send().await.unwrap();
    }
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("train.py");
    std::fs::write(&script, "print(1)\n")?;
    let input = |name: &&'static str| (*name, TrainingInput::new(data.as_str()));
    for (name, estimator) in scripts(&script)? {
        let request = compare(&session, name, &estimator, &Channels::from([input(&"train")])).await?;
        let told = &request["HyperParameters"];
        assert!(told["sagemaker_program"].is_string() && told["sagemaker_submit_directory"].is_string(), "{name}");
        assert_eq!(told["model_dir"].is_string(), name.starts_with("tensorflow"), "{name}");
    }
    for (name, estimator, channels) in algorithms()? {
        let channels = match channels {
            [] => RecordSet::prefix(data.as_str(), 50, 8).into(),
            names => names.iter().map(input).fold(Channels::default(), |all, (name, input)| all.with(name, input)),
        };
        compare(&session, name, &estimator, &channels).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_registered_algorithm_is_planned_too() -> Result<()> {
    let session = Session::with_backend(&backend());
    let data = put(&session, "in/a.csv", "1,2\n").await?;
    let arn = crate::training_options::algorithm(&session).await;
    let estimator = AlgorithmEstimator::builder(&session, &arn).await?.role(ROLE).hyperparameter("depth", 7);
    let estimator: Box<dyn Estimator> = Box::new(estimator.compute(Compute::instances("ml.m5.xlarge", 1)).build()?);
    compare(&session, "algorithm", &estimator, &Channels::from([("training", TrainingInput::new(data))])).await?;
    Ok(())
}

/// A defaults file may isolate the container, which changes how the code gets there.
#[tokio::test]
async fn what_a_defaults_file_sets_is_planned_too() -> Result<()> {
    let backend = backend();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("config.yaml");
    let text = "
SchemaVersion: '1.0'
SageMaker:
  PythonSDK: {Modules: {Session: {DefaultS3Bucket: team-bucket, DefaultS3ObjectKeyPrefix: team/a}}}
  TrainingJob:
    RoleArn: arn:aws:iam::123456789012:role/FromFile
    EnableNetworkIsolation: true
    Environment: {FROM: file}
    OutputDataConfig: {KmsKeyId: output-key}
    Tags: [{Key: team, Value: file}]
";
    std::fs::write(&file, text)?;
    let session = Session::builder().local(&backend).config_file(file.to_string_lossy()).build().await?;
    session.aws().s3().create_bucket().bucket("team-bucket").send().await.unwrap();
    let data = put(&session, "in/a.csv", "1,2\n").await?;
    let script = folder.path().join("train.py");
    std::fs::write(&script, "print(1)\n")?;
    let estimator = TensorFlow::builder(script).framework_version("2.11").py_version("py39").compute(cpu()).build()?;
    let estimator: Box<dyn Estimator> = Box::new(estimator);
    let channels = Channels::from([("training", TrainingInput::new(data))]);
    let request = compare(&session, "defaults", &estimator, &channels).await?;
    assert_eq!(request["InputDataConfig"][1]["ChannelName"], "code");
    assert_eq!(request["HyperParameters"]["model_dir"], json!("\"s3://team-bucket/team/a/defaults/model\""));
    let plan = estimator.plan(&PlanContext::of(&session), &channels)?;
    assert_eq!(plan.uploads()[0].kms_key.as_deref(), Some("output-key"));
    Ok(())
}

#[test]
fn what_does_not_depend_on_the_output_is_told_without_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("train.py");
    std::fs::write(&script, "")?;
    let context = PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH).job_name("job");
    let tensorflow =
        || TensorFlow::builder(script.as_path()).framework_version("2.11").py_version("py39").compute(cpu());
    let told = |estimator: &TensorFlow| -> Result<_> {
        Ok(estimator.plan(&context, &Channels::default())?.request().get_hyper_parameters().clone().unwrap())
    };
    let open = told(&tensorflow().build()?)?;
    assert_eq!(open["sagemaker_program"], "\"train.py\"");
    assert!(!open.contains_key("model_dir") && !open.contains_key("sagemaker_submit_directory"));
    let mpi = told(&tensorflow().distribution(Distribution::mpi(Mpi::new())).build()?)?;
    assert_eq!(mpi["model_dir"], "\"/opt/ml/model\"");
    let placed = tensorflow().model_dir(frameworks::ModelDir::At("s3://mine/m".to_owned())).code_location("s3://codes");
    let placed = told(&placed.build()?)?;
    assert_eq!(placed["model_dir"], "\"s3://mine/m\"");
    assert_eq!(placed["sagemaker_submit_directory"], "\"s3://codes/job/source/sourcedir.tar.gz\"");
    Ok(())
}
