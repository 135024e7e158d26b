use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, CorsConfiguration, CorsRule, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, ObjectAttributes, ObjectCannedAcl, ObjectOwnership, Permission, ServerSideEncryption,
    ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule, StorageClass, Tag,
    Tagging,
};

use super::*;

#[tokio::test]
async fn what_was_never_configured_is_said_in_the_words_of_s3() {
    let Fixture { client, .. } = Fixture::new();
    assert_refused!(client.get_bucket_policy().bucket("data").send().await, 404, "NoSuchBucketPolicy");
    assert_refused!(client.get_bucket_tagging().bucket("data").send().await, 404, "NoSuchTagSet");
    assert_refused!(client.get_bucket_cors().bucket("data").send().await, 404, "NoSuchCORSConfiguration");
    assert_refused!(client.get_bucket_website().bucket("data").send().await, 404, "NoSuchWebsiteConfiguration");
    let lifecycle = client.get_bucket_lifecycle_configuration().bucket("data").send().await;
    let message = assert_refused!(lifecycle, 404, "NoSuchLifecycleConfiguration");
    assert_eq!(message, "The lifecycle configuration does not exist");
    let replication = client.get_bucket_replication().bucket("data").send().await;
    assert_refused!(replication, 404, "ReplicationConfigurationNotFoundError");
    let lock = client.get_object_lock_configuration().bucket("data").send().await;
    assert_refused!(lock, 404, "ObjectLockConfigurationNotFoundError");
    assert_refused!(client.get_bucket_policy().bucket("none").send().await, 404, "NoSuchBucket");
    assert_refused!(client.put_bucket_policy().bucket("none").policy("{}").send().await, 404, "NoSuchBucket");
}

#[tokio::test]
async fn a_new_bucket_has_the_defaults_of_today() {
    let Fixture { client, .. } = Fixture::new();
    let block = client.get_public_access_block().bucket("data").send().await.unwrap();
    let block = block.public_access_block_configuration().unwrap();
    assert_eq!((block.block_public_acls(), block.restrict_public_buckets()), (Some(true), Some(true)));
    let ownership = client.get_bucket_ownership_controls().bucket("data").send().await.unwrap();
    let rule = &ownership.ownership_controls().unwrap().rules()[0];
    assert_eq!(rule.object_ownership(), &ObjectOwnership::BucketOwnerEnforced);
    let encryption = client.get_bucket_encryption().bucket("data").send().await.unwrap();
    let rule = &encryption.server_side_encryption_configuration().unwrap().rules()[0];
    assert_eq!(rule.apply_server_side_encryption_by_default().unwrap().sse_algorithm(), &ServerSideEncryption::Aes256);
    let notification = client.get_bucket_notification_configuration().bucket("data").send().await.unwrap();
    assert!(notification.queue_configurations().is_empty());
    client.get_bucket_logging().bucket("data").send().await.unwrap();
    client.get_bucket_accelerate_configuration().bucket("data").send().await.unwrap();
    let payer = client.get_bucket_request_payment().bucket("data").send().await.unwrap();
    assert_eq!(payer.payer().map(aws_sdk_s3::types::Payer::as_str), Some("BucketOwner"));

    client.delete_public_access_block().bucket("data").send().await.unwrap();
    let block = client.get_public_access_block().bucket("data").send().await;
    assert_refused!(block, 404, "NoSuchPublicAccessBlockConfiguration");
    client.delete_bucket_ownership_controls().bucket("data").send().await.unwrap();
    let ownership = client.get_bucket_ownership_controls().bucket("data").send().await;
    assert_refused!(ownership, 404, "OwnershipControlsNotFoundError");
}

