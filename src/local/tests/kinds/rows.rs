//! create -> describe -> list -> update -> tags -> delete for each row.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{call, done, minimal};
use crate::api_model::{ModelShape, Service};
use crate::local::LocalBackend;
use crate::local::kinds::{self, Kind, Row, at};

/// Kinds that need more than a row has tests of their own.
const ELSEWHERE: &[Kind] = &[
    Kind::TrainingJob,
    Kind::TransformJob,
    Kind::ProcessingJob,
    Kind::HyperParameterTuningJob,
    Kind::Model,
    Kind::EndpointConfig,
    Kind::Endpoint,
    Kind::InferenceComponent,
    Kind::Association,
    Kind::PipelineExecution,
    Kind::ImageVersion,
    Kind::Device,
    Kind::ClusterExtension,
    Kind::ServicecatalogPortfolio,
];

/// How many of each are made: more than a page.
const COUNT: usize = 12;

/// What AWS asks for beyond the model.
fn completed(row: &Row, mut request: Value) -> Value {
    let mut set = |member: &str, value: Value| request[member] = value;
    match row.kind {
        Kind::FeatureGroup => {
            set("RecordIdentifierFeatureName", json!("id"));
            set("EventTimeFeatureName", json!("time"));
            let definition = |name: &str| json!({"FeatureName": name, "FeatureType": "String"});
            set("FeatureDefinitions", json!([definition("id"), definition("time")]));
            set("OnlineStoreConfig", json!({"EnableOnlineStore": true}));
        }
        Kind::CompilationJob => {
            set("InputConfig", json!({"S3Uri": "s3://bucket/model.tar.gz", "Framework": "XGBOOST"}));
            set("OutputConfig", json!({"S3OutputLocation": "s3://bucket/out", "TargetDevice": "ml_m5"}));
        }
        Kind::DataQualityJobDefinition
        | Kind::ModelQualityJobDefinition
        | Kind::ModelBiasJobDefinition
        | Kind::ModelExplainabilityJobDefinition => {
            let input = row.noun.replace("Definition", "Input");
            let endpoint = json!({"EndpointName": "endpoint", "LocalPath": "/opt/ml/processing/input"});
            request[input.as_str()]["EndpointInput"] = endpoint;
        }
        Kind::Pipeline => {
            set("PipelineDefinition", json!(r#"{"Version": "2020-12-01", "Steps": []}"#));
        }
        Kind::ModelPackage => set("ModelPackageName", json!("to be named")),
        Kind::App => set("UserProfileName", json!("to be named")),
        Kind::Artifact => set("ArtifactName", json!("to be named")),
        Kind::ModelCard => set("Content", json!("{}")),
        Kind::Cluster => set(
            "InstanceGroups",
            json!([{
                "InstanceCount": 2,
                "InstanceGroupName": "workers",
                "InstanceType": "ml.m5.large",
                "LifeCycleConfig": {"SourceS3Uri": "s3://sagemaker-x/lifecycle", "OnCreate": "on_create.sh"},
                "ExecutionRole": "arn:aws:iam::123456789012:role/Role",
            }]),
        ),
        Kind::HubContent => set("HubContentVersion", json!("to be named")),
        // Far in the future, so that it never begins.
        Kind::TrainingPlan => set("TrainingPlanOfferingId", json!("tpo-i-ml-p5-48xlarge-1-24-4000000200-t")),
        Kind::Job => set("JobConfigDocument", json!("{}")),
        _ => {}
    }
    request
}

fn create_operation(row: &Row) -> String {
    match row.kind {
        Kind::HubContent => "ImportHubContent".to_owned(),
        _ => format!("Create{}", row.noun),
    }
}

/// Whether the model has an operation.
fn exists(operation: &str) -> bool {
    ModelShape::input(Service::SageMaker, operation).is_some()
}

fn takes(operation: &str, member: &str) -> bool {
    ModelShape::input(Service::SageMaker, operation).is_some_and(|shape| shape.member(member).is_some())
}

/// Makes resources, and what they need first.
struct Maker<'a> {
    backend: &'a LocalBackend,
    /// What of each kind others can belong to.
    parents: HashMap<Kind, Value>,
}

impl Maker<'_> {
    /// The request for the `number`th resource of a kind.
    async fn request(&mut self, row: &'static Row, number: usize) -> Value {
        let operation = create_operation(row);
        let mut request = completed(row, minimal::request(&operation));
        for (kind, member) in row.needs {
            let member = member.rsplit('.').next().unwrap();
            if request.get(member).is_some() {
                let parent = self.parent(*kind).await;
                request[member] = parent[kind.row().name].clone();
            }
        }
        for member in [row.name, row.title] {
            if request.get(member).is_some() {
                let name = format!("name-{number:02}");
                // The model allows no hyphen.
                let name = if row.kind == Kind::PartnerApp { name.replace('-', "") } else { name };
                request[member] =
                    if member == "HubContentVersion" { json!(format!("1.0.{number}")) } else { json!(name) };
            }
        }
        if takes(&operation, "Tags") {
            request["Tags"] = json!([{"Key": "made-by", "Value": "test"}]);
        }
        minimal::check(&operation, &request);
        request
    }

    /// A resource that others may belong to: request and answers of Create in one.
    fn parent(&mut self, kind: Kind) -> std::pin::Pin<Box<dyn Future<Output = Value> + Send + '_>> {
        Box::pin(async move {
            if let Some(known) = self.parents.get(&kind) {
                return known.clone();
            }
            let row = kind.row();
            let mut request = self.request(row, 99).await;
            let answer = done(self.backend, &create_operation(row), request.clone()).await;
            merge(&mut request, &answer);
            self.backend.clock().settle().await;
            self.parents.insert(kind, request.clone());
            request
        })
    }
}

