use std::time::Duration;

use aws_sdk_sagemaker::types as sm;
use aws_sdk_sagemakerruntime::error::SdkError;
use aws_sdk_sagemakerruntime::operation::invoke_endpoint::InvokeEndpointError;

use super::support::{Aws, IMAGE, refusal, validation};
use crate::local::LocalClock;

fn text(output: &aws_sdk_sagemakerruntime::operation::invoke_endpoint::InvokeEndpointOutput) -> String {
    String::from_utf8(output.body().unwrap().as_ref().to_vec()).unwrap()
}

#[tokio::test]
async fn from_training_to_predictions() {
    let aws = Aws::new();
    aws.train("mean").send().await.unwrap();
    let job = aws.ended("mean").await;
    let container = sm::ContainerDefinition::builder()
        .image(IMAGE)
        .model_data_url(job.model_artifacts().unwrap().s3_model_artifacts().unwrap())
        .environment("SCALE", "10")
        .build();
    let create = aws.sagemaker.create_model().model_name("mean").execution_role_arn(aws.backend.role_arn());
    create.primary_container(container).send().await.unwrap();
    aws.config("mean", &[("AllTraffic", "mean", 1.0)]).await;
    aws.create_endpoint("mean", "mean").await;
    aws.backend.clock().settle().await;
    let answer = aws.invoke("mean", "1\n2\n").custom_attributes("trace=1").send().await.unwrap();
    assert_eq!(text(&answer), "30\n30");
    assert_eq!(answer.content_type(), Some("text/csv"));
    assert_eq!(answer.invoked_production_variant(), Some("AllTraffic"));
    assert_eq!(answer.custom_attributes(), None, "the container sets none");
    let log = aws.lines("/aws/sagemaker/Endpoints/mean").await;
    assert_eq!(log, ["Model loaded, listening on port 8080"]);
    assert!(aws.backend.ignored().iter().all(|field| field.operation == "CreateTrainingJob"));
}

#[tokio::test]
async fn an_endpoint_comes_up_and_goes() {
    let aws = Aws::with_clock(LocalClock::manual());
    let clock = aws.backend.clock().clone();
    aws.model("m", "1").await;
    aws.config("c", &[("AllTraffic", "m", 1.0)]).await;
    let created = aws.sagemaker.create_endpoint().endpoint_name("DEMO").endpoint_config_name("c").send().await.unwrap();
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/demo";
    assert_eq!(created.endpoint_arn(), Some(arn));
    let endpoint = aws.endpoint("DEMO").await;
    assert_eq!(endpoint.endpoint_status(), Some(&sm::EndpointStatus::Creating));
    assert!(endpoint.production_variants().is_empty());
    assert_eq!(endpoint.pending_deployment_summary().unwrap().endpoint_config_name(), Some("c"));

    let delete = || aws.sagemaker.delete_endpoint().endpoint_name("DEMO").send();
    let in_progress = format!("Cannot update in-progress endpoint \"{arn}\".");
    assert_eq!(refusal(delete().await), validation(&in_progress));
    let early = refusal(aws.invoke("DEMO", "1").send().await);
    let not_found = ("ValidationError".to_owned(), "Endpoint DEMO of account 123456789012 not found.".to_owned());
    assert_eq!(early, not_found);

    clock.advance(Duration::from_secs(30));
    clock.settle().await;
    let endpoint = aws.endpoint("demo").await;
    assert_eq!(endpoint.endpoint_status(), Some(&sm::EndpointStatus::InService));
    assert_eq!(endpoint.endpoint_name(), Some("DEMO"));
    assert!(endpoint.pending_deployment_summary().is_none());
    let variant = &endpoint.production_variants()[0];
    assert_eq!(
        (variant.variant_name(), variant.current_weight(), variant.current_instance_count()),
        (Some("AllTraffic"), Some(1.0), Some(1))
    );
    assert_eq!(variant.deployed_images()[0].specified_image(), Some(IMAGE));
    assert_eq!(text(&aws.invoke("DEMO", "1").send().await.unwrap()), "1");
    assert_eq!(refusal(aws.invoke("demo", "1").send().await).0, "ValidationError", "the runtime wants the exact name");

    let again = aws.sagemaker.create_endpoint().endpoint_name("demo").endpoint_config_name("c").send().await;
    assert_eq!(refusal(again), validation(&format!("Cannot create already existing endpoint \"{arn}\".")));

    delete().await.unwrap();
    assert_eq!(aws.endpoint("DEMO").await.endpoint_status(), Some(&sm::EndpointStatus::Deleting));
    assert_eq!(refusal(aws.invoke("DEMO", "1").send().await), not_found);
    clock.advance(Duration::from_secs(10));
    clock.settle().await;
    assert_eq!(refusal(delete().await), validation(&format!("Could not find endpoint \"{arn}\".")));
}

