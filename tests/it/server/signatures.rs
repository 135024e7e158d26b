//! Requests that are not signed, or not as they must be, over the wire and in each protocol.

use sagemaker::local::{LocalBackend, LocalServer, Profile};

use super::raw::{Answer, Raw, SIGNED};

const DATE: &str = "x-amz-date: 20260102T030405Z\r\n";

fn scope(service: &str) -> String {
    format!(
        "authorization: AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=0f\r\n"
    )
}

async fn ask(server: &LocalServer, method: &str, path: &str, headers: impl AsRef<[u8]>, body: &str) -> Answer {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n", body.len());
    // Header values need not be text.
    request.push_str("\r\n");
    let at = request.len() - 2;
    let bytes = [&request.as_bytes()[..at], headers.as_ref(), b"\r\n", body.as_bytes()].concat();
    Raw::connect(server).await.send(bytes).await.answer().await
}

#[tokio::test]
async fn each_protocol_refuses_in_its_own_form() {
    let backend = LocalBackend::new();
    let server = backend.serve("127.0.0.1:0").await.unwrap();
    let json = "x-amz-target: SageMaker.ListModels\r\n";
    let answer = ask(&server, "POST", "/", json, "{}").await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["__type"], "MissingAuthenticationTokenException");
    assert_eq!(body["message"], "Missing Authentication Token");
    assert!(answer.header("x-amzn-requestid").is_some(), "{answer:?}");

    let answer = ask(&server, "POST", "/endpoints/e/invocations", "", "1").await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (403, Some("MissingAuthenticationTokenException")));

    let no_host = |service: &str| format!("{}{DATE}", scope(service).replace("host;", ""));
    for service in ["sts", "iam", "monitoring"] {
        let answer = ask(&server, "POST", "/", no_host(service), "Action=GetCallerIdentity").await;
        assert_eq!(answer.status, 403, "{service}: {}", answer.body);
        assert!(answer.body.contains("<Code>SignatureDoesNotMatch</Code>"), "{service}: {}", answer.body);
        assert!(answer.body.contains("must be a 'SignedHeader'"), "{service}: {}", answer.body);
    }
    let cbor = "smithy-protocol: rpc-v2-cbor\r\ncontent-type: application/cbor\r\n";
    let answer = Raw::connect(&server)
        .await
        .send(format!(
            "POST /service/GraniteServiceVersion20100801/operation/ListMetrics HTTP/1.1\r\nhost: localhost\r\n{cbor}\
             content-length: 0\r\n\r\n"
        ))
        .await
        .status_and_bytes()
        .await;
    assert_eq!(answer.0, 400);
    assert!(String::from_utf8_lossy(&answer.1).contains("MissingAuthenticationTokenException"), "{answer:?}");

    let answer = ask(&server, "GET", "/", "", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (403, Some("application/xml")));
    assert!(answer.body.contains("<Code>AccessDenied</Code><Message>Access Denied</Message>"), "{}", answer.body);
    // What was refused is on record as well.
    let refused = backend.requests();
    assert!(refused.iter().any(|request| request.operation == "ListModels" && request.status == 400), "{refused:?}");
}

