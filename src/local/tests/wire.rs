use aws_smithy_types::body::SdkBody;
use http::Request;
use http_body_util::BodyExt;

use super::support::Aws;
use crate::local::signature::sign;

async fn send(aws: &Aws, request: http::request::Builder, body: &'static str) -> (u16, http::HeaderMap, String) {
    let answer = aws.backend.handle(sign(request).body(SdkBody::from(body)).unwrap()).await;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

fn sagemaker(operation: &str) -> http::request::Builder {
    Request::post("http://127.0.0.1:4000/").header("x-amz-target", format!("SageMaker.{operation}"))
}

#[tokio::test]
async fn errors_have_the_envelope_of_aws() {
    let aws = Aws::new();
    let (status, headers, body) = send(&aws, sagemaker("DescribeTrainingJob"), r#"{"TrainingJobName": "no"}"#).await;
    assert_eq!(status, 400);
    assert_eq!(headers["content-type"], "application/x-amz-json-1.1");
    assert_eq!(headers["x-amzn-requestid"].len(), 36);
    assert_eq!(body, r#"{"__type":"ValidationException","message":"Requested resource not found."}"#);
}

#[tokio::test]
async fn what_the_backend_does_not_know_is_named() {
    let aws = Aws::new();
    let (status, _, body) = send(&aws, sagemaker("ListModelMetadata"), "{}").await;
    assert_eq!(status, 400);
    let text = "The local backend does not support the operation ListModelMetadata of sagemaker.";
    assert_eq!(body, format!(r#"{{"__type":"UnknownOperationException","message":"{text}"}}"#));
    let athena = Request::post("https://athena.us-east-1.amazonaws.com/").header("x-amz-target", "AmazonAthena.ListX");
    let (_, _, body) = send(&aws, athena, "{}").await;
    assert!(body.contains("the operation ListX of athena"), "{body}");
    let form = Request::post("https://sts.us-east-1.amazonaws.com/");
    let (status, _, body) = send(&aws, form, "Action=GetFederationToken").await;
    assert!(
        status == 400
            && body.contains(
                "<Message>The local backend does not support the operation GetFederationToken of sts.</Message>"
            )
    );
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let aws = Aws::new();
    for body in ["{", "[]", "nul", "\u{1}"] {
        let (status, _, body) = send(&aws, sagemaker("ListModels"), body).await;
        assert!(status == 400 && body.contains("SerializationException"), "{body}");
    }
    let (status, _, body) = send(&aws, sagemaker("ListModels"), r#"{"MaxResults": "x"}"#).await;
    assert!(status == 400 && body.contains("SerializationException"), "{body}");
    let (status, ..) = send(&aws, sagemaker("ListModels"), "").await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn requests_are_recorded() {
    let aws = Aws::new();
    aws.train("recorded").send().await.unwrap();
    aws.invoke("none", "secret payload").custom_attributes("c").send().await.unwrap_err();
    let requests = aws.backend.requests();
    let [create, invoke] = requests.as_slice() else { panic!("{} requests", requests.len()) };
    assert_eq!(
        (create.service.as_str(), create.operation.as_str(), create.status),
        ("sagemaker", "CreateTrainingJob", 200)
    );
    assert_eq!(create.body["TrainingJobName"], "recorded");
    assert_eq!(create.body["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"], "s3://data/train");
    assert_eq!(
        (invoke.service.as_str(), invoke.operation.as_str(), invoke.status),
        ("sagemaker-runtime", "InvokeEndpoint", 400)
    );
    assert_eq!((invoke.path.as_str(), invoke.body_length), ("/endpoints/none/invocations", 14));
    assert_eq!(invoke.headers["content-type"], "text/csv");
    assert_eq!(invoke.headers["x-amzn-sagemaker-custom-attributes"], "c");
    assert!(!invoke.headers.contains_key("authorization"));
    assert!(invoke.body.is_null());
}

#[tokio::test]
async fn the_backend_is_usable_from_any_thread() {
    fn check<T: Send + Sync + Clone + 'static>(_: &T) {}
    let aws = Aws::new();
    check(&aws.backend);
    check(aws.backend.clock());
}
