use std::time::SystemTime;

use aws_sdk_cloudwatchlogs::operation::get_log_events::GetLogEventsOutput;
use aws_sdk_cloudwatchlogs::types::OrderBy;

use super::LogEvent;
use crate::aws::ServiceCall;
use crate::{Error, ErrorKind, Result, Session};

/// What one round reads at most, and what is held back at most: sixteen full pages. Bounds the memory; the rest comes in
/// the next round.
const ROUND_BYTES: usize = 16 << 20;

/// A page counts for so much even if it is empty: a round ends also where CloudWatch gives one empty page after another.
const LEAST_PAGE: usize = ROUND_BYTES / 1024;

/// Lines of the other streams are held back for streams that cannot be read, to keep the order: so many seconds at most
/// since anything was read.
const LONGEST_HOLD: u64 = 120;

/// A new stream appears some time after the status that announces it: so many rounds look for one.
const LOOKS: u32 = 5;

/// How many failures in a row end a round: one stream that is throttled should not keep the others, while a service that
/// is down should not be asked for every stream.
const FAILURES_A_ROUND: u32 = 2;

/// A stream that has failed so often in a row is stuck: the pass is not kept for it while the job goes on.
const STUCK: u32 = 5;

/// Reads on where it stopped, in every stream of a job, each line once.
///
/// A pass reads every stream to its end, always on in the one that is furthest behind, so that lines can be given away in
/// order of time while the rest is still to be read. A pass goes over several rounds if there is much to read or if
/// something fails; nothing that was read is lost in between.
#[derive(Debug)]
pub(crate) struct Tail {
    session: Session,
    group: &'static str,
    prefix: String,
    streams: Vec<Stream>,
    /// Rounds that look for new streams, beginning with the next.
    looks: u32,
    /// Where a listing of the streams that failed goes on.
    listing: Option<String>,
    /// The last listing came to its end: no stream is known to be missing.
    listed: bool,
    /// The job has ended: this pass comes to its end, or fails for good.
    last_pass: bool,
    held: Vec<LogEvent>,
    held_since: Option<SystemTime>,
    round_bytes: usize,
}

#[derive(Debug)]
struct Stream {
    name: String,
    /// The forward token of the last page; it stays valid when late events with older timestamps arrive behind it.
    token: Option<String>,
    /// The newest line that was read.
    reached: Option<SystemTime>,
    /// Whether this pass has still to come to its end.
    behind: bool,
    failures: u32,
}

/// The lines of one round.
#[derive(Debug)]
pub(crate) struct Round {
    /// In order of time across the streams.
    pub(crate) events: Vec<LogEvent>,
    /// Whether CloudWatch answered at all.
    pub(crate) answered: bool,
    pub(crate) end: RoundEnd,
}

#[derive(Debug)]
pub(crate) enum RoundEnd {
    /// Every stream was read to its end.
    CaughtUp,
    /// There is more than one round takes: the next one need not wait.
    More,
    /// The next round goes on where this one failed.
    Failed(Error),
}

/// What [`Tail::last_lines`] could read.
#[derive(Debug, Default)]
pub(crate) struct LastLines {
    /// Oldest first.
    pub(crate) events: Vec<LogEvent>,
    /// Why there may be more.
    pub(crate) failure: Option<Error>,
}

impl Tail {
    /// The streams `<job>/..` of a log group.
    pub(crate) fn new(session: Session, group: &'static str, job: &str) -> Self {
        Self {
            session,
            group,
            prefix: format!("{job}/"),
            streams: Vec::new(),
            looks: 0,
            listing: None,
            listed: true,
            last_pass: false,
            held: Vec::new(),
            held_since: None,
            round_bytes: ROUND_BYTES,
        }
    }

    /// Something happened to the job: the next rounds look for new streams, such as those of instances that were replaced.
    pub(crate) fn look_around(&mut self) {
        self.look_for(LOOKS);
    }

