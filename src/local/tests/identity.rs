use super::support::{Aws, refusal};
use crate::local::LocalBackend;

#[tokio::test]
async fn the_caller_is_the_execution_role() {
    let aws = Aws::new();
    let caller = aws.sts.get_caller_identity().send().await.unwrap();
    assert_eq!(caller.account(), Some("123456789012"));
    assert_eq!(caller.arn(), Some("arn:aws:sts::123456789012:assumed-role/SageMakerRole/local"));
    let role = aws.iam.get_role().role_name("SageMakerRole").send().await.unwrap();
    assert_eq!(role.role().unwrap().arn(), aws.backend.role_arn());
    assert!(role.role().unwrap().assume_role_policy_document().unwrap().starts_with("%7B%22Version"));
}

#[tokio::test]
async fn roles_may_be_added_with_a_path() {
    let aws = Aws::new();
    let create = |name: &str, trust: &str| {
        let create = aws.iam.create_role().role_name(name).path("/service-role/");
        create.assume_role_policy_document(trust).send()
    };
    let trust = r#"{"Statement": [{"Principal": {"Service": "sagemaker.amazonaws.com"}, "Effect": "Allow"}]}"#;
    create("Mine", trust).await.unwrap();
    let role = aws.iam.get_role().role_name("Mine").send().await.unwrap();
    let arn = "arn:aws:iam::123456789012:role/service-role/Mine";
    assert_eq!((role.role().unwrap().arn(), role.role().unwrap().path()), (arn, "/service-role/"));
    aws.train("mine").role_arn(arn).send().await.unwrap();

    let again = refusal(create("Mine", trust).await);
    assert_eq!(again, ("EntityAlreadyExists".to_owned(), "Role with name Mine already exists.".to_owned()));
    create("Lambda", r#"{"Statement": []}"#).await.unwrap();
    let refused = aws.train("other").role_arn("arn:aws:iam::123456789012:role/service-role/Lambda").send().await;
    assert!(refusal(refused).1.starts_with("Could not assume role "));
}

#[tokio::test]
async fn an_unknown_role_is_not_found() {
    let aws = Aws::new();
    let error = aws.iam.get_role().role_name("Nobody<&>").send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 404);
    let text = "The role with name Nobody<&> cannot be found.";
    assert!(error.as_service_error().unwrap().is_no_such_entity_exception());
    assert_eq!(refusal::<(), _>(Err(error)), ("NoSuchEntity".to_owned(), text.to_owned()));
}

#[tokio::test]
async fn other_partitions_have_their_arns() {
    let aws = Aws::of(LocalBackend::builder().region("cn-north-1").account("000000000001").build());
    assert_eq!(aws.backend.role_arn(), "arn:aws-cn:iam::000000000001:role/SageMakerRole");
    let caller = aws.sts.get_caller_identity().send().await.unwrap();
    assert_eq!(caller.arn(), Some("arn:aws-cn:sts::000000000001:assumed-role/SageMakerRole/local"));
}
