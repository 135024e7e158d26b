//! Options of training jobs: outputs, checkpoints, kinds of data, spot instances, warm pools, updates.

use std::time::Duration;

use aws_sdk_sagemaker::types as sm;

use super::support::{Aws, channel, refusal, validation};
use crate::local::LocalClock;

const LOG: &str = "/aws/sagemaker/TrainingJobs";

#[tokio::test]
async fn outputs_are_files_where_no_archive_is_wanted() {
    let aws = Aws::new();
    let output = sm::OutputDataConfig::builder()
        .s3_output_path("s3://out/jobs")
        .compression_type(sm::OutputCompressionType::None)
        .build();
    aws.train("plain").output_data_config(output).environment("WITH_DATA", "yes").send().await.unwrap();
    let job = aws.ended("plain").await;
    let model = job.model_artifacts().unwrap().s3_model_artifacts();
    assert_eq!(model, Some("s3://out/jobs/plain/output/model"));
    assert_eq!(aws.get("out", "jobs/plain/output/model/mean.txt").unwrap(), "3");
    assert_eq!(aws.get("out", "jobs/plain/output/data/report.txt").unwrap(), "yes");
    assert_eq!(aws.get("out", "jobs/plain/output/model.tar.gz"), None);
}

#[tokio::test]
async fn a_job_goes_on_from_the_checkpoints_of_another() {
    let aws = Aws::new();
    let config = || sm::CheckpointConfig::builder().s3_uri("s3://out/checkpoints/run").build();
    // Even one that fails leaves what it has kept.
    aws.train("first").checkpoint_config(config()).set_input_data_config(None).send().await.unwrap();
    assert_eq!(aws.ended("first").await.failure_reason(), Some("AlgorithmError: no channel train, exit code: 1"));
    assert_eq!(aws.get("out", "checkpoints/run/epoch/1.txt").unwrap(), "by first");
    aws.train("second").checkpoint_config(config()).send().await.unwrap();
    aws.ended("second").await;
    assert!(aws.lines(LOG).await.contains(&"resumed from epoch/1.txt: by first".to_owned()));
    assert_eq!(aws.get("out", "checkpoints/run/epoch/1.txt").unwrap(), "by second");
    aws.train("third").send().await.unwrap();
    aws.ended("third").await;
    assert_eq!(aws.get("out", "checkpoints/run/epoch/1.txt").unwrap(), "by second", "it keeps none");

    let nowhere = sm::CheckpointConfig::builder().s3_uri("s3://nowhere/x").build();
    let refused = refusal(aws.train("bad").checkpoint_config(nowhere).send().await);
    assert!(refused.1.starts_with("Could not find the output S3 bucket \"nowhere\""), "{refused:?}");
}

#[tokio::test]
async fn augmented_manifests_name_data_and_labels() {
    let aws = Aws::new();
    let lines = r#"{"source-ref": "s3://data/train/b.csv", "label": 4}
{"source-ref": "s3://data/train/a.csv", "label": 7}
"#;
    aws.put("data", "labels.manifest", lines);
    let with = |names: &[&str]| {
        let mut channel = channel("train", "s3://data/labels.manifest", sm::S3DataType::AugmentedManifestFile);
        let source = channel.data_source.as_mut().unwrap().s3_data_source.as_mut().unwrap();
        source.attribute_names = Some(names.iter().map(|&name| name.to_owned()).collect());
        vec![channel]
    };
    let job = aws.train("labels").set_input_data_config(Some(with(&["source-ref", "label"])));
    job.send().await.unwrap();
    assert_eq!(aws.ended("labels").await.failure_reason(), None);
    let log = aws.lines(LOG).await;
    let read = ["reading 1-b.csv", "reading 1-label.json", "reading 2-a.csv", "reading 2-label.json"];
    assert_eq!(log[..4], read);
    assert_eq!(log.last().unwrap(), &format!("mean={}", 23.0 / 6.0));

    aws.train("lacks").set_input_data_config(Some(with(&["weight"]))).send().await.unwrap();
    let reason = aws.ended("lacks").await.failure_reason().unwrap().to_owned();
    assert!(reason.ends_with("line 1 of the augmented manifest s3://data/labels.manifest: it has no attribute weight"));
    let refused = refusal(aws.train("bad").set_input_data_config(Some(with(&[]))).send().await);
    assert!(refused.1.starts_with("AttributeNames must be specified"), "{refused:?}");
}

