//! One account in several regions. Each region has resources, logs and metrics of its own; buckets, roles, time and all
//! else belong to the account.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_types::body::SdkBody;
use http::Request;

use super::backend::Core;
use super::router::{self, Service};

/// More regions than AWS has; whoever names more of them is answered by the backend's own.
const MAX_REGIONS: usize = 64;

/// The regions that somebody has asked, besides the backend's own.
#[derive(Default)]
pub(super) struct Regions(Mutex<BTreeMap<String, Arc<Core>>>);

impl Regions {
    /// The region that a request is for, by its signature. What cannot be told, and what has no regions, is for the
    /// backend's own; so is everything with a data directory, which holds one region.
    pub(super) fn of(&self, home: &Arc<Core>, service: &Service, request: &Request<SdkBody>) -> Arc<Core> {
        let regional = matches!(service, Service::SageMaker | Service::Runtime | Service::Logs | Service::CloudWatch);
        let asked = router::signed_region(request).filter(|region| regional && is_region(region));
        match asked {
            Some(region) if region != home.place.region && !home.is_on_disk() => self.other(home, region),
            _ => home.clone(),
        }
    }

    fn other(&self, home: &Arc<Core>, region: String) -> Arc<Core> {
        let mut others = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if others.len() >= MAX_REGIONS && !others.contains_key(&region) {
            return home.clone();
        }
        others.entry(region.clone()).or_insert_with(|| Arc::new(Core::in_region(home, region))).clone()
    }

    /// Forgets what the regions hold.
    pub(super) fn reset(&self) {
        let others = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        others.values().for_each(|core| core.forget());
    }
}

/// The form of `eu-central-1` and `us-gov-west-1`.
fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let words = |parts: &[&str]| parts.iter().all(|word| word.bytes().all(|c| c.is_ascii_lowercase()));
    match parts.split_last() {
        Some((number, rest)) => {
            (2..=4).contains(&rest.len())
                && name.len() <= 32
                && words(rest)
                && !rest.contains(&"")
                && matches!(number.as_bytes(), [b'1'..=b'9'])
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::local::LocalBackend;

    async fn call(backend: &LocalBackend, region: &str, operation: &str, body: Value) -> Value {
        let scope = format!("Credential=a/20260101/{region}/sagemaker/aws4_request, SignedHeaders=host, Signature=0");
        let request = Request::post("http://127.0.0.1/").header("x-amz-target", format!("SageMaker.{operation}"));
        let request = request
            .header("authorization", format!("AWS4-HMAC-SHA256 {scope}"))
            .header("x-amz-date", "20260101T000000Z");
        let request = request.body(SdkBody::from(body.to_string())).unwrap();
        let answer = backend.handle(request).await;
        serde_json::from_slice(answer.body().bytes().unwrap_or_default()).unwrap_or_default()
    }

    #[test]
    fn regions_have_their_form() {
        for good in ["us-east-1", "ap-southeast-2", "us-gov-west-1", "eusc-de-east-1"] {
            assert!(is_region(good), "{good}");
        }
        for bad in ["", "us", "us-1", "us-east-10", "us-east-0", "US-east-1", "us--east-1", "../x-y-1", "a-b-c-d-e-1"] {
            assert!(!is_region(bad), "{bad}");
        }
    }

    #[tokio::test]
    async fn each_region_has_its_own_resources_and_the_account_its_roles() {
        let backend = LocalBackend::new();
        let workteam = json!({"CodeRepositoryName": "r", "GitConfig": {"RepositoryUrl": "https://example.com/r.git"}});
        let made = call(&backend, "eu-west-1", "CreateCodeRepository", workteam.clone()).await;
        assert_eq!(made["CodeRepositoryArn"], "arn:aws:sagemaker:eu-west-1:123456789012:code-repository/r");
        let listed = |region: &'static str| call(&backend, region, "ListCodeRepositories", json!({}));
        assert_eq!(listed("eu-west-1").await["CodeRepositorySummaryList"].as_array().unwrap().len(), 1);
        assert_eq!(listed("us-east-1").await["CodeRepositorySummaryList"].as_array().unwrap().len(), 0);
        let job = json!({
            "TrainingJobName": "j", "RoleArn": backend.role_arn(),
            "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": "s3://none/out"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        });
        let refused = call(&backend, "eu-west-1", "CreateTrainingJob", job).await;
        assert!(refused["message"].as_str().unwrap().contains("output S3 bucket"), "the role is known: {refused}");
        backend.reset();
        assert_eq!(listed("eu-west-1").await["CodeRepositorySummaryList"].as_array().unwrap().len(), 0);
        assert_eq!(backend.requests().len(), 1, "one record for all regions");
    }

    #[tokio::test]
    async fn made_up_regions_cost_nothing() {
        let backend = LocalBackend::new();
        for i in 0..200_u8 {
            let region = format!("{}{}-x-1", char::from(b'a' + i % 26), char::from(b'a' + i / 26));
            call(&backend, &region, "ListModels", json!({})).await;
        }
        assert!(backend.regions().0.lock().unwrap().len() <= MAX_REGIONS);
    }
}