#[tokio::test]
async fn what_is_named_must_exist() {
    let aws = Aws::new();
    let arn = |kind: &str| format!("arn:aws:sagemaker:us-east-1:123456789012:{kind}/no");
    let create = aws.sagemaker.create_endpoint().endpoint_name("e").endpoint_config_name("no").send().await;
    assert_eq!(
        refusal(create),
        validation(&format!("Could not find endpoint configuration \"{}\".", arn("endpoint-config")))
    );
    let model = aws.sagemaker.describe_model().model_name("no").send().await;
    assert_eq!(refusal(model), validation(&format!("Could not find model \"{}\".", arn("model"))));
    let variant = sm::ProductionVariant::builder()
        .variant_name("v")
        .model_name("no")
        .instance_type(sm::ProductionVariantInstanceType::MlM5Large)
        .build();
    let config =
        aws.sagemaker.create_endpoint_config().endpoint_config_name("c").production_variants(variant).send().await;
    assert_eq!(refusal(config), validation(&format!("Could not find model \"{}\".", arn("model"))));
    let container = sm::ContainerDefinition::builder().image(IMAGE).model_data_url("s3://out/no.tar.gz").build();
    let model = aws.sagemaker.create_model().model_name("m").primary_container(container).send().await;
    assert_eq!(refusal(model), validation("Could not find model data at s3://out/no.tar.gz."));
    aws.model("m", "1").await;
    let container = sm::ContainerDefinition::builder().image(IMAGE).build();
    let again = aws.sagemaker.create_model().model_name("m").primary_container(container).send().await;
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:model/m";
    assert_eq!(refusal(again), validation(&format!("Cannot create already existing model \"{arn}\".")));
}

#[tokio::test]
async fn models_and_configs_may_be_deleted_while_in_use() {
    let aws = Aws::new();
    aws.deploy("live", "4").await;
    let config = aws.sagemaker.describe_endpoint_config().endpoint_config_name("live").send().await.unwrap();
    assert_eq!(config.production_variants()[0].initial_variant_weight(), Some(1.0));
    aws.sagemaker.delete_model().model_name("live").send().await.unwrap();
    aws.sagemaker.delete_endpoint_config().endpoint_config_name("live").send().await.unwrap();
    assert_eq!(text(&aws.invoke("live", "1").send().await.unwrap()), "4");
    let update = aws.sagemaker.update_endpoint().endpoint_name("live").endpoint_config_name("live").send().await;
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/live";
    assert_eq!(refusal(update), validation(&format!("Could not find endpoint configuration \"{arn}\".")));
}

#[tokio::test]
async fn an_endpoint_that_does_not_come_up_says_why() {
    let aws = Aws::new();
    aws.model("bad", "not a number").await;
    aws.config("bad", &[("Blue", "bad", 1.0)]).await;
    aws.create_endpoint("bad", "bad").await;
    aws.backend.clock().settle().await;
    let endpoint = aws.endpoint("bad").await;
    assert_eq!(endpoint.endpoint_status(), Some(&sm::EndpointStatus::Failed));
    assert_eq!(
        endpoint.failure_reason(),
        Some(
            "The primary container for production variant Blue did not pass the ping health check. Please check \
             CloudWatch logs for this endpoint. (mean.txt holds no number)"
        )
    );
    assert_eq!(aws.lines("/aws/sagemaker/Endpoints/bad").await, ["mean.txt holds no number"]);

    aws.put("out", "models/bad.tar.gz", "no archive");
    aws.create_endpoint("worse", "bad").await;
    aws.backend.clock().settle().await;
    let endpoint = aws.endpoint("worse").await;
    let reason = endpoint.failure_reason().unwrap();
    assert!(
        reason.starts_with("Failed to extract model data archive from URL \"s3://out/models/bad.tar.gz\""),
        "{reason}"
    );

    let update = aws.sagemaker.update_endpoint().endpoint_name("bad").endpoint_config_name("bad").send().await;
    assert_eq!(refusal(update).0, "ValidationException");
    aws.sagemaker.delete_endpoint().endpoint_name("bad").send().await.unwrap();
}

