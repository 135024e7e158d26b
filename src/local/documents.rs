//! Documents of what has no behaviour of its own, such as policies and dashboards: they are kept and listed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::backend::Core;
use super::store::{Corrupt, Store, Table};
use super::time::millis;

/// All documents, by family and key.
#[derive(Debug, Default)]
pub(super) struct Documents {
    families: Mutex<BTreeMap<String, Family>>,
    store: Store,
}

/// The documents of one kind by their keys.
pub(super) type Family = BTreeMap<String, Value>;

/// One family while it is changed; each change is told to the store.
pub(super) struct Change<'a> {
    name: &'a str,
    family: &'a mut Family,
    store: &'a Store,
    now: i64,
}

impl Documents {
    /// The documents that a store has kept, and the time of the newest change.
    pub(super) fn load(store: &Store) -> Result<(Self, Option<SystemTime>), Corrupt> {
        let (mut families, mut newest) = (BTreeMap::<String, Family>::new(), None);
        store.load(Table::Document, |key, value| {
            let [family, key] = key else { return Err(Corrupt("a document")) };
            let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Corrupt("a document"));
            let (changed, document) = value.split_first_chunk::<8>().ok_or(Corrupt("a document"))?;
            let changed = u64::from_be_bytes(*changed);
            newest = newest.max(Some(UNIX_EPOCH + Duration::from_millis(changed.min(1 << 48))));
            let document = serde_json::from_slice(document).map_err(|_| Corrupt("a document"))?;
            families.entry(text(family)?).or_default().insert(text(key)?, document);
            Ok(())
        })?;
        Ok((Self { families: Mutex::new(families), store: store.clone() }, newest))
    }

    /// Gives a family to `read`.
    pub(super) fn read<T>(&self, family: &str, read: impl FnOnce(&Family) -> T) -> T {
        match self.families().get(family) {
            Some(family) => read(family),
            None => read(&Family::new()),
        }
    }

    /// A document.
    pub(super) fn get(&self, family: &str, key: &str) -> Option<Value> {
        self.read(family, |family| family.get(key).cloned())
    }

    /// Changes a family, and tells who waits for a change.
    pub(super) fn change<T>(&self, core: &Core, name: &str, change: impl FnOnce(&mut Change<'_>) -> T) -> T {
        let mut families = self.families();
        let family = families.entry(name.to_owned()).or_default();
        let result = change(&mut Change { name, family, store: &self.store, now: millis(core.clock.now()) });
        drop(families);
        core.clock.changed();
        result
    }

    pub(super) fn reset(&self) {
        let mut families = self.families();
        self.store.remove_all(Table::Document, &[]);
        families.clear();
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<String, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Change<'_> {
    pub(super) fn all(&self) -> &Family {
        self.family
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.family.get(key)
    }

    /// Puts a document, and gives the one that was there.
    pub(super) fn put(&mut self, key: &str, document: Value) -> Option<Value> {
        self.store.put(Table::Document, &[self.name.as_bytes(), key.as_bytes()], || {
            let now = u64::try_from(self.now).unwrap_or(0);
            [&now.to_be_bytes()[..], document.to_string().as_bytes()].concat()
        });
        self.family.insert(key.to_owned(), document)
    }

    /// Removes a document, and gives it.
    pub(super) fn remove(&mut self, key: &str) -> Option<Value> {
        let removed = self.family.remove(key);
        if removed.is_some() {
            self.store.remove(Table::Document, &[self.name.as_bytes(), key.as_bytes()]);
        }
        removed
    }

    /// The time of the change, in milliseconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.now
    }
}