    /// The next round looks for new streams and begins the last pass, also if the one before was not over: what came
    /// meanwhile to the streams that it had done is read too.
    pub(crate) fn last_pass(&mut self) {
        self.last_pass = true;
        self.look_for(1);
        self.streams.iter_mut().for_each(|stream| stream.behind = true);
    }

    /// A listing that broke off begins anew: what is new may be in the part that it has gone over.
    fn look_for(&mut self, rounds: u32) {
        self.looks = rounds;
        self.listing = None;
    }

    /// How many streams are known, each of which costs at least a call a round.
    pub(crate) fn streams(&self) -> usize {
        self.streams.len()
    }

    /// What came since the last round. Streams are looked for in each round until there are `expected` ones.
    pub(crate) async fn round(&mut self, expected: usize) -> Round {
        let mut answered = false;
        let end = self.read_on(expected, &mut answered).await.unwrap_or_else(RoundEnd::Failed);
        Round { events: self.release(), answered, end }
    }

    /// What was read and not given away yet, in order of time: for who does not go on after a failure.
    pub(crate) fn take_held(&mut self) -> Vec<LogEvent> {
        let mut events = std::mem::take(&mut self.held);
        events.sort_by_key(|event| event.timestamp);
        events
    }

    async fn read_on(&mut self, expected: usize, answered: &mut bool) -> Result<RoundEnd> {
        let stuck = |stream: &Stream| stream.failures >= STUCK;
        if self.streams.iter().all(|stream| !stream.behind || (stuck(stream) && !self.last_pass)) {
            self.streams.iter_mut().for_each(|stream| stream.behind = true);
        }
        if self.looks > 0 || self.streams.len() < expected {
            self.look(answered).await?;
            self.looks = self.looks.saturating_sub(1);
        }
        let waits_in_vain = self.streams.iter().any(stuck);
        let (mut room, mut failures) = (self.round_bytes, 0);
        while let Some(index) = self.furthest_behind() {
            if room == 0 {
                return Ok(RoundEnd::More);
            }
            match self.read_page(index).await {
                Ok(bytes) => {
                    (*answered, failures) = (true, 0);
                    // As long as reading gets on, the order is worth waiting for.
                    if !waits_in_vain {
                        self.held_since = None;
                    }
                    room = room.saturating_sub(bytes.max(LEAST_PAGE));
                }
                Err(error) => {
                    self.streams[index].failures += 1;
                    failures += 1;
                    if failures == FAILURES_A_ROUND || !error.is_transient() {
                        return Err(error);
                    }
                }
            }
        }
        Ok(RoundEnd::CaughtUp)
    }

    /// The stream to read next: streams that fail come last, so that they do not keep the others.
    fn furthest_behind(&self) -> Option<usize> {
        let behind = self.streams.iter().enumerate().filter(|(_, stream)| stream.behind);
        behind.min_by_key(|(_, stream)| (stream.failures, stream.reached)).map(|(index, _)| index)
    }

    /// Reads on in a stream, and tells how much memory that took.
    async fn read_page(&mut self, index: usize) -> Result<usize> {
        let stream = &mut self.streams[index];
        let page = self.session.aws().logs().get_log_events().log_group_name(self.group);
        let page = page.log_stream_name(&stream.name).start_from_head(true).set_next_token(stream.token.clone());
        let page = match page.send().await.of("GetLogEvents") {
            Ok(page) => page,
            // It was deleted meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => GetLogEventsOutput::builder().build(),
            Err(error) => return Err(error),
        };
        stream.failures = 0;
        let before = self.held.len();
        self.held.extend(lines(&page, &stream.name, &self.prefix));
        let new = self.held.get(before..).unwrap_or_default();
        stream.reached = stream.reached.max(new.iter().map(|event| event.timestamp).max());
        // The end of the stream is where the token stays the same; an empty page alone means nothing.
        if page.next_forward_token.is_none() || page.next_forward_token == stream.token {
            stream.behind = false;
        }
        stream.token = page.next_forward_token.or_else(|| stream.token.take());
        Ok(new.iter().map(LogEvent::memory).sum())
    }

