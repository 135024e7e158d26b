use std::time::{Duration, SystemTime};

use aws_sdk_sagemaker::operation::describe_training_job::DescribeTrainingJobOutput;

use super::Channels;
use crate::Result;
use crate::job::{JobDescription, JobStatus, StatusChange};

/// What the service tells of a training job.
#[derive(Debug, Clone)]
pub struct TrainingJobDescription(DescribeTrainingJobOutput);

/// A metric that a training job has reported.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name, such as `validation:rmse`.
    pub name: String,
    /// Its last value, in single precision as the service keeps it.
    pub value: f32,
    /// When it was reported.
    pub at: SystemTime,
}

impl TrainingJobDescription {
    pub(crate) fn new(output: DescribeTrainingJobOutput) -> Self {
        Self(output)
    }

    /// All that the service told.
    pub fn raw(&self) -> &DescribeTrainingJobOutput {
        &self.0
    }

    /// Where the model is, once the job has completed.
    pub fn model_artifacts(&self) -> Option<&str> {
        self.0.model_artifacts()?.s3_model_artifacts()
    }

    /// The channels that it reads.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for a kind of channel that this version of the crate does
    /// not know; [`raw`](Self::raw) has it.
    pub fn channels(&self) -> Result<Channels> {
        Channels::of_job(self.0.input_data_config())
    }

    /// The container image that it runs.
    pub fn training_image(&self) -> Option<&str> {
        self.0.algorithm_specification()?.training_image()
    }

    /// The last value of each metric.
    pub fn metrics(&self) -> Vec<Metric> {
        let metrics = self.0.final_metric_data_list().iter().filter_map(|metric| {
            let at = SystemTime::try_from(*metric.timestamp()?).ok()?;
            Some(Metric { name: metric.metric_name()?.to_owned(), value: metric.value()?, at })
        });
        metrics.collect()
    }

    /// How long its containers worked, on each instance.
    pub fn training_time(&self) -> Option<Duration> {
        seconds(self.0.training_time_in_seconds())
    }

    /// What is charged for each instance; with spot instances less than [`training_time`](Self::training_time).
    pub fn billable_time(&self) -> Option<Duration> {
        seconds(self.0.billable_time_in_seconds())
    }

    /// What is charged in all: [`billable_time`](Self::billable_time) times the number of instances.
    pub fn billable_instance_time(&self) -> Option<Duration> {
        let instances = u32::try_from(self.instance_count()).unwrap_or(u32::MAX);
        Some(self.billable_time()?.saturating_mul(instances))
    }

    /// The part of the price that spot instances have saved, from 0 to 1; `None` without them, and before the end.
    pub fn spot_savings(&self) -> Option<f64> {
        if self.0.enable_managed_spot_training() != Some(true) {
            return None;
        }
        let (worked, charged) = (self.training_time()?.as_secs_f64(), self.billable_time()?.as_secs_f64());
        (worked > 0.0).then(|| (1.0 - charged / worked).clamp(0.0, 1.0))
    }
}

fn seconds(value: Option<i32>) -> Option<Duration> {
    value.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
}

impl JobDescription for TrainingJobDescription {
    fn status(&self) -> JobStatus {
        self.0.training_job_status().map_or("", |status| status.as_str()).into()
    }

    fn secondary_status(&self) -> Option<&str> {
        self.0.secondary_status().map(aws_sdk_sagemaker::types::SecondaryStatus::as_str)
    }

    fn failure_reason(&self) -> Option<&str> {
        self.0.failure_reason()
    }

    fn status_changes(&self) -> Vec<StatusChange> {
        let changes = self.0.secondary_status_transitions().iter().map(|change| StatusChange {
            status: change.status().map_or("", |status| status.as_str()).to_owned(),
            message: change.status_message().unwrap_or_default().to_owned(),
            at: change.start_time().and_then(|at| SystemTime::try_from(*at).ok()).unwrap_or(SystemTime::UNIX_EPOCH),
        });
        changes.collect()
    }

    fn instance_count(&self) -> usize {
        let Some(resources) = self.0.resource_config() else { return 1 };
        let groups = resources
            .instance_groups()
            .iter()
            .filter_map(aws_sdk_sagemaker::types::InstanceGroup::instance_count)
            .sum::<i32>();
        usize::try_from(resources.instance_count().unwrap_or(0).max(groups)).unwrap_or(1).max(1)
    }

    fn modified_at(&self) -> Option<SystemTime> {
        self.0.last_modified_time().and_then(|at| SystemTime::try_from(*at).ok())
    }

    fn ended_at(&self) -> Option<SystemTime> {
        self.0.training_end_time().and_then(|at| SystemTime::try_from(*at).ok())
    }

    /// With spot instances the longest wait, which the run is part of, else the longest run; and the time in the queue for
    /// instances where the job has such a limit.
    fn time_limit(&self) -> Option<Duration> {
        let condition = self.0.stopping_condition()?;
        let limit = seconds(condition.max_wait_time_in_seconds()).or(seconds(condition.max_runtime_in_seconds()))?;
        Some(limit + seconds(condition.max_pending_time_in_seconds()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sagemaker::types::StoppingCondition;

    #[test]
    fn billing_is_told_for_all_instances_and_savings_only_of_spot() {
        use aws_sdk_sagemaker::types::ResourceConfig;

        let output = || {
            DescribeTrainingJobOutput::builder()
                .training_time_in_seconds(100)
                .billable_time_in_seconds(30)
                .resource_config(ResourceConfig::builder().instance_count(4).build())
        };
        let on_demand = TrainingJobDescription::new(output().build());
        assert_eq!(on_demand.billable_instance_time(), Some(Duration::from_secs(120)));
        assert_eq!(on_demand.spot_savings(), None);
        let spot = TrainingJobDescription::new(output().enable_managed_spot_training(true).build());
        assert_eq!(spot.spot_savings(), Some(0.7));
        let not_begun = output().training_time_in_seconds(0).enable_managed_spot_training(true).build();
        assert_eq!(TrainingJobDescription::new(not_begun).spot_savings(), None);
    }

    #[test]
    fn the_time_limit_is_the_longest_that_the_job_may_take() {
        let limit = |condition: StoppingCondition| {
            let output = DescribeTrainingJobOutput::builder().stopping_condition(condition).build();
            TrainingJobDescription::new(output).time_limit().map(|limit| limit.as_secs())
        };
        let condition = StoppingCondition::builder;
        assert_eq!(limit(condition().build()), None);
        assert_eq!(limit(condition().max_runtime_in_seconds(432_000).build()), Some(432_000));
        assert_eq!(limit(condition().max_runtime_in_seconds(10).max_wait_time_in_seconds(30).build()), Some(30));
        assert_eq!(limit(condition().max_runtime_in_seconds(10).max_pending_time_in_seconds(7200).build()), Some(7210));
        assert_eq!(TrainingJobDescription::new(DescribeTrainingJobOutput::builder().build()).time_limit(), None);
    }
}
