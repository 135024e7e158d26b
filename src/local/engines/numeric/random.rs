//! Random numbers. They are the same in every run: a training job gives the same model each time.

use fastrand::Rng;

/// A number of the standard normal distribution (Box and Muller).
pub(in crate::local::engines) fn normal(random: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.f64()).cos()
}

/// `0..count` in a random order.
pub(in crate::local::engines) fn order(random: &mut Rng, count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    random.shuffle(&mut order);
    order
}

/// A random sample of `size` of `0..count` without repetition, ascending; all if there are no more.
pub(in crate::local::engines) fn sample(random: &mut Rng, count: usize, size: usize) -> Vec<usize> {
    if size >= count {
        return (0..count).collect();
    }
    // Reservoir sampling, as it would be done over a stream.
    let mut kept: Vec<usize> = (0..size).collect();
    for at in size..count {
        let place = random.usize(..=at);
        if place < size {
            kept[place] = at;
        }
    }
    kept.sort_unstable();
    kept
}

/// A place chosen with a chance in proportion to its weight; weights are not negative. The last one if all are 0.
pub(in crate::local::engines) fn weighted(random: &mut Rng, weights: &[f64]) -> usize {
    let total: f64 = weights.iter().sum();
    let mut left = random.f64() * total;
    for (at, weight) in weights.iter().enumerate() {
        left -= weight;
        if left < 0.0 {
            return at;
        }
    }
    weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(weights.len().saturating_sub(1))
}
