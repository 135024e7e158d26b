//! The backend's own faults, met by the AWS clients' retries.

use std::time::Duration;

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use sagemaker::aws::config::retry::RetryConfig;
use sagemaker::aws::config::{BehaviorVersion, Region, SdkConfig};
use sagemaker::aws::sagemaker::config::{Credentials, SharedCredentialsProvider};
use sagemaker::aws::sagemaker::types::Tag;
use sagemaker::estimator::EstimatorExt;
use sagemaker::local::{Fault, LocalBackend, LocalClock, Profile};
use sagemaker::training::{TrainingInput, TrainingJob};
use sagemaker::transform::TransformInput;
use sagemaker::{ErrorKind, Result, Session};

use crate::fixture::{endpoint, model, one, plane, put, xgboost};

/// The configuration of a client that the session does not show.
fn config(backend: &LocalBackend) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(backend.region().to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
        .http_client(backend.http_client())
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .build()
}

fn sent(backend: &LocalBackend, operation: &str) -> Vec<u16> {
    let requests = backend.requests();
    requests.iter().filter(|request| request.operation == operation).map(|request| request.status).collect()
}

#[tokio::test]
async fn retries_get_over_what_passes() {
    let backend = LocalBackend::new();
    let session = Session::with_backend(&backend);
    let aws = session.aws();
    let sts = aws_sdk_sts::Client::new(&config(&backend));
    aws.s3().create_bucket().bucket("data").send().await.unwrap();
    let faults = [(Fault::throttle(), 400, 503), (Fault::internal_error(), 500, 500), (Fault::drop_connection(), 0, 0)];
    for (fault, json, s3) in faults {
        backend.faults().clear();
        backend.faults().add(fault.clone().times(2));
        aws.sagemaker().list_models().send().await.unwrap();
        backend.faults().clear();
        backend.faults().add(fault.clone().times(2));
        aws.s3().put_object().bucket("data").key("k").body(b"x".to_vec().into()).send().await.unwrap();
        backend.faults().clear();
        backend.faults().add(fault.clone().times(2));
        aws.logs().describe_log_groups().send().await.unwrap();
        backend.faults().clear();
        backend.faults().add(fault.clone().times(2));
        sts.get_caller_identity().send().await.unwrap();
        assert_eq!(backend.faults().count(), 2);
        // What did not arrive is not in the record.
        let expected = |status| if status == 0 { vec![200] } else { vec![status, status, 200] };
        assert_eq!(sent(&backend, "ListModels"), expected(json), "{fault:?}");
        assert_eq!(sent(&backend, "PutObject"), expected(s3), "{fault:?}");
        assert_eq!(sent(&backend, "DescribeLogGroups"), expected(json), "{fault:?}");
        assert_eq!(sent(&backend, "GetCallerIdentity"), expected(json), "{fault:?}");
        backend.faults().clear();
        backend.reset();
        aws.s3().create_bucket().bucket("data").send().await.unwrap();
    }
}

