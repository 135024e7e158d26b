use std::time::Duration;

use aws_sdk_sagemaker::types as sm;
use bytes::Bytes;

use super::support::{Aws, IMAGE, channel, refusal, validation};
use crate::local::{LocalBackend, LocalClock, archive};

const XGBOOST: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";

fn secondary(
    job: &aws_sdk_sagemaker::operation::describe_training_job::DescribeTrainingJobOutput,
) -> Vec<(&str, &str)> {
    let transitions = job.secondary_status_transitions().iter();
    transitions.map(|at| (at.status().unwrap().as_str(), at.status_message().unwrap())).collect()
}

#[tokio::test]
async fn a_job_trains_and_tells_how() {
    let aws = Aws::new();
    let created = aws.train("mean").hyper_parameters("k", "v").environment("WITH_DATA", "yes").send().await.unwrap();
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/mean";
    assert_eq!(created.training_job_arn(), Some(arn));
    let job = aws.ended("mean").await;
    assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Completed), "{:?}", job.failure_reason());
    assert_eq!(
        secondary(&job),
        [
            ("Starting", "Starting the training job"),
            ("Pending", "Preparing the instances for training"),
            ("Downloading", "Downloading the training image"),
            ("Training", "Training image download completed. Training in progress."),
            ("Uploading", "Uploading generated training model"),
            ("Completed", "Training job completed"),
        ]
    );
    let transitions = job.secondary_status_transitions();
    assert!(transitions.windows(2).all(|pair| pair[0].end_time() == pair[1].start_time()));
    assert!(transitions.iter().all(|at| at.end_time() >= at.start_time()));
    assert_eq!(job.training_job_arn(), Some(arn));
    assert_eq!(job.hyper_parameters().unwrap()["k"], "v");
    assert_eq!(job.enable_managed_spot_training(), Some(false));
    assert!(job.training_start_time() > job.creation_time());
    assert_eq!(job.training_end_time(), job.last_modified_time());
    assert!((15..60).contains(&job.training_time_in_seconds().unwrap()));
    assert_eq!(job.billable_time_in_seconds(), job.training_time_in_seconds());
    let artifacts = job.model_artifacts().unwrap().s3_model_artifacts();
    assert_eq!(artifacts, Some("s3://out/jobs/mean/output/model.tar.gz"));

    let s3 = &aws.backend.core().s3;
    let model = archive::unpack(&s3.get("out", "jobs/mean/output/model.tar.gz").unwrap()).unwrap();
    assert_eq!(model, [("mean.txt".to_owned(), Bytes::from("3"))]);
    let data = archive::unpack(&s3.get("out", "jobs/mean/output/output.tar.gz").unwrap()).unwrap();
    assert_eq!(data, [("report.txt".to_owned(), Bytes::from("yes"))]);

    let lines = aws.lines("/aws/sagemaker/TrainingJobs").await;
    assert_eq!(lines, ["reading a.csv", "reading b.csv", "[0]\ttrain-rmse:9", "[1]\ttrain-rmse:2.5", "mean=3"]);
    let ignored: Vec<String> = aws.backend.ignored().into_iter().map(|field| field.path).collect();
    assert_eq!(ignored, ["ResourceConfig.VolumeSizeInGB"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_jobs_run_at_once() {
    let aws = Aws::new();
    for i in 0..20 {
        aws.train(&format!("job-{i}")).send().await.unwrap();
    }
    for i in 0..20 {
        let job = aws.ended(&format!("job-{i}")).await;
        assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Completed));
    }
    aws.backend.clock().settle().await;
}

