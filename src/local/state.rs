//! Everything that the backend remembers of SageMaker and IAM: documents with a state.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::aws_error::AwsError;
use super::jobs::{Deployment, StopSignal};
use super::kinds::{ArnTail, Draft, Kind, MadeId, Row, at};
use super::time::timestamp;
use crate::types::Partition;

mod journal;

use journal::Journal;
pub(super) use journal::StateGuard;

/// The longest `FailureReason`, in characters.
const MAX_REASON: usize = 1024;
/// How many changes of a resource's tags are remembered.
const MAX_TAG_CHANGES: usize = 8;

/// One resource: the request that made it, and what Describe adds to it.
#[derive(Debug)]
pub(super) struct Resource {
    /// Unique for the backend's life: tells a resource from a later one of the same name.
    pub(super) id: u64,
    /// Tells it apart from others of its kind: the names of what it belongs to, and its own.
    pub(super) key: String,
    /// The name that people know it by.
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) request: Map<String, Value>,
    pub(super) state: Map<String, Value>,
    pub(super) created: SystemTime,
    pub(super) modified: SystemTime,
    pub(super) tags: BTreeMap<String, String>,
    /// When the tags changed, and what they were before; the newest changes, oldest first.
    pub(super) tags_before: Vec<(SystemTime, BTreeMap<String, String>)>,
    /// Tells a running job to stop.
    pub(super) stop: Arc<StopSignal>,
    /// The loaded models of an endpoint.
    pub(super) deployment: Option<Arc<Deployment>>,
    /// Counts the ways through states that began: a later one ends an earlier one.
    pub(super) walks: u64,
}

/// What tells a resource from others.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) arn: String,
}

/// What makes a new resource, besides its identity.
struct Made {
    id: u64,
    request: Map<String, Value>,
    state: Map<String, Value>,
    tags: BTreeMap<String, String>,
}

/// A role that SageMaker may take on.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// The ARNs of attached policies.
    #[serde(default)]
    pub(super) attached: BTreeSet<String>,
    /// Policies of the role's own, as JSON, by name.
    #[serde(default)]
    pub(super) policies: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) description: String,
}

/// The documents, behind one mutex that is never held across an await.
#[derive(Debug, Default)]
pub(super) struct State {
    resources: BTreeMap<(Kind, String), Resource>,
    arns: HashMap<String, (Kind, String)>,
    pub(super) roles: BTreeMap<String, Role>,
    last_id: u64,
    journal: Journal,
}

/// Where names become ARNs.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) region: String,
    pub(super) account: String,
}

/// The kind's own way to say that there is no resource of a key or an ARN.
fn missing(row: &Row, place: &Place, name: &str) -> AwsError {
    if name.starts_with("arn:") {
        let tail = name.split_once('/').map_or(name, |(_, tail)| tail);
        return (row.missing)(tail, name);
    }
    let own = if row.parents.is_empty() { name } else { name.rsplit('/').next().unwrap_or(name) };
    (row.missing)(own, &row.arn(place, name))
}

impl Row {
    /// The identity of a new resource, as its row says.
    fn identify(
        &self,
        place: &Place,
        request: &Map<String, Value>,
        state: &mut Map<String, Value>,
        id: u64,
    ) -> Identity {
        let text = |member: &str| request.get(member).and_then(Value::as_str);
        let made = self.made.map(|made| made.text(id));
        if let (Some(row), Some(text)) = (self.made, &made) {
            state.insert(row.member.to_owned(), Value::from(text.as_str()));
        }
        let is_key = self.made.is_some_and(|made| made.member == self.name) || self.name == self.arn;
        let key = match &made {
            Some(made) if is_key => {
                let parents = self.parents.iter().filter_map(|parent| text(parent));
                self.key(&parents.collect::<Vec<_>>().join("/")) + if self.parents.is_empty() { "" } else { "/" } + made
            }
            _ => self.key_of(request),
        };
        let name = text(self.title).or(text(self.name)).unwrap_or(&key).to_owned();
        let last = made.as_deref().unwrap_or(&name);
        let arn = match self.arn_tail {
            ArnTail::Key => self.arn(place, &key),
            ArnTail::Made => self.arn(place, last),
            ArnTail::Nested(word) => {
                let parent = self.parents.first().and_then(|member| text(member)).unwrap_or_default();
                self.arn(place, &format!("{parent}/{word}/{last}"))
            }
        };
        Identity { key, name, arn }
    }
}

