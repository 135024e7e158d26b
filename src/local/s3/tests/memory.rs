//! What objects cost. Not run with the others: it measures the whole process.

use super::*;

/// The resident memory of this process in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[expect(clippy::disallowed_methods, reason = "measures real time")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// `cargo test --all-features --lib -- --ignored --exact local::s3::tests::memory::small_objects_are_small`
#[tokio::test]
#[ignore = "measures the process: to be run alone"]
async fn small_objects_are_small() {
    const COUNT: u64 = 100_000;
    let fixture = Fixture::new();
    let put = async |number: u64| {
        // As from a socket: the body is a part of a larger buffer.
        let body = Bytes::from(vec![7; 64 * 1024]).slice(100..1124);
        let request = http::Request::put(format!("/data/prefix/object-{number:08}"));
        let request = request.header("content-type", "application/octet-stream").header("host", "127.0.0.1:4566");
        let response = fixture.s3.handle(request.body(SdkBody::from(body)).unwrap()).await;
        assert_eq!(response.status(), 200);
    };
    put(COUNT).await;
    let (before, began) = (resident(), now());
    for number in 0..COUNT {
        put(number).await;
    }
    let (used, took) = (resident() - before, began.elapsed());
    let each = used / COUNT;
    let micros = took.as_secs_f64() * 1e6 / COUNT as f64;
    std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("{each} bytes an object, {micros:.1} us a request\n"),
    )
    .unwrap();
    assert!(each <= 3 * 1024, "{each}");
}
