//! Any bytes on a connection: they are answered or the connection is closed, and the server serves the next one.
#![no_main]

use std::cell::RefCell;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use sagemaker::local::{LocalBackend, LocalServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

struct World {
    runtime: Runtime,
    server: LocalServer,
    requests: u32,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new({
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let backend = LocalBackend::new();
        let server = runtime.block_on(async { backend.serve("127.0.0.1:0").await }).expect("a port");
        World { runtime, server, requests: 0 }
    });
}

fuzz_target!(|bytes: &[u8]| {
    WORLD.with_borrow_mut(|World { runtime, server, requests }| {
        runtime.block_on(async {
            let mut stream = TcpStream::connect(server.addr()).await.expect("the server accepts");
            let _ = stream.write_all(bytes).await;
            let _ = stream.shutdown().await;
            let mut answer = Vec::new();
            let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await;
            assert!(read.is_ok(), "the connection hangs");
            *requests += 1;
            if (*requests).is_multiple_of(100) {
                let mut stream = TcpStream::connect(server.addr()).await.expect("the server accepts");
                let request = b"GET /_local/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
                stream.write_all(request).await.expect("a request");
                let mut answer = String::new();
                stream.read_to_string(&mut answer).await.expect("an answer");
                assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            }
        });
    });
});
