//! Uploads from forms of browsers: `POST` of `multipart/form-data` to a bucket becomes the PutObject that it stands for.

mod fields;
mod policy;

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, EXPIRES, LOCATION,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use s3s::dto::Tagging;
use s3s::{Body, HttpResponse, S3Error, S3Result};

use super::Inner;
use super::documents::parse;
use super::listing::url_encode;
use super::{address, errors};
use crate::local::wire;
pub(super) use fields::Form;

/// What RFC 2046 allows.
const MAX_BOUNDARY: usize = 70;

/// The boundary of a form, if the request is one.
pub(super) fn boundary(method: &Method, headers: &HeaderMap) -> Option<S3Result<String>> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let parameters = kind.strip_prefix("multipart/form-data")?;
    if *method != Method::POST {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="));
    let boundary = boundary.map(|boundary| boundary.trim_matches('"')).filter(|boundary| !boundary.is_empty());
    Some(boundary.filter(|boundary| boundary.len() <= MAX_BOUNDARY).map(str::to_owned).ok_or_else(malformed))
}

fn malformed() -> S3Error {
    errors::custom(
        "MalformedPOSTRequest",
        StatusCode::BAD_REQUEST,
        "The body of your POST request is not well-formed multipart/form-data.",
    )
}

/// How an upload is to be answered.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    status: StatusCode,
    redirect: Option<Uri>,
    location: String,
    bucket: String,
    key: String,
}

/// Turns the request into a PutObject; its body is the file.
/// `host` is where it was sent to.
pub(super) fn rewrite(
    s3: &Inner,
    parts: &mut http::request::Parts,
    form: Form,
    host: &str,
) -> S3Result<(Bytes, Reply)> {
    let bucket = parts.uri.path().trim_matches('/').to_owned();
    let Some(key) = form.field("key") else {
        let message = "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of \
                       the fields.";
        return Err(errors::argument(message, "key", ""));
    };
    let key = key.replace("${filename}", form.file_name());
    if key.is_empty() {
        return Err(errors::argument("User key must have a length greater than 0.", "key", ""));
    }
    if let Some(policy) = form.field("policy") {
        policy::check(policy, &form, &bucket, (s3.real_now)())?;
    }
    let headers = headers_of(&form)?;
    let reply = Reply::of(&form, host, bucket, key);
    let path = format!("/{}/{}", reply.bucket, encode_path(&reply.key));
    parts.uri = path.parse().map_err(|_| errors::invalid_argument("Invalid key"))?;
    parts.method = Method::PUT;
    parts.headers = headers;
    Ok((form.file, reply))
}

/// The encoding of a key in a path.
fn encode_path(key: &str) -> String {
    url_encode(key).replace('+', "%20").replace('*', "%2A")
}

/// The headers of the PutObject, which are fields in the form.
fn headers_of(form: &Form) -> S3Result<HeaderMap> {
    const PLAIN: [HeaderName; 5] = [CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, EXPIRES];
    let mut headers = HeaderMap::new();
    for (name, value) in &form.fields {
        let (name, value) = match name.as_str() {
            "acl" => ("x-amz-acl", value.clone()),
            "tagging" => ("x-amz-tagging", tagging(value)?),
            name if policy::is_of_signature(name) => continue,
            name if name.starts_with("x-amz-") || PLAIN.iter().any(|plain| plain == name) => (name, value.clone()),
            _ => continue,
        };
        let invalid = || errors::argument("The field cannot be a header.", name, "");
        let (name, value) = (HeaderName::try_from(name), HeaderValue::try_from(value.into_bytes()));
        headers.insert(name.map_err(|_| invalid())?, value.map_err(|_| invalid())?);
    }
    Ok(headers)
}

/// The tags of a form are a document, those of a header are a query string.
fn tagging(document: &str) -> S3Result<String> {
    let tagging: Tagging = parse(document)?;
    let pairs = tagging.tag_set.into_iter().map(|tag| {
        let (key, value) = (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
        format!("{}={}", url_encode(&key), url_encode(&value))
    });
    Ok(pairs.collect::<Vec<_>>().join("&"))
}

impl Reply {
    fn of(form: &Form, host: &str, bucket: String, key: String) -> Self {
        let asked = form.field("success_action_status").and_then(|status| status.parse().ok());
        let status = match asked {
            Some(200) => StatusCode::OK,
            Some(201) => StatusCode::CREATED,
            // S3 ignores every other one.
            _ => StatusCode::NO_CONTENT,
        };
        let redirect = form.field("success_action_redirect").or_else(|| form.field("redirect"));
        let redirect = redirect.and_then(|target| target.parse::<Uri>().ok()).filter(|target| target.host().is_some());
        let path = encode_path(&key);
        let location = match address::of_host(host).bucket {
            Some(_) => format!("http://{host}/{path}"),
            None => format!("http://{host}/{bucket}/{path}"),
        };
        Self { status, redirect, location, bucket, key }
    }

    /// Makes the answer of a form from that of a PutObject; refusals stay as they are.
    pub(super) fn answer(self, mut response: HttpResponse) -> HttpResponse {
        if response.status() != StatusCode::OK {
            return response;
        }
        let etag = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).unwrap_or_default().to_owned();
        let location = match self.redirect {
            Some(target) => {
                *response.status_mut() = StatusCode::SEE_OTHER;
                let separator = if target.query().is_some() { '&' } else { '?' };
                let (bucket, key, etag) = (url_encode(&self.bucket), url_encode(&self.key), url_encode(&etag));
                format!("{target}{separator}bucket={bucket}&key={key}&etag={etag}")
            }
            None => {
                *response.status_mut() = self.status;
                self.location
            }
        };
        if *response.status_mut() == StatusCode::CREATED {
            let document = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{}</Location><Bucket>{}</Bucket>\
                 <Key>{}</Key><ETag>{}</ETag></PostResponse>",
                wire::escape(&location),
                wire::escape(&self.bucket),
                wire::escape(&self.key),
                wire::escape(&etag)
            );
            *response.body_mut() = Body::from(document);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        if let Ok(location) = HeaderValue::try_from(location) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}
