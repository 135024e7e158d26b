use super::{Estimator, Fit};
use crate::Session;
use crate::job::Completed;
use crate::model::CreateModel;
use crate::training::{Channels, Training};

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
    /// It is served by the image that trained it.
    fn model(&self, session: &Session, trained: &Completed<Training>) -> CreateModel
    where
        Self: Sized,
    {
        let image = match trained.description().training_image() {
            Some(image) => image.parse(),
            None => self.image_uri(session.region()),
        };
        let base_name = self.settings().base_job_name.clone();
        CreateModel::from_training(session, image, trained.model_artifacts(), base_name)
    }
}

impl<E: Estimator + ?Sized> EstimatorExt for E {}
