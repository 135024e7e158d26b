//! Extensions of clusters. Nothing is installed: they are kept, and go through their states.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::batches::check_continuous;
use super::nodes::nodes;
use super::{Answer, Own, table};
use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::state::{Identity, text};

pub(super) static OPERATIONS: &[Own] = &[
    ("CreateClusterExtension", create),
    ("UpdateClusterExtension", update),
    ("DescribeClusterExtension", |core, request| describe(core, request)),
    ("ListClusterExtensions", |core, request| {
        let row = Kind::ClusterExtension.row();
        let state = core.state();
        let cluster = state.get(Kind::Cluster.row(), &core.place, text(request, "ClusterArn")?)?;
        let mut rest = request.clone();
        if let Some(rest) = rest.as_object_mut() {
            rest.remove("ClusterArn");
        }
        listing::list_some(state.of_parent(row, &cluster.key), row, "ListClusterExtensions", &rest)
    }),
    ("ListClusterExtensionVersions", |_, request| {
        let name = text(request, "ExtensionName")?;
        let versions = CATALOGUE.iter().filter(|(known, _)| *known == name);
        let versions: Vec<Value> = versions.map(|(_, version)| json!({"ExtensionVersion": version})).collect();
        listing::page("ListClusterExtensionVersions", &versions, request)
    }),
];

/// The extensions that can be installed, each with the version that the documentation names.
const CATALOGUE: [(&str, &str); 1] = [("sagemaker-observability", "1.0.0")];

fn create(core: &Arc<Core>, request: &Value) -> Answer {
    let row = Kind::ClusterExtension.row();
    let name = text(request, "ExtensionName")?;
    let Some((_, newest)) = CATALOGUE.iter().find(|(known, _)| *known == name) else {
        return Err(AwsError::resource_not_found(format!("There is no extension named {name}.")));
    };
    check_version(name, request)?;
    let cluster_arn = text(request, "ClusterArn")?;
    {
        let state = core.state();
        let cluster = state.get(Kind::Cluster.row(), &core.place, cluster_arn)?;
        check_continuous(cluster)?;
        if cluster.member("Orchestrator.Eks").is_some() {
            let message = format!("Cluster {} is orchestrated by EKS: extensions need Slurm.", cluster.arn);
            return Err(AwsError::validation(message));
        }
        let known = state.of_parent(row, &cluster.key).find(|extension| extension.name == name);
        if let Some(known) = known {
            let token = request.get("ClientToken");
            if token.is_some() && known.request.get("ClientToken") == token {
                return Ok(json!({"ExtensionArn": known.arn}));
            }
            return Err(AwsError::in_use(format!("The cluster already has the extension {}.", known.arn)));
        }
    }
    let mut request = request.clone();
    if request.get("ExtensionVersion").is_none() {
        request["ExtensionVersion"] = json!(newest);
    }
    table::create_as(core, "CreateClusterExtension", row, &request, |state| {
        let number = state.next_id();
        let cluster = state.get(Kind::Cluster.row(), &core.place, cluster_arn)?;
        let id = format!("{number:012x}");
        let of = cluster.arn.rsplit('/').next().unwrap_or_default();
        let arn = core.place.arn(&format!("extension/{name}/{of}/{id}"));
        Ok((Identity { key: format!("{}/{id}", cluster.key), name: name.to_owned(), arn }, Map::new()))
    })
}

fn check_version(name: &str, request: &Value) -> Result<(), AwsError> {
    let Some(version) = request.get("ExtensionVersion") else { return Ok(()) };
    if CATALOGUE.iter().any(|(known, of)| *known == name && version == of) {
        return Ok(());
    }
    Err(AwsError::validation(format!("The extension {name} has no version {version}.")))
}

fn update(core: &Arc<Core>, request: &Value) -> Answer {
    let row = Kind::ClusterExtension.row();
    let name = table::find(core, &core.state(), row, request)?.name.clone();
    check_version(&name, request)?;
    table::update(core, "UpdateClusterExtension", row, request)
}

fn describe(core: &Core, request: &Value) -> Answer {
    let row = Kind::ClusterExtension.row();
    let state = core.state();
    let extension = table::find(core, &state, row, request)?;
    let cluster = state.get(Kind::Cluster.row(), &core.place, text(request, "ClusterArn")?)?;
    let mut answer = table::answer("DescribeClusterExtension", row, extension);
    let count = nodes(cluster).count();
    let active = if extension.status(row) == "Active" { count } else { 0 };
    answer["NodeSummary"] = json!({"TotalCount": count, "ActiveCount": active});
    answer["Health"] = json!({"Issues": []});
    Ok(answer)
}
