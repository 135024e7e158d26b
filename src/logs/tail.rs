use aws_sdk_cloudwatchlogs::types::OrderBy;

use super::LogEvent;
use crate::aws::ServiceCall;
use crate::{ErrorKind, Result, Session};

/// Pages of one stream that one round reads at most: bounds the memory of a round, the rest comes in the next.
const PAGES_A_ROUND: usize = 16;

/// Reads on where it stopped, in every stream of a job, each line once.
#[derive(Debug)]
pub(crate) struct Tail {
    session: Session,
    group: &'static str,
    prefix: String,
    streams: Vec<Stream>,
}

#[derive(Debug)]
struct Stream {
    name: String,
    /// The forward token of the last page; it stays valid when late events with older timestamps arrive behind it.
    token: Option<String>,
}

/// The events of one round.
pub(crate) struct Round {
    /// In order of time across the streams.
    pub(crate) events: Vec<LogEvent>,
    /// Whether there was more than one round takes.
    pub(crate) more: bool,
}

impl Tail {
    /// The streams `<job>/..` of a log group.
    pub(crate) fn new(session: Session, group: &'static str, job: &str) -> Self {
        Self { session, group, prefix: format!("{job}/"), streams: Vec::new() }
    }

    /// Everything that came since the last round. `expected` streams are looked for until they are all there.
    pub(crate) async fn round(&mut self, expected: usize) -> Result<Round> {
        if self.streams.len() < expected {
            self.discover().await?;
        }
        let mut round = Round { events: Vec::new(), more: false };
        for index in 0..self.streams.len() {
            round.more |= self.read(index, &mut round.events).await?;
        }
        round.events.sort_by_key(|event| event.timestamp);
        Ok(round)
    }

    /// The last lines of all streams together, oldest first.
    pub(crate) async fn last_lines(&mut self, count: usize) -> Result<Vec<LogEvent>> {
        self.discover().await?;
        let mut events = Vec::new();
        for stream in &self.streams {
            let page = self.session.aws().logs().get_log_events().log_group_name(self.group);
            let page = page.log_stream_name(&stream.name).start_from_head(false);
            let page = page.limit(i32::try_from(count).unwrap_or(i32::MAX)).send().await.of("GetLogEvents")?;
            for event in page.events() {
                let (at, text) = (event.timestamp().unwrap_or(0), event.message().unwrap_or_default());
                events.push(LogEvent::new(&stream.name, &self.prefix, at, text));
            }
        }
        events.sort_by_key(|event| event.timestamp);
        events.drain(..events.len().saturating_sub(count));
        Ok(events)
    }

    async fn discover(&mut self) -> Result<()> {
        let mut token = None;
        loop {
            let page = self.session.aws().logs().describe_log_streams().log_group_name(self.group);
            let page = page.log_stream_name_prefix(&self.prefix).order_by(OrderBy::LogStreamName);
            let page = match page.set_next_token(token).send().await.of("DescribeLogStreams") {
                Ok(page) => page,
                // The group appears when the first container of the account writes.
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            for name in page.log_streams().iter().filter_map(|stream| stream.log_stream_name()) {
                if self.streams.iter().all(|known| known.name != name) {
                    self.streams.push(Stream { name: name.to_owned(), token: None });
                }
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    /// True if the round's share of this stream was used up before its end.
    async fn read(&mut self, index: usize, events: &mut Vec<LogEvent>) -> Result<bool> {
        let stream = &mut self.streams[index];
        for _ in 0..PAGES_A_ROUND {
            let page = self.session.aws().logs().get_log_events().log_group_name(self.group);
            let page = page.log_stream_name(&stream.name).start_from_head(true);
            let page = page.set_next_token(stream.token.clone()).send().await.of("GetLogEvents")?;
            for event in page.events() {
                let (at, text) = (event.timestamp().unwrap_or(0), event.message().unwrap_or_default());
                events.push(LogEvent::new(&stream.name, &self.prefix, at, text));
            }
            // The end of the stream is where the token stays the same; an empty page alone means nothing.
            let at_end = page.next_forward_token.is_none() || page.next_forward_token == stream.token;
            if let Some(token) = page.next_forward_token {
                stream.token = Some(token);
            }
            if at_end {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
