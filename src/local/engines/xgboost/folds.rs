//! Cross validation (`_kfold`): a model for each part of the rows, trained on the others, as the container does it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fastrand::Rng;

use super::hyperparameters::Hyperparameters;
use crate::local::engines::EngineFailure;

/// Where the container leaves what the models predict of the rows that they have not seen.
pub(super) const PREDICTIONS_FILE: &str = "predictions.csv";

/// The rows of one model.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fold {
    pub(super) train: Vec<usize>,
    pub(super) validation: Vec<usize>,
}

/// Whether parts are to have equal shares of each class.
fn classifies(given: &Hyperparameters) -> bool {
    given.num_class().is_some() || given.objective().starts_with("binary:")
}

/// Divides the rows into `count` parts at random; `round` is the number of the repetition.
///
/// # Errors
/// scikit-learn's sentence, if there are too few rows.
pub(super) fn divide(
    given: &Hyperparameters,
    labels: &[f32],
    count: usize,
    round: usize,
) -> Result<Vec<Fold>, EngineFailure> {
    if count > labels.len() {
        return Err(EngineFailure::algorithm(format!(
            "Cannot have number of splits n_splits={count} greater than the number of samples: n_samples={}.",
            labels.len()
        )));
    }
    let mut order: Vec<usize> = (0..labels.len()).collect();
    Rng::with_seed(given.seed().wrapping_add(round as u64)).shuffle(&mut order);
    if classifies(given) {
        order.sort_by(|a, b| labels[*a].total_cmp(&labels[*b]));
        let largest = order.chunk_by(|a, b| labels[*a] == labels[*b]).map(<[usize]>::len).max().unwrap_or(0);
        if count > largest {
            return Err(EngineFailure::algorithm(format!(
                "n_splits={count} cannot be greater than the number of members in each class."
            )));
        }
    }
    let mut part = vec![0; labels.len()];
    for (place, row) in order.into_iter().enumerate() {
        part[row] = place % count;
    }
    let fold = |number: usize| {
        let (validation, train) = (0..part.len()).partition(|row| part[*row] == number);
        Fold { train, validation }
    };
    Ok((0..count).map(fold).collect())
}

/// The values of the last round of each model, as they are reported together.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Vec<(String, String, f64)>>);

impl Report {
    /// Adds those of a model: data set, metric, value.
    pub(super) fn add(&mut self, last: Vec<(String, String, f64)>) {
        self.0.push(last);
    }

    /// The means over the newest `count` models in one line, each metric for `train` and `validation`.
    pub(super) fn line(&self, rounds: usize, count: usize) -> String {
        let newest = &self.0[self.0.len().saturating_sub(count)..];
        let mut line = format!("[{rounds}]");
        let of_train = newest.first().into_iter().flatten().filter(|(set, ..)| set == "train");
        for (_, metric, _) in of_train {
            for set in ["train", "validation"] {
                let values = newest.iter().flatten().filter(|(other, name, _)| other == set && name == metric);
                let (sum, number) = values.fold((0.0, 0.0), |(sum, number), (.., value)| (sum + value, number + 1.0));
                let mean: f64 = sum / number;
                let mean = if mean.is_nan() { "nan".to_owned() } else { format!("{mean:.5}") };
                line.push_str(&format!("\t{set}-{metric}:{mean}"));
            }
        }
        line
    }
}

/// What the models predict of the rows that they have not seen.
pub(super) struct Predictions {
    classifies: bool,
    rows: Vec<Vec<(f64, i64)>>,
}

impl Predictions {
    pub(super) fn new(given: &Hyperparameters, rows: usize) -> Self {
        Self { classifies: classifies(given), rows: vec![Vec::new(); rows] }
    }

    /// Adds the predictions for rows, each of `width` values.
    pub(super) fn add(&mut self, rows: &[usize], values: &[f32], width: usize) {
        for (row, values) in rows.iter().zip(values.chunks_exact(width.max(1))) {
            let likeliest =
                (0..).zip(values).fold(
                    (0, f32::NEG_INFINITY),
                    |best, (class, value)| {
                        if *value > best.1 { (class, *value) } else { best }
                    },
                );
            let (value, class) = match values {
                [only] => (*only, i64::from(*only > 0.5)),
                _ => (likeliest.1, likeliest.0),
            };
            self.rows[*row].push((f64::from(value), class));
        }
    }

    /// A line a row: label, mean of the predictions, and of a classifier the class that most models chose.
    pub(super) fn csv(&self, labels: &[f32]) -> String {
        let mut out = String::new();
        for (row, label) in self.rows.iter().zip(labels) {
            let count = row.len().max(1) as f64;
            let mean = row.iter().map(|(value, _)| value).sum::<f64>() / count;
            let _ = write!(out, "{label:.6},{mean:.6}");
            if self.classifies {
                let mut votes = BTreeMap::<i64, usize>::new();
                row.iter().for_each(|(_, class)| *votes.entry(*class).or_default() += 1);
                // Of equally many votes, those for the smallest class win.
                let class = votes.iter().rev().max_by_key(|(_, votes)| **votes).map_or(0, |(class, _)| *class);
                let _ = write!(out, ",{:.6}", class as f64);
            }
            out.push('\n');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given(objective: &str) -> Hyperparameters {
        let wire =
            [("num_round", "2"), ("objective", objective)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        Hyperparameters::parse(&wire.into()).unwrap()
    }

    #[test]
    fn too_few_rows_are_refused() {
        let divide = |objective: &str, labels: &[f32]| divide(&given(objective), labels, 3, 0).unwrap_err();
        assert!(
            divide("reg:squarederror", &[1.0, 2.0]).message().contains("n_splits=3 greater than the number of samples")
        );
        assert!(divide("binary:logistic", &[1.0, 0.0, 1.0, 0.0]).message().contains("members in each class"));
    }

    #[test]
    fn predictions_are_averaged_and_voted_on() {
        let mut of_classes = Predictions::new(&given("binary:logistic"), 2);
        for value in [0.9, 0.6, 0.2] {
            of_classes.add(&[1], &[value], 1);
            of_classes.add(&[0], &[0.1], 1);
        }
        assert_eq!(of_classes.csv(&[0.0, 1.0]), "0.000000,0.100000,0.000000\n1.000000,0.566667,1.000000\n");
        let mut numbers = Predictions::new(&given("reg:squarederror"), 1);
        numbers.add(&[0], &[2.5], 1);
        assert_eq!(numbers.csv(&[2.0]), "2.000000,2.500000\n");
    }

    proptest! {
        #[test]
        fn each_row_is_validated_once(rows in 3usize..60, count in 2usize..4, classes: bool, round in 0usize..3) {
            let labels: Vec<f32> = (0..rows).map(|row| (row % 3 == 0) as u8 as f32).collect();
            let given = given(if classes { "binary:logistic" } else { "reg:squarederror" });
            prop_assume!(!classes || rows >= 2 * count);
            let folds = divide(&given, &labels, count, round).unwrap();
            let mut seen: Vec<usize> = folds.iter().flat_map(|fold| fold.validation.clone()).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..rows).collect::<Vec<_>>());
            let ones = |fold: &Fold| fold.validation.iter().filter(|row| labels[**row] == 1.0).count();
            let (most, fewest) = (folds.iter().map(ones).max().unwrap(), folds.iter().map(ones).min().unwrap());
            prop_assert!(!classes || most - fewest <= 1, "classes are shared evenly");
            prop_assert!(folds.iter().all(|fold| fold.train.len() + fold.validation.len() == rows));
        }
    }
}
