//! Scenarios `more_*` of jobs: options in combination, a defaults file, a key prefix.

use std::time::Duration;

use sagemaker::algorithms::Pca;
use sagemaker::estimator::{
    Checkpoints, ContainerEstimator, ContainerEstimatorBuilder, EstimatorExt, ExperimentConfig, InstancePlacement,
    RegistryAccess,
};
use sagemaker::frameworks::{PyTorch, SKLearn, TensorFlow};
use sagemaker::model::Model;
use sagemaker::training::debugger::{
    BuiltinProfilerRule, BuiltinRule, DebuggerHook, DebuggerRule, Profiler, ProfilerRule, TensorBoard, TensorCollection,
};
use sagemaker::training::{Channels, DataDistribution, FileSystemInput, InputMode, TrainingInput};
use sagemaker::transform::TransformInput;
use sagemaker::types::{Compute, InstanceGroup, InstanceGroups, Spot, VpcConfig};
use sagemaker::{Result, Session};
use serde_json::json;

use super::more_scripts::odd_values;
use super::support::{DATA, IMAGE, KMS_KEY, ROLE, VOLUME_KMS_KEY, WorkDir, below, fresh, scenarios, vpc};

scenarios![more_options, more_prefix, more_config];

fn one(instance_type: &str) -> Compute {
    Compute::instances(instance_type, 1)
}

fn generic(compute: Compute) -> ContainerEstimatorBuilder {
    ContainerEstimator::builder(IMAGE).role(ROLE).compute(compute).output_path(below("more"))
}

fn small() -> ContainerEstimatorBuilder {
    generic(one("ml.m5.large"))
}

async fn start(
    session: &Session,
    name: &str,
    estimator: ContainerEstimatorBuilder,
    inputs: impl Into<Channels>,
) -> Result<()> {
    estimator.build()?.fit(session, inputs).job_name(name).await?;
    Ok(())
}

pub async fn more_options(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let train = || [("train", DATA)];
    let weights = TensorCollection::new("weights").parameter("save_interval", "10");
    let watched = generic(one("ml.p3.2xlarge"))
        .max_run(Duration::from_secs(3600))
        .spot(Spot::max_wait(Duration::from_secs(7200)))
        .checkpoints(Checkpoints::at(below("check")).local_path("/opt/ml/state"))
        .debugger_rule(DebuggerRule::builtin(BuiltinRule::Overtraining))
        .debugger_rule(DebuggerRule::builtin(BuiltinRule::LossNotDecreasing))
        .profiler_rule(ProfilerRule::builtin(BuiltinProfilerRule::LowGpuUtilization))
        .debugger_hook(DebuggerHook::new().output_path(below("tensors")).collection(weights))
        .profiler(Profiler::new().interval(Duration::from_millis(500)))
        .tensorboard(TensorBoard::new(below("board")));
    start(session, "all-watched", watched, train()).await?;
    start(session, "none-watched", small().profiler(Profiler::disabled()), train()).await?;
    let own = DebuggerRule::custom("mine", IMAGE, "ml.t3.medium", 30).parameter("threshold", "10");
    let own = own.collections([TensorCollection::new("gradients")]);
    start(session, "own-rule", small().debugger_rule(own), train()).await?;
    let closed = generic(Compute::instances("ml.m5.large", 2).volume_gb(50))
        .vpc(vpc())
        .network_isolation()
        .encrypt_inter_container_traffic()
        .volume_kms_key(VOLUME_KMS_KEY)
        .output_kms_key(KMS_KEY)
        .keep_alive(Duration::from_secs(1800))
        .environment("A", "1")
        .environment("B", "two")
        .metric_definition("loss", "loss=(.*)")
        .metric_definition("acc", "acc=(.*)")
        .metrics_time_series(true)
        .max_retries(2)
        .experiment(ExperimentConfig::new().experiment("e").trial("t").display_name("d").run("r"));
    start(session, "closed", closed, train()).await?;
    for family in ["g5.xlarge", "r5d.large", "p4d.24xlarge", "trn1.2xlarge", "c5.xlarge", "g4dn.xlarge"] {
        let name = format!("volume-{}", family.split('.').next().unwrap_or_default());
        start(session, &name, generic(one(&format!("ml.{family}"))).volume_kms_key(VOLUME_KMS_KEY), train()).await?;
    }
    let function = "arn:aws:lambda:us-west-2:123456789012:function:login";
    let registry = small()
        .vpc(vpc())
        .registry_access(RegistryAccess::VpcWithCredentials(function.to_owned()))
        .container_entrypoint(["python3", "-m", "train"])
        .container_arguments(["--fast", "x"])
        .uncompressed_output();
    start(session, "registry", registry, train()).await?;
    let groups = [InstanceGroup::new("a", "ml.c5.xlarge", 1), InstanceGroup::new("b", "ml.g5.xlarge", 1)];
    let groups = ContainerEstimator::builder(IMAGE)
        .role(ROLE)
        .compute(InstanceGroups::new(groups))
        .output_path(below("more"))
        .volume_kms_key(VOLUME_KMS_KEY)
        .checkpoints(Checkpoints::at(below("check")));
    let sharded = TrainingInput::new(DATA).instance_groups(["a"]).distribution(DataDistribution::ShardedByS3Key);
    start(session, "groups-key", groups, [("train", sharded)]).await?;
    let begun = small().initial_model("s3://parity-fixtures/model/model.tar.gz").initial_model_channel("start");
    start(session, "begun", begun.input_mode(InputMode::Pipe), train()).await?;
    let lustre = FileSystemInput::fsx_lustre("fs-0123456789abcdef0", "/mnt/x").read_write().content_type("text/csv");
    let s3 = TrainingInput::new(DATA).gzip().record_io().shuffle(7).input_mode(InputMode::Pipe);
    start(session, "mixed", small().vpc(vpc()), Channels::default().with("lustre", lustre).with("s3", s3)).await?;
    start(session, "single-fast", small(), TrainingInput::csv(DATA).input_mode(InputMode::FastFile)).await?;
    let modes = [("one", TrainingInput::new(DATA).input_mode(InputMode::File)), ("two", TrainingInput::new(DATA))];
    start(session, "modes", small().input_mode(InputMode::Pipe), modes).await?;
    start(session, "no-input", small(), Channels::default()).await?;
    let placement = InstancePlacement::new().share_with_other_jobs().on_ultra_server("us-1", 1);
    start(session, "placed", generic(one("ml.p6e-gb200.36xlarge")).placement(placement), train()).await?;
    let tagged = small().tags([("b", "2"), ("a", "1")]).max_run(Duration::from_secs(60));
    start(session, "tagged", tagged, train()).await?;
    let deep = json!({"a": [1, {"b": null}], "c": true});
    let values = small()
        .hyperparameters(odd_values())
        .hyperparameter("tuple", "(1, 2)")
        .hyperparameter("deep", deep)
        .hyperparameter("list", json!(["a'b", "c"]));
    start(session, "values", values, train()).await
}

