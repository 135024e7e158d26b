use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use aws_sdk_sagemaker::types as sdk;

use super::debugger::{Profiler, ProfilerRule};
use super::{Training, TrainingJob};
use crate::Result;
use crate::aws::ServiceCall;
use crate::error::Problems;
use crate::job::Job;

/// Changes to a job that runs; `.await` it.
#[derive(Debug)]
#[must_use = "nothing is changed until it is awaited"]
pub struct UpdateTrainingJob {
    job: TrainingJob,
    profiler: Option<Profiler>,
    profiler_rules: Vec<ProfilerRule>,
    remote_debug: Option<bool>,
    keep_alive: Option<Duration>,
}

impl Job<Training> {
    /// Changes the job while it runs, or its warm pool afterwards.
    ///
    /// ```no_run
    /// # async fn run(job: sagemaker::training::TrainingJob) -> sagemaker::Result<()> {
    /// use std::time::Duration;
    /// use sagemaker::training::debugger::Profiler;
    ///
    /// job.update().profiler(Profiler::new().interval(Duration::from_millis(500))).await?;
    /// job.update().profiler(Profiler::disabled()).remote_debug(false).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&self) -> UpdateTrainingJob {
        UpdateTrainingJob {
            job: self.clone(),
            profiler: None,
            profiler_rules: Vec::new(),
            remote_debug: None,
            keep_alive: None,
        }
    }
}

impl UpdateTrainingJob {
    /// Profiles from now on as this says, or no longer: [`Profiler::disabled`].
    pub fn profiler(mut self, profiler: Profiler) -> Self {
        self.profiler = Some(profiler);
        self
    }

    /// One more rule that watches the profiler's measurements.
    pub fn profiler_rule(mut self, rule: ProfilerRule) -> Self {
        self.profiler_rules.push(rule);
        self
    }

    /// Lets people connect to the containers from now on, or no longer.
    pub fn remote_debug(mut self, enabled: bool) -> Self {
        self.remote_debug = Some(enabled);
        self
    }

    /// How long the job's warm pool is kept, at most six hours; zero ends it.
    pub fn keep_alive(mut self, period: Duration) -> Self {
        self.keep_alive = Some(period);
        self
    }

    async fn send(self) -> Result<()> {
        let mut problems = Problems::default();
        let session = self.job.session();
        let rules = self.profiler_rules.iter();
        let rules: Vec<_> = rules.filter_map(|rule| rule.to_request(session.region(), &mut problems)).collect();
        let profiler = self.profiler.as_ref().map(|profiler| profiler.to_update(&mut problems));
        let keep_alive = self.keep_alive.map(|period| {
            let seconds = i32::try_from(period.as_secs()).unwrap_or(i32::MAX);
            problems.require(seconds <= 21_600, "keep_alive", "is at most 6 hours");
            sdk::ResourceConfigForUpdate::builder().keep_alive_period_in_seconds(seconds).build()
        });
        let nothing = profiler.is_none() && rules.is_empty() && keep_alive.is_none() && self.remote_debug.is_none();
        problems.require(!nothing, "", "there is nothing to change");
        problems.into_result()?;
        let remote = |enabled| sdk::RemoteDebugConfigForUpdate::builder().enable_remote_debug(enabled).build();
        let update = session
            .aws()
            .sagemaker()
            .update_training_job()
            .training_job_name(self.job.name())
            .set_profiler_config(profiler)
            .set_profiler_rule_configurations(Some(rules).filter(|rules| !rules.is_empty()))
            .set_remote_debug_config(self.remote_debug.map(remote))
            .set_resource_config(keep_alive);
        update.send().await.of("UpdateTrainingJob").map(drop)
    }
}

impl IntoFuture for UpdateTrainingJob {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