#[tokio::test]
async fn an_update_swaps_the_variants_and_a_failed_one_does_not() {
    let aws = Aws::new();
    aws.deploy("e", "1").await;
    aws.model("two", "2").await;
    aws.config("two", &[("Second", "two", 1.0)]).await;
    let update =
        |config: &'static str| aws.sagemaker.update_endpoint().endpoint_name("e").endpoint_config_name(config).send();
    let busy = aws.backend.clock().busy(); // or time may jump before it is looked at
    update("two").await.unwrap();
    let endpoint = aws.endpoint("e").await;
    assert_eq!(endpoint.endpoint_status(), Some(&sm::EndpointStatus::Updating));
    assert_eq!(text(&aws.invoke("e", "1").send().await.unwrap()), "1", "the old variants answer meanwhile");
    drop(busy);
    aws.backend.clock().settle().await;
    let endpoint = aws.endpoint("e").await;
    assert_eq!(
        (endpoint.endpoint_config_name(), endpoint.production_variants()[0].variant_name()),
        (Some("two"), Some("Second"))
    );
    assert_eq!(text(&aws.invoke("e", "1").send().await.unwrap()), "2");

    aws.model("bad", "nonsense").await;
    aws.config("bad", &[("Third", "bad", 1.0)]).await;
    update("bad").await.unwrap();
    aws.backend.clock().settle().await;
    let endpoint = aws.endpoint("e").await;
    assert_eq!(endpoint.endpoint_status(), Some(&sm::EndpointStatus::InService));
    assert!(endpoint.failure_reason().unwrap().contains("ping health check"));
    assert_eq!(endpoint.endpoint_config_name(), Some("two"));
    assert_eq!(text(&aws.invoke("e", "1").send().await.unwrap()), "2");
}

#[tokio::test]
async fn variants_share_the_traffic_by_weight() {
    let aws = Aws::new();
    aws.model("one", "1").await;
    aws.model("two", "2").await;
    aws.config("ab", &[("A", "one", 3.0), ("B", "two", 1.0)]).await;
    aws.create_endpoint("ab", "ab").await;
    aws.backend.clock().settle().await;
    let count = |answer: &str| usize::from(answer == "1");
    let mut ones = 0;
    for _ in 0..200 {
        ones += count(&text(&aws.invoke("ab", "x").send().await.unwrap()));
    }
    assert!((120..180).contains(&ones), "{ones} of 200 went to the variant with 3/4 of the weight");
    let target = aws.invoke("ab", "x").target_variant("B").send().await.unwrap();
    assert_eq!((text(&target).as_str(), target.invoked_production_variant()), ("2", Some("B")));
    let missing = refusal(aws.invoke("ab", "x").target_variant("C").send().await);
    assert_eq!(missing, ("ValidationError".to_owned(), "Variant C not found for Request".to_owned()));

    let weight = |name: &str, weight: f32| {
        sm::DesiredWeightAndCapacity::builder().variant_name(name).desired_weight(weight).build()
    };
    let update = |name: &'static str| {
        let update = aws.sagemaker.update_endpoint_weights_and_capacities().endpoint_name("ab");
        update.desired_weights_and_capacities(weight(name, 0.0)).send()
    };
    assert_eq!(refusal(update("C").await).0, "ValidationException");
    let busy = aws.backend.clock().busy(); // or time may jump before it is looked at
    update("A").await.unwrap();
    let endpoint = aws.endpoint("ab").await;
    assert_eq!(endpoint.endpoint_status(), Some(&sm::EndpointStatus::Updating));
    let variant = &endpoint.production_variants()[0];
    assert_eq!((variant.current_weight(), variant.desired_weight()), (Some(3.0), Some(0.0)));
    drop(busy);
    aws.backend.clock().settle().await;
    assert_eq!(aws.endpoint("ab").await.production_variants()[0].current_weight(), Some(0.0));
    for _ in 0..20 {
        assert_eq!(text(&aws.invoke("ab", "x").send().await.unwrap()), "2");
    }
}

#[tokio::test]
async fn an_update_may_retain_weights() {
    let aws = Aws::new();
    aws.model("m", "1").await;
    aws.config("old", &[("A", "m", 5.0)]).await;
    aws.config("new", &[("A", "m", 1.0)]).await;
    aws.create_endpoint("e", "old").await;
    aws.backend.clock().settle().await;
    let update = aws.sagemaker.update_endpoint().endpoint_name("e").endpoint_config_name("new");
    update.retain_all_variant_properties(true).send().await.unwrap();
    aws.backend.clock().settle().await;
    assert_eq!(aws.endpoint("e").await.production_variants()[0].current_weight(), Some(5.0));
}

