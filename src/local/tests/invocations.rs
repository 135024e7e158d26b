//! The three ways to ask an endpoint.

use std::time::Duration;

use aws_sdk_sagemaker::types as sm;
use aws_sdk_sagemakerruntime::operation::invoke_endpoint_with_response_stream::InvokeEndpointWithResponseStreamOutput;
use aws_sdk_sagemakerruntime::primitives::Blob;
use aws_sdk_sagemakerruntime::types::ResponseStream;
use aws_sdk_sagemakerruntime::types::error::ResponseStreamError;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use super::support::{Aws, refusal};
use crate::local::signature::sign;
use crate::local::{LocalBackend, LocalClock};

async fn stream(aws: &Aws, endpoint: &str, body: &str) -> InvokeEndpointWithResponseStreamOutput {
    let call = aws.runtime.invoke_endpoint_with_response_stream().endpoint_name(endpoint).content_type("text/csv");
    call.accept("text/plain").body(Blob::new(body)).send().await.unwrap()
}

/// The parts, and the error at the end.
async fn parts(mut output: InvokeEndpointWithResponseStreamOutput) -> (Vec<String>, Option<(String, String)>) {
    let mut parts = Vec::new();
    loop {
        match output.body.recv().await {
            Ok(Some(ResponseStream::PayloadPart(part))) => {
                parts.push(String::from_utf8(part.bytes().unwrap().as_ref().to_vec()).unwrap());
            }
            Ok(Some(other)) => panic!("{other:?}"),
            Ok(None) => return (parts, None),
            Err(error) => {
                let ResponseStreamError::ModelStreamError(error) = error.into_service_error() else {
                    panic!("no such error")
                };
                let (code, text) = (error.error_code().unwrap_or_default(), error.message().unwrap_or_default());
                return (parts, Some((code.to_owned(), text.to_owned())));
            }
        }
    }
}

#[tokio::test]
async fn a_stream_gives_the_parts_of_the_container() {
    let aws = Aws::new();
    aws.deploy_echo("e").await;
    let output = stream(&aws, "e", "one two three").await;
    assert_eq!((output.content_type(), output.invoked_production_variant()), (Some("text/plain"), Some("AllTraffic")));
    assert_eq!(parts(output).await, (vec!["one ".to_owned(), "two ".to_owned(), "three".to_owned()], None));

    let large = "x".repeat(150_000);
    let (pieces, error) = parts(stream(&aws, "e", &large).await).await;
    assert_eq!((pieces.len(), pieces.concat() == large, error), (3, true, None));

    aws.deploy("whole", "7").await;
    assert_eq!(parts(stream(&aws, "whole", "1\n2").await).await.0, ["7\n7"], "a model that does not stream");
}

#[tokio::test]
async fn a_part_is_there_before_the_next_one() {
    let aws = Aws::new();
    aws.deploy_echo("e").await;
    let mut output = stream(&aws, "e", "first wait").await;
    let first = tokio::time::timeout(Duration::from_millis(300), output.body.recv()).await;
    assert!(matches!(first, Ok(Ok(Some(ResponseStream::PayloadPart(_))))), "{first:?}");
    assert_eq!(parts(output).await.0, ["wait"]);
}

#[tokio::test]
async fn a_stream_that_breaks_says_so() {
    let aws = Aws::new();
    aws.deploy_echo("e").await;
    for (body, text) in [("one fail two", "half way"), ("one panic two", "the engine panicked: half way")] {
        let (pieces, error) = parts(stream(&aws, "e", body).await).await;
        let (code, message) = error.unwrap();
        assert_eq!((pieces, code.as_str()), (vec!["one ".to_owned()], "StreamBroken"));
        assert!(message.contains(&format!("(500) from primary with message \"{text}\"")), "{message}");
    }
    let call = aws.runtime.invoke_endpoint_with_response_stream().endpoint_name("e").body(Blob::new("refuse")).send();
    let (code, message) = refusal(call.await);
    assert_eq!(code, "ModelError");
    assert!(message.starts_with("Received client error (400) from primary with message \"refused\"."), "{message}");
}

#[tokio::test]
async fn a_stream_that_nobody_reads_does_not_stop_time() {
    let aws = Aws::new();
    aws.deploy_echo("e").await;
    let output = stream(&aws, "e", &"word ".repeat(1000)).await;
    let settled = tokio::time::timeout(Duration::from_secs(20), aws.backend.clock().settle()).await;
    assert!(settled.is_ok());
    aws.backend.clock().sleep(Duration::from_secs(3600)).await;
    assert_eq!(parts(output).await.0.len(), 1000, "the caller's time is not the model's");
}

