//! Which service a request is for.

use aws_smithy_types::body::SdkBody;
use http::Request;
use http::header::{AUTHORIZATION, HOST};

use super::query;

/// The services behind the one handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Service {
    SageMaker,
    Runtime,
    Logs,
    CloudWatch,
    Sts,
    Iam,
    S3,
    /// One that the backend does not have, with the name that the request gave.
    Other(String),
}

impl Service {
    /// Those that the backend has.
    pub(super) const ALL: [Self; 7] =
        [Self::SageMaker, Self::Runtime, Self::S3, Self::Logs, Self::CloudWatch, Self::Sts, Self::Iam];

    /// The name in the recorder.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::SageMaker => "sagemaker",
            Self::Runtime => "sagemaker-runtime",
            Self::Logs => "logs",
            Self::CloudWatch => "cloudwatch",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::S3 => "s3",
            Self::Other(name) => name,
        }
    }
}

/// By host where it is one of AWS's, else by `X-Amz-Target`, path and the signature's credential scope, else S3.
pub(super) fn service(request: &Request<SdkBody>) -> Service {
    by_host(request)
        .or_else(|| by_target(request))
        .or_else(|| by_path(request))
        .or_else(|| by_credential_scope(request))
        .unwrap_or(Service::S3)
}

fn by_host(request: &Request<SdkBody>) -> Option<Service> {
    let header = || request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().host().or_else(header)?.split(':').next()?;
    let labels = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    // Before the others: a bucket may be called `logs` or `api.sagemaker`.
    if labels.split('.').any(|label| label == "s3" || label.starts_with("s3-")) {
        return Some(Service::S3);
    }
    let mut parts = labels.split('.');
    Some(match (parts.next()?, parts.next()) {
        ("api", Some("sagemaker")) => Service::SageMaker,
        ("runtime", Some("sagemaker")) => Service::Runtime,
        ("logs", _) => Service::Logs,
        ("monitoring", _) => Service::CloudWatch,
        ("sts", _) => Service::Sts,
        ("iam", _) => Service::Iam,
        ("api" | "runtime", Some(name)) | (name, _) => Service::Other(name.to_owned()),
    })
}

/// What an `X-Amz-Target` such as `SageMaker.ListModels` begins with, and the operation.
pub(super) fn target(request: &Request<SdkBody>) -> Option<(&str, &str)> {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.to_str().ok()?.rsplit_once('.');
    }
    // The CBOR protocol has it in the path: `/service/GraniteServiceVersion20100801/operation/ListMetrics`.
    let target = request.uri().path().strip_prefix("/service/Granite")?.split_once("/operation/")?;
    Some(("GraniteServiceVersion", target.1)).filter(|_| request.headers().contains_key("smithy-protocol"))
}

fn by_target(request: &Request<SdkBody>) -> Option<Service> {
    Some(match target(request)?.0 {
        "SageMaker" => Service::SageMaker,
        prefix if prefix.starts_with("Logs_") => Service::Logs,
        prefix if prefix.starts_with("GraniteServiceVersion") => Service::CloudWatch,
        prefix => Service::Other(prefix.to_owned()),
    })
}

fn by_path(request: &Request<SdkBody>) -> Option<Service> {
    let tail = request.uri().path().strip_prefix("/endpoints/")?;
    let (_, verb) = tail.split_once('/')?;
    let invokes = matches!(verb, "invocations" | "async-invocations" | "invocations-response-stream");
    (request.method() == http::Method::POST && invokes).then_some(Service::Runtime)
}

fn by_credential_scope(request: &Request<SdkBody>) -> Option<Service> {
    // The form is key/date/region/service/aws4_request.
    let scope = scope_of_header(request).or_else(|| scope_of_query(request))?;
    Some(match scope.rsplit('/').nth(1)? {
        "sagemaker" => Service::SageMaker,
        "logs" => Service::Logs,
        "monitoring" => Service::CloudWatch,
        "sts" => Service::Sts,
        "iam" => Service::Iam,
        "s3" => Service::S3,
        name if scope.ends_with("/aws4_request") => Service::Other(name.to_owned()),
        // It is no scope.
        _ => return None,
    })
}

