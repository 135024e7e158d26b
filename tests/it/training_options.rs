//! Every option of a training job: what it becomes in the request, and what is refused.

use std::time::{Duration, SystemTime};

use sagemaker::aws::sagemaker::types::{
    ChannelSpecification, ContinuousParameterRangeSpecification, HyperParameterSpecification,
    IntegerParameterRangeSpecification, ParameterRange, ParameterType, TrainingInputMode, TrainingInstanceType,
    TrainingSpecification,
};
use sagemaker::estimator::{
    AlgorithmEstimator, Checkpoints, ContainerEstimator, ContainerEstimatorBuilder, Estimator, ExperimentConfig,
    InstancePlacement, PlanContext, RegistryAccess, TrainingPlan,
};
use sagemaker::source::SourceCode;
use sagemaker::training::debugger::{
    BuiltinProfilerRule, BuiltinRule, DebuggerHook, DebuggerRule, DetailedProfiling, FrameworkProfile, Profiler,
    ProfilerRule, ProfilingRange, RuleAction, TensorBoard, TensorCollection,
};
use sagemaker::training::{Channels, FileSystemInput, InputMode, TrainingInput};
use sagemaker::types::{Compute, InstanceGroup, InstanceGroups, S3Uri, Spot, VpcConfig};
use sagemaker::{ErrorKind, Result, Session};

const IMAGE: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/forecaster:3";
const ROLE: &str = "arn:aws:iam::123456789012:role/SageMakerRole";

fn base() -> ContainerEstimatorBuilder {
    ContainerEstimator::builder(IMAGE)
        .role(ROLE)
        .compute(Compute::instances("ml.m5.xlarge", 1))
        .output_path("s3://bucket/out")
}

fn plan(estimator: ContainerEstimatorBuilder, channels: impl Into<Channels>) -> Result<TrainingPlan> {
    let context = PlanContext::new("eu-west-1", SystemTime::UNIX_EPOCH).job_name("job");
    estimator.build()?.plan(&context, &channels.into())
}

/// The fields that are refused.
fn refused(estimator: ContainerEstimatorBuilder, channels: impl Into<Channels>) -> Vec<String> {
    let error = plan(estimator, channels).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    error.invalid_values().iter().map(|value| value.field.clone()).collect()
}

#[test]
fn nothing_is_sent_that_was_not_asked_for() -> Result<()> {
    let plan = plan(base(), Channels::default())?;
    let request = plan.request();
    assert!(request.get_debug_hook_config().is_none() && request.get_profiler_config().is_none());
    assert!(request.get_enable_network_isolation().is_none() && request.get_checkpoint_config().is_none());
    assert!(request.get_input_data_config().is_none() && request.get_environment().is_none());
    assert!(request.get_tags().is_none() && request.get_retry_strategy().is_none());
    let algorithm = request.get_algorithm_specification().clone().unwrap();
    assert!(algorithm.metric_definitions().is_empty() && algorithm.enable_sage_maker_metrics_time_series().is_none());
    Ok(())
}

