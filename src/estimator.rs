//! [`Estimator`]: what is trained, with what, on what. `fit` starts a training job from it.

mod algorithm_source;
mod attach;
mod container;
mod ext;
mod fit;
mod marketplace;
mod options;
mod permissions;
mod plan;
mod request;
mod settings;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use crate::error::Problems;
use crate::job::Completed;
use crate::model::CreateModel;
use crate::source::SourceCode;
use crate::training::{Channels, Training};
use crate::types::{GivenRole, ImageUri, S3Uri};
use crate::{Result, Session};

pub use algorithm_source::AlgorithmSource;
pub(crate) use attach::Attached;
pub use container::{ContainerEstimator, ContainerEstimatorBuilder};
pub use ext::EstimatorExt;
pub(crate) use ext::{hosted_as_trained, model_data};
pub use fit::Fit;
pub use marketplace::{AlgorithmEstimator, AlgorithmEstimatorBuilder};
pub use options::{Checkpoints, ExperimentConfig, InstancePlacement, RegistryAccess};
pub use permissions::Permission;
pub use plan::{PlanContext, PlannedUpload, TrainingPlan};
pub use settings::TrainingSettings;
pub(crate) use settings::training_setters;

/// Turns itself into a training request, without any call. Open for your own kinds; object-safe.
///
/// What callers use is in [`EstimatorExt`], which every estimator has.
///
/// ```
/// use std::collections::BTreeMap;
/// use sagemaker::estimator::{Estimator, TrainingSettings};
/// use sagemaker::types::{Compute, ImageUri};
///
/// #[derive(Debug)]
/// struct Forecaster { horizon: u32, settings: TrainingSettings }
///
/// impl Estimator for Forecaster {
///     fn image_uri(&self, region: &str) -> sagemaker::Result<ImageUri> {
///         ImageUri::new(format!("123456789012.dkr.ecr.{region}.amazonaws.com/forecaster:3"))
///     }
///     fn hyperparameters(&self) -> BTreeMap<String, String> {
///         BTreeMap::from([("horizon".to_owned(), self.horizon.to_string())])
///     }
///     fn settings(&self) -> &TrainingSettings {
///         &self.settings
///     }
/// }
///
/// let settings = TrainingSettings::default().compute(Compute::instances("ml.m5.xlarge", 1));
/// let boxed: Box<dyn Estimator> = Box::new(Forecaster { horizon: 24, settings });
/// # let _ = boxed;
/// ```
pub trait Estimator: Debug + Send + Sync {
    /// The container image that trains, in a region.
    fn image_uri(&self, region: &str) -> Result<ImageUri>;

    /// What trains: by default the image.
    fn algorithm(&self, region: &str) -> Result<AlgorithmSource> {
        self.image_uri(region).map(AlgorithmSource::Image)
    }

    /// Hyperparameters as the container reads them: all values are strings.
    fn hyperparameters(&self) -> BTreeMap<String, String>;

    /// Where and how it runs.
    fn settings(&self) -> &TrainingSettings;

    /// The script that the image runs: packed and uploaded before the job starts. Default: none, as most images bring
    /// what they run.
    fn source(&self) -> Option<&SourceCode> {
        None
    }

    /// Hyperparameters that follow from the job's name and from where its output goes, which a
    /// [plan](Self::plan) may not know. Default: none.
    fn hyperparameters_of_job(&self, job_name: &str, output: Option<&S3Uri>) -> BTreeMap<String, String> {
        let _ = (job_name, output);
        BTreeMap::new()
    }

    /// Notes what is wrong with its own values, or with the channels that it is given. Default: nothing is.
    fn check(&self, channels: &Channels, problems: &mut Problems) {
        let _ = (channels, problems);
    }

    /// The model of what a job of it has trained, not created yet: what [`EstimatorExt::model`] gives. Default: the image
    /// that trained it serves, too.
    fn hosting(&self, session: &Session, trained: &Completed<Training>) -> CreateModel {
        ext::hosted_by_image(self, session, trained)
    }

    /// What [`fit`](EstimatorExt::fit) would upload and send, without a call. Reads the names and sizes of the files of a
    /// script. [`PlanContext::of`] a session tells where output goes that was given no place, and what else is its own.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) with every refused value.
    fn plan(&self, context: &PlanContext, channels: &Channels) -> Result<TrainingPlan> {
        planned(self, context, channels)
    }
}

/// The request of an estimator whose values are in order.
pub(crate) fn planned<E: Estimator + ?Sized>(
    estimator: &E,
    context: &PlanContext,
    channels: &Channels,
) -> Result<TrainingPlan> {
    let mut problems = Problems::default();
    estimator.check(channels, &mut problems);
    if let Some(source) = estimator.source() {
        source.check(&mut problems);
    }
    let request = estimator.settings().request(estimator, context, channels, &mut problems);
    problems.into_result()?;
    let role = estimator.settings().role.as_deref().and_then(|role| GivenRole::new(role).ok());
    let named_role = role.as_ref().and_then(GivenRole::name);
    let request = context.defaults().training(request);
    let plan = TrainingPlan::new(request, context.region(), named_role).without_off();
    if context.looks_at_files() { fit::completed_offline(estimator, context, plan) } else { Ok(plan) }
}

/// An estimator that is pointed at is one, too.
macro_rules! estimator_behind {
    ($($pointer:ty),+) => {$(
        impl<E: Estimator + ?Sized> Estimator for $pointer {
            fn image_uri(&self, region: &str) -> Result<ImageUri> {
                (**self).image_uri(region)
            }

            fn algorithm(&self, region: &str) -> Result<AlgorithmSource> {
                (**self).algorithm(region)
            }

            fn hyperparameters(&self) -> BTreeMap<String, String> {
                (**self).hyperparameters()
            }

            fn settings(&self) -> &TrainingSettings {
                (**self).settings()
            }

            fn source(&self) -> Option<&SourceCode> {
                (**self).source()
            }

            fn hyperparameters_of_job(&self, job_name: &str, output: Option<&S3Uri>) -> BTreeMap<String, String> {
                (**self).hyperparameters_of_job(job_name, output)
            }

            fn check(&self, channels: &Channels, problems: &mut Problems) {
                (**self).check(channels, problems);
            }

            fn plan(&self, context: &PlanContext, channels: &Channels) -> Result<TrainingPlan> {
                (**self).plan(context, channels)
            }

            fn hosting(&self, session: &Session, trained: &Completed<Training>) -> CreateModel {
                (**self).hosting(session, trained)
            }
        }
    )+};
}
estimator_behind!(&E, Box<E>, Arc<E>);
