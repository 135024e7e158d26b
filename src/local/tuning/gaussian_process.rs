//! A Gaussian process with a Matérn 5/2 kernel, one length for each dimension, fitted by maximum a posteriori.

use fastrand::Rng;

use super::space::{Point, Space};

/// The kernel's hyperparameters as logarithms: a length for each dimension, then amplitude, then noise.
pub(super) type Hyperparameters = Vec<f64>;

/// How many random starts and rounds over the coordinates a fit takes.
const STARTS: usize = 12;
const ROUNDS: usize = 2;
/// The first step along a coordinate, in logarithms.
const STEP: f64 = 0.8;
/// Where the logarithms begin: half an edge, the variance of the (standardized) values, a hundredth of it.
const LENGTH: f64 = -0.7;
const AMPLITUDE: f64 = 0.0;
const NOISE: f64 = -7.0;
/// Keeps matrices invertible.
const JITTER: f64 = 1e-8;

/// What the process says of a point.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prediction {
    pub(super) mean: f64,
    pub(super) deviation: f64,
}

/// A process that has seen points and standardized values.
#[derive(Debug)]
pub(super) struct Process<'a> {
    space: &'a Space,
    points: Vec<Point>,
    pub(super) parameters: Hyperparameters,
    /// The lower triangle of the covariance's factor, row by row.
    factor: Vec<Vec<f64>>,
    /// The covariance's inverse times the values.
    weights: Vec<f64>,
}

impl<'a> Process<'a> {
    /// Fits the hyperparameters to points and standardized values, starting from those of an earlier fit.
    pub(super) fn fit(
        space: &'a Space,
        points: Vec<Point>,
        values: &[f64],
        start: Option<&Hyperparameters>,
        random: &mut Rng,
    ) -> Option<Self> {
        let dimensions = space.dimensions().len();
        let default: Hyperparameters = std::iter::repeat_n(LENGTH, dimensions).chain([AMPLITUDE, NOISE]).collect();
        let mut best = start.filter(|start| start.len() == default.len()).unwrap_or(&default).clone();
        let rate = |parameters: &Hyperparameters| rate(space, &points, values, parameters).unwrap_or(f64::NEG_INFINITY);
        let mut best_rate = rate(&best);
        for _ in 0..if start.is_some() { STARTS / 4 } else { STARTS } {
            let tried: Hyperparameters = default.iter().map(|middle| middle + 1.2 * normal(random)).collect();
            let rated = rate(&tried);
            if rated > best_rate {
                (best, best_rate) = (tried, rated);
            }
        }
        let mut step = STEP;
        for _ in 0..ROUNDS {
            for coordinate in 0..best.len() {
                for direction in [step, -step] {
                    let mut tried = best.clone();
                    tried[coordinate] += direction;
                    let rated = rate(&tried);
                    if rated > best_rate {
                        (best, best_rate) = (tried, rated);
                        break;
                    }
                }
            }
            step /= 2.5;
        }
        Self::with(space, points, values, best)
    }

    fn with(space: &'a Space, points: Vec<Point>, values: &[f64], parameters: Hyperparameters) -> Option<Self> {
        let factor = cholesky(covariance(space, &points, &parameters))?;
        let weights = solve_transposed(&factor, solve(&factor, values));
        Some(Self { space, points, parameters, factor, weights })
    }

    pub(super) fn predict(&self, point: &Point) -> Prediction {
        let scales = Scales::new(self.space, &self.parameters);
        let across: Vec<f64> = self.points.iter().map(|seen| scales.kernel(seen, point)).collect();
        let mean = dot(&across, &self.weights);
        let explained = solve(&self.factor, &across);
        let variance = scales.amplitude - dot(&explained, &explained);
        Prediction { mean, deviation: variance.max(1e-12).sqrt() }
    }
}

/// The kernel's hyperparameters, ready to use.
struct Scales {
    /// One divided by the squared length, and whether the dimension is categorical.
    edges: Vec<(f64, bool)>,
    amplitude: f64,
    noise: f64,
}

impl Scales {
    fn new(space: &Space, parameters: &Hyperparameters) -> Self {
        let edges = space.dimensions().iter().zip(parameters);
        let edges = edges.map(|(dimension, length)| ((-2.0 * length).exp(), dimension.range.is_categorical()));
        let last = |back: usize| parameters[parameters.len() - back].exp();
        Self { edges: edges.collect(), amplitude: last(2), noise: last(1) }
    }

    fn kernel(&self, a: &Point, b: &Point) -> f64 {
        let edge = |((weight, categorical), (a, b)): (&(f64, bool), (&f64, &f64))| match categorical {
            // As with one coordinate for each category: those that differ are equally far apart.
            true => weight * f64::from(u8::from(a != b)),
            false => weight * (a - b) * (a - b),
        };
        let distance: f64 = self.edges.iter().zip(a.iter().zip(b)).map(edge).sum();
        let scaled = (5.0 * distance).sqrt();
        self.amplitude * (1.0 + scaled + scaled * scaled / 3.0) * (-scaled).exp()
    }
}

