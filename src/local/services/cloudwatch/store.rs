//! Metrics: what is published is kept as one summary a minute, or a second if that is asked for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::local::store::{Corrupt, Store};
use crate::local::time::millis;

mod journal;

/// How many metrics there are at most.
const MAX_METRICS: usize = 50_000;
/// How many minutes of a metric are kept: 15 days, as CloudWatch keeps them.
const MAX_MINUTES: usize = 15 * 24 * 60;
/// How long seconds are told apart, before they become part of their minute: as long as CloudWatch does.
const FINE: i64 = 3 * 3600;
/// How many different values of a summary are told apart; percentiles are as exact as these.
const MAX_VALUES: usize = 200;

/// The seconds of a summary.
pub(super) const MINUTE: i64 = 60;

/// All metrics, behind a mutex of their own.
#[derive(Debug, Default)]
pub(in crate::local) struct MetricStore {
    metrics: Mutex<Metrics>,
    store: Store,
}

pub(super) type Metrics = BTreeMap<MetricId, Series>;

/// What tells metrics apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MetricId {
    pub(super) namespace: String,
    pub(super) name: String,
    /// Names and values, in order of the names.
    pub(super) dimensions: Vec<(String, String)>,
}

/// When a summary begins, in seconds since 1970, and of which unit its values are.
pub(super) type Moment = (i64, String);

/// The summaries of a metric.
#[derive(Debug, Default)]
pub(super) struct Series {
    minutes: BTreeMap<Moment, Summary>,
    /// What was published with a resolution of a second, as long as that is told apart.
    seconds: BTreeMap<Moment, Summary>,
}

/// What was published in a minute or a second.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Summary {
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) minimum: f64,
    pub(super) maximum: f64,
    /// Values with how often they came, as far as they were given one by one.
    pub(super) values: Vec<(f64, f64)>,
}

/// Values to publish, and for how long they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolution {
    Second,
    Minute,
}

impl MetricStore {
    /// The metrics that a store has kept, and the time of the newest value.
    pub(in crate::local) fn load(store: &Store) -> Result<(Self, Option<SystemTime>), Corrupt> {
        let metrics = journal::load(store)?;
        let newest = metrics.values().filter_map(Series::newest).max();
        let newest = newest.and_then(|second| UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(second).ok()?)));
        Ok((Self { metrics: Mutex::new(metrics), store: store.clone() }, newest))
    }

    /// Publishes a value of the service's own.
    pub(in crate::local) fn add(
        &self,
        namespace: &str,
        name: &str,
        dimensions: &[(&str, &str)],
        unit: &str,
        at: SystemTime,
        value: f64,
    ) {
        let mut dimensions: Vec<_> =
            dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        dimensions.sort();
        let id = MetricId { namespace: namespace.to_owned(), name: name.to_owned(), dimensions };
        let second = millis(at).div_euclid(1000);
        self.publish(id, unit, second, Resolution::Minute, &Summary::of(value, 1.0));
    }

    /// Publishes a summary; false if there are too many metrics. `second` counts from 1970.
    pub(super) fn publish(
        &self,
        id: MetricId,
        unit: &str,
        second: i64,
        resolution: Resolution,
        summary: &Summary,
    ) -> bool {
        let mut metrics = self.metrics();
        if metrics.len() >= MAX_METRICS && !metrics.contains_key(&id) {
            return false;
        }
        let journal = journal::Journal::new(&self.store, &id);
        metrics.entry(id).or_default().publish(&journal, unit, second, resolution, summary);
        true
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Metrics) -> T) -> T {
        read(&self.metrics())
    }

    pub(in crate::local) fn reset(&self) {
        let mut metrics = self.metrics();
        journal::clear(&self.store);
        metrics.clear();
    }

    fn metrics(&self) -> MutexGuard<'_, Metrics> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Series {
    fn publish(
        &mut self,
        journal: &journal::Journal<'_>,
        unit: &str,
        second: i64,
        resolution: Resolution,
        summary: &Summary,
    ) {
        let newest = self.seconds.last_key_value().map_or(i64::MIN, |((newest, _), _)| *newest);
        match resolution {
            Resolution::Second if second > newest.saturating_sub(FINE) => {
                let moment = (second, unit.to_owned());
                let there = merge(&mut self.seconds, moment.clone(), summary);
                journal.put(Resolution::Second, &moment, there);
            }
            _ => self.publish_minute(journal, (second.div_euclid(MINUTE) * MINUTE, unit.to_owned()), summary),
        }
        let begin = self.seconds.last_key_value().map_or(i64::MIN, |((newest, _), _)| *newest).saturating_sub(FINE);
        while self.seconds.first_key_value().is_some_and(|((second, _), _)| *second <= begin) {
            let Some((moment, summary)) = self.seconds.pop_first() else { break };
            journal.remove(Resolution::Second, &moment);
            self.publish_minute(journal, (moment.0.div_euclid(MINUTE) * MINUTE, moment.1), &summary);
        }
    }

    fn publish_minute(&mut self, journal: &journal::Journal<'_>, moment: Moment, summary: &Summary) {
        let there = merge(&mut self.minutes, moment.clone(), summary);
        journal.put(Resolution::Minute, &moment, there);
        if self.minutes.len() > MAX_MINUTES
            && let Some((oldest, _)) = self.minutes.pop_first()
        {
            journal.remove(Resolution::Minute, &oldest);
        }
    }

    /// The last second for which something was published.
    pub(super) fn newest(&self) -> Option<i64> {
        let last = |summaries: &BTreeMap<Moment, Summary>| summaries.last_key_value().map(|((second, _), _)| *second);
        last(&self.minutes).max(last(&self.seconds))
    }

    /// The summaries of periods of so many seconds that begin in `start..end`, by their first second and unit.
    pub(super) fn periods(&self, start: i64, end: i64, period: i64, unit: Option<&str>) -> BTreeMap<Moment, Summary> {
        let mut found = BTreeMap::new();
        let range = || (start, String::new())..(end, String::new());
        for ((second, of), summary) in self.minutes.range(range()).chain(self.seconds.range(range())) {
            if unit.is_none_or(|unit| unit == of) {
                let begin = start + (second - start).div_euclid(period) * period;
                merge(&mut found, (begin, of.clone()), summary);
            }
        }
        found
    }
}

