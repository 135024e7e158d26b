//! Scenarios `train_*`: containers and their options.

use std::time::Duration;

use futures_util::TryStreamExt;
use sagemaker::algorithms::xgboost::{Objective, XGBoost};
use sagemaker::estimator::{AlgorithmEstimator, ContainerEstimator, ContainerEstimatorBuilder, EstimatorExt};
use sagemaker::frameworks::{ModelDir, PyTorch, SKLearn, TensorFlow};
use sagemaker::job::JobEvent;
use sagemaker::source::SourceCode;
use sagemaker::training::debugger::{
    BuiltinProfilerRule, BuiltinRule, DebuggerHook, DebuggerRule, Profiler, ProfilerRule, TensorBoard, TensorCollection,
};
use sagemaker::training::{
    Channels, DataDistribution, FileSystemInput, HyperparameterValue, InputMode, TrainingInput, TrainingJob,
};
use sagemaker::types::{Compute, InstanceGroup, InstanceGroups, Spot};
use sagemaker::{Result, Session};
use serde_json::json;

use super::support::{DATA, IMAGE, KMS_KEY, ROLE, VOLUME_KMS_KEY, WorkDir, below, fresh, scenarios, vpc};

scenarios![
    train_algorithm_hosting,
    train_attach_script,
    train_config_defaults,
    train_debugger_rules,
    train_filesystem_efs,
    train_generic_script,
    train_hyperparameter_encoding,
    train_hyperparameter_update,
    train_incremental_script,
    train_input_modes,
    train_instance_groups,
    train_isolated_script_kms,
    train_profiler_rules,
    train_retry_reserved,
    train_retry_spot_stop,
    train_role_path,
    train_tags_mapping_logs,
    train_xgboost_csv,
];

/// The image of most scenarios.
fn generic(compute: Compute) -> ContainerEstimatorBuilder {
    ContainerEstimator::builder(IMAGE).role(ROLE).compute(compute)
}

fn one(instance_type: &str) -> Compute {
    Compute::instances(instance_type, 1)
}

/// Waits and shows all logs.
async fn follow(job: &TrainingJob) -> Result<()> {
    let _lines: Vec<_> = job.logs().try_collect().await?;
    job.wait().await?;
    Ok(())
}

/// Waits until the job trains, or is over: before that some things cannot be changed.
async fn begun(job: &TrainingJob) -> Result<()> {
    let mut events = job.events();
    while let Some(event) = events.try_next().await? {
        if matches!(event, JobEvent::Status(change) if change.status == "Training") {
            break;
        }
    }
    Ok(())
}

pub async fn train_algorithm_hosting(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let arn = "arn:aws:sagemaker:us-west-2:123456789012:algorithm/parity-algorithm";
    let tags = [("a", "1")];
    let estimator = AlgorithmEstimator::builder(session, arn)
        .await?
        .role(ROLE)
        .compute(Compute::instances("ml.m5.xlarge", 2).volume_gb(15))
        .output_path(below("algo-host"))
        .tags(tags)
        .hyperparameter("depth", 7)
        .hyperparameter("rate", 0.25)
        .build()?;
    let done = estimator.fit(session, [("training", DATA)]).job_name("algo-host-job").await?.wait().await?;
    let model = estimator.model(session, &done).tags(tags).await?;
    model.deploy(one("ml.m5.xlarge")).tags(tags).endpoint_name("algo-endpoint").await?;
    Ok(())
}

pub async fn train_attach_script(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let source = SKLearn::builder(folder.write("train.py", "print('one')\n")?)
        .framework_version("1.2-1")
        .role(ROLE)
        .compute(one("ml.m5.large"))
        .output_path(below("attach-script"))
        .hyperparameter("trees", 10)
        .hyperparameter("label", "y")
        .build()?;
    let job = source.fit(session, [("train", DATA)]).job_name("attach-script-source").await?;
    let done = job.wait().await?;
    let attached = SKLearn::attach(session, "attach-script-source").await?;
    let model = attached.serving_model(&done)?.create(session, "ml.m5.large").await?.await?;
    model.deploy(one("ml.m5.large")).endpoint_name("attach-script-endpoint").await?;
    Ok(())
}

