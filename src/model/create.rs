use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use aws_sdk_sagemaker::operation::create_model::builders::CreateModelInputBuilder;
use aws_sdk_sagemaker::types as sdk;

use super::{Model, ModelData, SetOnModel, Unplaced, package};
use crate::aws::{RawChanges, ServiceCall};
use crate::error::Problems;
use crate::session::Found;
use crate::types::{Arn, GivenRole, ImageUri, ResourceName, Tags, VpcConfig};
use crate::{ErrorKind, Result, Session};

/// A model that is about to be created; `.await` it.
#[must_use = "nothing is created until it is awaited"]
pub struct CreateModel {
    session: Session,
    served_by: ServedBy,
    instance_type: Option<String>,
    model_data: Option<Result<ModelData>>,
    base_name: Option<String>,
    name: Option<String>,
    role: Option<String>,
    environment: BTreeMap<String, String>,
    vpc: Option<VpcConfig>,
    network_isolation: bool,
    tags: Tags,
    /// Whether endpoints and transform jobs are tagged like the model.
    passes_tags_on: bool,
    changes: RawChanges<CreateModelInputBuilder>,
}

/// What serves the artifacts.
#[derive(Debug)]
enum ServedBy {
    Image(Result<ImageUri>),
    /// An algorithm that is registered in SageMaker, by a model package of the model's name.
    Algorithm(Arn),
    /// An image, with code that is not in its place yet.
    Unplaced(Result<Box<dyn Unplaced>>),
}

impl CreateModel {
    pub(super) fn new(session: &Session, image: Result<ImageUri>) -> Self {
        Self {
            session: session.clone(),
            served_by: ServedBy::Image(image),
            instance_type: None,
            model_data: None,
            base_name: None,
            name: None,
            role: None,
            environment: BTreeMap::new(),
            vpc: None,
            network_isolation: false,
            tags: Tags::default(),
            passes_tags_on: false,
            changes: RawChanges::default(),
        }
    }

    pub(crate) fn from_training(session: &Session, image: Result<ImageUri>, model_data: Result<ModelData>) -> Self {
        Self { model_data: Some(model_data), ..Self::new(session, image) }
    }

    /// What has code that is put in its place when the model is created.
    pub(crate) fn with_code(session: &Session, model: Result<Box<dyn Unplaced>>) -> Self {
        let unused = Err(crate::Error::invalid("", "is found with the code"));
        Self { served_by: ServedBy::Unplaced(model), ..Self::new(session, unused) }
    }

    /// What a registered algorithm has trained.
    pub(crate) fn from_algorithm(session: &Session, algorithm: Arn, model_data: Result<ModelData>) -> Self {
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
        self.model_data = Some(uri.as_ref().parse().map(ModelData::Archive));
        self
    }

    /// The artifacts as files that are not packed: the S3 URI that they are below. Default: none.
    pub fn uncompressed_model_data(mut self, uri: impl AsRef<str>) -> Self {
        self.model_data = Some(uri.as_ref().parse().and_then(|uri| ModelData::files(&uri)));
        self
    }

    /// What it is to be deployed to, such as `ml.m5.large`. Needed for what a script of a framework has trained where the
    /// images that serve differ by it; nothing else asks for it.
    pub fn instance_type(mut self, instance_type: impl Into<String>) -> Self {
        self.instance_type = Some(instance_type.into());
        self
    }

    /// The model's name. Default: the base name with the time.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The role that the containers run as: its ARN, or its name, which is then looked up in IAM. Default: the session's
    /// [`execution_role`](Session::execution_role).
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
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

    /// Tags of the model. Default: those of the estimator that it is made by, else none.
    pub fn tags(mut self, tags: impl Into<Tags>) -> Self {
        self.tags = tags.into();
        self
    }

    /// The tags of an estimator, which are those of all that is made of what it has trained.
    pub(crate) fn tags_of_estimator(mut self, tags: &Tags) -> Self {
        self.tags = tags.clone();
        self.passes_tags_on = true;
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

    /// Puts the code in its place, which makes it a model of an image; of what was set here, that wins.
    async fn placed(mut self) -> Result<Self> {
        let unused = ServedBy::Image(Err(crate::Error::invalid("", "is replaced below")));
        let unplaced = match std::mem::replace(&mut self.served_by, unused) {
            ServedBy::Unplaced(unplaced) => unplaced,
            served_by => return Ok(Self { served_by, ..self }),
        };
        let mut problems = Problems::default();
        self.check(&mut problems);
        let unplaced = problems.check("model_data", unplaced);
        let data = self.model_data.and_then(|data| problems.check("model_data", data));
        problems.into_result()?;
        let Some(unplaced) = unplaced else { unreachable!("its absence is a problem above") };
        let set = SetOnModel {
            name: self.name,
            base_name: self.base_name,
            data,
            environment: self.environment,
            network_isolation: self.network_isolation,
            instance_type: self.instance_type,
        };
        let placed = unplaced.placed(&self.session, set).await?;
        Ok(Self {
            role: self.role.or(placed.role),
            vpc: self.vpc.or(placed.vpc),
            tags: self.tags,
            passes_tags_on: self.passes_tags_on,
            changes: self.changes,
            ..placed
        })
    }

    /// What can be refused whatever serves it.
    fn check(&self, problems: &mut Problems) {
        if let Some(name) = &self.name {
            problems.check("name", ResourceName::new(name.as_str()));
        }
        if let Some(role) = &self.role {
            problems.check("role", GivenRole::new(role.as_str()));
        }
        if let Some(vpc) = &self.vpc {
            vpc.validate(problems);
        }
        self.tags.validate(problems);
    }

    async fn create(self) -> Result<Model> {
        self.placed().await?.create_placed().await
    }

    async fn create_placed(self) -> Result<Model> {
        let mut problems = Problems::default();
        self.check(&mut problems);
        let (image, algorithm) = match self.served_by {
            ServedBy::Image(image) => (problems.check("image_uri", image), None),
            ServedBy::Algorithm(arn) => (None, Some(arn)),
            ServedBy::Unplaced(_) => unreachable!("its code was placed before"),
        };
        if algorithm.is_some() {
            let text = "is the algorithm's own: a package takes none";
            problems.require(self.environment.is_empty(), "environment", text);
        }
        let data = self.model_data.and_then(|data| problems.check("model_data", data));
        problems.into_result()?;

        let repository = || image.as_ref().map_or("model", |image| image.repository());
        let base = self.base_name.as_deref().unwrap_or_else(repository);
        let name = match self.name {
            Some(name) => ResourceName::new(name)?,
            None => self.session.name_from_base(base),
        };
        let role = match self.role {
            Some(role) => self.session.full_role(&GivenRole::new(role)?).await?,
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
                    .set_model_data_url(data.as_ref().and_then(ModelData::url))
                    .set_model_data_source(data.as_ref().and_then(ModelData::source))
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
        let model = if self.passes_tags_on { model.tagged(self.tags) } else { model };
        let find = || async {
            let description = model.describe().await?;
            let there = description.raw();
            let key = |of: &sdk::ContainerDefinition| {
                let text = |text: Option<&str>| text.map(str::to_owned);
                (
                    text(of.image()),
                    text(of.model_data_url()),
                    of.model_data_source().cloned(),
                    text(of.model_package_name()),
                )
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
