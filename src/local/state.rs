//! Everything that the backend remembers of SageMaker and IAM: documents with a state.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::aws_error::AwsError;
use super::jobs::{Deployment, StopSignal};
use super::kinds::{Kind, Row};
use super::time::timestamp;

/// The longest `FailureReason`, in characters.
const MAX_REASON: usize = 1024;

/// One resource: the request that made it, and what Describe adds to it.
#[derive(Debug)]
pub(super) struct Resource {
    /// Unique for the backend's life: tells a resource from a later one of the same name.
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) request: Map<String, Value>,
    pub(super) state: Map<String, Value>,
    /// What only other operations than Describe give.
    pub(super) internal: Map<String, Value>,
    pub(super) created: SystemTime,
    pub(super) modified: SystemTime,
    pub(super) tags: BTreeMap<String, String>,
    /// Tells a running job to stop.
    pub(super) stop: Arc<StopSignal>,
    /// The loaded models of an endpoint.
    pub(super) deployment: Option<Arc<Deployment>>,
}

/// A role that SageMaker may take on.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) name: String,
    /// `/` or such as `/service-role/`.
    pub(super) path: String,
    pub(super) arn: String,
    /// The trust policy as JSON.
    pub(super) trust: String,
    pub(super) created: SystemTime,
    /// The number in the role's unique identifier.
    pub(super) number: u64,
}

/// The documents, behind one mutex that is never held across an await.
#[derive(Debug, Default)]
pub(super) struct State {
    resources: BTreeMap<(Kind, String), Resource>,
    pub(super) roles: BTreeMap<String, Role>,
    last_id: u64,
}

/// Where names become ARNs.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) region: String,
    pub(super) account: String,
}

impl Place {
    pub(super) fn partition(&self) -> &'static str {
        match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

impl State {
    /// Adds a resource; refuses a name that is taken. `state` is what Describe adds to the request.
    pub(super) fn insert(
        &mut self,
        row: &Row,
        place: &Place,
        now: SystemTime,
        request: &Value,
        state: Map<String, Value>,
    ) -> Result<&mut Resource, AwsError> {
        let name = text(request, &row.name_member())?.to_owned();
        let arn = row.arn(place, &name);
        let key = (row.kind, row.key(&name));
        if self.resources.contains_key(&key) {
            return Err((row.taken)(&arn));
        }
        let id = self.next_id();
        let mut request = request.as_object().cloned().unwrap_or_default();
        let tags = read_tags(request.get("Tags"));
        request.retain(|member, value| !row.hidden.contains(&member.as_str()) && !value.is_null());
        let resource = Resource {
            id,
            name,
            arn,
            request,
            state,
            internal: Map::new(),
            created: now,
            modified: now,
            tags,
            stop: Arc::default(),
            deployment: None,
        };
        Ok(self.resources.entry(key).or_insert(resource))
    }

    /// The resource of a name, or the kind's own way to say that there is none.
    pub(super) fn get(&self, row: &Row, place: &Place, name: &str) -> Result<&Resource, AwsError> {
        let missing = || (row.missing)(name, &row.arn(place, name));
        self.resources.get(&(row.kind, row.key(name))).ok_or_else(missing)
    }

    pub(super) fn get_mut(&mut self, row: &Row, place: &Place, name: &str) -> Result<&mut Resource, AwsError> {
        let missing = || (row.missing)(name, &row.arn(place, name));
        self.resources.get_mut(&(row.kind, row.key(name))).ok_or_else(missing)
    }

    /// The resource of a name if it is still the one of that id.
    pub(super) fn same(&mut self, kind: Kind, name: &str, id: u64) -> Option<&mut Resource> {
        self.resources.get_mut(&(kind, kind.row().key(name))).filter(|resource| resource.id == id)
    }

    pub(super) fn remove(&mut self, row: &Row, place: &Place, name: &str) -> Result<Resource, AwsError> {
        self.get(row, place, name)?;
        let missing = || (row.missing)(name, &row.arn(place, name));
        self.resources.remove(&(row.kind, row.key(name))).ok_or_else(missing)
    }

    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &Resource> {
        let of_kind = self.resources.range((kind, String::new())..);
        of_kind.take_while(move |((of, _), _)| *of == kind).map(|(_, resource)| resource)
    }

    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Forgets all, and tells what runs to stop.
    pub(super) fn reset(&mut self) {
        for resource in self.resources.values() {
            resource.stop.ask();
        }
        self.resources.clear();
        self.roles.clear();
    }
}

impl Resource {
    pub(super) fn status(&self, row: &Row) -> &str {
        self.state.get(&row.status_member()).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn set(&mut self, member: &str, value: impl Into<Value>) {
        self.state.insert(member.to_owned(), value.into());
    }

    /// Why the resource failed, cut to what the API allows.
    pub(super) fn set_failure(&mut self, reason: &str) {
        let cut: String = reason.chars().take(MAX_REASON).collect();
        self.set("FailureReason", cut);
    }

    /// What Describe answers.
    pub(super) fn describe(&self, row: &Row) -> Map<String, Value> {
        let mut document = self.request.clone();
        for flag in row.flags {
            document.entry(*flag).or_insert(Value::Bool(false));
        }
        document.insert(row.name_member(), Value::from(self.name.as_str()));
        document.insert(row.arn_member(), Value::from(self.arn.as_str()));
        document.insert("CreationTime".to_owned(), timestamp(self.created));
        if row.has_last_modified {
            document.insert("LastModifiedTime".to_owned(), timestamp(self.modified));
        }
        document.extend(self.state.iter().map(|(member, value)| (member.clone(), value.clone())));
        document
    }
}

/// A member that the model requires, and that is text by it.
pub(super) fn text<'a>(request: &'a Value, member: &str) -> Result<&'a str, AwsError> {
    let other = || AwsError::serialization(format!("{member} is not text"));
    request.get(member).and_then(Value::as_str).ok_or_else(other)
}

/// A list of `{"Key": .., "Value": ..}`.
pub(super) fn read_tags(tags: Option<&Value>) -> BTreeMap<String, String> {
    let pair = |tag: &Value| {
        let member = |name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
        Some((member("Key")?, member("Value").unwrap_or_default()))
    };
    tags.and_then(Value::as_array).into_iter().flatten().filter_map(pair).collect()
}
