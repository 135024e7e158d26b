//! What the kinds of resources have in common, as a table: a kind without behaviour of its own needs a row, not code.

use super::aws_error::AwsError;
use super::state::Place;

/// A kind of resource, by its noun in the names of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    TrainingJob,
    TransformJob,
    Model,
    EndpointConfig,
    Endpoint,
    InferenceComponent,
}

/// One row of the table.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) kind: Kind,
    /// The noun: operations are `Create` + noun, `Describe` + noun and so on; members are noun + `Name` and so on.
    pub(super) noun: &'static str,
    /// What precedes the name in the ARN.
    pub(super) arn_path: &'static str,
    /// Whether names differ by more than their case; where not, ARNs carry the name in lower case.
    pub(super) case_sensitive: bool,
    /// Whether Describe tells when the resource was last modified.
    pub(super) has_last_modified: bool,
    /// Members of the Create request that Describe does not give back.
    pub(super) hidden: &'static [&'static str],
    /// Flags that Describe gives as false when the request left them out.
    pub(super) flags: &'static [&'static str],
    pub(super) list: ListRow,
    /// The answer when the name is unknown.
    pub(super) missing: fn(&str, &str) -> AwsError,
    /// The answer when the name is taken; takes the ARN.
    pub(super) taken: fn(&str) -> AwsError,
}

/// How a kind is listed.
#[derive(Debug)]
pub(super) struct ListRow {
    pub(super) operation: &'static str,
    /// The member of the output that holds the summaries.
    pub(super) output: &'static str,
    /// The members of a summary.
    pub(super) members: &'static [&'static str],
    pub(super) sort_by: &'static str,
    pub(super) ascending: bool,
}

static TABLE: &[Row] = &[
    Row {
        kind: Kind::TrainingJob,
        noun: "TrainingJob",
        arn_path: "training-job",
        case_sensitive: true,
        has_last_modified: true,
        hidden: &["Tags", "SessionChainingConfig"],
        flags: &["EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"],
        list: ListRow {
            operation: "ListTrainingJobs",
            output: "TrainingJobSummaries",
            members: &[
                "TrainingJobName",
                "TrainingJobArn",
                "CreationTime",
                "TrainingEndTime",
                "LastModifiedTime",
                "TrainingJobStatus",
                "SecondaryStatus",
            ],
            sort_by: "CreationTime",
            ascending: true,
        },
        missing: |_, _| AwsError::validation("Requested resource not found."),
        taken: |arn| {
            AwsError::in_use(format!(
                "Training job names must be unique within an AWS account and region, and a training job with this \
                 name already exists ({arn})"
            ))
        },
    },
    Row {
        kind: Kind::TransformJob,
        noun: "TransformJob",
        arn_path: "transform-job",
        case_sensitive: true,
        has_last_modified: false,
        hidden: &["Tags"],
        flags: &[],
        list: ListRow {
            operation: "ListTransformJobs",
            output: "TransformJobSummaries",
            members: &[
                "TransformJobName",
                "TransformJobArn",
                "CreationTime",
                "TransformEndTime",
                "LastModifiedTime",
                "TransformJobStatus",
                "FailureReason",
            ],
            sort_by: "CreationTime",
            ascending: false,
        },
        missing: |name, _| AwsError::validation(format!("Could not find requested job with name: {name}")),
        taken: |arn| {
            AwsError::in_use(format!(
                "Job name must be unique within an AWS account and region, and a job with this name already exists \
                 ({arn})"
            ))
        },
    },
    Row {
        kind: Kind::Model,
        noun: "Model",
        arn_path: "model",
        case_sensitive: false,
        has_last_modified: false,
        hidden: &["Tags"],
        flags: &["EnableNetworkIsolation"],
        list: ListRow {
            operation: "ListModels",
            output: "Models",
            members: &["ModelName", "ModelArn", "CreationTime"],
            sort_by: "CreationTime",
            ascending: false,
        },
        missing: |_, arn| AwsError::validation(format!("Could not find model \"{arn}\".")),
        taken: |arn| AwsError::validation(format!("Cannot create already existing model \"{arn}\".")),
    },
    Row {
        kind: Kind::EndpointConfig,
        noun: "EndpointConfig",
        arn_path: "endpoint-config",
        case_sensitive: false,
        has_last_modified: false,
        hidden: &["Tags"],
        flags: &["EnableNetworkIsolation"],
        list: ListRow {
            operation: "ListEndpointConfigs",
            output: "EndpointConfigs",
            members: &["EndpointConfigName", "EndpointConfigArn", "CreationTime"],
            sort_by: "CreationTime",
            ascending: false,
        },
        missing: |_, arn| AwsError::validation(format!("Could not find endpoint configuration \"{arn}\".")),
        taken: |arn| AwsError::validation(format!("Cannot create already existing endpoint configuration \"{arn}\".")),
    },
    Row {
        kind: Kind::Endpoint,
        noun: "Endpoint",
        arn_path: "endpoint",
        case_sensitive: false,
        has_last_modified: true,
        hidden: &["Tags", "DeploymentConfig"],
        flags: &[],
        list: ListRow {
            operation: "ListEndpoints",
            output: "Endpoints",
            members: &["EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus"],
            sort_by: "CreationTime",
            ascending: false,
        },
        missing: |_, arn| AwsError::validation(format!("Could not find endpoint \"{arn}\".")),
        taken: |arn| AwsError::validation(format!("Cannot create already existing endpoint \"{arn}\".")),
    },
    Row {
        kind: Kind::InferenceComponent,
        noun: "InferenceComponent",
        arn_path: "inference-component",
        case_sensitive: false,
        has_last_modified: true,
        hidden: &["Tags", "VariantName", "Specification", "Specifications", "RuntimeConfig"],
        flags: &[],
        list: ListRow {
            operation: "ListInferenceComponents",
            output: "InferenceComponents",
            members: &[
                "InferenceComponentName",
                "InferenceComponentArn",
                "EndpointName",
                "EndpointArn",
                "VariantName",
                "InferenceComponentStatus",
                "CreationTime",
                "LastModifiedTime",
            ],
            sort_by: "CreationTime",
            ascending: false,
        },
        missing: |_, arn| AwsError::validation(format!("Could not find inference component \"{arn}\".")),
        taken: |arn| AwsError::validation(format!("Cannot create already existing inference component \"{arn}\".")),
    },
];

