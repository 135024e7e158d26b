//! Metrics: what is published is kept as one summary a minute.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::local::time::millis;

/// How many metrics there are at most.
const MAX_METRICS: usize = 50_000;
/// How many minutes of a metric are kept: 15 days, as CloudWatch keeps them.
const MAX_MINUTES: usize = 15 * 24 * 60;
/// How many different values of a minute are told apart; percentiles are as exact as these.
const MAX_VALUES: usize = 200;

/// The seconds of a summary.
pub(super) const MINUTE: i64 = 60;

/// All metrics, behind a mutex of their own.
#[derive(Debug, Default)]
pub(in crate::local) struct MetricStore(Mutex<Metrics>);

pub(super) type Metrics = BTreeMap<MetricId, Series>;

/// What tells metrics apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MetricId {
    pub(super) namespace: String,
    pub(super) name: String,
    /// Names and values, in order of the names.
    pub(super) dimensions: Vec<(String, String)>,
}

/// The summaries of a metric, by the second that the minute begins with and by unit.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) minutes: BTreeMap<(i64, String), Summary>,
}

/// What was published in a minute.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Summary {
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) minimum: f64,
    pub(super) maximum: f64,
    /// Values with how often they came, as far as they were given one by one.
    values: Vec<(f64, f64)>,
}

impl MetricStore {
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
        self.publish(id, unit, millis(at).div_euclid(1000), &Summary::of(value, 1.0));
    }

    /// Publishes a summary; false if there are too many metrics. `second` counts from 1970.
    pub(super) fn publish(&self, id: MetricId, unit: &str, second: i64, summary: &Summary) -> bool {
        let mut metrics = self.metrics();
        if metrics.len() >= MAX_METRICS && !metrics.contains_key(&id) {
            return false;
        }
        let minutes = &mut metrics.entry(id).or_default().minutes;
        let minute = (second.div_euclid(MINUTE) * MINUTE, unit.to_owned());
        match minutes.get_mut(&minute) {
            Some(there) => there.merge(summary),
            None => drop(minutes.insert(minute, summary.clone())),
        }
        if minutes.len() > MAX_MINUTES {
            minutes.pop_first();
        }
        true
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Metrics) -> T) -> T {
        read(&self.metrics())
    }

    pub(in crate::local) fn reset(&self) {
        self.metrics().clear();
    }

    fn metrics(&self) -> MutexGuard<'_, Metrics> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Series {
    /// The last second for which something was published.
    pub(super) fn newest(&self) -> Option<i64> {
        self.minutes.last_key_value().map(|((second, _), _)| *second)
    }

    /// The summaries of periods of so many seconds that begin in `start..end`, by their first second.
    pub(super) fn periods(
        &self,
        start: i64,
        end: i64,
        period: i64,
        unit: Option<&str>,
    ) -> BTreeMap<i64, (Summary, String)> {
        let mut found: BTreeMap<i64, (Summary, String)> = BTreeMap::new();
        for ((second, of), summary) in self.minutes.range((start, String::new())..(end, String::new())) {
            if unit.is_some_and(|unit| unit != of) {
                continue;
            }
            let begin = start + (second - start).div_euclid(period) * period;
            match found.get_mut(&begin) {
                Some((there, _)) => there.merge(summary),
                None => drop(found.insert(begin, (summary.clone(), of.clone()))),
            }
        }
        found
    }
}

impl Summary {
    /// A value that came so often.
    pub(super) fn of(value: f64, count: f64) -> Self {
        Self { count, sum: value * count, minimum: value, maximum: value, values: vec![(value, count)] }
    }

    /// A `StatisticSet`: the values themselves are unknown.
    pub(super) fn set(count: f64, sum: f64, minimum: f64, maximum: f64) -> Self {
        Self { count, sum, minimum, maximum, values: Vec::new() }
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

    /// The value below which a share of all values is, if the values are known.
    pub(super) fn percentile(&self, percent: f64) -> Option<f64> {
        let total: f64 = self.values.iter().map(|(_, count)| count).sum();
        let mut seen = 0.0;
        let reached = self.values.iter().find(|(_, count)| {
            seen += count;
            seen >= total * percent / 100.0
        });
        reached.or(self.values.last()).map(|(value, _)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(name: &str) -> MetricId {
        MetricId { namespace: "n".into(), name: name.into(), dimensions: vec![] }
    }

    #[test]
    fn values_of_a_minute_become_one_summary() {
        let store = MetricStore::default();
        for (second, value) in [(60, 1.0), (119, 3.0), (120, 5.0)] {
            store.publish(id("m"), "Count", second, &Summary::of(value, 1.0));
        }
        store.read(|metrics| {
            let series = &metrics[&id("m")];
            assert_eq!(series.minutes.len(), 2);
            let periods = series.periods(0, 300, 300, None);
            let (all, unit) = &periods[&0];
            assert_eq!((all.count, all.sum, all.minimum, all.maximum, unit.as_str()), (3.0, 9.0, 1.0, 5.0, "Count"));
            assert_eq!((all.percentile(50.0), all.percentile(100.0)), (Some(3.0), Some(5.0)));
            assert!(series.periods(0, 300, 60, Some("Bytes")).is_empty());
            assert_eq!(series.periods(0, 120, 60, None).len(), 1, "the end is not included");
        });
    }

    #[test]
    fn memory_is_bounded() {
        let store = MetricStore::default();
        let mut summary = Summary::of(0.0, 1.0);
        for value in 0..MAX_VALUES * 2 {
            summary.merge(&Summary::of(value as f64, 1.0));
        }
        assert_eq!(summary.values.len(), MAX_VALUES);
        for minute in 0..MAX_MINUTES as i64 + 5 {
            store.publish(id("m"), "None", minute * 60, &Summary::of(1.0, 1.0));
        }
        store.read(|metrics| assert_eq!(metrics[&id("m")].minutes.len(), MAX_MINUTES));
        for number in 1..MAX_METRICS {
            assert!(store.publish(id(&number.to_string()), "None", 0, &summary));
        }
        assert!(!store.publish(id("one too many"), "None", 0, &summary));
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