    /// The lines that nothing older can follow any more. What is left is held back, but not for ever and not without bound.
    fn release(&mut self) -> Vec<LogEvent> {
        let mut events = self.take_held();
        let behind = self.streams.iter().filter(|stream| stream.behind).map(|stream| stream.reached);
        // A stream that a broken listing has not told yet may have lines of any age.
        let unlisted = (!self.listed).then_some(None);
        if let Some(settled) = behind.chain(unlisted).min() {
            let open = events.partition_point(|event| Some(event.timestamp) <= settled);
            self.held = events.split_off(open);
        }
        let now = self.session.now();
        if self.held.is_empty() {
            self.held_since = None;
            return events;
        }
        let since = if events.is_empty() { *self.held_since.get_or_insert(now) } else { now };
        self.held_since = Some(since);
        let too_long = now.duration_since(since).is_ok_and(|held| held.as_secs() >= LONGEST_HOLD);
        if too_long || self.held.iter().map(LogEvent::memory).sum::<usize>() > self.round_bytes {
            events.append(&mut self.held);
            self.held_since = None;
        }
        events
    }

    /// The last lines of all streams together. What was read stays in `last` if something fails or the future is dropped.
    pub(crate) async fn last_lines(&mut self, count: usize, last: &mut LastLines) {
        if let Err(error) = self.look(&mut false).await {
            last.failure = Some(error);
        }
        let mut failures = 0;
        for stream in &self.streams {
            match self.last_lines_of(stream, count).await {
                Ok(events) => {
                    failures = 0;
                    last.events.extend(events);
                    last.events.sort_by_key(|event| event.timestamp);
                    last.events.drain(..last.events.len().saturating_sub(count));
                }
                Err(error) => {
                    failures += 1;
                    let lasting = failures == FAILURES_A_ROUND || !error.is_transient();
                    last.failure = Some(error);
                    if lasting {
                        return;
                    }
                }
            }
        }
    }

    async fn last_lines_of(&self, stream: &Stream, count: usize) -> Result<Vec<LogEvent>> {
        /// Pages may be empty before the first line comes.
        const MOST_PAGES: usize = 10;
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let page = self.session.aws().logs().get_log_events().log_group_name(self.group);
            let page = page.log_stream_name(&stream.name).start_from_head(false).set_next_token(token.clone());
            let page = match page.limit(i32::try_from(count).unwrap_or(i32::MAX)).send().await.of("GetLogEvents") {
                Ok(page) => page,
                // It was deleted meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            let at_start = page.next_backward_token.is_none() || page.next_backward_token == token;
            if at_start || !page.events().is_empty() {
                return Ok(lines(&page, &stream.name, &self.prefix).collect());
            }
            token = page.next_backward_token;
        }
        Ok(Vec::new())
    }

    /// Lists the streams, and adds those that are new.
    async fn look(&mut self, answered: &mut bool) -> Result<()> {
        self.listed = false;
        loop {
            let page = self.session.aws().logs().describe_log_streams().log_group_name(self.group);
            let page = page.log_stream_name_prefix(&self.prefix).order_by(OrderBy::LogStreamName);
            let page = match page.set_next_token(self.listing.clone()).send().await.of("DescribeLogStreams") {
                Ok(page) => page,
                // The group appears when the first container of the account writes.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.listing = None;
                    self.listed = true;
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            *answered = true;
            for name in page.log_streams().iter().filter_map(|stream| stream.log_stream_name()) {
                if self.streams.iter().all(|known| known.name != name) {
                    let name = name.to_owned();
                    self.streams.push(Stream { name, token: None, reached: None, behind: true, failures: 0 });
                }
            }
            self.listing = page.next_token;
            if self.listing.is_none() {
                self.listed = true;
                return Ok(());
            }
        }
    }
}

fn lines(page: &GetLogEventsOutput, stream: &str, prefix: &str) -> impl Iterator<Item = LogEvent> {
    page.events().iter().map(move |event| {
        LogEvent::new(stream, prefix, event.timestamp().unwrap_or(0), event.message().unwrap_or_default())
    })
}

#[cfg(all(test, feature = "local"))]
mod tests;