#[test]
fn options_become_members_of_the_request() -> Result<()> {
    let credentials = "arn:aws:lambda:eu-west-1:123456789012:function:login";
    let estimator = base()
        .vpc(VpcConfig::new(["subnet-1"], ["sg-1"]))
        .registry_access(RegistryAccess::VpcWithCredentials(credentials.to_owned()))
        .checkpoints(Checkpoints::at("s3://bucket/state").local_path("/opt/ml/state"))
        .experiment(ExperimentConfig::new().experiment("e").trial("t").display_name("d").run("r"))
        .placement(InstancePlacement::new().share_with_other_jobs().on_ultra_server("us-1", 4))
        .container_entrypoint(["python3", "-m", "train"])
        .container_arguments(["--fast"])
        .metric_definition("loss", "loss=(.*)")
        .initial_model("s3://bucket/model.tar.gz")
        .initial_model_channel("start")
        .encrypt_inter_container_traffic()
        .profiler_rule(ProfilerRule::builtin(BuiltinProfilerRule::LoadBalancing));
    let plan = plan(estimator, TrainingInput::new("s3://bucket/data").input_mode(InputMode::FastFile))?;
    let request = plan.request();
    let algorithm = request.get_algorithm_specification().clone().unwrap();
    assert_eq!(algorithm.training_input_mode().unwrap().as_str(), "FastFile", "a single input's mode is the job's");
    assert_eq!(algorithm.container_entrypoint(), ["python3", "-m", "train"]);
    let auth = algorithm.training_image_config().unwrap().training_repository_auth_config().unwrap();
    assert_eq!(auth.training_repository_credentials_provider_arn(), Some(credentials));
    assert_eq!(request.get_checkpoint_config().as_ref().unwrap().local_path(), Some("/opt/ml/state"));
    assert_eq!(request.get_experiment_config().as_ref().unwrap().run_name(), Some("r"));
    let placement = request.get_resource_config().as_ref().unwrap().instance_placement_config().unwrap();
    assert_eq!(placement.placement_specifications()[0].instance_count(), Some(4));
    let channels = request.get_input_data_config().clone().unwrap();
    let named: Vec<_> = channels.iter().filter_map(|channel| channel.channel_name()).collect();
    assert_eq!(named, ["training", "start"]);
    assert_eq!(channels[1].content_type(), Some("application/x-sagemaker-model"));
    // A rule brings a profiler along, and both are at the output path.
    let profiler = request.get_profiler_config().clone().unwrap();
    assert_eq!((profiler.s3_output_path(), profiler.disable_profiler()), (Some("s3://bucket/out"), Some(false)));
    let rule = &request.get_profiler_rule_configurations().as_ref().unwrap()[0];
    assert_eq!(rule.rule_parameters().unwrap()["threshold"], "0.5");
    assert!(rule.rule_evaluator_image().unwrap().starts_with("929884845733.dkr.ecr.eu-west-1."));
    Ok(())
}

#[test]
fn rules_bring_the_tensors_that_they_need_and_each_collection_once() -> Result<()> {
    let losses = || TensorCollection::new("losses").parameter("save_interval", "500");
    let estimator = base()
        .debugger_hook(DebuggerHook::new().collection(losses()))
        .debugger_rule(DebuggerRule::builtin(BuiltinRule::LossNotDecreasing))
        .debugger_rule(DebuggerRule::custom("mine", IMAGE, "ml.t3.medium", 10).collections([losses()]));
    let plan = plan(estimator, Channels::default())?;
    let hook = plan.request().get_debug_hook_config().clone().unwrap();
    assert_eq!((hook.s3_output_path(), hook.collection_configurations().len()), (Some("s3://bucket/out"), 1));
    let rules = plan.request().get_debug_rule_configurations().clone().unwrap();
    assert_eq!(rules[1].volume_size_in_gb(), Some(10));
    Ok(())
}

