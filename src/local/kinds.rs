//! What the kinds of resources have in common, as a table: a kind without behaviour of its own needs a row, not code.
//!
//! The rows are in one file for each area. What a kind's operations take and answer is in the API model, so that a row
//! says only what the model does not: what identifies a resource, which states it goes through, what refuses it.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::state::Place;
use crate::api_model::{ModelShape, Service};

mod row;

mod automl;
mod clusters;
mod compilation;
mod customization;
mod edge;
mod experiments;
mod feature_store;
mod hosting;
mod hubs;
mod images;
mod inference;
mod labeling;
mod lineage;
mod mlflow;
mod model_cards;
mod monitoring;
mod notebooks;
mod pipelines;
mod projects;
mod registry;
mod studio;
mod training;
mod training_plans;

pub(super) use self::clusters::{
    EVENTS, GONE, GROUPS, OPERATIONS as CLUSTER_OPERATIONS, REPLACED, SCALED, note_event, note_operation, scaling,
};
pub(super) use self::edge::add_stages;
pub(super) use self::row::{ArnTail, Draft, ListRow, MadeId, Move, Row, Status, Step, Update, at};
pub(super) use self::training_plans::{CAPACITIES, Offering, plan_status};

/// A kind of resource, by its noun in the names of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    TrainingJob,
    TransformJob,
    ProcessingJob,
    HyperParameterTuningJob,
    Model,
    EndpointConfig,
    Endpoint,
    InferenceComponent,
    AIBenchmarkJob,
    AIRecommendationJob,
    AIWorkloadConfig,
    Action,
    Algorithm,
    App,
    AppImageConfig,
    Artifact,
    Association,
    AutoMLJob,
    Cluster,
    ClusterExtension,
    ClusterSchedulerConfig,
    CodeRepository,
    CompilationJob,
    ComputeQuota,
    Context,
    Device,
    DeviceFleet,
    DataQualityJobDefinition,
    Domain,
    EdgeDeploymentPlan,
    EdgePackagingJob,
    Experiment,
    FeatureGroup,
    FlowDefinition,
    Hub,
    HubContent,
    HumanTaskUi,
    Image,
    ImageVersion,
    InferenceExperiment,
    InferenceRecommendationsJob,
    InferenceRouter,
    Job,
    LabelingJob,
    MlflowApp,
    MlflowTrackingServer,
    ModelBiasJobDefinition,
    ModelCard,
    ModelCardExportJob,
    ModelExplainabilityJobDefinition,
    ModelPackage,
    ModelPackageGroup,
    ModelQualityJobDefinition,
    MonitoringSchedule,
    NotebookInstance,
    NotebookInstanceLifecycleConfig,
    OptimizationJob,
    PartnerApp,
    Pipeline,
    PipelineExecution,
    Project,
    ServicecatalogPortfolio,
    Space,
    StudioLifecycleConfig,
    TrainingPlan,
    TrainingSession,
    Trial,
    TrialComponent,
    UserProfile,
    Workforce,
    Workteam,
}

/// The table.
static AREAS: &[&[Row]] = &[
    automl::ROWS,
    clusters::ROWS,
    compilation::ROWS,
    customization::ROWS,
    edge::ROWS,
    experiments::ROWS,
    feature_store::ROWS,
    hosting::ROWS,
    hubs::ROWS,
    images::ROWS,
    inference::ROWS,
    labeling::ROWS,
    lineage::ROWS,
    mlflow::ROWS,
    model_cards::ROWS,
    monitoring::ROWS,
    notebooks::ROWS,
    pipelines::ROWS,
    projects::ROWS,
    registry::ROWS,
    studio::ROWS,
    training::ROWS,
    training_plans::ROWS,
];

/// What an operation that follows from the table does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verb {
    Create,
    Describe,
    Update,
    Delete,
    List,
    /// Takes the resource from one state to another.
    Move(&'static Move),
}