#[tokio::test]
async fn documents_come_back_and_go() {
    let Fixture { client, .. } = Fixture::new();
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    client.put_bucket_policy().bucket("data").policy(policy).send().await.unwrap();
    assert_eq!(client.get_bucket_policy().bucket("data").send().await.unwrap().policy(), Some(policy));
    client.delete_bucket_policy().bucket("data").send().await.unwrap();
    client.delete_bucket_policy().bucket("data").send().await.unwrap();
    assert_refused!(client.get_bucket_policy().bucket("data").send().await, 404, "NoSuchBucketPolicy");
    let malformed = client.put_bucket_policy().bucket("data").policy("policy").send().await;
    assert_refused!(malformed, 400, "MalformedPolicy");

    let tag = |key: &str| Tag::builder().key(key).value("v").build().unwrap();
    let tagging = |count: usize| {
        let tags = (0..count).map(|index| tag(&format!("k{index}"))).collect();
        Tagging::builder().set_tag_set(Some(tags)).build().unwrap()
    };
    client.put_bucket_tagging().bucket("data").tagging(tagging(50)).send().await.unwrap();
    assert_eq!(client.get_bucket_tagging().bucket("data").send().await.unwrap().tag_set().len(), 50);
    let many = client.put_bucket_tagging().bucket("data").tagging(tagging(51)).send().await;
    assert_refused!(many, 400, "BadRequest");

    let rule = CorsRule::builder().allowed_methods("GET").allowed_origins("*").build().unwrap();
    let cors = CorsConfiguration::builder().cors_rules(rule).build().unwrap();
    client.put_bucket_cors().bucket("data").cors_configuration(cors).send().await.unwrap();
    let cors = client.get_bucket_cors().bucket("data").send().await.unwrap();
    assert_eq!(cors.cors_rules()[0].allowed_methods(), ["GET"]);

    let rule = LifecycleRule::builder()
        .id("old")
        .filter(LifecycleRuleFilter::builder().prefix("tmp/").build())
        .expiration(LifecycleExpiration::builder().days(7).build())
        .status(ExpirationStatus::Enabled)
        .build()
        .unwrap();
    let lifecycle = BucketLifecycleConfiguration::builder().rules(rule.clone()).build().unwrap();
    let put = client.put_bucket_lifecycle_configuration().bucket("data").lifecycle_configuration(lifecycle);
    put.send().await.unwrap();
    let lifecycle = client.get_bucket_lifecycle_configuration().bucket("data").send().await.unwrap();
    assert_eq!(lifecycle.rules(), [rule]);
}

#[tokio::test]
async fn the_default_encryption_of_a_bucket_is_that_of_its_objects() {
    let Fixture { client, .. } = Fixture::new();
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms).build().unwrap();
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default)
        .bucket_key_enabled(true)
        .build();
    let configuration = ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    let put = client.put_bucket_encryption().bucket("data").server_side_encryption_configuration(configuration);
    put.send().await.unwrap();
    let put = client.put_object().bucket("data").key("a").send().await.unwrap();
    assert_eq!(put.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    assert_eq!(put.bucket_key_enabled(), Some(true));
    client.delete_bucket_encryption().bucket("data").send().await.unwrap();
    let put = client.put_object().bucket("data").key("a").send().await.unwrap();
    assert_eq!(put.server_side_encryption(), Some(&ServerSideEncryption::Aes256));
}

#[tokio::test]
async fn access_control_lists_are_switched_off() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    fixture.put("a", "x").await;
    let acl = client.get_object_acl().bucket("data").key("a").send().await.unwrap();
    assert_eq!(acl.grants()[0].permission(), Some(&Permission::FullControl));
    assert_eq!(acl.owner().unwrap().id(), acl.grants()[0].grantee().unwrap().id());
    assert_eq!(client.get_bucket_acl().bucket("data").send().await.unwrap().grants().len(), 1);
    let put = client.put_object_acl().bucket("data").key("a").acl(ObjectCannedAcl::PublicRead).send().await;
    assert_refused!(put, 400, "AccessControlListNotSupported");
    assert_refused!(client.get_object_acl().bucket("data").key("b").send().await, 404, "NoSuchKey");
    let create = client.create_bucket().bucket("public").acl(aws_sdk_s3::types::BucketCannedAcl::PublicRead);
    assert_refused!(create.send().await, 400, "InvalidBucketAclWithObjectOwnership");
}