#[test]
fn rules_act_and_bring_their_own_code_and_the_framework_is_profiled() -> Result<()> {
    let source = S3Uri::new("bucket", "rules/mine.py")?;
    let trials = || ["s3://bucket/a", "s3://bucket/b"].map(|uri| uri.parse().unwrap());
    let own = DebuggerRule::custom("mine", IMAGE, "ml.t3.medium", 10).source(&source, "Mine").other_trials(trials());
    let profile = FrameworkProfile::new().detailed(DetailedProfiling::new().range(ProfilingRange::steps(6, 2)));
    let estimator = base()
        .debugger_rule(DebuggerRule::builtin(BuiltinRule::Overfit).action(RuleAction::stop_training()))
        .debugger_rule(own)
        .profiler(Profiler::new().framework(profile).parameter("LocalPath", "/mine"));
    let plan = plan(estimator, Channels::default())?;
    let rules = plan.request().get_debug_rule_configurations().clone().unwrap();
    let parameters = rules[0].rule_parameters().unwrap();
    let action = r#"[{\"name\": \"stoptraining\", \"training_job_prefix\": \"job\"}]"#;
    assert_eq!((parameters["rule_to_invoke"].as_str(), parameters["action_json"].as_str()), ("Overfit", action));
    let parameters = rules[1].rule_parameters().unwrap();
    let own = ["source_s3_uri", "rule_to_invoke", "other_trial_0", "other_trial_1"].map(|name| &*parameters[name]);
    assert_eq!(own, ["s3://bucket/rules/mine.py", "Mine", "s3://bucket/a", "s3://bucket/b"]);
    let profiler = plan.request().get_profiler_config().clone().unwrap();
    let parameters = profiler.profiling_parameters().unwrap();
    assert_eq!(parameters["DetailedProfilingConfig"], r#"{"StartStep": 6, "NumSteps": 2, }"#);
    assert_eq!((parameters["LocalPath"].as_str(), parameters.len()), ("/mine", 5));

    let builtin = DebuggerRule::builtin(BuiltinRule::Overfit).source(&source, "Mine").action(RuleAction::sms("1"));
    let refused = refused(base().debugger_rule(builtin), Channels::default());
    assert_eq!(refused, ["debugger_rules.Overfit"; 2]);
    Ok(())
}

#[test]
fn an_error_lists_every_refused_option() {
    let estimator = ContainerEstimator::builder(IMAGE)
        .role("arn:aws:iam::1:user/x")
        .compute(InstanceGroups::new([
            InstanceGroup::new("a", "m5.large", 1),
            InstanceGroup::new("a", "ml.m5.large", 0),
        ]))
        .keep_alive(Duration::from_secs(7 * 3600))
        .spot(Spot::max_wait(Duration::from_secs(10)))
        .max_retries(31)
        .checkpoints(Checkpoints::at("bucket/state"))
        .training_plan("plan")
        .profiler(Profiler::new().interval(Duration::from_millis(300)))
        .tensorboard(TensorBoard::new("nowhere"));
    let error = estimator.build().unwrap_err();
    let fields: Vec<&str> = error.invalid_values().iter().map(|value| value.field.as_str()).collect();
    for field in [
        "role",
        "compute.instance_groups.a",
        "keep_alive",
        "spot.max_wait",
        "max_retries",
        "checkpoints",
        "training_plan",
        "profiler.interval",
        "tensorboard.output_path",
    ] {
        assert!(fields.contains(&field), "{field} is missing in {fields:?}");
    }
}

#[test]
fn a_private_registry_needs_a_network_of_the_estimator_or_the_session() {
    // The session, which is not known when an estimator is built, may have one.
    let private = base().registry_access(RegistryAccess::Vpc);
    assert_eq!(refused(private, Channels::default()), ["registry_access"]);
}

#[test]
fn permissions_follow_the_partition_and_the_role() -> Result<()> {
    let estimator = ContainerEstimator::builder(IMAGE).compute(Compute::instances("ml.m5.large", 1)).build()?;
    let context = PlanContext::new("us-iso-east-1", SystemTime::UNIX_EPOCH);
    let permissions = estimator.plan(&context, &Channels::default())?.permissions();
    let on = |action: &str| permissions.iter().find(|it| it.action == action).map(|it| it.resource.as_str());
    assert_eq!(on("iam:GetRole"), Some("arn:aws-iso:iam::*:role/*"));
    assert_eq!(on("iam:PassRole"), Some("arn:aws-iso:iam::*:role/*"));
    Ok(())
}

#[test]
fn an_error_lists_every_refused_input() {
    let many = Channels::default()
        .with("augmented", TrainingInput::augmented_manifest("s3://bucket/m", Vec::<String>::new()))
        .with("packed", TrainingInput::new("s3://bucket/x").gzip())
        .with("groups", TrainingInput::new("s3://bucket/x").instance_groups(["data"]))
        .with("files", FileSystemInput::efs("fs-xyz", "data"))
        .with("bad name", TrainingInput::new("b/x"));
    let fields = refused(base(), many);
    for field in [
        "inputs.augmented",
        "inputs.augmented.attributes",
        "inputs.packed.gzip",
        "inputs.groups.instance_groups",
        "inputs.files",
        "inputs.files.file_system_id",
        "inputs.files.directory",
        "inputs.bad name",
    ] {
        assert!(fields.iter().any(|known| known == field), "{field} is missing in {fields:?}");
    }
    let twice = Channels::from([("model", "s3://bucket/x")]);
    assert_eq!(refused(base().initial_model("s3://bucket/m"), twice), ["inputs.model"]);
    let groups = base().compute(InstanceGroups::new([InstanceGroup::new("cpu", "ml.m5.large", 1)]));
    let unknown = [("train", TrainingInput::new("s3://bucket/x").instance_groups(["gpu"]))];
    assert_eq!(refused(groups, unknown), ["inputs.train.instance_groups"]);
}

#[test]
fn a_plan_shows_uploads_requests_and_permissions_without_a_call() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("train.py"), "print(1)\n")?;
    let estimator = base()
        .source(SourceCode::script(folder.path().join("train.py")))
        .output_kms_key("arn:aws:kms:eu-west-1:123456789012:key/1")
        .tags([("team", "forecast")])
        .hyperparameter("name", "x");
    let plan = plan(estimator, [("train", "s3://data/sales/")])?;
    let upload = &plan.uploads()[0];
    assert_eq!(upload.target.as_ref().unwrap().to_string(), "s3://bucket/job/source/sourcedir.tar.gz");
    assert_eq!((upload.what, upload.bytes), ("source code", 9));
    let expected = "\
upload source code (9 bytes) to s3://bucket/job/source/sourcedir.tar.gz
CreateTrainingJob job
  image    123456789012.dkr.ecr.eu-west-1.amazonaws.com/forecaster:3
  compute  1 x ml.m5.xlarge
  limit    86400 s
  role     arn:aws:iam::123456789012:role/SageMakerRole
  channel  train = s3://data/sales/
  output   s3://bucket/out
  set      name = \"x\"
  set      sagemaker_container_log_level = 20
  set      sagemaker_job_name = \"job\"
  set      sagemaker_program = \"train.py\"
  set      sagemaker_region = \"eu-west-1\"
  set      sagemaker_submit_directory = \"s3://bucket/job/source/sourcedir.tar.gz\"
