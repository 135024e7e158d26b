//! What an endpoint hosts, and how its traffic is shared.

use std::time::Duration;

use aws_sdk_sagemaker::types as sm;

use super::support::{Aws, ECHO, IMAGE, refusal};
use crate::local::LocalClock;

fn text(output: &aws_sdk_sagemakerruntime::operation::invoke_endpoint::InvokeEndpointOutput) -> String {
    String::from_utf8(output.body().unwrap().as_ref().to_vec()).unwrap()
}

fn variant(name: &str, model: &str, weight: f32) -> sm::ProductionVariant {
    sm::ProductionVariant::builder()
        .variant_name(name)
        .model_name(model)
        .initial_instance_count(4)
        .instance_type(sm::ProductionVariantInstanceType::MlM5Large)
        .initial_variant_weight(weight)
        .build()
}

#[tokio::test]
async fn many_models_share_a_container() {
    let aws = Aws::new();
    let container = sm::ContainerDefinition::builder()
        .image(IMAGE)
        .mode(sm::ContainerMode::MultiModel)
        .model_data_url("s3://out/models/")
        .build();
    aws.sagemaker.create_model().model_name("many").primary_container(container).send().await.unwrap();
    aws.config("many", &[("AllTraffic", "many", 1.0)]).await;
    aws.up("many", "many").await;
    aws.model("one", "1").await;
    aws.model("bad", "no number").await;
    let ask = |target: &str| aws.invoke("many", "x").target_model(target).send();
    assert_eq!(text(&ask("one.tar.gz").await.unwrap()), "1");
    aws.model("two", "2").await;
    assert_eq!(text(&ask("/two.tar.gz").await.unwrap()), "2", "models may come later");
    let changed = crate::local::archive::pack(&[("mean.txt".to_owned(), "9".into())]).unwrap();
    aws.put("out", "models/one.tar.gz", changed);
    assert_eq!(text(&ask("one.tar.gz").await.unwrap()), "1", "a loaded model stays");
    let (code, message) = refusal(ask("no.tar.gz").await);
    assert_eq!(code, "ValidationError");
    assert!(message.starts_with("Failed to download model data(bucket: out, key: models/no.tar.gz)."), "{message}");
    let (code, message) = refusal(ask("bad.tar.gz").await);
    assert!(code == "ModelError" && message.contains("mean.txt holds no number"), "{message}");
    let (code, message) = refusal(aws.invoke("many", "x").send().await);
    assert_eq!(code, "ValidationError");
    assert!(message.ends_with(" is missing a target model header"), "{message}");
}

#[tokio::test]
async fn a_container_may_be_asked_directly() {
    let aws = Aws::new();
    aws.model("three", "3").await;
    let container = |host: Option<&str>, scale: &str| {
        sm::ContainerDefinition::builder()
            .image(IMAGE)
            .set_container_hostname(host.map(str::to_owned))
            .model_data_url("s3://out/models/three.tar.gz")
            .environment("SCALE", scale)
            .build()
    };
    let create = |name: &str, second: Option<&str>| {
        let direct = sm::InferenceExecutionConfig::builder().mode(sm::InferenceExecutionMode::Direct).build();
        let create = aws.sagemaker.create_model().model_name(name).inference_execution_config(direct);
        create.containers(container(Some("first"), "1")).containers(container(second, "2")).send()
    };
    assert!(refusal(create("m", None).await).1.contains("must have a ContainerHostname"));
    assert!(refusal(create("m", Some("first")).await).1.contains("Duplicate container hostname"));
    create("m", Some("second")).await.unwrap();
    aws.config("m", &[("AllTraffic", "m", 1.0)]).await;
    aws.up("m", "m").await;
    let ask = |host: &str| aws.invoke("m", "x").target_container_hostname(host).send();
    assert_eq!(text(&ask("first").await.unwrap()), "3");
    assert_eq!(text(&ask("second").await.unwrap()), "6");
    assert_eq!(refusal(ask("third").await).1, "Container third not found for endpoint m.");
    assert!(refusal(aws.invoke("m", "x").send().await).1.contains("requires the target container hostname header"));
}

