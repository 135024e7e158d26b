use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::ChecksumMode;

use super::*;

#[tokio::test]
async fn a_streamed_body_comes_in_chunks() {
    let Fixture { s3, client, .. } = Fixture::new();
    let content: Vec<u8> = (0..300_000_u32).map(|index| (index % 251) as u8).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &content).unwrap();
    let body = ByteStream::from_path(file.path()).await.unwrap();
    let put = client.put_object().bucket("data").key("file").content_encoding("gzip").body(body).send().await.unwrap();
    assert!(put.checksum_crc32().is_some(), "from the trailer");
    assert_eq!(s3.get("data", "file").as_deref(), Some(content.as_slice()));
    let object =
        client.get_object().bucket("data").key("file").checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(object.content_encoding(), Some("gzip"), "without the encoding of the transfer");
    assert_eq!(object.checksum_crc32(), put.checksum_crc32());
    assert_eq!(object.body.collect().await.unwrap().to_vec(), content);
}

fn chunked(body: &'static str) -> http::request::Builder {
    http::Request::put("http://data.s3.localhost/a")
        .header("content-encoding", "aws-chunked")
        .header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
        .header("content-length", body.len())
}

#[tokio::test]
async fn chunks_and_trailers_are_checked() {
    let fixture = Fixture::new();
    const BODY: &str = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    const WRONG: &str = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    const SIGNED: &str = "5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n";
    let trailer = |body| chunked(body).header("x-amz-trailer", "x-amz-checksum-crc32");
    for (request, body, outcome) in [
        (trailer(BODY), BODY, Ok(())),
        (chunked(SIGNED).header("x-amz-decoded-content-length", "5"), SIGNED, Ok(())),
        (chunked(SIGNED).header("x-amz-decoded-content-length", "6"), SIGNED, Err("IncompleteBody")),
        (trailer(SIGNED), SIGNED, Err("MalformedTrailerError")),
        (trailer(WRONG), WRONG, Err("BadDigest")),
        (chunked("5\r\nhel"), "5\r\nhel", Err("IncompleteBody")),
        (chunked("hello\r\n"), "hello\r\n", Err("InvalidRequest")),
    ] {
        fixture.s3.put("data", "a", Bytes::new(), None);
        let (parts, answer) = fixture.send(request.body(body).unwrap()).await;
        match outcome {
            Ok(()) => {
                assert_eq!(parts.status, 200, "{answer}");
                assert_eq!(fixture.s3.get("data", "a").as_deref(), Some(b"hello".as_slice()));
            }
            Err(code) => {
                assert_eq!(parts.status, 400, "{answer}");
                assert!(answer.contains(&format!("<Code>{code}</Code>")), "{answer}");
                assert_eq!(fixture.s3.get("data", "a").as_deref(), Some(b"".as_slice()));
            }
        }
    }
}

#[tokio::test]
async fn presigned_urls_need_no_key_and_expire() {
    let fixture = Fixture::new();
    fixture.put("a b?c", "hello").await;
    let config = PresigningConfig::builder().start_time(fixture.clock.now()).expires_in(Duration::from_secs(60));
    let config = config.build().unwrap();
    let get = fixture.client.get_object().bucket("data").key("a b?c").presigned(config.clone()).await.unwrap();
    let request = || get.clone().into_http_1x_request("");
    let (parts, body) = fixture.send(request()).await;
    assert_eq!((parts.status.as_u16(), body.as_str()), (200, "hello"));
    let put = fixture.client.put_object().bucket("data").key("new").presigned(config).await.unwrap();
    assert_eq!(fixture.send(put.into_http_1x_request("fresh")).await.0.status, 200);
    assert_eq!(fixture.s3.get("data", "new").as_deref(), Some(b"fresh".as_slice()));

    fixture.clock.advance(61);
    let (parts, body) = fixture.send(request()).await;
    assert_eq!(parts.status, 403);
    assert!(body.contains("<Code>AccessDenied</Code><Message>Request has expired</Message>"), "{body}");
}

#[tokio::test]
async fn errors_carry_details_and_ids() {
    let fixture = Fixture::new();
    let request = http::Request::get("/data/a%20%3Cb%3E").header("host", "localhost:9000").body("").unwrap();
    let (parts, body) = fixture.send(request).await;
    assert_eq!(parts.status, 404);
    assert_eq!(parts.headers["content-type"], "application/xml");
    assert_eq!(parts.headers["content-length"], body.len().to_string().as_str());
    let id = parts.headers["x-amz-request-id"].to_str().unwrap();
    assert!(
        body.contains("<Key>a &lt;b&gt;</Key>") && body.contains(&format!("<RequestId>{id}</RequestId>")),
        "{body}"
    );
    let other = http::Request::get("/none/a").body("").unwrap();
    let (parts, body) = fixture.send(other).await;
    assert!(body.contains("<BucketName>none</BucketName>"), "{body}");
    assert_ne!(parts.headers["x-amz-request-id"], id);
}

