use std::path::Path;

use super::Session;
use crate::aws::ServiceCall;
use crate::types::{Arn, GivenRole};
use crate::{Error, ErrorKind, Result};

/// Where SageMaker tells its notebooks and Studio apps who they are.
const METADATA: &str = "/opt/ml/metadata/resource-metadata.json";
/// Where SageMaker tells the containers of a processing job about it.
const PROCESSING: &str = "/opt/ml/config/processingjobconfig.json";
/// The containers of a training job have it in their environment.
const TRAINING_JOB: &str = "TRAINING_JOB_NAME";

impl Session {
    /// The IAM role that jobs and models run as, found as the Python SDK finds it, and remembered:
    ///
    /// 1. the role given to [`Session::builder`], looked up in IAM if it was given by name;
    /// 2. inside SageMaker: the role of the Studio app, notebook instance, user profile, domain or processing job;
    /// 3. the role that the caller has assumed, with its path looked up in IAM or, inside a training job, told by the job.
    ///
    /// The Python SDK knows neither the processing nor the training job, and gives a role without its path there if IAM
    /// may not be asked.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with everything that was tried, if none of these gives a role; those of IAM for a role that was
    /// given by name.
    pub async fn execution_role(&self) -> Result<Arn> {
        let found = || async {
            match &self.0.role {
                Some(role) => self.full_role(role).await,
                None => self.find_role().await,
            }
        };
        self.0.resolved_role.get_or_try_init(found).await.cloned()
    }

    /// The ARN of a role; one that was given by name is looked up in IAM.
    pub(crate) async fn full_role(&self, role: &GivenRole) -> Result<Arn> {
        match role {
            GivenRole::Arn(arn) => Ok(arn.clone()),
            GivenRole::Name(name) => self.aws().iam().role(name).await,
        }
    }

    async fn find_role(&self) -> Result<Arn> {
        let mut tried = vec!["Session::builder().role(..): not given".to_owned()];
        match self.role_inside_sagemaker(Path::new(METADATA)).await {
            Ok(Some(role)) => return Ok(role),
            Ok(None) => tried.push(format!("{METADATA}: not there, so this is no SageMaker notebook or Studio app")),
            Err(error) => tried.push(format!("{METADATA}: {error}")),
        }
        match role_of_processing(Path::new(PROCESSING)).await {
            Ok(Some(role)) => return Ok(role),
            Ok(None) => {}
            Err(error) => tried.push(format!("{PROCESSING}: {error}")),
        }
        match self.assumed_role(std::env::var(TRAINING_JOB).ok()).await {
            Ok(role) => return Ok(role),
            Err(error) => tried.push(format!("the caller's identity: {error}")),
        }
        let text = format!(
            "no execution role was found; pass Session::builder().role(\"arn:aws:iam::<account>:role/<name>\"). Tried: {}",
            tried.join("; ")
        );
        Err(Error::new(ErrorKind::Config, text))
    }

    /// `None` outside SageMaker.
    async fn role_inside_sagemaker(&self, metadata: &Path) -> Result<Option<Arn>> {
        let Some(told) = json_file(metadata).await? else { return Ok(None) };
        let field = |name: &str| told.get(name).and_then(serde_json::Value::as_str);
        if let Some(role) = field("ExecutionRoleArn") {
            return Arn::role(role).map(Some);
        }
        let client = self.aws().sagemaker();
        let role = match (field("DomainId"), field("UserProfileName"), field("SpaceName"), field("ResourceName")) {
            (Some(domain), Some(profile), _, _) => {
                let profile = client.describe_user_profile().domain_id(domain).user_profile_name(profile).send().await;
                let own = profile.of("DescribeUserProfile")?.user_settings.and_then(|s| s.execution_role);
                match own {
                    Some(role) => Some(role),
                    None => self.domain_role(domain, false).await?,
                }
            }
            (Some(domain), None, Some(_), _) => self.domain_role(domain, true).await?,
            (None, _, _, Some(notebook)) => {
                let notebook = client.describe_notebook_instance().notebook_instance_name(notebook).send().await;
                notebook.of("DescribeNotebookInstance")?.role_arn
            }
            _ => None,
        };
        match role {
            Some(role) => Arn::role(role).map(Some),
            None => Err(Error::new(ErrorKind::Config, "names neither a role nor anything that has one")),
        }
    }

