//! Estimators that are made of jobs: nothing that the service tells is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sagemaker::algorithms::xgboost::Objective;
use sagemaker::algorithms::{
    BlazingText, DeepAr, FactorizationMachines, ImageClassification, IpInsights, KMeans, Knn, Lda, LinearLearner, Ntm,
    Object2Vec, ObjectDetection, Pca, RandomCutForest, SemanticSegmentation, Seq2Seq, XGBoost,
};
use sagemaker::aws::s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use sagemaker::aws::sagemaker::types as sdk;
use sagemaker::estimator::{
    AlgorithmEstimator, Checkpoints, ContainerEstimator, Estimator, EstimatorExt, ExperimentConfig, PlanContext,
    RegistryAccess,
};
use sagemaker::frameworks::{self, Chainer, HuggingFace, MXNet, PyTorch, SKLearn, TensorFlow};
use sagemaker::local::engines::{FnEngine, TrainingOutput};
use sagemaker::local::{LocalBackend, Profile};
use sagemaker::source::SourceCode;
use sagemaker::training::debugger::{BuiltinRule, DebuggerHook, DebuggerRule, TensorCollection};
use sagemaker::training::{Channels, DataDistribution, InputMode, RecordSet, TrainingInput, TrainingJob};
use sagemaker::types::{Compute, ContentType, ImageUri, Spot, VpcConfig};
use sagemaker::{ErrorKind, Result, Session};
use serde_json::Value;

use crate::fixture::{by_hand, one, put};
use crate::plans::{algorithms, backend, planned, scripts, sent};

const ROLE: &str = "arn:aws:iam::123456789012:role/SageMakerRole";

fn session() -> Session {
    let engine = FnEngine::for_image("stand-in").train_with(|_| Ok(TrainingOutput::default()));
    Session::with_backend(&LocalBackend::builder().engine(engine).build())
}

fn image() -> &'static str {
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/stand-in:1"
}

#[tokio::test]
async fn a_job_gives_its_estimator_back() -> Result<()> {
    let session = session();
    let data = put(&session, "in/a.csv", "1,2\n").await?;
    let bucket = session.default_bucket().await?;
    let estimator = ContainerEstimator::builder(image())
        .compute(Compute::instances("ml.m5.xlarge", 2).volume_gb(50))
        .role(ROLE)
        .output_path(format!("s3://{bucket}/out"))
        .base_job_name("forecaster")
        .max_run(Duration::from_secs(3600))
        .spot(Spot::max_wait(Duration::from_secs(7200)))
        .checkpoints(Checkpoints::at(format!("s3://{bucket}/check")).local_path("/opt/ml/c"))
        .input_mode(InputMode::FastFile)
        .environment("LEVEL", "debug")
        .metric_definition("loss", "loss=([0-9.]+)")
        .vpc(VpcConfig::new(["subnet-1"], ["sg-1"]))
        .tags([("centre", "42"), ("team", "forecast")]) // the service sorts them
        .network_isolation()
        .encrypt_inter_container_traffic()
        .volume_kms_key("volume-key")
        .output_kms_key("output-key")
        .max_retries(3)
        .experiment(ExperimentConfig::new().experiment("e").trial("t"))
        .registry_access(RegistryAccess::Vpc)
        .debugger_hook(
            DebuggerHook::new().output_path(format!("s3://{bucket}/debug")).collection(TensorCollection::new("losses")),
        )
        .debugger_rule(DebuggerRule::builtin(BuiltinRule::LossNotDecreasing))
        .hyperparameter("horizon", 24)
        .hyperparameter("kind", "deep")
        .hyperparameter("rates", vec![0.1, 0.2])
        .build()?;
    let channels = Channels::default()
        .with("train", TrainingInput::csv(&data).distribution(DataDistribution::ShardedByS3Key))
        .with("more", TrainingInput::new(&data).input_mode(InputMode::Pipe).gzip().record_io().shuffle(7));
    let job = estimator.fit(&session, channels.clone()).await?;

    let again = ContainerEstimator::attach(&session, job.name()).await?;
    let description = job.describe().await?;
    assert_eq!(description.channels()?, channels);
    let plan = |estimator: &ContainerEstimator, channels: &Channels| {
        let context = PlanContext::new(session.region(), session.now()).job_name("same");
        estimator.plan(&context, channels).map(|plan| plan.request().clone())
    };
    assert_eq!(plan(&again, &description.channels()?)?, plan(&estimator, &channels)?);
    // The name of the next job begins as that of this one.
    let next = again.plan(&PlanContext::new(session.region(), session.now()), &channels)?;
    assert!(next.job_name().starts_with("forecaster-"), "{}", next.job_name());

    let changed = again.edit().hyperparameter("horizon", 48).build()?;
    assert_eq!(changed.hyperparameters()["horizon"], "48");
    assert_eq!(changed.hyperparameters()["rates"], "[0.1, 0.2]");
    Ok(())
}

