//! Ten thousand connections at once: most do nothing, some have sent half a request. Everybody else is served.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const CROWD: u64 = 10_000;
/// Files that this process needs for other things.
const OTHER_FILES: u64 = 100;
/// What the server may take for a crowd, in KiB: all the connections that it keeps, with half a request each.
const MEMORY: u64 = 256 * 1024;
const SIGNED: &str = "authorization: AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/s3/aws4_request, \
                      SignedHeaders=host;x-amz-date, Signature=0f\r\nx-amz-date: 20260102T030405Z\r\n";

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// As many connections as this process may have, up to the crowd.
fn affordable() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = (CROWD + OTHER_FILES).min(maximum.unwrap_or(u64::MAX));
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted.max(current.unwrap_or(0))), maximum });
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    CROWD.min(files.saturating_sub(OTHER_FILES))
}

/// The memory of a process in KiB.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// How long a client waits that comes, is served and goes.
#[expect(clippy::disallowed_methods, reason = "a client waits in reality")]
fn served(authority: &str) -> Duration {
    let begin = Instant::now();
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!("host: {authority}\r\n{SIGNED}connection: close\r\n");
    write!(stream, "PUT /data/k HTTP/1.1\r\n{head}content-length: 5\r\n\r\nhello").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 404"), "{answer}");
    begin.elapsed()
}

#[test]
fn a_crowd_does_not_shut_others_out() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sagemaker-local"));
    let child = command.args(["--port", "0"]).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut server = Running(child);
    let mut url = String::new();
    BufReader::new(server.0.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
    let authority = url.trim_end().strip_prefix("http://").unwrap().to_owned();
    served(&authority);
    let before = resident(server.0.id());

    let count = affordable();
    if count < CROWD {
        eprintln!("this process may open no more than {count} connections: the crowd is smaller than {CROWD}");
    }
    let upload = format!("PUT /data/k HTTP/1.1\r\nhost: {authority}\r\n{SIGNED}content-length: 5000000000\r\n\r\nhalf");
    let mut crowd = Vec::new();
    let mut waits = Vec::new();
    for number in 0..count {
        let mut stream = TcpStream::connect(&authority).unwrap();
        // The server may have closed it by now: that is its right.
        let _ = match number % 4 {
            0 => stream.write_all(b"GET / HTTP/1.1\r\nhost: local"),
            1 | 2 => stream.write_all(upload.as_bytes()),
            _ => Ok(()),
        };
        crowd.push(stream);
        if number % 2000 == 1999 {
            waits.push(served(&authority));
        }
    }
    for _ in 0..5 {
        waits.push(served(&authority));
    }
    waits.sort();
    // A machine that does other things may be slow once or twice.
    let median = waits[waits.len() / 2];
    assert!(median < Duration::from_secs(1), "a client waits for {waits:?} with {count} connections open");
    let taken = resident(server.0.id()).saturating_sub(before);
    assert!(taken < MEMORY, "{count} connections take {taken} KiB");
    drop(crowd);
    served(&authority);
}
