//! What S3 refuses in configurations beyond their form.

use http::StatusCode;
use s3s::dto::{
    AccelerateConfiguration, BucketAccelerateStatus, BucketLifecycleConfiguration, BucketLoggingStatus,
    CORSConfiguration, LifecycleRule, LifecycleRuleFilter, NotificationConfiguration, NotificationConfigurationFilter,
    ObjectLockConfiguration, OwnershipControls, PublicAccessBlockConfiguration, ReplicationConfiguration,
    RequestPaymentConfiguration, WebsiteConfiguration,
};
use s3s::{S3Result, s3_error};

use super::parse;
use crate::local::s3::storage::{Bucket, Versioning};
use crate::local::s3::{Inner, errors};

const MAX_CORS_RULES: usize = 100;
const MAX_LIFECYCLE_RULES: usize = 1000;
const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "HEAD"];
/// What the names of events begin with.
const EVENTS: [&str; 10] = [
    "s3:IntelligentTiering",
    "s3:LifecycleExpiration:",
    "s3:LifecycleTransition",
    "s3:ObjectAcl:Put",
    "s3:ObjectCreated:",
    "s3:ObjectRemoved:",
    "s3:ObjectRestore:",
    "s3:ObjectTagging:",
    "s3:ReducedRedundancyLostObject",
    "s3:Replication:",
];

pub(super) fn cors(_: &Inner, _: &mut Bucket, text: &str) -> S3Result<()> {
    let configuration: CORSConfiguration = parse(text)?;
    let rules = &configuration.cors_rules;
    if rules.is_empty() || rules.len() > MAX_CORS_RULES {
        return Err(errors::malformed_xml());
    }
    for rule in rules {
        if rule.allowed_methods.is_empty() || rule.allowed_origins.is_empty() {
            return Err(errors::malformed_xml());
        }
        if let Some(method) = rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
            return Err(errors::invalid_request(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )));
        }
        if let Some(origin) = rule.allowed_origins.iter().find(|origin| origin.matches('*').count() > 1) {
            return Err(errors::invalid_request(format!(
                "AllowedOrigin \"{origin}\" can not have more than one wildcard."
            )));
        }
    }
    Ok(())
}

pub(super) fn lifecycle(_: &Inner, _: &mut Bucket, text: &str) -> S3Result<()> {
    let configuration: BucketLifecycleConfiguration = parse(text)?;
    let rules = &configuration.rules;
    if rules.is_empty() || rules.len() > MAX_LIFECYCLE_RULES || !rules.iter().all(is_whole) {
        return Err(errors::malformed_xml());
    }
    for (at, rule) in rules.iter().enumerate() {
        let Some(id) = &rule.id else { continue };
        if id.encode_utf16().count() > 255 {
            return Err(errors::argument("ID length should not exceed allowed limit of 255", "ID", id));
        }
        if rules[..at].iter().any(|earlier| earlier.id.as_ref() == Some(id)) {
            let message = "Rule ID must be unique. Found same ID for more than one rule";
            return Err(errors::argument(message, "ID", id));
        }
    }
    if rules.iter().any(|rule| !has_action(rule)) {
        return Err(errors::invalid_request("At least one action needs to be specified in a rule"));
    }
    Ok(())
}

/// Whether a rule has what belongs together and nothing that excludes each other.
fn is_whole(rule: &LifecycleRule) -> bool {
    let expiration = rule.expiration.as_ref().is_none_or(|expiration| {
        let kinds =
            [expiration.date.is_some(), expiration.days.is_some(), expiration.expired_object_delete_marker.is_some()];
        kinds.iter().filter(|given| **given).count() == 1
    });
    let transitions =
        rule.transitions.iter().flatten().all(|transition| {
            transition.storage_class.is_some() && transition.date.is_some() != transition.days.is_some()
        });
    let noncurrent = rule
        .noncurrent_version_transitions
        .iter()
        .flatten()
        .all(|transition| transition.storage_class.is_some() && transition.noncurrent_days.is_some());
    let noncurrent_end =
        rule.noncurrent_version_expiration.as_ref().is_none_or(|expiration| expiration.noncurrent_days.is_some());
    let one_place = rule.filter.is_some() != rule.prefix.is_some();
    let status = matches!(rule.status.as_str(), "Enabled" | "Disabled");
    let filter = rule.filter.as_ref().is_none_or(is_one_condition);
    expiration && transitions && noncurrent && noncurrent_end && one_place && status && filter
}

/// Several conditions belong into `And`.
fn is_one_condition(filter: &LifecycleRuleFilter) -> bool {
    let given = [
        filter.and.is_some(),
        filter.object_size_greater_than.is_some(),
        filter.object_size_less_than.is_some(),
        filter.prefix.is_some(),
        filter.tag.is_some(),
    ];
    given.iter().filter(|given| **given).count() <= 1
}

fn has_action(rule: &LifecycleRule) -> bool {
    rule.expiration.is_some()
        || rule.abort_incomplete_multipart_upload.is_some()
        || rule.noncurrent_version_expiration.is_some()
        || rule.transitions.as_ref().is_some_and(|list| !list.is_empty())
        || rule.noncurrent_version_transitions.as_ref().is_some_and(|list| !list.is_empty())
}