#[tokio::test]
async fn what_the_container_logs_becomes_metrics() {
    let aws = Aws::new();
    let metric = |name: &str, regex: &str| sm::MetricDefinition::builder().name(name).regex(regex).build();
    let algorithm = sm::AlgorithmSpecification::builder()
        .training_image(IMAGE)
        .training_input_mode(sm::TrainingInputMode::File)
        .metric_definitions(metric("mean", "mean=([0-9.]+)"))
        .metric_definitions(metric("train:rmse", r".*#011train-rmse:([0-9.]+).*"))
        .metric_definitions(metric("never", "nothing like this (.)"))
        .build();
    aws.train("metrics").algorithm_specification(algorithm).send().await.unwrap();
    let job = aws.ended("metrics").await;
    let found: Vec<_> =
        job.final_metric_data_list().iter().map(|m| (m.metric_name().unwrap(), m.value().unwrap())).collect();
    assert_eq!(found, [("mean", 3.0), ("train:rmse", 2.5)]);
    assert!(job.final_metric_data_list().iter().all(|m| m.timestamp() > job.training_start_time()));
}

#[tokio::test]
async fn builtin_images_bring_their_metric_definitions() {
    let aws = Aws::new();
    let algorithm = sm::AlgorithmSpecification::builder()
        .training_image(XGBOOST)
        .training_input_mode(sm::TrainingInputMode::File)
        .build();
    aws.train("xgb").algorithm_specification(algorithm).send().await.unwrap();
    let job = aws.job("xgb").await;
    let definitions = job.algorithm_specification().unwrap().metric_definitions();
    assert!(definitions.iter().any(|d| d.name() == Some("validation:rmse")), "{definitions:?}");
}

#[tokio::test]
async fn the_engine_says_why_it_failed() {
    let aws = Aws::new();
    aws.train("fails").hyper_parameters("mode", "fail").send().await.unwrap();
    let job = aws.ended("fails").await;
    assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Failed));
    assert_eq!(job.failure_reason(), Some("AlgorithmError: no numbers, exit code: 3"));
    assert_eq!(secondary(&job).last(), Some(&("Failed", "Training job failed")));
    assert!(aws.backend.core().s3.list("out", "jobs/").is_empty());

    aws.train("panics").hyper_parameters("mode", "panic").send().await.unwrap();
    let job = aws.ended("panics").await;
    assert_eq!(job.failure_reason(), Some("AlgorithmError: the engine panicked: oh dear, exit code: 1"));
}

#[tokio::test]
async fn an_image_without_an_engine_fails_and_says_what_to_do() {
    let aws = Aws::of(LocalBackend::builder().build());
    aws.put("data", "train/a.csv", "1");
    aws.put("out", "x", "");
    aws.train("unknown").send().await.unwrap();
    let job = aws.ended("unknown").await;
    let reason = job.failure_reason().unwrap();
    assert!(reason.starts_with("ClientError: the local backend has no engine for the image \""), "{reason}");
    assert!(reason.contains("LocalBackend::builder().engine(..)"), "{reason}");
}

#[tokio::test]
async fn a_manual_clock_holds_a_job_in_each_stage() {
    let aws = Aws::with_clock(LocalClock::manual());
    let clock = aws.backend.clock().clone();
    aws.train("held").send().await.unwrap();
    let stages = [
        (0, "Starting", 1),
        (5, "Pending", 2),
        (10, "Downloading", 3),
        (10, "Uploading", 5),
        (4, "Uploading", 5),
        (1, "Completed", 6),
    ];
    for (seconds, status, transitions) in stages {
        clock.advance(Duration::from_secs(seconds));
        clock.settle().await;
        let job = aws.job("held").await;
        assert_eq!(job.secondary_status().unwrap().as_str(), status);
        assert_eq!(job.secondary_status_transitions().len(), transitions);
        let open = job.secondary_status_transitions().last().unwrap();
        assert_eq!(open.end_time().is_some(), status == "Completed");
    }
    assert_eq!(aws.job("held").await.training_time_in_seconds(), Some(15));
}

