//! Experiments and recommendations on how to serve.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::row::plain;
use super::{Kind, ListRow, Move, Row, Status, Update};
use crate::local::aws_error::AwsError;
use crate::local::time::timestamp;

const AI_JOB: Status = Status {
    created: &[("InProgress", 300), ("Completed", 0)],
    deletable: &["Completed", "Failed", "Stopped"],
    refuse: |asked, status, arn| AwsError::in_use(format!("Cannot {asked} {arn} in status {status}.")),
    reached: |job, status, now| match status {
        "InProgress" => job.set("StartTime", timestamp(now)),
        "Completed" | "Stopped" => job.set("EndTime", timestamp(now)),
        _ => {}
    },
    ..Status::of("")
};

pub(super) static ROWS: &[Row] = &[
    Row {
        aliases: &[("InferenceExperimentArn", "Arn")],
        status: Status {
            created: &[("Creating", 60), ("Created", 5), ("Starting", 60), ("Running", 0)],
            updated: &[("Updating", 30), ("Running", 0)],
            moves: &[
                Move {
                    operation: "StartInferenceExperiment",
                    from: &["Created"],
                    steps: &[("Starting", 60), ("Running", 0)],
                },
                Move {
                    operation: "StopInferenceExperiment",
                    from: &["Running"],
                    steps: &[("Stopping", 60), ("Completed", 0)],
                },
            ],
            deletable: &["Completed", "Cancelled", "Created"],
            refuse: |asked, status, arn| {
                let message = format!("Cannot {asked} the inference experiment {arn} in status {status}.");
                AwsError::new(400, "ConflictException", message)
            },
            reached: |experiment, status, now| {
                if status == "Completed" {
                    experiment.set("CompletionTime", timestamp(now));
                }
            },
            ..Status::of("Status")
        },
        prepare: |draft| {
            let endpoint = draft.text("EndpointName").unwrap_or_default().to_owned();
            draft.set("EndpointMetadata", json!({"EndpointName": endpoint}));
            let mut variants = draft.request.get("ModelVariants").cloned().unwrap_or_default();
            for variant in variants.as_array_mut().into_iter().flatten() {
                variant["Status"] = json!("InService");
            }
            draft.set("ModelVariants", variants);
            Ok(())
        },
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find inference experiment \"{arn}\".")),
        taken: |_, arn| AwsError::validation(format!("Cannot create already existing inference experiment \"{arn}\".")),
        ..Row::plain(
            Kind::InferenceExperiment,
            "InferenceExperiment",
            "Name",
            "Arn",
            "inference-experiment",
            ListRow::newest_first("ListInferenceExperiments"),
        )
    },
    Row {
        status: Status {
            created: &[("PENDING", 10), ("IN_PROGRESS", 300), ("COMPLETED", 0)],
            moves: &[Move {
                operation: "StopInferenceRecommendationsJob",
                from: &["PENDING", "IN_PROGRESS"],
                steps: &[("STOPPING", 10), ("STOPPED", 0)],
            }],
            refuse: |_, status, arn| {
                AwsError::validation(format!("The request was rejected because the job {arn} is in status {status}."))
            },
            reached: |job, status, now| {
                if matches!(status, "COMPLETED" | "STOPPED") {
                    job.set("CompletionTime", timestamp(now));
                }
            },
            ..Status::of("Status")
        },
        aliases: &[
            ("ModelName", "InputConfig.ModelName"),
            ("ModelPackageVersionArn", "InputConfig.ModelPackageVersionArn"),
            ("SamplePayloadUrl", "InputConfig.ContainerConfig.PayloadConfig.SamplePayloadUrl"),
        ],
        prepare: |draft| {
            draft.default("JobDescription", "");
            Ok(())
        },
        list: ListRow {
            filters: &[
                ("ModelNameEquals", "InputConfig.ModelName"),
                ("ModelPackageVersionArnEquals", "InputConfig.ModelPackageVersionArn"),
            ],
            ..ListRow::newest_first("ListInferenceRecommendationsJobs")
        },
        missing: |name, _| {
            AwsError::resource_not_found(format!("Could not find inference recommendations job {name}."))
        },
        taken: |_, arn| AwsError::in_use(format!("Inference recommendations job already exists: {arn}")),
        ..Row::plain(
            Kind::InferenceRecommendationsJob,
            "InferenceRecommendationsJob",
            "JobName",
            "JobArn",
            "inference-recommendations-job",
            ListRow::NONE,
        )
    },
    Row {
        status: Status {
            member: "AIBenchmarkJobStatus",
            moves: &[Move {
                operation: "StopAIBenchmarkJob",
                from: &["InProgress"],
                steps: &[("Stopping", 10), ("Stopped", 0)],
            }],
            ..AI_JOB
        },
        ..plain!(AIBenchmarkJob, "ai-benchmark-job", ListRow::newest_first("ListAIBenchmarkJobs"))
    },
    Row {
        status: Status {
            member: "AIRecommendationJobStatus",
            moves: &[Move {
                operation: "StopAIRecommendationJob",
                from: &["InProgress"],
                steps: &[("Stopping", 10), ("Stopped", 0)],
            }],
            ..AI_JOB
        },
        prepare: |draft| {
            draft.default("OptimizeModel", true);
            let (region, account) = (&draft.place.region, &draft.place.account);
            let bucket = json!(format!("s3://sagemaker-{region}-{account}/ai-recommendation-jobs"));
            if let Some(output) = draft.request.get_mut("OutputConfig").and_then(Value::as_object_mut) {
                output.entry("S3OutputLocation").or_insert(bucket);
            }
            Ok(())
        },
        ..plain!(AIRecommendationJob, "ai-recommendation-job", ListRow::newest_first("ListAIRecommendationJobs"))
    },
    Row {
        case_sensitive: true,
        status: Status {
            created: &[("Creating", 30), ("InService", 0)],
            updated: &[("Updating", 30), ("InService", 0)],
            deleted: &[("Deleting", 10)],
            updatable: &["InService", "Failed"],
            deletable: &["InService", "Failed"],
            refuse: |asked, status, arn| {
                let message = format!("Cannot {asked} the inference router {arn} in status {status}.");
                AwsError::new(400, "ConflictException", message)
            },
            ..Status::of("Status")
        },
        update: Update { finish: |_, request| check_targets(request.get("RoutingTargets")), ..Update::PLAIN },
        prepare: |draft| check_targets(draft.request.get("RoutingTargets")),
        missing: |_, arn| AwsError::resource_not_found(format!("Could not find inference router \"{arn}\".")),
        taken: |_, arn| AwsError::new(400, "ResourceAlreadyExists", format!("Inference router already exists: {arn}")),
        ..plain!(InferenceRouter, "inference-router", ListRow::newest_first("ListInferenceRouters"))
    },
    plain!(AIWorkloadConfig, "ai-workload-config", ListRow::newest_first("ListAIWorkloadConfigs")),
];

/// A target has a name of its own, and names each destination once.
fn check_targets(targets: Option<&Value>) -> Result<(), AwsError> {
    let mut names = BTreeSet::new();
    for target in targets.and_then(Value::as_array).into_iter().flatten() {
        let name = target["Name"].as_str().unwrap_or_default();
        if !names.insert(name) {
            return Err(AwsError::validation(format!("Two routing targets are named {name}.")));
        }
        let mut destinations = BTreeSet::new();
        for destination in target["Destinations"].as_array().into_iter().flatten() {
            let arn = destination["ResourceArn"].as_str().unwrap_or_default();
            if !destinations.insert(arn) {
                let message = format!("The routing target {name} has the destination {arn} twice.");
                return Err(AwsError::validation(message));
            }
        }
    }
    Ok(())
}
