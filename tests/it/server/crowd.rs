//! Slow clients, and too many of them.

use std::time::Duration;

use sagemaker::local::{LocalBackend, LocalServer};

use super::raw::{Raw, SIGNED};

const HEALTH: &str = "GET /_local/health HTTP/1.1\r\nhost: localhost\r\n\r\n";
const SHORT: Duration = Duration::from_millis(150);

/// The head of an upload that is asked for its body.
fn upload(length: u64) -> String {
    format!(
        "PUT /data/k HTTP/1.1\r\nhost: localhost\r\n{SIGNED}expect: 100-continue\r\ncontent-length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn slow_heads_and_idle_connections_are_closed() {
    let backend = LocalBackend::new();
    let server = LocalServer::builder(&backend).head_timeout(SHORT).bind("127.0.0.1:0").await.unwrap();
    let mut silent = Raw::connect(&server).await;
    let mut slow = Raw::connect(&server).await;
    slow.send("GET /_local/health HTTP/1.1\r\nho").await;
    let mut idle = Raw::connect(&server).await;
    assert_eq!(idle.send(HEALTH).await.answer().await.status, 200);
    for client in [&mut silent, &mut slow, &mut idle] {
        assert_eq!(client.closed().await, b"");
    }
}

#[tokio::test]
async fn slow_bodies_are_refused() {
    let backend = LocalBackend::new();
    let server = LocalServer::builder(&backend).body_timeout(SHORT).bind("127.0.0.1:0").await.unwrap();
    let target = &format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\n{SIGNED}x-amz-target: SageMaker.ListModels\r\n\
         content-length: 2000\r\n\r\n{{"
    );
    let mut stalled = Raw::connect(&server).await;
    assert_eq!(stalled.send(target).await.answer().await.status, 400);
    assert_eq!(stalled.closed().await, b"");

    // A byte now and then is not enough either.
    let mut trickling = Raw::connect(&server).await;
    trickling.send(target).await;
    let mut sent = 0;
    while trickling.try_send(" ").await && sent < 1000 {
        sent += 1;
        let _ = tokio::time::timeout(Duration::from_millis(20), std::future::pending::<()>()).await;
        if sent > 20 {
            break;
        }
    }
    assert_eq!(trickling.answer().await.status, 400);
}

#[tokio::test]
async fn time_goes_on_while_a_client_is_slow() {
    let backend = LocalBackend::new();
    let server = backend.serve("127.0.0.1:0").await.unwrap();
    let mut slow = Raw::connect(&server).await;
    slow.send(upload(5)).await;
    assert_eq!(slow.answer().await.status, 100);
    let hour = backend.clock().sleep(Duration::from_secs(3600));
    tokio::time::timeout(Duration::from_secs(10), hour).await.unwrap();
    // And it is answered when it has sent all.
    assert_eq!(slow.send("hello").await.answer().await.status, 404);
}

#[tokio::test]
async fn one_connection_too_many_closes_the_one_that_is_idle_longest() {
    let backend = LocalBackend::new();
    let server = LocalServer::builder(&backend).max_connections(3).bind("127.0.0.1:0").await.unwrap();
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = Raw::connect(&server).await;
        assert_eq!(client.send(HEALTH).await.answer().await.status, 200);
        clients.push(client);
    }
    assert_eq!(clients[0].send(HEALTH).await.answer().await.status, 200);
    let mut newcomer = Raw::connect(&server).await;
    assert_eq!(newcomer.send(HEALTH).await.answer().await.status, 200);
    assert_eq!(clients[1].closed().await, b"");
    assert_eq!(clients[0].send(HEALTH).await.answer().await.status, 200);
    assert_eq!(clients[2].send(HEALTH).await.answer().await.status, 200);
}

#[tokio::test]
async fn a_newcomer_waits_while_all_are_busy() {
    let backend = LocalBackend::new();
    let server = LocalServer::builder(&backend).max_connections(1).bind("127.0.0.1:0").await.unwrap();
    let mut busy = Raw::connect(&server).await;
    busy.send(upload(5)).await;
    assert_eq!(busy.answer().await.status, 100);
    let mut newcomer = Raw::connect(&server).await;
    newcomer.send(HEALTH).await;
    assert_eq!(busy.send("hello").await.answer().await.status, 404);
    assert_eq!(newcomer.answer().await.status, 200);
    assert_eq!(busy.closed().await, b"");
}

#[tokio::test]
async fn idle_connections_do_not_shut_others_out() {
    let backend = LocalBackend::new();
    let server = LocalServer::builder(&backend).max_connections(64).bind("127.0.0.1:0").await.unwrap();
    let mut crowd = Vec::new();
    for _ in 0..300 {
        crowd.push(Raw::connect(&server).await);
    }
    let mut client = Raw::connect(&server).await;
    assert_eq!(client.send(HEALTH).await.answer().await.status, 200);
}
