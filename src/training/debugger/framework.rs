use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

use crate::error::Problems;

/// What the profiler looks at within the framework: the steps of TensorFlow or PyTorch, data loaders, Python itself, and the
/// libraries for distributed training.
///
/// Without a choice of kinds all five are profiled: at the range that was set, else each at the steps that the service
/// proposes. With a choice, only the chosen ones are.
///
/// ```
/// use std::time::Duration;
/// use sagemaker::training::debugger::{
///     DataloaderProfiling, DetailedProfiling, FrameworkProfile, Profiler, ProfilingRange, PythonProfiling,
/// };
///
/// let everything_at_six = FrameworkProfile::new().range(ProfilingRange::steps(6, 1));
/// let chosen = FrameworkProfile::new()
///     .detailed(DetailedProfiling::new().range(ProfilingRange::steps(10, 1)))
///     .dataloader(DataloaderProfiling::new().metrics_regex("loader.*"))
///     .python(PythonProfiling::pyinstrument().range(ProfilingRange::lasting(Duration::from_secs(30))));
/// let profiler = Profiler::new().framework(chosen);
/// # let _ = (everything_at_six, profiler);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameworkProfile {
    local_path: String,
    max_file_bytes: u64,
    close_interval: Duration,
    open_attempts: u32,
    range: Option<ProfilingRange>,
    detailed: Option<DetailedProfiling>,
    dataloader: Option<DataloaderProfiling>,
    python: Option<PythonProfiling>,
    horovod: Option<HorovodProfiling>,
    smdataparallel: Option<SmDataParallelProfiling>,
}

impl Default for FrameworkProfile {
    fn default() -> Self {
        Self {
            local_path: "/opt/ml/output/profiler".to_owned(),
            max_file_bytes: 10 * 1024 * 1024,
            close_interval: Duration::from_secs(60),
            open_attempts: 50,
            range: None,
            detailed: None,
            dataloader: None,
            python: None,
            horovod: None,
            smdataparallel: None,
        }
    }
}

impl FrameworkProfile {
    /// All kinds, each at the steps that the service proposes.
    pub fn new() -> Self {
        Self::default()
    }

    /// When to profile all kinds; of no effect once a kind is chosen.
    #[must_use]
    pub fn range(mut self, range: ProfilingRange) -> Self {
        self.range = Some(range);
        self
    }

    /// Profiles the operations of each step.
    #[must_use]
    pub fn detailed(mut self, profiling: DetailedProfiling) -> Self {
        self.detailed = Some(profiling);
        self
    }

    /// Profiles data loaders.
    #[must_use]
    pub fn dataloader(mut self, profiling: DataloaderProfiling) -> Self {
        self.dataloader = Some(profiling);
        self
    }

    /// Profiles Python functions.
    #[must_use]
    pub fn python(mut self, profiling: PythonProfiling) -> Self {
        self.python = Some(profiling);
        self
    }

    /// Profiles Horovod.
    #[must_use]
    pub fn horovod(mut self, profiling: HorovodProfiling) -> Self {
        self.horovod = Some(profiling);
        self
    }

    /// Profiles SageMaker's library for data parallelism.
    #[must_use]
    pub fn smdataparallel(mut self, profiling: SmDataParallelProfiling) -> Self {
        self.smdataparallel = Some(profiling);
        self
    }

    /// Where the container keeps the events before they are uploaded. Default: `/opt/ml/output/profiler`.
    #[must_use]
    pub fn local_path(mut self, path: impl Into<String>) -> Self {
        self.local_path = path.into();
        self
    }

    /// How large a file of events may become, in bytes. Default: 10 MiB.
    #[must_use]
    pub fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// How long a file of events is written to before the next one begins. Default: 60 s.
    #[must_use]
    pub fn close_interval(mut self, interval: Duration) -> Self {
        self.close_interval = interval;
        self
    }

    /// How often a file is tried to be opened before profiling is given up. Default: 50.
    #[must_use]
    pub fn open_attempts(mut self, attempts: u32) -> Self {
        self.open_attempts = attempts;
        self
    }

