use std::fmt;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

use crate::api_model::{self, Service, Strictness, Violation};

/// Checks each SageMaker request against the API model once it is written and before anything else happens: no
/// credentials are asked for, nothing is signed, sent or retried when it is refused.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValidateRequests;

impl Intercept for ValidateRequests {
    fn name(&self) -> &'static str {
        "ValidateRequests"
    }

    fn read_after_serialization(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let target = request.headers().get("x-amz-target");
        let Some(operation) = target.and_then(|target| target.strip_prefix("SageMaker.")) else { return Ok(()) };
        let Some(input) = request.body().bytes().and_then(|body| serde_json::from_slice::<Value>(body).ok()) else {
            return Ok(());
        };
        match api_model::validate(Service::SageMaker, operation, &input, Strictness::Client) {
            Ok(violations) if !violations.is_empty() => {
                Err(Box::new(RequestRefused { operation: operation.to_owned(), violations }))
            }
            // The client may know operations that the tables do not have.
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// A request that was not sent because the API model does not allow its values.
///
/// Found by walking the `source()` chain of the `SdkError`; see [`RequestRefused::find`].
#[derive(Debug)]
pub(crate) struct RequestRefused {
    pub(crate) operation: String,
    pub(crate) violations: Vec<Violation>,
}

impl RequestRefused {
    /// The refusal in an error or behind it.
    pub(crate) fn find<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(refused) = error.downcast_ref() {
                return Some(refused);
            }
            next = error.source();
        }
        None
    }
}

impl fmt::Display for RequestRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.violations.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            let dot = if violation.field.is_empty() { ": " } else { "." };
            write!(f, "{separator}{}{dot}{violation}", self.operation)?;
        }
        Ok(())
    }
}

impl std::error::Error for RequestRefused {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_sdk_sagemaker::Client;
    use aws_sdk_sagemaker::config::retry::RetryConfig;
    use aws_sdk_sagemaker::config::{Config, Credentials, Region};
    use aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobFluentBuilder;
    use aws_sdk_sagemaker::types::{
        AlgorithmSpecification, OutputDataConfig, ResourceConfig, StoppingCondition, TrainingInputMode,
        TrainingInstanceType,
    };
    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::result::SdkError;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// Answers everything with the same job and counts what reaches it.
    #[derive(Debug, Clone, Default)]
    struct Canned(Arc<AtomicUsize>);

    impl HttpConnector for Canned {
        fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
            self.0.fetch_add(1, Ordering::Relaxed);
            let body = r#"{"TrainingJobArn":"arn:aws:sagemaker:eu-west-1:123456789012:training-job/a"}"#;
            let status = 200.try_into().expect("a status");
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
        }
    }

    impl HttpClient for Canned {
        fn http_connector(
            &self,
            _settings: &HttpConnectorSettings,
            _components: &RuntimeComponents,
        ) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    fn client(http: &Canned) -> Client {
        let config = Config::builder()
            .behavior_version_latest()
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(Credentials::new("id", "key", None, None, "test"))
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .http_client(http.clone())
            .interceptor(ValidateRequests);
        Client::from_conf(config.build())
    }

    fn training_job(client: &Client, name: &str) -> CreateTrainingJobFluentBuilder {
        let image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/image:1";
        client
            .create_training_job()
            .training_job_name(name)
            .role_arn("arn:aws:iam::123456789012:role/R")
            .algorithm_specification(
                AlgorithmSpecification::builder()
                    .training_image(image)
                    .training_input_mode(TrainingInputMode::File)
                    .build(),
            )
            .output_data_config(OutputDataConfig::builder().s3_output_path("s3://bucket/out").build())
            .resource_config(
                ResourceConfig::builder()
                    .instance_type(TrainingInstanceType::from("ml.new.large"))
                    .instance_count(1)
                    .volume_size_in_gb(1)
                    .build(),
            )
            .stopping_condition(StoppingCondition::builder().max_runtime_in_seconds(60).build())
    }

    #[tokio::test]
    async fn a_good_request_is_sent() {
        let http = Canned::default();
        let answer = training_job(&client(&http), "a-b").environment("TOKEN", "secret").send().await.unwrap();
        assert!(answer.training_job_arn().unwrap().ends_with("/a"));
        assert_eq!(http.0.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_bad_request_is_not_sent_and_says_why() {
        let http = Canned::default();
        let request = training_job(&client(&http), "a_b").environment("TO-KEN", "secret");
        let error = request.set_role_arn(None).send().await.unwrap_err();
        assert_eq!(http.0.load(Ordering::Relaxed), 0);
        assert!(matches!(error, SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_)), "{error:?}");

        let refused = RequestRefused::find(&error).expect("the refusal behind the SDK's error");
        assert_eq!(refused.operation, "CreateTrainingJob");
        let fields: Vec<&str> = refused.violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["TrainingJobName", "RoleArn", "Environment.TO-KEN"]);
        let text = refused.to_string();
        assert!(
            text.starts_with(
                "CreateTrainingJob.TrainingJobName: \"a_b\" must match [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}; \
                 CreateTrainingJob.RoleArn: is required; CreateTrainingJob.Environment.TO-KEN: "
            ),
            "{text}"
        );
        assert!(!format!("{error:?} {text}").contains("secret"));
    }

    #[tokio::test]
    async fn requests_without_input_and_of_other_shapes_pass() {
        let http = Canned::default();
        client(&http).list_training_jobs().send().await.unwrap();
        client(&http).delete_endpoint().endpoint_name("a").send().await.unwrap();
        assert_eq!(http.0.load(Ordering::Relaxed), 2);
        let error = client(&http).list_training_jobs().max_results(101).send().await.unwrap_err();
        let refused = RequestRefused::find(&error).expect("the refusal behind the SDK's error");
        assert_eq!(refused.to_string(), "ListTrainingJobs.MaxResults: 101 must be at most 100");
    }

    #[test]
    fn an_error_without_a_refusal_has_none() {
        assert!(RequestRefused::find(&std::io::Error::other("x")).is_none());
    }
}
