use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{
    DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockLegalHold, ObjectLockLegalHoldStatus,
    ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode, ObjectLockRule,
};

use super::*;

const PROTECTED: &str = "Access Denied because object protected by object lock.";

impl Fixture {
    /// With a bucket `locked` that has object lock, and a version of `key` in it.
    async fn locked() -> (Self, String) {
        let fixture = Self::new();
        let create = fixture.client.create_bucket().bucket("locked").object_lock_enabled_for_bucket(true);
        create.send().await.unwrap();
        let put = fixture.client.put_object().bucket("locked").key("key").send().await.unwrap();
        let version = put.version_id().unwrap().to_owned();
        (fixture, version)
    }
}

fn retention(mode: ObjectLockRetentionMode, until: u64) -> ObjectLockRetention {
    ObjectLockRetention::builder().mode(mode).retain_until_date(DateTime::from_secs(until as i64)).build()
}

#[tokio::test]
async fn what_is_retained_stays() {
    let (fixture, version) = Fixture::locked().await;
    let (client, clock) = (&fixture.client, &fixture.clock);
    let get = || client.get_object_retention().bucket("locked").key("key").send();
    assert_refused!(get().await, 404, "NoSuchObjectLockConfiguration");
    let put = |retention: ObjectLockRetention, bypass: bool| {
        let put = client.put_object_retention().bucket("locked").key("key").retention(retention);
        put.set_bypass_governance_retention(bypass.then_some(true)).send()
    };
    let delete = |bypass: bool| {
        let delete = client.delete_object().bucket("locked").key("key").version_id(&version);
        delete.set_bypass_governance_retention(bypass.then_some(true)).send()
    };
    let governance = ObjectLockRetentionMode::Governance;
    let past = put(retention(governance.clone(), START - 1), false).await;
    assert_eq!(assert_refused!(past, 400, "InvalidArgument"), "The retain until date must be in the future!");
    put(retention(governance.clone(), START + 100), false).await.unwrap();
    let found = get().await.unwrap().retention().unwrap().clone();
    assert_eq!((found.mode(), found.retain_until_date().unwrap().secs()), (Some(&governance), START as i64 + 100));
    let head = client.head_object().bucket("locked").key("key").send().await.unwrap();
    assert_eq!(head.object_lock_mode(), Some(&ObjectLockMode::Governance));
    assert_eq!(assert_refused!(delete(false).await, 403, "AccessDenied"), PROTECTED);
    let shorter = put(retention(governance.clone(), START + 50), false).await;
    assert_eq!(assert_refused!(shorter, 403, "AccessDenied"), PROTECTED);
    put(retention(governance.clone(), START + 60), true).await.unwrap();
    // A delete marker destroys nothing.
    let marker = client.delete_object().bucket("locked").key("key").send().await.unwrap();
    assert_eq!(marker.delete_marker(), Some(true));
    assert_refused!(get().await, 405, "MethodNotAllowed");
    delete(true).await.unwrap();

    let made = client.put_object().bucket("locked").key("strict").object_lock_mode(ObjectLockMode::Compliance);
    let made = made.object_lock_retain_until_date(DateTime::from_secs(START as i64 + 100)).send().await.unwrap();
    let strict = |bypass: bool| {
        let delete = client.delete_object().bucket("locked").key("strict").version_id(made.version_id().unwrap());
        delete.bypass_governance_retention(bypass).send()
    };
    assert_refused!(strict(true).await, 403, "AccessDenied");
    let weaker = client.put_object_retention().bucket("locked").key("strict").bypass_governance_retention(true);
    let weaker = weaker.retention(retention(governance, START + 200)).send().await;
    assert_refused!(weaker, 403, "AccessDenied");
    clock.advance(101);
    strict(false).await.unwrap();
}

