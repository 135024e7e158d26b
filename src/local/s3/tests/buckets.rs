use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use super::*;

fn constraint(region: &str) -> CreateBucketConfiguration {
    CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
}

#[tokio::test]
async fn a_bucket_comes_and_goes() {
    let Fixture { client, .. } = Fixture::new();
    let created = client.create_bucket().bucket("fresh").send().await.unwrap();
    assert_eq!(created.location(), Some("/fresh"));
    let head = client.head_bucket().bucket("fresh").send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("us-east-1"));
    let location = client.get_bucket_location().bucket("fresh").send().await.unwrap();
    assert_eq!(location.location_constraint().map_or("", BucketLocationConstraint::as_str), "");
    // In us-east-1, and only there, one's own bucket can be made again.
    client.create_bucket().bucket("fresh").send().await.unwrap();
    client.get_bucket_versioning().bucket("fresh").send().await.unwrap();

    client.put_object().bucket("fresh").key("a").send().await.unwrap();
    let message = assert_refused!(client.delete_bucket().bucket("fresh").send().await, 409, "BucketNotEmpty");
    assert_eq!(message, "The bucket you tried to delete is not empty");
    client.delete_object().bucket("fresh").key("a").send().await.unwrap();
    client.delete_bucket().bucket("fresh").send().await.unwrap();
    assert_refused!(client.delete_bucket().bucket("fresh").send().await, 404, "NoSuchBucket");
    let gone = client.head_bucket().bucket("fresh").send().await.unwrap_err();
    assert!(gone.into_service_error().is_not_found());
    let message = assert_refused!(client.get_bucket_location().bucket("fresh").send().await, 404, "NoSuchBucket");
    assert_eq!(message, "The specified bucket does not exist");
}

#[tokio::test]
async fn regions_other_than_the_classic_one_are_strict() {
    let Fixture { s3, client, .. } = Fixture::new();
    let europe = super::client(&s3, "eu-west-1", false);
    let create = |client: &Client| client.create_bucket().bucket("fresh");
    let message = assert_refused!(create(&europe).send().await, 400, "IllegalLocationConstraintException");
    assert_eq!(
        message,
        "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."
    );
    let elsewhere = create(&europe).create_bucket_configuration(constraint("us-west-2"));
    assert_refused!(elsewhere.send().await, 400, "IllegalLocationConstraintException");
    let classic = create(&client).create_bucket_configuration(constraint("us-east-1"));
    assert_refused!(classic.send().await, 400, "InvalidLocationConstraint");

    let own = create(&europe).create_bucket_configuration(constraint("eu-west-1"));
    own.clone().send().await.unwrap();
    let again = own.send().await.unwrap_err();
    assert!(again.into_service_error().is_bucket_already_owned_by_you());
    let location = europe.get_bucket_location().bucket("fresh").send().await.unwrap();
    assert_eq!(location.location_constraint(), Some(&BucketLocationConstraint::EuWest1));
    let head = europe.head_bucket().bucket("fresh").send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("eu-west-1"));
}

#[tokio::test]
async fn buckets_are_listed_by_name() {
    let Fixture { s3, client, clock } = Fixture::new();
    clock.advance(5);
    for bucket in ["zoo", "ant", "bee"] {
        s3.create_bucket(bucket);
    }
    let listed = client.list_buckets().send().await.unwrap();
    let names: Vec<&str> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, ["ant", "bee", "data", "zoo"]);
    let secs = |index: usize| listed.buckets()[index].creation_date().unwrap().secs() as u64;
    assert_eq!((secs(0), secs(2)), (START + 5, START));
    assert_eq!(listed.owner().and_then(|owner| owner.id()).map(str::len), Some(64));

    let mut pages = client.list_buckets().max_buckets(3).into_paginator().send();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        sizes.push(page.unwrap().buckets().len());
    }
    assert_eq!(sizes, [3, 1]);
    let with_prefix = client.list_buckets().prefix("b").send().await.unwrap();
    assert_eq!(with_prefix.buckets().len(), 1);
}

#[tokio::test]
async fn names_are_checked_and_owners_are_believed() {
    let Fixture { s3, client, .. } = Fixture::new();
    let path_style = super::client(&s3, "us-east-1", true);
    let message =
        assert_refused!(path_style.create_bucket().bucket("No_Bucket").send().await, 400, "InvalidBucketName");
    assert_eq!(message, "The specified bucket is not valid.");

    let head = |owner: &str| client.head_bucket().bucket("data").expected_bucket_owner(owner);
    head(ACCOUNT).send().await.unwrap();
    let denied = head("210987654321").send().await.unwrap_err();
    assert_eq!(denied.raw_response().map(|response| response.status().as_u16()), Some(403));
    let put = || client.put_object().bucket("data").key("a");
    let message = assert_refused!(put().expected_bucket_owner("210987654321").send().await, 403, "AccessDenied");
    assert_eq!(message, "Access Denied");
    assert_refused!(put().expected_bucket_owner("me").send().await, 400, "InvalidBucketOwnerAWSAccountID");
    // A bucket that is not there has no owner.
    let nowhere = client.get_bucket_location().bucket("nowhere").expected_bucket_owner("210987654321");
    assert_refused!(nowhere.send().await, 404, "NoSuchBucket");
}

#[tokio::test]
async fn what_is_not_there_says_its_name() {
    let Fixture { client, .. } = Fixture::new();
    let torrent = client.get_object_torrent().bucket("data").key("k").send().await;
    let message = assert_refused!(torrent, 501, "NotImplemented");
    assert!(message.contains("GetObjectTorrent"), "{message}");
}
