//! Configurations of which a bucket has several, told apart by an identifier: inventories, analytics, metrics and
//! intelligent tiering. They are kept and listed.

use aws_smithy_types::base64;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use s3s::dto::{AnalyticsConfiguration, IntelligentTieringConfiguration, InventoryConfiguration, MetricsConfiguration};
use s3s::{Body, HttpRequest, HttpResponse, S3Result};

use super::{parse, status};
use crate::local::query;
use crate::local::s3::receive::Received;
use crate::local::s3::{Inner, errors, operation};

/// One kind of them.
pub(super) struct Kind {
    query: &'static str,
    /// The element that a list is in.
    list: &'static str,
    /// Such as `InventoryConfiguration`, for the names of the operations.
    noun: &'static str,
    /// The identifier in a document that is whole.
    identifier: fn(&str) -> S3Result<String>,
}

const KINDS: [Kind; 4] = [
    Kind {
        query: "inventory",
        list: "ListInventoryConfigurationsResult",
        noun: "InventoryConfiguration",
        identifier: inventory,
    },
    Kind {
        query: "analytics",
        list: "ListBucketAnalyticsConfigurationResult",
        noun: "AnalyticsConfiguration",
        identifier: |text| Ok(parse::<AnalyticsConfiguration>(text)?.id),
    },
    Kind {
        query: "metrics",
        list: "ListMetricsConfigurationsResult",
        noun: "MetricsConfiguration",
        identifier: |text| Ok(parse::<MetricsConfiguration>(text)?.id),
    },
    Kind {
        query: "intelligent-tiering",
        list: "ListBucketIntelligentTieringConfigurationsOutput",
        noun: "IntelligentTieringConfiguration",
        identifier: tiering,
    },
];

/// How many configurations of a kind a bucket has at most, and how many a page holds.
const MAX: usize = 1000;
const PAGE: usize = 100;
const ARN: &str = "arn:";

fn inventory(text: &str) -> S3Result<String> {
    let configuration: InventoryConfiguration = parse(text)?;
    let destination = &configuration.destination.s3_bucket_destination;
    if !(destination.bucket.starts_with(ARN) && destination.bucket.contains(":s3:::")) {
        return Err(errors::custom("InvalidS3DestinationBucket", StatusCode::BAD_REQUEST, "Invalid bucket ARN."));
    }
    let known = ["CSV", "ORC", "Parquet"].contains(&destination.format.as_str())
        && ["Daily", "Weekly"].contains(&configuration.schedule.frequency.as_str())
        && ["All", "Current"].contains(&configuration.included_object_versions.as_str());
    if known { Ok(configuration.id) } else { Err(errors::malformed_xml()) }
}

fn tiering(text: &str) -> S3Result<String> {
    let configuration: IntelligentTieringConfiguration = parse(text)?;
    let known = ["Enabled", "Disabled"].contains(&configuration.status.as_str()) && !configuration.tierings.is_empty();
    if known { Ok(configuration.id) } else { Err(errors::malformed_xml()) }
}

/// The name of the operation, for the recorder.
pub(super) fn name(method: &Method, query: &str) -> Option<&'static str> {
    let kind = KINDS.iter().find(|kind| operation::asks(query, kind.query))?;
    let with_id = operation::asks(query, "id");
    Some(match (kind.noun, method, with_id) {
        ("InventoryConfiguration", &Method::PUT, _) => "PutBucketInventoryConfiguration",
        ("InventoryConfiguration", &Method::DELETE, _) => "DeleteBucketInventoryConfiguration",
        ("InventoryConfiguration", &Method::GET, true) => "GetBucketInventoryConfiguration",
        ("InventoryConfiguration", &Method::GET, false) => "ListBucketInventoryConfigurations",
        ("AnalyticsConfiguration", &Method::PUT, _) => "PutBucketAnalyticsConfiguration",
        ("AnalyticsConfiguration", &Method::DELETE, _) => "DeleteBucketAnalyticsConfiguration",
        ("AnalyticsConfiguration", &Method::GET, true) => "GetBucketAnalyticsConfiguration",
        ("AnalyticsConfiguration", &Method::GET, false) => "ListBucketAnalyticsConfigurations",
        ("MetricsConfiguration", &Method::PUT, _) => "PutBucketMetricsConfiguration",
        ("MetricsConfiguration", &Method::DELETE, _) => "DeleteBucketMetricsConfiguration",
        ("MetricsConfiguration", &Method::GET, true) => "GetBucketMetricsConfiguration",
        ("MetricsConfiguration", &Method::GET, false) => "ListBucketMetricsConfigurations",
        (_, &Method::PUT, _) => "PutBucketIntelligentTieringConfiguration",
        (_, &Method::DELETE, _) => "DeleteBucketIntelligentTieringConfiguration",
        (_, &Method::GET, true) => "GetBucketIntelligentTieringConfiguration",
        (_, &Method::GET, false) => "ListBucketIntelligentTieringConfigurations",
        _ => return None,
    })
}