/// What an operation that follows from the table does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Create,
    Describe,
    Delete,
    List,
}

/// The operation of a name, if it follows from the table.
pub(super) fn operation(name: &str) -> Option<(Verb, &'static Row)> {
    if let Some(row) = TABLE.iter().find(|row| row.list.operation == name) {
        return Some((Verb::List, row));
    }
    let verbs = [("Create", Verb::Create), ("Describe", Verb::Describe), ("Delete", Verb::Delete)];
    let (noun, verb) = verbs.iter().find_map(|(prefix, verb)| Some((name.strip_prefix(prefix)?, *verb)))?;
    TABLE.iter().find(|row| row.noun == noun).map(|row| (verb, row))
}

/// The row of the kind that an ARN such as `arn:aws:sagemaker:us-east-1:123456789012:model/m` names.
pub(super) fn of_arn(arn: &str) -> Option<(&'static Row, &str)> {
    let (path, name) = arn.splitn(6, ':').nth(5)?.split_once('/')?;
    TABLE.iter().find(|row| row.arn_path == path).map(|row| (row, name))
}

impl Kind {
    pub(super) fn row(self) -> &'static Row {
        match TABLE.iter().find(|row| row.kind == self) {
            Some(row) => row,
            None => unreachable!("a test checks that each kind has its row"),
        }
    }
}

impl Row {
    pub(super) fn name_member(&self) -> String {
        format!("{}Name", self.noun)
    }

    pub(super) fn arn_member(&self) -> String {
        format!("{}Arn", self.noun)
    }

    /// Where the status is, if the kind has one.
    pub(super) fn status_member(&self) -> String {
        format!("{}Status", self.noun)
    }

    /// The name as far as it tells resources apart.
    pub(super) fn key(&self, name: &str) -> String {
        if self.case_sensitive { name.to_owned() } else { name.to_lowercase() }
    }

    pub(super) fn arn(&self, place: &Place, name: &str) -> String {
        let Place { region, account } = place;
        format!("arn:{}:sagemaker:{region}:{account}:{}/{}", place.partition(), self.arn_path, self.key(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_row() {
        for kind in [
            Kind::TrainingJob,
            Kind::TransformJob,
            Kind::Model,
            Kind::EndpointConfig,
            Kind::Endpoint,
            Kind::InferenceComponent,
        ] {
            assert_eq!(kind.row().kind, kind);
        }
    }

    #[test]
    fn operations_follow_from_the_table() {
        let found = |name| operation(name).map(|(verb, row)| (verb, row.kind));
        assert_eq!(found("DescribeEndpoint"), Some((Verb::Describe, Kind::Endpoint)));
        assert_eq!(found("DeleteEndpointConfig"), Some((Verb::Delete, Kind::EndpointConfig)));
        assert_eq!(found("ListTrainingJobs"), Some((Verb::List, Kind::TrainingJob)));
        assert_eq!(found("ListEndpoint"), None);
        assert_eq!(found("CreateDomain"), None);
    }

    #[test]
    fn arns_name_their_kind() {
        let row = Kind::Endpoint.row();
        let place = |region: &str| Place { region: region.into(), account: "123456789012".into() };
        let arn = row.arn(&place("us-east-1"), "DEMO-x");
        assert_eq!(arn, "arn:aws:sagemaker:us-east-1:123456789012:endpoint/demo-x");
        assert_eq!(of_arn(&arn).map(|(row, name)| (row.kind, name)), Some((Kind::Endpoint, "demo-x")));
        assert!(Kind::Model.row().arn(&place("cn-north-1"), "m").starts_with("arn:aws-cn:"));
        assert!(of_arn("arn:aws:sagemaker:us-east-1:1:nothing/x").is_none());
        assert!(of_arn("nonsense").is_none());
    }
}