fn merge(into: &mut Value, from: &Value) {
    for (member, value) in from.as_object().into_iter().flatten() {
        into[member] = value.clone();
    }
}

/// The part of what is known of a resource that an operation needs to find it.
fn identity(operation: &str, row: &Row, known: &Value) -> Value {
    let shape = ModelShape::input(Service::SageMaker, operation).unwrap();
    let wanted = shape.members().filter(|(member, _)| {
        member.required || row.parents.contains(&member.name) || member.name == row.name || member.name == row.arn
    });
    let mut found = Map::new();
    for (member, shape) in wanted {
        match known.get(member.name) {
            Some(value) => found.insert(member.name.to_owned(), value.clone()),
            None if member.required => found.insert(member.name.to_owned(), minimal::value(shape, member.name)),
            None => None,
        };
    }
    Value::Object(found)
}

/// What Describe answers, without what it is wrapped in.
async fn describe(backend: &LocalBackend, row: &Row, known: &Value) -> Result<Value, super::Refusal> {
    let operation = format!("Describe{}", row.noun);
    let answer = call(backend, &operation, &identity(&operation, row, known)).await?;
    Ok(if row.wrap.is_empty() { answer } else { answer[row.wrap].clone() })
}

/// All summaries, page by page.
async fn list(backend: &LocalBackend, row: &Row, extra: &Value) -> Vec<Value> {
    let operation = row.list.operation;
    let (output, _) = crate::local::listing::summaries(operation).unwrap();
    let mut request = extra.clone();
    let mut found = Vec::new();
    loop {
        let page = done(backend, operation, request.clone()).await;
        let items = page[output].as_array().unwrap().clone();
        assert!(items.len() <= 10, "{operation}");
        found.extend(items);
        match page.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => return found,
        }
    }
}

/// Scopes a list to what the resources belong to.
fn scope(row: &Row, known: &Value) -> Value {
    let shape = ModelShape::input(Service::SageMaker, row.list.operation).unwrap();
    let mut scope = Map::new();
    for (member, _) in shape.members() {
        let name = member.name.strip_suffix("Equals").unwrap_or(member.name);
        let value = known.get(name).filter(|_| row.parents.contains(&name) || member.required);
        if let Some(value) = value {
            scope.insert(member.name.to_owned(), value.clone());
        }
    }
    Value::Object(scope)
}

/// Takes a resource to a state in which an update or a deletion is allowed.
async fn move_to(backend: &LocalBackend, row: &Row, known: &Value, states: &[&str]) {
    backend.clock().settle().await;
    let status = describe(backend, row, known).await.unwrap()[row.status_member()].clone();
    if states.is_empty() || states.iter().any(|state| status == *state) {
        return;
    }
    let step = row.status.moves.iter().find(|step| {
        step.from.iter().any(|from| status == *from) && step.steps.last().is_some_and(|(to, _)| states.contains(to))
    });
    let step = step.unwrap_or_else(|| panic!("{}: no way from {status} to {states:?}", row.noun));
    done(backend, step.operation, identity(step.operation, row, known)).await;
    backend.clock().settle().await;
}