needs s3:ListBucket on arn:aws:s3:::data
needs s3:GetObject on arn:aws:s3:::bucket/job/source/sourcedir.tar.gz
needs s3:PutObject on arn:aws:s3:::bucket/job/source/sourcedir.tar.gz
needs s3:AbortMultipartUpload on arn:aws:s3:::bucket/job/source/sourcedir.tar.gz
needs kms:GenerateDataKey on arn:aws:kms:eu-west-1:123456789012:key/1
needs kms:Decrypt on arn:aws:kms:eu-west-1:123456789012:key/1
needs iam:PassRole on arn:aws:iam::123456789012:role/SageMakerRole
needs sagemaker:CreateTrainingJob on arn:aws:sagemaker:eu-west-1:*:training-job/job
needs sagemaker:AddTags on arn:aws:sagemaker:eu-west-1:*:training-job/job
needs sagemaker:DescribeTrainingJob on arn:aws:sagemaker:eu-west-1:*:training-job/job
needs sagemaker:ListTrainingJobs on *
needs logs:DescribeLogStreams on arn:aws:logs:eu-west-1:*:log-group:/aws/sagemaker/TrainingJobs:*
needs logs:GetLogEvents on arn:aws:logs:eu-west-1:*:log-group:/aws/sagemaker/TrainingJobs:*
";
    assert_eq!(plan.to_string(), expected);
    Ok(())
}

