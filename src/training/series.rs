use std::collections::BTreeSet;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use aws_sdk_sagemaker::types::AlgorithmSpecification;

use super::{TrainingJob, TrainingJobDescription};
use crate::aws::MetricQuery;
use crate::job::{JobDescription, JobKind};
use crate::training::Training;
use crate::{Error, Result};

/// CloudWatch takes so many metrics in a request.
const MOST_NAMES: usize = 500;
const MINUTE: Duration = Duration::from_secs(60);

/// A metric of a training job over time.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct MetricSeries {
    /// Its name, such as `validation:rmse`.
    pub name: String,
    /// Its values, oldest first.
    pub points: Vec<MetricPoint>,
}

/// A value of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MetricPoint {
    /// The beginning of the period that it is of.
    pub at: SystemTime,
    /// The value.
    pub value: f64,
}

/// What a period's values are summed up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MetricStatistic {
    /// Their mean.
    #[default]
    Average,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// Their sum.
    Sum,
    /// How many there are.
    SampleCount,
}

/// Metrics that are about to be read; `.await` it.
///
/// One request to CloudWatch gives all metrics of the job, where the Python SDK makes one for each.
///
/// ```
/// # #[cfg(feature = "algorithms")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sagemaker::Result<()> {
/// # use sagemaker::algorithms::xgboost::{Objective, XGBoost};
/// # use sagemaker::estimator::EstimatorExt;
/// # use sagemaker::training::TrainingInput;
/// # use sagemaker::types::{Compute, ContentType};
/// # let session = sagemaker::Session::local();
/// # session.ensure_bucket().await?;
/// # let data = session.default_uri("doubling/train.csv").await?;
/// # session.upload_bytes("2,1\n4,2\n6,3\n8,4\n", &data, &ContentType::CSV).await?;
/// # let xgboost = XGBoost::builder(Objective::RegSquaredError, 10).compute(Compute::instances("ml.m5.xlarge", 1)).build()?;
/// # let job = xgboost.fit(&session, [("train", TrainingInput::csv(data))]).await?;
/// # job.wait().await?;
/// let series = job.metric_series().await?;
/// assert!(series.iter().any(|series| series.name == "train:rmse" && !series.points.is_empty()));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "algorithms"))]
/// # fn main() {}
/// ```
#[must_use = "nothing is read until it is awaited"]
pub struct ReadMetricSeries {
    job: TrainingJob,
    names: Option<Vec<String>>,
    period: Duration,
    statistic: MetricStatistic,
}

impl ReadMetricSeries {
    pub(super) fn new(job: TrainingJob) -> Self {
        Self { job, names: None, period: MINUTE, statistic: MetricStatistic::default() }
    }

    /// Which metrics. Default: those that the job defines or has reported.
    pub fn names<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// How long a period is that becomes one value: a multiple of a minute, or 1, 5, 10 or 30 s, of which CloudWatch knows
    /// only for three hours. Default: a minute.
    pub fn period(mut self, period: Duration) -> Self {
        self.period = period;
        self
    }

    /// What a period's values are summed up to. Default: their average.
    pub fn statistic(mut self, statistic: MetricStatistic) -> Self {
        self.statistic = statistic;
        self
    }

    async fn read(self) -> Result<Vec<MetricSeries>> {
        let seconds = self.period.as_secs();
        if seconds == 0 || !(seconds.is_multiple_of(60) || [1, 5, 10, 30].contains(&seconds)) {
            return Err(Error::invalid("period", "must be a multiple of a minute, or 1, 5, 10 or 30 s"));
        }
        let description = self.job.describe().await?;
        let names = self.names.unwrap_or_else(|| known(&description));
        let session = self.job.session();
        let time = |at: Option<&aws_sdk_sagemaker::primitives::DateTime>| SystemTime::try_from(*at?).ok();
        let began = time(description.raw().training_start_time()).or(time(description.raw().creation_time()));
        let (Some(began), false) = (began, names.is_empty()) else { return Ok(Vec::new()) };
        let ended = description.ended_at().unwrap_or_else(|| session.now());
        let mut all = Vec::with_capacity(names.len());
        for names in names.chunks(MOST_NAMES) {
            let query = MetricQuery {
                namespace: Training::LOG_GROUP,
                dimension: ("TrainingJobName", self.job.name()),
                names,
                statistic: self.statistic.as_str(),
                period: self.period,
                from: began.checked_sub(MINUTE).unwrap_or(began),
                to: ended + self.period.max(MINUTE),
            };
            let found = session.aws().metrics().read(&query).await?;
            all.extend(names.iter().zip(found).map(|(name, points)| {
                let point = |(at, value): (f64, f64)| {
                    let since = Duration::try_from_secs_f64(at).unwrap_or_default();
                    MetricPoint { at: SystemTime::UNIX_EPOCH + since, value }
                };
                MetricSeries { name: name.clone(), points: points.into_iter().map(point).collect() }
            }));
        }
        Ok(all)
    }
}

/// Names that the job defines, and names of values that it has reported.
fn known(description: &TrainingJobDescription) -> Vec<String> {
    let defined =
        description.raw().algorithm_specification().map(AlgorithmSpecification::metric_definitions).unwrap_or_default();
    let defined = defined.iter().filter_map(|definition| definition.name().map(str::to_owned));
    let names: BTreeSet<String> = defined.chain(description.metrics().into_iter().map(|metric| metric.name)).collect();
    names.into_iter().collect()
}

impl MetricStatistic {
    fn as_str(self) -> &'static str {
        match self {
            Self::Average => "Average",
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
            Self::Sum => "Sum",
            Self::SampleCount => "SampleCount",
        }
    }
}

impl IntoFuture for ReadMetricSeries {
    type Output = Result<Vec<MetricSeries>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.read())
    }
}

impl fmt::Debug for ReadMetricSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadMetricSeries").field("job", &self.job).field("period", &self.period).finish_non_exhaustive()
    }
}
