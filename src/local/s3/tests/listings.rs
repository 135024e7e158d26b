use aws_sdk_s3::types::ObjectStorageClass;

use super::*;

async fn filled() -> Fixture {
    let fixture = Fixture::new();
    for key in ["a", "b/1", "b/2", "b/c/3", "d", "e/4"] {
        fixture.put(key, "x").await;
    }
    fixture
}

#[tokio::test]
async fn version_two() {
    let fixture = filled().await;
    let list = || fixture.client.list_objects_v2().bucket("data");
    let all = list().send().await.unwrap();
    let first = &all.contents()[0];
    assert_eq!((first.key(), first.size(), first.owner()), (Some("a"), Some(1), None));
    assert_eq!(first.storage_class().map(ObjectStorageClass::as_str), Some("STANDARD"));
    assert_eq!(first.e_tag(), Some("\"9dd4e461268c8034f5c8564e155c67a6\""));
    assert_eq!(first.last_modified().unwrap().secs() as u64, START);
    assert_eq!((all.key_count(), all.is_truncated(), all.max_keys()), (Some(6), Some(false), Some(1000)));
    assert_eq!((all.name(), all.prefix(), all.next_continuation_token()), (Some("data"), Some(""), None));
    assert!(list().fetch_owner(true).send().await.unwrap().contents()[0].owner().is_some());

    let rolled = list().delimiter("/").send().await.unwrap();
    let prefixes: Vec<_> = rolled.common_prefixes().iter().filter_map(|prefix| prefix.prefix()).collect();
    assert_eq!((rolled.contents().len(), prefixes, rolled.key_count()), (2, vec!["b/", "e/"], Some(4)));
    let below = list().prefix("b/").delimiter("/").start_after("b/1").send().await.unwrap();
    assert_eq!((below.contents().len(), below.common_prefixes().len()), (1, 1));
    let nothing = list().max_keys(0).send().await.unwrap();
    assert_eq!((nothing.key_count(), nothing.is_truncated()), (Some(0), Some(false)));
    let capped = list().max_keys(5000).send().await.unwrap();
    assert_eq!(capped.max_keys(), Some(1000));

    assert_refused!(list().max_keys(-1).send().await, 400, "InvalidArgument");
    let message = assert_refused!(list().continuation_token("forged").send().await, 400, "InvalidArgument");
    assert_eq!(message, "The continuation token provided is incorrect");
    let nowhere = fixture.client.list_objects_v2().bucket("none").send().await;
    assert_refused!(nowhere, 404, "NoSuchBucket");
}

#[tokio::test]
async fn pages_of_version_two() {
    let fixture = filled().await;
    for (delimiter, expected) in [(None, vec![2, 2, 2]), (Some("/"), vec![2, 2])] {
        let list = fixture.client.list_objects_v2().bucket("data").set_delimiter(delimiter.map(str::to_owned));
        let mut pages = list.max_keys(2).into_paginator().send();
        let mut sizes = Vec::new();
        while let Some(page) = pages.next().await {
            sizes.push(page.unwrap().key_count().unwrap());
        }
        assert_eq!(sizes, expected);
    }
}

#[tokio::test]
async fn version_one() {
    let fixture = filled().await;
    let list = || fixture.client.list_objects().bucket("data").max_keys(2);
    let first = list().delimiter("/").send().await.unwrap();
    assert_eq!((first.contents().len(), first.common_prefixes().len()), (1, 1));
    assert_eq!((first.is_truncated(), first.next_marker()), (Some(true), Some("b/")));
    assert!(first.contents()[0].owner().is_some());
    let second = list().delimiter("/").marker("b/").send().await.unwrap();
    assert_eq!((second.contents()[0].key(), second.common_prefixes().len()), (Some("d"), 1));
    assert_eq!((second.is_truncated(), second.marker(), second.next_marker()), (Some(false), Some("b/"), None));
    // Without a delimiter the last key is the marker of the next page.
    let flat = list().send().await.unwrap();
    assert_eq!((flat.is_truncated(), flat.next_marker()), (Some(true), None));
    let next = list().marker("b/1").send().await.unwrap();
    assert_eq!(next.contents()[0].key(), Some("b/2"));
}