#[tokio::test]
async fn a_shadow_sees_its_share_of_the_requests_and_both_are_captured() {
    let aws = Aws::new();
    aws.model("one", "1").await;
    aws.model("two", "2").await;
    let capture = sm::DataCaptureConfig::builder()
        .initial_sampling_percentage(100)
        .destination_s3_uri("s3://out/capture")
        .capture_options(sm::CaptureOption::builder().capture_mode(sm::CaptureMode::InputAndOutput).build())
        .capture_content_type_header(sm::CaptureContentTypeHeader::builder().csv_content_types("text/csv").build())
        .build();
    let config = aws.sagemaker.create_endpoint_config().endpoint_config_name("c").data_capture_config(capture);
    let config = config.production_variants(variant("live", "one", 2.0));
    config.shadow_production_variants(variant("dark", "two", 1.0)).send().await.unwrap();
    aws.up("e", "c").await;
    let described = aws.endpoint("e").await;
    assert_eq!(described.shadow_production_variants()[0].variant_name(), Some("dark"));
    let summary = described.data_capture_config().unwrap();
    assert_eq!((summary.capture_status().unwrap().as_str(), summary.kms_key_id()), ("Started", Some("")));
    for number in 0..10 {
        let answer = aws.invoke("e", "5,6").inference_id(format!("i-{number}")).send().await.unwrap();
        assert_eq!((text(&answer).as_str(), answer.invoked_production_variant()), ("1", Some("live")));
    }
    aws.backend.clock().settle().await;
    let keys = |variant: &str| aws.backend.core().s3.list("out", &format!("capture/e/{variant}/"));
    assert_eq!((keys("live").len(), keys("dark").len()), (10, 5));
    let key = &keys("dark")[0].key;
    let parts: Vec<&str> = key.split('/').collect();
    assert_eq!((parts.len(), parts[3].len(), parts[4].len(), parts[6].len()), (8, 4, 2, 2), "{key}");
    let lines = aws.get("out", key).unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.trim_end()).unwrap();
    assert_eq!(line["captureData"]["endpointInput"]["data"], "5,6");
    assert_eq!(line["captureData"]["endpointOutput"]["data"], "2");
    assert!(line["eventMetadata"]["inferenceId"].as_str().unwrap().starts_with("i-"));
}

#[tokio::test]
async fn a_serverless_variant_starts_when_it_is_asked() {
    let aws = Aws::with_clock(LocalClock::manual());
    let clock = aws.backend.clock().clone();
    let container = sm::ContainerDefinition::builder().image(ECHO).build();
    aws.sagemaker.create_model().model_name("m").primary_container(container).send().await.unwrap();
    let serverless =
        sm::ProductionVariantServerlessConfig::builder().memory_size_in_mb(1024).max_concurrency(1).build();
    let variant =
        sm::ProductionVariant::builder().variant_name("V").model_name("m").serverless_config(serverless).build();
    let config = aws.sagemaker.create_endpoint_config().endpoint_config_name("c").production_variants(variant);
    config.send().await.unwrap();
    aws.create_endpoint("e", "c").await;
    clock.advance(Duration::from_secs(30));
    clock.settle().await;
    let ask = || {
        use aws_sdk_sagemakerruntime::config::{Config, retry::RetryConfig};
        let once = Config::builder().retry_config(RetryConfig::disabled());
        tokio::spawn(aws.invoke("e", "x").customize().config_override(once).send())
    };
    // Time stands still, so that what is answered first is the refusal of whichever comes second.
    let cold_start = async || {
        let (mut one, mut other) = (ask(), ask());
        let (refused, waiting) = tokio::select! {
            refused = &mut one => (refused, other),
            refused = &mut other => (refused, one),
        };
        let refused = refused.unwrap().unwrap_err();
        assert_eq!(refused.raw_response().unwrap().status().as_u16(), 429);
        assert_eq!(refusal::<(), _>(Err(refused)), ("ThrottlingException".to_owned(), "Rate exceeded".to_owned()));
        clock.advance(Duration::from_millis(1999));
        clock.settle().await;
        assert!(!waiting.is_finished(), "a cold start takes two seconds");
        clock.advance(Duration::from_millis(1));
        waiting.await.unwrap().unwrap();
    };
    cold_start().await;
    // Warm, it answers though no time passes.
    ask().await.unwrap().unwrap();
    clock.advance(Duration::from_secs(299));
    clock.settle().await;
    ask().await.unwrap().unwrap();
    // It goes to sleep.
    clock.advance(Duration::from_secs(300));
    clock.settle().await;
    cold_start().await;
    let large = aws.invoke("e", &"x".repeat(4_194_305)).send().await;
    assert!(refusal(large).1.ends_with("Member must have length less than or equal to 4194304"));
}