pub(super) fn public_access_block(_: &Inner, _: &mut Bucket, text: &str) -> S3Result<()> {
    let block: PublicAccessBlockConfiguration = parse(text)?;
    let all =
        [block.block_public_acls, block.ignore_public_acls, block.block_public_policy, block.restrict_public_buckets];
    if all.iter().all(Option::is_none) {
        return Err(errors::invalid_request("Must specify at least one configuration."));
    }
    Ok(())
}

pub(super) fn ownership(_: &Inner, bucket: &mut Bucket, text: &str) -> S3Result<()> {
    let controls: OwnershipControls = parse(text)?;
    let [rule] = controls.rules.as_slice() else { return Err(errors::malformed_xml()) };
    match rule.object_ownership.as_str() {
        "BucketOwnerEnforced" if bucket.acl().is_some() => Err(errors::acl_with_ownership()),
        "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter" => Ok(()),
        _ => Err(errors::malformed_xml()),
    }
}

/// Whether the destination exists is not for this S3 to know.
pub(super) fn notification(_: &Inner, bucket: &mut Bucket, text: &str) -> S3Result<()> {
    let configuration: NotificationConfiguration = parse(text)?;
    let topics = configuration.topic_configurations.iter().flatten();
    let queues = configuration.queue_configurations.iter().flatten();
    let functions = configuration.lambda_function_configurations.iter().flatten();
    let all = topics
        .map(|topic| (&topic.topic_arn, "sns", &topic.events, topic.filter.as_ref()))
        .chain(queues.map(|queue| (&queue.queue_arn, "sqs", &queue.events, queue.filter.as_ref())))
        .chain(
            functions
                .map(|function| (&function.lambda_function_arn, "lambda", &function.events, function.filter.as_ref())),
        );
    for (arn, service, events, filter) in all {
        let mut parts = arn.split(':');
        let head = [parts.next(), parts.next(), parts.next(), parts.next()];
        if head[0] != Some("arn") || head[2] != Some(service) || parts.count() < 2 {
            return Err(errors::argument("The ARN is not well formed", "ARN", arn));
        }
        if head[3] != Some(bucket.region.as_str()) {
            let message = "The notification destination service region is not valid for the bucket location constraint";
            return Err(errors::argument(message, "ARN", arn));
        }
        if events.is_empty() {
            return Err(errors::malformed_xml());
        }
        check_filter(filter)?;
        let is_known = |event: &str| EVENTS.iter().any(|known| event.starts_with(known));
        if let Some(event) = events.iter().map(AsRef::<str>::as_ref).find(|event| !is_known(event)) {
            let message = format!("The event '{event}' is not supported for notifications");
            return Err(errors::argument(message, "Event", event));
        }
    }
    Ok(())
}

/// Whether logs may go where the document says, which lies in another bucket.
pub(super) fn logging_target(s3: &Inner, bucket: &str, text: &str) -> S3Result<()> {
    let Some(wanted) = parse::<BucketLoggingStatus>(text)?.logging_enabled else { return Ok(()) };
    let buckets = s3.storage.read();
    let (Some(source), target) = (buckets.get(bucket), buckets.get(&wanted.target_bucket)) else {
        return Err(errors::no_such_bucket());
    };
    let refusal = match target {
        None => "The target bucket for logging does not exist",
        Some(target) if target.region != source.region => {
            let error = errors::custom(
                "CrossLocationLoggingProhibitted",
                StatusCode::FORBIDDEN,
                "Cross S3 location logging not allowed. ",
            );
            return Err(errors::with_details(error, &[("TargetBucketLocation", &target.region)]));
        }
        Some(_) => return Ok(()),
    };
    let error = s3_error!(InvalidTargetBucketForLogging, "{refusal}");
    Err(errors::with_details(error, &[("TargetBucket", &wanted.target_bucket)]))
}

pub(super) fn accelerate(_: &Inner, bucket: &mut Bucket, text: &str) -> S3Result<()> {
    let configuration: AccelerateConfiguration = parse(text)?;
    match configuration.status.as_ref().map(BucketAccelerateStatus::as_str) {
        Some("Enabled" | "Suspended") if bucket.name().contains('.') => Err(errors::invalid_request(
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names",
        )),
        Some("Enabled" | "Suspended") => Ok(()),
        _ => Err(errors::malformed_xml()),
    }
}

/// Rules of a filter have a name, which is one of two, and a value.
fn check_filter(filter: Option<&NotificationConfigurationFilter>) -> S3Result<()> {
    let rules = filter.and_then(|filter| filter.key.as_ref()).and_then(|key| key.filter_rules.as_ref());
    for rule in rules.into_iter().flatten() {
        let (Some(name), Some(_)) = (&rule.name, &rule.value) else { return Err(errors::malformed_xml()) };
        if !["prefix", "suffix"].iter().any(|known| name.as_str().eq_ignore_ascii_case(known)) {
            let message = "filter rule name must be either prefix or suffix";
            return Err(errors::argument(message, "FilterRule.Name", name.as_str()));
        }
    }
    Ok(())
}

