//! The name of the operation that a request asks for, as the API reference calls it.

use aws_smithy_types::body::SdkBody;
use http::header::HOST;
use http::{Method, Request};

use super::{address, documents};

/// Such as `PutObject`; the HTTP method for what has no name here.
pub(super) fn name(request: &Request<SdkBody>) -> &str {
    let place = place(request);
    let query = request.uri().query().unwrap_or_default();
    let asks = |name: &str| asks(query, name);
    let copies = request.headers().contains_key("x-amz-copy-source");
    if let Place::Bucket = place
        && let Some(name) =
            documents::several(request.method(), query).or_else(|| documents::operation(request.method(), asks))
    {
        return name;
    }
    match (place, request.method()) {
        (Place::Service, &Method::GET) => "ListBuckets",
        (Place::Bucket, &Method::HEAD) => "HeadBucket",
        (Place::Bucket, &Method::PUT) if asks("versioning") => "PutBucketVersioning",
        (Place::Bucket, &Method::PUT) if asks("acl") => "PutBucketAcl",
        (Place::Bucket, &Method::PUT) if query.is_empty() || asks("x-id") => "CreateBucket",
        (Place::Bucket, &Method::DELETE) if query.is_empty() || asks("x-id") => "DeleteBucket",
        (Place::Bucket, &Method::POST) if asks("delete") => "DeleteObjects",
        (Place::Bucket, &Method::GET) if asks("policyStatus") => "GetBucketPolicyStatus",
        (Place::Bucket, &Method::GET) if asks("location") => "GetBucketLocation",
        (Place::Bucket, &Method::GET) if asks("uploads") => "ListMultipartUploads",
        (Place::Bucket, &Method::GET) if asks("list-type") => "ListObjectsV2",
        (Place::Bucket, &Method::GET) if asks("versions") => "ListObjectVersions",
        (Place::Bucket, &Method::GET) if asks("versioning") => "GetBucketVersioning",
        (Place::Bucket, &Method::GET) if asks("acl") => "GetBucketAcl",
        (Place::Bucket, &Method::GET) => "ListObjects",
        (Place::Object, &Method::HEAD) => "HeadObject",
        (Place::Object, &Method::GET) if asks("tagging") => "GetObjectTagging",
        (Place::Object, &Method::GET) if asks("attributes") => "GetObjectAttributes",
        (Place::Object, &Method::GET) if asks("acl") => "GetObjectAcl",
        (Place::Object, &Method::PUT) if asks("acl") => "PutObjectAcl",
        (Place::Object, &Method::GET) if asks("retention") => "GetObjectRetention",
        (Place::Object, &Method::PUT) if asks("retention") => "PutObjectRetention",
        (Place::Object, &Method::GET) if asks("legal-hold") => "GetObjectLegalHold",
        (Place::Object, &Method::PUT) if asks("legal-hold") => "PutObjectLegalHold",
        (Place::Object, &Method::POST) if asks("select") => "SelectObjectContent",
        (Place::Object, &Method::PUT) if OTHER.iter().any(|name| asks(name)) => "PUT",
        (Place::Object, &Method::GET) if OTHER.iter().any(|name| asks(name)) => "GET",
        (Place::Object, &Method::PUT) if asks("tagging") => "PutObjectTagging",
        (Place::Object, &Method::DELETE) if asks("tagging") => "DeleteObjectTagging",
        (Place::Object, &Method::POST) if asks("restore") => "RestoreObject",
        (Place::Object, &Method::POST) if asks("uploads") => "CreateMultipartUpload",
        (Place::Object, &Method::PUT) if asks("uploadId") && copies => "UploadPartCopy",
        (Place::Object, &Method::PUT) if asks("uploadId") => "UploadPart",
        (Place::Object, &Method::POST) if asks("uploadId") => "CompleteMultipartUpload",
        (Place::Object, &Method::DELETE) if asks("uploadId") => "AbortMultipartUpload",
        (Place::Object, &Method::GET) if asks("uploadId") => "ListParts",
        (Place::Object, &Method::PUT) if copies => "CopyObject",
        (Place::Object, &Method::PUT) => "PutObject",
        (Place::Object, &Method::GET) => "GetObject",
        (Place::Object, &Method::DELETE) => "DeleteObject",
        (_, method) => method.as_str(),
    }
}

/// What the host and the path name.
fn place(request: &Request<SdkBody>) -> Place {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let host = request.uri().host().or_else(|| header(HOST)).unwrap_or_default();
    let path = request.uri().path().strip_prefix('/').unwrap_or_default();
    match (address::of_host(host).bucket, path.split_once('/')) {
        (None, _) if path.is_empty() => Place::Service,
        (None, Some((_, key))) if !key.is_empty() => Place::Object,
        (Some(_), _) if !path.is_empty() => Place::Object,
        _ => Place::Bucket,
    }
}

/// Whether something is posted to a key that no operation takes.
pub(super) fn is_plain_post(request: &Request<SdkBody>) -> bool {
    request.method() == Method::POST && request.uri().query().is_none() && matches!(place(request), Place::Object)
}

/// Subresources of objects that nothing here answers.
const OTHER: [&str; 5] = ["torrent", "restore", "annotation", "renameObject", "encryption"];

/// Whether a parameter is in the query.
pub(super) fn asks(query: &str, name: &str) -> bool {
    query.split('&').any(|pair| pair.split('=').next() == Some(name))
}

enum Place {
    Service,
    Bucket,
    Object,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_address_styles_name_the_same_operation() {
        for (method, hosted, path_style, operation) in [
            ("HEAD", "/", "/data", "HeadBucket"),
            ("PUT", "/a/b?x-id=PutObject", "/data/a/b", "PutObject"),
            ("PUT", "/a?partNumber=1&uploadId=u", "/data/a?partNumber=1&uploadId=u", "UploadPart"),
            ("POST", "/?delete", "/data?delete", "DeleteObjects"),
            ("GET", "/?list-type=2&prefix=a", "/data/?list-type=2&prefix=a", "ListObjectsV2"),
            ("GET", "/?versions", "/data?versions", "ListObjectVersions"),
            ("GET", "/?policy", "/data?policy", "GetBucketPolicy"),
            ("DELETE", "/?lifecycle", "/data/?lifecycle", "DeleteBucketLifecycle"),
            ("PUT", "/a?retention", "/data/a?retention", "PutObjectRetention"),
            ("GET", "/?inventory&id=a", "/data?inventory&id=a", "GetBucketInventoryConfiguration"),
            ("PUT", "/a?torrent", "/data/a?torrent", "PUT"),
            ("POST", "/a?restore", "/data/a?restore", "RestoreObject"),
            ("PATCH", "/a", "/data/a", "PATCH"),
        ] {
            for uri in
                [format!("https://data.s3.us-east-1.amazonaws.com{hosted}"), format!("http://127.0.0.1{path_style}")]
            {
                let request = Request::builder().method(method).uri(uri).body(SdkBody::empty()).unwrap();
                assert_eq!(name(&request), operation, "{method} {hosted}");
            }
        }
    }
}