    /// As parameters of the profiler.
    pub(super) fn to_parameters(&self, problems: &mut Problems) -> BTreeMap<String, String> {
        let field = "profiler.framework";
        problems.require(self.max_file_bytes > 0, field, "max_file_bytes is above 0");
        problems.require(!self.close_interval.is_zero(), field, "close_interval is above 0");
        problems.require(self.open_attempts > 0, field, "open_attempts is above 0");
        let mut parameters = BTreeMap::from([
            ("LocalPath".to_owned(), self.local_path.clone()),
            ("RotateMaxFileSizeInBytes".to_owned(), self.max_file_bytes.to_string()),
            ("RotateFileCloseIntervalInSeconds".to_owned(), seconds(self.close_interval)),
            ("FileOpenFailThreshold".to_owned(), self.open_attempts.to_string()),
        ]);
        let chosen = [
            self.detailed.map(DetailedProfiling::to_wire),
            self.dataloader.as_ref().map(DataloaderProfiling::to_wire),
            self.python.as_ref().map(PythonProfiling::to_wire),
            self.horovod.map(HorovodProfiling::to_wire),
            self.smdataparallel.map(SmDataParallelProfiling::to_wire),
        ];
        let chosen: Vec<_> = chosen.into_iter().flatten().collect();
        let kinds = if chosen.is_empty() { self.all_kinds() } else { chosen };
        for (name, config) in kinds {
            match config {
                Ok(config) => {
                    parameters.insert(name.to_owned(), config);
                }
                Err(text) => problems.push(format!("{field}.{name}"), text),
            }
        }
        parameters
    }

    fn all_kinds(&self) -> Vec<Wire> {
        let range = self.range;
        let python = PythonProfiling { range, ..PythonProfiling::default() };
        vec![
            DetailedProfiling { range }.to_wire(),
            DataloaderProfiling { range, ..DataloaderProfiling::default() }.to_wire(),
            // Where nothing was chosen at all, its steps take one timer each.
            if range.is_none() { python.with_all_timers().to_wire() } else { python.to_wire() },
            HorovodProfiling { range }.to_wire(),
            SmDataParallelProfiling { range }.to_wire(),
        ]
    }
}

/// The name of a kind, and its settings or why they are refused.
type Wire = (&'static str, Result<String, &'static str>);

/// When to profile: steps or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfilingRange(When);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Steps { start: u64, count: u64 },
    Time { start: Option<SystemTime>, duration: Option<Duration> },
}

impl ProfilingRange {
    /// So many steps (at least 1) from that one on; the first step is 0.
    pub fn steps(start: u64, count: u64) -> Self {
        Self(When::Steps { start, count })
    }

    /// From that time on for so long. The service takes whole seconds for the start.
    pub fn time(start: SystemTime, duration: Duration) -> Self {
        Self(When::Time { start: Some(start), duration: Some(duration) })
    }

    /// From that time on for one step.
    pub fn from_time(start: SystemTime) -> Self {
        Self(When::Time { start: Some(start), duration: None })
    }

    /// From the first step on for so long.
    pub fn lasting(duration: Duration) -> Self {
        Self(When::Time { start: None, duration: Some(duration) })
    }

    fn put(self, config: &mut Config) -> Result<(), &'static str> {
        match self.0 {
            When::Steps { count: 0, .. } => Err("at least one step is profiled"),
            When::Steps { start, count } => {
                config.number("StartStep", start);
                config.number("NumSteps", count);
                Ok(())
            }
            When::Time { start, duration } => {
                if let Some(start) = start {
                    let since = start.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| "the time is before 1970")?;
                    config.number("StartTimeInSecSinceEpoch", since.as_secs());
                }
                if let Some(duration) = duration {
                    if duration.is_zero() {
                        return Err("the time to profile is above 0");
                    }
                    config.number("Duration", seconds(duration));
                }
                Ok(())
            }
        }
    }
}

/// Settings in the form that the container evaluates: JSON but for the comma behind the last entry.
struct Config(String);

impl Config {
    fn of(range: Option<ProfilingRange>, usual: (u64, u64)) -> Result<Self, &'static str> {
        let mut config = Self("{".to_owned());
        range.unwrap_or(ProfilingRange::steps(usual.0, usual.1)).put(&mut config)?;
        Ok(config)
    }

    fn number(&mut self, name: &str, value: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "\"{name}\": {value}, ");
    }

    fn text(&mut self, name: &str, value: &str) {
        let _ = write!(self.0, "\"{name}\": \"{value}\", ");
    }

    fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

fn seconds(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 { duration.as_secs().to_string() } else { duration.as_secs_f64().to_string() }
}

macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident, $wire:literal, $step:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name {
            range: Option<ProfilingRange>,
        }

        impl $name {
            /// At the step that the service proposes.
            pub fn new() -> Self {
                Self::default()
            }

            #[doc = concat!("When to profile. Default: step ", stringify!($step), ".")]
            #[must_use]
            pub fn range(mut self, range: ProfilingRange) -> Self {
                self.range = Some(range);
                self
            }

            fn to_wire(self) -> Wire {
                ($wire, Config::of(self.range, ($step, 1)).map(Config::finish))
            }
        }
    };
}

ranged! {
    /// Profiling of the operations of each step; of TensorFlow from 2.3.1 to 2.10.
    DetailedProfiling, "DetailedProfilingConfig", 5
}
ranged! {
    /// Profiling of Horovod.
    HorovodProfiling, "HorovodProfilingConfig", 13
}
ranged! {
    /// Profiling of SageMaker's library for data parallelism.
    SmDataParallelProfiling, "SMDataParallelProfilingConfig", 15
}

/// Profiling of data loaders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataloaderProfiling {
    range: Option<ProfilingRange>,
    metrics_regex: String,
}

impl Default for DataloaderProfiling {
    fn default() -> Self {
        Self { range: None, metrics_regex: ".*".to_owned() }
    }
}

impl DataloaderProfiling {
    /// All metrics, at the step that the service proposes.
    pub fn new() -> Self {
        Self::default()
    }

    /// When to profile. Default: step 7.
    #[must_use]
    pub fn range(mut self, range: ProfilingRange) -> Self {
        self.range = Some(range);
        self
    }

    /// Which metrics: a regular expression of Python, without quotation marks. Default: all.
    #[must_use]
    pub fn metrics_regex(mut self, regex: impl Into<String>) -> Self {
        self.metrics_regex = regex.into();
        self
    }

    fn to_wire(&self) -> Wire {
        let config = Config::of(self.range, (7, 1)).and_then(|mut config| {
            if self.metrics_regex.contains(['"', '\n', '\r']) {
                return Err("the service takes no regular expression with a quotation mark or a line break");
            }
            config.text("MetricsRegex", &self.metrics_regex);
            Ok(config.finish())
        });
        ("DataloaderProfilingConfig", config)
    }
}

/// Profiling of Python functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonProfiling {
    range: Option<ProfilingRange>,
    /// `None` for Pyinstrument.
    timer: Option<&'static str>,
}

impl Default for PythonProfiling {
    fn default() -> Self {
        Self::cprofile(CProfileTimer::Total)
    }
}

impl PythonProfiling {
    /// With cProfile.
    pub fn cprofile(timer: CProfileTimer) -> Self {
        Self { range: None, timer: Some(timer.as_str()) }
    }

    /// With Pyinstrument.
    pub fn pyinstrument() -> Self {
        Self { range: None, timer: None }
    }

    /// When to profile. Default: steps 9 to 11.
    #[must_use]
    pub fn range(mut self, range: ProfilingRange) -> Self {
        self.range = Some(range);
        self
    }

    fn with_all_timers(self) -> Self {
        Self { timer: Some("default"), ..self }
    }

    fn to_wire(&self) -> Wire {
        let config = Config::of(self.range, (9, 3)).map(|mut config| {
            config.text("ProfilerName", if self.timer.is_some() { "cprofile" } else { "pyinstrument" });
            if let Some(timer) = self.timer {
                config.text("cProfileTimer", timer);
            }
            config.finish()
        });
        ("PythonProfilingConfig", config)
    }
}

/// What cProfile measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CProfileTimer {
    /// The time that passes.
    Total,
    /// The time on a processor.
    Cpu,
    /// The time of waiting.
    OffCpu,
}

