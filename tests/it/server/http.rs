//! HTTP/1.1 as clients speak it, and as they must not.

use std::time::Duration;

use sagemaker::local::{Fault, LocalBackend, LocalServer};

use super::raw::{Raw, SIGNED};

/// The host, and a signature.
const HOST: &str = "host: 127.0.0.1\r\nauthorization: AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/s3/aws4_request, \
                    SignedHeaders=host, Signature=0f\r\nx-amz-date: 20260102T030405Z\r\n";

async fn serve() -> (LocalBackend, LocalServer) {
    let backend = LocalBackend::new();
    let server = backend.serve("127.0.0.1:0").await.unwrap();
    (backend, server)
}

/// One request on a connection of its own.
async fn ask(server: &LocalServer, request: &str) -> super::raw::Answer {
    Raw::connect(server).await.send(request).await.answer().await
}

async fn bucket(server: &LocalServer) {
    let made = ask(server, &format!("PUT /data HTTP/1.1\r\n{HOST}content-length: 0\r\n\r\n")).await;
    assert_eq!(made.status, 200);
}

async fn content(server: &LocalServer, key: &str) -> String {
    ask(server, &format!("GET /data/{key} HTTP/1.1\r\n{HOST}\r\n")).await.body
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let (_backend, server) = serve().await;
    bucket(&server).await;
    let mut client = Raw::connect(&server).await;
    let mut requests = String::new();
    for i in 0..20 {
        requests.push_str(&format!("PUT /data/k{i} HTTP/1.1\r\n{HOST}content-length: 2\r\n\r\n{i:02}"));
        requests.push_str(&format!("GET /data/k{i} HTTP/1.1\r\n{HOST}\r\n"));
    }
    client.send(&requests).await;
    for i in 0..20 {
        assert_eq!(client.answer().await.status, 200);
        assert_eq!(client.answer().await.body, format!("{i:02}"));
    }
}

#[tokio::test]
async fn answers_look_like_those_of_aws() {
    let (_backend, server) = serve().await;
    let list = format!("POST / HTTP/1.1\r\n{HOST}x-amz-target: SageMaker.ListModels\r\ncontent-length: 2\r\n\r\n{{}}");
    let answer = ask(&server, &list).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"Models":[]}"#));
    assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
    assert!(answer.header("date").is_some_and(|date| date.ends_with(" GMT")), "{answer:?}");
    assert!(answer.header("x-amzn-requestid").is_some() && answer.header("server").is_none(), "{answer:?}");
    bucket(&server).await;
    let answer = ask(&server, &format!("GET /data/none HTTP/1.1\r\n{HOST}\r\n")).await;
    assert_eq!((answer.status, answer.header("server")), (404, Some("AmazonS3")));
    assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control")), "{answer:?}");
}

#[tokio::test]
async fn a_client_may_wait_for_100_continue() {
    let (_backend, server) = serve().await;
    bucket(&server).await;
    let mut client = Raw::connect(&server).await;
    client.send(format!("PUT /data/k HTTP/1.1\r\n{HOST}expect: 100-continue\r\ncontent-length: 5\r\n\r\n")).await;
    assert_eq!(client.answer().await.status, 100);
    assert_eq!(client.send("hello").await.answer().await.status, 200);
    assert_eq!(content(&server, "k").await, "hello");

    // What is refused anyway is not asked for.
    let mut client = Raw::connect(&server).await;
    client
        .send("PUT /data/k HTTP/1.1\r\nhost: evil.example\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
        .await;
    assert_eq!(client.answer().await.status, 403);
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let (_backend, server) = serve().await;
    bucket(&server).await;
    let put = format!("PUT /data/k HTTP/1.1\r\n{HOST}content-length: 5\r\n\r\nhello");
    assert_eq!(ask(&server, &put).await.status, 200);
    let mut client = Raw::connect(&server).await;
    client.send(format!("HEAD /data/k HTTP/1.1\r\n{HOST}\r\nHEAD /data/none HTTP/1.1\r\n{HOST}\r\n")).await;
    let answer = client.answer_to("HEAD").await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("5")));
    assert_eq!(client.answer_to("HEAD").await.status, 404);
    // Nothing is left over that the next answer would begin with.
    assert_eq!(client.send(format!("GET /data/k HTTP/1.1\r\n{HOST}\r\n")).await.answer().await.body, "hello");
    let health = format!("HEAD /_local/health HTTP/1.1\r\n{HOST}connection: close\r\n\r\n");
    assert_eq!(client.send(health).await.answer_to("HEAD").await.status, 200);
    assert_eq!(client.closed().await, b"");
}