#[tokio::test]
async fn attributes_are_those_that_were_asked_for() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    fixture.put("a", "hello").await;
    let get = client.get_object_attributes().bucket("data").key("a");
    let all = get.clone().object_attributes(ObjectAttributes::Etag).object_attributes(ObjectAttributes::ObjectSize);
    let all = all.object_attributes(ObjectAttributes::Checksum).object_attributes(ObjectAttributes::StorageClass);
    let all = all.object_attributes(ObjectAttributes::ObjectParts).send().await.unwrap();
    assert_eq!(all.e_tag(), Some("5d41402abc4b2a76b9719d911017c592"));
    assert_eq!((all.object_size(), all.storage_class()), (Some(5), Some(&StorageClass::Standard)));
    assert_eq!(all.checksum().unwrap().checksum_crc32(), Some("NhCmhg=="));
    assert_eq!(
        all.checksum().unwrap().checksum_type().map(aws_sdk_s3::types::ChecksumType::as_str),
        Some("FULL_OBJECT")
    );
    assert!(all.object_parts().is_none());
    let size = get.object_attributes(ObjectAttributes::ObjectSize).send().await.unwrap();
    assert_eq!((size.e_tag(), size.object_size()), (None, Some(5)));
    let missing = client.get_object_attributes().bucket("data").key("b");
    assert_refused!(missing.object_attributes(ObjectAttributes::Etag).send().await, 404, "NoSuchKey");
}

#[tokio::test]
async fn an_archived_object_must_be_restored_first() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    client.put_object().bucket("data").key("a").storage_class(StorageClass::Glacier).send().await.unwrap();
    assert_refused!(client.get_object().bucket("data").key("a").send().await, 403, "InvalidObjectState");
    let copy = client.copy_object().bucket("data").key("b").copy_source("data/a").send().await;
    assert_refused!(copy, 403, "ObjectNotInActiveTierError");
    let head = || client.head_object().bucket("data").key("a").send();
    assert_eq!(head().await.unwrap().storage_class(), Some(&StorageClass::Glacier));

    let restore = |key: &str, days: i32| {
        let wanted = aws_sdk_s3::types::RestoreRequest::builder().days(days).build();
        client.restore_object().bucket("data").key(key).restore_request(wanted).send()
    };
    fixture.put("b", "here").await;
    assert_refused!(restore("b", 1).await, 403, "InvalidObjectState");
    assert_refused!(restore("a", 0).await, 400, "InvalidArgument");
    restore("a", 2).await.unwrap();
    assert_refused!(restore("a", 2).await, 409, "RestoreAlreadyInProgress");
    assert_eq!(head().await.unwrap().restore(), Some("ongoing-request=\"true\""));
    assert_refused!(client.get_object().bucket("data").key("a").send().await, 403, "InvalidObjectState");
    fixture.clock.advance(5 * 60 * 60);
    let there = "ongoing-request=\"false\", expiry-date=\"Mon, 05 Jan 2026 00:00:00 GMT\"";
    assert_eq!(head().await.unwrap().restore(), Some(there));
    client.get_object().bucket("data").key("a").send().await.unwrap();
    let copy = client.copy_object().bucket("data").key("c").copy_source("data/a").send().await;
    copy.unwrap();
    let copied = client.head_object().bucket("data").key("c").send().await.unwrap();
    assert_eq!((copied.restore(), copied.storage_class()), (None, None));
    fixture.clock.advance(3 * 24 * 60 * 60);
    assert_refused!(client.get_object().bucket("data").key("a").send().await, 403, "InvalidObjectState");
}