#[tokio::test]
async fn a_seed_is_an_order_of_the_files() {
    let aws = Aws::new();
    for number in 0..8 {
        aws.put("data", &format!("many/{number}.csv"), "1");
    }
    let order = async |name: &str, seed: i64| {
        let mut channel = channel("train", "s3://data/many/", sm::S3DataType::S3Prefix);
        channel.shuffle_config = Some(sm::ShuffleConfig::builder().seed(seed).build());
        aws.train(name).set_input_data_config(Some(vec![channel])).send().await.unwrap();
        aws.ended(name).await;
        let events = aws.logs.filter_log_events().log_group_name(LOG).log_stream_name_prefix(format!("{name}/"));
        let events = events.send().await.unwrap();
        let lines = events.events().iter().map(|event| event.message().unwrap().to_owned());
        lines.filter(|line| line.starts_with("reading")).collect::<Vec<_>>()
    };
    let first = order("one", -1).await;
    assert_eq!(first.len(), 8);
    assert_eq!(first, order("two", -1).await);
    assert_ne!(first, order("three", 2).await);
}

#[tokio::test]
async fn spot_instances_are_cheaper_and_waited_for() {
    let aws = Aws::new();
    let limit = |runtime: i32, wait: i32| {
        sm::StoppingCondition::builder().max_runtime_in_seconds(runtime).max_wait_time_in_seconds(wait).build()
    };
    let spot = |name: &str| aws.train(name).enable_managed_spot_training(true);
    spot("cheap").stopping_condition(limit(3600, 3600)).send().await.unwrap();
    let job = aws.ended("cheap").await;
    assert!(job.billable_time_in_seconds() < job.training_time_in_seconds());
    assert!(job.billable_time_in_seconds().unwrap() > 0);

    let aws = Aws::with_clock(LocalClock::scaled(2000.0));
    let spot = aws.train("waits").enable_managed_spot_training(true).hyper_parameters("mode", "wait");
    spot.stopping_condition(limit(60, 60)).send().await.unwrap();
    let job = aws.ended("waits").await;
    assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Stopped));
    assert_eq!(job.secondary_status(), Some(&sm::SecondaryStatus::MaxWaitTimeExceeded));
    assert!(job.secondary_status_transitions().last().unwrap().end_time().is_some());
}

fn warm(seconds: i32) -> sm::ResourceConfig {
    sm::ResourceConfig::builder()
        .instance_count(1)
        .instance_type(sm::TrainingInstanceType::MlM5Large)
        .volume_size_in_gb(10)
        .keep_alive_period_in_seconds(seconds)
        .build()
}