#[tokio::test]
async fn a_job_stops_before_it_trains() {
    let aws = Aws::with_clock(LocalClock::manual());
    aws.train("early").send().await.unwrap();
    aws.sagemaker.stop_training_job().training_job_name("early").send().await.unwrap();
    assert_eq!(aws.job("early").await.training_job_status(), Some(&sm::TrainingJobStatus::Stopping));
    aws.backend.clock().advance(Duration::from_secs(10));
    aws.backend.clock().settle().await;
    let job = aws.job("early").await;
    assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Stopped));
    assert_eq!(secondary(&job).iter().map(|at| at.0).collect::<Vec<_>>(), ["Starting", "Stopping", "Stopped"]);
    let stop = aws.sagemaker.stop_training_job().training_job_name("early").send().await;
    assert_eq!(refusal(stop), validation("The request was rejected because the training job is in status Stopped."));
}

#[tokio::test]
async fn a_stopped_engine_may_leave_its_model() {
    let aws = Aws::new();
    for (mode, uploads) in [("wait", true), ("stuck", false)] {
        aws.train(mode).hyper_parameters("mode", mode).send().await.unwrap();
        while aws.job(mode).await.secondary_status() != Some(&sm::SecondaryStatus::Training) {
            aws.backend.clock().pause(Duration::from_secs(1)).await;
        }
        aws.sagemaker.stop_training_job().training_job_name(mode).send().await.unwrap();
        let job = aws.ended(mode).await;
        assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Stopped));
        assert_eq!(!aws.backend.core().s3.list("out", &format!("jobs/{mode}/")).is_empty(), uploads);
        assert_eq!(job.failure_reason(), None);
    }
}

#[tokio::test]
async fn a_job_that_runs_too_long_is_stopped() {
    let aws = Aws::with_clock(LocalClock::scaled(2000.0));
    let limit = sm::StoppingCondition::builder().max_runtime_in_seconds(60).build();
    aws.train("long").hyper_parameters("mode", "wait").stopping_condition(limit).send().await.unwrap();
    let job = aws.ended("long").await;
    assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Stopped));
    assert_eq!(job.secondary_status(), Some(&sm::SecondaryStatus::MaxRuntimeExceeded));
    assert!(job.training_time_in_seconds().unwrap() >= 60);
    assert!(!aws.backend.core().s3.list("out", "jobs/long/").is_empty(), "what comes within the grace period is kept");
}

#[test]
fn a_job_whose_runtime_ends_fails() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let aws = Aws::with_clock(LocalClock::manual());
    runtime().block_on(async { aws.train("lost").send().await.unwrap() });
    runtime().block_on(async {
        let job = aws.job("lost").await;
        assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Failed));
        assert!(job.failure_reason().unwrap().starts_with("InternalServerError: "));
        assert_eq!(secondary(&job).last().unwrap().0, "Failed");
    });
}

#[tokio::test]
async fn names_are_unique_and_free_again_after_deletion() {
    let aws = Aws::with_clock(LocalClock::manual());
    aws.train("one").send().await.unwrap();
    let again = refusal(aws.train("one").send().await);
    let text = "Training job names must be unique within an AWS account and region, and a training job with this name \
                already exists (arn:aws:sagemaker:us-east-1:123456789012:training-job/one)";
    assert_eq!(again, ("ResourceInUse".to_owned(), text.to_owned()));
    let delete = || aws.sagemaker.delete_training_job().training_job_name("one").send();
    let text = "The request was rejected because the training job is in status InProgress.";
    assert_eq!(refusal(delete().await), ("ResourceInUse".to_owned(), text.to_owned()));
    aws.backend.clock().advance(Duration::from_secs(3600));
    aws.backend.clock().settle().await;
    delete().await.unwrap();
    assert_eq!(refusal(delete().await), validation("Requested resource not found."));
    aws.train("one").send().await.unwrap();
}

