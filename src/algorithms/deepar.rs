//! The built-in DeepAR: forecasts of many related time series by one recurrent network.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `json`, `json.gz`, `parquet`, `auto` |
//! | `test` | no | `json`, `json.gz`, `parquet`, `auto` |
//!
//! Instances: one or more, with CPUs or GPUs. Default metrics: `test:RMSE`, `test:mean_wQuantileLoss`,
//! `train:final_loss`, `train:loss`, `train:loss:batch`, `train:progress`, `train:throughput`.
//!
//! ```
//! use sagemaker::algorithms::deepar::{DeepAr, TimeFrequency};
//! use sagemaker::estimator::{Estimator, PlanContext};
//! use sagemaker::training::{Channels, TrainingInput};
//! use sagemaker::types::Compute;
//!
//! let estimator = DeepAr::builder(TimeFrequency::hours(1), 72, 24, 20)
//!     .compute(Compute::instances("ml.c5.2xlarge", 1))
//!     .build()?;
//! let context = PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH); // .fit(&session, ..) starts a job
//! let plan = estimator.plan(&context, &Channels::from([("train", TrainingInput::new("s3://my-bucket/series/"))]))?;
//! let told = plan.request().get_hyper_parameters().clone().unwrap_or_default();
//! assert_eq!((told["time_freq"].as_str(), told["prediction_length"].as_str()), ("H", "24"));
//! # Ok::<(), sagemaker::Error>(())
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use super::accepts::Accepts::{Integer, List, NameOr, OneOf, Text};
use super::accepts::{ABOVE_ZERO, FRACTION, MAX, POSITIVE, SHARE};
use super::builtin::{AlgorithmChannel, Checker, PROGRESS, Spec, THROUGHPUT, builtin, quality};
use super::names::choices;
use super::wire::{ToWire, numbers};
use crate::types::ContentType;

/// The container takes these words beside MIME types.
const SERIES: &[ContentType] = &[
    ContentType::from_static("json"),
    ContentType::from_static("json.gz"),
    ContentType::from_static("parquet"),
    ContentType::from_static("auto"),
];

static SPEC: Spec = Spec {
    image: "forecasting-deepar",
    class: "DeepAR",
    channels: &[AlgorithmChannel::required("train", SERIES), AlgorithmChannel::optional("test", SERIES)],
    metrics: &[
        quality!("test:RMSE", "test RMSE <loss>"),
        quality!("test:mean_wQuantileLoss", "test mean_wQuantileLoss <loss>"),
        quality!("train:final_loss", "train final_loss <loss>"),
        quality!("train:loss", epoch "train loss <loss>"),
        quality!("train:loss:batch", batch "train loss <loss>"),
        PROGRESS,
        THROUGHPUT,
    ],
    check,
    ..Spec::DEFAULT
};

/// The distance of two points in time: a number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeFrequency {
    count: u32,
    unit: &'static str,
}

impl TimeFrequency {
    /// So many months.
    pub const fn months(count: u32) -> Self {
        Self { count, unit: "M" }
    }

    /// So many weeks.
    pub const fn weeks(count: u32) -> Self {
        Self { count, unit: "W" }
    }

    /// So many days.
    pub const fn days(count: u32) -> Self {
        Self { count, unit: "D" }
    }

    /// So many hours.
    pub const fn hours(count: u32) -> Self {
        Self { count, unit: "H" }
    }

    /// So many minutes.
    pub const fn minutes(count: u32) -> Self {
        Self { count, unit: "min" }
    }
}

impl ToWire for TimeFrequency {
    fn to_wire(&self) -> String {
        match self.count {
            1 => self.unit.to_owned(),
            count => format!("{count}{}", self.unit),
        }
    }
}

choices! {
    /// The distribution of a forecast.
    Likelihood {
        /// for real numbers
        Gaussian = "gaussian",
        /// for numbers between 0 and 1
        Beta = "beta",
        /// for counts
        NegativeBinomial = "negative-binomial",
        /// for real numbers that jump
        StudentT = "student-T",
        /// no distribution: single values
        DeterministicL1 = "deterministic-L1",
    }
}

/// What is known of the categories of the series.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cardinality {
    /// Found out from the data.
    Auto,
    /// They are not used.
    Ignore,
    /// The number of values of each category.
    Known(Vec<u32>),
}

