//! A factorization machine and its derivatives.

use crate::local::engines::numeric::matrix::Row;

/// `bias + <linear, x> + sum of <v_i, v_j> x_i x_j over all pairs`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Machine {
    pub(super) factor_count: usize,
    pub(super) bias: Vec<f64>,
    pub(super) linear: Vec<f64>,
    /// `factor_count` numbers for each feature.
    pub(super) factors: Vec<f64>,
}

impl Machine {
    /// The value of a row; `sums` becomes the sum of `v_i x_i` over all features.
    pub(super) fn value(&self, row: Row<'_>, sums: &mut [f64]) -> f64 {
        sums.fill(0.0);
        let (mut value, mut squares) = (self.bias[0], 0.0);
        row.each(|column, x| {
            let x = f64::from(x);
            value += self.linear[column] * x;
            let own = &self.factors[column * self.factor_count..(column + 1) * self.factor_count];
            for (sum, factor) in sums.iter_mut().zip(own) {
                let part = factor * x;
                *sum += part;
                squares += part * part;
            }
        });
        // The sum over pairs in linear time (Rendle, lemma 3.1).
        value + (sums.iter().map(|sum| sum * sum).sum::<f64>() - squares) / 2.0
    }

    /// Adds the derivatives of a row's value, times `slope`, to a gradient; `sums` are those of [`value`](Self::value).
    pub(super) fn add_gradient(&self, row: Row<'_>, slope: f64, sums: &[f64], gradient: &mut Machine) {
        gradient.bias[0] += slope;
        row.each(|column, x| {
            let x = f64::from(x);
            gradient.linear[column] += slope * x;
            let range = column * self.factor_count..(column + 1) * self.factor_count;
            let own = self.factors[range.clone()].iter().zip(sums);
            for (place, (factor, sum)) in gradient.factors[range].iter_mut().zip(own) {
                *place += slope * x * (sum - factor * x);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::engines::numeric::matrix::Matrix;

    fn machine() -> Machine {
        Machine {
            factor_count: 2,
            bias: vec![0.5],
            linear: vec![1.0, -2.0, 0.25],
            factors: vec![0.5, 1.0, -1.0, 0.25, 2.0, -0.5],
        }
    }

    #[test]
    fn the_value_is_the_sum_over_pairs_and_the_gradient_its_derivative() {
        let mut rows = Matrix::new(Some(3));
        let x = [2.0f32, -1.0, 0.5];
        rows.push_dense(&x).unwrap();
        let machine = machine();
        let mut sums = vec![0.0; 2];
        let mut expected = 0.5 + 2.0 + 2.0 + 0.125;
        for i in 0..3 {
            for j in i + 1..3 {
                let product: f64 = (0..2).map(|f| machine.factors[i * 2 + f] * machine.factors[j * 2 + f]).sum();
                expected += product * f64::from(x[i]) * f64::from(x[j]);
            }
        }
        let value = machine.value(rows.row(0), &mut sums);
        assert!((value - expected).abs() < 1e-12, "{value} {expected}");

        let mut gradient = Machine { factor_count: 2, bias: vec![0.0], linear: vec![0.0; 3], factors: vec![0.0; 6] };
        machine.add_gradient(rows.row(0), 1.0, &sums, &mut gradient);
        for at in 0..6 {
            let mut moved = machine.clone();
            moved.factors[at] += 1e-6;
            let slope = (moved.value(rows.row(0), &mut sums) - value) / 1e-6;
            assert!((slope - gradient.factors[at]).abs() < 1e-4, "{at}: {slope} {}", gradient.factors[at]);
        }
    }
}