pub(super) fn request_payment(_: &Inner, _: &mut Bucket, text: &str) -> S3Result<()> {
    let configuration: RequestPaymentConfiguration = parse(text)?;
    let known = ["BucketOwner", "Requester"].contains(&configuration.payer.as_str());
    if known { Ok(()) } else { Err(errors::malformed_xml()) }
}

pub(super) fn website(_: &Inner, _: &mut Bucket, text: &str) -> S3Result<()> {
    let configuration: WebsiteConfiguration = parse(text)?;
    let index = configuration.index_document.as_ref().map(|index| index.suffix.as_str());
    if configuration.redirect_all_requests_to.is_some() {
        let more = index.is_some() || configuration.error_document.is_some() || configuration.routing_rules.is_some();
        if more {
            let message = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.";
            return Err(errors::argument(message, "RedirectAllRequestsTo", "not null"));
        }
    } else {
        let Some(index) = index else {
            let message = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty";
            return Err(errors::argument(message, "IndexDocument", "null"));
        };
        if index.is_empty() || index.contains('/') {
            return Err(errors::argument("The IndexDocument Suffix is not well formed", "IndexDocument", index));
        }
    }
    for rule in configuration.routing_rules.iter().flatten() {
        let redirect = &rule.redirect;
        if redirect.replace_key_with.is_some() && redirect.replace_key_prefix_with.is_some() {
            return Err(errors::invalid_request("You can only define ReplaceKeyPrefix or ReplaceKey but not both."));
        }
        let protocol = redirect.protocol.as_ref().map(s3s::dto::Protocol::as_str);
        if protocol.is_some_and(|protocol| !["http", "https"].contains(&protocol)) {
            return Err(errors::invalid_request(
                "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected \
                 automatically.",
            ));
        }
        let empty = |condition: &s3s::dto::Condition| {
            condition.http_error_code_returned_equals.is_none() && condition.key_prefix_equals.is_none()
        };
        if rule.condition.as_ref().is_some_and(empty) {
            return Err(errors::invalid_request(
                "Condition cannot be empty. To redirect all requests without a condition, the condition element \
                 shouldn't be present.",
            ));
        }
    }
    Ok(())
}

pub(super) fn object_lock(_: &Inner, bucket: &mut Bucket, text: &str) -> S3Result<()> {
    if text.is_empty() {
        return Err(s3_error!(MissingRequestBodyError, "Request Body is empty"));
    }
    let configuration: ObjectLockConfiguration = parse(text)?;
    if configuration.object_lock_enabled.as_ref().is_none_or(|enabled| enabled.as_str() != "Enabled") {
        return Err(errors::malformed_xml());
    }
    if let Some(rule) = &configuration.rule {
        let default = rule.default_retention.as_ref().ok_or_else(errors::malformed_xml)?;
        let mode = default.mode.as_ref().map(s3s::dto::ObjectLockRetentionMode::as_str);
        let one_period = default.days.is_some() != default.years.is_some();
        if !matches!(mode, Some("GOVERNANCE" | "COMPLIANCE")) || !one_period {
            return Err(errors::malformed_xml());
        }
        if default.days.or(default.years).is_some_and(|period| period <= 0) {
            return Err(errors::invalid_argument("Default retention period must be a positive integer value."));
        }
        let (most_days, most_years) = (36_500, 100);
        if default.days.is_some_and(|days| days > most_days) || default.years.is_some_and(|years| years > most_years) {
            return Err(errors::invalid_argument("Default retention period too large"));
        }
    }
    if bucket.versioning != Versioning::Enabled {
        return Err(errors::custom(
            "InvalidBucketState",
            StatusCode::CONFLICT,
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
        ));
    }
    Ok(())
}

pub(super) fn replication(_: &Inner, bucket: &mut Bucket, text: &str) -> S3Result<()> {
    let configuration: ReplicationConfiguration = parse(text)?;
    if configuration.rules.is_empty() || configuration.rules.len() > MAX_LIFECYCLE_RULES {
        return Err(errors::malformed_xml());
    }
    if bucket.versioning != Versioning::Enabled {
        return Err(errors::invalid_request(
            "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
        ));
    }
    Ok(())
}

/// Whether the buckets that objects go to keep versions, which lies in them.
pub(super) fn replication_targets(s3: &Inner, bucket: &str, text: &str) -> S3Result<()> {
    let buckets = s3.storage.read();
    let source = buckets.get(bucket).ok_or_else(errors::no_such_bucket)?;
    // What is wrong with the source is told first.
    if source.versioning != Versioning::Enabled {
        return Ok(());
    }
    for rule in parse::<ReplicationConfiguration>(text)?.rules {
        let name = rule.destination.bucket.rsplit(":::").next().unwrap_or_default().to_owned();
        if buckets.get(&name).is_none_or(|target| target.versioning != Versioning::Enabled) {
            return Err(errors::invalid_request("Destination bucket must have versioning enabled."));
        }
    }
    Ok(())
}
