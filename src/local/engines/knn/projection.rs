//! Random projections to fewer dimensions that keep distances, roughly (Johnson and Lindenstrauss).

use fastrand::Rng;

use crate::local::engines::numeric::random;

/// A matrix of random signs, scaled: `columns` lines of `target` numbers.
pub(super) fn sign(columns: usize, target: usize, random: &mut Rng) -> Vec<f32> {
    let size = 1.0 / (target as f32).sqrt();
    (0..columns * target).map(|_| if random.bool() { size } else { -size }).collect()
}

/// The fast transform of Ailon and Chazelle in its usual form: random signs, a Hadamard transform, a sample of its
/// entries. It is kept as the matrix that it is.
pub(super) fn fjlt(columns: usize, target: usize, random: &mut Rng) -> Vec<f32> {
    let width = columns.next_power_of_two();
    let signs: Vec<f64> = (0..columns).map(|_| if random.bool() { 1.0 } else { -1.0 }).collect();
    let kept = random::sample(random, width, target);
    // A Hadamard entry is 1 or -1 by the parity of the bits that its row and column share.
    let entry = |row: usize, column: usize| if (row & column).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
    let scale = 1.0 / (target as f64).sqrt();
    let line = |column: usize| {
        let kept = &kept;
        let sign = signs[column];
        kept.iter().map(move |row| (sign * entry(*row, column) * scale) as f32)
    };
    (0..columns).flat_map(line).collect()
}