pub async fn more_prefix(session: &Session) -> Result<()> {
    let session = &session.with_default_bucket("parity-own-bucket", Some("pre/fix"))?;
    let files = WorkDir::new()?;
    let entry = files.write("train.py", "print('prefix')\n")?;
    let data = session.upload(files.write("a.csv", "1,2\n")?, "mine").await?.to_string();
    session.upload_to(entry.as_path(), &"s3://parity-own-bucket/explicit".parse()?).await?;
    let train = || [("train", data.as_str())];
    let compute = || one("ml.m5.large");
    let torch = PyTorch::builder(entry.as_path()).framework_version("2.0.1").py_version("py310").role(ROLE);
    torch.compute(compute()).build()?.fit(session, train()).job_name("p-torch").await?;
    let flow = TensorFlow::builder(entry.as_path()).framework_version("2.11").py_version("py39").role(ROLE);
    flow.compute(compute()).build()?.fit(session, train()).job_name("p-flow").await?;
    let sklearn = || SKLearn::builder(entry.as_path()).framework_version("1.2-1").role(ROLE).compute(compute());
    let out = sklearn().output_path("s3://parity-own-bucket/out").build()?;
    out.fit(session, train()).job_name("p-out").await?;
    let code = sklearn().code_location("s3://parity-own-bucket/codes").build()?;
    code.fit(session, train()).job_name("p-code").await?;
    sklearn().network_isolation().build()?.fit(session, train()).job_name("p-closed").await?;
    let plain = || ContainerEstimator::builder(IMAGE).role(ROLE).compute(compute()).build();
    plain()?.fit(session, train()).job_name("p-plain").await?;
    let pca = Pca::builder(1).role(ROLE).compute(compute()).build()?;
    pca.fit(session, pca.record_set(session, &[[1.0_f32, 2.0]]).await?).job_name("p-pca").await?;
    let made = plain()?;
    let done = made.fit(session, train()).job_name("p-batch").await?.wait().await?;
    let model = made.model(session, &done).await?;
    let transformer = model.transformer(compute()).build()?;
    transformer.transform(TransformInput::new(data.as_str())).job_name("p-transform").await?;
    Ok(())
}