#[tokio::test]
async fn configurations_are_checked_beyond_their_form() {
    let fixture = Fixture::new();
    fixture.client.create_bucket().bucket("with.dots").send().await.unwrap();
    const RULE: &str = "<LifecycleConfiguration><Rule><Filter/><Status>Enabled</Status><Expiration><Days>1</Days>\
                        </Expiration></Rule></LifecycleConfiguration>";
    const CORS: &str = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>\
                        </CORSRule></CORSConfiguration>";
    const QUEUE: &str = "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:123456789012:q\
                         </Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>";
    const TARGET: &str = "<BucketLoggingStatus><LoggingEnabled><TargetBucket>data</TargetBucket><TargetPrefix/>\
                          </LoggingEnabled></BucketLoggingStatus>";
    const ACCELERATE: &str = "<AccelerateConfiguration><Status>Enabled</Status></AccelerateConfiguration>";
    let days = "<Expiration><Days>1</Days></Expiration>";
    for (uri, document, expected) in [
        ("/data?lifecycle", RULE.to_owned(), None),
        ("/data?lifecycle", RULE.replace("<Filter/>", ""), Some("MalformedXML")),
        ("/data?lifecycle", RULE.replace("<Filter/>", "<Filter/><Prefix/>"), Some("MalformedXML")),
        ("/data?lifecycle", RULE.replace(days, ""), Some("InvalidRequest")),
        (
            "/data?lifecycle",
            RULE.replace("<Days>", "<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker><Days>"),
            Some("MalformedXML"),
        ),
        ("/data?cors", CORS.to_owned(), None),
        ("/data?cors", CORS.replace("GET", "FETCH"), Some("InvalidRequest")),
        ("/data?cors", CORS.replace("<AllowedOrigin>*", "<AllowedOrigin>**"), Some("InvalidRequest")),
        ("/data?notification", QUEUE.to_owned(), None),
        ("/data?notification", QUEUE.replace(":sqs:", ":sns:"), Some("InvalidArgument")),
        ("/data?notification", QUEUE.replace("s3:ObjectC", "s3:C"), Some("InvalidArgument")),
        ("/data?notification", QUEUE.replace("us-east-1", "eu-west-1"), Some("InvalidArgument")),
        ("/data?publicAccessBlock", "<PublicAccessBlockConfiguration/>".to_owned(), Some("InvalidRequest")),
        ("/data?logging", TARGET.to_owned(), None),
        ("/data?logging", TARGET.replace("data", "none"), Some("InvalidTargetBucketForLogging")),
        ("/data?accelerate", ACCELERATE.to_owned(), None),
        ("/data?accelerate", ACCELERATE.replace("Enabled", "On"), Some("MalformedXML")),
        ("/with.dots?accelerate", ACCELERATE.to_owned(), Some("InvalidRequest")),
    ] {
        let (parts, body) = fixture.send(http::Request::put(uri).body(document.as_str()).unwrap()).await;
        match expected {
            None => assert_eq!(parts.status, 200, "{document}: {body}"),
            Some(code) => assert!(body.contains(&format!("<Code>{code}</Code>")), "{document}: {body}"),
        }
    }
    let (_, body) = fixture.send(http::Request::get("/data?notification").body("").unwrap()).await;
    assert!(body.contains("<Id>"), "S3 names what has no name: {body}");
}

#[tokio::test]
async fn tags_of_the_system_and_empty_sets() {
    let Fixture { client, .. } = Fixture::new();
    let tagging = |tags: Option<&str>| {
        let tags = tags.map(|key| Tag::builder().key(key).value("v").build().unwrap()).into_iter().collect();
        client.put_bucket_tagging().bucket("data").tagging(Tagging::builder().set_tag_set(Some(tags)).build().unwrap())
    };
    let message = assert_refused!(tagging(Some("aws:a")).send().await, 400, "InvalidTag");
    assert_eq!(message, "System tags cannot be added/updated by requester");
    let put = client.put_object().bucket("data").key("a").tagging("aws:a=b").send().await;
    assert_eq!(assert_refused!(put, 400, "InvalidTag"), "Your TagKey cannot be prefixed with aws:");
    tagging(None).send().await.unwrap();
    assert_refused!(client.get_bucket_tagging().bucket("data").send().await, 404, "NoSuchTagSet");
}

#[tokio::test]
async fn metadata_is_limited() {
    let Fixture { client, .. } = Fixture::new();
    let put = |length: usize| client.put_object().bucket("data").key("a").metadata("k", "v".repeat(length)).send();
    put(2047).await.unwrap();
    let message = assert_refused!(put(2048).await, 400, "MetadataTooLarge");
    assert_eq!(message, "Your metadata headers exceed the maximum allowed metadata size");
}
