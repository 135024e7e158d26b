//! What no proper client sends. The one who sends it is refused, and everybody else is served meanwhile.

use std::time::Duration;

use sagemaker::local::{LocalBackend, LocalServer};

use super::raw::{Answer, Raw, SIGNED};

const HEALTH: &str = "GET /_local/health HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// What is soon, also on a busy machine.
const SOON: Duration = Duration::from_secs(5);

/// A server with the bucket `data`.
async fn serve(builder: impl FnOnce(&LocalBackend) -> sagemaker::local::LocalServerBuilder) -> LocalServer {
    let backend = LocalBackend::new();
    let server = builder(&backend).bind("127.0.0.1:0").await.unwrap();
    let made = ask(&server, &format!("PUT /data HTTP/1.1\r\n{}content-length: 0\r\n\r\n", head())).await;
    assert_eq!(made.status, 200);
    server
}

fn head() -> String {
    format!("host: localhost\r\n{SIGNED}")
}

async fn ask(server: &LocalServer, request: &str) -> Answer {
    Raw::connect(server).await.send(request).await.answer().await
}

/// A client that does nothing wrong stores an object, reads it and calls SageMaker.
async fn others_are_served(server: &LocalServer) {
    let head = head();
    let served = async {
        let mut client = Raw::connect(server).await;
        let put = format!("PUT /data/good HTTP/1.1\r\n{head}content-length: 5\r\n\r\nhello");
        assert_eq!(client.send(put).await.answer().await.status, 200);
        let get = format!("GET /data/good HTTP/1.1\r\n{head}\r\n");
        assert_eq!(client.send(get).await.answer().await.body, "hello");
        let list =
            format!("POST / HTTP/1.1\r\n{head}x-amz-target: SageMaker.ListModels\r\ncontent-length: 2\r\n\r\n{{}}");
        assert_eq!(client.send(list).await.answer().await.status, 200);
    };
    tokio::time::timeout(SOON, served).await.expect("others are served");
}

