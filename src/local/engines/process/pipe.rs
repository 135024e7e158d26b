//! Pipe mode: the data of a channel comes through named pipes, one an epoch: `train_0`, `train_1` ..

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe;
use tokio::sync::oneshot;

use super::client::Io;
use super::output::Log;
use crate::local::engines::Channel;

/// The longest that a reader waits until it is seen.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// What a RecordIO record begins with, and how long it can be.
const MAGIC: u32 = 0xced7_230a;
const MAX_RECORD: usize = (1 << 29) - 1;

/// Feeds the pipes of a channel until it is dropped.
pub(super) struct Feed {
    /// Its drop ends the task.
    _open: oneshot::Sender<()>,
}

/// A channel as one of the job's hosts reads it.
pub(super) struct Source {
    /// Where the pipes are: `/opt/ml/input/data`.
    pub(super) folder: PathBuf,
    pub(super) channel: Channel,
    /// Counted from 0.
    pub(super) host: usize,
    pub(super) hosts: usize,
    pub(super) log: Log,
}

impl Feed {
    /// Makes the first pipe, and feeds it and those that follow from a task of `io`.
    pub(super) fn start(io: &Io, source: Source) -> Result<Self, String> {
        let name = &source.channel.name;
        if let Some((path, _)) =
            source.channel.files.iter().find(|(_, content)| source.channel.record_io && content.len() > MAX_RECORD)
        {
            return Err(format!("{path} of channel {name} is too long for a RecordIO record of {MAX_RECORD} bytes"));
        }
        make(&source.path(0)).map_err(|error| format!("the pipe of channel {name} cannot be made: {error}"))?;
        let (open, closed) = oneshot::channel();
        io.spawn(async move {
            tokio::select! {
                biased;
                _ = closed => {}
                () = source.feed() => {}
            }
        });
        Ok(Self { _open: open })
    }
}

impl Source {
    fn path(&self, epoch: u64) -> PathBuf {
        self.folder.join(format!("{}_{epoch}", self.channel.name))
    }

    /// Feeds one epoch after the other, as long as they are read.
    async fn feed(self) {
        for epoch in 0.. {
            if let Err(error) = self.epoch(epoch).await {
                let name = &self.channel.name;
                return (self.log)(&format!("[sagemaker-local] the pipe {name}_{epoch} broke: {error}"));
            }
        }
    }

    async fn epoch(&self, epoch: u64) -> io::Result<()> {
        let path = self.path(epoch);
        let mut pipe = opened(&path).await?;
        // There before this one ends: who has come to its end, or closes it early, opens the next one at once.
        make(&self.path(epoch + 1))?;
        let sent = self.send(&mut pipe, epoch).await;
        std::fs::remove_file(&path)?;
        match sent {
            // Nobody has to read to the end.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    async fn send(&self, pipe: &mut pipe::Sender, epoch: u64) -> io::Result<()> {
        for (_, content) in self.channel.share(epoch, self.host, self.hosts) {
            let (before, after) = if self.channel.record_io { frame(content) } else { Default::default() };
            pipe.write_all(&before).await?;
            pipe.write_all(content).await?;
            pipe.write_all(after).await?;
        }
        Ok(())
    }
}

/// What is before and after the content of a RecordIO record.
fn frame(content: &Bytes) -> (Vec<u8>, &'static [u8]) {
    // Longer ones were refused.
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let padding = content.len().next_multiple_of(4) - content.len();
    ([MAGIC.to_le_bytes(), length.to_le_bytes()].concat(), &[0; 3][..padding])
}

/// A pipe, once somebody reads it.
async fn opened(path: &Path) -> io::Result<pipe::Sender> {
    let mut pause = Duration::from_millis(1);
    loop {
        match pipe::OpenOptions::new().open_sender(path) {
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {}
            opened => return opened,
        }
        #[expect(clippy::disallowed_methods, reason = "no event tells that a process opened a pipe")]
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(not(target_vendor = "apple"))]
fn make(path: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, Mode, mkfifoat};
    Ok(mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)?)
}

/// Without a safe call for it there, the program does it.
#[cfg(target_vendor = "apple")]
fn make(path: &Path) -> io::Result<()> {
    let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(path).status()?;
    if made.success() { Ok(()) } else { Err(io::Error::other("mkfifo failed")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::recordio::frames;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_are_read_back(contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..6)) {
            let mut out = Vec::new();
            for content in &contents {
                let content = Bytes::from(content.clone());
                let (before, after) = frame(&content);
                out.extend(before);
                out.extend_from_slice(&content);
                out.extend_from_slice(after);
            }
            let read: Vec<Vec<u8>> = frames(Bytes::from(out)).map(|frame| frame.unwrap().to_vec()).collect();
            prop_assert_eq!(read, contents);
        }
    }
}