/// The region that the signature names.
pub(super) fn signed_region(request: &Request<SdkBody>) -> Option<String> {
    let scope = scope_of_header(request).or_else(|| scope_of_query(request))?;
    scope.rsplit('/').nth(2).map(str::to_owned)
}

fn scope_of_header(request: &Request<SdkBody>) -> Option<String> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let scope = header.split_once("Credential=")?.1.split([',', ' ']).next()?;
    Some(scope.to_owned())
}

/// The scope of a presigned URL.
fn scope_of_query(request: &Request<SdkBody>) -> Option<String> {
    let pairs = request.uri().query()?.split('&').filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(name, _)| query::decode(name.as_bytes()).eq_ignore_ascii_case("x-amz-credential"));
    named.next().map(|(_, scope)| query::decode(scope.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, uri: &str, headers: &[(&str, &str)]) -> Service {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        service(&request.body(SdkBody::empty()).unwrap())
    }

    #[test]
    fn hosts_of_aws_decide() {
        let host = |host: &str| route("POST", &format!("https://{host}/"), &[]);
        assert_eq!(host("api.sagemaker.eu-west-1.amazonaws.com"), Service::SageMaker);
        assert_eq!(host("runtime.sagemaker.eu-west-1.amazonaws.com"), Service::Runtime);
        assert_eq!(host("logs.cn-north-1.amazonaws.com.cn"), Service::Logs);
        assert_eq!(host("monitoring.eu-west-1.amazonaws.com"), Service::CloudWatch);
        assert_eq!(host("sts.amazonaws.com"), Service::Sts);
        assert_eq!(host("iam.amazonaws.com"), Service::Iam);
        assert_eq!(host("s3.us-east-1.amazonaws.com"), Service::S3);
        assert_eq!(host("bucket.s3-us-west-2.amazonaws.com"), Service::S3);
        assert_eq!(host("logs.s3.us-east-1.amazonaws.com"), Service::S3);
        assert_eq!(host("api.ecr.us-east-1.amazonaws.com"), Service::Other("ecr".into()));
        assert_eq!(route("POST", "/", &[("host", "sts.eu-west-1.amazonaws.com:443")]), Service::Sts);
    }

    #[test]
    fn elsewhere_target_path_and_scope_decide() {
        let scope = |service: &str| {
            let header =
                format!("AWS4-HMAC-SHA256 Credential=AK/20250101/us-east-1/{service}/aws4_request, Signature=0");
            route("POST", "http://127.0.0.1:4000/", &[("authorization", &header)])
        };
        assert_eq!(scope("sts"), Service::Sts);
        assert_eq!(scope("iam"), Service::Iam);
        assert_eq!(scope("s3"), Service::S3);
        assert_eq!(scope("athena"), Service::Other("athena".into()));
        let target = |target: &str| route("POST", "http://localhost/", &[("x-amz-target", target)]);
        assert_eq!(target("SageMaker.ListModels"), Service::SageMaker);
        assert_eq!(target("Logs_20140328.GetLogEvents"), Service::Logs);
        assert_eq!(target("GraniteServiceVersion20100801.ListMetrics"), Service::CloudWatch);
        assert_eq!(scope("monitoring"), Service::CloudWatch);
        let cbor = "http://localhost/service/GraniteServiceVersion20100801/operation/ListMetrics";
        assert_eq!(route("POST", cbor, &[("smithy-protocol", "rpc-v2-cbor")]), Service::CloudWatch);
        assert_eq!(route("POST", cbor, &[]), Service::S3);
        assert_eq!(target("AWSGlue.GetTables"), Service::Other("AWSGlue".into()));
        let presigned = |service: &str| {
            let scope =
                format!("X-Amz-Algorithm=a&X-Amz-Credential=A%2FK%2F20250101%2Fus-east-1%2F{service}%2Faws4_request");
            route("GET", &format!("http://localhost/?{scope}"), &[])
        };
        assert_eq!(presigned("sts"), Service::Sts);
        assert_eq!(presigned("s3"), Service::S3);
        assert_eq!(route("POST", "http://localhost/endpoints/e/invocations", &[]), Service::Runtime);
        assert_eq!(route("PUT", "http://localhost/endpoints/e/invocations", &[]), Service::S3);
        assert_eq!(route("GET", "http://localhost/bucket/key", &[]), Service::S3);
    }
}