const DEFAULTS: &str = r#"
SchemaVersion: "1.0"
SageMaker:
  PythonSDK:
    Modules:
      Session:
        DefaultS3Bucket: parity-fixtures
        DefaultS3ObjectKeyPrefix: configured
      TelemetryOptOut: true
  TrainingJob:
    RoleArn: arn:aws:iam::123456789012:role/SageMakerRole
    EnableNetworkIsolation: true
    EnableInterContainerTrafficEncryption: true
    VpcConfig:
      Subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b]
      SecurityGroupIds: [sg-01234567]
    OutputDataConfig:
      KmsKeyId: arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555
    ResourceConfig:
      VolumeKmsKeyId: arn:aws:kms:us-west-2:123456789012:key/66666666-7777-8888-9999-000000000000
    Environment:
      FROM: config
    Tags:
      - {Key: project, Value: configured}
      - {Key: stage, Value: config}
    ProfilerConfig:
      DisableProfiler: true
"#;

pub async fn train_config_defaults(session: &Session) -> Result<()> {
    let folder = WorkDir::new()?;
    let file = folder.write("config.yaml", DEFAULTS)?;
    let session = fresh(session).config_file(file.to_string_lossy()).build().await?;
    session.ensure_bucket().await?;
    let plain = || ContainerEstimator::builder(IMAGE).compute(one("ml.m5.large"));
    plain().build()?.fit(&session, [("train", DATA)]).job_name("configured-one").await?;
    let given = plain()
        .role(ROLE)
        .without_network_isolation()
        .tags([("stage", "given"), ("owner", "me")])
        .environment("FROM", "code")
        .output_path(below("given"))
        .build()?;
    given.fit(&session, [("train", DATA)]).job_name("configured-two").await?;
    Ok(())
}

pub async fn train_debugger_rules(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let hook = DebuggerHook::new()
        .output_path(below("debug-tensors"))
        .local_path("/opt/ml/output/tensors")
        .parameter("save_interval", "100")
        .collection(TensorCollection::new("losses").parameter("save_interval", "50"))
        .collection(TensorCollection::new("gradients"));
    let slow_loss = DebuggerRule::builtin(BuiltinRule::LossNotDecreasing)
        .name("slow-loss")
        .parameter("collection_names", "losses")
        .parameter("num_steps", "10");
    let estimator = generic(one("ml.m5.xlarge"))
        .output_path(below("debugged"))
        .debugger_hook(hook)
        .debugger_rule(DebuggerRule::builtin(BuiltinRule::VanishingGradient))
        .debugger_rule(slow_loss)
        .tensorboard(TensorBoard::new(below("board")).local_path("/opt/ml/output/board"))
        .build()?;
    estimator.fit(session, [("train", DATA)]).job_name("debugged-job").await?;
    Ok(())
}

pub async fn train_filesystem_efs(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let estimator = generic(one("ml.m5.large")).vpc(vpc()).output_path(below("efs")).build()?;
    let one = FileSystemInput::efs("fs-0123456789abcdef0", "/datasets/one");
    let two = FileSystemInput::efs("fs-0fedcba9876543210", "/datasets/two").read_write().content_type("text/csv");
    estimator.fit(session, one.clone()).job_name("efs-single").await?;
    estimator.fit(session, [("train", one), ("extra", two)]).job_name("efs-double").await?;
    Ok(())
}

pub async fn train_generic_script(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    folder.write("src/main.py", "import helper\n")?;
    folder.write("src/helper.py", "VALUE = 1\n")?;
    folder.write("src/requirements.txt", "numpy\n")?;
    let estimator = generic(one("ml.m5.large"))
        .source(SourceCode::script("main.py").source_dir(folder.path("src")).container_log_level(10))
        .container_arguments(["--fast"])
        .output_path(below("generic"))
        .hyperparameter("width", 3)
        .hyperparameter("name", "x")
        .build()?;
    estimator.fit(session, [("train", DATA)]).job_name("generic-script").await?;
    Ok(())
}