#[tokio::test]
async fn retries_end_and_the_error_is_the_services() -> Result<()> {
    let backend = LocalBackend::new();
    let session = Session::with_backend(&backend);
    backend.faults().add(Fault::throttle().on("DescribeTrainingJob"));
    let error = TrainingJob::attach(&session, "a").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Throttled, Some("ThrottlingException")));
    assert_eq!(sent(&backend, "DescribeTrainingJob"), [400; 3]);
    backend.faults().add(Fault::refuse(400, "AccessDeniedException", "not you").on("ListModels"));
    let error = session.aws().sagemaker().list_models().send().await.unwrap_err();
    assert!(format!("{error:?}").contains("AccessDeniedException") && format!("{error:?}").contains("not you"));
    backend.faults().add(Fault::refuse(403, "AccessDenied", "<no>").service("s3"));
    let error = session.aws().s3().list_buckets().send().await.unwrap_err();
    assert!(format!("{error:?}").contains("AccessDenied") && format!("{error:?}").contains("<no>"), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_lost_or_spoilt_answer_took_effect() {
    for fault in [Fault::lose_answer(), Fault::spoil_answer()] {
        let backend = LocalBackend::new();
        let session = Session::with_backend(&backend);
        let s3 = session.aws().s3();
        backend.faults().add(fault.on("CreateBucket").resource("da*").times(3));
        s3.create_bucket().bucket("data").send().await.unwrap_err();
        s3.head_bucket().bucket("data").send().await.unwrap();
        s3.create_bucket().bucket("other").send().await.unwrap();
    }
}

#[tokio::test]
async fn the_runtime_and_downloads_fail_too() -> Result<()> {
    let backend = LocalBackend::new();
    let session = Session::with_backend(&backend);
    let (_, endpoint) = endpoint(&session).await?;
    backend.faults().add(Fault::throttle().service("sagemaker-runtime").resource(endpoint.name()).times(1));
    let runtime = session.aws().runtime();
    let ask = || runtime.invoke_endpoint().endpoint_name(endpoint.name()).content_type("text/csv");
    ask().body(b"1,2".to_vec().into()).send().await.unwrap();
    assert_eq!(sent(&backend, "InvokeEndpoint"), [400, 200]);

    let uri = put(&session, "some/key", "0123456789").await?;
    backend.faults().add(Fault::break_answer(4).on("GetObject").resource(format!("{}/some/*", uri.bucket())).times(1));
    let get = || session.aws().s3().get_object().bucket(uri.bucket()).key(uri.key()).send();
    assert!(get().await.unwrap().body.collect().await.is_err());
    assert_eq!(get().await.unwrap().body.collect().await.unwrap().into_bytes(), "0123456789");
    Ok(())
}

#[tokio::test]
async fn latency_passes_on_the_backends_clock() {
    let clock = LocalClock::manual();
    let backend = LocalBackend::builder().clock(clock.clone()).build();
    let session = Session::with_backend(&backend);
    backend.faults().add(Fault::latency(Duration::from_secs(5)).on("ListModels"));
    backend.faults().add(Fault::throttle().on("ListModels").times(1));
    let client = session.aws().sagemaker().clone();
    let call = tokio::spawn(async move { client.list_models().send().await });
    // The latency of the refused attempt, and that of the next one.
    while !call.is_finished() {
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    call.await.unwrap().unwrap();
    assert_eq!(sent(&backend, "ListModels"), [400, 200]);
    let instant = LocalBackend::new();
    let session = Session::with_backend(&instant);
    instant.faults().add(Fault::latency(Duration::from_secs(3600)));
    let before = instant.clock().now();
    session.aws().sagemaker().list_models().send().await.unwrap();
    assert!(instant.clock().now() >= before + Duration::from_secs(3600));
}

#[tokio::test]
async fn there_are_no_instances() -> Result<()> {
    let backend = LocalBackend::new();
    let session = Session::with_backend(&backend);
    let model = model(&session).await?;
    backend.faults().add(Fault::capacity());
    let data = put(&session, "p/train.csv", plane()).await?;
    let job = xgboost().build()?.fit(&session, [("train", TrainingInput::csv(&data))]).await?;
    let error = job.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Capacity, "{error}");
    let error =
        model.transformer(one()).build()?.transform(TransformInput::csv(&data)).await?.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Capacity, "{error}");
    let error = model.deploy(one()).await.unwrap_err();
    assert!(error.to_string().contains("InsufficientInstanceCapacity"), "{error}");
    Ok(())
}

async fn spot(session: &Session, managed: bool) -> Vec<String> {
    let data = put(session, "p/train.csv", plane()).await.unwrap();
    let estimator = xgboost().build().unwrap();
    let plan = estimator.fit(session, [("train", TrainingInput::csv(&data))]).await.unwrap();
    plan.wait().await.unwrap();
    let old = session.aws().sagemaker().describe_training_job().training_job_name(plan.name()).send().await.unwrap();
    let stopping = sagemaker::aws::sagemaker::types::StoppingCondition::builder()
        .max_runtime_in_seconds(3600)
        .max_wait_time_in_seconds(7200)
        .build();
    let name = if managed { "spot" } else { "other" };
    let client = session.aws().sagemaker();
    let mut create = client
        .create_training_job()
        .training_job_name(name)
        .role_arn(old.role_arn().unwrap())
        .algorithm_specification(
            sagemaker::aws::sagemaker::types::AlgorithmSpecification::builder()
                .training_image(old.algorithm_specification().unwrap().training_image().unwrap())
                .training_input_mode(sagemaker::aws::sagemaker::types::TrainingInputMode::File)
                .build(),
        )
        .set_hyper_parameters(old.hyper_parameters().cloned())
        .set_input_data_config(Some(old.input_data_config().to_vec()))
        .output_data_config(old.output_data_config().unwrap().clone())
        .resource_config(old.resource_config().unwrap().clone());
    create = if managed {
        create.stopping_condition(stopping).enable_managed_spot_training(true)
    } else {
        create.stopping_condition(old.stopping_condition().unwrap().clone())
    };
    create.send().await.unwrap();
    TrainingJob::attach(session, name).await.unwrap().wait().await.unwrap();
    let done = client.describe_training_job().training_job_name(name).send().await.unwrap();
    done.secondary_status_transitions().iter().map(|step| step.status().unwrap().as_str().to_owned()).collect()
}

