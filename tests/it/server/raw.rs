//! A client that sends the bytes that a test wants.

use std::time::Duration;

use sagemaker::local::LocalServer;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// What says that a request is signed.
pub const SIGNED: &str = "authorization: AWS4-HMAC-SHA256 Credential=AK/20260102/us-east-1/s3/aws4_request, \
                          SignedHeaders=host;x-amz-date, Signature=0f\r\nx-amz-date: 20260102T030405Z\r\n";

/// No test waits longer for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Raw(BufReader<TcpStream>);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Raw {
    pub async fn connect(server: &LocalServer) -> Self {
        Self(BufReader::new(TcpStream::connect(server.addr()).await.unwrap()))
    }

    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.write_all(bytes.as_ref()).await.unwrap();
        self
    }

    /// Sends as long as the other side takes it.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    pub async fn finish_sending(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// As [`finish_sending`](Self::finish_sending), for a connection that the other side may have closed.
    pub async fn finish_sending_if_open(&mut self) {
        let _ = self.0.shutdown().await;
    }

    /// An answer, if one has come already.
    pub async fn answer_so_far(&mut self) -> Option<Answer> {
        let come = tokio::time::timeout(Duration::from_millis(20), self.0.fill_buf()).await;
        match come {
            Ok(Ok(bytes)) if !bytes.is_empty() => Some(self.answer().await),
            _ => None,
        }
    }

    /// The status of an answer, and its body, which need not be text.
    pub async fn status_and_bytes(&mut self) -> (u16, Vec<u8>) {
        let head = tokio::time::timeout(PATIENCE, self.read("HEAD")).await.expect("an answer comes in time");
        let length = head.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        (head.status, body)
    }

    pub async fn answer(&mut self) -> Answer {
        self.answer_to("GET").await
    }

    /// The next answer; one to HEAD has no body.
    pub async fn answer_to(&mut self, method: &str) -> Answer {
        tokio::time::timeout(PATIENCE, self.read(method)).await.expect("an answer comes in time")
    }

    async fn read(&mut self, method: &str) -> Answer {
        let line = self.line().await;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, headers, body: String::new() };
        let length = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        if method != "HEAD" && status != 100 {
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).await.unwrap();
            answer.body = String::from_utf8(body).unwrap();
        }
        answer
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    /// Waits until the other side closes; what it still sent.
    pub async fn closed(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut rest)).await;
        // A reset is an end too.
        let _ = read.expect("the connection is closed in time");
        rest
    }
}
