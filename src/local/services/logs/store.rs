//! Groups, streams and their events.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::metric_filters::{self, MetricFilter};

use crate::local::backend::Core;
use crate::local::store::{Corrupt, Store};
use crate::local::time::millis;

mod journal;

use journal::Journal;

pub(super) type Groups = BTreeMap<String, Group>;

/// All log groups, behind a mutex of their own: engines log while requests are answered.
#[derive(Debug, Default)]
pub(in crate::local) struct LogStore {
    groups: Mutex<Groups>,
    pub(super) journal: Journal,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) created: SystemTime,
    pub(super) streams: BTreeMap<String, Stream>,
    pub(super) settings: Settings,
}

/// What a caller may say of a group.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) tags: BTreeMap<String, String>,
    /// In days; `None` keeps everything.
    pub(super) retention: Option<i64>,
    pub(super) class: String,
    pub(super) key: Option<String>,
    /// Whether the group and its streams may not be deleted.
    #[serde(default)]
    pub(super) protected: bool,
    #[serde(default)]
    pub(super) metric_filters: BTreeMap<String, MetricFilter>,
    #[serde(default)]
    pub(super) subscriptions: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) data_protection: Option<Value>,
    #[serde(default)]
    pub(super) index_policy: Option<Value>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tags: BTreeMap::new(),
            retention: None,
            class: "STANDARD".to_owned(),
            key: None,
            protected: false,
            metric_filters: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            data_protection: None,
            index_policy: None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) created: SystemTime,
    pub(super) last_ingestion: i64,
    /// By time, and in order of arrival where times are equal.
    pub(super) events: BTreeMap<Position, Event>,
    arrived: u64,
    bytes: u64,
}

/// Milliseconds since 1970, and a number that keeps the order of arrival; it begins with 1.
pub(super) type Position = (i64, u64);

#[derive(Debug)]
pub(super) struct Event {
    pub(super) message: String,
    pub(super) ingested: i64,
}

/// A line of a log.
#[derive(Debug, Clone)]
pub(in crate::local) struct LogLine {
    pub(in crate::local) timestamp: i64,
    pub(in crate::local) message: String,
}

/// What CloudWatch adds to the size of each event.
pub(super) const EVENT_OVERHEAD: usize = 26;

/// How many lines are copied at a time.
const PAGE: usize = 1_000;

impl LogStore {
    /// Appends what a container printed, one event a line; group and stream appear with the first line.
    pub(in crate::local) fn append(&self, core: &Core, group: &str, stream: &str, text: &str) {
        let mut groups = self.groups();
        // Read under the lock: a line never appears before one that a reader has seen.
        let now = core.clock.now();
        let (group_name, stream_name, journal) = (group, stream, &self.journal);
        let group = groups.entry(group.to_owned()).or_insert_with(|| journal.group(group_name, Group::new(now)));
        let filters = &group.settings.metric_filters;
        let stream = group.streams.entry(stream.to_owned());
        let stream = stream.or_insert_with(|| journal.stream(group_name, stream_name, Stream::new(now)));
        for line in text.lines() {
            metric_filters::observe(core, filters, millis(now), line);
            let position = stream.append(millis(now), millis(now), line.to_owned());
            journal.event(group_name, stream_name, stream, position);
        }
        drop(groups);
        core.clock.logged();
    }

    /// The lines of a stream from its newest to its oldest. Reads some at a time: a log may be large.
    pub(in crate::local) fn newest_first(&self, group: &str, stream: &str) -> impl Iterator<Item = LogLine> {
        let mut before = (i64::MAX, u64::MAX);
        let page = move || {
            let groups = self.groups();
            let events = &groups.get(group)?.streams.get(stream)?.events;
            let page: Vec<_> = events.range(..before).rev().take(PAGE).collect();
            before = *page.last()?.0;
            let line = |(at, event): &(&Position, &Event)| LogLine { timestamp: at.0, message: event.message.clone() };
            Some(page.iter().map(line).collect::<Vec<_>>())
        };
        std::iter::from_fn(page).flatten()
    }

    pub(in crate::local) fn reset(&self) {
        let mut groups = self.groups();
        self.journal.clear();
        groups.clear();
    }

    /// The logs that a store has kept, and the time of the newest line.
    pub(in crate::local) fn load(store: &Store) -> Result<(Self, Option<SystemTime>), Corrupt> {
        let (groups, newest) = journal::load(store)?;
        Ok((Self { groups: Mutex::new(groups), journal: Journal::new(store) }, newest))
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Groups) -> T) -> T {
        read(&self.groups())
    }

    pub(super) fn change<T>(&self, core: &Core, change: impl FnOnce(&mut Groups) -> T) -> T {
        let result = change(&mut self.groups());
        core.clock.changed();
        result
    }

    fn groups(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    pub(super) fn new(created: SystemTime) -> Self {
        Self { created, streams: BTreeMap::new(), settings: Settings::default() }
    }
}

impl Stream {
    pub(super) fn new(created: SystemTime) -> Self {
        Self { created, last_ingestion: 0, events: BTreeMap::new(), arrived: 0, bytes: 0 }
    }

    pub(super) fn append(&mut self, timestamp: i64, now: i64, message: String) -> Position {
        let position = (timestamp, self.arrived + 1);
        self.restore(position, Event { message, ingested: now });
        position
    }

    /// Puts an event in its place.
    fn restore(&mut self, position: Position, event: Event) {
        self.arrived = self.arrived.max(position.1);
        self.last_ingestion = self.last_ingestion.max(event.ingested);
        self.bytes += (event.message.len() + EVENT_OVERHEAD) as u64;
        self.events.insert(position, event);
    }

    pub(super) fn first_timestamp(&self) -> Option<i64> {
        self.events.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn last_timestamp(&self) -> Option<i64> {
        self.events.last_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}
