use std::collections::HashMap;

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{
    Delete, MetadataDirective, ObjectCannedAcl, ObjectIdentifier, ServerSideEncryption, StorageClass, Tag, Tagging,
    TaggingDirective,
};

use super::*;

#[tokio::test]
async fn everything_about_an_object_is_kept() {
    let Fixture { client, .. } = Fixture::new();
    let put = client
        .put_object()
        .bucket("data")
        .key("report.csv.gz")
        .body(ByteStream::from_static(b"hello"))
        .content_type("text/csv")
        .content_encoding("gzip")
        .content_language("en")
        .content_disposition("attachment; filename=\"r.csv\"")
        .cache_control("max-age=60")
        .expires(DateTime::from_secs(START as i64 + 60))
        .website_redirect_location("/other")
        .metadata("Purpose", "training run")
        .storage_class(StorageClass::StandardIa)
        .tagging("team=ml&stage=a%20b")
        .send()
        .await
        .unwrap();
    assert_eq!(put.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(put.server_side_encryption(), Some(&ServerSideEncryption::Aes256));

    let object = client.get_object().bucket("data").key("report.csv.gz").send().await.unwrap();
    assert_eq!(object.content_type(), Some("text/csv"));
    assert_eq!(object.content_encoding(), Some("gzip"));
    assert_eq!(object.content_language(), Some("en"));
    assert_eq!(object.content_disposition(), Some("attachment; filename=\"r.csv\""));
    assert_eq!(object.cache_control(), Some("max-age=60"));
    assert_eq!(object.expires_string(), Some("Fri, 02 Jan 2026 03:05:05 GMT"));
    assert_eq!(object.website_redirect_location(), Some("/other"));
    assert_eq!(object.metadata(), Some(&HashMap::from([("purpose".to_owned(), "training run".to_owned())])));
    assert_eq!(object.storage_class(), Some(&StorageClass::StandardIa));
    assert_eq!(object.tag_count(), Some(2));
    assert_eq!(object.content_length(), Some(5));
    assert_eq!(object.e_tag(), put.e_tag());
    assert_eq!(object.last_modified(), Some(&DateTime::from_secs(START as i64)));
    assert_eq!(object.accept_ranges(), Some("bytes"));
    assert_eq!(object.server_side_encryption(), Some(&ServerSideEncryption::Aes256));
    assert_eq!(object.body.collect().await.unwrap().to_vec(), b"hello");

    let head = client.head_object().bucket("data").key("report.csv.gz").send().await.unwrap();
    assert_eq!((head.content_length(), head.content_encoding()), (Some(5), Some("gzip")));
    assert_eq!(head.metadata().map(HashMap::len), Some(1));
}

#[tokio::test]
async fn defaults_are_those_of_s3() {
    let fixture = Fixture::new();
    let Fixture { client, .. } = &fixture;
    client.put_object().bucket("data").key("plain").send().await.unwrap();
    let object = client.get_object().bucket("data").key("plain").send().await.unwrap();
    assert_eq!(object.content_type(), Some("application/octet-stream"), "the client's own default");
    assert_eq!((object.content_length(), object.storage_class(), object.tag_count()), (Some(0), None, None));
    let request = http::Request::put("http://s3.localhost/data/bare").body("x").unwrap();
    assert_eq!(fixture.send(request).await.0.status, 200);
    let head = client.head_object().bucket("data").key("bare").send().await.unwrap();
    assert_eq!(head.content_type(), Some("binary/octet-stream"), "the service's default");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_the_words_of_s3() {
    let Fixture { client, .. } = Fixture::new();
    let message = assert_refused!(client.get_object().bucket("data").key("a").send().await, 404, "NoSuchKey");
    assert_eq!(message, "The specified key does not exist.");
    assert_refused!(client.get_object().bucket("none").key("a").send().await, 404, "NoSuchBucket");
    assert_refused!(client.put_object().bucket("none").key("a").send().await, 404, "NoSuchBucket");
    assert_refused!(client.delete_object().bucket("none").key("a").send().await, 404, "NoSuchBucket");
    let head = client.head_object().bucket("data").key("a").send().await.unwrap_err();
    assert!(head.into_service_error().is_not_found());
    // To delete what is not there is no error.
    client.delete_object().bucket("data").key("a").send().await.unwrap();
    let versioned = client.get_object().bucket("data").key("a").version_id("7");
    assert_refused!(versioned.send().await, 400, "InvalidArgument");
}

#[tokio::test]
async fn ranges() {
    let fixture = Fixture::new();
    fixture.put("a", "0123456789").await;
    fixture.put("empty", "").await;
    let get = |key: &str, range: &str| fixture.client.get_object().bucket("data").key(key).range(range).send();
    for (range, body, content_range) in [
        ("bytes=0-3", "0123", Some("bytes 0-3/10")),
        ("bytes=7-", "789", Some("bytes 7-9/10")),
        ("bytes=-2", "89", Some("bytes 8-9/10")),
        ("bytes=5-100", "56789", Some("bytes 5-9/10")),
        ("bytes=-100", "0123456789", Some("bytes 0-9/10")),
        // S3 does not read these, and answers with everything.
        ("bytes=3-1", "0123456789", None),
        ("bytes=0-1,4-5", "0123456789", None),
        ("lines=0-1", "0123456789", None),
    ] {
        let object = get("a", range).await.unwrap();
        assert_eq!(object.content_range(), content_range, "{range}");
        assert_eq!(object.content_length(), Some(body.len() as i64), "{range}");
        assert_eq!(object.body.collect().await.unwrap().to_vec(), body.as_bytes(), "{range}");
    }
    let head = fixture.client.head_object().bucket("data").key("a").range("bytes=0-3").send().await.unwrap();
    assert_eq!((head.content_length(), head.content_range()), (Some(4), Some("bytes 0-3/10")));
    for (key, range) in [("a", "bytes=10-"), ("a", "bytes=-0"), ("empty", "bytes=0-")] {
        let message = assert_refused!(get(key, range).await, 416, "InvalidRange");
        assert_eq!(message, "The requested range is not satisfiable");
    }
}

#[tokio::test]
async fn headers_of_the_answer_can_be_overridden() {
    let fixture = Fixture::new();
    fixture.put("a", "x").await;
    let get = fixture.client.get_object().bucket("data").key("a");
    let object = get.response_content_type("text/x").response_content_disposition("inline").send().await.unwrap();
    assert_eq!((object.content_type(), object.content_disposition()), (Some("text/x"), Some("inline")));
}

#[tokio::test]
async fn encryption_is_answered_as_asked() {
    let Fixture { client, .. } = Fixture::new();
    let put = |key: &str| client.put_object().bucket("data").key(key);
    let arn = "arn:aws:kms:us-east-1:123456789012:key/k";
    let kms =
        put("kms").server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(arn).bucket_key_enabled(true);
    let kms = kms.send().await.unwrap();
    assert_eq!((kms.ssekms_key_id(), kms.bucket_key_enabled()), (Some(arn), Some(true)));
    let head = client.head_object().bucket("data").key("kms").send().await.unwrap();
    assert_eq!(head.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    assert_eq!(head.ssekms_key_id(), Some(arn));
    let default = put("own").server_side_encryption(ServerSideEncryption::AwsKms).send().await.unwrap();
    assert_eq!(default.ssekms_key_id(), Some("arn:aws:kms:us-east-1:123456789012:alias/aws/s3"));
    assert_refused!(put("a").ssekms_key_id(arn).send().await, 400, "InvalidArgument");
    let unknown = put("a").server_side_encryption(ServerSideEncryption::from("rot13"));
    assert_refused!(unknown.send().await, 400, "InvalidEncryptionAlgorithmError");
}

#[tokio::test]
async fn what_cannot_be_honoured_is_refused() {
    let Fixture { client, .. } = Fixture::new();
    let put = || client.put_object().bucket("data").key("a");
    put().acl(ObjectCannedAcl::BucketOwnerFullControl).send().await.unwrap();
    assert_refused!(put().acl(ObjectCannedAcl::PublicRead).send().await, 400, "AccessControlListNotSupported");
    assert_refused!(put().storage_class(StorageClass::from("SHOEBOX")).send().await, 400, "InvalidStorageClass");
    let customer_key = put().sse_customer_algorithm("AES256").sse_customer_key("a2V5").sse_customer_key_md5("x");
    assert_refused!(customer_key.send().await, 501, "NotImplemented");
    let long = client.put_object().bucket("data").key("k".repeat(1025)).send().await;
    assert_eq!(assert_refused!(long, 400, "KeyTooLongError"), "Your key is too long");
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let fixture = Fixture::new();
    for key in ["a", "b", "c & <d>"] {
        fixture.put(key, "x").await;
    }
    let identifier = |key: &str| ObjectIdentifier::builder().key(key);
    let delete = |identifiers: Vec<ObjectIdentifier>, quiet: bool| {
        let delete = Delete::builder().set_objects(Some(identifiers)).quiet(quiet).build().unwrap();
        fixture.client.delete_objects().bucket("data").delete(delete).send()
    };
    let keys = ["a", "c & <d>", "nothing"].map(|key| identifier(key).build().unwrap());
    let output = delete(keys.to_vec(), false).await.unwrap();
    assert_eq!(
        output.deleted().iter().filter_map(|deleted| deleted.key()).collect::<Vec<_>>(),
        ["a", "c & <d>", "nothing"]
    );
    let bad = identifier("b").version_id("7").build().unwrap();
    let output = delete(vec![bad], true).await.unwrap();
    assert_eq!(output.errors()[0].code(), Some("InvalidArgument"));
    assert!(output.deleted().is_empty());
    assert_eq!(fixture.s3.list("data", "").len(), 1);
    let quiet = delete(vec![identifier("b").build().unwrap()], true).await.unwrap();
    assert!(quiet.deleted().is_empty() && quiet.errors().is_empty());
    assert_eq!(fixture.s3.list("data", "").len(), 0);
    let too_many = (0..1001).map(|index| identifier(&index.to_string()).build().unwrap()).collect();
    assert_refused!(delete(too_many, false).await, 400, "MalformedXML");
}

#[tokio::test]
async fn copies_keep_or_replace() {
    let Fixture { client, clock, .. } = Fixture::new();
    let put = client.put_object().bucket("data").key("a").body(ByteStream::from_static(b"hello"));
    put.content_type("text/x").metadata("k", "v").tagging("t=1").send().await.unwrap();
    clock.advance(10);
    let copy = |key: &str| client.copy_object().copy_source("data/a").bucket("data").key(key);

    let kept = copy("b").send().await.unwrap();
    let result = kept.copy_object_result().unwrap();
    assert_eq!(result.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    assert_eq!(result.last_modified().unwrap().secs() as u64, START + 10);
    let head = client.head_object().bucket("data").key("b").send().await.unwrap();
    assert_eq!((head.content_type(), head.metadata().unwrap().len()), (Some("text/x"), 1));
    assert_eq!(client.get_object_tagging().bucket("data").key("b").send().await.unwrap().tag_set().len(), 1);

    let replaced = copy("c").metadata_directive(MetadataDirective::Replace).content_type("text/y");
    replaced.tagging_directive(TaggingDirective::Replace).send().await.unwrap();
    let head = client.head_object().bucket("data").key("c").send().await.unwrap();
    assert_eq!((head.content_type(), head.metadata().unwrap().len()), (Some("text/y"), 0));
    assert_eq!(client.get_object_tagging().bucket("data").key("c").send().await.unwrap().tag_set().len(), 0);

    assert!(assert_refused!(copy("a").send().await, 400, "InvalidRequest").contains("copy an object to itself"));
    copy("a").storage_class(StorageClass::StandardIa).send().await.unwrap();
    let failed = copy("d").copy_source_if_match("\"other\"").send().await;
    assert_refused!(failed, 412, "PreconditionFailed");
    let missing = client.copy_object().copy_source("data/none").bucket("data").key("d").send().await;
    assert_refused!(missing, 404, "NoSuchKey");
    let nowhere = client.copy_object().copy_source("data/a").bucket("none").key("d").send().await;
    assert_refused!(nowhere, 404, "NoSuchBucket");
}

#[tokio::test]
async fn tags() {
    let fixture = Fixture::new();
    let Fixture { client, .. } = &fixture;
    fixture.put("a", "x").await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let put = |key: &str, tags: Vec<Tag>| {
        let tagging = Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
        client.put_object_tagging().bucket("data").key(key).tagging(tagging).send()
    };
    let get = |key: &str| client.get_object_tagging().bucket("data").key(key).send();
    put("a", vec![tag("b", "1"), tag("a <&>", "")]).await.unwrap();
    assert_eq!(get("a").await.unwrap().tag_set(), [tag("b", "1"), tag("a <&>", "")]);
    assert_refused!(put("a", vec![tag("b", "1"), tag("b", "2")]).await, 400, "InvalidTag");
    assert_refused!(put("none", vec![]).await, 404, "NoSuchKey");
    assert_refused!(get("none").await, 404, "NoSuchKey");
    client.delete_object_tagging().bucket("data").key("a").send().await.unwrap();
    assert_eq!(get("a").await.unwrap().tag_set(), []);
}