#[tokio::test]
async fn a_warm_pool_is_kept_reused_and_given_up() {
    let aws = Aws::with_clock(LocalClock::manual());
    let pass = async |seconds| {
        aws.backend.clock().advance(Duration::from_secs(seconds));
        aws.backend.clock().settle().await;
    };
    let pool = async |name: &str| aws.job(name).await.warm_pool_status().unwrap().clone();
    aws.train("one").resource_config(warm(300)).send().await.unwrap();
    assert_eq!(pool("one").await.status(), Some(&sm::WarmPoolResourceStatus::Inuse));
    pass(60).await;
    assert_eq!(pool("one").await.status(), Some(&sm::WarmPoolResourceStatus::Available));
    let (code, text) = refusal(aws.sagemaker.delete_training_job().training_job_name("one").send().await);
    assert!(code == "ResourceInUse" && text.contains("warm pool"), "{text}");
    let available = aws.sagemaker.list_training_jobs().warm_pool_status_equals(sm::WarmPoolResourceStatus::Available);
    assert_eq!(available.send().await.unwrap().training_job_summaries().len(), 1);

    aws.train("two").resource_config(warm(300)).send().await.unwrap();
    let reused = pool("one").await;
    assert_eq!(reused.status(), Some(&sm::WarmPoolResourceStatus::Reused));
    assert_eq!(reused.reused_by_job(), Some("two"));
    pass(60).await;
    assert_eq!(pool("two").await.status(), Some(&sm::WarmPoolResourceStatus::Available));
    let longer = sm::ResourceConfigForUpdate::builder().keep_alive_period_in_seconds(600).build();
    aws.sagemaker.update_training_job().training_job_name("two").resource_config(longer).send().await.unwrap();
    pass(400).await;
    assert_eq!(pool("two").await.status(), Some(&sm::WarmPoolResourceStatus::Available));
    pass(300).await;
    let ended = pool("two").await;
    assert_eq!(ended.status(), Some(&sm::WarmPoolResourceStatus::Terminated));
    assert_eq!(ended.resource_retained_billable_time_in_seconds(), Some(600));
    aws.sagemaker.delete_training_job().training_job_name("two").send().await.unwrap();

    aws.train("fails").resource_config(warm(300)).hyper_parameters("mode", "fail").send().await.unwrap();
    pass(60).await;
    assert_eq!(pool("fails").await.status(), Some(&sm::WarmPoolResourceStatus::Terminated));
}

#[tokio::test]
async fn a_job_is_updated_while_it_runs() {
    let aws = Aws::with_clock(LocalClock::manual());
    aws.train("job").send().await.unwrap();
    let update = || aws.sagemaker.update_training_job().training_job_name("job");
    let debug = || sm::RemoteDebugConfigForUpdate::builder().enable_remote_debug(true).build();
    let early = update().remote_debug_config(debug()).send().await;
    assert_eq!(
        refusal(early),
        validation("RemoteDebugConfig cannot be updated: the training job is in status InProgress.")
    );
    let cold = sm::ResourceConfigForUpdate::builder().keep_alive_period_in_seconds(60).build();
    let text = "KeepAlivePeriodInSeconds cannot be updated: the training job was created without a warm pool.";
    assert_eq!(refusal(update().resource_config(cold).send().await), validation(text));
    aws.backend.clock().advance(Duration::from_secs(16));
    aws.backend.clock().settle().await;
    update().remote_debug_config(debug()).send().await.unwrap();
    assert_eq!(aws.job("job").await.remote_debug_config().unwrap().enable_remote_debug(), Some(true));
    let profiler = sm::ProfilerConfigForUpdate::builder().profiling_interval_in_milliseconds(500).build();
    let updated = update().profiler_config(profiler.clone()).send().await.unwrap();
    assert!(updated.training_job_arn().unwrap().ends_with("training-job/job"));
    let shown = aws.job("job").await.profiler_config().unwrap().profiling_interval_in_milliseconds();
    assert_eq!(shown, Some(500));
    aws.backend.clock().advance(Duration::from_secs(60));
    aws.backend.clock().settle().await;
    let late = update().profiler_config(profiler).send().await;
    assert_eq!(refusal(late), validation("The profiler cannot be updated: the training job is in status Completed."));
    let unknown = aws.sagemaker.update_training_job().training_job_name("no").send().await;
    assert_eq!(refusal(unknown), validation("Requested resource not found."));
}