#[tokio::test]
async fn malformed_signatures_are_refused_and_others_are_served() {
    let backend = LocalBackend::new();
    let server = backend.serve("127.0.0.1:0").await.unwrap();
    assert_eq!(ask(&server, "PUT", "/data", SIGNED, "").await.status, 200);
    let s3 = scope("s3");
    let header = |from: &str, to: &str| format!("{}{DATE}", s3.replace(from, to)).into_bytes();
    for (headers, status, code, text) in [
        (
            header("Credential=AK/20260102/us-east-1/s3/aws4_request, ", ""),
            400,
            "AuthorizationHeaderMalformed",
            "three",
        ),
        (header("us-east-1/", ""), 400, "AuthorizationHeaderMalformed", "mal-formed; expecting"),
        (header("20260102", "20261302"), 400, "AuthorizationHeaderMalformed", "20261302"),
        (header("SignedHeaders=host;x-amz-date, ", ""), 400, "AuthorizationHeaderMalformed", "three components"),
        (header("Signature=0f", "Signature="), 400, "AuthorizationHeaderMalformed", "three components"),
        (header("host;", ""), 403, "AccessDenied", "<HeadersNotSigned>host</HeadersNotSigned>"),
        (header("AWS4-HMAC-SHA256", "AWS4-HMAC-MD5"), 400, "InvalidArgument", "Unsupported Authorization Type"),
        (b"authorization: AWS \xff\xfe\r\n".to_vec(), 400, "InvalidArgument", "Expected AwsAccessKeyId:signature"),
        (b"authorization: \xff\xfe\r\n".to_vec(), 400, "InvalidArgument", "Unsupported Authorization Type"),
        (s3.clone().into_bytes(), 403, "AccessDenied", "a valid Date or x-amz-date header"),
        (format!("{s3}{s3}{DATE}").into_bytes(), 400, "InvalidArgument", "Unsupported Authorization Type"),
    ] {
        let answer = ask(&server, "GET", "/data?list-type=2", &headers, "").await;
        let shown = format!("{}: {}", String::from_utf8_lossy(&headers), answer.body);
        if code == "InvalidArgument" && headers.len() > 200 {
            // Two headers: the one or the other is wrong.
            assert_eq!(answer.status, 400, "{shown}");
            continue;
        }
        assert_eq!(answer.status, status, "{shown}");
        assert!(answer.body.contains(&format!("<Code>{code}</Code>")) && answer.body.contains(text), "{shown}");
        assert_eq!(ask(&server, "GET", "/data?list-type=2", SIGNED, "").await.status, 200);
    }
    let presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260102%2Fus-east-1%2Fs3%2Faws4_request\
                     &X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0f";
    for (query, code, text) in [
        (
            presigned.to_owned(),
            "AccessDenied",
            "<Message>Request has expired</Message><X-Amz-Expires>60</X-Amz-Expires>",
        ),
        (
            presigned.replace("&X-Amz-SignedHeaders=host", ""),
            "AuthorizationQueryParametersError",
            "X-Amz-SignedHeaders",
        ),
        (presigned.replace("us-east-1%2F", ""), "AuthorizationQueryParametersError", "mal-formed"),
        (presigned.replace("SHA256", "SHA1"), "AuthorizationQueryParametersError", "only supports"),
        ("AWSAccessKeyId=a&Signature=b&Expires=1".to_owned(), "AccessDenied", "Request has expired"),
        ("AWSAccessKeyId=a&Signature=b".to_owned(), "AccessDenied", "requires the Signature, Expires"),
    ] {
        let answer = ask(&server, "GET", &format!("/data/k?{query}"), "", "").await;
        let found = answer.body.contains(&format!("<Code>{code}</Code>")) && answer.body.contains(text);
        assert!(found && (400..404).contains(&answer.status), "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_public_may_do_what_a_policy_lets_it() {
    let backend = LocalBackend::new();
    let server = backend.serve("127.0.0.1:0").await.unwrap();
    assert_eq!(ask(&server, "PUT", "/data", SIGNED, "").await.status, 200);
    for key in ["open/a", "closed/b"] {
        assert_eq!(ask(&server, "PUT", &format!("/data/{key}"), SIGNED, "hello").await.status, 200);
    }
    let get = async |path: &str| ask(&server, "GET", path, "", "").await.status;
    assert_eq!([get("/data/open/a").await, get("/data?list-type=2").await, get("/none").await], [403, 403, 404]);
    let policy = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/open/*"}}"#;
    assert_eq!(ask(&server, "PUT", "/data?policy", SIGNED, policy).await.status, 204);
    assert_eq!([get("/data/open/a").await, get("/data/closed/b").await, get("/data?policy").await], [200, 403, 403]);
    assert_eq!(ask(&server, "PUT", "/data/open/a", "", "mine").await.status, 403);
    assert_eq!(ask(&server, "PUT", "/mine", "", "").await.status, 403);
}

#[tokio::test]
async fn the_lenient_profile_asks_for_no_signature() {
    let backend = LocalBackend::builder().profile(Profile::Lenient).build();
    let server = backend.serve("127.0.0.1:0").await.unwrap();
    assert_eq!(ask(&server, "PUT", "/data", "", "").await.status, 200);
    let json = "x-amz-target: SageMaker.ListModels\r\nauthorization: AWS4-HMAC-SHA256 nonsense\r\n";
    assert_eq!(ask(&server, "POST", "/", json, "{}").await.status, 200);
}
