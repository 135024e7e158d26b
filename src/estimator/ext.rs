use aws_sdk_sagemaker::types::{OutputCompressionType, OutputDataConfig};

use super::{Estimator, Fit};
use crate::job::Completed;
use crate::model::{CreateModel, ModelData};
use crate::training::{Channels, Training};
use crate::types::{ImageUri, VpcConfig};
use crate::{Error, Result, Session};

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
    /// It is served by the image that trained it; what a script of a framework has trained, by the framework's serving
    /// image with the code that it needs (see [`FrameworkModel`](crate::frameworks::FrameworkModel)), for which
    /// [`instance_type`](CreateModel::instance_type) may be needed. In the job's network and with its role; named after
    /// the estimator, and with its tags, which its deployments have, too.
    ///
    /// ```
    /// # #[cfg(feature = "local")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> sagemaker::Result<()> {
    /// # let folder = std::env::temp_dir().join(format!("sagemaker-doc-estimator-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # std::fs::write(folder.join("train.py"), "print('trained')\n")?;
    /// use sagemaker::estimator::EstimatorExt;
    /// use sagemaker::frameworks::TensorFlow;
    /// use sagemaker::types::Compute;
    ///
    /// # let backend = sagemaker::local::LocalBackend::builder().profile(sagemaker::local::Profile::Lenient).build();
    /// # let session = sagemaker::Session::with_backend(&backend);
    /// # session.ensure_bucket().await?;
    /// let estimator = TensorFlow::builder(folder.join("train.py"))
    ///     .framework_version("2.11")
    ///     .py_version("py39")
    ///     .compute(Compute::instances("ml.m5.xlarge", 1))
    ///     .tags([("team", "forecast")])
    ///     .build()?;
    /// let done = estimator.fit(&session, sagemaker::training::Channels::default()).await?.wait().await?;
    /// let model = estimator.model(&session, &done).instance_type("ml.g5.xlarge").await?;
    /// let image = model.describe().await?.image().map(str::to_owned);
    /// assert!(image.is_some_and(|image| image.ends_with("/tensorflow-inference:2.11-gpu")));
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "local"))]
    /// # fn main() {}
    /// ```
    fn model(&self, session: &Session, trained: &Completed<Training>) -> CreateModel
    where
        Self: Sized,
    {
        self.hosting(session, trained)
    }
}

/// A model that the image serves which trained it.
pub(super) fn hosted_by_image<E: Estimator + ?Sized>(
    estimator: &E,
    session: &Session,
    trained: &Completed<Training>,
) -> CreateModel {
    let image = trained.description().training_image().map(str::to_owned);
    let image = image.map_or_else(|| estimator.image_uri(session.region()), |image| image.parse());
    hosted_for(estimator, CreateModel::from_training(session, image, model_data(trained)), trained)
}

/// A model with what it has from its estimator and its job.
pub(super) fn hosted_for<E: Estimator + ?Sized>(
    estimator: &E,
    model: CreateModel,
    trained: &Completed<Training>,
) -> CreateModel {
    let settings = estimator.settings();
    let model = hosted_as_trained(model, trained).tags_of_estimator(&settings.tags);
    match &settings.base_job_name {
        Some(base) => model.base_name(base),
        None => model,
    }
}

impl Completed<Training> {
    /// Creates a model from what the job has trained, without the estimator: for jobs that were started elsewhere.
    ///
    /// It is served by the image that trained it, in the job's network and with its role. What a script has trained in an
    /// image of a framework is refused, as code is needed to serve it: for these `attach` gives the estimator, such as
    /// [`PyTorch::attach`](crate::frameworks::PyTorch::attach), and its [`model`](EstimatorExt::model) is the one to serve.
    pub fn model(&self) -> CreateModel {
        let image = match self.description().training_image().map(str::parse::<ImageUri>) {
            Some(Ok(image)) if needs_code_to_serve(&image, self) => {
                let text = format!(
                    "{image} does not serve what a script has trained without code: attach the framework's estimator to the \
                     job, and use its model"
                );
                Err(Error::invalid("", text))
            }
            Some(image) => image,
            None => Err(Error::invalid("", "the job was trained by an algorithm without an image: use Model::create")),
        };
        hosted_as_trained(CreateModel::from_training(self.job().session(), image, model_data(self)), self)
    }
}

/// Whether what a job has trained is served by another image, or with code.
fn needs_code_to_serve(image: &ImageUri, trained: &Completed<Training>) -> bool {
    let hyperparameters = trained.description().raw().hyper_parameters();
    let ran_script = hyperparameters.is_some_and(|all| all.contains_key("sagemaker_program"));
    let serves_with_code = ["sagemaker-scikit-learn", "sagemaker-xgboost"].contains(&image.repository());
    image.repository().ends_with("-training") || (ran_script && serves_with_code)
}

/// What a job has trained, with the form that it is in.
pub(crate) fn model_data(trained: &Completed<Training>) -> Result<ModelData> {
    let uri = trained.model_artifacts()?;
    let output = trained.description().raw().output_data_config();
    match output.and_then(OutputDataConfig::compression_type) {
        Some(OutputCompressionType::None) => ModelData::files(&uri),
        _ => Ok(ModelData::Archive(uri)),
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