impl MadeId {
    /// The identifier of the resource of that number: looks random, but is the same in each run.
    fn text(self, id: u64) -> String {
        const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        let mut text = self.prefix.to_owned();
        let mut rest = u128::from(id).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).rotate_right(64);
        for _ in 0..self.length {
            text.push(char::from(DIGITS[(rest % 36) as usize]));
            rest /= 36;
        }
        if self.upper_case { format!("{}{}", self.prefix, text[self.prefix.len()..].to_uppercase()) } else { text }
    }
}

impl Place {
    /// The ARN of a resource of SageMaker.
    pub(super) fn arn(&self, resource: &str) -> String {
        format!("arn:{}:sagemaker:{}:{}:{resource}", self.partition(), self.region, self.account)
    }

    pub(super) fn partition(&self) -> &'static str {
        Partition::of(&self.region).name
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
        mut state: Map<String, Value>,
    ) -> Result<&mut Resource, AwsError> {
        let mut request = request.as_object().cloned().unwrap_or_default();
        request.retain(|_, value| !value.is_null());
        let tags = read_tags(request.remove("Tags").as_ref());
        self.check_needs(row, place, &request)?;

        let id = self.next_id();
        let Identity { key, name, arn } = row.identify(place, &request, &mut state, id);
        self.add(row, place, now, Identity { key, name, arn }, Made { id, request, state, tags })
    }

    /// Adds a resource whose identity the service gives in its own way, such as a version.
    pub(super) fn insert_as(
        &mut self,
        row: &Row,
        place: &Place,
        now: SystemTime,
        identity: Identity,
        request: &Value,
        state: Map<String, Value>,
    ) -> Result<&mut Resource, AwsError> {
        let mut request = request.as_object().cloned().unwrap_or_default();
        request.retain(|_, value| !value.is_null());
        let tags = read_tags(request.remove("Tags").as_ref());
        self.check_needs(row, place, &request)?;
        let id = self.next_id();
        self.add(row, place, now, identity, Made { id, request, state, tags })
    }

    fn add(
        &mut self,
        row: &Row,
        place: &Place,
        now: SystemTime,
        identity: Identity,
        made: Made,
    ) -> Result<&mut Resource, AwsError> {
        let Identity { key, name, arn } = identity;
        let Made { id, mut request, mut state, tags } = made;
        let at = (row.kind, key.clone());
        if let Some(found) = self.resources.get(&at) {
            return Err((row.taken)(&name, &found.arn));
        }
        (row.prepare)(&mut Draft { place, state: self, now, request: &mut request, members: &mut state })?;
        let resource = Resource {
            id,
            key,
            name,
            arn,
            request,
            state,
            created: now,
            modified: now,
            tags,
            tags_before: Vec::new(),
            stop: Arc::default(),
            deployment: None,
            walks: 0,
        };
        self.arns.insert(resource.arn.clone(), at.clone());
        self.journal.touch(&at);
        Ok(self.resources.entry(at).or_insert(resource))
    }

    /// Refuses a resource that belongs to others that do not exist.
    fn check_needs(&self, row: &Row, place: &Place, request: &Map<String, Value>) -> Result<(), AwsError> {
        for (kind, member) in row.needs {
            let Some(name) = at(request, member).and_then(Value::as_str) else { continue };
            let needed = kind.row();
            if name.starts_with("arn:") {
                self.get(needed, place, name)?;
                continue;
            }
            let parents = needed.parents.iter().filter_map(|parent| request.get(*parent)?.as_str());
            let key: Vec<&str> = parents.chain([name]).collect();
            self.get(needed, place, &key.join("/"))?;
        }
        Ok(())
    }

    /// The resource of a key (a name, or the names of parents and the own one) or of an ARN, or the kind's own way to
    /// say that there is none.
    pub(super) fn get(&self, row: &Row, place: &Place, name: &str) -> Result<&Resource, AwsError> {
        let found = self.at(row, name).and_then(|at| self.resources.get(&at));
        found.ok_or_else(|| missing(row, place, name))
    }

    pub(super) fn get_mut(&mut self, row: &Row, place: &Place, name: &str) -> Result<&mut Resource, AwsError> {
        let at = self.at(row, name).inspect(|at| self.journal.touch(at));
        let found = at.and_then(|at| self.resources.get_mut(&at));
        found.ok_or_else(|| missing(row, place, name))
    }

    /// The resource of a key, as it is in [`Resource::key`].
    pub(super) fn by_key_mut(&mut self, row: &Row, key: &str) -> Option<&mut Resource> {
        let at = (row.kind, key.to_owned());
        self.journal.touch(&at);
        self.resources.get_mut(&at)
    }

    /// Where a resource of a key or an ARN is.
    fn at(&self, row: &Row, name: &str) -> Option<(Kind, String)> {
        if name.starts_with("arn:") {
            return self.arns.get(name).filter(|(kind, _)| *kind == row.kind).cloned();
        }
        Some((row.kind, row.key(name)))
    }

    /// The resource of an ARN.
    pub(super) fn by_arn(&self, arn: &str) -> Option<(&'static Row, &Resource)> {
        let at = self.arns.get(arn)?;
        self.resources.get(at).map(|resource| (at.0.row(), resource))
    }

    pub(super) fn by_arn_mut(&mut self, arn: &str) -> Option<&mut Resource> {
        let at = self.arns.get(arn)?;
        self.journal.touch(at);
        self.resources.get_mut(at)
    }

    /// The resource of a name if it is still the one of that id.
    pub(super) fn same(&mut self, kind: Kind, key: &str, id: u64) -> Option<&mut Resource> {
        let at = (kind, kind.row().key(key));
        self.journal.touch(&at);
        self.resources.get_mut(&at).filter(|resource| resource.id == id)
    }

    /// Whether the resource of a name is still the one of that id.
    pub(super) fn is_same(&self, kind: Kind, key: &str, id: u64) -> bool {
        self.resources.get(&(kind, kind.row().key(key))).is_some_and(|resource| resource.id == id)
    }

    pub(super) fn remove(&mut self, row: &Row, place: &Place, name: &str) -> Result<Resource, AwsError> {
        let at = self.at(row, name).inspect(|at| self.journal.touch(at));
        let removed = at.and_then(|at| self.resources.remove(&at));
        let removed = removed.ok_or_else(|| missing(row, place, name))?;
        self.arns.remove(&removed.arn);
        Ok(removed)
    }

    /// Removes what a resource takes along.
    pub(super) fn remove_below(&mut self, row: &Row, key: &str) {
        for kind in row.takes_along {
            let row = kind.row();
            let keys: Vec<String> = self.of_parent(row, key).map(|resource| resource.key.clone()).collect();
            for key in keys {
                let at = (*kind, key);
                self.journal.touch(&at);
                if let Some(removed) = self.resources.remove(&at) {
                    self.arns.remove(&removed.arn);
                }
            }
        }
    }

    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &Resource> {
        let of_kind = self.resources.range((kind, String::new())..);
        of_kind.take_while(move |((of, _), _)| *of == kind).map(|(_, resource)| resource)
    }

    /// The resources of a kind whose keys begin with the names of what they belong to.
    pub(super) fn of_parent<'a>(&'a self, row: &'a Row, parent: &str) -> impl Iterator<Item = &'a Resource> + use<'a> {
        let prefix = format!("{}/", row.key(parent));
        let range = self.resources.range((row.kind, prefix.clone())..);
        range
            .take_while(move |((kind, key), _)| *kind == row.kind && key.starts_with(&prefix))
            .map(|(_, resource)| resource)
    }

    /// The nouns of what keeps a resource from being deleted.
    pub(super) fn keepers(&self, row: &Row, resource: &Resource) -> Option<String> {
        let own = resource.key.rsplit('/').next().unwrap_or_default();
        let mut found = row.kept_by.iter().filter(|(kind, member)| {
            self.all(*kind).any(|other| {
                let names = |member: &str| other.request.get(member).and_then(Value::as_str);
                let name = names(member).map(|name| name.rsplit('/').next().unwrap_or_default());
                name.is_some_and(|name| row.key(name) == own)
                    && row.parents.iter().all(|parent| {
                        let same = resource.request.get(*parent).and_then(Value::as_str);
                        same.is_none() || names(parent) == same
                    })
            })
        });
        found.next().map(|(kind, _)| format!("{}s", kind.row().noun))
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
        self.arns.clear();
        self.roles.clear();
        self.journal.clear();
    }
}