#[tokio::test]
async fn headers_reach_the_container_and_come_back() {
    let aws = Aws::new();
    aws.deploy_echo("e").await;
    let call = aws.invoke("e", "hi").custom_attributes("a=1").inference_id("i-1").session_id("NEW_SESSION");
    let answer = call.send().await.unwrap();
    let seen = "x-amzn-sagemaker-custom-attributes=a=1;x-amzn-sagemaker-inference-id=i-1;\
                x-amzn-sagemaker-session-id=NEW_SESSION;";
    assert_eq!(answer.custom_attributes(), Some(seen));
    assert_eq!(answer.new_session_id(), Some("s-1; Expires=2099-01-31T08:05:09Z"));
    let closed = aws.invoke("e", "hi").session_id("s-1").send().await.unwrap();
    assert_eq!(closed.closed_session_id(), Some("s-1"));
}

#[tokio::test]
async fn the_size_of_a_body_is_a_setting() {
    let aws = Aws::of(LocalBackend::builder().engine(super::support::Echo).max_invocation_body(10).build());
    aws.deploy_echo("e").await;
    aws.invoke("e", "0123456789").send().await.unwrap();
    let request =
        sign(http::Request::post("http://localhost/endpoints/e/invocations")).body(SdkBody::from("0123456789a"));
    let answer = aws.backend.handle(request.unwrap()).await;
    assert!(answer.status() == 413 && !answer.headers().contains_key("x-amzn-errortype"));
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&*body, br#"{"Message":"HTTP content length exceeded 10 bytes."}"#);
}

#[tokio::test]
async fn long_bodies_of_errors_are_not_repeated() {
    let aws = Aws::new();
    aws.deploy("e", "1").await;
    let error = aws.invoke("e", "1").content_type("x".repeat(1000)).send().await;
    assert!(refusal(error).1.contains(&"x".repeat(1000)));
}

async fn asynchronous(aws: &Aws, name: &str, concurrency: i32, failures: bool) {
    let container = sm::ContainerDefinition::builder().image(super::support::ECHO).build();
    aws.sagemaker.create_model().model_name(name).primary_container(container).send().await.unwrap();
    let variant = sm::ProductionVariant::builder()
        .variant_name("AllTraffic")
        .model_name(name)
        .initial_instance_count(1)
        .instance_type(sm::ProductionVariantInstanceType::MlM5Large)
        .build();
    let mut output = sm::AsyncInferenceOutputConfig::builder().s3_output_path("s3://out/async");
    if failures {
        output = output.s3_failure_path("s3://out/failed/");
    }
    let client = sm::AsyncInferenceClientConfig::builder().max_concurrent_invocations_per_instance(concurrency).build();
    let config = sm::AsyncInferenceConfig::builder().output_config(output.build()).client_config(client).build();
    let create = aws.sagemaker.create_endpoint_config().endpoint_config_name(name).production_variants(variant);
    create.async_inference_config(config).send().await.unwrap();
    aws.up(name, name).await;
}

fn call(
    aws: &Aws,
) -> aws_sdk_sagemakerruntime::operation::invoke_endpoint_async::builders::InvokeEndpointAsyncFluentBuilder {
    aws.runtime.invoke_endpoint_async().endpoint_name("e").content_type("text/csv").accept("text/plain")
}

#[tokio::test]
async fn an_asynchronous_answer_becomes_an_object() {
    let aws = Aws::new();
    asynchronous(&aws, "e", 2, true).await;
    let described = aws.endpoint("e").await;
    let output = described.async_inference_config().unwrap().output_config().unwrap();
    assert_eq!(output.s3_output_path(), Some("s3://out/async"));
    aws.put("data", "in.csv", "from s3");
    let answer = call(&aws).input_location("s3://data/in.csv").inference_id("i-1").send().await.unwrap();
    assert_eq!(answer.inference_id(), Some("i-1"));
    assert_eq!(answer.output_location(), Some("s3://out/async/i-1.out"));
    assert_eq!(answer.failure_location(), Some("s3://out/failed/i-1-error.out"));
    aws.backend.clock().settle().await;
    assert_eq!(aws.get("out", "async/i-1.out").unwrap(), "from s3");
    assert_eq!(aws.get("out", "failed/i-1-error.out"), None);

    let answer = call(&aws).input_location("s3://data/in.csv").send().await.unwrap();
    let id = answer.inference_id().unwrap();
    assert_eq!(answer.output_location(), Some(format!("s3://out/async/{id}.out").as_str()));
    let log = aws.lines("/aws/sagemaker/Endpoints/e").await;
    assert!(log.iter().any(|line| line.ends_with("[i-1] Inference request succeeded.")), "{log:?}");

    let error = call(&aws).input_location("s3://data/no.csv").inference_id("i-2").send().await.unwrap();
    call(&aws).input_location("s3://data/refuse").inference_id("i-3").send().await.unwrap();
    aws.put("data", "refuse", "refuse this");
    aws.backend.clock().settle().await;
    assert_eq!(error.failure_location(), Some("s3://out/failed/i-2-error.out"));
    assert!(aws.get("out", "failed/i-2-error.out").unwrap().starts_with("Failed to download the input"));
    assert_eq!(aws.get("out", "failed/i-3-error.out").unwrap(), "refused");
    assert_eq!(aws.get("out", "async/i-3.out"), None);
}