#[tokio::test]
async fn a_bad_request_is_refused_as_aws_does() {
    let aws = Aws::new();
    let describe = aws.sagemaker.describe_training_job().training_job_name("no").send().await;
    assert_eq!(refusal(describe), validation("Requested resource not found."));

    let data = |uri: &str| channel("train", uri, sm::S3DataType::S3Prefix);
    let refused = aws.train("j").set_input_data_config(Some(vec![data("s3://data/nothing/")])).send().await;
    let role = aws.backend.role_arn();
    assert_eq!(
        refusal(refused),
        validation(&format!(
            "No S3 objects found under S3 URL \"s3://data/nothing/\" given in input data source. Please ensure that \
             the bucket exists in the selected region (us-east-1), that objects exist under that S3 prefix, and that \
             the role \"{role}\" has \"s3:ListBucket\" permissions on bucket \"data\"."
        ))
    );

    let refused = aws.train("j").role_arn("arn:aws:iam::123456789012:role/Nobody").send().await;
    let text = "Could not assume role arn:aws:iam::123456789012:role/Nobody. Please ensure that the role exists and \
                allows principal 'sagemaker.amazonaws.com' to assume the role.";
    assert_eq!(refusal(refused), validation(text));

    let output = sm::OutputDataConfig::builder().s3_output_path("s3://nowhere/x").build();
    let (code, text) = refusal(aws.train("j").output_data_config(output).send().await);
    assert_eq!(code, "ValidationException");
    assert!(text.starts_with("Could not find the output S3 bucket \"nowhere\""), "{text}");

    let refused = aws.train("j").enable_managed_spot_training(true).send().await;
    let text = "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds";
    assert_eq!(refusal(refused), validation(text));

    let refused = aws.sagemaker.create_training_job().training_job_name("j").send().await;
    let text = "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be \
                null; Value null at 'outputDataConfig' failed to satisfy constraint: Member must not be null";
    assert_eq!(refusal(refused), validation(text));
    assert!(aws.sagemaker.list_training_jobs().send().await.unwrap().training_job_summaries().is_empty());
}

#[tokio::test]
async fn manifests_and_gzip_are_read() {
    let aws = Aws::new();
    aws.put("data", "m.json", r#"[{"prefix": "s3://data/train/"}, "b.csv"]"#);
    let manifest = channel("train", "s3://data/m.json", sm::S3DataType::ManifestFile);
    aws.train("manifest").set_input_data_config(Some(vec![manifest])).send().await.unwrap();
    aws.ended("manifest").await;
    let log = aws.lines("/aws/sagemaker/TrainingJobs").await;
    assert_eq!((log[0].as_str(), log.last().unwrap().as_str()), ("reading b.csv", "mean=6"));

    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, b"10\n20\n").unwrap();
    aws.put("data", "zip/c.csv.gz", packed.finish().unwrap());
    let mut zipped = channel("train", "s3://data/zip/", sm::S3DataType::S3Prefix);
    zipped.compression_type = Some(sm::CompressionType::Gzip);
    aws.train("zipped").set_input_data_config(Some(vec![zipped])).send().await.unwrap();
    assert_eq!(aws.ended("zipped").await.failure_reason(), None);
    assert_eq!(aws.lines("/aws/sagemaker/TrainingJobs").await.last().unwrap(), "mean=15");
}

#[tokio::test]
async fn fields_without_effect_are_listed() {
    let aws = Aws::new();
    let vpc = sm::VpcConfig::builder().subnets("subnet-1").security_group_ids("sg-1").build();
    aws.train("vpc").vpc_config(vpc).send().await.unwrap();
    let ignored = aws.backend.ignored();
    let vpc = ignored.iter().find(|field| field.path == "VpcConfig").unwrap();
    assert_eq!(vpc.operation, "CreateTrainingJob");
}

#[tokio::test]
async fn a_reset_abandons_what_runs() {
    let aws = Aws::with_clock(LocalClock::manual());
    aws.train("gone").send().await.unwrap();
    aws.backend.reset();
    aws.backend.clock().advance(Duration::from_secs(3600));
    aws.backend.clock().settle().await;
    assert!(aws.sagemaker.list_training_jobs().send().await.unwrap().training_job_summaries().is_empty());
    assert_eq!(aws.backend.requests().len(), 1);
    assert!(!aws.backend.core().s3.bucket_exists("data"));
}

/// Polls until the job trains.
async fn trains(aws: &Aws, name: &str) {
    while aws.job(name).await.secondary_status() != Some(&sm::SecondaryStatus::Training) {
        aws.backend.clock().pause(Duration::from_secs(1)).await;
    }
}