#[tokio::test]
async fn a_legal_hold_holds_until_it_is_released() {
    let (Fixture { client, .. }, version) = Fixture::locked().await;
    let get = || client.get_object_legal_hold().bucket("locked").key("key").send();
    assert_refused!(get().await, 404, "NoSuchObjectLockConfiguration");
    let set = |status: ObjectLockLegalHoldStatus| {
        let hold = ObjectLockLegalHold::builder().status(status).build();
        client.put_object_legal_hold().bucket("locked").key("key").legal_hold(hold).send()
    };
    set(ObjectLockLegalHoldStatus::On).await.unwrap();
    let status = |answer: aws_sdk_s3::operation::get_object_legal_hold::GetObjectLegalHoldOutput| {
        answer.legal_hold().unwrap().status().unwrap().clone()
    };
    assert_eq!(status(get().await.unwrap()), ObjectLockLegalHoldStatus::On);
    let delete =
        || client.delete_object().bucket("locked").key("key").version_id(&version).bypass_governance_retention(true);
    assert_refused!(delete().send().await, 403, "AccessDenied");
    set(ObjectLockLegalHoldStatus::Off).await.unwrap();
    delete().send().await.unwrap();
    let missing = client.get_object_legal_hold().bucket("locked").key("none").send().await;
    assert_refused!(missing, 404, "NoSuchKey");
}

#[tokio::test]
async fn buckets_have_a_default_and_lock_only_if_they_keep_versions() {
    let (Fixture { client, clock, .. }, _) = Fixture::locked().await;
    let configuration = |days: Option<i32>| {
        let default = DefaultRetention::builder().mode(ObjectLockRetentionMode::Compliance).set_days(days).build();
        let rule = ObjectLockRule::builder().default_retention(default).build();
        ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).rule(rule).build()
    };
    let put = |bucket: &str, days: Option<i32>| {
        let put = client.put_object_lock_configuration().bucket(bucket);
        put.object_lock_configuration(configuration(days)).send()
    };
    assert_refused!(put("locked", None).await, 400, "MalformedXML");
    put("locked", Some(2)).await.unwrap();
    let found = client.get_object_lock_configuration().bucket("locked").send().await.unwrap();
    let rule = found.object_lock_configuration().unwrap().rule().unwrap().clone();
    assert_eq!(rule.default_retention().unwrap().days(), Some(2));
    let made = client.put_object().bucket("locked").key("by-default").send().await.unwrap();
    let head = client.head_object().bucket("locked").key("by-default").send().await.unwrap();
    assert_eq!(head.object_lock_retain_until_date().unwrap().secs(), START as i64 + 2 * 86_400);
    let id = aws_sdk_s3::types::ObjectIdentifier::builder().key("by-default").version_id(made.version_id().unwrap());
    let list = aws_sdk_s3::types::Delete::builder().objects(id.build().unwrap()).build().unwrap();
    let deleted = client.delete_objects().bucket("locked").delete(list.clone()).send().await.unwrap();
    assert_eq!((deleted.errors()[0].code(), deleted.errors()[0].message()), (Some("AccessDenied"), Some(PROTECTED)));
    clock.advance(3 * 86_400);
    let deleted = client.delete_objects().bucket("locked").delete(list).send().await.unwrap();
    assert_eq!(deleted.deleted().len(), 1);

    let message = assert_refused!(put("data", Some(1)).await, 409, "InvalidBucketState");
    assert_eq!(message, "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
    let suspended = aws_sdk_s3::types::VersioningConfiguration::builder()
        .status(aws_sdk_s3::types::BucketVersioningStatus::Suspended)
        .build();
    let suspend = client.put_bucket_versioning().bucket("locked").versioning_configuration(suspended).send().await;
    assert_refused!(suspend, 409, "InvalidBucketState");
    let elsewhere = client.put_object().bucket("data").key("k").object_lock_mode(ObjectLockMode::Governance);
    let message = assert_refused!(elsewhere.send().await, 400, "InvalidRequest");
    assert_eq!(message, "Bucket is missing Object Lock Configuration");
    let bypass = client.delete_object().bucket("data").key("k").bypass_governance_retention(true).send().await;
    let message = assert_refused!(bypass, 400, "InvalidArgument");
    assert_eq!(message, "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.");
    let half = client.put_object().bucket("locked").key("k").object_lock_mode(ObjectLockMode::Governance).send().await;
    let message = assert_refused!(half, 400, "InvalidArgument");
    assert_eq!(message, "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied");
}
