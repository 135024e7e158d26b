//! Deliveries of other services' logs: sources, destinations and what connects them. They are kept; the services that
//! would write such logs are not part of the backend.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, page, tags};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::documents::Family;

const SOURCES: &str = "logs delivery source";
const DESTINATIONS: &str = "logs delivery destination";
const DELIVERIES: &str = "logs delivery";

/// The services that deliver logs, by the first and the resource part of ARNs, and their kinds of logs.
const LOGS: [(&str, &[&str]); 8] = [
    ("cloudfront", &["ACCESS_LOGS", "CONNECTION_LOGS"]),
    ("bedrock", &["APPLICATION_LOGS"]),
    ("codewhisperer", &["EVENT_LOGS"]),
    ("mediatailor", &["AD_DECISION_SERVER_LOGS", "MANIFEST_SERVICE_LOGS", "TRANSCODE_LOGS"]),
    ("ses", &["APPLICATION_LOGS", "TRAFFIC_POLICY_DEBUG_LOGS"]),
    ("sso", &["ERROR_LOGS"]),
    (
        "workmail",
        &[
            "ACCESS_CONTROL_LOGS",
            "AUTHENTICATION_LOGS",
            "WORKMAIL_AVAILABILITY_PROVIDER_LOGS",
            "WORKMAIL_MAILBOX_ACCESS_LOGS",
            "WORKMAIL_PERSONAL_ACCESS_TOKEN_LOGS",
        ],
    ),
    ("vpc-lattice", &["VPC_LATTICE_ACCESS_LOGS", "VPC_LATTICE_RESOURCE_ACCESS_LOGS"]),
];

/// How fields are separated; JSON and Parquet need no delimiter.
const FORMATS_WITHOUT_DELIMITER: [&str; 2] = ["json", "parquet"];

/// The fields of CloudFront's access logs.
const CLOUDFRONT_FIELDS: [&str; 33] = [
    "date",
    "time",
    "x-edge-location",
    "sc-bytes",
    "c-ip",
    "cs-method",
    "cs(Host)",
    "cs-uri-stem",
    "sc-status",
    "cs(Referer)",
    "cs(User-Agent)",
    "cs-uri-query",
    "cs(Cookie)",
    "x-edge-result-type",
    "x-edge-request-id",
    "x-host-header",
    "cs-protocol",
    "cs-bytes",
    "time-taken",
    "x-forwarded-for",
    "ssl-protocol",
    "ssl-cipher",
    "x-edge-response-result-type",
    "cs-protocol-version",
    "fle-status",
    "fle-encrypted-fields",
    "c-port",
    "time-to-first-byte",
    "x-edge-detailed-result-type",
    "sc-content-type",
    "sc-content-len",
    "sc-range-start",
    "sc-range-end",
];

fn arn(core: &Core, kind: &str, name: &str) -> String {
    let place = &core.place;
    format!("arn:{}:logs:{}:{}:{kind}:{name}", place.partition(), place.region, place.account)
}

/// Whether there is something of this ARN.
pub(super) fn exists(core: &Core, arn: &str) -> bool {
    let has = |family| core.documents.read(family, |all: &Family| all.values().any(|found| found["arn"] == arn));
    has(SOURCES) || has(DESTINATIONS) || has(DELIVERIES)
}

fn missing(what: &str) -> AwsError {
    AwsError::new(400, "ResourceNotFoundException", format!("Requested {what} does not exist in this account."))
}

fn conflict(message: &str) -> AwsError {
    AwsError::new(400, "ConflictException", message)
}

/// The tags are kept apart and shown with the rest.
fn shown(core: &Core, mut document: Value) -> Value {
    let tags = document["arn"].as_str().map(|arn| tags::of(core, arn)).unwrap_or_default();
    if let Some(members) = document.as_object_mut() {
        members.remove("policy");
        if !tags.is_empty() {
            members.insert("tags".to_owned(), json!(tags));
        }
    }
    document
}

