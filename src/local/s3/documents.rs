//! What clients configure on buckets: kept and given back as documents, but for those that have an effect elsewhere.

mod checks;
mod completed;
mod configurations;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use s3s::dto::{BucketLoggingStatus, PublicAccessBlockConfiguration, ServerSideEncryptionConfiguration, Tagging};
use s3s::xml::{Deserialize, Deserializer};
use s3s::{Body, HttpRequest, HttpResponse, S3Error, S3ErrorCode, S3Result};

use super::errors;
use super::object::Encryption;
use super::receive::Received;
use super::storage::Bucket;
use super::tags::Tags;
use super::{Inner, operation};

/// One row of the table.
struct Document {
    /// The parameter of the query that asks for it.
    query: &'static str,
    /// The operations that get, put and delete it.
    operations: [Option<&'static str>; 3],
    /// Refuses what is no such document.
    check: fn(&Inner, &mut Bucket, &str) -> S3Result<()>,
    absent: Absent,
    /// The status of the answer to a put.
    put: StatusCode,
}

/// What is answered while there is none.
enum Absent {
    Default(&'static str),
    Error(&'static str, &'static str),
}

static TABLE: &[Document] = &[
    Document {
        query: "policy",
        operations: [Some("GetBucketPolicy"), Some("PutBucketPolicy"), Some("DeleteBucketPolicy")],
        check: check_policy,
        absent: Absent::Error("NoSuchBucketPolicy", "The bucket policy does not exist"),
        put: StatusCode::NO_CONTENT,
    },
    Document {
        query: "tagging",
        operations: [Some("GetBucketTagging"), Some("PutBucketTagging"), Some("DeleteBucketTagging")],
        check: |_, _, text| Tags::check_of_bucket(parse::<Tagging>(text)?.tag_set),
        absent: Absent::Error("NoSuchTagSet", "The TagSet does not exist"),
        put: StatusCode::NO_CONTENT,
    },
    Document {
        query: "lifecycle",
        operations: [
            Some("GetBucketLifecycleConfiguration"),
            Some("PutBucketLifecycleConfiguration"),
            Some("DeleteBucketLifecycle"),
        ],
        check: checks::lifecycle,
        absent: Absent::Error("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
        put: StatusCode::OK,
    },
    Document {
        query: "cors",
        operations: [Some("GetBucketCors"), Some("PutBucketCors"), Some("DeleteBucketCors")],
        check: checks::cors,
        absent: Absent::Error("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
        put: StatusCode::OK,
    },
    Document {
        query: "website",
        operations: [Some("GetBucketWebsite"), Some("PutBucketWebsite"), Some("DeleteBucketWebsite")],
        check: checks::website,
        absent: Absent::Error(
            "NoSuchWebsiteConfiguration",
            "The specified bucket does not have a website configuration",
        ),
        put: StatusCode::OK,
    },
    Document {
        query: "encryption",
        operations: [Some("GetBucketEncryption"), Some("PutBucketEncryption"), Some("DeleteBucketEncryption")],
        check: set_encryption,
        absent: Absent::Default(
            "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>\
             <ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
             </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule>\
             </ServerSideEncryptionConfiguration>",
        ),
        put: StatusCode::OK,
    },
    Document {
        query: PUBLIC_ACCESS_BLOCK,
        operations: [Some("GetPublicAccessBlock"), Some("PutPublicAccessBlock"), Some("DeletePublicAccessBlock")],
        check: checks::public_access_block,
        absent: Absent::Error(
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        ),
        put: StatusCode::OK,
    },
    Document {
        query: OWNERSHIP,
        operations: [
            Some("GetBucketOwnershipControls"),
            Some("PutBucketOwnershipControls"),
            Some("DeleteBucketOwnershipControls"),
        ],
        check: checks::ownership,
        absent: Absent::Error("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
        put: StatusCode::OK,
    },
    Document {
        query: "notification",
        operations: [Some("GetBucketNotificationConfiguration"), Some("PutBucketNotificationConfiguration"), None],
        check: checks::notification,
        absent: Absent::Default("<NotificationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>"),
        put: StatusCode::OK,
    },
    Document {
        query: "logging",
        operations: [Some("GetBucketLogging"), Some("PutBucketLogging"), None],
        check: |_, _, text| parse::<BucketLoggingStatus>(text).map(drop),
        absent: Absent::Default("<BucketLoggingStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>"),
        put: StatusCode::OK,
    },
    Document {
        query: "accelerate",
        operations: [Some("GetBucketAccelerateConfiguration"), Some("PutBucketAccelerateConfiguration"), None],
        check: checks::accelerate,
        absent: Absent::Default("<AccelerateConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>"),
        put: StatusCode::OK,
    },
    Document {
        query: "requestPayment",
        operations: [Some("GetBucketRequestPayment"), Some("PutBucketRequestPayment"), None],
        check: checks::request_payment,
        absent: Absent::Default(
            "<RequestPaymentConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Payer>BucketOwner</Payer>\
             </RequestPaymentConfiguration>",
        ),
        put: StatusCode::OK,
    },
    Document {
        query: "replication",
        operations: [Some("GetBucketReplication"), Some("PutBucketReplication"), Some("DeleteBucketReplication")],
        check: checks::replication,
        absent: Absent::Error("ReplicationConfigurationNotFoundError", "The replication configuration was not found"),
        put: StatusCode::OK,
    },
    Document {
        query: OBJECT_LOCK,
        operations: [Some("GetObjectLockConfiguration"), Some("PutObjectLockConfiguration"), None],
        check: checks::object_lock,
        absent: Absent::Error(
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        ),
        put: StatusCode::OK,
    },
];

pub(super) const PUBLIC_ACCESS_BLOCK: &str = "publicAccessBlock";
pub(super) const OBJECT_LOCK: &str = "object-lock";
pub(super) const OWNERSHIP: &str = "ownershipControls";

/// What AWS sets on each new bucket.
pub(super) fn of_new_bucket(ownership: Option<&str>) -> [(&'static str, String); 2] {
    let ownership = ownership.unwrap_or("BucketOwnerEnforced");
    [
        (
            PUBLIC_ACCESS_BLOCK,
            "<PublicAccessBlockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
             <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>\
             </PublicAccessBlockConfiguration>"
                .to_owned(),
        ),
        (
            OWNERSHIP,
            format!(
                "<OwnershipControls xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ObjectOwnership>\
                 {ownership}</ObjectOwnership></Rule></OwnershipControls>"
            ),
        ),
    ]
}

/// The operations of all that is kept.
#[cfg(test)]
pub(in crate::local) fn kept() -> Vec<&'static str> {
    let documents = TABLE.iter().flat_map(|document| document.operations).flatten();
    let methods = [Method::PUT, Method::GET, Method::DELETE];
    let queries = ["inventory", "analytics", "metrics", "intelligent-tiering"];
    let several = queries.iter().flat_map(|query| {
        let asked = [format!("{query}&id=x"), (*query).to_owned()];
        let names = methods
            .iter()
            .flat_map(move |method| asked.iter().filter_map(|query| several(method, query)).collect::<Vec<_>>());
        names.collect::<Vec<_>>()
    });
    let names: std::collections::BTreeSet<&str> = documents.chain(several).collect();
    names.into_iter().collect()
}

/// The operation of one of several configurations, for the recorder.
pub(super) fn several(method: &Method, query: &str) -> Option<&'static str> {
    configurations::name(method, query)
}

/// The document of a bucket that is made with object lock.
pub(super) fn object_lock_enabled() -> String {
    "<ObjectLockConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><ObjectLockEnabled>Enabled\
     </ObjectLockEnabled></ObjectLockConfiguration>"
        .to_owned()
}

/// The operation of a bucket's subresource, for the recorder.
pub(super) fn operation(method: &Method, asks: impl Fn(&str) -> bool) -> Option<&'static str> {
    let document = TABLE.iter().find(|document| asks(document.query))?;
    document.operations[verb(method)?]
}

fn verb(method: &Method) -> Option<usize> {
    [Method::GET, Method::PUT, Method::DELETE].iter().position(|verb| verb == method)
}

/// Answers a request for a document; `None` for every other request.
pub(super) fn answer(s3: &Inner, request: &HttpRequest) -> Option<S3Result<HttpResponse>> {
    let bucket = request.uri().path().strip_prefix('/')?.trim_end_matches('/');
    if bucket.is_empty() || bucket.contains('/') {
        return None;
    }
    let query = request.uri().query()?;
    if let Some(answer) = configurations::answer(s3, bucket, request) {
        return Some(answer);
    }
    let document = TABLE.iter().find(|document| operation::asks(query, document.query))?;
    let verb = verb(request.method())?;
    document.operations[verb]?;
    let received = request.extensions().get::<Received>().map(|received| &received.bytes);
    Some(match verb {
        0 => document.get(s3, bucket),
        1 => document.put(s3, bucket, received.unwrap_or(&Bytes::new())),
        _ => document.delete(s3, bucket),
    })
}

impl Document {
    fn get(&self, s3: &Inner, bucket: &str) -> S3Result<HttpResponse> {
        let found = s3.storage.with(bucket, |bucket| Ok(bucket.documents.get(self.query).cloned()))?;
        let text = match (found, &self.absent) {
            (Some(text), _) => text,
            (None, Absent::Default(text)) => (*text).to_owned(),
            (None, Absent::Error(code, message)) => return Err(not_found(code, message)),
        };
        let mut response = HttpResponse::new(Body::from(text));
        let kind = if self.query == "policy" { "application/json" } else { "application/xml" };
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Ok(response)
    }

    fn put(&self, s3: &Inner, bucket: &str, body: &[u8]) -> S3Result<HttpResponse> {
        let text = std::str::from_utf8(body).map_err(|_| errors::malformed_xml())?;
        match self.query {
            "logging" => checks::logging_target(s3, bucket, text)?,
            "replication" => checks::replication_targets(s3, bucket, text)?,
            _ => {}
        }
        s3.storage.with_mut(bucket, |bucket| {
            (self.check)(s3, bucket, text)?;
            // An empty set of tags is none.
            if self.query == "tagging" && parse::<Tagging>(text)?.tag_set.is_empty() {
                bucket.documents.remove(self.query);
            } else {
                let text = completed::complete(self.query, text, || s3.next_number());
                bucket.documents.insert(self.query.to_owned(), text);
            }
            bucket.changed();
            Ok(status(self.put))
        })
    }

    fn delete(&self, s3: &Inner, bucket: &str) -> S3Result<HttpResponse> {
        s3.storage.with_mut(bucket, |bucket| {
            if bucket.documents.remove(self.query).is_some() {
                if self.query == "encryption" {
                    bucket.encryption = Encryption::default();
                }
                bucket.changed();
            }
            Ok(status(StatusCode::NO_CONTENT))
        })
    }
}

fn status(status: StatusCode) -> HttpResponse {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn not_found(code: &'static str, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(StatusCode::NOT_FOUND);
    error
}

/// Whether a document says that lists must not let the public in.
pub(super) fn blocks_public_acls(document: &str) -> bool {
    parse::<PublicAccessBlockConfiguration>(document).is_ok_and(|block| block.block_public_acls == Some(true))
}

pub(super) fn parse<T: for<'xml> Deserialize<'xml>>(text: &str) -> S3Result<T> {
    let mut deserializer = Deserializer::new(text.as_bytes());
    let parsed = T::deserialize(&mut deserializer).map_err(|_| errors::malformed_xml())?;
    deserializer.expect_eof().map_err(|_| errors::malformed_xml())?;
    Ok(parsed)
}

fn check_policy(_: &Inner, _: &mut Bucket, text: &str) -> S3Result<()> {
    let malformed = |message: &'static str| errors::custom("MalformedPolicy", StatusCode::BAD_REQUEST, message);
    let policy: serde_json::Value = serde_json::from_str(text)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    if !policy.is_object() {
        return Err(malformed("Policies must be valid JSON and the first byte must be '{'"));
    }
    if policy.get("Statement").is_none() {
        return Err(malformed("Missing required field Statement"));
    }
    Ok(())
}

/// Objects that come from now on without a wish of their own are encrypted like this.
fn set_encryption(s3: &Inner, bucket: &mut Bucket, text: &str) -> S3Result<()> {
    let configuration: ServerSideEncryptionConfiguration = parse(text)?;
    let [rule] = configuration.rules.as_slice() else { return Err(errors::malformed_xml()) };
    let wanted = rule.apply_server_side_encryption_by_default.as_ref();
    let encryption = Encryption::requested(
        wanted.map(|wanted| wanted.sse_algorithm.as_str()),
        wanted.and_then(|wanted| wanted.kms_master_key_id.as_deref()),
        rule.bucket_key_enabled,
        &s3.kms_arn_prefix(),
    )?;
    bucket.encryption = encryption.unwrap_or_default();
    Ok(())
}
