use std::ops::Range;
use std::path::Path;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectInputBuilder;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::progress::Tracker;
use super::target::unwritable;
use crate::aws::ServiceCall;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

/// How often a body that broke off is asked for again. The AWS client retries only until the body begins.
const RETRIES: usize = 3;

type Broken = Box<dyn std::error::Error + Send + Sync>;

/// An object, or a range of it, on its way to the same place in a file.
pub(super) struct Fetch<'a> {
    from: &'a S3Uri,
    request: &'a GetObjectInputBuilder,
    /// The version: whatever comes later must be of the same.
    tag: Option<String>,
    range: Option<Range<u64>>,
    /// Where the next byte belongs.
    at: u64,
    /// Where the last one ends, as far as it is known.
    end: Option<u64>,
}

impl<'a> Fetch<'a> {
    /// The version that the first answer is of.
    pub(super) fn whole(from: &'a S3Uri, request: &'a GetObjectInputBuilder) -> Self {
        Self { from, request, tag: None, range: None, at: 0, end: None }
    }

    /// Bytes of the version with that ETag.
    pub(super) fn range(
        from: &'a S3Uri,
        request: &'a GetObjectInputBuilder,
        tag: Option<&str>,
        range: Range<u64>,
    ) -> Self {
        let tag = tag.map(str::to_owned);
        Self { from, request, tag, at: range.start, end: Some(range.end), range: Some(range) }
    }

    /// The header `Range`; none for a whole object from its start.
    fn wanted(&self) -> Option<String> {
        match self.end {
            _ if self.range.is_none() && self.at == 0 => None,
            Some(end) => Some(format!("bytes={}-{}", self.at, end.saturating_sub(1))),
            None => Some(format!("bytes={}-", self.at)),
        }
    }

    /// Takes up what the answer says of itself, and refuses what was not asked for.
    fn begin(&mut self, answer: &GetObjectOutput, ranged: bool) -> Result<()> {
        let start = format!("bytes {}-", self.at);
        if ranged && !answer.content_range().is_some_and(|range| range.starts_with(&start)) {
            let text = format!("S3 answered with another range of {} than that from byte {}", self.from, self.at);
            return Err(Error::new(ErrorKind::Service, text).with_operation("GetObject"));
        }
        if !ranged {
            self.end = answer.content_length().and_then(|length| u64::try_from(length).ok());
        }
        if self.tag.is_none() {
            self.tag = answer.e_tag().map(str::to_owned);
        }
        Ok(())
    }

    /// What came so far can be gone on from, unless all came and the check at the end did not hold.
    fn broke_off(&mut self) {
        if self.end.is_some_and(|end| self.at >= end) {
            self.at = self.range.as_ref().map_or(0, |range| range.start);
        }
    }
}

impl Session {
    /// Writes the bytes to the same place of the file. A body that breaks off is gone on with from there.
    pub(super) async fn fetch(&self, mut fetch: Fetch<'_>, file: &Path, tracker: &Tracker) -> Result<()> {
        let out = tokio::fs::OpenOptions::new().write(true).open(file).await;
        let mut out = out.map_err(|e| unwritable(file, e))?;
        let mut retries = 0;
        while let Some(broken) = self.fetch_once(&mut fetch, &mut out, file, tracker).await? {
            if retries == RETRIES {
                let text = format!("the download of {} broke off {} times", fetch.from, RETRIES + 1);
                return Err(Error::new(ErrorKind::Transport, text).with_source(broken));
            }
            retries += 1;
            tracing::debug!(source = %fetch.from, at = fetch.at, error = %broken, "a download broke off and goes on");
        }
        Ok(())
    }

    /// One request; gives why its body broke off.
    async fn fetch_once(
        &self,
        fetch: &mut Fetch<'_>,
        out: &mut tokio::fs::File,
        file: &Path,
        tracker: &Tracker,
    ) -> Result<Option<Broken>> {
        let range = fetch.wanted();
        let ranged = range.is_some();
        let request = fetch.request.clone().bucket(fetch.from.bucket()).key(fetch.from.key());
        let if_match = fetch.tag.clone().or_else(|| request.get_if_match().clone());
        let request = request.set_part_number(None).set_range(range).set_if_match(if_match);
        let mut answer =
            request.send_with(self.aws().s3()).await.of("GetObject").map_err(|error| changed(error, fetch.from))?;
        fetch.begin(&answer, ranged)?;
        out.seek(std::io::SeekFrom::Start(fetch.at)).await.map_err(|e| unwritable(file, e))?;
        loop {
            match answer.body.try_next().await {
                Ok(Some(chunk)) => {
                    let next = fetch.at + chunk.len() as u64;
                    if fetch.end.is_some_and(|end| next > end) {
                        let text = format!("S3 sent more of {} than it announced", fetch.from);
                        return Err(Error::new(ErrorKind::Service, text).with_operation("GetObject"));
                    }
                    out.write_all(&chunk).await.map_err(|e| unwritable(file, e))?;
                    fetch.at = next;
                    tracker.bytes(chunk.len() as u64);
                }
                Ok(None) => break,
                Err(error) => {
                    let before = fetch.at;
                    fetch.broke_off();
                    tracker.lost(before - fetch.at);
                    return Ok(Some(error.into()));
                }
            }
        }
        out.flush().await.map_err(|e| unwritable(file, e))?;
        let short = fetch.end.is_some_and(|end| fetch.at < end);
        Ok(short.then(|| std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()))
    }
}

fn changed(error: Error, object: &S3Uri) -> Error {
    if error.code() != Some("PreconditionFailed") {
        return error;
    }
    error.reworded(format!("{object} has changed while it was downloaded; download it again"))
}
