//! Scores of predictions, under the names that the containers log.

/// How often what was said and what is true met, for classes 0 and 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(in crate::local::engines) struct Confusion {
    pub(in crate::local::engines) true_positive: f64,
    pub(in crate::local::engines) false_positive: f64,
    pub(in crate::local::engines) false_negative: f64,
    pub(in crate::local::engines) true_negative: f64,
}

impl Confusion {
    pub(in crate::local::engines) fn add(&mut self, is_positive: bool, said_positive: bool) {
        match (is_positive, said_positive) {
            (true, true) => self.true_positive += 1.0,
            (false, true) => self.false_positive += 1.0,
            (true, false) => self.false_negative += 1.0,
            (false, false) => self.true_negative += 1.0,
        }
    }

    pub(in crate::local::engines) fn accuracy(&self) -> f64 {
        let right = self.true_positive + self.true_negative;
        share(right, right + self.false_positive + self.false_negative)
    }

    pub(in crate::local::engines) fn precision(&self) -> f64 {
        share(self.true_positive, self.true_positive + self.false_positive)
    }

    pub(in crate::local::engines) fn recall(&self) -> f64 {
        share(self.true_positive, self.true_positive + self.false_negative)
    }

    pub(in crate::local::engines) fn f(&self, beta: f64) -> f64 {
        f_of(self.precision(), self.recall(), beta)
    }
}

pub(in crate::local::engines) fn f_of(precision: f64, recall: f64, beta: f64) -> f64 {
    let square = beta * beta;
    share((1.0 + square) * precision * recall, square * precision + recall)
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The area under the receiver's operating characteristic; 0.5 if there is only one class.
pub(in crate::local::engines) fn roc_auc(scored: &[(f64, bool)]) -> f64 {
    let mut sorted = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = sorted.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = sorted.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return 0.5;
    }
    let (mut ranks, mut at) = (0.0, 0);
    while at < sorted.len() {
        let end = at + sorted[at..].iter().take_while(|(score, _)| *score == sorted[at].0).count();
        // Equal scores share the mean of their ranks.
        let rank = (at + 1 + end) as f64 / 2.0;
        ranks += rank * sorted[at..end].iter().filter(|(_, positive)| *positive).count() as f64;
        at = end;
    }
    (ranks - positives * (positives + 1.0) / 2.0) / (positives * negatives)
}

/// The scores of a regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::local::engines) struct Regression {
    pub(in crate::local::engines) mse: f64,
    pub(in crate::local::engines) absolute: f64,
    pub(in crate::local::engines) r2: f64,
}

/// Compares predictions with labels.
pub(in crate::local::engines) fn regression(predicted: &[f64], labels: &[f32]) -> Regression {
    let count = labels.len().max(1) as f64;
    let mean = labels.iter().map(|label| f64::from(*label)).sum::<f64>() / count;
    let (mut squares, mut absolute, mut spread) = (0.0, 0.0, 0.0);
    for (said, label) in predicted.iter().zip(labels) {
        let (miss, label) = (said - f64::from(*label), f64::from(*label));
        squares += miss * miss;
        absolute += miss.abs();
        spread += (label - mean) * (label - mean);
    }
    let r2 = if spread > 0.0 { 1.0 - squares / spread } else { 0.0 };
    Regression { mse: squares / count, absolute: absolute / count, r2 }
}

/// The mean of precision, recall and F over all classes.
pub(in crate::local::engines) fn macro_scores(
    classes: usize,
    predicted: &[usize],
    labels: &[usize],
    beta: f64,
) -> [f64; 3] {
    let mut tables = vec![Confusion::default(); classes];
    for (said, label) in predicted.iter().zip(labels) {
        if said == label {
            tables[*label].true_positive += 1.0;
        } else {
            tables[*said].false_positive += 1.0;
            tables[*label].false_negative += 1.0;
        }
    }
    let mean = |of: &dyn Fn(&Confusion) -> f64| tables.iter().map(of).sum::<f64>() / classes.max(1) as f64;
    [mean(&Confusion::precision), mean(&Confusion::recall), mean(&|table| table.f(beta))]
}
