//! The page of the guide that says which operations there are.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use aws_smithy_types::body::SdkBody;
use http::Request;
use http_body_util::BodyExt;

use super::minimal;
use crate::api_model::{self, Service};
use crate::local::LocalBackend;
use crate::local::kinds;
use crate::local::s3::documents::kept;
use crate::local::s3::service::INPUTS;
use crate::local::services::sagemaker;
use crate::local::signature::sign;

const PAGE: &str = "docs/src/supported-operations.md";

/// What the backend does with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Support {
    Works,
    Table,
    Refused,
}

/// Why SageMaker's operations that are refused cannot be had on a machine without a cloud.
const REASONS: &[(&str, &[&str])] = &[
    (
        "The answer is AWS's own catalogue: schemas of job documents, models of public zoos, files of the public hub.",
        &["CreateHubContentPresignedUrls", "DescribeJobSchemaVersion", "ListJobSchemaVersions", "ListModelMetadata"],
    ),
    ("It computes on what a benchmark measured, and none runs here.", &["GetScalingConfigurationRecommendation"]),
    ("It renders a template with AWS's Liquid elements.", &["RenderUiTemplate"]),
    ("It opens an SSH connection into a running space, and no space runs here.", &["StartSession"]),
];

fn sagemaker_support(operation: &str) -> Support {
    // Their operations of their own only check requests and shape answers.
    let kept_only = [
        "AutoML",
        "Monitoring",
        "Labeling",
        "Edge",
        "Device",
        "TrainingPlan",
        "Reserved",
        "Cluster",
        "Router",
        "FeatureGroup",
    ];
    let nothing_runs = kept_only.iter().any(|kind| operation.contains(kind));
    match (sagemaker::own(operation), kinds::operation(operation)) {
        (None, None) => Support::Refused,
        _ if nothing_runs => Support::Table,
        (Some(_), _) => Support::Works,
        // What creates resources with behaviour makes the operations of the table worth as much.
        (None, Some((_, row))) if sagemaker::own(&format!("Create{}", row.noun)).is_some() => Support::Works,
        (None, Some(_)) => Support::Table,
    }
}

/// What CloudWatch and its logs keep without acting on it, by what the names of the operations hold.
const KEPT: [&str; 10] = [
    "AccountPolic",
    "DataProtectionPolicy",
    "Deliver",
    "Destination",
    "IndexPolic",
    "InsightRule",
    "KmsKey",
    "QueryDefinition",
    "ResourcePolic",
    "SubscriptionFilter",
];

/// Whether a service answers an operation with anything but that it does not know it.
async fn answers(service: Service, operation: &str) -> bool {
    let backend = LocalBackend::new();
    let request = match service {
        Service::SageMakerRuntime => {
            let verb = match operation {
                "InvokeEndpoint" => "invocations",
                "InvokeEndpointAsync" => "async-invocations",
                _ => "invocations-response-stream",
            };
            sign(Request::post(format!("https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/e/{verb}")))
                .body(SdkBody::from("x"))
        }
        Service::CloudWatch => sign(Request::post("https://monitoring.us-east-1.amazonaws.com/"))
            .header("x-amz-target", format!("GraniteServiceVersion20100801.{operation}"))
            .body(SdkBody::from("{}")),
        _ => sign(Request::post("https://logs.us-east-1.amazonaws.com/"))
            .header("x-amz-target", format!("Logs_20140328.{operation}"))
            .body(SdkBody::from(minimal::request_of(service, operation).to_string())),
    };
    let answer = backend.handle(request.unwrap()).await;
    let header = answer.headers().get("x-amzn-errortype").is_some_and(|code| code == "UnknownOperationException");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    !header && !String::from_utf8_lossy(&body).contains("UnknownOperationException")
}

async fn page() -> String {
    let mut page = String::from(
        "# Supported operations\n\n\
         Which operations of AWS the [local backend](local.md) answers. This page is written by a test from the tables \
         that the backend itself works with: `UPDATE_DOCS=1 cargo test --all-features supported_operations` renews it.\n\n\
         - *works*: the operation does what it does on AWS, as far as a machine without a cloud can.\n\
         - *by table*: the resource is kept, checked, listed, tagged, changed and deleted, and goes through its states; \
         nothing runs behind it. A monitoring schedule, for example, is never executed, a device never connects, and an \
         AutoML job, which would end with candidates and their metrics, fails with a reason that says so.\n\
         - *refused*: the answer is an `UnknownOperationException` that names the operation.\n\n\
         Requests of every operation are checked against the published API model before anything else.\n",
    );
    let sagemaker: Vec<(&str, Support)> =
        api_model::operations(Service::SageMaker).map(|name| (name, sagemaker_support(name))).collect();
    section(&mut page, "SageMaker", &sagemaker);
    page.push_str("\nWhy these are refused:\n\n| operations | reason |\n|---|---|\n");
    for (reason, operations) in REASONS {
        let names: Vec<String> = operations.iter().map(|name| format!("`{name}`")).collect();
        writeln!(page, "| {} | {reason} |", names.join(", ")).unwrap();
    }
    for (title, service) in [
        ("SageMaker Runtime", Service::SageMakerRuntime),
        ("CloudWatch Logs", Service::Logs),
        ("CloudWatch", Service::CloudWatch),
    ] {
        let mut found = Vec::new();
        for operation in api_model::operations(service) {
            let support = match answers(service, operation).await {
                false => Support::Refused,
                true if KEPT.iter().any(|part| operation.contains(part)) => Support::Table,
                true => Support::Works,
            };
            found.push((operation, support));
        }
        section(&mut page, title, &found);
    }
    let works = INPUTS.iter().map(|input| (input.trim_end_matches("Input"), Support::Works));
    let s3: Vec<(&str, Support)> = works.chain(kept().into_iter().map(|name| (name, Support::Table))).collect();
    section(&mut page, "S3", &s3);
    page.push_str("\nOther operations of S3 answer `NotImplemented`.\n");
    page
}

fn section(page: &mut String, title: &str, operations: &[(&str, Support)]) {
    let mut by_support: BTreeMap<Support, Vec<&str>> = BTreeMap::new();
    for (name, support) in operations {
        by_support.entry(*support).or_default().push(name);
    }
    write!(page, "\n## {title}\n").unwrap();
    for (support, mut names) in by_support {
        names.sort_unstable();
        let words = match support {
            Support::Works => "Works",
            Support::Table => "By table",
            Support::Refused => "Refused",
        };
        let list: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        write!(page, "\n### {words} ({})\n\n{}.\n", names.len(), list.join(", ")).unwrap();
    }
}

#[tokio::test]
async fn supported_operations_are_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = page().await;
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "{PAGE} is out of date: run this test with UPDATE_DOCS=1");
}

#[test]
fn every_refusal_has_a_reason() {
    let known: Vec<&str> = api_model::operations(Service::SageMaker).collect();
    let refused = known.into_iter().filter(|name| sagemaker_support(name) == Support::Refused);
    let mut explained: Vec<&str> = REASONS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    explained.sort_unstable();
    assert_eq!(refused.collect::<Vec<_>>(), explained);
}

#[test]
fn every_operation_with_behaviour_is_in_the_model() {
    let known: Vec<&str> = api_model::operations(Service::SageMaker).collect();
    for name in sagemaker::own_names() {
        assert!(known.contains(&name), "{name}");
    }
}
