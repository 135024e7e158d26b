//! The little linear algebra that the algorithms need, in `f64`.

use fastrand::Rng;

use super::random;

/// A symmetric matrix as eigenvalues, descending, and eigenvectors, one after the other in the same order.
pub(in crate::local::engines) struct Eigen {
    pub(in crate::local::engines) values: Vec<f64>,
    pub(in crate::local::engines) vectors: Vec<Vec<f64>>,
}

/// Sweeps after which Jacobi's method has long converged.
const MAX_SWEEPS: usize = 60;

/// Jacobi's method, cyclic. `matrix` has `size` rows; `stop` ends it early.
pub(in crate::local::engines) fn symmetric_eigen(mut matrix: Vec<f64>, size: usize, stop: &dyn Fn() -> bool) -> Eigen {
    let mut vectors = vec![0.0; size * size];
    for at in 0..size {
        vectors[at * size + at] = 1.0;
    }
    let total: f64 = matrix.iter().map(|value| value * value).sum();
    for _ in 0..MAX_SWEEPS {
        let off: f64 = (0..size)
            .flat_map(|row| (row + 1..size).map(move |column| (row, column)))
            .map(|(row, column)| matrix[row * size + column].powi(2))
            .sum();
        if off <= total * 1e-24 || stop() {
            break;
        }
        for p in 0..size {
            if stop() {
                break;
            }
            for q in p + 1..size {
                rotate(&mut matrix, &mut vectors, size, p, q);
            }
        }
    }
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|a, b| matrix[b * size + b].total_cmp(&matrix[a * size + a]));
    Eigen {
        values: order.iter().map(|at| matrix[at * size + at]).collect(),
        vectors: order.iter().map(|at| vectors[at * size..(at + 1) * size].to_vec()).collect(),
    }
}

/// Turns the plane of two axes so that their entry becomes 0. Row `p` of `vectors` is the eigenvector of axis `p`.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], size: usize, p: usize, q: usize) {
    let entry = matrix[p * size + q];
    if entry == 0.0 {
        return;
    }
    let theta = (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * entry);
    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    for at in 0..size {
        let (x, y) = (matrix[at * size + p], matrix[at * size + q]);
        matrix[at * size + p] = cosine * x - sine * y;
        matrix[at * size + q] = sine * x + cosine * y;
    }
    for at in 0..size {
        let (x, y) = (matrix[p * size + at], matrix[q * size + at]);
        matrix[p * size + at] = cosine * x - sine * y;
        matrix[q * size + at] = sine * x + cosine * y;
        let (x, y) = (vectors[p * size + at], vectors[q * size + at]);
        vectors[p * size + at] = cosine * x - sine * y;
        vectors[q * size + at] = sine * x + cosine * y;
    }
}

/// The largest eigenvalues of a symmetric, positive semidefinite operator on vectors of length `size`, found by subspace
/// iteration from a random start.
pub(in crate::local::engines) fn subspace_eigen(
    apply: impl Fn(&[Vec<f64>]) -> Vec<Vec<f64>>,
    size: usize,
    count: usize,
    iterations: usize,
    random: &mut Rng,
) -> Eigen {
    let count = count.min(size);
    let mut basis: Vec<Vec<f64>> = (0..count).map(|_| (0..size).map(|_| random::normal(random)).collect()).collect();
    orthonormalise(&mut basis);
    for _ in 0..iterations {
        basis = apply(&basis);
        orthonormalise(&mut basis);
    }
    let image = apply(&basis);
    let mut small = vec![0.0; count * count];
    for row in 0..count {
        for column in 0..count {
            small[row * count + column] = (dot(&basis[row], &image[column]) + dot(&basis[column], &image[row])) / 2.0;
        }
    }
    let inner = symmetric_eigen(small, count, &|| false);
    let lift = |weights: &Vec<f64>| {
        let mut out = vec![0.0; size];
        for (weight, vector) in weights.iter().zip(&basis) {
            out.iter_mut().zip(vector).for_each(|(out, value)| *out += weight * value);
        }
        out
    };
    Eigen { values: inner.values, vectors: inner.vectors.iter().map(lift).collect() }
}

/// Gram and Schmidt's method, twice for accuracy. A vector that the others span becomes 0.
fn orthonormalise(basis: &mut [Vec<f64>]) {
    for at in 0..basis.len() {
        let (before, rest) = basis.split_at_mut(at);
        let vector = &mut rest[0];
        let length = dot(vector, vector).sqrt();
        for _ in 0..2 {
            for other in before.iter() {
                let along = dot(vector, other);
                vector.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
            }
        }
        let left = dot(vector, vector).sqrt();
        let scale = if left > length * 1e-12 { 1.0 / left } else { 0.0 };
        vector.iter_mut().for_each(|value| *value *= scale);
    }
}

pub(in crate::local::engines) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
