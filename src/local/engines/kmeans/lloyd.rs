//! Lloyd's algorithm on weighted points, and the choice of first centers.

use fastrand::Rng;

use crate::local::engines::numeric::random;

/// Points of equal width, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Points {
    pub(super) columns: usize,
    pub(super) values: Vec<f64>,
}

impl Points {
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.columns
    }

    pub(super) fn point(&self, at: usize) -> &[f64] {
        &self.values[at * self.columns..(at + 1) * self.columns]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.columns)
    }

    /// The nearest of these points, and the square of its distance.
    pub(super) fn nearest(&self, to: &[f64]) -> (usize, f64) {
        let mut best = (0, f64::INFINITY);
        for (at, center) in self.iter().enumerate() {
            let distance = square_distance(center, to);
            if distance < best.1 {
                best = (at, distance);
            }
        }
        best
    }

    fn select(&self, which: &[usize]) -> Self {
        let values = which.iter().flat_map(|at| self.point(*at)).copied().collect();
        Self { columns: self.columns, values }
    }
}

pub(super) fn square_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// How first centers are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Random,
    PlusPlus,
}

/// Chooses `count` of some weighted points; there are at least as many.
pub(super) fn first_centers(points: &Points, weights: &[f64], count: usize, start: Start, random: &mut Rng) -> Points {
    match start {
        Start::Random => points.select(&random::sample(random, points.len(), count)),
        Start::PlusPlus => {
            let mut chosen = vec![random::weighted(random, weights)];
            let mut distances: Vec<f64> =
                points.iter().map(|point| square_distance(point, points.point(chosen[0]))).collect();
            while chosen.len() < count {
                let chances: Vec<f64> =
                    distances.iter().zip(weights).map(|(distance, weight)| distance * weight).collect();
                let next = random::weighted(random, &chances);
                chosen.push(next);
                for (distance, point) in distances.iter_mut().zip(points.iter()) {
                    *distance = distance.min(square_distance(point, points.point(next)));
                }
            }
            points.select(&chosen)
        }
    }
}

/// Lloyd's settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lloyd {
    pub(super) start: Start,
    pub(super) iterations: usize,
    /// The share of the mean square distance that an iteration must gain.
    pub(super) tolerance: f64,
}

impl Lloyd {
    /// Finds `count` centers; gives them with the mean square distance to them. `stop` ends it early.
    pub(super) fn run(
        &self,
        points: &Points,
        weights: &[f64],
        count: usize,
        random: &mut Rng,
        stop: &dyn Fn() -> bool,
    ) -> (Points, f64) {
        let centers = first_centers(points, weights, count, self.start, random);
        self.improve(points, weights, centers, stop)
    }

    /// Moves centers until nothing is gained any more; gives them with the mean square distance to them.
    pub(super) fn improve(
        &self,
        points: &Points,
        weights: &[f64],
        mut centers: Points,
        stop: &dyn Fn() -> bool,
    ) -> (Points, f64) {
        let count = centers.len();
        let total: f64 = weights.iter().sum();
        let mut before = f64::INFINITY;
        for _ in 0..self.iterations {
            let mut sums = vec![0.0; centers.values.len()];
            let mut counts = vec![0.0; count];
            let (mut loss, mut farthest) = (0.0, (0, -1.0));
            for (at, (point, weight)) in points.iter().zip(weights).enumerate() {
                let (nearest, distance) = centers.nearest(point);
                loss += weight * distance;
                counts[nearest] += weight;
                let sum = &mut sums[nearest * points.columns..(nearest + 1) * points.columns];
                sum.iter_mut().zip(point).for_each(|(sum, value)| *sum += weight * value);
                if weight * distance > farthest.1 {
                    farthest = (at, weight * distance);
                }
            }
            for (at, count) in counts.iter().enumerate() {
                let range = at * points.columns..(at + 1) * points.columns;
                match *count > 0.0 {
                    true => {
                        let center = centers.values[range.clone()].iter_mut().zip(&sums[range]);
                        center.for_each(|(center, sum)| *center = sum / count);
                    }
                    // A center that is nearest to nothing moves to the point that is worst off.
                    false => centers.values[range].copy_from_slice(points.point(farthest.0)),
                }
            }
            let now = loss / total;
            if before - now <= self.tolerance * now || stop() {
                break;
            }
            before = now;
        }
        let loss: f64 = points.iter().zip(weights).map(|(point, weight)| weight * centers.nearest(point).1).sum();
        (centers, loss / total)
    }
}
