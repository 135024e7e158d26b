use std::io::{self, IsTerminal, Write};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;

use super::line::{bar, clock, colour_of, cut, plain, styled};
use super::metrics::Metrics;
use crate::Result;
use crate::job::{JobDescription, JobEvent, Outcome, StatusChange};
use crate::training::{Training, TrainingJob, TrainingJobDescription};

const BOLD: u8 = 1;
const DIM: u8 = 2;
const RED: u8 = 31;
const GREEN: u8 = 32;
const DEFAULT_WIDTH: usize = 80;
/// How often the clock in the line at the bottom moves.
const TICK: Duration = Duration::from_secs(1);

/// Shows a training job to a person: its statuses and log lines as they come, each instance in its colour, and on a
/// terminal a line at the bottom with the stage, the time and the metrics so far.
///
/// Writes to anything; [`stderr`](JobView::stderr) finds out whether that is a terminal, and honours `NO_COLOR`.
///
/// ```
/// # #[cfg(feature = "algorithms")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sagemaker::Result<()> {
/// # use sagemaker::algorithms::xgboost::{Objective, XGBoost};
/// # use sagemaker::estimator::EstimatorExt;
/// # use sagemaker::training::TrainingInput;
/// # use sagemaker::types::{Compute, ContentType};
/// # let session = sagemaker::Session::local();
/// # session.ensure_bucket().await?;
/// # let data = session.default_uri("doubling/train.csv").await?;
/// # session.upload_bytes("2,1\n4,2\n6,3\n8,4\n", &data, &ContentType::CSV).await?;
/// # let xgboost = XGBoost::builder(Objective::RegSquaredError, 10).compute(Compute::instances("ml.m5.xlarge", 1)).build()?;
/// use sagemaker::progress::JobView;
///
/// let job = xgboost.fit(&session, [("train", TrainingInput::csv(data))]).await?;
/// let mut text = Vec::new();
/// let outcome = JobView::new(&mut text).follow(&job).await?; // or JobView::stderr()
/// assert!(String::from_utf8_lossy(&text).contains("Completed"));
/// # let _ = outcome;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "algorithms"))]
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct JobView<W> {
    out: W,
    terminal: bool,
    colour: bool,
    width: usize,
    /// In the order in which they came.
    instances: Vec<String>,
    metrics: Metrics,
    began: Option<SystemTime>,
    now: Option<SystemTime>,
    status: String,
    /// Whether there is a line at the bottom to be wiped.
    drawn: bool,
}

impl JobView<io::Stderr> {
    /// On the standard error stream: with colours and the line at the bottom if that is a terminal.
    pub fn stderr() -> Self {
        let terminal = io::stderr().is_terminal();
        let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        Self::new(io::stderr()).terminal(terminal).colour(colour).width(columns.unwrap_or(DEFAULT_WIDTH))
    }
}

impl<W: Write> JobView<W> {
    /// Plain lines, without colours.
    pub fn new(out: W) -> Self {
        Self {
            out,
            terminal: false,
            colour: false,
            width: DEFAULT_WIDTH,
            instances: Vec::new(),
            metrics: Metrics::default(),
            began: None,
            now: None,
            status: String::new(),
            drawn: false,
        }
    }

    /// Whether to keep a line at the bottom up to date, which takes a terminal. Default: no.
    #[must_use]
    pub fn terminal(mut self, terminal: bool) -> Self {
        self.terminal = terminal;
        self
    }

    /// Whether to use colours. Default: no.
    #[must_use]
    pub fn colour(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }

    /// The columns that the line at the bottom may take. Default: 80; for [`stderr`](JobView::stderr) what the variable
    /// `COLUMNS` says.
    #[must_use]
    pub fn width(mut self, columns: usize) -> Self {
        self.width = columns;
        self
    }