/// Every operation that follows from a row and that the model has.
static OPERATIONS: LazyLock<HashMap<String, (Verb, &'static Row)>> = LazyLock::new(|| {
    let mut found = HashMap::new();
    for row in rows() {
        let verbs = [
            ("Create", Verb::Create),
            ("Describe", Verb::Describe),
            ("Update", Verb::Update),
            ("Delete", Verb::Delete),
        ];
        let named = verbs.map(|(prefix, verb)| (format!("{prefix}{}", row.noun), verb));
        let moves = row.status.moves.iter().map(|step| (step.operation.to_owned(), Verb::Move(step)));
        for (name, verb) in named.into_iter().chain([(row.list.operation.to_owned(), Verb::List)]).chain(moves) {
            if ModelShape::input(Service::SageMaker, &name).is_some() {
                found.insert(name, (verb, row));
            }
        }
    }
    found
});

/// The operation of a name, if it follows from the table.
pub(super) fn operation(name: &str) -> Option<(Verb, &'static Row)> {
    OPERATIONS.get(name).copied()
}

pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    AREAS.iter().copied().flatten()
}

/// The row of the kind that an ARN such as `arn:aws:sagemaker:us-east-1:123456789012:model/m` names, and what follows
/// the kind.
pub(super) fn of_arn(arn: &str) -> Option<(&'static Row, &str)> {
    let (path, tail) = arn.splitn(6, ':').nth(5)?.split_once('/')?;
    rows().find(|row| row.arn_path == path).map(|row| (row, tail))
}

impl Kind {
    pub(super) fn row(self) -> &'static Row {
        match rows().find(|row| row.kind == self) {
            Some(row) => row,
            None => unreachable!("a test checks that each kind has its row"),
        }
    }
}

impl Row {
    /// Where the status is; empty if the kind has none.
    pub(super) fn status_member(&self) -> &'static str {
        self.status.member
    }

    /// The name as far as it tells resources apart.
    pub(super) fn key(&self, name: &str) -> String {
        if self.case_sensitive { name.to_owned() } else { name.to_lowercase() }
    }

    /// What tells the resource of a request apart: the names of what it belongs to, then its own.
    pub(super) fn key_of(&self, request: &Map<String, Value>) -> String {
        let members = self.parents.iter().chain([&self.name]);
        // Names may come as ARNs.
        let parts: Vec<&str> = members.filter_map(|member| request.get(*member)?.as_str()).map(last_of_arn).collect();
        self.key(&parts.join("/"))
    }

    /// The ARN of a resource by its key, where the key is in the ARN.
    pub(super) fn arn(&self, place: &Place, key: &str) -> String {
        place.arn(&format!("{}/{}", self.arn_path, self.key(key)))
    }
}

/// What follows the last slash of an ARN; a name as it is.
fn last_of_arn(name: &str) -> &str {
    if name.starts_with("arn:") { name.rsplit('/').next().unwrap_or(name) } else { name }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_kind_has_one_row() {
        let mut seen = HashSet::new();
        for row in rows() {
            assert!(seen.insert(row.kind), "{:?}", row.kind);
            assert_eq!(row.kind.row().noun, row.noun);
        }
    }

    #[test]
    fn operations_follow_from_the_table() {
        let found = |name| operation(name).map(|(verb, row)| (verb, row.kind));
        assert_eq!(found("DescribeEndpoint"), Some((Verb::Describe, Kind::Endpoint)));
        assert_eq!(found("DeleteEndpointConfig"), Some((Verb::Delete, Kind::EndpointConfig)));
        assert_eq!(found("ListTrainingJobs"), Some((Verb::List, Kind::TrainingJob)));
        assert_eq!(found("ListEndpoint"), None);
        assert_eq!(found("DeleteTransformJob"), None, "the model has no such operation");
        assert_eq!(found("UpdateModel"), None);
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