    /// The role of the training job that this runs in, if it is the one that was assumed.
    async fn role_of_training(&self, job: Option<String>, name: &str) -> Option<Arn> {
        let described = self.aws().sagemaker().describe_training_job().training_job_name(job?).send().await;
        let role = Arn::role(described.of("DescribeTrainingJob").ok()?.role_arn?).ok()?;
        (role.resource().rsplit('/').next() == Some(name)).then_some(role)
    }

    async fn domain_role(&self, domain: &str, space: bool) -> Result<Option<String>> {
        let domain = self.aws().sagemaker().describe_domain().domain_id(domain).send().await.of("DescribeDomain")?;
        let of_space = domain.default_space_settings.and_then(|s| s.execution_role);
        let of_user = domain.default_user_settings.and_then(|s| s.execution_role);
        Ok(if space { of_space.or(of_user) } else { of_user })
    }

    async fn assumed_role(&self, training_job: Option<String>) -> Result<Arn> {
        let identity = self.identity().await?;
        let arn = &identity.arn;
        let Some(name) = assumed_role_name(arn) else {
            return Err(Error::new(ErrorKind::Config, format!("{arn} is a user or the root account, not a role")));
        };
        match self.aws().iam().role(name).await {
            Ok(role) => Ok(role),
            Err(_) => {
                if let Some(role) = self.role_of_training(training_job, name).await {
                    return Ok(role);
                }
                // Without leave to look the path up, it is guessed as the Python SDK does.
                let path = if name.starts_with("AmazonSageMaker-ExecutionRole") { "service-role/" } else { "" };
                Arn::role(format!("arn:{}:iam::{}:role/{path}{name}", arn.partition(), arn.account()))
            }
        }
    }
}

