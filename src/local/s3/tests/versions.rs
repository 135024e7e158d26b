use aws_sdk_s3::types::{BucketVersioningStatus, Delete, ObjectIdentifier, Tag, Tagging, VersioningConfiguration};

use super::*;

impl Fixture {
    async fn versioning(&self, status: BucketVersioningStatus) {
        let configuration = VersioningConfiguration::builder().status(status).build();
        let put = self.client.put_bucket_versioning().bucket("data").versioning_configuration(configuration);
        put.send().await.unwrap();
    }

    async fn put_version(&self, key: &str, body: &'static str) -> Option<String> {
        let body = ByteStream::from_static(body.as_bytes());
        let put = self.client.put_object().bucket("data").key(key).body(body).send().await.unwrap();
        put.version_id().map(str::to_owned)
    }

    async fn read(&self, key: &str, version: Option<&str>) -> Result<String, (u16, String)> {
        let get = self.client.get_object().bucket("data").key(key).set_version_id(version.map(str::to_owned));
        match get.send().await {
            Ok(object) => Ok(String::from_utf8(object.body.collect().await.unwrap().to_vec()).unwrap()),
            Err(error) => {
                let (status, code, _) = refused::<_, ()>(Err(error));
                Err((status, code))
            }
        }
    }

    /// Key, version, whether it is the latest, whether it is a delete marker; in the order of the listing's own kinds.
    async fn versions(&self) -> Vec<(String, String, bool, bool)> {
        let listed = self.client.list_object_versions().bucket("data").send().await.unwrap();
        let text = |text: Option<&str>| text.unwrap().to_owned();
        let objects = listed
            .versions()
            .iter()
            .map(|version| (text(version.key()), text(version.version_id()), version.is_latest().unwrap(), false));
        let markers = listed
            .delete_markers()
            .iter()
            .map(|marker| (text(marker.key()), text(marker.version_id()), marker.is_latest().unwrap(), true));
        objects.chain(markers).collect()
    }
}

#[tokio::test]
async fn a_bucket_without_versions_lists_the_version_null() {
    let fixture = Fixture::new();
    assert_eq!(fixture.put_version("a", "1").await, None);
    assert_eq!(fixture.versions().await, [("a".to_owned(), "null".to_owned(), true, false)]);
    assert_eq!(fixture.read("a", Some("null")).await.as_deref(), Ok("1"));
    let unknown = "x".repeat(32);
    assert_eq!(fixture.read("a", Some(&unknown)).await, Err((404, "NoSuchVersion".to_owned())));
    let status = fixture.client.get_bucket_versioning().bucket("data").send().await.unwrap();
    assert_eq!(status.status(), None);
    let deleted = fixture.client.delete_object().bucket("data").key("a").version_id("null").send().await.unwrap();
    assert_eq!((deleted.version_id(), deleted.delete_marker()), (None, None));
    assert!(fixture.versions().await.is_empty());
    let empty = fixture.client.put_bucket_versioning().bucket("data");
    let empty = empty.versioning_configuration(VersioningConfiguration::builder().build()).send().await;
    assert_refused!(empty, 400, "IllegalVersioningConfigurationException");
}

#[tokio::test]
async fn versions_stay_until_they_are_deleted_by_their_id() {
    let fixture = Fixture::new();
    let client = &fixture.client;
    fixture.put_version("a", "before").await;
    fixture.versioning(BucketVersioningStatus::Enabled).await;
    let status = client.get_bucket_versioning().bucket("data").send().await.unwrap();
    assert_eq!(status.status(), Some(&BucketVersioningStatus::Enabled));
    let one = fixture.put_version("a", "one").await.unwrap();
    let two = fixture.put_version("a", "two").await.unwrap();
    for (version, body) in [(None, "two"), (Some(one.as_str()), "one"), (Some(&two), "two"), (Some("null"), "before")] {
        assert_eq!(fixture.read("a", version).await.as_deref(), Ok(body), "{version:?}");
    }
    let head = client.head_object().bucket("data").key("a").version_id(&one).send().await.unwrap();
    assert_eq!((head.version_id(), head.content_length()), (Some(one.as_str()), Some(3)));

    // A delete marker hides the versions, and the answers say so.
    let deleted = client.delete_object().bucket("data").key("a").send().await.unwrap();
    let marker = deleted.version_id().unwrap().to_owned();
    assert_eq!(deleted.delete_marker(), Some(true));
    let gone = client.get_object().bucket("data").key("a").send().await.unwrap_err();
    let headers = gone.raw_response().unwrap().headers();
    assert_eq!((headers.get("x-amz-delete-marker"), headers.get("x-amz-version-id")), (Some("true"), Some(&*marker)));
    assert_eq!(fixture.read("a", None).await, Err((404, "NoSuchKey".to_owned())));
    assert_eq!(fixture.read("a", Some(&marker)).await, Err((405, "MethodNotAllowed".to_owned())));
    assert_eq!(fixture.read("a", Some(&one)).await.as_deref(), Ok("one"));
    assert!(fixture.s3.list("data", "").is_empty());
    let row = |version: &str, latest, marker| ("a".to_owned(), version.to_owned(), latest, marker);
    assert_eq!(
        fixture.versions().await,
        [row(&two, false, false), row(&one, false, false), row("null", false, false), row(&marker, true, true)]
    );
    let message = assert_refused!(client.delete_bucket().bucket("data").send().await, 409, "BucketNotEmpty");
    assert!(message.ends_with("You must delete all versions in the bucket."), "{message}");

    // Without the marker the newest version is there again; without that one the one before.
    let undone = client.delete_object().bucket("data").key("a").version_id(&marker).send().await.unwrap();
    assert_eq!((undone.delete_marker(), undone.version_id()), (Some(true), Some(marker.as_str())));
    assert_eq!(fixture.read("a", None).await.as_deref(), Ok("two"));
    client.delete_object().bucket("data").key("a").version_id(&two).send().await.unwrap();
    assert_eq!(fixture.read("a", None).await.as_deref(), Ok("one"));

    // A copy of an old version makes a new one.
    let copy = client.copy_object().bucket("data").key("a").copy_source("data/a?versionId=null").send().await.unwrap();
    assert_eq!(copy.copy_source_version_id(), Some("null"));
    assert_eq!(fixture.read("a", copy.version_id()).await.as_deref(), Ok("before"));

    // Tags belong to a version.
    let tag = Tag::builder().key("k").value("v").build().unwrap();
    let tagging = Tagging::builder().tag_set(tag).build().unwrap();
    let tagged = client.put_object_tagging().bucket("data").key("a").version_id(&one).tagging(tagging);
    assert_eq!(tagged.send().await.unwrap().version_id(), Some(one.as_str()));
    let tags = |version: Option<&str>| {
        client.get_object_tagging().bucket("data").key("a").set_version_id(version.map(str::to_owned)).send()
    };
    assert_eq!(tags(Some(&one)).await.unwrap().tag_set().len(), 1);
    assert_eq!(tags(None).await.unwrap().tag_set().len(), 0);

    let identifiers = fixture
        .versions()
        .await
        .into_iter()
        .map(|(key, version, ..)| ObjectIdentifier::builder().key(key).version_id(version).build().unwrap());
    let delete = Delete::builder().set_objects(Some(identifiers.collect())).build().unwrap();
    let deleted = client.delete_objects().bucket("data").delete(delete).send().await.unwrap();
    assert!(deleted.errors().is_empty());
    client.delete_bucket().bucket("data").send().await.unwrap();
}