#[tokio::test]
async fn bodies_come_in_chunks_of_either_kind() {
    let (_backend, server) = serve().await;
    bucket(&server).await;
    let mut client = Raw::connect(&server).await;
    client.send(format!("PUT /data/k HTTP/1.1\r\n{HOST}transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n")).await;
    client.send("2;x=y\r\nlo\r\n0\r\nx-trailer: 1\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(content(&server, "k").await, "hello");

    let aws = "5\r\nworld\r\n0\r\nx-amz-checksum-crc32:OncRQw==\r\n\r\n";
    let headers = format!(
        "{HOST}content-encoding: aws-chunked\r\nx-amz-decoded-content-length: 5\r\n\
         x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-trailer: x-amz-checksum-crc32\r\n"
    );
    let plain = format!("PUT /data/a HTTP/1.1\r\n{headers}content-length: {}\r\n\r\n{aws}", aws.len());
    assert_eq!(client.send(plain.replace("OncRQw==", "AAAAAA==")).await.answer().await.status, 400);
    assert_eq!(client.send(plain).await.answer().await.status, 200);
    assert_eq!(content(&server, "a").await, "world");
    let twice = format!("PUT /data/b HTTP/1.1\r\n{headers}transfer-encoding: chunked\r\n\r\n");
    let no_trailer = "5\r\nworld\r\n0\r\n\r\n";
    let twice = twice.replace("x-amz-trailer: x-amz-checksum-crc32\r\n", "");
    client.send(format!("{twice}{:x}\r\n{no_trailer}\r\n0\r\n\r\n", no_trailer.len())).await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(content(&server, "b").await, "world");
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_others_are_served() {
    let (_backend, server) = serve().await;
    bucket(&server).await;
    for broken in [
        "\x16\x03\x01\x02\x00\x01\x00\x01\u{7f}\x03\x03\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        format!("GET /data HTTP/1.1\r\n{HOST}bad header\r\n\r\n"),
        format!("PUT /data/x HTTP/1.1\r\n{HOST}content-length: five\r\n\r\n"),
        format!("PUT /data/x HTTP/1.1\r\n{HOST}content-length: -1\r\n\r\n"),
        format!("PUT /data/x HTTP/1.1\r\n{HOST}transfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"),
        format!("PUT /data/x HTTP/1.1\r\n{HOST}transfer-encoding: chunked\r\n\r\n5\r\nhello world\r\n0\r\n\r\n"),
        "GET /data HTTP/1.1\r\n\r\n".to_owned(),
    ] {
        let mut client = Raw::connect(&server).await;
        let answer = client.send(&broken).await.answer().await;
        assert_eq!(answer.status, 400, "{broken:?}: {answer:?}");
    }
    let long = format!("GET /data HTTP/1.1\r\n{HOST}x-long: {}\r\n\r\n", "a".repeat(200_000));
    let mut client = Raw::connect(&server).await;
    client.try_send(&long).await;
    let rest = String::from_utf8(client.closed().await).unwrap();
    assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 431"), "{rest}");
    let mut many = format!("GET /data HTTP/1.1\r\n{HOST}");
    (0..500).for_each(|i| many.push_str(&format!("x-{i}: y\r\n")));
    assert_eq!(ask(&server, &format!("{many}\r\n")).await.status, 431);
    assert_eq!(ask(&server, &format!("GET /data HTTP/1.1\r\n{HOST}\r\n")).await.status, 200);
}

#[tokio::test]
async fn bodies_that_are_too_large_or_end_too_early_are_refused() {
    let (_backend, server) = serve().await;
    let target = format!("POST / HTTP/1.1\r\n{HOST}x-amz-target: SageMaker.ListModels\r\n");
    let mut client = Raw::connect(&server).await;
    client.send(format!("{target}content-length: 20000000\r\n\r\n")).await;
    // The server answers when it has seen enough, and need not take the rest.
    let part = vec![b' '; 1 << 20];
    for _ in 0..9 {
        client.try_send(&part).await;
    }
    assert_eq!(client.answer().await.status, 413);

    let mut client = Raw::connect(&server).await;
    client.send(format!("{target}content-length: 100\r\n\r\n{{}}")).await.finish_sending().await;
    assert_eq!(client.answer().await.status, 400);
}

#[tokio::test]
async fn http_1_0_and_half_closed_connections_get_their_answer() {
    let (_backend, server) = serve().await;
    let mut client = Raw::connect(&server).await;
    client.send("GET /_local/health HTTP/1.0\r\n\r\n").await.finish_sending().await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(client.closed().await, b"");
}

#[tokio::test]
async fn only_names_of_this_machine_and_of_aws_are_answered() {
    let (_backend, server) = serve().await;
    let health = |host: &str| format!("GET /_local/health HTTP/1.1\r\nhost: {host}\r\n\r\n");
    for host in ["localhost", "127.0.0.1:1", "[::1]", "s3.us-east-1.amazonaws.com", "localhost.localstack.cloud"] {
        assert_eq!(ask(&server, &health(host)).await.status, 200, "{host}");
    }
    let answer = ask(&server, &health("rebound.example")).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("rebound.example") && answer.body.contains("--allow-host"), "{}", answer.body);
    let reset =
        format!("POST /_local/reset HTTP/1.1\r\n{HOST}origin: https://evil.example\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(ask(&server, &reset).await.status, 403);
    let backend = LocalBackend::new();
    let server = LocalServer::builder(&backend).allow_host("rebound.example").bind("127.0.0.1:0").await.unwrap();
    assert_eq!(ask(&server, &health("rebound.example")).await.status, 200);
}

#[tokio::test]
async fn buckets_are_in_the_host_name_too() {
    let (_backend, server) = serve().await;
    bucket(&server).await;
    for (number, host) in [
        "data.localhost:4566",
        "data.s3.localhost",
        "data.s3.eu-west-1.localhost",
        "data.s3.localhost.localstack.cloud",
        "data.s3.us-east-1.amazonaws.com",
    ]
    .iter()
    .enumerate()
    {
        let put = format!("PUT /k{number} HTTP/1.1\r\nhost: {host}\r\n{SIGNED}content-length: 2\r\n\r\nhi");
        assert_eq!(ask(&server, &put).await.status, 200, "{host}");
        assert_eq!(content(&server, &format!("k{number}")).await, "hi", "{host}");
    }
}

#[tokio::test]
async fn a_broken_connection_is_closed_without_an_answer() {
    let (backend, server) = serve().await;
    bucket(&server).await;
    backend.faults().add(Fault::drop_connection().on("PutObject").times(1));
    backend.faults().add(Fault::lose_answer().on("PutObject").times(1));
    for stored in ["", "hello"] {
        let mut client = Raw::connect(&server).await;
        client.send(format!("PUT /data/k HTTP/1.1\r\n{HOST}content-length: 5\r\n\r\nhello")).await;
        assert_eq!(client.closed().await, b"");
        let found = content(&server, "k").await;
        assert_eq!(if found.contains("NoSuchKey") { "" } else { &found }, stored);
    }
    backend.faults().add(Fault::break_answer(3).on("GetObject"));
    let mut client = Raw::connect(&server).await;
    client.send(format!("GET /data/k HTTP/1.1\r\n{HOST}\r\n")).await;
    let all = String::from_utf8(client.closed().await).unwrap();
    assert!(all.contains("content-length: 5\r\n") && all.ends_with("\r\n\r\nhel"), "{all}");
}

#[tokio::test]
async fn shutdown_lets_requests_finish() {
    let (_backend, server) = serve().await;
    bucket(&server).await;
    let mut idle = Raw::connect(&server).await;
    let mut busy = Raw::connect(&server).await;
    busy.send(format!("PUT /data/k HTTP/1.1\r\n{HOST}expect: 100-continue\r\ncontent-length: 5\r\n\r\n")).await;
    // The request has begun when its body is asked for.
    assert_eq!(busy.answer().await.status, 100);
    let addr = server.addr();
    let stopping = tokio::spawn(server.shutdown());
    assert_eq!(idle.closed().await, b"");
    busy.send("hello").await;
    let answer = busy.answer().await;
    assert_eq!(answer.status, 200);
    tokio::time::timeout(Duration::from_secs(20), stopping).await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    let (backend, server) = serve().await;
    let mut client = Raw::connect(&server).await;
    let addr = server.addr();
    drop(server);
    assert_eq!(client.closed().await, b"");
    // The port is free again, for the same backend too.
    let again = backend.serve(addr).await.unwrap();
    assert_eq!(again.url(), format!("http://{addr}"));
}