#[tokio::test]
async fn broken_framing_is_refused() {
    let server = serve(LocalServer::builder).await;
    let head = head();
    let chunked = format!("PUT /data/bad HTTP/1.1\r\n{head}transfer-encoding: chunked\r\n\r\n");
    let long = "x".repeat(400_000);
    let mut open = Vec::new();
    for (what, request) in [
        ("a size that is no number", format!("{chunked}5g\r\nhello\r\n0\r\n\r\n")),
        ("no size", format!("{chunked}\r\nhello\r\n0\r\n\r\n")),
        ("a negative size", format!("{chunked}-5\r\nhello\r\n0\r\n\r\n")),
        ("a size beyond all bounds", format!("{chunked}fffffffffffffffff\r\nhello\r\n0\r\n\r\n")),
        ("no line end behind a chunk", format!("{chunked}5\r\nhello0\r\n\r\n")),
        ("a bare line feed behind a size", format!("{chunked}5\nhello\r\n0\r\n\r\n")),
        ("an extension without end", format!("{chunked}5;{long}\r\nhello\r\n0\r\n\r\n")),
        ("trailers without end", format!("{chunked}5\r\nhello\r\n0\r\n{}\r\n", "a: b\r\n".repeat(20_000))),
        ("a trailer that is too long", format!("{chunked}5\r\nhello\r\n0\r\na: {long}\r\n\r\n")),
        ("another transfer encoding", format!("PUT /data/bad HTTP/1.1\r\n{head}transfer-encoding: gzip\r\n\r\nhello")),
        (
            "two lengths",
            format!("PUT /data/bad HTTP/1.1\r\n{head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello!"),
        ),
        ("a list of lengths", format!("PUT /data/bad HTTP/1.1\r\n{head}content-length: 5, 6\r\n\r\nhello!")),
        ("a length with a sign", format!("PUT /data/bad HTTP/1.1\r\n{head}content-length: +5\r\n\r\nhello")),
        (
            "both framings",
            format!("PUT /data/bad HTTP/1.1\r\n{head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        ("two hosts", format!("PUT /data/bad HTTP/1.1\r\nhost: evil.example\r\n{head}content-length: 0\r\n\r\n")),
        ("no host", format!("PUT /data/bad HTTP/1.1\r\n{SIGNED}content-length: 0\r\n\r\n")),
        ("a host that is none", format!("PUT /data/bad HTTP/1.1\r\nhost: a b\r\n{SIGNED}content-length: 0\r\n\r\n")),
        ("a folded header", format!("GET /data/good HTTP/1.1\r\n{head}x-a: b\r\n c\r\n\r\n")),
        ("a blank before a colon", format!("GET /data/good HTTP/1.1\r\n{head}x-a : b\r\n\r\n")),
        ("a zero byte", format!("GET /data/good HTTP/1.1\r\n{head}x-a: \0\r\n\r\n")),
        ("a long path", format!("GET /data/{long} HTTP/1.1\r\n{head}\r\n")),
        ("a long header", format!("GET /data/good HTTP/1.1\r\n{head}x-a: {long}\r\n\r\n")),
    ] {
        let mut client = Raw::connect(&server).await;
        client.try_send(&request).await;
        others_are_served(&server).await;
        client.finish_sending_if_open().await;
        // A refusal, or a connection that is closed before there was one; never success.
        let answer = String::from_utf8(client.closed().await).unwrap();
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused && !answer.contains("HTTP/1.1 200"), "{what}: {answer}");
        open.push(client);
    }
    let get = format!("GET /data/bad HTTP/1.1\r\n{head}\r\n");
    assert_eq!(ask(&server, &get).await.status, 404, "nothing of it was stored");
}

#[tokio::test]
async fn nothing_is_smuggled_behind_a_body() {
    let server = serve(LocalServer::builder).await;
    let head = head();
    let hidden = format!("DELETE /data/good HTTP/1.1\r\n{head}\r\n");
    others_are_served(&server).await;
    // Whichever of the two a proxy believes, the rest is no request of its own.
    let both = format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", 5 + hidden.len());
    let mut client = Raw::connect(&server).await;
    client.try_send(format!("PUT /data/k HTTP/1.1\r\n{head}{both}\r\n0\r\n\r\n{hidden}")).await;
    let answer = String::from_utf8(client.closed().await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.matches("HTTP/1.1").count() == 1, "{answer}");
    let still = ask(&server, &format!("GET /data/good HTTP/1.1\r\n{head}\r\n")).await;
    assert_eq!(still.status, 200);
}

#[tokio::test]
async fn broken_aws_chunks_are_refused() {
    let server = serve(LocalServer::builder).await;
    let digest = "0a".repeat(32);
    let unsigned = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    let signed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    let whole = format!("5;chunk-signature={digest}\r\nhello\r\n0;chunk-signature={digest}\r\n\r\n");
    for (what, hash, body, status, code) in [
        ("all is well", signed, whole.clone(), 200, ""),
        (
            "a checksum in the trailer",
            unsigned,
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n".into(),
            200,
            "",
        ),
        (
            "another checksum",
            unsigned,
            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n".into(),
            400,
            "BadDigest",
        ),
        ("no checksum", unsigned, "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:\r\n\r\n".into(), 400, "InvalidRequest"),
        ("a trailer without a name", unsigned, "5\r\nhello\r\n0\r\n:x\r\n\r\n".into(), 400, "MalformedTrailerError"),
        ("a size that is no number", unsigned, "g\r\nhello\r\n0\r\n\r\n".into(), 400, "InvalidRequest"),
        ("a size beyond all bounds", unsigned, "ffffffffffffffff\r\nhello".into(), 400, "IncompleteBody"),
        ("no last chunk", unsigned, "5\r\nhello\r\n".into(), 400, "IncompleteBody"),
        ("more behind the end", unsigned, "5\r\nhello\r\n0\r\n\r\nmore".into(), 400, "InvalidRequest"),
        (
            "an extension without end",
            unsigned,
            format!("5;chunk-signature={}", "a".repeat(9000)),
            400,
            "InvalidRequest",
        ),
        ("no signature", signed, "5\r\nhello\r\n0\r\n\r\n".into(), 403, "SignatureDoesNotMatch"),
        ("a signature that is none", signed, whole.replace("0a", "zz"), 403, "SignatureDoesNotMatch"),
        ("a signature cut short", signed, whole.replace(&digest, "0a"), 403, "SignatureDoesNotMatch"),
    ] {
        let trailer = if body.contains("x-amz-checksum") { "x-amz-trailer: x-amz-checksum-crc32\r\n" } else { "" };
        let mut client = Raw::connect(&server).await;
        client
            .send(format!(
                "PUT /data/k HTTP/1.1\r\n{}content-encoding: aws-chunked\r\nx-amz-content-sha256: {hash}\r\n{trailer}\
                 content-length: {}\r\n\r\n",
                head(),
                body.len()
            ))
            .await;
        others_are_served(&server).await;
        let answer = client.send(&body).await.answer().await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert!(code.is_empty() || answer.body.contains(&format!("<Code>{code}</Code>")), "{what}: {}", answer.body);
    }
}

#[tokio::test]
async fn slow_clients_hold_nobody_up() {
    let limit = Duration::from_secs(2);
    let server = serve(|backend| LocalServer::builder(backend).head_timeout(limit).body_timeout(limit)).await;
    let mut slow = Vec::new();
    for number in 0..60 {
        let mut client = Raw::connect(&server).await;
        let whole = match number % 3 {
            0 => format!("GET /data/k HTTP/1.1\r\n{}\r\n", head()),
            1 => format!("PUT /data/k HTTP/1.1\r\n{}content-length: 1000\r\n\r\n{}", head(), "x".repeat(1000)),
            _ => format!("PUT /data/k HTTP/1.1\r\n{}transfer-encoding: chunked\r\n\r\n3e8\r\n", head()),
        };
        let at = if number % 3 == 0 { 0 } else { whole.find("\r\n\r\n").unwrap() + 4 };
        client.send(&whole.as_bytes()[..at]).await;
        slow.push((client, whole.into_bytes(), at));
    }
    for _ in 0..5 {
        for (client, whole, at) in &mut slow {
            if let Some(byte) = whole.get(*at) {
                client.try_send(&[*byte]).await;
                *at += 1;
            }
        }
        others_are_served(&server).await;
    }
    // They are not waited for: none of them has sent all when its time is over.
    for (mut client, _, _) in slow {
        let answer = String::from_utf8(client.closed().await).unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
}

#[tokio::test]
async fn half_sent_requests_make_room_for_a_newcomer() {
    let server = serve(|backend| LocalServer::builder(backend).max_connections(32)).await;
    let mut crowd = Vec::new();
    for _ in 0..100 {
        let mut client = Raw::connect(&server).await;
        let _ = client.try_send(format!("PUT /data/k HTTP/1.1\r\n{}content-length: 1000\r\n\r\nhalf", head())).await;
        crowd.push(client);
    }
    others_are_served(&server).await;
    // Clients that do not take their answers are no better.
    let mut crowd = Vec::new();
    let large = "x".repeat(1 << 20);
    let put = format!("PUT /data/large HTTP/1.1\r\n{}content-length: {}\r\n\r\n{large}", head(), large.len());
    assert_eq!(ask(&server, &put).await.status, 200);
    for _ in 0..64 {
        let mut client = Raw::connect(&server).await;
        let get = format!("GET /data/large HTTP/1.1\r\n{}\r\n", head());
        let _ = client.try_send(get.repeat(20)).await;
        crowd.push(client);
    }
    others_are_served(&server).await;
}

#[tokio::test]
async fn bodies_under_way_take_a_bounded_memory() {
    const KIB: usize = 1024;
    let server = serve(|backend| LocalServer::builder(backend).max_body_memory(1 << 20)).await;
    let announce = format!("PUT /data/huge HTTP/1.1\r\n{}content-length: {}\r\n\r\n", head(), 5_u64 << 30);
    let part = vec![b'x'; 256 * KIB];
    let mut crowd = Vec::new();
    for _ in 0..40 {
        let mut client = Raw::connect(&server).await;
        client.try_send(&announce).await;
        client.try_send(&part).await;
        crowd.push(client);
    }
    others_are_served(&server).await;
    // Who sends more is told to slow down, also in the words of another service.
    let mut refused = 0;
    for client in &mut crowd {
        if let Some(answer) = client.answer_so_far().await {
            assert_eq!(answer.status, 503, "{}", answer.body);
            assert!(answer.body.contains("<Code>SlowDown</Code>"), "{}", answer.body);
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused} of 40 were refused");
    drop(crowd);
    // And with them gone there is room again.
    let large = "x".repeat(900 * KIB);
    let put = format!("PUT /data/large HTTP/1.1\r\n{}content-length: {}\r\n\r\n{large}", head(), large.len());
    for attempt in 0.. {
        let status = ask(&server, &put).await.status;
        if status == 200 {
            break;
        }
        assert!(status == 503 && attempt < 100, "{status}");
        let _ = ask(&server, HEALTH).await;
    }
}