#[tokio::test]
async fn a_job_that_the_python_sdk_started_too() -> Result<()> {
    let session = session();
    let data = put(&session, "in/a.csv", "1,2\n").await?.to_string();
    let source = sdk::S3DataSource::builder()
        .s3_data_type(sdk::S3DataType::S3Prefix)
        .s3_uri(&data)
        .s3_data_distribution_type(sdk::S3DataDistribution::FullyReplicated);
    let source = sdk::DataSource::builder().s3_data_source(source.build()).build();
    let request = session
        .aws()
        .sagemaker()
        .create_training_job()
        .training_job_name("pytorch-training-2024-01-31-10-00-00-12")
        .role_arn(ROLE)
        .algorithm_specification(
            sdk::AlgorithmSpecification::builder()
                .training_image(image())
                .training_input_mode(sdk::TrainingInputMode::File)
                .build(),
        )
        .input_data_config(sdk::Channel::builder().channel_name("training").data_source(source).build())
        .output_data_config(sdk::OutputDataConfig::builder().s3_output_path(data.trim_end_matches("a.csv")).build())
        .resource_config(
            sdk::ResourceConfig::builder()
                .instance_type(sdk::TrainingInstanceType::MlM5Large)
                .instance_count(1)
                .volume_size_in_gb(30)
                .build(),
        )
        .stopping_condition(sdk::StoppingCondition::builder().max_runtime_in_seconds(86_400).build())
        .hyper_parameters("epochs", "3")
        .hyper_parameters("sagemaker_program", "\"train.py\"")
        .debug_hook_config(sdk::DebugHookConfig::builder().s3_output_path(&data).build())
        .profiler_config(sdk::ProfilerConfig::builder().s3_output_path(&data).disable_profiler(false).build());
    let asked = request.as_input().clone();
    request.send().await.unwrap();

    let estimator = ContainerEstimator::attach(&session, "pytorch-training-2024-01-31-10-00-00-12").await?;
    let channels = sagemaker::training::TrainingJob::attach(&session, "pytorch-training-2024-01-31-10-00-00-12")
        .await?
        .describe()
        .await?
        .channels()?;
    let context = PlanContext::new(session.region(), session.now());
    let plan = estimator.plan(&context.clone().job_name("pytorch-training-2024-01-31-10-00-00-12"), &channels)?;
    assert_eq!(*plan.request(), asked);
    assert!(estimator.plan(&context, &channels)?.job_name().starts_with("pytorch-training-2"));

    let error = ContainerEstimator::attach(&session, "nothing").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    Ok(())
}

