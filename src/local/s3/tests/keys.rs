use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::*;

const ODD: [&str; 25] = [
    "plain",
    "a b+c",
    "a?b=c&d",
    "a#b",
    "100%",
    "100%25",
    "%41",
    "/leading",
    "//",
    "a//b",
    "../up",
    "a/../../b",
    "./a",
    "trailing/",
    "trailing.",
    "naïve/日本語/🦀",
    "quote\"s'<>&",
    "back\\slash",
    "semi;colon:at@",
    "(a)!*~$,=[b]{c}|^`",
    "tab\there",
    "line\nfeed",
    "carriage\rreturn",
    "\u{1}control\u{7f}",
    "list-type=2",
];

#[tokio::test]
async fn any_key_is_stored_as_it_is() {
    for path_style in [false, true] {
        let Fixture { s3, .. } = Fixture::new();
        let client = client(&s3, "us-east-1", path_style);
        for key in ODD {
            let body = ByteStream::from(key.as_bytes().to_vec());
            client.put_object().bucket("data").key(key).body(body).send().await.unwrap();
            assert_eq!(s3.get("data", key).as_deref(), Some(key.as_bytes()), "{key:?}");
            let object = client.get_object().bucket("data").key(key).send().await.unwrap();
            assert_eq!(object.body.collect().await.unwrap().to_vec(), key.as_bytes(), "{key:?}");
        }
        let mut expected = ODD.to_vec();
        expected.sort_unstable();
        let listed = client.list_objects_v2().bucket("data").send().await.unwrap();
        assert_eq!(listed.contents().iter().filter_map(|object| object.key()).collect::<Vec<_>>(), expected);
        assert_eq!(s3.list("data", "").len(), ODD.len());
        for key in ODD {
            let listed = client.list_objects_v2().bucket("data").prefix(key).max_keys(1).send().await.unwrap();
            assert_eq!(listed.contents()[0].key(), Some(key));
            client.delete_object().bucket("data").key(key).send().await.unwrap();
            assert_eq!(s3.get("data", key), None, "{key:?}");
        }
        assert_eq!(s3.list("data", "").len(), 0);
    }
}

#[tokio::test]
async fn documents_name_odd_keys() {
    let fixture = Fixture::new();
    let mut delete = Delete::builder();
    for key in ODD {
        fixture.s3.put("data", key, Bytes::new(), None);
        delete = delete.objects(ObjectIdentifier::builder().key(key).build().unwrap());
        let missing = fixture.client.get_object().bucket("none").key(key).send().await;
        assert_refused!(missing, 404, "NoSuchBucket");
    }
    let output = fixture.client.delete_objects().bucket("data").delete(delete.build().unwrap()).send().await.unwrap();
    assert_eq!(output.deleted().iter().filter_map(|deleted| deleted.key()).collect::<Vec<_>>(), ODD);
    assert_eq!(fixture.s3.list("data", "").len(), 0);
}

#[tokio::test]
async fn copies_find_odd_keys() {
    let fixture = Fixture::new();
    for key in ODD {
        fixture.s3.put("data", key, Bytes::from(key), None);
        let encoded: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let copy = fixture.client.copy_object().copy_source(format!("data/{encoded}")).bucket("data").key("copy");
        copy.send().await.unwrap();
        assert_eq!(fixture.s3.get("data", "copy").as_deref(), Some(key.as_bytes()), "{key:?}");
    }
}

#[tokio::test]
async fn names_in_listings_can_be_encoded() {
    let fixture = Fixture::new();
    fixture.put("a b/ü&", "").await;
    let list = fixture.client.list_objects_v2().bucket("data").encoding_type("url".into());
    let flat = list.clone().prefix("a b").send().await.unwrap();
    assert_eq!((flat.contents()[0].key(), flat.prefix()), (Some("a+b/%C3%BC%26"), Some("a+b")));
    let rolled = list.delimiter("/").start_after("a a").send().await.unwrap();
    assert_eq!(rolled.common_prefixes()[0].prefix(), Some("a+b/"));
    assert_eq!((rolled.start_after(), rolled.delimiter()), (Some("a+a"), Some("/")));
    let wrong = fixture.client.list_objects_v2().bucket("data").encoding_type("gzip".into());
    assert_refused!(wrong.send().await, 400, "InvalidArgument");
}
