use aws_sdk_sagemaker::operation::describe_model::DescribeModelOutput;

use super::CreateModel;
use crate::aws::ServiceCall;
use crate::types::{ImageUri, ResourceName, Tags};
use crate::{Error, Result, Session};

/// A handle to a model: a name, cheap to clone. Dropping it deletes nothing.
#[derive(Debug, Clone)]
pub struct Model {
    session: Session,
    name: ResourceName,
    /// What its endpoints and transform jobs are tagged with unless they are told otherwise.
    tags: Tags,
}

/// What the service tells of a model.
#[derive(Debug, Clone)]
pub struct ModelDescription(DescribeModelOutput);

impl ModelDescription {
    /// All that the service told.
    pub fn raw(&self) -> &DescribeModelOutput {
        &self.0
    }

    /// The image of the (first) container.
    pub fn image(&self) -> Option<&str> {
        let container = self.0.primary_container().or_else(|| self.0.containers().first());
        container.and_then(|container| container.image())
    }
}

impl Model {
    pub(super) fn new(session: Session, name: ResourceName) -> Self {
        Self { session, name, tags: Tags::default() }
    }

    /// With tags for what is made of it.
    pub(super) fn tagged(self, tags: Tags) -> Self {
        Self { tags, ..self }
    }

    pub(crate) fn inherited_tags(&self) -> &Tags {
        &self.tags
    }

    /// Creates a model from an image: `.model_data(..)` adds artifacts, `.await` creates.
    ///
    /// ```no_run
    /// # async fn run(session: sagemaker::Session) -> sagemaker::Result<()> {
    /// use sagemaker::model::Model;
    ///
    /// let model = Model::create(&session, "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1")
    ///     .model_data("s3://my-bucket/model.tar.gz")
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(session: &Session, image_uri: impl Into<String>) -> CreateModel {
        CreateModel::new(session, ImageUri::new(image_uri))
    }

    /// A handle to a model that is there already; asks once whether it is.
    pub async fn attach(session: &Session, name: impl AsRef<str>) -> Result<Self> {
        let model = Self::new(session.clone(), ResourceName::new(name.as_ref())?);
        model.describe().await?;
        Ok(model)
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The session that the handle was made from.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Asks the service once.
    pub async fn describe(&self) -> Result<ModelDescription> {
        let asked = self.session.aws().sagemaker().describe_model().model_name(self.name()).send().await;
        asked.of("DescribeModel").map(ModelDescription)
    }

    /// Deletes the model; its artifacts in S3 stay.
    pub async fn delete(&self) -> Result<()> {
        let asked = self.session.aws().sagemaker().delete_model().model_name(self.name()).send().await;
        asked.of("DeleteModel").map(drop)
    }
}

/// A model that is there already is never silently used instead: it may be another one.
pub(super) fn taken(name: &str, error: Error) -> Error {
    let text = format!(
        "there is a model {name} already; choose another name, delete it, or use it as it is with Model::attach"
    );
    error.reworded(text)
}