const DEFAULTS: &str = r#"
SchemaVersion: "1.0"
SageMaker:
  TrainingJob:
    RoleArn: arn:aws:iam::123456789012:role/SageMakerRole
    EnableInterContainerTrafficEncryption: true
    EnableNetworkIsolation: true
    Environment: {A: file, B: file}
    OutputDataConfig: {KmsKeyId: file-output-key}
    ResourceConfig: {VolumeKmsKeyId: file-volume-key}
    VpcConfig: {Subnets: [subnet-0a1b2c3d], SecurityGroupIds: [sg-01234567]}
    Tags: [{Key: a, Value: file}, {Key: b, Value: file}]
  Model:
    ExecutionRoleArn: arn:aws:iam::123456789012:role/SageMakerRole
    EnableNetworkIsolation: true
    VpcConfig: {Subnets: [subnet-0a1b2c3d], SecurityGroupIds: [sg-01234567]}
    PrimaryContainer: {Environment: {M: file}}
    Tags: [{Key: m, Value: file}]
  EndpointConfig:
    KmsKeyId: file-endpoint-key
    Tags: [{Key: c, Value: file}]
  Endpoint:
    Tags: [{Key: e, Value: file}]
  TransformJob:
    Environment: {T: file}
    TransformOutput: {KmsKeyId: file-transform-key}
    TransformResources: {VolumeKmsKeyId: file-transform-volume-key}
    Tags: [{Key: t, Value: file}]
"#;

pub async fn more_config(session: &Session) -> Result<()> {
    let files = WorkDir::new()?;
    let file = files.write("config.yaml", DEFAULTS)?;
    let session = &fresh(session).config_file(file.to_string_lossy()).build().await?;
    session.ensure_bucket().await?;
    let entry = files.write("train.py", "print('config')\n")?;
    let train = || [("train", DATA)];
    let compute = || one("ml.m5.large");
    let script = PyTorch::builder(entry).framework_version("2.0.1").py_version("py310").compute(compute());
    script.build()?.fit(session, train()).job_name("c-script").await?;
    let own = ContainerEstimator::builder(IMAGE)
        .compute(compute())
        .without_network_isolation()
        .without_inter_container_encryption()
        .vpc(VpcConfig::new(["subnet-9"], ["sg-9"]))
        .output_kms_key("own-key")
        .volume_kms_key("own-volume-key")
        .environment("B", "own")
        .tags([("b", "own"), ("z", "own")]);
    start(session, "c-own", own, train()).await?;
    start(session, "c-no-volume", ContainerEstimator::builder(IMAGE).compute(one("ml.g5.xlarge")), train()).await?;
    let groups = InstanceGroups::new([InstanceGroup::new("a", "ml.c5.xlarge", 1)]);
    start(session, "c-groups", ContainerEstimator::builder(IMAGE).compute(groups), train()).await?;
    let data = "s3://parity-fixtures/model/model.tar.gz";
    let model = Model::create(session, IMAGE).model_data(data).name("c-model").await?;
    model.deploy(compute()).endpoint_name("c-endpoint").await?;
    let own = Model::create(session, IMAGE).model_data(data).name("c-model-own").environment("M", "own");
    let own = own.environment("N", "own").map_raw(|request| request.set_enable_network_isolation(None));
    own.tags([("c", "own")]).await?.deploy(compute()).tags([("c", "own")]).endpoint_name("c-endpoint-own").await?;
    let transformer = model.transformer(compute()).build()?;
    transformer.transform(TransformInput::new(DATA)).job_name("c-transform").await?;
    let own = model.transformer(compute()).environment("T", "own").tags([("t", "own")]).build()?;
    let own = own.transform(TransformInput::new(DATA)).job_name("c-transform-own");
    let own = own.map_raw(|request| {
        let mut output = request.get_transform_output().clone();
        output.iter_mut().for_each(|output| output.kms_key_id = Some("own-key".to_owned()));
        let mut resources = request.get_transform_resources().clone();
        resources.iter_mut().for_each(|resources| resources.volume_kms_key_id = Some("own-volume".to_owned()));
        request.set_transform_output(output).set_transform_resources(resources)
    });
    own.await?;
    Ok(())
}