/// The estimator that a job's image and script call for.
async fn typed(session: &Session, job: &TrainingJob) -> Result<Box<dyn Estimator>> {
    let description = job.describe().await?;
    let image: ImageUri = description.training_image().unwrap().parse()?;
    let runs_script = description.raw().hyper_parameters().is_some_and(|all| all.contains_key("sagemaker_program"));
    let name = job.name();
    Ok(match (image.repository(), runs_script) {
        ("sagemaker-scikit-learn", true) => Box::new(SKLearn::attach(session, name).await?),
        ("sagemaker-xgboost", true) => Box::new(frameworks::XGBoost::attach(session, name).await?),
        ("sagemaker-chainer", true) => Box::new(Chainer::attach(session, name).await?),
        (of, true) if of.starts_with("huggingface-") => Box::new(HuggingFace::attach(session, name).await?),
        (of, true) if of.starts_with("pytorch-") => Box::new(PyTorch::attach(session, name).await?),
        (of, true) if of.starts_with("tensorflow-") => Box::new(TensorFlow::attach(session, name).await?),
        (of, true) if of.starts_with("mxnet-") => Box::new(MXNet::attach(session, name).await?),
        ("xgboost" | "sagemaker-xgboost", false) => Box::new(XGBoost::attach(session, name).await?),
        ("kmeans", _) => Box::new(KMeans::attach(session, name).await?),
        ("pca", _) => Box::new(Pca::attach(session, name).await?),
        ("linear-learner", _) => Box::new(LinearLearner::attach(session, name).await?),
        ("knn", _) => Box::new(Knn::attach(session, name).await?),
        ("lda", _) => Box::new(Lda::attach(session, name).await?),
        ("ntm", _) => Box::new(Ntm::attach(session, name).await?),
        ("randomcutforest", _) => Box::new(RandomCutForest::attach(session, name).await?),
        ("factorization-machines", _) => Box::new(FactorizationMachines::attach(session, name).await?),
        ("ipinsights", _) => Box::new(IpInsights::attach(session, name).await?),
        ("object2vec", _) => Box::new(Object2Vec::attach(session, name).await?),
        ("blazingtext", _) => Box::new(BlazingText::attach(session, name).await?),
        ("forecasting-deepar", _) => Box::new(DeepAr::attach(session, name).await?),
        ("image-classification", _) => Box::new(ImageClassification::attach(session, name).await?),
        ("object-detection", _) => Box::new(ObjectDetection::attach(session, name).await?),
        ("semantic-segmentation", _) => Box::new(SemanticSegmentation::attach(session, name).await?),
        ("seq2seq", _) => Box::new(Seq2Seq::attach(session, name).await?),
        _ => Box::new(ContainerEstimator::attach(session, name).await?),
    })
}

/// What the estimator of a job would send under the job's name.
async fn again(session: &Session, job: &TrainingJob, estimator: &dyn Estimator) -> Result<Value> {
    let channels = job.describe().await?.channels()?;
    let plan = estimator.plan(&PlanContext::of(session).job_name(job.name()), &channels)?;
    assert!(plan.uploads().is_empty(), "its script is there already");
    Ok(normal(planned(&plan).await))
}

/// The service sorts tags.
fn normal(mut request: Value) -> Value {
    if let Some(tags) = request["Tags"].as_array_mut() {
        tags.sort_by_cached_key(ToString::to_string);
    }
    if request["Tags"].is_null() {
        request.as_object_mut().unwrap().remove("Tags");
    }
    request
}

#[tokio::test]
async fn each_kind_of_estimator_comes_back_from_its_job() -> Result<()> {
    let session = Session::with_backend(&backend());
    let data = put(&session, "in/a.csv", "1,2\n").await?.to_string();
    for bucket in ["bucket", "codes"] {
        session.aws().s3().create_bucket().bucket(bucket).send().await.unwrap();
    }
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("train.py");
    std::fs::write(&script, "print(1)\n")?;
    let scripts = scripts(&script)?.into_iter().map(|(name, estimator)| (name, estimator, ["train"].as_slice()));
    for (name, estimator, channels) in scripts.chain(algorithms()?) {
        let channels: Channels = match channels {
            [] => RecordSet::prefix(data.as_str(), 50, 8).into(),
            names => names.iter().fold(Channels::default(), |all, of| all.with(*of, TrainingInput::new(data.as_str()))),
        };
        let job = estimator.fit(&session, channels).job_name(name).await?;
        let asked = normal(sent(session.backend().unwrap()));
        let attached = typed(&session, &job).await?;
        assert_eq!(again(&session, &job, &*attached).await?, asked, "{name}");
        assert_eq!(format!("{attached:?}").split([' ', '(']).next(), format!("{estimator:?}").split([' ', '(']).next());
    }
    Ok(())
}

/// What the Python SDK has sent in the scenarios of wire parity.
fn of_python() -> Vec<Value> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/parity/golden");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let requests = files.iter().flat_map(|file| {
        let text = std::fs::read_to_string(file).unwrap().replace("{ts1}", "2024-01-31-10-00-00-123");
        let golden: Value = serde_json::from_str(&text.replace("{ts2}", "2024-01-31-10-00-00-456")).unwrap();
        let requests = golden["requests"].as_array().unwrap().clone();
        requests.into_iter().filter(|request| request["op"] == "sagemaker.CreateTrainingJob")
    });
    requests.map(|request| request["body"].clone()).filter(|body| body["TrainingJobName"] != "my_image").collect()
}

