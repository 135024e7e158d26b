//! What the documents tell the store, and how they are found again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Resource, Role, State};
use crate::local::kinds::{self, Kind, Row};
use crate::local::store::{Corrupt, Store, Table};

/// The state's way to the store: what may have changed is noted, and written when the lock is given up.
#[derive(Debug, Default)]
pub(super) struct Journal {
    store: Store,
    touched: BTreeSet<(Kind, String)>,
    roles: BTreeSet<String>,
}

/// The documents, locked.
pub(in crate::local) struct StateGuard<'a>(pub(in crate::local) MutexGuard<'a, State>);

#[derive(Serialize, Deserialize)]
struct Record {
    id: u64,
    key: String,
    name: String,
    arn: String,
    request: Map<String, Value>,
    state: Map<String, Value>,
    created: SystemTime,
    modified: SystemTime,
    tags: BTreeMap<String, String>,
}

impl Journal {
    pub(super) fn touch(&mut self, at: &(Kind, String)) {
        if self.store.is_on_disk() {
            self.touched.insert(at.clone());
        }
    }

    pub(super) fn clear(&mut self) {
        self.touched.clear();
        self.roles.clear();
        for table in [Table::Resource, Table::Role] {
            self.store.remove_all(table, &[]);
        }
    }
}

impl State {
    /// Notes that a role may have changed.
    pub(in crate::local) fn touch_role(&mut self, name: &str) {
        self.journal.roles.insert(name.to_owned());
    }

    /// Tells the store of what may have changed.
    fn write(&mut self) {
        let journal = &mut self.journal;
        for at in std::mem::take(&mut journal.touched) {
            let (kind, key) = &at;
            let record_key = [kind.row().noun.as_bytes(), key.as_bytes()];
            match self.resources.get(&at) {
                Some(resource) => journal.store.put(Table::Resource, &record_key, || record(resource)),
                None => journal.store.remove(Table::Resource, &record_key),
            }
        }
        for name in std::mem::take(&mut journal.roles) {
            match self.roles.get(&name) {
                // A struct of text: there is nothing that JSON cannot hold.
                Some(role) => {
                    journal.store.put(Table::Role, &[name.as_bytes()], || serde_json::to_vec(role).unwrap_or_default());
                }
                None => journal.store.remove(Table::Role, &[name.as_bytes()]),
            }
        }
    }

    /// The documents that a store has kept, and the time of the newest change.
    pub(in crate::local) fn load(store: &Store) -> Result<(Self, Option<SystemTime>), Corrupt> {
        let mut state = Self { journal: Journal { store: store.clone(), ..Journal::default() }, ..Self::default() };
        let mut newest = None;
        store.load(Table::Role, |_, value| {
            let role: Role = serde_json::from_slice(value).map_err(|_| Corrupt("a role"))?;
            state.last_id = state.last_id.max(role.number);
            newest = newest.max(Some(role.created));
            state.roles.insert(role.name.clone(), role);
            Ok(())
        })?;
        store.load(Table::Resource, |key, value| {
            let noun = key.first().ok_or(Corrupt("a resource"))?;
            let row = kinds::rows().find(|row| row.noun.as_bytes() == *noun).ok_or(Corrupt("a resource"))?;
            let resource = resource(value)?;
            state.last_id = state.last_id.max(resource.id);
            newest = newest.max(Some(resource.modified));
            let at = (row.kind, row.key(&resource.key));
            state.arns.insert(resource.arn.clone(), at.clone());
            state.resources.insert(at, resource);
            Ok(())
        })?;
        Ok((state, newest))
    }

    /// Brings each resource of an earlier run to a state that nobody works on; false removes it.
    pub(in crate::local) fn revive(&mut self, mut revive: impl FnMut(&'static Row, &mut Resource) -> bool) {
        let State { resources, arns, journal, .. } = self;
        resources.retain(|at, resource| {
            let before = resource.state.clone();
            let stays = revive(at.0.row(), resource);
            if !stays {
                arns.remove(&resource.arn);
            }
            if !stays || resource.state != before {
                journal.touch(at);
            }
            stays
        });
        self.write();
    }
}

fn record(resource: &Resource) -> Vec<u8> {
    let record = Record {
        id: resource.id,
        key: resource.key.clone(),
        name: resource.name.clone(),
        arn: resource.arn.clone(),
        request: resource.request.clone(),
        state: resource.state.clone(),
        created: resource.created,
        modified: resource.modified,
        tags: resource.tags.clone(),
    };
    // Documents and text: there is nothing that JSON cannot hold.
    serde_json::to_vec(&record).unwrap_or_default()
}

fn resource(value: &[u8]) -> Result<Resource, Corrupt> {
    let record: Record = serde_json::from_slice(value).map_err(|_| Corrupt("a resource"))?;
    let Record { id, key, name, arn, request, state, created, modified, tags } = record;
    Ok(Resource {
        id,
        key,
        name,
        arn,
        request,
        state,
        created,
        modified,
        tags,
        stop: Arc::default(),
        deployment: None,
        walks: 0,
        tags_before: Vec::new(),
    })
}

impl Deref for StateGuard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

impl DerefMut for StateGuard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.0
    }
}

impl Drop for StateGuard<'_> {
    fn drop(&mut self) {
        self.0.write();
    }
}