#[tokio::test]
async fn an_algorithm_is_named_instead_of_its_image() {
    let aws = Aws::new();
    let channel = sm::ChannelSpecification::builder()
        .name("train")
        .supported_content_types("text/csv")
        .supported_input_modes(sm::TrainingInputMode::File)
        .build();
    let specification = sm::TrainingSpecification::builder()
        .training_image(super::support::IMAGE)
        .supported_training_instance_types(sm::TrainingInstanceType::MlM5Large)
        .training_channels(channel)
        .build();
    let create = aws.sagemaker.create_algorithm().algorithm_name("mean");
    let arn = create.training_specification(specification).send().await.unwrap().algorithm_arn().unwrap().to_owned();
    let named = |name: &str| {
        sm::AlgorithmSpecification::builder()
            .algorithm_name(name)
            .training_input_mode(sm::TrainingInputMode::File)
            .build()
    };
    for (job, name) in [("by-name", "mean"), ("by-arn", arn.as_str())] {
        aws.train(job).algorithm_specification(named(name)).send().await.unwrap();
        assert_eq!(aws.ended(job).await.failure_reason(), None);
    }
    let text = "Algorithm arn:aws:sagemaker:us-east-1:123456789012:algorithm/none does not exist.";
    assert_eq!(refusal(aws.train("no").algorithm_specification(named("none")).send().await), validation(text));
}

#[tokio::test]
async fn what_a_job_needs_is_named() {
    let aws = Aws::new();
    let refused = aws.train("bad").set_stopping_condition(None).send().await;
    let text = "1 validation error detected: Value null at 'stoppingCondition' failed to satisfy constraint: Member must \
                not be null";
    assert_eq!(refusal(refused), validation(text));
}

#[tokio::test]
async fn a_warm_pool_ends_when_its_period_is_cut() {
    let aws = Aws::with_clock(LocalClock::manual());
    let pool = async |name: &str| aws.job(name).await.warm_pool_status().unwrap().clone();
    aws.train("one").resource_config(warm(3600)).send().await.unwrap();
    aws.backend.clock().advance(Duration::from_secs(60));
    aws.backend.clock().settle().await;
    let keep = async |seconds: i32| {
        let config = sm::ResourceConfigForUpdate::builder().keep_alive_period_in_seconds(seconds).build();
        aws.sagemaker.update_training_job().training_job_name("one").resource_config(config).send().await.unwrap();
        aws.backend.clock().settle().await;
    };
    keep(1800).await;
    assert_eq!(pool("one").await.status(), Some(&sm::WarmPoolResourceStatus::Available));
    aws.backend.clock().advance(Duration::from_secs(100));
    aws.backend.clock().settle().await;
    keep(0).await;
    let mut ended = pool("one").await;
    // The pool's own task does it.
    while ended.status() != Some(&sm::WarmPoolResourceStatus::Terminated) {
        tokio::task::yield_now().await;
        ended = pool("one").await;
    }
    assert!((100..1800).contains(&ended.resource_retained_billable_time_in_seconds().unwrap()));
    aws.sagemaker.delete_training_job().training_job_name("one").send().await.unwrap();
}

#[tokio::test]
async fn a_warm_pool_is_for_jobs_like_the_first() {
    let aws = Aws::with_clock(LocalClock::manual());
    aws.train("first").resource_config(warm(3600)).send().await.unwrap();
    aws.backend.clock().advance(Duration::from_secs(60));
    aws.backend.clock().settle().await;
    let trust = r#"{"Statement": [{"Principal": {"Service": "sagemaker.amazonaws.com"}, "Effect": "Allow"}]}"#;
    let other = aws.iam.create_role().role_name("Other").assume_role_policy_document(trust).send().await.unwrap();
    let like = |name: &str| aws.train(name).resource_config(warm(60));
    let vpc = sm::VpcConfig::builder().subnets("subnet-1").security_group_ids("sg-1").build();
    like("role").role_arn(other.role().unwrap().arn()).send().await.unwrap();
    like("vpc").vpc_config(vpc).send().await.unwrap();
    like("traffic").enable_inter_container_traffic_encryption(true).send().await.unwrap();
    like("network").enable_network_isolation(true).send().await.unwrap();
    let mut encrypted = warm(60);
    encrypted.volume_kms_key_id = Some("key".to_owned());
    aws.train("key").resource_config(encrypted).send().await.unwrap();
    let status = async || aws.job("first").await.warm_pool_status().unwrap().status().unwrap().as_str().to_owned();
    assert_eq!(status().await, "Available");
    like("same").enable_network_isolation(false).send().await.unwrap();
    assert_eq!(status().await, "Reused");
}