#[tokio::test]
async fn requests_are_addressed_by_path_host_or_uri() {
    let fixture = Fixture::new();
    fixture.put("dir/a", "hello").await;
    for (uri, host) in [
        ("/data/dir/a", "127.0.0.1:9000"),
        ("/dir/a", "data.localhost:9000"),
        ("/dir/a", "data.s3.example.com"),
        ("http://data.s3.dualstack.us-east-1.amazonaws.com/dir/a", ""),
        ("http://s3.us-east-1.amazonaws.com/data/dir/a", ""),
    ] {
        let mut request = http::Request::get(uri).body("").unwrap();
        if !host.is_empty() {
            request.headers_mut().insert("host", host.parse().unwrap());
        }
        let (parts, body) = fixture.send(request).await;
        assert_eq!((parts.status.as_u16(), body.as_str()), (200, "hello"), "{uri} {host}");
    }
}

#[tokio::test]
async fn what_has_no_body_has_none() {
    let fixture = Fixture::new();
    fixture.put("a", "hello").await;
    let (parts, body) = fixture.send(http::Request::head("/data/a").body("").unwrap()).await;
    assert_eq!((parts.status.as_u16(), body.as_str()), (200, ""));
    assert_eq!(parts.headers["content-length"], "5");
    let (parts, body) = fixture.send(http::Request::head("/data/none").body("").unwrap()).await;
    assert_eq!((parts.status.as_u16(), body.as_str()), (404, ""));
    let (parts, body) = fixture.send(http::Request::delete("/data/a").body("").unwrap()).await;
    assert_eq!((parts.status.as_u16(), body.as_str()), (204, ""));
}

#[tokio::test]
async fn a_body_is_answered_without_a_copy() {
    let fixture = Fixture::new();
    let stored = Bytes::from(vec![7; 100_000]);
    fixture.s3.put("data", "a", stored.clone(), None);
    let response = fixture.s3.handle(http::Request::get("/data/a").body(SdkBody::empty()).unwrap()).await;
    assert_eq!(response.body().bytes().unwrap().as_ptr(), stored.as_ptr());
}

#[tokio::test]
async fn malformed_requests_are_refused_in_kind() {
    let fixture = Fixture::new();
    for (request, status, code) in [
        (http::Request::post("/data?delete").body("<Delete><Obj").unwrap(), 400, "MalformedXML"),
        (http::Request::post("/data?delete").body("").unwrap(), 400, "MissingRequestBodyError"),
        (http::Request::put("/data?policy").body("[]").unwrap(), 400, "MalformedPolicy"),
        (http::Request::put("/data?lifecycle").body("<Rule>").unwrap(), 400, "MalformedXML"),
        (http::Request::post("/data/a?select&select-type=2").body("<x/>").unwrap(), 400, "MalformedXML"),
        (http::Request::get("/data/a?torrent").body("").unwrap(), 501, "NotImplemented"),
        (http::Request::put("/data?replication").body("<x/>").unwrap(), 400, "MalformedXML"),
        (http::Request::get("/data/%FF").body("").unwrap(), 400, "InvalidURI"),
        (http::Request::patch("/data/a").body("").unwrap(), 501, "NotImplemented"),
        (
            http::Request::post("/data").header("content-type", "multipart/form-data; boundary=x").body("--x").unwrap(),
            400,
            "MalformedPOSTRequest",
        ),
    ] {
        let uri = request.uri().clone();
        let (parts, body) = fixture.send(request).await;
        assert_eq!(parts.status, status, "{uri}: {body}");
        assert!(body.contains(&format!("<Code>{code}</Code><Message>")), "{uri}: {body}");
    }
}

#[tokio::test]
async fn what_is_announced_as_too_large_is_not_read() {
    let fixture = Fixture::new();
    for header in ["content-length", "x-amz-decoded-content-length"] {
        let never = SdkBody::from_body_1_x(http_body_util::StreamBody::new(futures_util::stream::pending::<
            Result<hyper::body::Frame<Bytes>, std::io::Error>,
        >()));
        let request = http::Request::put("/data/a").header(header, "6000000000").body(never).unwrap();
        let response = fixture.s3.handle(request).await;
        assert_eq!(response.status(), 400);
        let body = ByteStream::new(response.into_body()).collect().await.unwrap().to_vec();
        assert!(String::from_utf8(body).unwrap().contains("<Code>EntityTooLarge</Code>"), "{header}");
    }
}