#[tokio::test]
async fn spot_instances_are_taken_away() {
    let backend = LocalBackend::new();
    let session = Session::with_backend(&backend);
    backend.faults().add(Fault::spot_interruption().resource("spot"));
    backend.faults().add(Fault::spot_interruption().resource("other"));
    let walk = spot(&session, true).await;
    let expected = [
        "Starting",
        "Pending",
        "Downloading",
        "Training",
        "Interrupted",
        "Restarting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ];
    assert_eq!(walk, expected);
    assert!(!spot(&session, false).await.contains(&"Interrupted".to_owned()));
}

#[tokio::test]
async fn what_is_stuck_stays_until_it_is_cleared() -> Result<()> {
    let backend = LocalBackend::new();
    let session = Session::with_backend(&backend);
    let data = put(&session, "p/train.csv", plane()).await?;
    backend.faults().add(Fault::stuck_in("Training").on("CreateTrainingJob"));
    let job = xgboost().build()?.fit(&session, [("train", TrainingInput::csv(&data))]).await?;
    backend.clock().sleep(Duration::from_secs(5 * 86_400)).await;
    let described =
        session.aws().sagemaker().describe_training_job().training_job_name(job.name()).send().await.unwrap();
    assert_eq!(described.secondary_status().unwrap().as_str(), "Training");
    backend.faults().clear();
    let done = job.wait().await?;

    backend.faults().add(Fault::stuck().on("CreateEndpoint"));
    let model = xgboost().build()?.model(&session, &done).await?;
    let endpoint = model.deploy(one()).endpoint_name("stuck").no_wait().await?;
    backend.clock().sleep(Duration::from_secs(86_400)).await;
    let client = session.aws().sagemaker();
    let status = || async {
        let found = client.describe_endpoint().endpoint_name("stuck").send().await.unwrap();
        found.endpoint_status().unwrap().as_str().to_owned()
    };
    assert_eq!(status().await, "Creating");
    backend.faults().clear();
    endpoint.wait_in_service().await?;
    assert_eq!(status().await, "InService");
    Ok(())
}

#[tokio::test]
async fn tags_are_seen_late() -> Result<()> {
    let backend = LocalBackend::new();
    let session = Session::with_backend(&backend);
    let model = model(&session).await?;
    let client = session.aws().sagemaker();
    let arn = client.describe_model().model_name(model.name()).send().await.unwrap().model_arn().unwrap().to_owned();
    let tag = |value: &str| Tag::builder().key("team").value(value).build();
    let team = || async {
        let tags = client.list_tags().resource_arn(&arn).send().await.unwrap();
        tags.tags().iter().find(|tag| tag.key() == Some("team")).map(|tag| tag.value().unwrap().to_owned())
    };
    backend.clock().sleep(Duration::from_secs(60)).await;
    backend.faults().add(Fault::stale_tags(Duration::from_secs(30)).resource(model.name()));
    client.add_tags().resource_arn(&arn).tags(tag("one")).send().await.unwrap();
    assert_eq!(team().await, None);
    backend.clock().sleep(Duration::from_secs(20)).await;
    client.add_tags().resource_arn(&arn).tags(tag("two")).send().await.unwrap();
    assert_eq!(team().await, None);
    backend.clock().sleep(Duration::from_secs(15)).await;
    assert_eq!(team().await.as_deref(), Some("one"));
    backend.clock().sleep(Duration::from_secs(30)).await;
    assert_eq!(team().await.as_deref(), Some("two"));
    Ok(())
}

#[tokio::test]
async fn a_reset_starts_the_faults_anew() {
    let backend = LocalBackend::new();
    let session = Session::with_backend(&backend);
    backend
        .faults()
        .load(r#"{"seed": 5, "faults": [{"fault": "refuse", "http_status": 400, "code": "X", "probability": 0.5}]}"#)
        .unwrap();
    let mut runs = Vec::new();
    for _ in 0..2 {
        for _ in 0..30 {
            let _ = session.aws().sagemaker().list_models().send().await;
        }
        runs.push(sent(&backend, "ListModels"));
        backend.reset();
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&200) && runs[0].contains(&400));
}

#[tokio::test]
async fn the_lenient_profile_forgives_what_mocks_forgive() -> Result<()> {
    let backend = LocalBackend::builder().profile(Profile::Lenient).build();
    let session = Session::with_backend(&backend);
    let create = |session: &Session, name: &str| {
        use sagemaker::aws::sagemaker::types::{
            AlgorithmSpecification, OutputDataConfig, ResourceConfig, StoppingCondition, TrainingInputMode,
        };
        session
            .aws()
            .sagemaker()
            .create_training_job()
            .training_job_name(name)
            .role_arn("arn:aws:iam::000000000000:role/nobody")
            .algorithm_specification(
                AlgorithmSpecification::builder()
                    .training_image("registry.test/anything:1")
                    .training_input_mode(TrainingInputMode::File)
                    .build(),
            )
            .output_data_config(OutputDataConfig::builder().s3_output_path("s3://not-there/out").build())
            .resource_config(
                ResourceConfig::builder()
                    .instance_type("ml.m5.large".into())
                    .instance_count(1)
                    .volume_size_in_gb(1)
                    .build(),
            )
            .stopping_condition(StoppingCondition::builder().max_runtime_in_seconds(60).build())
    };
    create(&session, "job").send().await.unwrap();
    TrainingJob::attach(&session, "job").await?.wait().await?;
    assert!(
        session.aws().s3().head_object().bucket("not-there").key("out/job/output/model.tar.gz").send().await.is_ok()
    );

    let strict = LocalBackend::new();
    let session = Session::with_backend(&strict);
    let error = create(&session, "job").send().await.unwrap_err();
    assert!(format!("{error:?}").contains("Could not assume role"), "{error:?}");
    Ok(())
}
