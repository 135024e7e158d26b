//! What the estimators of frameworks share: each tells what is its own, and is an [`Estimator`](crate::estimator::Estimator)
//! by that.

use std::collections::BTreeMap;

use super::FrameworkModel;
use super::attach::ScriptJob;
use super::script::Script;
use crate::error::Problems;
use crate::estimator::{Estimator, PlanContext, TrainingPlan, planned};
use crate::images::ImageQuery;
use crate::training::Channels;
use crate::types::S3Uri;
use crate::{Result, Session};

/// What is a framework's own.
pub(super) trait Framework: Estimator + Sized {
    /// The estimator's name, by which [`IMAGES`](super::attach::IMAGES) has its images.
    const NAME: &'static str;
    /// Whether there are images for several versions of Python.
    const NEEDS_PY_VERSION: bool = true;

    fn script(&self) -> &Script;

    fn script_mut(&mut self) -> &mut Script;

    /// The search for its image, without versions and instance type.
    fn query(&self) -> ImageQuery;

    /// What the toolkit is told beside the script's hyperparameters.
    fn told(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// What the toolkit is told of the job; see [`Estimator::hyperparameters_of_job`].
    fn told_of_job(&self, job_name: &str, output: Option<&S3Uri>) -> BTreeMap<String, String> {
        let _ = (job_name, output);
        BTreeMap::new()
    }

    /// Notes what is wrong beside what is wrong with any script.
    fn check_own(&self, problems: &mut Problems);

    /// Whether metrics go to SageMaker's time series unless it is said otherwise, as the Python SDK has it for some.
    fn keeps_metrics(&self) -> bool {
        false
    }

    /// The estimator of a job: takes what is its own out of the job's hyperparameters.
    fn of_job(job: &mut ScriptJob) -> Result<Self>;

    /// A model of its serving image.
    fn serving(&self) -> FrameworkModel;
}

/// A plan with the default of [`Framework::keeps_metrics`].
pub(super) fn plan<F: Framework>(framework: &F, context: &PlanContext, channels: &Channels) -> Result<TrainingPlan> {
    let plan = planned(framework, context, channels)?;
    if !framework.keeps_metrics() {
        return Ok(plan);
    }
    Ok(plan.map_raw(|request| {
        let mut algorithm = request.get_algorithm_specification().clone();
        if let Some(algorithm) = &mut algorithm {
            algorithm.enable_sage_maker_metrics_time_series.get_or_insert(true);
        }
        request.set_algorithm_specification(algorithm)
    }))
}

/// The estimator of a job that ran a script.
pub(super) async fn attach<F: Framework>(session: &Session, job_name: &str) -> Result<F> {
    let mut job = ScriptJob::of::<F>(session, job_name).await?;
    let mut framework = F::of_job(&mut job)?;
    let keeps_metrics = job.keeps_metrics;
    let image = job.image.clone();
    *framework.script_mut() = job.into_script();
    if framework.keeps_metrics() {
        framework.script_mut().settings.metrics_time_series = Some(keeps_metrics);
    }
    // An image that is not the one of these versions, such as your own, is kept as it is.
    if framework.image_uri(session.region()).ok().as_ref() != Some(&image) {
        framework.script_mut().image_uri = Some(image.to_string());
    }
    Ok(framework)
}

/// The parts of an estimator and its builder that are written in words of [`Framework`].
macro_rules! framework_estimator {
    ($name:ident, $builder:ident) => {
        impl $name {
            /// An estimator with the script, hyperparameters, tags and settings of a job, whoever started it; the script is
            /// the one that was uploaded for that job.
            ///
            /// Nothing is lost that the service tells; see
            /// [`ContainerEstimator::attach`](crate::estimator::ContainerEstimator::attach) for the job's channels.
            ///
            /// # Errors
            /// [`NotFound`](crate::ErrorKind::NotFound) if there is no such job,
            /// [`Unsupported`](crate::ErrorKind::Unsupported) if it ran no script, or in an image of another framework.
            pub async fn attach(session: &$crate::Session, job_name: impl AsRef<str>) -> $crate::Result<Self> {
                $crate::frameworks::framework::attach(session, job_name.as_ref()).await
            }

            /// A builder that begins with the settings of this one.
            pub fn edit(self) -> $builder {
                $builder(self)
            }

            /// What serves what a job of this estimator has trained: with the job's script where the Python SDK takes it
            /// (not for TensorFlow and Hugging Face), with its role and in its network. Change what you like, then
            /// [`create`](crate::frameworks::FrameworkModel::create) the model.
            ///
            /// # Errors
            /// [`NotFound`](crate::ErrorKind::NotFound) if the job has left no model.
            pub fn serving_model(
                &self,
                trained: &$crate::job::Completed<$crate::training::Training>,
            ) -> $crate::Result<$crate::frameworks::FrameworkModel> {
                let model = $crate::frameworks::framework::Framework::serving(self);
                model.of_training(self.script(), trained)
            }
        }

        impl $crate::estimator::Estimator for $name {
            fn image_uri(&self, region: &str) -> $crate::Result<$crate::types::ImageUri> {
                self.script().image(self.query(), region)
            }

            fn hyperparameters(&self) -> std::collections::BTreeMap<String, String> {
                let mut all = self.script().hyperparameters();
                all.extend(self.told());
                all
            }

            fn hyperparameters_of_job(
                &self,
                job_name: &str,
                output: Option<&$crate::types::S3Uri>,
            ) -> std::collections::BTreeMap<String, String> {
                self.told_of_job(job_name, output)
            }

            fn settings(&self) -> &$crate::estimator::TrainingSettings {
                &self.script().settings
            }

            fn source(&self) -> Option<&$crate::source::SourceCode> {
                Some(&self.script().source)
            }

            fn hosting(
                &self,
                session: &$crate::Session,
                trained: &$crate::job::Completed<$crate::training::Training>,
            ) -> $crate::model::CreateModel {
                let model =
                    self.serving_model(trained).map(|model| Box::new(model) as Box<dyn $crate::model::Unplaced>);
                $crate::model::CreateModel::with_code(session, model).tags_of_estimator(&self.script().settings.tags)
            }

            fn check(&self, _channels: &$crate::training::Channels, problems: &mut $crate::error::Problems) {
                self.script().check(Self::NEEDS_PY_VERSION, problems);
                self.check_own(problems);
            }

            fn plan(
                &self,
                context: &$crate::estimator::PlanContext,
                channels: &$crate::training::Channels,
            ) -> $crate::Result<$crate::estimator::TrainingPlan> {
                $crate::frameworks::framework::plan(self, context, channels)
            }
        }

        impl $builder {
            /// Checks everything.
            ///
            /// # Errors
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
            pub fn build(self) -> $crate::Result<$name> {
                $crate::frameworks::script::built(self.0)
            }
        }
    };
}
pub(super) use framework_estimator;