#[tokio::test]
async fn containers_of_a_pipeline_follow_each_other() {
    let aws = Aws::new();
    aws.model("one", "1").await;
    let container = |scale: &str| {
        sm::ContainerDefinition::builder()
            .image(IMAGE)
            .model_data_url("s3://out/models/one.tar.gz")
            .environment("SCALE", scale)
            .build()
    };
    let create = aws.sagemaker.create_model().model_name("chain").containers(container("2")).containers(container("7"));
    create.send().await.unwrap();
    aws.config("chain", &[("AllTraffic", "chain", 1.0)]).await;
    aws.create_endpoint("chain", "chain").await;
    aws.backend.clock().settle().await;
    assert_eq!(text(&aws.invoke("chain", "1\n2").send().await.unwrap()), "7\n7");
    let error = aws.invoke("chain", "1").content_type("image/png").send().await;
    assert!(refusal(error).1.contains("client error (415) from container_1 with message"));
}

#[tokio::test]
async fn the_containers_error_arrives_whole() {
    let aws = Aws::new();
    aws.deploy("e", "1").await;
    let error = aws.invoke("e", "1").content_type("image/png").send().await.unwrap_err();
    let SdkError::ServiceError(raw) = &error else { panic!("{error:?}") };
    assert_eq!(raw.raw().status().as_u16(), 424);
    let InvokeEndpointError::ModelError(error) = error.into_service_error() else { panic!("no ModelError") };
    assert_eq!((error.original_status_code, error.original_message()), (Some(415), Some("unsupported \"image/png\"")));
    assert_eq!(
        error.message(),
        Some(
            "Received client error (415) from primary with message \"unsupported \"image/png\"\". See \
             https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logEventViewer:group=\
             /aws/sagemaker/Endpoints/e in account 123456789012 for more information."
        )
    );
    assert_eq!(
        error.log_stream_arn(),
        Some("arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/e")
    );
    let (code, text) = refusal(aws.invoke("e", "break").send().await);
    assert_eq!(code, "ModelError");
    assert!(text.starts_with("Received server error (500) from primary with message \"broken\"."), "{text}");
    let (_, text) = refusal(aws.invoke("e", "panic").send().await);
    assert!(text.contains("the engine panicked: oh dear"), "{text}");
    let log = aws.lines("/aws/sagemaker/Endpoints/e").await;
    assert_eq!(log[1], "POST /invocations 415: unsupported \"image/png\"");
}

#[tokio::test]
async fn a_body_may_be_six_megabytes() {
    let aws = Aws::new();
    aws.deploy("e", "1").await;
    let line = |length: usize| "x".repeat(length);
    assert_eq!(text(&aws.invoke("e", &line(6_291_456)).send().await.unwrap()), "1");
    let error = aws.invoke("e", &line(6_291_457)).send().await.unwrap_err();
    let SdkError::ServiceError(error) = error else { panic!("{error:?}") };
    assert_eq!(error.raw().status().as_u16(), 413);
}

#[test]
fn an_update_whose_runtime_ends_leaves_the_endpoint_in_service() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let aws = Aws::with_clock(LocalClock::manual());
    runtime().block_on(async {
        aws.model("m", "4").await;
        aws.config("c", &[("A", "m", 1.0)]).await;
        aws.create_endpoint("e", "c").await;
        aws.create_endpoint("new", "c").await;
        aws.backend.clock().advance(Duration::from_secs(30));
        aws.backend.clock().settle().await;
        aws.sagemaker.update_endpoint().endpoint_name("e").endpoint_config_name("c").send().await.unwrap();
        let weight = sm::DesiredWeightAndCapacity::builder().variant_name("A").desired_weight(7.0).build();
        let update = aws.sagemaker.update_endpoint_weights_and_capacities().endpoint_name("new");
        update.desired_weights_and_capacities(weight).send().await.unwrap();
        aws.create_endpoint("never", "c").await;
    });
    runtime().block_on(async {
        for name in ["e", "new"] {
            let endpoint = aws.endpoint(name).await;
            assert_eq!(endpoint.endpoint_status(), Some(&sm::EndpointStatus::InService), "{name}");
            assert!(endpoint.failure_reason().unwrap().starts_with("InternalServerError: "));
            assert!(endpoint.pending_deployment_summary().is_none());
            assert_eq!(endpoint.production_variants()[0].desired_weight(), Some(1.0));
            assert_eq!(text(&aws.invoke(name, "1").send().await.unwrap()), "4");
        }
        assert_eq!(aws.endpoint("never").await.endpoint_status(), Some(&sm::EndpointStatus::Failed));
    });
}