    /// Follows the job to its end, shows how it ended, and gives that.
    ///
    /// # Errors
    /// Of following and waiting; [`ErrorKind::Io`](crate::ErrorKind::Io) if nothing can be written any more.
    pub async fn follow(mut self, job: &TrainingJob) -> Result<Outcome<Training>> {
        self.metrics = Metrics::of(&job.describe().await?);
        let (mut events, clock) = (job.events(), job.session().clock());
        loop {
            tokio::select! {
                biased;
                event = events.next() => match event {
                    Some(event) => self.show(&event?)?,
                    None => break,
                },
                () = clock.pause(TICK), if self.terminal => self.tick(clock.now())?,
            }
        }
        let outcome = job.wait().outcome().await?;
        match &outcome {
            Outcome::Completed(done) => self.end(done.description())?,
            Outcome::Stopped(stopped) => self.end(stopped.description())?,
            Outcome::Failed(_) => self.end(&job.describe().await?)?,
        }
        Ok(outcome)
    }

    /// Shows what has happened.
    pub fn show(&mut self, event: &JobEvent) -> io::Result<()> {
        self.wipe()?;
        self.began.get_or_insert(event.timestamp());
        self.now = self.now.max(Some(event.timestamp()));
        match event {
            JobEvent::Status(change) => self.status(change)?,
            JobEvent::Log(line) => {
                self.metrics.read(&line.message);
                let known = self.instances.iter().position(|known| *known == line.instance);
                let index = known.unwrap_or_else(|| {
                    self.instances.push(line.instance.clone());
                    self.instances.len() - 1
                });
                let instance = styled(&plain(short(&line.instance)), colour_of(index), self.colour);
                writeln!(self.out, "{instance} {}", plain(&line.message))?;
            }
        }
        self.draw()
    }

    /// Nothing has happened, but time has passed.
    fn tick(&mut self, now: SystemTime) -> io::Result<()> {
        self.now = self.now.max(Some(now));
        self.wipe()?;
        self.draw()
    }

    fn status(&mut self, change: &StatusChange) -> io::Result<()> {
        self.status.clone_from(&change.status);
        let since = self.began.and_then(|began| change.at.duration_since(began).ok()).unwrap_or_default();
        let (status, message) = (plain(&change.status), plain(&change.message));
        let status = styled(&status, BOLD, self.colour);
        let since = styled(&clock(since), DIM, self.colour);
        let dash = if message.is_empty() { "" } else { " - " };
        writeln!(self.out, "{since} {status}{dash}{message}")
    }

    /// Shows how the job ended: its status, why, the time that it took and that is charged, and its metrics.
    pub fn end(&mut self, description: &TrainingJobDescription) -> io::Result<()> {
        self.wipe()?;
        let status = description.status();
        let code = if status == crate::job::JobStatus::Completed { GREEN } else { RED };
        write!(self.out, "{}", styled(status.as_str(), code, self.colour))?;
        if let Some(reason) = description.failure_reason() {
            write!(self.out, ": {}", plain(reason))?;
        }
        writeln!(self.out)?;
        if let Some(time) = description.training_time() {
            let count = description.instance_count();
            write!(self.out, "trained {} on {count} instance{}", clock(time), if count == 1 { "" } else { "s" })?;
            if let Some(billable) = description.billable_instance_time() {
                write!(self.out, ", {} s charged in all", billable.as_secs())?;
            }
            if let Some(savings) = description.spot_savings() {
                write!(self.out, ", spot instances saved {:.1} %", 100.0 * savings)?;
            }
            writeln!(self.out)?;
        }
        for metric in description.metrics() {
            writeln!(self.out, "{} = {}", plain(&metric.name), metric.value)?;
        }
        self.out.flush()
    }

    fn wipe(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.drawn) {
            self.out.write_all(b"\r\x1b[2K")?;
        }
        Ok(())
    }

    /// The line at the bottom; the cursor stays in it.
    fn draw(&mut self) -> io::Result<()> {
        if !self.terminal {
            return Ok(());
        }
        // Nothing is known yet.
        let (Some(began), Some(now)) = (self.began, self.now) else { return Ok(()) };
        let took = now.duration_since(began).unwrap_or_default();
        let mut text = format!("{} {} {}", bar(&self.status), plain(&self.status), clock(took));
        for (name, value) in self.metrics.last() {
            text.push_str(&format!("  {} {value}", plain(name)));
        }
        // A line that is as wide as the terminal would wrap.
        let text = cut(&text, self.width.saturating_sub(1));
        write!(self.out, "{}", styled(&text, BOLD, self.colour))?;
        self.drawn = true;
        self.out.flush()
    }
}