pub async fn train_hyperparameter_encoding(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let parameters = || -> [(&str, HyperparameterValue); 14] {
        [
            ("an_int", 7.into()),
            ("a_negative", (-3).into()),
            ("a_float", 0.1.into()),
            ("a_whole_float", 2.0.into()),
            ("a_small_float", 1e-5.into()),
            ("a_large_int", 12_345_678_901_i64.into()),
            ("a_true", true.into()),
            ("a_false", false.into()),
            ("a_string", "plain text".into()),
            ("an_empty", "".into()),
            ("a_list", json!([1, 2.5, "three"]).into()),
            ("a_dict", json!({"k": "v"}).into()),
            ("a_nothing", None::<i64>.into()),
            ("a_number_string", "10".into()),
        ]
    };
    let plain = generic(one("ml.m5.large"))
        .base_job_name("encoding")
        .output_path(below("encoding"))
        .hyperparameters(parameters())
        .build()?;
    plain.fit(session, DATA).job_name("encoding-generic").await?;
    let folder = WorkDir::new()?;
    let mut script = PyTorch::builder(folder.write("train.py", "print('train')\n")?)
        .framework_version("2.0")
        .py_version("py310")
        .role(ROLE)
        .compute(one("ml.m5.large"))
        .output_path(below("encoding"));
    for (name, value) in parameters() {
        script = script.hyperparameter(name, value);
    }
    script.build()?.fit(session, DATA).job_name("encoding-script").await?;
    Ok(())
}

pub async fn train_hyperparameter_update(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let first: [(&str, HyperparameterValue); 3] = [("epochs", 3.into()), ("rate", 0.5.into()), ("mode", "fast".into())];
    let then: [(&str, HyperparameterValue); 3] =
        [("rate", 0.25.into()), ("layers", "2,4".into()), ("verbose", false.into())];
    let estimator = generic(Compute::instances("ml.c5.xlarge", 2))
        .output_path(below("update"))
        .hyperparameters(first)
        .hyperparameters(then)
        .build()?;
    for _ in 0..2 {
        estimator.fit(session, [("training", "s3://parity-fixtures/data/train.csv")]).await?;
    }
    Ok(())
}

pub async fn train_incremental_script(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let estimator = TensorFlow::builder(folder.write("fine_tune.py", "print('more')\n")?)
        .framework_version("2.11")
        .py_version("py39")
        .role(ROLE)
        .compute(one("ml.m5.xlarge"))
        .initial_model("s3://parity-fixtures/model/with-code.tar.gz")
        .network_isolation()
        .model_dir(ModelDir::None)
        .output_path(below("tuned"))
        .build()?;
    estimator.fit(session, [("training", DATA)]).job_name("incremental-script").await?;
    Ok(())
}

pub async fn train_input_modes(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let estimator = generic(one("ml.m5.large")).input_mode(InputMode::Pipe).output_path(below("modes")).build()?;
    let manifest = TrainingInput::manifest("s3://parity-fixtures/data/list.manifest")
        .distribution(DataDistribution::ShardedByS3Key);
    let augmented =
        TrainingInput::augmented_manifest("s3://parity-fixtures/data/list.augmented", ["source-ref", "label"])
            .record_io()
            .content_type("application/x-recordio")
            .shuffle(1234);
    let channels = Channels::default()
        .with("manifest", manifest)
        .with("augmented", augmented)
        .with("fast", TrainingInput::new(DATA).input_mode(InputMode::FastFile))
        .with("file", TrainingInput::csv(DATA).input_mode(InputMode::File))
        .with("packed", TrainingInput::new(DATA).gzip().shuffle(5));
    estimator.fit(session, channels).job_name("modes-job").await?;
    Ok(())
}

pub async fn train_instance_groups(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let cluster = InstanceGroups::new([
        InstanceGroup::new("data", "ml.c5.4xlarge", 1),
        InstanceGroup::new("compute", "ml.p3.2xlarge", 2),
    ]);
    let estimator = ContainerEstimator::builder(IMAGE)
        .role(ROLE)
        .compute(cluster.volume_gb(50))
        .volume_kms_key(VOLUME_KMS_KEY)
        .output_path(below("groups"))
        .build()?;
    let train = TrainingInput::new("s3://parity-fixtures/data/train.csv").instance_groups(["data"]);
    let all = TrainingInput::new(DATA).instance_groups(["data", "compute"]);
    estimator.fit(session, [("train", train), ("all", all)]).job_name("groups-job").await?;
    Ok(())
}

pub async fn train_isolated_script_kms(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let estimator = SKLearn::builder(folder.write("train.py", "print('isolated')\n")?)
        .framework_version("1.2-1")
        .role(ROLE)
        .compute(one("ml.m5.large"))
        .network_isolation()
        .output_path(below("isolated"))
        .output_kms_key(KMS_KEY)
        .vpc(vpc())
        .hyperparameter("alpha", 0.5)
        .build()?;
    estimator.fit(session, [("train", DATA)]).job_name("isolated-script").await?;
    Ok(())
}

