//! What the metrics tell the store, and how they are found again.

use super::{MetricId, Metrics, Moment, Resolution, Summary};
use crate::local::store::{Corrupt, Store, Table};

/// One metric's way to the store.
pub(super) struct Journal<'a> {
    store: &'a Store,
    namespace: Vec<u8>,
    name: Vec<u8>,
    dimensions: Vec<u8>,
}

impl<'a> Journal<'a> {
    pub(super) fn new(store: &'a Store, id: &MetricId) -> Self {
        // Copies, and only if they are needed: the metric itself is about to be given away.
        let copy = |text: &str| if store.is_on_disk() { text.as_bytes().to_vec() } else { Vec::new() };
        let dimensions = match store.is_on_disk() {
            // Pairs of text: there is nothing that JSON cannot hold.
            true => serde_json::to_vec(&id.dimensions).unwrap_or_default(),
            false => Vec::new(),
        };
        Self { store, namespace: copy(&id.namespace), name: copy(&id.name), dimensions }
    }

    /// Tells of what a summary has become.
    pub(super) fn put(&self, resolution: Resolution, moment: &Moment, summary: &Summary) {
        let time = time(resolution, moment);
        self.store.put(Table::Metric, &self.key(&time, moment), || encode(summary));
    }

    pub(super) fn remove(&self, resolution: Resolution, moment: &Moment) {
        let time = time(resolution, moment);
        self.store.remove(Table::Metric, &self.key(&time, moment));
    }

    fn key<'k>(&'k self, time: &'k [u8], moment: &'k Moment) -> [&'k [u8]; 5] {
        [&self.namespace, &self.name, &self.dimensions, time, moment.1.as_bytes()]
    }
}

/// The resolution and the second.
fn time(resolution: Resolution, moment: &Moment) -> Vec<u8> {
    let resolution = match resolution {
        Resolution::Minute => 0,
        Resolution::Second => 1,
    };
    [&[resolution][..], &moment.0.to_be_bytes()].concat()
}

pub(super) fn clear(store: &Store) {
    store.remove_all(Table::Metric, &[]);
}

/// Finds all metrics again.
pub(super) fn load(store: &Store) -> Result<Metrics, Corrupt> {
    let mut metrics = Metrics::new();
    store.load(Table::Metric, |key, value| {
        let [namespace, name, dimensions, time, unit] = key else { return Err(Corrupt("a metric")) };
        let id = MetricId {
            namespace: text(namespace)?,
            name: text(name)?,
            dimensions: serde_json::from_slice(dimensions).map_err(|_| Corrupt("a metric"))?,
        };
        let (resolution, second) = time.split_first_chunk::<1>().ok_or(Corrupt("a metric"))?;
        let second = second.try_into().map(i64::from_be_bytes).map_err(|_| Corrupt("a metric"))?;
        let series = metrics.entry(id).or_default();
        let summaries = if resolution == &[0] { &mut series.minutes } else { &mut series.seconds };
        summaries.insert((second, text(unit)?), decode(value).ok_or(Corrupt("a metric"))?);
        Ok(())
    })?;
    Ok(metrics)
}

fn text(bytes: &[u8]) -> Result<String, Corrupt> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Corrupt("a text in the metrics"))
}

/// The four figures, then values and counts in turn.
fn encode(summary: &Summary) -> Vec<u8> {
    let figures = [summary.count, summary.sum, summary.minimum, summary.maximum];
    let values = summary.values.iter().flat_map(|(value, count)| [*value, *count]);
    figures.into_iter().chain(values).flat_map(f64::to_be_bytes).collect()
}

fn decode(bytes: &[u8]) -> Option<Summary> {
    let (numbers, rest) = bytes.as_chunks::<8>();
    let mut numbers = numbers.iter().map(|number| f64::from_be_bytes(*number));
    let mut summary = Summary {
        count: numbers.next()?,
        sum: numbers.next()?,
        minimum: numbers.next()?,
        maximum: numbers.next()?,
        values: Vec::new(),
    };
    while let Some(value) = numbers.next() {
        summary.values.push((value, numbers.next()?));
    }
    rest.is_empty().then_some(summary)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn summaries_survive_the_round_trip(values in proptest::collection::vec((-1e9..1e9f64, 1.0..9.0f64), 1..20)) {
            let mut summary = Summary::of(1.5, 2.0);
            values.iter().for_each(|(value, count)| summary.merge(&Summary::of(*value, *count)));
            prop_assert_eq!(decode(&encode(&summary)), Some(summary));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            decode(&bytes);
        }
    }
}
