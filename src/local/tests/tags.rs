use aws_sdk_sagemaker::types::Tag;

use super::support::{Aws, refusal, validation};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

#[tokio::test]
async fn tags_come_with_the_resource_and_change() {
    let aws = Aws::new();
    let created = aws.train("tagged").tags(tag("team", "a")).tags(tag("env", "dev")).send().await.unwrap();
    let arn = created.training_job_arn().unwrap();
    let list = || async {
        let tags = aws.sagemaker.list_tags().resource_arn(arn).send().await.unwrap();
        let mut tags: Vec<_> =
            tags.tags().iter().map(|t| format!("{}={}", t.key().unwrap(), t.value().unwrap())).collect();
        tags.sort();
        tags
    };
    assert_eq!(list().await, ["env=dev", "team=a"]);
    let added =
        aws.sagemaker.add_tags().resource_arn(arn).tags(tag("env", "prod")).tags(tag("x", "")).send().await.unwrap();
    assert_eq!(added.tags().len(), 3);
    aws.sagemaker.delete_tags().resource_arn(arn).tag_keys("team").tag_keys("absent").send().await.unwrap();
    assert_eq!(list().await, ["env=prod", "x="]);
}

#[tokio::test]
async fn tags_of_each_kind() {
    let aws = Aws::new();
    aws.deploy("e", "1").await;
    for kind in ["model", "endpoint-config", "endpoint"] {
        let arn = format!("arn:aws:sagemaker:us-east-1:123456789012:{kind}/e");
        aws.sagemaker.add_tags().resource_arn(&arn).tags(tag("k", "v")).send().await.unwrap();
        assert_eq!(aws.sagemaker.list_tags().resource_arn(&arn).send().await.unwrap().tags(), [tag("k", "v")]);
    }
}

#[tokio::test]
async fn what_cannot_be_tagged_is_refused() {
    let aws = Aws::new();
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:model/no";
    let add = |arn: &str, tag: Tag| aws.sagemaker.add_tags().resource_arn(arn).tags(tag).send();
    assert_eq!(refusal(add(arn, tag("k", "v")).await), validation(&format!("Could not find model \"{arn}\".")));
    let elsewhere = "arn:aws:sagemaker:eu-west-1:123456789012:model/m";
    aws.model("m", "1").await;
    assert_eq!(
        refusal(add(elsewhere, tag("k", "v")).await),
        validation(&format!("Could not find model \"{elsewhere}\"."))
    );
    assert_eq!(refusal(add("nonsense", tag("k", "v")).await).0, "ValidationException");
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:model/m";
    assert_eq!(refusal(add(arn, tag("aws:k", "v")).await).0, "ValidationException");
    let mut many = aws.sagemaker.add_tags().resource_arn(arn);
    for i in 0..50 {
        many = many.tags(tag(&i.to_string(), "v"));
    }
    many.send().await.unwrap();
    assert_eq!(refusal(add(arn, tag("one more", "v")).await).0, "ResourceLimitExceeded");
    assert_eq!(aws.sagemaker.list_tags().resource_arn(arn).send().await.unwrap().tags().len(), 50);
}

#[tokio::test]
async fn tags_at_creation_are_checked_as_later_ones() {
    let aws = Aws::new();
    let refused = refusal(aws.train("no").tags(tag("AWS:team", "a")).send().await);
    assert!(refused.0 == "ValidationException" && refused.1.contains("is reserved"), "{refused:?}");
    let twice = aws.train("no").tags(tag("k", "1")).tags(tag("K", "2")).tags(tag("k", "3"));
    assert_eq!(refusal(twice.send().await), validation("Duplicate tag key"));
    aws.train("yes").tags(tag("k", "1")).tags(tag("K", "2")).send().await.unwrap();
}
