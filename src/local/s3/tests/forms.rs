use aws_smithy_types::base64;

use super::*;

fn form(fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| {
        format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.txt\"\r\n\r\nhello\r\n";
    format!("{}{file}--frontier--\r\n", fields.iter().map(field).collect::<String>())
}

fn post(body: &str) -> http::Request<&str> {
    http::Request::post("/data")
        .header("host", "localhost:9000")
        .header("content-type", "multipart/form-data; boundary=frontier")
        .body(body)
        .unwrap()
}

#[tokio::test]
async fn a_form_uploads_an_object() {
    let fixture = Fixture::new();
    let tags = "<Tagging><TagSet><Tag><Key>team</Key><Value>a b</Value></Tag></TagSet></Tagging>";
    let fields =
        [("key", "up/${filename}"), ("Content-Type", "text/plain"), ("x-amz-meta-who", "me"), ("tagging", tags)];
    let (parts, body) = fixture.send(post(&form(&fields))).await;
    assert_eq!((parts.status.as_u16(), body.as_str()), (204, ""));
    assert_eq!(parts.headers["etag"], "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_eq!(parts.headers["location"], "http://localhost:9000/data/up/a%20b.txt");
    let object = fixture.client.get_object().bucket("data").key("up/a b.txt").send().await.unwrap();
    assert_eq!((object.content_type(), object.tag_count()), (Some("text/plain"), Some(1)));
    assert_eq!(object.metadata().unwrap()["who"], "me");
    assert_eq!(object.body.collect().await.unwrap().to_vec(), b"hello");

    let (parts, body) = fixture.send(post(&form(&[("key", "a&b"), ("success_action_status", "201")]))).await;
    assert_eq!(parts.status, 201);
    assert!(body.contains("<Bucket>data</Bucket><Key>a&amp;b</Key><ETag>"), "{body}");
    let redirect = ("success_action_redirect", "https://example.com/done?x=1");
    let (parts, _) = fixture.send(post(&form(&[("key", "a"), redirect]))).await;
    assert_eq!(parts.status, 303);
    let target = "https://example.com/done?x=1&bucket=data&key=a&etag=%225d41402abc4b2a76b9719d911017c592%22";
    assert_eq!(parts.headers["location"], target);
}

#[tokio::test]
async fn the_policy_of_a_form_decides() {
    let fixture = Fixture::new();
    let policy = base64::encode(
        r#"{"expiration": "2026-01-02T03:05:05.000Z", "conditions": [{"bucket": "data"}, {"key": "a"},
            ["content-length-range", 1, 5]]}"#,
    );
    let upload = form(&[("key", "a"), ("policy", &policy), ("x-amz-signature", "00")]);
    assert_eq!(fixture.send(post(&upload)).await.0.status, 204);
    let more = form(&[("key", "a"), ("acl", "private"), ("policy", &policy)]);
    let (parts, body) = fixture.send(post(&more)).await;
    assert_eq!(parts.status, 403);
    assert!(body.contains("Invalid according to Policy: Extra input fields: acl"), "{body}");
    fixture.clock.advance(61);
    let (parts, body) = fixture.send(post(&upload)).await;
    assert_eq!(parts.status, 403);
    assert!(body.contains("Invalid according to Policy: Policy expired."), "{body}");

    for (body, code) in [
        ("--frontier--".to_owned(), "InvalidArgument"),
        ("hello".to_owned(), "MalformedPOSTRequest"),
        (form(&[]), "InvalidArgument"),
        (form(&[("key", "a"), ("policy", "?")]), "InvalidPolicyDocument"),
    ] {
        let (parts, answer) = fixture.send(post(&body)).await;
        assert_eq!(parts.status, 400);
        assert!(answer.contains(&format!("<Code>{code}</Code>")), "{answer}");
    }
    let missing = http::Request::post("/none").header("content-type", "multipart/form-data; boundary=frontier");
    let body = form(&[("key", "a")]);
    assert_eq!(fixture.send(missing.body(body.as_str()).unwrap()).await.0.status, 404);
}