#[test]
fn a_runtime_that_ends_does_not_wait_for_an_engine_without_end() {
    for flavor in [1, 2] {
        let aws = Aws::new();
        let (done, ended) = std::sync::mpsc::channel();
        let of_thread = aws.clone();
        std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            if flavor == 1 {
                runtime = tokio::runtime::Builder::new_current_thread();
            }
            runtime.enable_all().build().unwrap().block_on(async {
                of_thread.train("endless").hyper_parameters("mode", "wait").send().await.unwrap();
                trains(&of_thread, "endless").await;
            });
            done.send(()).unwrap();
        });
        ended.recv_timeout(Duration::from_secs(60)).expect("the runtime is dropped");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let job = aws.job("endless").await;
            assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Failed));
            assert!(job.training_end_time().is_some() && job.training_time_in_seconds().is_some());
            assert!(aws.logs.filter_log_events().log_group_name("/aws/sagemaker/TrainingJobs").send().await.is_err());
        });
    }
}

#[tokio::test]
async fn a_job_that_a_reset_abandons_leaves_nothing_in_the_new_world() {
    let aws = Aws::new();
    aws.train("old").hyper_parameters("mode", "wait").send().await.unwrap();
    trains(&aws, "old").await;
    aws.backend.reset();
    aws.backend.core().s3.create_bucket("out");
    aws.backend.clock().settle().await;
    assert!(aws.backend.core().s3.list("out", "").is_empty());
    assert!(aws.logs.describe_log_groups().send().await.unwrap().log_groups().is_empty());
}

#[tokio::test]
async fn a_stop_while_the_model_is_uploaded_stops_the_job() {
    let aws = Aws::with_clock(LocalClock::manual());
    aws.train("late").send().await.unwrap();
    aws.backend.clock().advance(Duration::from_secs(25));
    aws.backend.clock().settle().await;
    assert_eq!(aws.job("late").await.secondary_status(), Some(&sm::SecondaryStatus::Uploading));
    aws.sagemaker.stop_training_job().training_job_name("late").send().await.unwrap();
    aws.backend.clock().advance(Duration::from_secs(60));
    aws.backend.clock().settle().await;
    let job = aws.job("late").await;
    assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Stopped));
    let stages: Vec<_> = secondary(&job).iter().map(|at| at.0).skip(4).collect();
    assert_eq!(stages, ["Uploading", "Stopping", "Stopped"]);
    assert!(!aws.backend.core().s3.list("out", "jobs/late/").is_empty());
}

#[tokio::test]
async fn instance_counts_do_not_overflow() {
    let aws = Aws::new();
    let group = |name: &str| {
        let group = sm::InstanceGroup::builder().instance_group_name(name).instance_count(i32::MAX);
        group.instance_type(sm::TrainingInstanceType::MlM5Large).build()
    };
    let resources = sm::ResourceConfig::builder().volume_size_in_gb(1);
    let resources = resources.instance_groups(group("a")).instance_groups(group("b")).instance_groups(group("c"));
    aws.train("huge").resource_config(resources.build()).send().await.unwrap();
    assert_eq!(aws.ended("huge").await.failure_reason(), None);
}

#[tokio::test]
async fn own_metrics_come_before_the_builtin_ones_and_none_is_lost() {
    let aws = Aws::new();
    let metric = sm::MetricDefinition::builder().name("own").regex("own=(.)").build();
    let algorithm = sm::AlgorithmSpecification::builder()
        .training_image(XGBOOST)
        .training_input_mode(sm::TrainingInputMode::File)
        .metric_definitions(metric)
        .build();
    aws.train("xgb").algorithm_specification(algorithm).send().await.unwrap();
    let job = aws.job("xgb").await;
    let definitions = job.algorithm_specification().unwrap().metric_definitions();
    assert_eq!((definitions.len(), definitions[0].name()), (40, Some("own")));
    assert_eq!(definitions[1].name(), Some("train:accuracy"));
}