#[tokio::test]
async fn a_container_that_takes_too_long_is_given_up() {
    // 300 ms are five minutes.
    let aws = Aws::with_clock(LocalClock::scaled(1000.0));
    let up = async |name: String| {
        aws.create_endpoint(&name, &name).await;
        loop {
            let endpoint = aws.endpoint(&name).await;
            if endpoint.endpoint_status() != Some(&sm::EndpointStatus::Creating) {
                return endpoint;
            }
            aws.backend.clock().pause(Duration::from_secs(10)).await;
        }
    };
    aws.model("late", "slow").await;
    aws.config("late", &[("A", "late", 1.0)]).await;
    let endpoint = up("late".to_owned()).await;
    assert_eq!(endpoint.endpoint_status(), Some(&sm::EndpointStatus::Failed));
    let reason = endpoint.failure_reason().unwrap();
    assert!(reason.contains("did not pass the ping health check") && reason.contains("240 seconds"), "{reason}");

    // Given enough time, the engine says what it thinks of the model.
    for (seconds, why) in [(60, "within 60 seconds"), (3600, "mean.txt holds no number")] {
        let name = format!("late-{seconds}");
        let variant = sm::ProductionVariant::builder()
            .variant_name("A")
            .model_name("late")
            .initial_instance_count(1)
            .instance_type(sm::ProductionVariantInstanceType::MlM5Large)
            .container_startup_health_check_timeout_in_seconds(seconds)
            .build();
        let config = aws.sagemaker.create_endpoint_config().endpoint_config_name(&name);
        config.production_variants(variant).send().await.unwrap();
        let endpoint = up(name).await;
        let reason = endpoint.failure_reason().unwrap();
        assert!(reason.contains(why), "{reason}");
    }

    aws.model("e", "1").await;
    aws.config("e", &[("A", "e", 1.0)]).await;
    assert_eq!(up("e".to_owned()).await.endpoint_status(), Some(&sm::EndpointStatus::InService));
    let error = aws.invoke("e", "slow").send().await.unwrap_err();
    let InvokeEndpointError::ModelError(error) = error.into_service_error() else { panic!("no ModelError") };
    assert_eq!(error.original_status_code, Some(0));
    let said = error.message().unwrap();
    let start = "Received server error (0) from primary with message \"Your invocation timed out while waiting for a \
                 response from container primary.";
    assert!(said.starts_with(start), "{said}");
}

#[tokio::test]
async fn headers_that_do_not_fit_the_endpoint_are_refused() {
    let aws = Aws::new();
    aws.deploy("e", "1").await;
    let call = || aws.invoke("e", "1");
    let refused = |text: &str| ("ValidationError".to_owned(), text.to_owned());
    assert_eq!(
        refusal(call().target_model("m.tar.gz").send().await),
        refused("Endpoint e is not a multi-model endpoint and does not support target model header.")
    );
    assert_eq!(
        refusal(call().target_container_hostname("h").send().await),
        refused(
            "Endpoint e is not a multi-container endpoint with direct invocation and does not support target container \
             hostname header."
        )
    );
    assert_eq!(
        refusal(call().inference_component_name("c").send().await),
        refused("Inference Component c not found for endpoint e.")
    );
    assert_eq!(
        refusal(call().enable_explanations("`true`").send().await),
        refused("The local backend does not support EnableExplanations of InvokeEndpoint yet.")
    );
}

#[tokio::test]
async fn a_variant_is_weighed_once() {
    let aws = Aws::new();
    aws.deploy("e", "1").await;
    let weight = || sm::DesiredWeightAndCapacity::builder().variant_name("AllTraffic").desired_weight(1.0).build();
    let update = aws.sagemaker.update_endpoint_weights_and_capacities().endpoint_name("e");
    let twice = update.desired_weights_and_capacities(weight()).desired_weights_and_capacities(weight());
    assert!(refusal(twice.send().await).1.starts_with("Duplicate variant name \"AllTraffic\""));
    let serverless =
        sm::ProductionVariantServerlessConfig::builder().memory_size_in_mb(1024).max_concurrency(1).build();
    let variant =
        sm::ProductionVariant::builder().variant_name("V").model_name("e").serverless_config(serverless).build();
    aws.sagemaker.create_endpoint_config().endpoint_config_name("s").production_variants(variant).send().await.unwrap();
    aws.up("s", "s").await;
    let count = sm::DesiredWeightAndCapacity::builder().variant_name("V").desired_instance_count(1).build();
    let update = aws.sagemaker.update_endpoint_weights_and_capacities().endpoint_name("s");
    let refused = refusal(update.desired_weights_and_capacities(count).send().await);
    assert!(refused.1.contains("which is serverless"), "{refused:?}");
}