/// Answers a request for one of them, or for a list; `None` for every other request.
pub(super) fn answer(s3: &Inner, bucket: &str, request: &HttpRequest) -> Option<S3Result<HttpResponse>> {
    let text = request.uri().query()?;
    let kind = KINDS.iter().find(|kind| operation::asks(text, kind.query))?;
    let parameters = query::form(text.as_bytes());
    let id = parameters.get("id").map(String::as_str);
    let received = request.extensions().get::<Received>().map(|received| received.bytes.clone());
    Some(match (request.method(), id) {
        (&Method::GET, None) => kind.list(s3, bucket, parameters.get("continuation-token").map(String::as_str)),
        (&Method::GET, Some(id)) => kind.get(s3, bucket, id),
        (&Method::PUT, Some(id)) => kind.put(s3, bucket, id, &received.unwrap_or_default()),
        (&Method::DELETE, Some(id)) => kind.delete(s3, bucket, id),
        _ => return None,
    })
}

fn missing() -> s3s::S3Error {
    errors::custom("NoSuchConfiguration", StatusCode::NOT_FOUND, "The specified configuration does not exist.")
}

fn xml(text: String) -> HttpResponse {
    let mut response = HttpResponse::new(Body::from(text));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

impl Kind {
    /// Where a configuration is among the bucket's documents.
    fn key(&self, id: &str) -> String {
        format!("{}/{id}", self.query)
    }

    fn get(&self, s3: &Inner, bucket: &str, id: &str) -> S3Result<HttpResponse> {
        let found = s3.storage.with(bucket, |bucket| Ok(bucket.documents.get(&self.key(id)).cloned()))?;
        found.map(xml).ok_or_else(missing)
    }

    fn put(&self, s3: &Inner, bucket: &str, id: &str, body: &Bytes) -> S3Result<HttpResponse> {
        let text = std::str::from_utf8(body).map_err(|_| errors::malformed_xml())?;
        s3.storage.with_mut(bucket, |bucket| {
            if (self.identifier)(text)? != id {
                let message = "Document ID does not match the specified configuration ID.";
                return Err(errors::custom("IdMismatch", StatusCode::BAD_REQUEST, message));
            }
            let prefix = self.key("");
            let alike = bucket.documents.keys().filter(|key| key.starts_with(&prefix)).count();
            if alike >= MAX && !bucket.documents.contains_key(&self.key(id)) {
                let message = "You are attempting to create a new configuration but have already reached the \
                               1,000-configuration limit.";
                return Err(errors::custom("TooManyConfigurations", StatusCode::BAD_REQUEST, message));
            }
            bucket.documents.insert(self.key(id), text.to_owned());
            bucket.changed();
            Ok(status(StatusCode::OK))
        })
    }

    fn delete(&self, s3: &Inner, bucket: &str, id: &str) -> S3Result<HttpResponse> {
        s3.storage.with_mut(bucket, |bucket| {
            bucket.documents.remove(&self.key(id)).ok_or_else(missing)?;
            bucket.changed();
            Ok(status(StatusCode::NO_CONTENT))
        })
    }

    fn list(&self, s3: &Inner, bucket: &str, token: Option<&str>) -> S3Result<HttpResponse> {
        let wrong = || errors::invalid_argument("The continuation token provided is incorrect");
        let after = match token {
            None => None,
            Some(token) => {
                let bytes = base64::decode(token).map_err(|_| wrong())?;
                Some(String::from_utf8(bytes).map_err(|_| wrong())?)
            }
        };
        let prefix = self.key("");
        let mut found: Vec<(String, String)> = s3.storage.with(bucket, |bucket| {
            let of_kind = bucket.documents.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix));
            let rest = of_kind.filter(|(key, _)| after.as_ref().is_none_or(|after| *key > after));
            Ok(rest.take(PAGE + 1).map(|(key, text)| (key.clone(), text.clone())).collect())
        })?;
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        let list = self.list;
        let mut text = format!("<{list} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        for (_, document) in &found {
            // Without the declaration that a document may begin with.
            let document = document.trim_start();
            let declared = document.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
            text.push_str(declared.map_or(document, |(_, rest)| rest));
        }
        text.push_str(&format!("<IsTruncated>{more}</IsTruncated>"));
        if let (true, Some((last, _))) = (more, found.last()) {
            text.push_str(&format!("<NextContinuationToken>{}</NextContinuationToken>", base64::encode(last)));
        }
        text.push_str(&format!("</{list}>"));
        Ok(xml(text))
    }
}