impl CProfileTimer {
    fn as_str(self) -> &'static str {
        match self {
            Self::Total => "total_time",
            Self::Cpu => "cpu_time",
            Self::OffCpu => "off_cpu_time",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(profile: &FrameworkProfile) -> Vec<(String, String)> {
        let mut problems = Problems::default();
        let parameters = profile.to_parameters(&mut problems);
        problems.into_result().unwrap();
        parameters.into_iter().collect()
    }

    fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    // What the Python SDK 2.257.7 makes of `FrameworkProfile(..)`.

    #[test]
    fn all_kinds_at_their_usual_steps() {
        let expected = pairs([
            ("DataloaderProfilingConfig", r#"{"StartStep": 7, "NumSteps": 1, "MetricsRegex": ".*", }"#),
            ("DetailedProfilingConfig", r#"{"StartStep": 5, "NumSteps": 1, }"#),
            ("FileOpenFailThreshold", "50"),
            ("HorovodProfilingConfig", r#"{"StartStep": 13, "NumSteps": 1, }"#),
            ("LocalPath", "/opt/ml/output/profiler"),
            (
                "PythonProfilingConfig",
                r#"{"StartStep": 9, "NumSteps": 3, "ProfilerName": "cprofile", "cProfileTimer": "default", }"#,
            ),
            ("RotateFileCloseIntervalInSeconds", "60"),
            ("RotateMaxFileSizeInBytes", "10485760"),
            ("SMDataParallelProfilingConfig", r#"{"StartStep": 15, "NumSteps": 1, }"#),
        ]);
        assert_eq!(parameters(&FrameworkProfile::new()), expected);
    }

    #[test]
    fn one_range_for_all_kinds() {
        let profile = FrameworkProfile::new()
            .range(ProfilingRange::time(
                SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
                Duration::from_millis(1500),
            ))
            .local_path("/tmp/p")
            .max_file_bytes(5)
            .close_interval(Duration::from_millis(2500))
            .open_attempts(3);
        let time = r#""StartTimeInSecSinceEpoch": 1700000000, "Duration": 1.5, "#;
        let expected = [
            ("DataloaderProfilingConfig", format!("{{{time}\"MetricsRegex\": \".*\", }}")),
            ("DetailedProfilingConfig", format!("{{{time}}}")),
            ("FileOpenFailThreshold", "3".to_owned()),
            ("HorovodProfilingConfig", format!("{{{time}}}")),
            ("LocalPath", "/tmp/p".to_owned()),
            (
                "PythonProfilingConfig",
                format!("{{{time}\"ProfilerName\": \"cprofile\", \"cProfileTimer\": \"total_time\", }}"),
            ),
            ("RotateFileCloseIntervalInSeconds", "2.5".to_owned()),
            ("RotateMaxFileSizeInBytes", "5".to_owned()),
            ("SMDataParallelProfilingConfig", format!("{{{time}}}")),
        ];
        let expected: Vec<_> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(parameters(&profile), expected);
    }

    #[test]
    fn only_the_chosen_kinds() {
        let profile = FrameworkProfile::new()
            .range(ProfilingRange::steps(1, 10))
            .dataloader(DataloaderProfiling::new().range(ProfilingRange::steps(9, 2)).metrics_regex(r"loader\d+"))
            .python(PythonProfiling::pyinstrument().range(ProfilingRange::lasting(Duration::from_secs(30))))
            .smdataparallel(SmDataParallelProfiling::new());
        let configs: Vec<_> = parameters(&profile).into_iter().filter(|(name, _)| name.ends_with("Config")).collect();
        let expected = pairs([
            ("DataloaderProfilingConfig", r#"{"StartStep": 9, "NumSteps": 2, "MetricsRegex": "loader\d+", }"#),
            ("PythonProfilingConfig", r#"{"Duration": 30, "ProfilerName": "pyinstrument", }"#),
            ("SMDataParallelProfilingConfig", r#"{"StartStep": 15, "NumSteps": 1, }"#),
        ]);
        assert_eq!(configs, expected);
        let timed = FrameworkProfile::new().python(PythonProfiling::cprofile(CProfileTimer::OffCpu));
        let text = r#"{"StartStep": 9, "NumSteps": 3, "ProfilerName": "cprofile", "cProfileTimer": "off_cpu_time", }"#;
        assert!(parameters(&timed).contains(&("PythonProfilingConfig".to_owned(), text.to_owned())));
    }

    #[test]
    fn what_the_container_could_not_read_is_refused() {
        let profile = FrameworkProfile::new()
            .detailed(DetailedProfiling::new().range(ProfilingRange::steps(1, 0)))
            .dataloader(DataloaderProfiling::new().metrics_regex("a\"b"))
            .horovod(HorovodProfiling::new().range(ProfilingRange::lasting(Duration::ZERO)))
            .max_file_bytes(0);
        let mut problems = Problems::default();
        profile.to_parameters(&mut problems);
        let error = problems.into_result().unwrap_err();
        let fields: Vec<_> = error.invalid_values().iter().map(|value| value.field.as_str()).collect();
        let kinds = ["DetailedProfilingConfig", "DataloaderProfilingConfig", "HorovodProfilingConfig"];
        let mut expected = vec!["profiler.framework".to_owned()];
        expected.extend(kinds.map(|kind| format!("profiler.framework.{kind}")));
        assert_eq!(fields, expected);
    }
}