#[tokio::test]
async fn a_suspended_bucket_replaces_the_version_null_only() {
    let fixture = Fixture::new();
    fixture.versioning(BucketVersioningStatus::Enabled).await;
    let kept = fixture.put_version("a", "kept").await.unwrap();
    fixture.versioning(BucketVersioningStatus::Suspended).await;
    assert_eq!(fixture.put_version("a", "first").await.as_deref(), Some("null"));
    assert_eq!(fixture.put_version("a", "second").await.as_deref(), Some("null"));
    let row = |version: &str, latest, marker| ("a".to_owned(), version.to_owned(), latest, marker);
    assert_eq!(fixture.versions().await, [row("null", true, false), row(&kept, false, false)]);
    let deleted = fixture.client.delete_object().bucket("data").key("a").send().await.unwrap();
    assert_eq!((deleted.version_id(), deleted.delete_marker()), (Some("null"), Some(true)));
    assert_eq!(fixture.versions().await, [row(&kept, false, false), row("null", true, true)]);
    assert_eq!(fixture.put_version("a", "third").await.as_deref(), Some("null"));
    assert_eq!(fixture.versions().await, [row("null", true, false), row(&kept, false, false)]);
    assert_eq!(fixture.read("a", Some(&kept)).await.as_deref(), Ok("kept"));
}

#[tokio::test]
async fn versions_are_listed_in_pages() {
    let fixture = Fixture::new();
    fixture.versioning(BucketVersioningStatus::Enabled).await;
    for key in ["a", "b/1", "b/2", "c", "a", "c", "c"] {
        fixture.put_version(key, key_body(key)).await;
    }
    fixture.client.delete_object().bucket("data").key("d").send().await.unwrap();
    let whole: Vec<_> = fixture.versions().await;
    assert_eq!(whole.len(), 8);
    let (mut found, mut key, mut id) = (Vec::new(), None, None);
    loop {
        let list = fixture.client.list_object_versions().bucket("data").max_keys(2);
        let page = list.set_key_marker(key).set_version_id_marker(id).send().await.unwrap();
        assert!(page.versions().len() + page.delete_markers().len() <= 2);
        found.extend(page.versions().iter().filter_map(|version| version.version_id()).map(str::to_owned));
        found.extend(page.delete_markers().iter().filter_map(|marker| marker.version_id()).map(str::to_owned));
        if page.is_truncated() != Some(true) {
            break;
        }
        (key, id) = (page.next_key_marker, page.next_version_id_marker);
    }
    assert_eq!(found, whole.into_iter().map(|(_, version, ..)| version).collect::<Vec<_>>());

    let list = fixture.client.list_object_versions().bucket("data").delimiter("/").send().await.unwrap();
    assert_eq!(list.common_prefixes().iter().filter_map(|common| common.prefix()).collect::<Vec<_>>(), ["b/"]);
    let below = fixture.client.list_object_versions().bucket("data").prefix("b/").send().await.unwrap();
    assert_eq!(below.versions().len(), 2);
    let alone = fixture.client.list_object_versions().bucket("data").version_id_marker("null").send().await;
    assert_refused!(alone, 400, "InvalidArgument");
}

fn key_body(key: &'static str) -> &'static str {
    key
}