async fn lives(row: &'static Row) {
    let backend = LocalBackend::new();
    let mut maker = Maker { backend: &backend, parents: HashMap::new() };
    let create = create_operation(row);
    let named = row.name != row.arn && row.made.is_none_or(|made| made.member != row.name);

    let mut all = Vec::new();
    for number in 0..COUNT {
        let request = maker.request(row, number).await;
        let answer = done(&backend, &create, request.clone()).await;
        let mut known = request.clone();
        merge(&mut known, &answer);
        if let Some(arn) = answer.get(format!("{}Arn", row.noun)) {
            known[row.arn] = arn.clone();
        }
        all.push((request, known));
    }
    let (request, known) = all[3].clone();

    // Create once more.
    if named {
        let mut again = request.clone();
        if takes(&create, "ClientRequestToken") {
            // The same token would be the same request.
            again["ClientRequestToken"] = json!("another-token-of-at-least-32-characters");
        }
        let refusal = call(&backend, &create, &again).await.unwrap_err();
        assert!(!refusal.1.is_empty() && refusal.0 != "SerializationException", "{create}: {refusal:?}");
    }

    // Describe gives back what Create was given.
    backend.clock().settle().await;
    let described = describe(&backend, row, &known).await.unwrap();
    let output = ModelShape::output(Service::SageMaker, &format!("Describe{}", row.noun)).unwrap();
    let output = output.member(row.wrap).unwrap_or(output);
    for (member, value) in request.as_object().unwrap() {
        let Some(shape) = output.member(member) else { continue };
        let same = shape.project(value);
        let changed = matches!(
            (row.kind, member.as_str()),
            (Kind::Cluster, "InstanceGroups")
                | (Kind::AIRecommendationJob, "OutputConfig")
                | (Kind::InferenceExperiment, "ModelVariants")
                | (Kind::InferenceRouter, "RoutingTargets")
                | (Kind::Hub, _)
        );
        assert!(changed || described[member] == same, "{}.{member}: {} is not {same}", row.noun, described[member]);
    }
    let arn = described[row.arn].as_str().unwrap_or_else(|| panic!("{}: no {} in {described}", row.noun, row.arn));
    assert!(arn.starts_with("arn:aws:sagemaker:us-east-1:123456789012:"), "{arn}");
    if let (Some((last, _)), false) = (row.status.created.last(), row.status.member.is_empty()) {
        assert_eq!(described[row.status_member()], *last, "{}", row.noun);
    }

    // Lists: all of them, in order, filtered.
    let scope = scope(row, &known);
    let listed = list(&backend, row, &scope).await;
    let is_parent = maker.parents.contains_key(&row.kind);
    assert_eq!(listed.len(), COUNT + usize::from(is_parent), "{}", row.noun);
    if takes(row.list.operation, "SortOrder") {
        let order = |order: &str| {
            let images = row.list.operation.starts_with("ListImage");
            json!(if images { order.to_uppercase() } else { order.to_owned() })
        };
        let mut scope = scope.clone();
        scope["SortOrder"] = order("Ascending");
        let up = list(&backend, row, &scope).await;
        scope["SortOrder"] = order("Descending");
        let mut down = list(&backend, row, &scope).await;
        down.reverse();
        assert_eq!(up, down, "{}", row.noun);
        assert_ne!(up.first(), up.last(), "{}", row.noun);
    }
    if takes(row.list.operation, "NameContains") {
        let mut scope = scope.clone();
        scope["NameContains"] = json!("e-03");
        assert_eq!(list(&backend, row, &scope).await.len(), 1, "{}", row.noun);
    }
    for (filter, count) in [("CreationTimeAfter", 0), ("CreatedAfter", 0), ("CreationTimeBefore", listed.len())] {
        if takes(row.list.operation, filter) {
            let mut scope = scope.clone();
            scope[filter] = json!(4_000_000_000_u64);
            assert_eq!(list(&backend, row, &scope).await.len(), count, "{} {filter}", row.noun);
        }
    }

    // Tags.
    let tags = |answer: Value| answer["Tags"].as_array().unwrap().len();
    let of = json!({"ResourceArn": arn});
    let before = usize::from(request.get("Tags").is_some());
    assert_eq!(tags(done(&backend, "ListTags", of.clone()).await), before, "{}", row.noun);
    let add = json!({"ResourceArn": arn, "Tags": [{"Key": "a", "Value": "b"}]});
    assert_eq!(tags(done(&backend, "AddTags", add).await), before + 1);
    done(&backend, "DeleteTags", json!({"ResourceArn": arn, "TagKeys": ["a", "made-by"]})).await;
    assert_eq!(tags(done(&backend, "ListTags", of.clone()).await), 0);

    // Update.
    let update = format!("Update{}", row.noun);
    if exists(&update) {
        move_to(&backend, row, &known, row.status.updatable).await;
        let mut request = minimal::complete(&update, identity(&update, row, &known));
        if takes(&update, "Description") {
            request["Description"] = json!("changed");
        }
        done(&backend, &update, request.clone()).await;
        backend.clock().settle().await;
        let described = describe(&backend, row, &known).await.unwrap();
        if request.get("Description").is_some() && output.member("Description").is_some() {
            assert_eq!(described["Description"], "changed", "{}", row.noun);
        }
        if described.get("LastModifiedTime").is_some() {
            assert!(described["LastModifiedTime"].as_f64() >= described["CreationTime"].as_f64(), "{}", row.noun);
        }
    }

    // Delete.
    let delete = format!("Delete{}", row.noun);
    if exists(&delete) {
        move_to(&backend, row, &known, row.status.deletable).await;
        done(&backend, &delete, identity(&delete, row, &known)).await;
        backend.clock().settle().await;
        let gone = describe(&backend, row, &known).await.unwrap_err();
        assert!(["ValidationException", "ResourceNotFound"].contains(&gone.0.as_str()), "{}: {gone:?}", row.noun);
        assert_eq!(call(&backend, &delete, &identity(&delete, row, &known)).await.unwrap_err().0, gone.0);
        assert!(call(&backend, "ListTags", &of).await.is_err(), "{}", row.noun);
        assert_eq!(list(&backend, row, &scope).await.len(), listed.len() - 1, "{}", row.noun);
        // The name is free again.
        if named {
            done(&backend, &create, request).await;
        }
    }
}