#[tokio::test]
async fn a_canary_gets_its_share_before_all_traffic_goes_over() {
    let aws = Aws::with_clock(LocalClock::manual());
    let clock = aws.backend.clock().clone();
    let pass = |seconds| {
        clock.advance(Duration::from_secs(seconds));
        clock.settle()
    };
    aws.model("old", "1").await;
    aws.model("new", "2").await;
    for (name, model) in [("old", "old"), ("new", "new")] {
        let config = aws.sagemaker.create_endpoint_config().endpoint_config_name(name);
        config.production_variants(variant("V", model, 1.0)).send().await.unwrap();
    }
    aws.create_endpoint("e", "old").await;
    pass(30).await;
    let size = sm::CapacitySize::builder().r#type(sm::CapacitySizeType::InstanceCount).value(1).build();
    let routing = sm::TrafficRoutingConfig::builder()
        .r#type(sm::TrafficRoutingConfigType::Canary)
        .canary_size(size)
        .wait_interval_in_seconds(300)
        .build();
    let policy = sm::BlueGreenUpdatePolicy::builder()
        .traffic_routing_configuration(routing)
        .termination_wait_in_seconds(60)
        .build();
    let rollout = sm::DeploymentConfig::builder().blue_green_update_policy(policy).build();
    let update = || aws.sagemaker.update_endpoint().endpoint_name("e").endpoint_config_name("new");
    update().deployment_config(rollout).send().await.unwrap();
    let twos = async || {
        let mut twos = 0;
        for _ in 0..20 {
            twos += usize::from(text(&aws.invoke("e", "x").send().await.unwrap()) == "2");
        }
        twos
    };
    assert_eq!(twos().await, 0);
    pass(30).await;
    assert_eq!(twos().await, 5, "one of four instances");
    let endpoint = aws.endpoint("e").await;
    let pending = endpoint.pending_deployment_summary().unwrap().production_variants()[0].clone();
    assert_eq!(pending.variant_status()[0].status().unwrap().as_str(), "Baking");
    pass(300).await;
    assert_eq!((twos().await, aws.endpoint("e").await.endpoint_status().unwrap().as_str()), (20, "Updating"));
    pass(60).await;
    let endpoint = aws.endpoint("e").await;
    assert_eq!(
        (endpoint.endpoint_status().unwrap().as_str(), endpoint.endpoint_config_name()),
        ("InService", Some("new"))
    );
    assert!(endpoint.last_deployment_config().unwrap().blue_green_update_policy().is_some());

    update().retain_deployment_config(true).send().await.unwrap();
    assert!(aws.endpoint("e").await.last_deployment_config().is_some());
    pass(390).await;
    update().send().await.unwrap();
    assert!(aws.endpoint("e").await.last_deployment_config().is_none());
}

#[tokio::test]
async fn configurations_that_make_no_sense_are_refused() {
    let aws = Aws::new();
    aws.model("m", "1").await;
    let config = || aws.sagemaker.create_endpoint_config().endpoint_config_name("c");
    let two = config().production_variants(variant("a", "m", 1.0)).production_variants(variant("b", "m", 1.0));
    let two = two.shadow_production_variants(variant("s", "m", 1.0)).send().await;
    assert!(refusal(two).1.starts_with("You can only specify one production variant"));
    let same = config().production_variants(variant("a", "m", 1.0)).shadow_production_variants(variant("a", "m", 1.0));
    assert!(refusal(same.send().await).1.starts_with("Duplicate variant name"));
    let nowhere = sm::AsyncInferenceConfig::builder().output_config(sm::AsyncInferenceOutputConfig::builder().build());
    let nowhere = config().production_variants(variant("a", "m", 1.0)).async_inference_config(nowhere.build());
    assert!(refusal(nowhere.send().await).1.contains("S3OutputPath"));
}