fn merge<'a>(summaries: &'a mut BTreeMap<Moment, Summary>, moment: Moment, summary: &Summary) -> &'a Summary {
    use std::collections::btree_map::Entry;
    match summaries.entry(moment) {
        Entry::Vacant(place) => place.insert(summary.clone()),
        Entry::Occupied(there) => {
            let there = there.into_mut();
            there.merge(summary);
            there
        }
    }
}

impl Summary {
    /// A value that came so often.
    pub(super) fn of(value: f64, count: f64) -> Self {
        Self { count, sum: value * count, minimum: value, maximum: value, values: vec![(value, count)] }
    }

    /// A `StatisticSet`: the values themselves are unknown, unless they are all the same.
    pub(super) fn set(count: f64, sum: f64, minimum: f64, maximum: f64) -> Self {
        let values = if minimum == maximum { vec![(minimum, count)] } else { Vec::new() };
        Self { count, sum, minimum, maximum, values }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
        for (value, count) in &other.values {
            match self.values.binary_search_by(|(there, _)| there.total_cmp(value)) {
                Ok(at) => self.values[at].1 += count,
                Err(at) if self.values.len() < MAX_VALUES => self.values.insert(at, (*value, *count)),
                // Full: it counts as the next one that is there.
                Err(at) => self.values[at.min(MAX_VALUES - 1)].1 += count,
            }
        }
    }

    /// The values with their counts in order, if all of them are known and none is below zero: only of such ones does
    /// the service know a distribution.
    pub(super) fn distribution(&self) -> Option<&[(f64, f64)]> {
        let known: f64 = self.values.iter().map(|(_, count)| count).sum();
        let all = (known - self.count).abs() <= self.count * 1e-9;
        (all && self.minimum >= 0.0 && self.count > 0.0).then_some(&self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(name: &str) -> MetricId {
        MetricId { namespace: "n".into(), name: name.into(), dimensions: vec![] }
    }

    fn minute(store: &MetricStore, name: &str, second: i64, value: f64) -> bool {
        store.publish(id(name), "Count", second, Resolution::Minute, &Summary::of(value, 1.0))
    }

    #[test]
    fn values_of_a_minute_become_one_summary() {
        let store = MetricStore::default();
        for (second, value) in [(60, 1.0), (119, 3.0), (120, 5.0)] {
            minute(&store, "m", second, value);
        }
        store.read(|metrics| {
            let series = &metrics[&id("m")];
            assert_eq!(series.minutes.len(), 2);
            let periods = series.periods(0, 300, 300, None);
            let all = &periods[&(0, "Count".to_owned())];
            assert_eq!((all.count, all.sum, all.minimum, all.maximum), (3.0, 9.0, 1.0, 5.0));
            assert!(series.periods(0, 300, 60, Some("Bytes")).is_empty());
            assert_eq!(series.periods(0, 120, 60, None).len(), 1, "the end is not included");
        });
    }

    #[test]
    fn seconds_are_told_apart_for_three_hours() {
        let store = MetricStore::default();
        let second = |at: i64| store.publish(id("m"), "None", at, Resolution::Second, &Summary::of(1.0, 1.0));
        for at in [60, 61, 61, 90] {
            second(at);
        }
        let counts = |period: i64| -> Vec<(i64, f64)> {
            store.read(|metrics| {
                let periods = metrics[&id("m")].periods(0, 120, period, None);
                periods.into_iter().map(|((at, _), summary)| (at, summary.count)).collect()
            })
        };
        assert_eq!(counts(1), [(60, 1.0), (61, 2.0), (90, 1.0)]);
        assert_eq!(counts(60), [(60, 4.0)]);
        second(90 + FINE);
        assert_eq!(counts(1), [(60, 4.0)], "they are part of their minute now");
        second(75);
        assert_eq!(counts(1), [(60, 5.0)], "what comes late, too");
    }

    #[test]
    fn memory_is_bounded() {
        let store = MetricStore::default();
        let mut summary = Summary::of(0.0, 1.0);
        for value in 0..MAX_VALUES * 2 {
            summary.merge(&Summary::of(value as f64, 1.0));
        }
        assert_eq!(summary.values.len(), MAX_VALUES);
        for number in 0..MAX_MINUTES as i64 + 5 {
            minute(&store, "m", number * 60, 1.0);
        }
        store.read(|metrics| assert_eq!(metrics[&id("m")].minutes.len(), MAX_MINUTES));
        for number in 1..MAX_METRICS {
            assert!(minute(&store, &number.to_string(), 0, 1.0));
        }
        assert!(!minute(&store, "one too many", 0, 1.0));
    }

    proptest! {
        #[test]
        fn the_order_of_merging_does_not_matter(values in proptest::collection::vec(-100i32..100, 1..60)) {
            let merge = |values: &[i32]| {
                let mut values = values.iter().map(|value| Summary::of(f64::from(*value), 1.0));
                let mut all = values.next().unwrap();
                values.for_each(|value| all.merge(&value));
                all
            };
            let reversed: Vec<i32> = values.iter().rev().copied().collect();
            prop_assert_eq!(merge(&values), merge(&reversed));
        }
    }
}