#[tokio::test]
async fn jobs_that_the_python_sdk_started_come_back_typed() -> Result<()> {
    let all = of_python();
    assert!(all.len() > 40, "{}", all.len());
    let mut kinds = BTreeMap::<String, usize>::new();
    let mut names = BTreeSet::new();
    let backend = LocalBackend::builder().region("us-west-2").profile(Profile::Lenient).build();
    let session = Session::with_backend(&backend);
    let location = BucketLocationConstraint::from("us-west-2");
    let location = CreateBucketConfiguration::builder().location_constraint(location).build();
    let fixtures = session.aws().s3().create_bucket().bucket("parity-fixtures").create_bucket_configuration(location);
    fixtures.send().await.unwrap();
    for (key, text) in [
        ("list.manifest", r#"[{"prefix": "s3://parity-fixtures/data/"}, "train.csv"]"#),
        ("list.augmented", r#"{"source-ref": "s3://parity-fixtures/data/train.csv", "label": 1}"#),
        ("train.csv", "1,2\n"),
    ] {
        let target = format!("s3://parity-fixtures/data/{key}").parse()?;
        session.upload_bytes(text, &target, &ContentType::TEXT).await?;
    }
    for mut asked in all {
        // Job names with an underscore, and images that are not in ECR, are refused.
        let (name, image) =
            (asked["TrainingJobName"].as_str().unwrap(), &asked["AlgorithmSpecification"]["TrainingImage"]);
        if name.contains('_') || image.is_null() || !names.insert(name.to_owned()) {
            continue;
        }
        let job = raw(&backend, &asked).await;
        let job = TrainingJob::attach(&session, &job).await?;
        // The service does not tell it.
        asked.as_object_mut().unwrap().remove("SessionChainingConfig");
        let asked = normal(asked);
        let plain = ContainerEstimator::attach(&session, job.name()).await?;
        assert_eq!(again(&session, &job, &plain).await?, asked, "{}", job.name());
        let typed = typed(&session, &job).await?;
        // These need a channel or a hyperparameter that some of the scenarios leave out.
        let channels = job.describe().await?.channels()?;
        if let Err(error) = typed.plan(&PlanContext::of(&session).job_name(job.name()), &channels) {
            let missing = |field: &str| field.starts_with("inputs.") || field == "hyperparameters.num_round";
            assert!(error.invalid_values().iter().all(|value| missing(&value.field)), "{error}");
            continue;
        }
        *kinds.entry(format!("{typed:?}").split([' ', '(']).next().unwrap().to_owned()).or_default() += 1;
        assert_eq!(again(&session, &job, &*typed).await?, asked, "{}", job.name());
    }
    for kind in ["PyTorch", "TensorFlow", "SKLearn", "XGBoost", "HuggingFace", "KMeans", "Pca", "Object2Vec"] {
        assert!(kinds.contains_key(kind), "no {kind} in {kinds:?}");
    }
    Ok(())
}

/// Starts a job by a request as it is.
async fn raw(backend: &LocalBackend, body: &Value) -> String {
    let request = by_hand("sagemaker", "us-west-2", "SageMaker.CreateTrainingJob", "1.1", body);
    let answer = backend.handle(request).await;
    assert_eq!(answer.status(), 200, "{body:#} {:?}", answer.body().bytes().map(String::from_utf8_lossy));
    body["TrainingJobName"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_was_attached_can_be_changed() -> Result<()> {
    let session = Session::with_backend(&backend());
    let data = put(&session, "in/a.csv", "1,2\n").await?.to_string();
    let train = || [("train", TrainingInput::new(data.as_str()))];
    let torch = PyTorch::builder(SourceCode::script("train.py").source_dir("s3://bucket/sourcedir.tar.gz"))
        .framework_version("2.0.1")
        .py_version("py310")
        .hyperparameter("epochs", 5)
        .role(ROLE)
        .compute(Compute::instances("ml.m5.xlarge", 1))
        .build()?;
    torch.fit(&session, train()).job_name("torch").await?;
    let on_gpu = PyTorch::attach(&session, "torch").await?.edit().compute(Compute::instances("ml.g5.xlarge", 1));
    let on_gpu = on_gpu.hyperparameter("epochs", 6).build()?;
    let tag = on_gpu.image_uri("us-east-1")?.tag().map(str::to_owned);
    assert_eq!(tag.as_deref(), Some("2.0.1-gpu-py310"), "versions are known, so that the image follows the instance");
    assert_eq!(on_gpu.hyperparameters()["epochs"], "6");

    let own_image = torch.edit().image_uri(image()).hyperparameter("note", "as it is").build()?;
    own_image.fit(&session, train()).job_name("own-image").await?;
    let again = PyTorch::attach(&session, "own-image").await?;
    assert_eq!(again.image_uri("us-east-1")?.as_str(), image());
    assert_eq!(again.hyperparameters()["note"], "\"as it is\"");

    let kmeans = KMeans::builder(2).role(ROLE).compute(Compute::instances("ml.c5.xlarge", 1)).build()?;
    kmeans.fit(&session, RecordSet::prefix(data.as_str(), 50, 8)).job_name("kmeans").await?;
    let again = KMeans::attach(&session, "kmeans").await?.edit().tol(0.5).build()?;
    let told = again.hyperparameters();
    assert_eq!((told["k"].as_str(), told["feature_dim"].as_str(), told["local_lloyd_tol"].as_str()), ("2", "8", "0.5"));
    let refused = KMeans::attach(&session, "kmeans").await?.edit().tol(2.0).build().unwrap_err();
    assert_eq!(refused.invalid_values()[0].field, "hyperparameters.local_lloyd_tol");
    Ok(())
}

#[tokio::test]
async fn a_job_of_another_kind_is_refused_by_name() -> Result<()> {
    let session = Session::with_backend(&backend());
    let data = put(&session, "in/a.csv", "1,2\n").await?.to_string();
    let train = || [("train", TrainingInput::new(data.as_str()))];
    let xgboost = XGBoost::builder(Objective::RegSquaredError, 5).role(ROLE).compute(one()).build()?;
    xgboost.fit(&session, train()).job_name("builtin").await?;
    let source = SourceCode::script("train.py").source_dir("s3://bucket/sourcedir.tar.gz");
    let script = frameworks::XGBoost::builder(source).framework_version("1.7-1").role(ROLE).compute(one()).build()?;
    script.fit(&session, train()).job_name("script").await?;

    for (error, text) in [
        (XGBoost::attach(&session, "script").await.map(drop), "frameworks::XGBoost::attach takes it"),
        (frameworks::XGBoost::attach(&session, "builtin").await.map(drop), "ContainerEstimator::attach takes it"),
        (SKLearn::attach(&session, "script").await.map(drop), "frameworks::XGBoost::attach takes it"),
        (KMeans::attach(&session, "builtin").await.map(drop), "no image of KMeans"),
        (AlgorithmEstimator::attach(&session, "builtin").await.map(drop), "ContainerEstimator::attach takes it"),
    ] {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(text), "{error}");
    }
    for error in [XGBoost::attach(&session, "none").await.map(drop), PyTorch::attach(&session, "none").await.map(drop)]
    {
        assert_eq!(error.unwrap_err().kind(), ErrorKind::NotFound);
    }

    let arn = crate::training_options::algorithm(&session).await;
    let of_algorithm = AlgorithmEstimator::builder(&session, &arn).await?.role(ROLE).hyperparameter("depth", 7);
    let of_algorithm = of_algorithm.compute(one()).build()?;
    let job =
        of_algorithm.fit(&session, [("training", TrainingInput::new(data.as_str()))]).job_name("algorithm").await?;
    let asked = sent(session.backend().unwrap());
    let attached = AlgorithmEstimator::attach(&session, "algorithm").await?;
    assert_eq!(again(&session, &job, &attached).await?, normal(asked));
    assert_eq!(ContainerEstimator::attach(&session, "algorithm").await.unwrap_err().kind(), ErrorKind::Unsupported);
    Ok(())
}