/// `algo-1` of `algo-1-1700000000`.
fn short(instance: &str) -> &str {
    match instance.rsplit_once('-') {
        Some((name, number)) if number.len() >= 8 && number.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => instance,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::LogEvent;
    use aws_sdk_sagemaker::operation::describe_training_job::DescribeTrainingJobOutput;
    use aws_sdk_sagemaker::types::{AlgorithmSpecification, MetricDefinition, ResourceConfig, TrainingJobStatus};

    fn description() -> TrainingJobDescription {
        let metric = MetricDefinition::builder().name("loss").regex("loss=([0-9.]+)").build();
        let output = DescribeTrainingJobOutput::builder()
            .training_job_status(TrainingJobStatus::Completed)
            .algorithm_specification(AlgorithmSpecification::builder().metric_definitions(metric).build())
            .resource_config(ResourceConfig::builder().instance_count(2).build())
            .training_time_in_seconds(90)
            .billable_time_in_seconds(30)
            .enable_managed_spot_training(true);
        TrainingJobDescription::new(output.build())
    }

    fn events() -> Vec<JobEvent> {
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let status = |seconds, status: &str, message: &str| {
            JobEvent::Status(StatusChange { status: status.into(), message: message.into(), at: at(seconds) })
        };
        let line = |seconds: i64, instance: &str, text: &str| {
            JobEvent::Log(LogEvent::new(&format!("job/{instance}"), "job/", seconds * 1000, text))
        };
        vec![
            status(0, "Starting", "Launching"),
            status(61, "Training", ""),
            line(62, "algo-1-1700000000", "loss=0.5 \x1b[31mred"),
            line(63, "algo-2-1700000000", "hello"),
        ]
    }

    fn shown(view: impl FnOnce(JobView<&mut Vec<u8>>) -> JobView<&mut Vec<u8>>) -> String {
        let mut text = Vec::new();
        let mut view = view(JobView::new(&mut text));
        view.metrics = Metrics::of(&description());
        for event in events() {
            view.show(&event).unwrap();
        }
        view.end(&description()).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn plain_lines_hold_everything_and_no_escape() {
        let text = shown(|view| view);
        assert_eq!(
            text,
            "0:00 Starting - Launching\n1:01 Training\nalgo-1 loss=0.5 red\nalgo-2 hello\nCompleted\n\
             trained 1:30 on 2 instances, 60 s charged in all, spot instances saved 66.7 %\n"
        );
    }

    #[test]
    fn a_terminal_has_a_line_at_the_bottom_that_is_wiped_first() {
        let text = shown(|view| view.terminal(true).width(60));
        let last = text.rsplit("\r\x1b[2K").nth(1).unwrap();
        assert_eq!(last, "algo-2 hello\n━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌ Training 1:03  loss 0.5");
        assert!(text.lines().all(|line| line.chars().count() < 60 + 4 || line.contains("charged")), "{text}");
        assert!(shown(|view| view.terminal(true).width(12)).contains("━━━━━━━━╌╌…"));
    }

    #[test]
    fn the_clock_moves_without_events_too() {
        let mut text = Vec::new();
        let mut view = JobView::new(&mut text).terminal(true);
        let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        view.tick(at(5)).unwrap();
        for event in events() {
            view.show(&event).unwrap();
        }
        view.tick(at(90)).unwrap();
        view.tick(at(60)).unwrap();
        let text = String::from_utf8(text).unwrap();
        let drawn: Vec<&str> = text.split("\r\x1b[2K").filter(|drawn| drawn.contains("Training 1:30")).collect();
        assert_eq!(drawn.len(), 2, "never backwards: {text}");
        assert!(text.starts_with("0:00 Starting"), "nothing before the first event: {text}");
    }

    #[test]
    fn instances_have_colours() {
        let text = shown(|view| view.colour(true));
        assert!(text.contains("\x1b[34malgo-1\x1b[0m") && text.contains("\x1b[35malgo-2\x1b[0m"), "{text}");
    }
}
