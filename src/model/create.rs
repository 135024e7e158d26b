use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::types as sdk;

use super::{Model, package};
use crate::aws::{RawChanges, ServiceCall};
use crate::error::Problems;
use crate::session::Found;
use crate::types::{Arn, ImageUri, ResourceName, S3Uri, Tags, VpcConfig};
use crate::{ErrorKind, Result, Session};

/// A model that is about to be created; `.await` it.
#[must_use = "nothing is created until it is awaited"]
pub struct CreateModel {
    session: Session,
    served_by: ServedBy,
    model_data: Option<Result<S3Uri>>,
    base_name: Option<String>,
    name: Option<String>,
    role: Option<String>,
    environment: BTreeMap<String, String>,
    vpc: Option<VpcConfig>,
    network_isolation: bool,
    tags: Tags,
    changes: RawChanges<CreateModelInputBuilder>,
}

/// What serves the artifacts.
#[derive(Debug)]
enum ServedBy {
    Image(Result<ImageUri>),
    /// An algorithm that is registered in SageMaker, by a model package of the model's name.
    Algorithm(Arn),
}

impl CreateModel {
    pub(super) fn new(session: &Session, image: Result<ImageUri>) -> Self {
        Self {
            session: session.clone(),
            served_by: ServedBy::Image(image),
            model_data: None,
            base_name: None,
            name: None,
            role: None,
            environment: BTreeMap::new(),
            vpc: None,
            network_isolation: false,
            tags: Tags::default(),
            changes: RawChanges::default(),
        }
    }

    pub(crate) fn from_training(session: &Session, image: Result<ImageUri>, model_data: Result<S3Uri>) -> Self {
        Self { model_data: Some(model_data), ..Self::new(session, image) }
    }

    /// What a registered algorithm has trained.
    pub(crate) fn from_algorithm(session: &Session, algorithm: Arn, model_data: Result<S3Uri>) -> Self {
        let base = algorithm.resource().rsplit('/').next().map(str::to_owned);
        let served_by = ServedBy::Algorithm(algorithm);
        let unused = Err(crate::Error::invalid("", "an algorithm serves"));
        Self { served_by, base_name: base, ..Self::from_training(session, unused, model_data) }
    }

    /// What a generated name begins with. Default: the image's repository, or the algorithm's name.
    pub fn base_name(mut self, base: impl Into<String>) -> Self {
        self.base_name = Some(base.into());
        self
    }

    /// The artifacts: the S3 URI of a `model.tar.gz`. Default: none, for images that bring their own.
    pub fn model_data(mut self, uri: impl AsRef<str>) -> Self {
        self.model_data = Some(uri.as_ref().parse());
        self
    }

    /// The model's name. Default: the base name with the time.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The role (ARN) that the containers run as. Default: the session's [`execution_role`](Session::execution_role).
    pub fn role(mut self, arn: impl Into<String>) -> Self {
        self.role = Some(arn.into());
        self
    }

    /// An environment variable of the container.
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// The private network to join. Default: none.
    pub fn vpc(mut self, vpc: VpcConfig) -> Self {
        self.vpc = Some(vpc);
        self
    }

    /// Cuts the container off from every network. Default: off.
    pub fn network_isolation(mut self) -> Self {
        self.network_isolation = true;
        self
    }

    /// Tags of the model. Default: none.
    pub fn tags(mut self, tags: impl Into<Tags>) -> Self {
        self.tags = tags.into();
        self
    }

    /// Changes the request before it is sent: the door to what this crate has no setter for.
    pub fn map_raw(
        mut self,
        change: impl FnOnce(CreateModelInputBuilder) -> CreateModelInputBuilder + Send + 'static,
    ) -> Self {
        self.changes.push(change);
        self
    }

    async fn create(self) -> Result<Model> {
        let mut problems = Problems::default();
        let (image, algorithm) = match self.served_by {
            ServedBy::Image(image) => (problems.check("image_uri", image), None),
            ServedBy::Algorithm(arn) => (None, Some(arn)),
        };
        if algorithm.is_some() {
            let text = "is the algorithm's own: a package takes none";
            problems.require(self.environment.is_empty(), "environment", text);
        }
        let data = self.model_data.and_then(|data| problems.check("model_data", data));
        let given_name = self.name.map(|name| problems.check("name", ResourceName::new(name)));
        let role = self.role.map(|role| problems.check("role", Arn::role(role)));
        if let Some(vpc) = &self.vpc {
            vpc.validate(&mut problems);
        }
        self.tags.validate(&mut problems);
        problems.into_result()?;

        let repository = || image.as_ref().map_or("model", |image| image.repository());
        let base = self.base_name.as_deref().unwrap_or_else(repository);
        let name = given_name.flatten().unwrap_or_else(|| self.session.name_from_base(base));
        let role = match role.flatten() {
            Some(role) => role,
            None => self.session.role_for("SageMaker.Model.ExecutionRoleArn").await?,
        };
        let mut request = CreateModelInputBuilder::default().model_name(name.as_str()).execution_role_arn(role);
        request = match algorithm {
            Some(algorithm) => {
                Box::pin(package::of_algorithm(&self.session, &name, &algorithm, data.as_ref())).await?;
                request.containers(sdk::ContainerDefinition::builder().model_package_name(name.as_str()).build())
            }
            None => {
                let container = sdk::ContainerDefinition::builder()
                    .set_image(image.map(String::from))
                    .set_model_data_url(data.map(String::from))
                    .set_environment(Some(self.environment.into_iter().collect()));
                request.primary_container(container.build())
            }
        };
        if let Some(vpc) = self.vpc {
            let vpc = sdk::VpcConfig::builder()
                .set_subnets(Some(vpc.subnets))
                .set_security_group_ids(Some(vpc.security_group_ids));
            request = request.vpc_config(vpc.build());
        }
        if self.network_isolation {
            request = request.enable_network_isolation(true);
        }
        for (key, value) in self.tags.iter() {
            request = request.tags(sdk::Tag::builder().key(key).value(value).build());
        }
        tracing::debug!(model = %name, "create model");
        let asked = self.changes.apply(self.session.defaults().model(request));
        let model = Model::new(self.session.clone(), name);
        let find = || async {
            let description = model.describe().await?;
            let there = description.raw();
            let key = |of: &sdk::ContainerDefinition| {
                let text = |text: Option<&str>| text.map(str::to_owned);
                (text(of.image()), text(of.model_data_url()), text(of.model_package_name()))
            };
            let all = |primary: Option<&sdk::ContainerDefinition>, others: &[sdk::ContainerDefinition]| {
                primary.into_iter().chain(others).map(key).collect::<Vec<_>>()
            };
            let others = asked.get_containers().as_deref().unwrap_or_default();
            let as_asked = there.execution_role_arn() == asked.get_execution_role_arn().as_deref()
                && all(there.primary_container(), there.containers())
                    == all(asked.get_primary_container().as_ref(), others);
            Ok(Found::new(there.creation_time(), as_asked))
        };
        let call = async { asked.clone().send_with(self.session.aws().sagemaker()).await.of("CreateModel") };
        match self.session.create(format!("model {}", model.name()), call, find).await {
            Ok(()) => Ok(model),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(super::handle::taken(model.name(), error)),
            Err(error) => Err(error),
        }
    }
}

impl IntoFuture for CreateModel {
    type Output = Result<Model>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.create())
    }
}

impl fmt::Debug for CreateModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateModel")
            .field("served_by", &self.served_by)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