impl ToWire for Cardinality {
    fn to_wire(&self) -> String {
        match self {
            Self::Auto => "auto".to_owned(),
            Self::Ignore => "ignore".to_owned(),
            Self::Known(counts) => numbers(counts.iter().copied()),
        }
    }
}

/// What is known of the features that go along with the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DynamicFeatures {
    /// Their number is found out from the data.
    Auto,
    /// They are not used.
    Ignore,
    /// So many: at least 1.
    Count(u32),
}

impl ToWire for DynamicFeatures {
    fn to_wire(&self) -> String {
        match self {
            Self::Auto => "auto".to_owned(),
            Self::Ignore => "ignore".to_owned(),
            Self::Count(count) => count.to_wire(),
        }
    }
}

builtin! {
    /// An estimator of the built-in DeepAR.
    ///
    /// Channels: `train`, and `test` to be measured; JSON Lines, plain or gzipped, or Parquet, a series each line with
    /// `start` and `target`. Instances: CPUs or GPUs. An endpoint takes JSON and answers [`Forecasts`].
    DeepAr, DeepArBuilder, SPEC;

    /// Begins with what every training needs: the distance of two points, how many points the model sees before it
    /// forecasts, how many it forecasts, and the most passes over the data; at least 1 each.
    needs {
        time_freq(TimeFrequency) in Text;
        context_length(u32) in POSITIVE;
        prediction_length(u32) in POSITIVE;
        epochs(u32) in POSITIVE;
    }
    takes {
        /// What is known of the categories. Default [`Cardinality::Auto`].
        cardinality(cardinality: Cardinality) in NameOr(&["auto", "ignore", ""], &List(&POSITIVE));

        /// The share of units that is dropped: 0 to 1. Default 0.1.
        dropout_rate(share: f64) in SHARE;

        /// After how many passes without progress training ends: at least 1. Default: it goes on.
        early_stopping_patience(passes: u32) in POSITIVE;

        /// The length of the categories' vectors: at least 1. Default 10.
        embedding_dimension(numbers: u32) in POSITIVE;

        /// The step of the optimizer: above 0; 0.0001 to 0.1 is usual. Default 0.001.
        learning_rate(rate: f64) in ABOVE_ZERO;

        /// The distribution of a forecast. Default [`Likelihood::StudentT`].
        likelihood(likelihood: Likelihood) in OneOf(Likelihood::NAMES);

        /// Series in a batch: at least 1; 32 to 512 is usual. Default 128.
        mini_batch_size(series: u32) in POSITIVE;

        /// Cells of each hidden layer: at least 1; 30 to 100 is usual. Default 40.
        num_cells(cells: u32) in POSITIVE;

        /// What is known of the features that go along. Default [`DynamicFeatures::Auto`].
        num_dynamic_feat(features: DynamicFeatures) in NameOr(&["auto", "ignore", ""], &POSITIVE);

        /// Samples of each series that the `test` channel is measured by: from 0. Default 100.
        num_eval_samples(samples: u32) in Integer(0, MAX);

        /// Hidden layers: at least 1; 1 to 4 is usual. Default 2.
        num_layers(layers: u32) in POSITIVE;

        /// The quantiles that the `test` channel is measured by: above 0, below 1. Default 0.1 to 0.9.
        test_quantiles(quantiles: impl IntoIterator<Item = f64>) in List(&FRACTION) => numbers(quantiles);
    }
}

fn check(values: &mut Checker<'_>) {
    let Some(frequency) = values.get("time_freq") else { return };
    let count = ["min", "M", "W", "D", "H"].iter().find_map(|unit| frequency.strip_suffix(unit));
    let is_frequency = count.is_some_and(|count| count.is_empty() || count.parse().is_ok_and(|count: u32| count >= 1));
    if !is_frequency {
        values.refuse("time_freq", "must be a number, at least 1, of M, W, D, H or min, such as 5min");
    }
}

/// The answers of a DeepAR endpoint: `Json::of::<Forecasts>()`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Forecasts {
    /// One for each series that was sent.
    pub predictions: Vec<Forecast>,
}

/// The forecast of a series: what the request's configuration asked for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Forecast {
    /// The quantiles by their name, such as `0.5`: a value each point.
    #[serde(default)]
    pub quantiles: BTreeMap<String, Vec<f64>>,
    /// Possible futures: a value each point.
    #[serde(default)]
    pub samples: Vec<Vec<f64>>,
    /// The expected value of each point.
    #[serde(default)]
    pub mean: Vec<f64>,
}