#[tokio::test]
async fn every_row_works() {
    let mut failed = Vec::new();
    for row in kinds::rows().filter(|row| !ELSEWHERE.contains(&row.kind)) {
        // Each on its own, so that one failure does not hide the others.
        if tokio::spawn(lives(row)).await.is_err() {
            failed.push(row.noun);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn rows_agree_with_the_model() {
    for row in kinds::rows().filter(|row| !matches!(row.kind, Kind::Association | Kind::ServicecatalogPortfolio)) {
        let noun = row.noun;
        let describe = ModelShape::output(Service::SageMaker, &format!("Describe{noun}"))
            .unwrap_or_else(|| panic!("Describe{noun} is not in the model"));
        let describe = describe.member(row.wrap).unwrap_or(describe);
        if row.kind != Kind::ImageVersion && row.kind != Kind::PipelineExecution {
            assert!(describe.member(row.title).is_some(), "{noun} has no {}", row.title);
        }
        assert!(describe.member(row.arn).is_some(), "{noun} has no {}", row.arn);
        if !row.status.member.is_empty() {
            let status = describe.member(row.status.member).unwrap_or_else(|| panic!("{noun}: {}", row.status.member));
            if let Some(values) = status.values() {
                let moves = row
                    .status
                    .moves
                    .iter()
                    .flat_map(|step| step.steps.iter().map(|(state, _)| *state).chain(step.from.iter().copied()));
                let lists = [row.status.created, row.status.updated, row.status.deleted];
                let states = lists.into_iter().flatten().map(|(state, _)| *state);
                let allowed = row.status.updatable.iter().chain(row.status.deletable).copied();
                for state in moves.chain(states).chain(allowed) {
                    assert!(values.iter().any(|value| value == state), "{noun} has no state {state}");
                }
            }
        }
        let list = ModelShape::input(Service::SageMaker, row.list.operation)
            .unwrap_or_else(|| panic!("{noun}: {}", row.list.operation));
        for (filter, path) in row.list.filters {
            let elsewhere = ["WorkteamArn", "JobReferenceCodeContains"].contains(filter);
            assert!(elsewhere || list.member(filter).is_some(), "{noun} has no filter {filter}");
            assert!(!path.is_empty() && at(&Map::new(), path).is_none());
        }
        for step in row.status.moves {
            assert!(exists(step.operation), "{}", step.operation);
        }
    }
}
