use aws_sdk_s3::primitives::DateTime;

use super::*;

const OTHER: &str = "\"0123\"";

#[tokio::test]
async fn reads_under_conditions() {
    let fixture = Fixture::new();
    fixture.put("a", "hello").await;
    let get = || fixture.client.get_object().bucket("data").key("a");
    let etag = get().send().await.unwrap().e_tag().unwrap().to_owned();
    let at = |offset: i64| DateTime::from_secs(START as i64 + offset);

    get().if_match(&etag).send().await.unwrap();
    get().if_none_match(OTHER).send().await.unwrap();
    get().if_modified_since(at(-1)).send().await.unwrap();
    get().if_unmodified_since(at(0)).send().await.unwrap();
    for failed in [get().if_match(OTHER), get().if_unmodified_since(at(-1))] {
        let message = assert_refused!(failed.send().await, 412, "PreconditionFailed");
        assert_eq!(message, "At least one of the pre-conditions you specified did not hold");
    }
    for unchanged in [get().if_none_match(&etag), get().if_modified_since(at(0))] {
        let error = unchanged.send().await.unwrap_err();
        let response = error.raw_response().unwrap();
        assert_eq!(response.status().as_u16(), 304);
        assert_eq!(response.headers().get("etag"), Some(etag.as_str()));
        assert_eq!(response.headers().get("last-modified"), Some("Fri, 02 Jan 2026 03:04:05 GMT"));
        assert_eq!(response.body().bytes(), Some(b"".as_slice()));
    }
    let head = fixture.client.head_object().bucket("data").key("a").if_none_match(&etag).send().await.unwrap_err();
    assert_eq!(head.raw_response().unwrap().status().as_u16(), 304);
    let head = fixture.client.head_object().bucket("data").key("a").if_match(OTHER).send().await.unwrap_err();
    assert_eq!(head.raw_response().unwrap().status().as_u16(), 412);
}

#[tokio::test]
async fn writes_under_conditions() {
    let fixture = Fixture::new();
    let put = || fixture.client.put_object().bucket("data").key("a");
    assert_refused!(put().if_match(OTHER).send().await, 404, "NoSuchKey");
    let first = put().if_none_match("*").send().await.unwrap();
    let message = assert_refused!(put().if_none_match("*").send().await, 412, "PreconditionFailed");
    assert_eq!(message, "At least one of the pre-conditions you specified did not hold");
    assert_refused!(put().if_match(OTHER).send().await, 412, "PreconditionFailed");
    assert_refused!(put().if_none_match(OTHER).send().await, 501, "NotImplemented");
    put().if_match(first.e_tag().unwrap()).body(ByteStream::from_static(b"new")).send().await.unwrap();
    assert_eq!(fixture.s3.get("data", "a").as_deref(), Some(b"new".as_slice()));

    let delete = || fixture.client.delete_object().bucket("data").key("a");
    assert_refused!(delete().if_match(first.e_tag().unwrap()).send().await, 412, "PreconditionFailed");
    delete().if_match("*").send().await.unwrap();
    assert_eq!(fixture.s3.get("data", "a"), None);
}
