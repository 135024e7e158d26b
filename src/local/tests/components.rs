//! Inference components.

use std::time::Duration;

use aws_sdk_sagemaker::types as sm;

use super::support::{Aws, ECHO, refusal, validation};
use crate::local::LocalClock;

const ARN: &str = "arn:aws:sagemaker:us-east-1:123456789012";

/// An endpoint that hosts components.
async fn endpoint(aws: &Aws, name: &str) {
    let variant = sm::ProductionVariant::builder()
        .variant_name("V")
        .initial_instance_count(1)
        .instance_type(sm::ProductionVariantInstanceType::MlM5Large)
        .build();
    let config = || aws.sagemaker.create_endpoint_config().endpoint_config_name(name);
    let without_role = config().production_variants(variant.clone()).send().await;
    assert!(refusal(without_role).1.starts_with("An ExecutionRoleArn is required"));
    config().production_variants(variant).execution_role_arn(aws.backend.role_arn()).send().await.unwrap();
    aws.create_endpoint(name, name).await;
}

fn requirements() -> sm::InferenceComponentComputeResourceRequirements {
    sm::InferenceComponentComputeResourceRequirements::builder().min_memory_required_in_mb(128).build()
}

fn of_model(model: &str) -> sm::InferenceComponentSpecification {
    sm::InferenceComponentSpecification::builder()
        .model_name(model)
        .compute_resource_requirements(requirements())
        .build()
}

fn copies(count: i32) -> sm::InferenceComponentRuntimeConfig {
    sm::InferenceComponentRuntimeConfig::builder().copy_count(count).build()
}

impl Aws {
    fn component(
        &self,
        name: &str,
    ) -> aws_sdk_sagemaker::operation::create_inference_component::builders::CreateInferenceComponentFluentBuilder {
        let create = self.sagemaker.create_inference_component().inference_component_name(name).endpoint_name("e");
        create.variant_name("V").runtime_config(copies(1))
    }

    async fn status(&self, name: &str) -> String {
        let describe = self.sagemaker.describe_inference_component().inference_component_name(name);
        describe.send().await.unwrap().inference_component_status().unwrap().as_str().to_owned()
    }

    async fn ask(&self, component: &str) -> Result<String, (String, String)> {
        match self.invoke("e", "1").inference_component_name(component).send().await {
            Ok(answer) => Ok(String::from_utf8(answer.body().unwrap().as_ref().to_vec()).unwrap()),
            Err(error) => Err(refusal::<(), _>(Err(error))),
        }
    }
}

#[tokio::test]
async fn components_come_up_answer_change_and_go() {
    let aws = Aws::with_clock(LocalClock::manual());
    let clock = aws.backend.clock().clone();
    let pass = |seconds| {
        clock.advance(Duration::from_secs(seconds));
        clock.settle()
    };
    aws.model("seven", "7").await;
    endpoint(&aws, "e").await;
    let early = aws.component("c").specification(of_model("seven")).send().await;
    assert_eq!(
        refusal(early),
        validation(&format!("Endpoint \"{ARN}:endpoint/e\" is in status Creating; it must be InService."))
    );
    pass(30).await;
    let missing = ("ValidationError".to_owned(), "Inference Component Name header is required for endpoints to which you plan to deploy inference components. Please include Inference Component Name header or consider using SageMaker models.".to_owned());
    assert_eq!(refusal(aws.invoke("e", "1").send().await), missing);

    let created = aws.component("c").specification(of_model("seven")).send().await.unwrap();
    let arn = format!("{ARN}:inference-component/c");
    assert_eq!(created.inference_component_arn(), Some(arn.as_str()));
    assert_eq!(aws.status("c").await, "Creating");
    let delete = || aws.sagemaker.delete_inference_component().inference_component_name("c").send();
    assert_eq!(
        refusal(delete().await),
        validation(&format!("Cannot update in-progress inference component \"{arn}\"."))
    );
    assert_eq!(aws.ask("c").await.unwrap_err().1, "Inference Component c not found for endpoint e.");
    pass(30).await;
    assert_eq!((aws.status("c").await.as_str(), aws.ask("c").await), ("InService", Ok("7".to_owned())));

    let container = sm::InferenceComponentContainerSpecification::builder().image(ECHO).environment("A", "b").build();
    let own = sm::InferenceComponentSpecification::builder()
        .container(container)
        .compute_resource_requirements(requirements())
        .build();
    let update = aws.sagemaker.update_inference_component().inference_component_name("c").specification(own);
    update.runtime_config(copies(3)).send().await.unwrap();
    assert_eq!((aws.status("c").await.as_str(), aws.ask("c").await), ("Updating", Ok("7".to_owned())));
    pass(30).await;
    assert_eq!(aws.ask("c").await, Ok("1".to_owned()));
    let described = aws.sagemaker.describe_inference_component().inference_component_name("c").send().await.unwrap();
    let config = described.runtime_config().unwrap();
    assert_eq!((config.desired_copy_count(), config.current_copy_count()), (Some(3), Some(3)));
    let container = described.specification().unwrap().container().unwrap();
    assert_eq!(container.deployed_image().unwrap().specified_image(), Some(ECHO));
    assert_eq!((described.endpoint_name(), described.variant_name()), (Some("e"), Some("V")));

    let scale = aws.sagemaker.update_inference_component_runtime_config().inference_component_name("c");
    scale.desired_runtime_config(copies(0)).send().await.unwrap();
    pass(30).await;
    assert!(aws.ask("c").await.unwrap_err().1.starts_with("Inference Component has no capacity"));

    let refused = refusal(aws.sagemaker.delete_endpoint().endpoint_name("e").send().await);
    assert!(refused.1.contains("because it hosts inference components"), "{refused:?}");
    delete().await.unwrap();
    assert_eq!(aws.status("c").await, "Deleting");
    pass(5).await;
    assert_eq!(refusal(delete().await), validation(&format!("Could not find inference component \"{arn}\".")));
    aws.sagemaker.delete_endpoint().endpoint_name("e").send().await.unwrap();
}