pub async fn train_profiler_rules(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let profiler = Profiler::new().output_path(below("profile")).interval(Duration::from_millis(1000));
    let estimator = PyTorch::builder(folder.write("train.py", "print('p')\n")?)
        .framework_version("1.13.1")
        .py_version("py39")
        .role(ROLE)
        .compute(one("ml.g4dn.xlarge"))
        .output_path(below("profiled"))
        .profiler(profiler)
        .profiler_rule(ProfilerRule::builtin(BuiltinProfilerRule::ProfilerReport).name("report"))
        .debugger_rule(DebuggerRule::builtin(BuiltinRule::Overfit))
        .build()?;
    let job = estimator.fit(session, [("train", DATA)]).job_name("profiled-job").await?;
    job.update().profiler(Profiler::new().interval(Duration::from_millis(500))).await?;
    job.update().profiler(Profiler::disabled()).await
}

pub async fn train_retry_reserved(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let estimator = generic(Compute::instances("ml.p4d.24xlarge", 4))
        .max_retries(3)
        .keep_alive(Duration::from_secs(300))
        .infra_check(true)
        .remote_debug(true)
        .session_tag_chaining(true)
        .training_plan("arn:aws:sagemaker:us-west-2:123456789012:training-plan/plan-one")
        .output_path(below("retry"))
        .uncompressed_output()
        .build()?;
    let job = estimator.fit(session, [("train", DATA)]).job_name("retry-job").await?;
    begun(&job).await?;
    job.update().remote_debug(false).await
}

pub async fn train_retry_spot_stop(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let estimator = generic(one("ml.g4dn.xlarge"))
        .spot(Spot::max_wait(Duration::from_secs(3600)))
        .max_run(Duration::from_secs(1800))
        .max_retries(1)
        .output_path(below("stop"))
        .build()?;
    let job = estimator.fit(session, [("train", DATA)]).job_name("stop-job").await?;
    job.stop().await
}

pub async fn train_role_path(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    for (image, role, base) in [
        ("registry.example.internal:5000/team/my_image:1.2", ROLE, None),
        ("plain-image", ROLE, None),
        ("plain-image", "SageMakerRole", Some("third")),
    ] {
        let mut estimator =
            ContainerEstimator::builder(image).role(role).compute(one("ml.m5.large")).output_path(below("named"));
        if let Some(base) = base {
            estimator = estimator.base_job_name(base);
        }
        estimator.build()?.fit(session, [("train", DATA)]).await?;
    }
    Ok(())
}

pub async fn train_tags_mapping_logs(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let estimator = ContainerEstimator::builder("174872318107.dkr.ecr.us-west-2.amazonaws.com/linear-learner:1")
        .role(ROLE)
        .compute(one("ml.m4.xlarge"))
        .output_path(below("mapping/"))
        .tags([("owner", "parity"), ("cost-centre", "42")])
        .metrics_time_series(false)
        .hyperparameter("predictor_type", "regressor")
        .hyperparameter("mini_batch_size", 2)
        .build()?;
    let job = estimator.fit(session, [("train", TrainingInput::csv(DATA))]).job_name("mapping-job").await?;
    follow(&job).await
}

pub async fn train_xgboost_csv(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let train = folder.write("data/train/train.csv", "1,0.5,10\n0,0.25,20\n1,0.75,30\n")?;
    let train = session.upload(train, "demo-xgboost/train").await?;
    let validation = folder.write("data/validation/validation.csv", "0,0.1,40\n1,0.9,50\n")?;
    let validation = session.upload(validation, "demo-xgboost/validation").await?;
    let xgboost = XGBoost::builder(Objective::BinaryLogistic, 100)
        .version("1.7-1")
        .max_depth(5)
        .eta(0.2)
        .gamma(4.0)
        .min_child_weight(6.0)
        .subsample(0.8)
        .role(ROLE)
        .compute(Compute::instances("ml.m5.xlarge", 1).volume_gb(5))
        .output_path(below("demo-xgboost/output"))
        .build()?;
    let csv = |uri| TrainingInput::new(uri).content_type("csv");
    let inputs = [("train", csv(train)), ("validation", csv(validation))];
    follow(&xgboost.fit(session, inputs).job_name("demo-xgboost-job").await?).await
}