/// `None` if there is no such file.
async fn json_file(path: &Path) -> Result<Option<serde_json::Value>> {
    let text = match tokio::fs::read(path).await {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let told = serde_json::from_slice(&text);
    told.map(Some).map_err(|e| Error::new(ErrorKind::Config, "is not valid JSON").with_source(e))
}

/// `None` outside of processing jobs.
async fn role_of_processing(config: &Path) -> Result<Option<Arn>> {
    let told = json_file(config).await?;
    let role = told.as_ref().and_then(|told| told.get("RoleArn")).and_then(serde_json::Value::as_str);
    role.map(Arn::role).transpose()
}

/// `NAME` of `arn:aws:sts::123456789012:assumed-role/NAME/SESSION`.
fn assumed_role_name(arn: &Arn) -> Option<&str> {
    match arn.resource().split('/').collect::<Vec<_>>()[..] {
        ["assumed-role", name, ..] if arn.service() == "sts" => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_assumed_roles_name_a_role() {
        let name = |arn: &str| assumed_role_name(&Arn::new(arn).unwrap()).map(str::to_owned);
        assert_eq!(name("arn:aws:sts::123456789012:assumed-role/Dev/alice"), Some("Dev".into()));
        assert_eq!(name("arn:aws:iam::123456789012:user/alice"), None);
        assert_eq!(name("arn:aws:iam::123456789012:root"), None);
    }

    #[tokio::test]
    async fn a_processing_job_names_its_role() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("processingjobconfig.json");
        assert_eq!(role_of_processing(&path).await.unwrap(), None);
        std::fs::write(&path, r#"{"ProcessingJobName": "p", "RoleArn": "arn:aws:iam::123456789012:role/a/b"}"#)
            .unwrap();
        assert_eq!(role_of_processing(&path).await.unwrap().unwrap().as_str(), "arn:aws:iam::123456789012:role/a/b");
        std::fs::write(&path, "{").unwrap();
        assert!(role_of_processing(&path).await.is_err());
    }

    #[cfg(feature = "local")]
    #[tokio::test]
    async fn metadata_of_an_app_names_the_role() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("resource-metadata.json");
        let session = Session::local();
        assert_eq!(session.role_inside_sagemaker(&path).await.unwrap(), None);
        std::fs::write(&path, r#"{"ExecutionRoleArn": "arn:aws:iam::123456789012:role/Studio"}"#).unwrap();
        let role = session.role_inside_sagemaker(&path).await.unwrap().unwrap();
        assert_eq!(role.as_str(), "arn:aws:iam::123456789012:role/Studio");
        for bad in ["{", "{}", r#"{"ExecutionRoleArn": "arn:aws:iam::123456789012:user/x"}"#] {
            std::fs::write(&path, bad).unwrap();
            assert!(session.role_inside_sagemaker(&path).await.is_err(), "{bad}");
        }
    }

    #[cfg(feature = "local")]
    mod inside_a_training_job {
        use super::*;
        use crate::local::{Fault, LocalBackend, Profile};
        use crate::session::identity::Identity;

        const JOB: &str = "inside";

        /// A session that has assumed the role of a name, beside a job with the role of an ARN; IAM may not be asked.
        async fn session(name: &str, role_of_job: &str) -> (LocalBackend, Session) {
            let backend = LocalBackend::builder().profile(Profile::Lenient).build();
            backend.faults().add(Fault::refuse(403, "AccessDenied", "not you").on("GetRole"));
            let session = Session::with_backend(&backend);
            let arn = Arn::new(format!("arn:aws:sts::123456789012:assumed-role/{name}/SageMaker")).unwrap();
            let _ = session.0.identity.set(Identity { account: "123456789012".to_owned(), arn });
            let output = aws_sdk_sagemaker::types::OutputDataConfig::builder().s3_output_path("s3://bucket/out");
            let resources = aws_sdk_sagemaker::types::ResourceConfig::builder()
                .instance_type(aws_sdk_sagemaker::types::TrainingInstanceType::MlM5Large)
                .instance_count(1)
                .volume_size_in_gb(1);
            let stopping = aws_sdk_sagemaker::types::StoppingCondition::builder().max_runtime_in_seconds(60);
            let algorithm = aws_sdk_sagemaker::types::AlgorithmSpecification::builder()
                .training_image("stand-in:1")
                .training_input_mode(aws_sdk_sagemaker::types::TrainingInputMode::File);
            let started = session.aws().sagemaker().create_training_job().training_job_name(JOB).role_arn(role_of_job);
            let started = started.output_data_config(output.build()).resource_config(resources.build());
            let started = started.stopping_condition(stopping.build()).algorithm_specification(algorithm.build());
            started.send().await.unwrap();
            (backend, session)
        }

        async fn found(name: &str, role_of_job: &str, job: Option<&str>) -> String {
            let (_backend, session) = session(name, role_of_job).await;
            session.assumed_role(job.map(str::to_owned)).await.unwrap().to_string()
        }

        #[tokio::test]
        async fn the_job_tells_the_path_of_its_role() {
            let role = "arn:aws:iam::123456789012:role/team/a/Trainer";
            assert_eq!(found("Trainer", role, Some(JOB)).await, role);
        }

        #[tokio::test]
        async fn a_role_of_another_name_or_no_job_tells_nothing() {
            let role = "arn:aws:iam::123456789012:role/team/a/Trainer";
            let plain = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
            // The program has assumed a role of its own meanwhile.
            assert_eq!(found("Other", role, Some(JOB)).await, plain("Other"));
            assert_eq!(found("Trainer", role, Some("no-such-job")).await, plain("Trainer"));
            assert_eq!(found("Trainer", role, None).await, plain("Trainer"));
            let studio = "AmazonSageMaker-ExecutionRole-20240101T000000";
            assert_eq!(found(studio, role, None).await, plain(&format!("service-role/{studio}")));
        }

        #[tokio::test]
        async fn iam_is_asked_first() {
            let role = "arn:aws:iam::123456789012:role/team/a/SageMakerRole";
            let (backend, session) = session("SageMakerRole", role).await;
            backend.faults().clear();
            let found = session.assumed_role(Some(JOB.to_owned())).await.unwrap();
            assert_eq!(found.as_str(), "arn:aws:iam::123456789012:role/SageMakerRole");
            let described = |request: &crate::local::RecordedRequest| request.operation == "DescribeTrainingJob";
            assert!(!backend.requests().iter().any(described));
        }
    }
}