#[tokio::test]
async fn components_are_listed_by_endpoint() {
    let aws = Aws::new();
    aws.model("m", "1").await;
    aws.deploy("other", "1").await;
    endpoint(&aws, "e").await;
    aws.backend.clock().settle().await;
    for name in ["a", "b"] {
        aws.component(name).specification(of_model("m")).send().await.unwrap();
    }
    let wrong = aws.component("x").endpoint_name("other").specification(of_model("m")).send().await;
    assert!(
        refusal(wrong)
            .1
            .starts_with("Invalid request provided: Inference Components are not supported in this Endpoint.")
    );
    let list = |endpoint: &str| aws.sagemaker.list_inference_components().endpoint_name_equals(endpoint).send();
    let page = list("e").await.unwrap();
    let names: Vec<_> = page.inference_components().iter().map(|c| c.inference_component_name().unwrap()).collect();
    assert_eq!(names, ["b", "a"]);
    assert!(list("other").await.unwrap().inference_components().is_empty());
    assert!(aws.component("a").specification(of_model("m")).send().await.is_err());
}

#[tokio::test]
async fn a_component_that_does_not_come_up_fails_and_an_update_is_rolled_back() {
    let aws = Aws::new();
    aws.model("good", "1").await;
    aws.model("bad", "no number").await;
    endpoint(&aws, "e").await;
    aws.backend.clock().settle().await;
    aws.component("c").specification(of_model("bad")).send().await.unwrap();
    aws.backend.clock().settle().await;
    let describe = |name: &str| aws.sagemaker.describe_inference_component().inference_component_name(name).send();
    let failed = describe("c").await.unwrap();
    assert_eq!(failed.inference_component_status().unwrap().as_str(), "Failed");
    assert!(failed.failure_reason().unwrap().contains("did not pass the ping health check"));
    assert_eq!(aws.lines("/aws/sagemaker/InferenceComponents/c").await, ["mean.txt holds no number"]);

    aws.component("d").specification(of_model("good")).send().await.unwrap();
    aws.backend.clock().settle().await;
    let update = aws.sagemaker.update_inference_component().inference_component_name("d");
    update.specification(of_model("bad")).runtime_config(copies(2)).send().await.unwrap();
    aws.backend.clock().settle().await;
    let rolled_back = describe("d").await.unwrap();
    assert_eq!(rolled_back.inference_component_status().unwrap().as_str(), "InService");
    assert!(rolled_back.failure_reason().is_some());
    assert_eq!(rolled_back.runtime_config().unwrap().desired_copy_count(), Some(1));
    assert_eq!(aws.ask("d").await, Ok("1".to_owned()));
}
