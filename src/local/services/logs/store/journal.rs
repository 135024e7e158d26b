//! What the logs tell the store, and how they are found again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Event, Group, Groups, Position, Stream};
use crate::local::store::{Corrupt, Store, Table};
use crate::local::time::millis;

/// The logs' way to the store.
#[derive(Debug, Default)]
pub(in crate::local::services::logs) struct Journal(Store);

impl Journal {
    pub(super) fn new(store: &Store) -> Self {
        Self(store.clone())
    }

    /// Tells of a group and gives it back.
    pub(in crate::local::services::logs) fn group(&self, name: &str, group: Group) -> Group {
        self.settings(name, &group);
        group
    }

    /// Tells of what a group has become.
    pub(in crate::local::services::logs) fn settings(&self, name: &str, group: &Group) {
        self.0.put(Table::LogGroup, &[name.as_bytes()], || {
            // Text and numbers: there is nothing that JSON cannot hold.
            let settings = serde_json::to_vec(&group.settings).unwrap_or_default();
            [&millis(group.created).to_be_bytes()[..], &settings].concat()
        });
    }

    pub(in crate::local::services::logs) fn no_group(&self, name: &str) {
        self.0.remove(Table::LogGroup, &[name.as_bytes()]);
        for table in [Table::LogStream, Table::LogEvent] {
            self.0.remove_all(table, &[name.as_bytes()]);
        }
    }

    /// Tells of a stream and gives it back.
    pub(in crate::local::services::logs) fn stream(&self, group: &str, name: &str, stream: Stream) -> Stream {
        let key = [group.as_bytes(), name.as_bytes()];
        self.0.put(Table::LogStream, &key, || millis(stream.created).to_be_bytes().into());
        stream
    }

    pub(in crate::local::services::logs) fn no_stream(&self, group: &str, name: &str) {
        let key = [group.as_bytes(), name.as_bytes()];
        self.0.remove(Table::LogStream, &key);
        self.0.remove_all(Table::LogEvent, &key);
    }

    /// Tells of the event at a position.
    pub(in crate::local::services::logs) fn event(&self, group: &str, name: &str, stream: &Stream, at: Position) {
        let Some(event) = stream.events.get(&at) else { return };
        let (timestamp, arrived) = (at.0.to_be_bytes(), at.1.to_be_bytes());
        let key = [group.as_bytes(), name.as_bytes(), &timestamp, &arrived];
        self.0.put(Table::LogEvent, &key, || [&event.ingested.to_be_bytes(), event.message.as_bytes()].concat());
    }

    pub(super) fn clear(&self) {
        for table in [Table::LogEvent, Table::LogStream, Table::LogGroup] {
            self.0.remove_all(table, &[]);
        }
    }
}

/// Finds all groups again, and the time of the newest line.
pub(super) fn load(store: &Store) -> Result<(Groups, Option<SystemTime>), Corrupt> {
    let (mut groups, mut newest) = (Groups::new(), None);
    store.load(Table::LogGroup, |key, value| {
        let [name] = key else { return Err(Corrupt("a log group")) };
        let (created, settings) = value.split_at_checked(8).ok_or(Corrupt("a log group"))?;
        let mut group = Group::new(time(number(created)?));
        if !settings.is_empty() {
            group.settings = serde_json::from_slice(settings).map_err(|_| Corrupt("a log group"))?;
        }
        groups.insert(text(name)?, group);
        Ok(())
    })?;
    store.load(Table::LogStream, |key, value| {
        let [group, name] = key else { return Err(Corrupt("a log stream")) };
        let group = groups.get_mut(&text(group)?).ok_or(Corrupt("a log stream"))?;
        group.streams.insert(text(name)?, Stream::new(time(number(value)?)));
        Ok(())
    })?;
    store.load(Table::LogEvent, |key, value| {
        let [group, name, timestamp, arrived] = key else { return Err(Corrupt("a log event")) };
        let stream =
            groups.get_mut(&text(group)?).and_then(|group| group.streams.get_mut(std::str::from_utf8(name).ok()?));
        let stream = stream.ok_or(Corrupt("a log event"))?;
        let (ingested, message) = value.split_at_checked(8).ok_or(Corrupt("a log event"))?;
        let event = Event { message: text(message)?, ingested: number(ingested)? };
        newest = newest.max(Some(time(event.ingested)));
        let arrived = u64::try_from(number(arrived)?).map_err(|_| Corrupt("a log event"))?;
        stream.restore((number(timestamp)?, arrived), event);
        Ok(())
    })?;
    Ok((groups, newest))
}

fn text(bytes: &[u8]) -> Result<String, Corrupt> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Corrupt("a text in the logs"))
}

fn number(bytes: &[u8]) -> Result<i64, Corrupt> {
    bytes.try_into().map(i64::from_be_bytes).map_err(|_| Corrupt("a number in the logs"))
}

fn time(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
