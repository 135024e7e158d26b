//! What a command prints, line by line, however long its lines and whatever its bytes.

use std::io::{self, PipeReader, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// The longest line in bytes. CloudWatch Logs takes 262,118; a byte that is no text becomes three.
const MAX_LINE: usize = 262_118 / 3;
/// What is kept of a command's output in all.
const MAX_OUTPUT: u64 = 64 << 20;
/// How long a command's output may go on after its end: what it started may have left its group and kept the pipe.
const AFTERWARDS: Duration = Duration::from_secs(2);

/// Takes lines.
pub(super) type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// A thread that reads a command's output.
pub(super) struct Output(Receiver<()>);

impl Output {
    /// Logs the lines that come through a pipe.
    pub(super) fn follow(pipe: PipeReader, log: Log) -> io::Result<Self> {
        let (done, wait) = channel::<()>();
        std::thread::Builder::new().name("sagemaker-local-output".to_owned()).spawn(move || {
            let _done = done;
            read_lines(pipe, MAX_OUTPUT, &mut |line| log(line));
        })?;
        Ok(Self(wait))
    }

    /// Blocks until all has been read; to be called when the command has ended.
    pub(super) fn finish(self) {
        let _: Result<(), RecvTimeoutError> = self.0.recv_timeout(AFTERWARDS);
    }
}

/// Gives each line to `log`, cut where it is too long. What comes after `limit` bytes is read and forgotten.
fn read_lines(mut pipe: impl Read, limit: u64, log: &mut dyn FnMut(&str)) {
    let mut line = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let mut left = limit;
    loop {
        let size = match pipe.read(&mut buffer) {
            Ok(0) => break,
            Ok(size) => size,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        if left == 0 {
            continue;
        }
        for part in buffer.get(..size).unwrap_or_default().split_inclusive(|&b| b == b'\n') {
            line.extend_from_slice(part);
            if line.last() == Some(&b'\n') {
                line.pop();
                say(&line, log);
                line.clear();
            }
            while line.len() > MAX_LINE {
                let rest = line.split_off(boundary(&line, MAX_LINE));
                say(&line, log);
                line = rest;
            }
        }
        left = left.saturating_sub(size as u64);
        if left == 0 {
            log(&format!("[sagemaker-local] more than {limit} bytes of output: the rest is not kept"));
            line = Vec::new();
        }
    }
    say(&line, log);
}

fn say(line: &[u8], log: &mut dyn FnMut(&str)) {
    if !line.is_empty() {
        log(&String::from_utf8_lossy(line));
    }
}

/// The last place at or before `at` where a character begins.
fn boundary(bytes: &[u8], at: usize) -> usize {
    let begins = |place: &usize| bytes.get(*place).is_some_and(|byte| byte & 0xC0 != 0x80);
    (at.saturating_sub(3)..=at).rev().find(begins).filter(|place| *place > 0).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(bytes: &[u8], limit: u64) -> Vec<String> {
        let mut lines = Vec::new();
        read_lines(bytes, limit, &mut |line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn lines_are_told_as_they_are() {
        assert_eq!(lines(b"a\n\nb\xFF\nlast", 100), ["a", "b\u{FFFD}", "last"]);
        assert!(lines(b"", 100).is_empty());
    }

    #[test]
    fn endless_lines_are_cut_between_characters() {
        let long = "é".repeat(MAX_LINE);
        let cut = lines(long.as_bytes(), u64::MAX);
        assert!(cut.len() > 1 && cut.iter().all(|line| line.len() <= MAX_LINE));
        assert_eq!(cut.concat(), long);
    }

    #[test]
    fn endless_output_is_read_and_forgotten() {
        let said = lines("word\n".repeat(20_000).as_bytes(), 20_000);
        assert_eq!(said.last().unwrap(), "[sagemaker-local] more than 20000 bytes of output: the rest is not kept");
        assert!(said.len() < 8_000, "{}", said.len());
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..400), limit in 0u64..500) {
            lines(&bytes, limit);
        }
    }
}