fn list(core: &Core, family: &str, member: &str, request: &List, wanted: impl Fn(&Value) -> bool) -> Answer {
    let found = core.documents.read(family, |all| {
        let found = all.iter().filter(|(_, document)| wanted(document));
        found.map(|(key, document)| (key.clone(), document.clone())).collect::<Vec<_>>()
    });
    let found = found.into_iter().map(|(key, document)| (key, shown(core, document))).collect();
    page(found, false, member, request.limit.unwrap_or(50), request.next_token.as_deref())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List {
    limit: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    delivery_source_names: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    resource_arns: Vec<String>,
}

fn among(names: &[String], value: &Value) -> bool {
    names.is_empty() || names.iter().any(|name| *value == name.as_str())
}

#[derive(Deserialize)]
pub(super) struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutSource {
    name: String,
    resource_arn: String,
    log_type: String,
    delivery_source_configuration: Option<Value>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

pub(super) fn put_source(core: &Core, request: PutSource) -> Answer {
    let service = request.resource_arn.split(':').nth(2).unwrap_or_default();
    let Some((_, types)) = LOGS.iter().find(|(name, _)| *name == service) else {
        let message = "Cannot access provided service.";
        return Err(AwsError::new(400, "ResourceNotFoundException", message));
    };
    if !types.contains(&request.log_type.as_str()) {
        return Err(AwsError::validation("This service is not allowed for this LogSource."));
    }
    tags::check(&request.tags)?;
    let arn = arn(core, "delivery-source", &request.name);
    let source = core.documents.change(core, SOURCES, |all| {
        let same = |before: &Value| before["resourceArns"][0] == request.resource_arn.as_str();
        if all.get(&request.name).is_some_and(|before| !same(before)) {
            return Err(conflict("Update delivery source is not allowed with a different resource."));
        }
        let mut source = json!({
            "name": request.name,
            "arn": arn,
            "resourceArns": [request.resource_arn],
            "service": service,
            "logType": request.log_type,
        });
        if let Some(configuration) = &request.delivery_source_configuration {
            source["deliverySourceConfiguration"] = configuration.clone();
        }
        all.put(&request.name, source.clone());
        Ok(source)
    })?;
    tags::add(core, &arn, request.tags)?;
    Ok(json!({"deliverySource": shown(core, source)}))
}

pub(super) fn get_source(core: &Core, request: Named) -> Answer {
    let source = core.documents.get(SOURCES, &request.name).ok_or_else(|| missing("Delivery Source"))?;
    Ok(json!({"deliverySource": shown(core, source)}))
}

pub(super) fn list_sources(core: &Core, request: List) -> Answer {
    list(core, SOURCES, "deliverySources", &request, |source| among(&request.resource_arns, &source["resourceArns"][0]))
}

pub(super) fn delete_source(core: &Core, request: Named) -> Answer {
    let used = |delivery: &Value| delivery["deliverySourceName"] == request.name.as_str();
    if core.documents.read(DELIVERIES, |all| all.values().any(used)) {
        return Err(conflict("Cannot delete Delivery Source with existing Delivery."));
    }
    let removed = core.documents.change(core, SOURCES, |all| all.remove(&request.name));
    removed.ok_or_else(|| missing("Delivery Source"))?;
    tags::forget(core, &arn(core, "delivery-source", &request.name));
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutDestination {
    name: String,
    output_format: Option<String>,
    delivery_destination_configuration: Option<Value>,
    delivery_destination_type: Option<String>,
    role_arn: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// The kind of a destination by what it names.
fn kind(arn: &str) -> Result<&'static str, AwsError> {
    match arn.split(':').nth(2) {
        Some("s3") => Ok("S3"),
        Some("logs") => Ok("CWL"),
        Some("firehose") => Ok("FH"),
        _ => Err(AwsError::validation("The deliveryDestinationConfiguration names no S3 bucket, log group or stream.")),
    }
}

pub(super) fn put_destination(core: &Core, request: PutDestination) -> Answer {
    let resource = request.delivery_destination_configuration.as_ref();
    let resource = resource.and_then(|resource| resource["destinationResourceArn"].as_str());
    let kind = match (resource, request.delivery_destination_type.as_deref()) {
        (Some(arn), _) => kind(arn)?,
        (None, Some("XRAY")) => "XRAY",
        _ => return Err(AwsError::validation("The parameter deliveryDestinationConfiguration is required.")),
    };
    tags::check(&request.tags)?;
    let arn = arn(core, "delivery-destination", &request.name);
    let destination = core.documents.change(core, DESTINATIONS, |all| {
        let mut destination =
            all.get(&request.name).cloned().unwrap_or_else(|| json!({"name": request.name, "arn": arn}));
        let before = destination.get("outputFormat").cloned();
        if let (Some(before), Some(asked)) = (&before, &request.output_format)
            && before != asked.as_str()
        {
            return Err(AwsError::validation(
                "Update to existing Delivery Destination with new Output Format is not allowed.",
            ));
        }
        destination["deliveryDestinationType"] = json!(kind);
        if let Some(format) = &request.output_format {
            destination["outputFormat"] = json!(format);
        }
        if let Some(configuration) = &request.delivery_destination_configuration {
            destination["deliveryDestinationConfiguration"] = configuration.clone();
        }
        if let Some(role) = &request.role_arn {
            destination["roleArn"] = json!(role);
        }
        all.put(&request.name, destination.clone());
        Ok(destination)
    })?;
    tags::add(core, &arn, request.tags)?;
    Ok(json!({"deliveryDestination": shown(core, destination)}))
}

pub(super) fn get_destination(core: &Core, request: Named) -> Answer {
    let found = core.documents.get(DESTINATIONS, &request.name).ok_or_else(|| missing("Delivery Destination"))?;
    Ok(json!({"deliveryDestination": shown(core, found)}))
}

pub(super) fn list_destinations(core: &Core, request: List) -> Answer {
    list(core, DESTINATIONS, "deliveryDestinations", &request, |found| among(&request.names, &found["name"]))
}

pub(super) fn delete_destination(core: &Core, request: Named) -> Answer {
    let arn = arn(core, "delivery-destination", &request.name);
    if core.documents.read(DELIVERIES, |all| all.values().any(|found| found["deliveryDestinationArn"] == arn.as_str()))
    {
        return Err(conflict("Cannot delete Delivery Destination with existing Delivery."));
    }
    let removed = core.documents.change(core, DESTINATIONS, |all| all.remove(&request.name));
    removed.ok_or_else(|| missing("Delivery Destination"))?;
    tags::forget(core, &arn);
    Ok(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DestinationPolicy {
    delivery_destination_name: String,
    delivery_destination_policy: Option<String>,
}

fn policy(text: Option<&str>) -> Value {
    text.map_or_else(|| json!({}), |text| json!({"deliveryDestinationPolicy": text}))
}

/// Puts the policy of a destination, or removes it.
pub(super) fn set_policy(core: &Core, request: DestinationPolicy) -> Answer {
    let text = request.delivery_destination_policy;
    core.documents.change(core, DESTINATIONS, |all| {
        let found = all.get(&request.delivery_destination_name).cloned();
        let mut found = found.ok_or_else(|| missing("Delivery Destination"))?;
        if let Some(members) = found.as_object_mut() {
            members.remove("policy");
            members.extend(text.as_ref().map(|text| ("policy".to_owned(), json!(text))));
        }
        all.put(&request.delivery_destination_name, found);
        Ok(if text.is_some() { json!({"policy": policy(text.as_deref())}) } else { Value::Null })
    })
}

pub(super) fn get_policy(core: &Core, request: DestinationPolicy) -> Answer {
    let found = core.documents.get(DESTINATIONS, &request.delivery_destination_name);
    let found = found.ok_or_else(|| missing("Delivery Destination"))?;
    Ok(json!({"policy": policy(found["policy"].as_str())}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Create {
    delivery_source_name: String,
    delivery_destination_arn: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(flatten)]
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    record_fields: Option<Value>,
    field_delimiter: Option<String>,
    s3_delivery_configuration: Option<Value>,
}

impl Settings {
    fn apply(self, delivery: &mut Map<String, Value>) {
        let members = [
            ("recordFields", self.record_fields),
            ("fieldDelimiter", self.field_delimiter.map(Value::from)),
            ("s3DeliveryConfiguration", self.s3_delivery_configuration),
        ];
        delivery.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }

    /// What CloudFront delivers to S3 unless it is told otherwise.
    fn or_defaults(mut self, source: &Value, kind: &str) -> Self {
        if kind == "S3" && source["service"] == "cloudfront" && source["logType"] == "ACCESS_LOGS" {
            self.record_fields.get_or_insert_with(|| json!(CLOUDFRONT_FIELDS.as_slice()));
            let place = json!({"suffixPath": "AWSLogs/{account-id}/CloudFront/", "enableHiveCompatiblePath": false});
            self.s3_delivery_configuration.get_or_insert(place);
        }
        self
    }

    fn check(&self, kind: &str, format: &str) -> Result<(), AwsError> {
        if kind != "S3" && self.s3_delivery_configuration.is_some() {
            return Err(AwsError::validation("S3DeliveryConfiguration is allowed for destinations of type S3 only."));
        }
        let delimited = self.field_delimiter.as_ref().is_some_and(|delimiter| !delimiter.is_empty());
        if delimited && FORMATS_WITHOUT_DELIMITER.contains(&format) {
            return Err(AwsError::validation(format!(
                "fieldDelimiter is not allowed with the output format {format}."
            )));
        }
        Ok(())
    }
}

pub(super) fn create(core: &Core, request: Create) -> Answer {
    let source = core.documents.get(SOURCES, &request.delivery_source_name);
    let source = source.ok_or_else(|| missing("Delivery Source"))?;
    let of_arn =
        |all: &Family| all.values().find(|found| found["arn"] == request.delivery_destination_arn.as_str()).cloned();
    let destination = core.documents.read(DESTINATIONS, of_arn).ok_or_else(|| missing("Delivery Destination"))?;
    let kind = destination["deliveryDestinationType"].as_str().unwrap_or_default();
    request.settings.check(kind, destination["outputFormat"].as_str().unwrap_or_default())?;
    tags::check(&request.tags)?;
    let id: String = core.unique_id().chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    let arn = arn(core, "delivery", &id);
    let delivery = core.documents.change(core, DELIVERIES, |all| {
        let (name, target) = (&request.delivery_source_name, &request.delivery_destination_arn);
        let same = |other: &Value| {
            other["deliverySourceName"] == name.as_str() && other["deliveryDestinationArn"] == target.as_str()
        };
        if all.all().values().any(same) {
            return Err(conflict("Delivery already exists"));
        }
        let mut delivery = Map::new();
        delivery.insert("id".to_owned(), json!(id));
        delivery.insert("arn".to_owned(), json!(arn));
        delivery.insert("deliverySourceName".to_owned(), json!(name));
        delivery.insert("deliveryDestinationArn".to_owned(), json!(target));
        delivery.insert("deliveryDestinationType".to_owned(), json!(kind));
        request.settings.or_defaults(&source, kind).apply(&mut delivery);
        let delivery = Value::Object(delivery);
        all.put(&id, delivery.clone());
        Ok(delivery)
    })?;
    tags::add(core, &arn, request.tags)?;
    Ok(json!({"delivery": shown(core, delivery)}))
}

#[derive(Deserialize)]
pub(super) struct Identified {
    id: String,
}

pub(super) fn get(core: &Core, request: Identified) -> Answer {
    let delivery = core.documents.get(DELIVERIES, &request.id).ok_or_else(|| missing("Delivery"))?;
    Ok(json!({"delivery": shown(core, delivery)}))
}

pub(super) fn list_deliveries(core: &Core, request: List) -> Answer {
    list(core, DELIVERIES, "deliveries", &request, |found| {
        among(&request.delivery_source_names, &found["deliverySourceName"])
    })
}

pub(super) fn delete(core: &Core, request: Identified) -> Answer {
    let removed = core.documents.change(core, DELIVERIES, |all| all.remove(&request.id));
    removed.ok_or_else(|| missing("Delivery"))?;
    tags::forget(core, &arn(core, "delivery", &request.id));
    Ok(Value::Null)
}

#[derive(Deserialize)]
pub(super) struct Update {
    id: String,
    #[serde(flatten)]
    settings: Settings,
}

pub(super) fn update(core: &Core, request: Update) -> Answer {
    core.documents.change(core, DELIVERIES, |all| {
        let mut delivery = all.get(&request.id).cloned().ok_or_else(|| missing("Delivery"))?;
        if let Some(members) = delivery.as_object_mut() {
            request.settings.apply(members);
        }
        all.put(&request.id, delivery);
        Ok(json!({}))
    })
}