#[test]
fn what_is_not_known_offline_stays_open() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("train.py"), "")?;
    let estimator = ContainerEstimator::builder(IMAGE)
        .role("Trainer")
        .compute(Compute::instances("ml.m5.xlarge", 1))
        .source(SourceCode::script(folder.path().join("train.py")))
        .build()?;
    let context = PlanContext::new("eu-west-1", SystemTime::UNIX_EPOCH).job_name("job");
    let open = estimator.plan(&context, &Channels::default())?;
    assert_eq!(open.uploads()[0].target, None);
    let text = open.to_string();
    assert!(text.contains("role     Trainer") && text.contains("needs iam:GetRole on arn:aws:iam::*:role/*Trainer"));
    assert!(text.contains("to the session's default bucket"), "{text}");
    let known = estimator.plan(&context.default_output("s3://mine/".parse()?), &Channels::default())?;
    let target = known.uploads()[0].target.as_ref().unwrap().to_string();
    assert_eq!(target, "s3://mine/job/source/sourcedir.tar.gz");
    Ok(())
}

/// An algorithm resource with one whole and one continuous hyperparameter.
pub async fn algorithm(session: &Session) -> String {
    let specification = |name: &str, kind: ParameterType, range: ParameterRange| {
        HyperParameterSpecification::builder().name(name).r#type(kind).is_tunable(true).range(range)
    };
    let whole = IntegerParameterRangeSpecification::builder().min_value("1").max_value("10").build();
    let whole = ParameterRange::builder().integer_parameter_range_specification(whole).build();
    let real = ContinuousParameterRangeSpecification::builder().min_value("0.0").max_value("1.0").build();
    let real = ParameterRange::builder().continuous_parameter_range_specification(real).build();
    let channel = ChannelSpecification::builder()
        .name("training")
        .is_required(true)
        .supported_content_types("text/csv")
        .supported_input_modes(TrainingInputMode::File)
        .build();
    let training = TrainingSpecification::builder()
        .training_image(IMAGE)
        .supported_hyper_parameters(specification("depth", ParameterType::Integer, whole).is_required(true).build())
        .supported_hyper_parameters(specification("rate", ParameterType::Continuous, real).default_value("0.5").build())
        .supported_training_instance_types(TrainingInstanceType::MlM5Xlarge)
        .supports_distributed_training(false)
        .training_channels(channel);
    let made = session.aws().sagemaker().create_algorithm().algorithm_name("trees");
    let made = made.training_specification(training.build()).send().await.unwrap();
    made.algorithm_arn.unwrap()
}

#[tokio::test]
async fn an_algorithm_is_checked_against_what_it_takes() -> Result<()> {
    let session = Session::local();
    let arn = algorithm(&session).await;
    let builder = AlgorithmEstimator::builder(&session, &arn).await?.role(ROLE).output_path("s3://bucket/out");
    let good = builder.clone().compute(Compute::instances("ml.m5.xlarge", 1)).hyperparameter("depth", 7).build()?;
    let context = PlanContext::new(session.region(), SystemTime::UNIX_EPOCH);
    let plan = good.plan(&context, &Channels::from("s3://bucket/data"))?;
    let request = plan.request();
    assert_eq!(request.get_algorithm_specification().as_ref().unwrap().algorithm_name(), Some(arn.as_str()));
    let told = request.get_hyper_parameters().clone().unwrap();
    assert_eq!((told["depth"].as_str(), told["rate"].as_str()), ("7", "0.5"));
    assert!(plan.job_name().starts_with("trees-1970"), "{}", plan.job_name());

    let bad = builder.compute(Compute::instances("ml.m5.large", 2)).hyperparameter("rate", 2.5).hyperparameter("x", 1);
    let error = bad.build().unwrap_err();
    let fields: Vec<&str> = error.invalid_values().iter().map(|value| value.field.as_str()).collect();
    let expected = [
        "hyperparameters.rate",
        "hyperparameters.x",
        "hyperparameters.depth",
        "compute.instance_type",
        "compute.instance_count",
    ];
    assert_eq!(fields, expected);
    let error = good.plan(&context, &Channels::from([("train", "s3://bucket/data")])).unwrap_err();
    assert_eq!(error.invalid_values().len(), 2, "{error}");
    let missing = AlgorithmEstimator::builder(&session, arn.replace("trees", "none")).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    Ok(())
}
