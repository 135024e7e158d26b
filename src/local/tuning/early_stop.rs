//! Stopping early: a training job that does worse than others did is not worth its time.

use std::sync::{Mutex, PoisonError};

/// When trainings are stopped before their end. Shared by all trainings of one search.
#[derive(Debug)]
pub(in crate::local) struct EarlyStop {
    rule: Rule,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
enum Rule {
    /// Worse than the median of what the earlier trainings had, in the mean, by the same epoch.
    Median,
    Hyperband(Hyperband),
}

/// Asynchronous successive halving: at each rung only the best third goes on.
#[derive(Debug, Clone, Copy)]
pub(in crate::local) struct Hyperband {
    /// The epochs that every training gets.
    pub(in crate::local) min: u32,
    /// The epochs after which a training is over.
    pub(in crate::local) max: u32,
}

/// How many of the trainings that reach a rung go on: one of so many.
const REDUCTION: u32 = 3;
/// Below so many earlier trainings the median says little.
const MIN_PEERS: usize = 3;

#[derive(Debug, Default)]
struct Seen {
    trainings: Vec<Training>,
}

/// The values that a training has reported, one an epoch; lower is better.
#[derive(Debug, Default)]
struct Training {
    values: Vec<f64>,
    ended: bool,
}

impl EarlyStop {
    pub(in crate::local) fn median() -> Self {
        Self { rule: Rule::Median, seen: Mutex::default() }
    }

    pub(in crate::local) fn hyperband(limits: Hyperband) -> Self {
        Self { rule: Rule::Hyperband(limits), seen: Mutex::default() }
    }

    /// A training begins; gives its number.
    pub(in crate::local) fn begin(&self) -> usize {
        self.with(|seen| {
            seen.trainings.push(Training::default());
            seen.trainings.len() - 1
        })
    }

    /// A training ended by itself or was stopped.
    pub(in crate::local) fn end(&self, training: usize) {
        self.with(|seen| {
            if let Some(training) = seen.trainings.get_mut(training) {
                training.ended = true;
            }
        });
    }

    /// A training reports a value after an epoch; whether it is to stop.
    pub(in crate::local) fn report(&self, training: usize, value: f64) -> bool {
        self.with(|seen| {
            let Some(own) = seen.trainings.get_mut(training) else { return false };
            own.values.push(value);
            match self.rule {
                Rule::Median => worse_than_median(&seen.trainings, training),
                Rule::Hyperband(limits) => halved(&seen.trainings, training, limits),
            }
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Seen) -> T) -> T {
        act(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn worse_than_median(trainings: &[Training], number: usize) -> bool {
    let epoch = trainings[number].values.len();
    let Some(&value) = trainings[number].values.last() else { return false };
    let peers = trainings.iter().filter(|other| other.ended && other.values.len() >= epoch);
    let mut means: Vec<f64> = peers.map(|other| other.values[..epoch].iter().sum::<f64>() / epoch as f64).collect();
    if means.len() < MIN_PEERS {
        return false;
    }
    means.sort_by(f64::total_cmp);
    let (low, high) = (means[(means.len() - 1) / 2], means[means.len() / 2]);
    value > low / 2.0 + high / 2.0
}

fn halved(trainings: &[Training], number: usize, limits: Hyperband) -> bool {
    let epoch = trainings[number].values.len() as u64;
    if epoch >= u64::from(limits.max) {
        return true;
    }
    let rungs = std::iter::successors(Some(u64::from(limits.min)), |rung| Some(rung * u64::from(REDUCTION)));
    let mut rungs = rungs.take_while(|rung| *rung < u64::from(limits.max));
    // The brackets of Hyperband: the first is strict from the first rung on, the next one spares it, and so on.
    let spared = number as u32 % brackets(limits);
    if !rungs.any(|rung| rung == epoch) || epoch < u64::from(limits.min) * u64::from(REDUCTION).pow(spared) {
        return false;
    }
    let at_rung = |training: &Training| training.values.get(epoch as usize - 1).copied();
    let Some(own) = at_rung(&trainings[number]) else { return false };
    let reached: Vec<f64> = trainings.iter().filter_map(at_rung).collect();
    let better = reached.iter().filter(|&&other| other < own).count();
    // The first ones to come go on: there is nothing yet to compare them with.
    reached.len() >= REDUCTION as usize && better >= reached.len().div_ceil(REDUCTION as usize)
}

/// How many rungs there are below the end, so many brackets; at least one.
fn brackets(limits: Hyperband) -> u32 {
    let ratio = f64::from(limits.max) / f64::from(limits.min.max(1));
    (ratio.ln() / f64::from(REDUCTION).ln()).floor().max(1.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reports the same value until the training is stopped or `epochs` are over; how many it took.
    fn train(rule: &EarlyStop, value: f64, epochs: usize) -> usize {
        let number = rule.begin();
        let taken = (1..=epochs).find(|_| rule.report(number, value)).unwrap_or(epochs);
        rule.end(number);
        taken
    }

    #[test]
    fn what_is_worse_than_the_median_stops_at_once() {
        let rule = EarlyStop::median();
        for value in [5.0, 1.0, 3.0] {
            assert_eq!(train(&rule, value, 10), 10, "there is nothing to compare with yet");
        }
        assert_eq!(train(&rule, 3.1, 10), 1);
        assert_eq!(train(&rule, 2.9, 10), 10);
    }

    #[test]
    fn hyperband_ends_at_its_maximum_and_spares_the_minimum() {
        let rule = EarlyStop::hyperband(Hyperband { min: 2, max: 27 });
        assert_eq!(train(&rule, 1.0, 100), 27);
        let mut taken: Vec<usize> = (0..30).map(|i| train(&rule, 2.0 + f64::from(i), 100)).collect();
        assert!(taken.iter().all(|&epochs| epochs >= 2), "{taken:?}");
        assert!(taken.iter().sum::<usize>() < 30 * 14, "most are stopped: {taken:?}");
        taken.sort_unstable();
        assert_eq!(taken[0], 2);
        assert_eq!(train(&rule, 0.5, 100), 27, "the best one goes on");
    }

    #[test]
    fn numbers_of_no_training_are_harmless() {
        let rule = EarlyStop::median();
        rule.end(7);
        assert!(!rule.report(7, 1.0));
    }
}