/// What the protocol crate would log: refused requests as errors, malformed ones with their body.
#[test]
fn refusals_are_not_logged() {
    use std::sync::atomic::AtomicUsize;

    struct Counting(Arc<AtomicUsize>);
    impl tracing::Subscriber for Counting {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, event: &tracing::Event<'_>) {
            if event.metadata().target().starts_with("s3s") {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }

    let count = Arc::new(AtomicUsize::new(0));
    tracing::subscriber::with_default(Counting(count.clone()), || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::new();
            fixture.send(http::Request::post("/data?delete").body("<secret").unwrap()).await;
            fixture.send(http::Request::get("/data/none").body("").unwrap()).await;
            tracing::error!(target: "s3s", "the test sees errors");
        });
    });
    assert_eq!(count.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn errors_say_what_they_are_about() {
    let fixture = Fixture::new();
    fixture.put("a", "hello").await;
    let get = |uri: &str| http::Request::get(uri.to_owned());
    for (request, details) in [
        (get("/data/a").header("if-match", "0a"), "<Condition>If-Match</Condition>"),
        (get("/data/a").header("if-match", "any thing"), "<Condition>If-Match</Condition>"),
        (
            get("/data/a").header("range", "bytes=9-"),
            "<RangeRequested>bytes=9-</RangeRequested><ActualObjectSize>5</ActualObjectSize>",
        ),
        (get("/data/a?uploadId=u%201"), "<UploadId>u 1</UploadId>"),
        (
            get("/data?max-keys=-1"),
            "<Message>Argument maxKeys must be an integer between 0 and 2147483647</Message>\
             <ArgumentName>maxKeys</ArgumentName><ArgumentValue>-1</ArgumentValue>",
        ),
        (
            get("/data?max-keys=2147483648"),
            "<Message>Provided max-keys not an integer or within integer range</Message>\
             <ArgumentName>max-keys</ArgumentName><ArgumentValue>2147483648</ArgumentValue>",
        ),
        (
            http::Request::put("/data/a?partNumber=10001&uploadId=u"),
            "<ArgumentName>partNumber</ArgumentName><ArgumentValue>10001</ArgumentValue>",
        ),
        (
            http::Request::put("/data/b").header("x-amz-copy-source", "data/none"),
            "<Message>The specified key does not exist.</Message><Key>none</Key>",
        ),
        (http::Request::post("/data/a"), "<Method>POST</Method><ResourceType>OBJECT</ResourceType>"),
    ] {
        let (parts, body) = fixture.send(request.body("").unwrap()).await;
        assert!(parts.status.is_client_error() && body.contains(details), "{details}: {body}");
        assert!(!parts.headers.keys().any(|name| name.as_str().starts_with("x-local")));
    }
}

#[tokio::test]
async fn a_part_of_an_object_is_partial_content() {
    let fixture = Fixture::new();
    fixture.put("a", "hello").await;
    for (method, uri, range, status, content_range) in [
        ("HEAD", "/data/a", None, 200, None),
        ("HEAD", "/data/a?partNumber=1", None, 206, Some("bytes 0-4/5")),
        ("GET", "/data/a?partNumber=1", None, 206, Some("bytes 0-4/5")),
        ("HEAD", "/data/a", Some("bytes=1-2"), 206, Some("bytes 1-2/5")),
        ("HEAD", "/data", None, 200, None),
    ] {
        let mut request = http::Request::builder().method(method).uri(uri);
        if let Some(range) = range {
            request = request.header("range", range);
        }
        let (parts, _) = fixture.send(request.body("").unwrap()).await;
        assert_eq!(parts.status, status, "{method} {uri}");
        let answered = parts.headers.get("content-range").map(|range| range.to_str().unwrap());
        assert_eq!(answered, content_range, "{method} {uri}");
        assert!(parts.headers.contains_key("content-type"), "{method} {uri}");
    }
}

#[tokio::test]
async fn a_copy_names_the_bucket_that_is_missing() {
    let fixture = Fixture::new();
    for (target, source, missing) in [("data", "none", "none"), ("nowhere", "data", "nowhere")] {
        fixture.put("a", "hello").await;
        let request = http::Request::put(format!("/{target}/b")).header("x-amz-copy-source", format!("/{source}/a"));
        let (parts, body) = fixture.send(request.body("").unwrap()).await;
        assert_eq!(parts.status, 404);
        assert!(body.contains("<Code>NoSuchBucket</Code>"), "{body}");
        assert_eq!(body.matches("<BucketName>").count(), 1, "{body}");
        assert!(body.contains(&format!("<BucketName>{missing}</BucketName>")), "{body}");
    }
}