impl Resource {
    pub(super) fn status(&self, row: &Row) -> &str {
        self.state.get(row.status_member()).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn set(&mut self, member: &str, value: impl Into<Value>) {
        self.state.insert(member.to_owned(), value.into());
    }

    /// Replaces the tags.
    pub(super) fn set_tags(&mut self, now: SystemTime, tags: BTreeMap<String, String>) {
        let before = std::mem::replace(&mut self.tags, tags);
        if self.tags_before.len() == MAX_TAG_CHANGES {
            self.tags_before.remove(0);
        }
        self.tags_before.push((now, before));
    }

    /// The tags as they were at a time, as far as it is remembered.
    pub(super) fn tags_at(&self, time: SystemTime) -> Option<&BTreeMap<String, String>> {
        if self.created > time {
            return None;
        }
        let later = self.tags_before.iter().find(|(changed, _)| *changed > time);
        Some(later.map_or(&self.tags, |(_, before)| before))
    }

    /// Why the resource failed, cut to what the API allows.
    pub(super) fn set_failure(&mut self, reason: &str) {
        let cut: String = reason.chars().take(MAX_REASON).collect();
        self.set("FailureReason", cut);
    }

    /// A member at a path such as `Source.SourceUri`.
    pub(super) fn member(&self, path: &str) -> Option<&Value> {
        at(&self.state, path).or_else(|| at(&self.request, path))
    }

    /// All that is known of the resource; answers give the part of it that their shape declares.
    pub(super) fn document(&self, row: &Row) -> Map<String, Value> {
        let mut document = self.request.clone();
        for flag in row.flags {
            document.entry(*flag).or_insert(Value::Bool(false));
        }
        let mut set = |member: &str, value: Value| document.insert(member.to_owned(), value);
        set(row.title, Value::from(self.name.as_str()));
        set(row.arn, Value::from(self.arn.as_str()));
        set("CreationTime", timestamp(self.created));
        set("LastModifiedTime", timestamp(self.modified));
        set("CreatedBy", Value::Object(Map::new()));
        set("LastModifiedBy", Value::Object(Map::new()));
        if !self.tags.is_empty() {
            set("Tags", self.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect());
        }
        document.extend(self.state.iter().map(|(member, value)| (member.clone(), value.clone())));
        for (alias, member) in row.aliases {
            if let (false, Some(value)) = (document.contains_key(*alias), at(&document, member)) {
                let value = value.clone();
                document.insert((*alias).to_owned(), value);
            }
        }
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
