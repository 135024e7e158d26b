use aws_sdk_s3::types::{
    AccessControlPolicy, BucketCannedAcl, Grant, Grantee, ObjectCannedAcl, ObjectOwnership, Owner, Permission, Type,
};

use super::*;

fn permissions(grants: &[Grant]) -> Vec<&str> {
    grants.iter().filter_map(|grant| grant.permission()).map(Permission::as_str).collect()
}

#[tokio::test]
async fn lists_are_kept_where_the_owner_wants_them() {
    let Fixture { client, .. } = Fixture::new();
    let create = client.create_bucket().bucket("own").object_ownership(ObjectOwnership::ObjectWriter);
    create.send().await.unwrap();
    let put = || client.put_object().bucket("own").key("a").acl(ObjectCannedAcl::PublicRead).send();
    assert_refused!(put().await, 403, "AccessDenied");
    client.delete_public_access_block().bucket("own").send().await.unwrap();
    put().await.unwrap();
    let acl = client.get_object_acl().bucket("own").key("a").send().await.unwrap();
    assert_eq!(permissions(acl.grants()), ["FULL_CONTROL", "READ"]);
    assert!(acl.grants()[1].grantee().unwrap().uri().unwrap().ends_with("/AllUsers"));
    let copy = client.copy_object().bucket("own").key("b").copy_source("own/a");
    copy.send().await.unwrap();
    let copied = client.get_object_acl().bucket("own").key("b").send().await.unwrap();
    assert_eq!(permissions(copied.grants()), ["FULL_CONTROL"], "a list is not copied");

    let set = client.put_object_acl().bucket("own").key("a");
    set.grant_read("id=\"abc\"").grant_full_control("id=\"def\"").send().await.unwrap();
    let acl = client.get_object_acl().bucket("own").key("a").send().await.unwrap();
    assert_eq!(permissions(acl.grants()), ["FULL_CONTROL", "READ"]);
    assert_eq!(acl.grants()[1].grantee().unwrap().id(), Some("abc"));

    let owner = acl.owner().unwrap().id().unwrap();
    let policy = |owner: &str| {
        let grantee = Grantee::builder().id("abc").r#type(Type::CanonicalUser).build().unwrap();
        let grant = Grant::builder().grantee(grantee).permission(Permission::WriteAcp).build();
        AccessControlPolicy::builder().owner(Owner::builder().id(owner).build()).grants(grant).build()
    };
    let set = |policy| client.put_bucket_acl().bucket("own").access_control_policy(policy).send();
    assert_refused!(set(policy("abc")).await, 403, "AccessDenied");
    set(policy(owner)).await.unwrap();
    let acl = client.get_bucket_acl().bucket("own").send().await.unwrap();
    assert_eq!(permissions(acl.grants()), ["WRITE_ACP"]);
    let both = client.put_bucket_acl().bucket("own").acl(BucketCannedAcl::Private).grant_read("id=a").send().await;
    assert_refused!(both, 400, "InvalidRequest");
    client.put_bucket_acl().bucket("own").acl(BucketCannedAcl::Private).send().await.unwrap();
    let acl = client.get_bucket_acl().bucket("own").send().await.unwrap();
    assert_eq!(permissions(acl.grants()), ["FULL_CONTROL"]);
}

#[tokio::test]
async fn a_new_bucket_takes_no_list_that_its_settings_forbid() {
    let Fixture { client, .. } = Fixture::new();
    let create = |ownership: Option<ObjectOwnership>, acl| {
        client.create_bucket().bucket("own").set_object_ownership(ownership).acl(acl).send()
    };
    let refused = create(None, BucketCannedAcl::AuthenticatedRead).await;
    assert_refused!(refused, 400, "InvalidBucketAclWithObjectOwnership");
    let refused = create(Some(ObjectOwnership::ObjectWriter), BucketCannedAcl::PublicRead).await;
    assert_refused!(refused, 400, "InvalidBucketAclWithBlockPublicAccessError");
    create(Some(ObjectOwnership::BucketOwnerPreferred), BucketCannedAcl::Private).await.unwrap();
}