#[tokio::test]
async fn an_asynchronous_body_may_come_in_line() {
    let aws = Aws::new();
    asynchronous(&aws, "e", 1, false).await;
    let post = |headers: &[(&str, &str)], body: String| {
        let mut request = sign(http::Request::post("http://localhost/endpoints/e/async-invocations"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(SdkBody::from(body)).unwrap();
        async {
            let answer = aws.backend.handle(request).await;
            let (parts, body) = answer.into_parts();
            let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
            (parts.status.as_u16(), parts.headers, body)
        }
    };
    let named = [
        ("x-amzn-sagemaker-filename", "answer.json"),
        ("x-amzn-sagemaker-s3outputpathextension", "run/1"),
        ("x-amzn-sagemaker-inference-id", "i"),
        ("x-amzn-sagemaker-requestttlseconds", "60"),
    ];
    let (status, headers, body) = post(&named, "in line".into()).await;
    assert_eq!((status, body.as_str()), (202, r#"{"InferenceId":"i"}"#));
    assert_eq!(headers["x-amzn-sagemaker-outputlocation"], "s3://out/async/run/1/answer.json");
    assert!(!headers.contains_key("x-amzn-sagemaker-failurelocation"));
    aws.backend.clock().settle().await;
    assert_eq!(aws.get("out", "async/run/1/answer.json").unwrap(), "in line");

    let refused = |answer: (u16, http::HeaderMap, String), text: &str| {
        assert!(answer.0 == 400 && answer.2.contains(text), "{answer:?}");
        assert_eq!(answer.1["x-amzn-errortype"], "ValidationError");
    };
    refused(post(&[], String::new()).await, "Either Body or InputLocation must be provided.");
    let location = ("x-amzn-sagemaker-inputlocation", "s3://data/x");
    refused(post(&[location], "both".into()).await, "Body and InputLocation are mutually exclusive.");
    refused(post(&[], "x".repeat(128_001)).await, "Member must have length less than or equal to 128000");
    let short = ("x-amzn-sagemaker-requestttlseconds", "59");
    refused(post(&[short], "x".into()).await, "Member must have value greater than or equal to 60");
    let dots = ("x-amzn-sagemaker-filename", "a.b.c");
    refused(post(&[dots], "x".into()).await, "at 'filename' failed to satisfy constraint");
}

#[tokio::test]
async fn a_request_that_waits_for_too_long_expires() {
    let aws = Aws::with_clock(LocalClock::scaled(400.0));
    asynchronous(&aws, "e", 1, true).await;
    aws.put("data", "wait", "wait");
    // 0.4 s in reality are 160 s here.
    call(&aws).input_location("s3://data/wait").inference_id("first").send().await.unwrap();
    let second = call(&aws).input_location("s3://data/wait").inference_id("second").request_ttl_seconds(60);
    second.send().await.unwrap();
    let late = call(&aws).input_location("s3://data/wait").inference_id("late").invocation_timeout_seconds(20);
    late.send().await.unwrap();
    aws.backend.clock().settle().await;
    assert_eq!(aws.get("out", "async/first.out").unwrap(), "wait");
    assert_eq!(aws.get("out", "failed/second-error.out").unwrap(), "The request expired before it was processed.");
    assert!(aws.get("out", "failed/late-error.out").unwrap().starts_with("Your invocation timed out"));
}

#[tokio::test]
async fn an_endpoint_is_asked_in_its_own_way() {
    let aws = Aws::new();
    asynchronous(&aws, "e", 1, true).await;
    aws.deploy("sync", "1").await;
    let refused =
        |name: &str| ("ValidationError".to_owned(), format!("Endpoint {name} does not support this inference type."));
    assert_eq!(refusal(aws.invoke("e", "1").send().await), refused("e"));
    let wrong = call(&aws).endpoint_name("sync").input_location("s3://data/x").send().await;
    assert_eq!(refusal(wrong), refused("sync"));
    let stream =
        aws.runtime.invoke_endpoint_with_response_stream().endpoint_name("e").body(Blob::new("x")).send().await;
    assert_eq!(refusal(stream), refused("e"));
}