#[tokio::test]
async fn options_that_do_not_go_together_are_refused() {
    let aws = Aws::new();
    let stopping = |runtime: i32| sm::StoppingCondition::builder().max_runtime_in_seconds(runtime);
    let waiting = aws.train("no").stopping_condition(stopping(60).max_wait_time_in_seconds(60).build());
    let text = "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true";
    assert_eq!(refusal(waiting.send().await), validation(text));
    let long = refusal(aws.train("no").stopping_condition(stopping(2_419_201).build()).send().await);
    assert!(long.1.ends_with("Member must have value less than or equal to 2419200"), "{long:?}");

    let resources = || sm::ResourceConfig::builder().volume_size_in_gb(1);
    let group = |count: i32| {
        sm::InstanceGroup::builder()
            .instance_group_name("g")
            .instance_type(sm::TrainingInstanceType::MlM5Large)
            .instance_count(count)
            .build()
    };
    let kind = sm::TrainingInstanceType::MlM5Large;
    for (resources, part) in [
        (resources(), "must have both an InstanceType and an InstanceCount"),
        (resources().instance_count(1), "must have both an InstanceType and an InstanceCount"),
        (resources().instance_type(kind.clone()).instance_count(0), "greater than or equal to 1"),
        (resources().instance_groups(group(0)), "greater than or equal to 1"),
        (resources().instance_groups(group(1)).instance_type(kind.clone()), "InstanceGroups cannot be specified"),
    ] {
        let refused = refusal(aws.train("no").resource_config(resources.build()).send().await);
        assert!(refused.0 == "ValidationException" && refused.1.contains(part), "{refused:?}");
    }
    let spot = aws.train("no").enable_managed_spot_training(true).resource_config(warm(60));
    let spot = spot.stopping_condition(stopping(60).max_wait_time_in_seconds(60).build());
    assert!(refusal(spot.send().await).1.starts_with("KeepAlivePeriodInSeconds is not supported"));
    let twice = aws.train("no").input_data_config(channel("train", "s3://data/train", sm::S3DataType::S3Prefix));
    assert!(refusal(twice.send().await).1.contains("\"train\" is there more than once"));
    aws.train("groups").resource_config(resources().instance_groups(group(1)).build()).send().await.unwrap();
}

#[tokio::test]
async fn buckets_of_other_regions_are_out_of_reach() {
    let aws = Aws::new();
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "tests"))
        .http_client(aws.backend.http_client());
    let s3 = aws_sdk_s3::Client::from_conf(config.build());
    let europe = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    s3.create_bucket().bucket("far").create_bucket_configuration(europe).send().await.unwrap();
    aws.put("far", "train/a.csv", "1");
    let job = aws.train("no");
    let input = channel("train", "s3://far/train", sm::S3DataType::S3Prefix);
    let refused = refusal(job.set_input_data_config(Some(vec![input])).send().await);
    assert!(refused.1.starts_with("No S3 objects found under S3 URL \"s3://far/train\""), "{refused:?}");
    assert!(refused.1.contains("in the selected region (us-east-1)"));
    let output = sm::OutputDataConfig::builder().s3_output_path("s3://far/out").build();
    let refused = refusal(aws.train("no").output_data_config(output).send().await);
    assert!(refused.1.starts_with("Could not find the output S3 bucket \"far\" in region us-east-1"), "{refused:?}");
    let container = sm::ContainerDefinition::builder().image("i").model_data_url("s3://far/train/a.csv").build();
    let model = aws.sagemaker.create_model().model_name("m").primary_container(container);
    assert!(refusal(model.send().await).1.starts_with("Could not find model data"));
}
