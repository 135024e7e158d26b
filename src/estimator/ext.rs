use super::{Estimator, Fit};
use crate::job::Completed;
use crate::model::CreateModel;
use crate::training::{Channels, Training};
use crate::types::VpcConfig;
use crate::{Error, Session};

/// What callers do with an [`Estimator`].
pub trait EstimatorExt: Estimator {
    /// Starts a training job: `.await` it for the handle of the accepted job, then
    /// [`wait`](crate::job::Job::wait) for its end.
    ///
    /// Everything is checked first; an error lists every refused value, and nothing is sent then.
    ///
    /// ```
    /// # #[cfg(feature = "algorithms")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> sagemaker::Result<()> {
    /// use sagemaker::algorithms::xgboost::{Objective, XGBoost};
    /// use sagemaker::estimator::EstimatorExt;
    /// use sagemaker::training::TrainingInput;
    /// use sagemaker::types::{Compute, ContentType};
    ///
    /// let session = sagemaker::Session::local();
    /// session.ensure_bucket().await?;
    /// let data = session.default_uri("doubling/train.csv").await?;
    /// session.upload_bytes("2,1\n4,2\n6,3\n8,4\n", &data, &ContentType::CSV).await?;
    ///
    /// let xgboost = XGBoost::builder(Objective::RegSquaredError, 10)
    ///     .compute(Compute::instances("ml.m5.xlarge", 1))
    ///     .build()?;
    /// let job = xgboost.fit(&session, [("train", TrainingInput::csv(data))]).await?;
    /// let done = job.wait().await?;
    /// assert!(done.model_artifacts()?.key().ends_with("/output/model.tar.gz"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "algorithms"))]
    /// # fn main() {}
    /// ```
    fn fit<'a>(&'a self, session: &'a Session, inputs: impl Into<Channels>) -> Fit<'a>
    where
        Self: Sized,
    {
        Fit::new(self, session, inputs.into())
    }

    /// Creates a model from what a job has trained: `.await` it for the handle.
    ///
    /// It is served by the image that trained it, in the job's network and with its role; named after the estimator.
    fn model(&self, session: &Session, trained: &Completed<Training>) -> CreateModel
    where
        Self: Sized,
    {
        let image = trained.description().training_image().map(str::to_owned);
        let image = image.map_or_else(|| self.image_uri(session.region()), |image| image.parse());
        let model = CreateModel::from_training(session, image, trained.model_artifacts());
        let model = hosted_as_trained(model, trained);
        match &self.settings().base_job_name {
            Some(base) => model.base_name(base),
            None => model,
        }
    }
}

impl Completed<Training> {
    /// Creates a model from what the job has trained, without the estimator: for jobs that were started elsewhere.
    ///
    /// It is served by the image that trained it, in the job's network and with its role.
    pub fn model(&self) -> CreateModel {
        let image = match self.description().training_image() {
            Some(image) => image.parse(),
            None => Err(Error::invalid("", "the job was trained by an algorithm without an image: use Model::create")),
        };
        hosted_as_trained(CreateModel::from_training(self.job().session(), image, self.model_artifacts()), self)
    }
}

/// A model that was trained in a closed network is not served outside of it.
pub(crate) fn hosted_as_trained(mut model: CreateModel, trained: &Completed<Training>) -> CreateModel {
    let job = trained.description().raw();
    if let Some(role) = job.role_arn() {
        model = model.role(role);
    }
    if let Some(vpc) = job.vpc_config() {
        model = model.vpc(VpcConfig::new(vpc.subnets(), vpc.security_group_ids()));
    }
    if job.enable_network_isolation() == Some(true) {
        model = model.network_isolation();
    }
    model
}

impl<E: Estimator + ?Sized> EstimatorExt for E {}
