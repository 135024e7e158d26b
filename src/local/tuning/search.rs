//! The strategies: which point to try next.

use std::collections::BTreeSet;

use fastrand::Rng;

use super::bayesian;
use super::space::{Point, Space};
use super::{Trial, gaussian_process::Hyperparameters};

/// How points are chosen. Hyperband chooses at random, too; what it saves, it saves by stopping early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local) enum Strategy {
    Random,
    Grid,
    Bayesian,
}

/// How many points are drawn until one of them is new.
const DRAWS: usize = 100;
/// A finite space of at most this size is looked through for what is left of it.
const SMALL: u64 = 100_000;

/// A search through one space; the same seed gives the same points for the same results.
#[derive(Debug)]
pub(in crate::local) struct Search {
    pub(super) space: Space,
    strategy: Strategy,
    pub(super) random: Rng,
    /// The values of what was proposed: nothing is tried twice.
    proposed: BTreeSet<Vec<String>>,
    /// What the last fit of the model found, from where the next one starts.
    pub(super) fitted: Option<Hyperparameters>,
}

impl Search {
    pub(in crate::local) fn new(space: Space, strategy: Strategy, seed: u64) -> Self {
        Self { space, strategy, random: Rng::with_seed(seed), proposed: BTreeSet::new(), fitted: None }
    }

    pub(in crate::local) fn space(&self) -> &Space {
        &self.space
    }

    /// The next point; `None` once all combinations were proposed. `running` are those without a result yet.
    pub(in crate::local) fn propose(&mut self, done: &[Trial], running: &[Point]) -> Option<Point> {
        let left = self.space.count().map(|count| count.saturating_sub(self.proposed.len() as u64));
        if left == Some(0) {
            return None;
        }
        let point = match self.strategy {
            Strategy::Random => self.new_random()?,
            Strategy::Grid => self.space.combination(self.proposed.len() as u64)?,
            Strategy::Bayesian => bayesian::propose(self, done, running)?,
        };
        self.proposed.insert(self.key(&point));
        Some(point)
    }

    /// A random point that was not proposed before.
    pub(super) fn new_random(&mut self) -> Option<Point> {
        for _ in 0..DRAWS {
            let point = self.space.random(&mut self.random);
            if self.is_new(&point) {
                return Some(point);
            }
        }
        let count = self.space.count().filter(|&count| count <= SMALL)?;
        let left: Vec<Point> =
            (0..count).filter_map(|number| self.space.combination(number)).filter(|point| self.is_new(point)).collect();
        self.random.choice(left)
    }

    pub(super) fn is_new(&self, point: &Point) -> bool {
        !self.proposed.contains(&self.key(point))
    }

    fn key(&self, point: &Point) -> Vec<String> {
        self.space.values(point).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Dimension, Range, Scale};
    use super::*;

    fn grid() -> Space {
        let letters = Range::Categorical(vec!["a".into(), "b".into(), "c".into()]);
        let numbers = Range::Integer { min: 1, max: 4, scale: Scale::Linear };
        Space::new(vec![
            Dimension { name: "letter".into(), range: letters },
            Dimension { name: "number".into(), range: numbers },
        ])
    }

    #[test]
    fn a_finite_space_is_gone_through_once() {
        for strategy in [Strategy::Random, Strategy::Grid, Strategy::Bayesian] {
            let mut search = Search::new(grid(), strategy, 3);
            let (mut done, mut seen) = (Vec::new(), BTreeSet::new());
            while let Some(point) = search.propose(&done, &[]) {
                let values: Vec<String> = search.space().values(&point).into_values().collect();
                done.push(Trial { value: values[1].parse().unwrap(), point });
                assert!(seen.insert(values), "{strategy:?} tries nothing twice");
            }
            assert_eq!(seen.len(), 12, "{strategy:?}");
        }
    }

    #[test]
    fn a_seed_is_a_sequence() {
        let points = |seed| {
            let mut search = Search::new(grid(), Strategy::Random, seed);
            (0..5).map(|_| search.propose(&[], &[]).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(points(1), points(1));
        assert_ne!(points(1), points(2));
    }
}
