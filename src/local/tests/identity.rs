use super::support::{Aws, refusal};
use crate::local::LocalBackend;

const TRUST: &str = r#"{"Statement": [{"Principal": {"Service": "sagemaker.amazonaws.com"}, "Effect": "Allow"}]}"#;

#[tokio::test]
async fn roles_have_names_and_policies_of_their_form() {
    let aws = Aws::new();
    let create =
        |name: &str, trust: &str| aws.iam.create_role().role_name(name).assume_role_policy_document(trust).send();
    let text = "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the \
                following: +=,.@_-";
    assert_eq!(refusal(create("x y", TRUST).await), ("ValidationError".to_owned(), text.to_owned()));
    assert_eq!(refusal(create(&"x".repeat(65), TRUST).await).0, "ValidationError");
    for document in [
        "{}",
        "[]",
        "1",
        r#"{"Statement": [{"Effect": "Maybe"}]}"#,
        r#"{"Statement": {"Effect": "Allow", "Resource": "*"}}"#,
    ] {
        assert_eq!(refusal(create("x", document).await).0, "MalformedPolicyDocument", "{document}");
    }
    create("x", TRUST).await.unwrap();
}

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

#[tokio::test]
async fn roles_are_assumed() {
    let aws = Aws::new();
    let assume = |arn: &str| aws.sts.assume_role().role_arn(arn).role_session_name("me@work").send();
    let assumed = assume(&aws.backend.role_arn()).await.unwrap();
    let user = assumed.assumed_role_user().unwrap();
    assert_eq!(user.arn(), "arn:aws:sts::123456789012:assumed-role/SageMakerRole/me@work");
    let credentials = assumed.credentials().unwrap();
    assert!(credentials.access_key_id().starts_with("ASIA") && credentials.access_key_id().len() == 20);
    assert!(credentials.session_token().len() > 100);
    let unknown = refusal(assume("arn:aws:iam::123456789012:role/Nobody").await);
    assert_eq!(unknown.0, "AccessDenied");
    assert!(
        unknown.1.ends_with(
            "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/Nobody"
        )
    );
    let short = aws.sts.assume_role().role_arn(aws.backend.role_arn()).role_session_name("me").duration_seconds(60);
    let short = refusal(short.send().await);
    let text = "1 validation error detected: Value '60' at 'durationSeconds' failed to satisfy constraint: Member must have \
                value greater than or equal to 900";
    assert_eq!(short, ("ValidationError".to_owned(), text.to_owned()));
    let both = aws.sts.assume_role().role_arn(aws.backend.role_arn()).role_session_name("s").duration_seconds(90_000);
    let text = "2 validation errors detected: Value 's' at 'roleSessionName' failed to satisfy constraint: Member must have \
                length greater than or equal to 2; Value '90000' at 'durationSeconds' failed to satisfy constraint: Member \
                must have value less than or equal to 43200";
    assert_eq!(refusal(both.send().await), ("ValidationError".to_owned(), text.to_owned()));
    let odd = aws.sts.assume_role().role_arn(aws.backend.role_arn()).role_session_name("a b").send().await;
    assert!(refusal(odd).1.ends_with(r"Member must satisfy regular expression pattern: [\w+=,.@-]*"));
    assert!(aws.sts.get_session_token().send().await.unwrap().credentials().is_some());
}

#[tokio::test]
async fn roles_have_policies_and_go() {
    let aws = Aws::new();
    for name in ["A", "B", "C"] {
        let create = aws.iam.create_role().role_name(name).assume_role_policy_document(TRUST).description("d & e");
        assert_eq!(create.send().await.unwrap().role().unwrap().description(), Some("d & e"));
    }
    let page = aws.iam.list_roles().max_items(2).send().await.unwrap();
    let names = |page: &aws_sdk_iam::operation::list_roles::ListRolesOutput| {
        page.roles().iter().map(|role| role.role_name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((names(&page), page.is_truncated()), (vec!["A".to_owned(), "B".to_owned()], true));
    let rest = aws.iam.list_roles().marker(page.marker().unwrap()).send().await.unwrap();
    assert_eq!((names(&rest), rest.is_truncated()), (vec!["C".to_owned(), "SageMakerRole".to_owned()], false));

    let arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";
    aws.iam.attach_role_policy().role_name("A").policy_arn(arn).send().await.unwrap();
    let attached = aws.iam.list_attached_role_policies().role_name("A").send().await.unwrap();
    assert_eq!(attached.attached_policies()[0].policy_name(), Some("AmazonSageMakerFullAccess"));
    aws.iam.put_role_policy().role_name("A").policy_name("own").policy_document("{\"a\": 1}").send().await.unwrap();
    let own = aws.iam.get_role_policy().role_name("A").policy_name("own").send().await.unwrap();
    assert_eq!(own.policy_document(), "%7B%22a%22%3A%201%7D");
    assert_eq!(aws.iam.list_role_policies().role_name("A").send().await.unwrap().policy_names(), ["own"]);
    let bad = aws.iam.put_role_policy().role_name("A").policy_name("bad").policy_document("{").send().await;
    assert_eq!(refusal(bad).0, "MalformedPolicyDocument");

    let delete = || aws.iam.delete_role().role_name("A").send();
    let conflict = |text: &str| ("DeleteConflict".to_owned(), text.to_owned());
    assert_eq!(refusal(delete().await), conflict("Cannot delete entity, must detach all policies first."));
    aws.iam.detach_role_policy().role_name("A").policy_arn(arn).send().await.unwrap();
    assert_eq!(refusal(delete().await), conflict("Cannot delete entity, must delete policies first."));
    aws.iam.delete_role_policy().role_name("A").policy_name("own").send().await.unwrap();
    delete().await.unwrap();
    assert_eq!(refusal(delete().await).0, "NoSuchEntity");
}