/// How well hyperparameters explain the values: the logarithm of likelihood and prior, but for constants.
fn rate(space: &Space, points: &[Point], values: &[f64], parameters: &Hyperparameters) -> Option<f64> {
    let factor = cholesky(covariance(space, points, parameters))?;
    let half = solve(&factor, values);
    let determinant: f64 = factor.iter().enumerate().map(|(i, row)| row[i].ln()).sum();
    let likelihood = -0.5 * dot(&half, &half) - determinant;
    let dimensions = parameters.len() - 2;
    let far = |value: f64, middle: f64, width: f64| -0.5 * ((value - middle) / width).powi(2);
    let lengths: f64 = parameters[..dimensions].iter().map(|&length| far(length, LENGTH, 1.0)).sum();
    let rated = likelihood
        + lengths
        + far(parameters[dimensions], AMPLITUDE, 1.0)
        + far(parameters[dimensions + 1], NOISE, 2.0);
    rated.is_finite().then_some(rated)
}

/// The lower triangle of the covariance of points.
fn covariance(space: &Space, points: &[Point], parameters: &Hyperparameters) -> Vec<Vec<f64>> {
    let scales = Scales::new(space, parameters);
    let row = |(i, point): (usize, &Point)| {
        let mut row: Vec<f64> = points[..i].iter().map(|other| scales.kernel(point, other)).collect();
        row.push(scales.amplitude + scales.noise + JITTER);
        row
    };
    points.iter().enumerate().map(row).collect()
}

/// Factors a positive definite matrix, given by its lower triangle, in place.
fn cholesky(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    for i in 0..matrix.len() {
        let (above, below) = matrix.split_at_mut(i);
        let row = &mut below[0];
        for j in 0..i {
            row[j] = (row[j] - dot(&row[..j], &above[j][..j])) / above[j][j];
        }
        let rest = row[i] - dot(&row[..i], &row[..i]);
        if rest.is_nan() || rest <= 0.0 {
            return None;
        }
        row[i] = rest.sqrt();
    }
    Some(matrix)
}

/// Solves with the factor.
fn solve(factor: &[Vec<f64>], values: &[f64]) -> Vec<f64> {
    let mut solved: Vec<f64> = Vec::with_capacity(values.len());
    for (row, value) in factor.iter().zip(values) {
        let i = solved.len();
        solved.push((value - dot(&row[..i], &solved)) / row[i]);
    }
    solved
}

/// Solves with the factor's transpose.
fn solve_transposed(factor: &[Vec<f64>], mut values: Vec<f64>) -> Vec<f64> {
    for i in (0..values.len()).rev() {
        values[i] /= factor[i][i];
        let solved = values[i];
        for (value, weight) in values[..i].iter_mut().zip(&factor[i]) {
            *value -= weight * solved;
        }
    }
    values
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A number of the standard normal distribution.
pub(super) fn normal(random: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.f64()).cos()
}

#[cfg(test)]
mod tests {
    use super::super::{Dimension, Range, Scale};
    use super::*;

    fn space() -> Space {
        let line = Range::Continuous { min: 0.0, max: 1.0, scale: Scale::Linear };
        Space::new(vec![Dimension { name: "x".into(), range: line }])
    }

    #[test]
    fn factors_solve() {
        let matrix = vec![vec![4.0], vec![2.0, 5.0], vec![1.0, 3.0, 6.0]];
        let factor = cholesky(matrix).unwrap();
        let solved = solve_transposed(&factor, solve(&factor, &[7.0, 10.0, 10.0]));
        for (row, right) in [([4.0, 2.0, 1.0], 7.0), ([2.0, 5.0, 3.0], 10.0), ([1.0, 3.0, 6.0], 10.0)] {
            assert!((dot(&row, &solved) - right).abs() < 1e-12);
        }
        assert!(cholesky(vec![vec![1.0], vec![2.0, 1.0]]).is_none(), "not positive definite");
    }

    #[test]
    fn the_process_goes_through_what_it_has_seen() {
        let (space, mut random) = (space(), Rng::with_seed(1));
        let points: Vec<Point> = (0..12).map(|i| vec![f64::from(i) / 11.0]).collect();
        let wave = |x: f64| (6.0 * x).sin();
        let values: Vec<f64> = points.iter().map(|point| wave(point[0])).collect();
        let process = Process::fit(&space, points, &values, None, &mut random).unwrap();
        for x in [0.05, 0.33, 0.71] {
            let found = process.predict(&vec![x]);
            assert!((found.mean - wave(x)).abs() < 0.05, "{x}: {found:?}");
            assert!(found.deviation < 0.2, "{x}: {found:?}");
        }
    }

    #[test]
    fn what_is_far_from_all_points_is_uncertain() {
        let (space, mut random) = (space(), Rng::with_seed(1));
        let points: Vec<Point> = vec![vec![0.0], vec![0.1], vec![0.2]];
        let process = Process::fit(&space, points, &[1.0, -1.0, 0.5], None, &mut random).unwrap();
        assert!(process.predict(&vec![1.0]).deviation > 2.0 * process.predict(&vec![0.1]).deviation);
    }
}
