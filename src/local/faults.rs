//! Faults on demand: what goes wrong on AWS now and then goes wrong here when a test says so, and again in each run.

mod active;
mod answer;
mod file;
mod jobs;
mod pattern;
mod request;
mod rule;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::LocalClock;
use crate::Result;
use active::{Active, Asked};
use jobs::Held;

pub(super) use jobs::JobFaults;
pub(super) use request::{Broken, Hindrance, meet};
pub use rule::FaultRule;

/// How many checkpoints a job saves before its spot instance is taken away, unless a rule says otherwise.
const CHECKPOINTS: u64 = 2;

/// What goes wrong. The functions give a [`FaultRule`] that says when.
///
/// ```
/// use std::time::Duration;
/// use sagemaker::local::{Fault, LocalBackend};
///
/// let backend = LocalBackend::new();
/// backend.faults().add(Fault::throttle().on("CreateTrainingJob").times(2));
/// backend.faults().add(Fault::latency(Duration::from_millis(200)).service("s3").probability(0.1).seed(7));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// See [`throttle`](Self::throttle).
    Throttle,
    /// See [`internal_error`](Self::internal_error).
    InternalError,
    /// See [`refuse`](Self::refuse).
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The error code.
        code: String,
        /// The message.
        message: String,
    },
    /// See [`latency`](Self::latency).
    Latency(Duration),
    /// See [`drop_connection`](Self::drop_connection).
    DropConnection,
    /// See [`lose_answer`](Self::lose_answer).
    LoseAnswer,
    /// See [`spoil_answer`](Self::spoil_answer).
    SpoilAnswer,
    /// See [`break_answer`](Self::break_answer).
    BreakAnswer {
        /// How many bytes of the body still come.
        after: u64,
    },
    /// See [`capacity`](Self::capacity).
    Capacity,
    /// See [`spot_interruption`](Self::spot_interruption).
    SpotInterruption {
        /// How many checkpoints are saved before.
        checkpoints: u64,
    },
    /// See [`stuck`](Self::stuck).
    Stuck {
        /// The status that is never left; `None` for the first one.
        status: Option<String>,
    },
    /// See [`stale_tags`](Self::stale_tags).
    StaleTags {
        /// How long a change takes to be seen.
        lag: Duration,
    },
}

impl Fault {
    /// The request is refused as too many at once, without taking effect: `ThrottlingException` with the status 400, of
    /// S3 `SlowDown` with 503, of STS and IAM `Throttling`.
    pub fn throttle() -> FaultRule {
        FaultRule::new(Self::Throttle)
    }

    /// The request is answered with the service's own error 500, without taking effect: `InternalFailure`, of S3
    /// `InternalError`.
    pub fn internal_error() -> FaultRule {
        FaultRule::new(Self::InternalError)
    }

    /// The request is refused with an error of your choice, without taking effect.
    ///
    /// ```
    /// use sagemaker::local::{Fault, LocalBackend};
    ///
    /// let denied = Fault::refuse(400, "AccessDeniedException", "User is not authorized to perform sagemaker:CreateModel");
    /// LocalBackend::new().faults().add(denied.on("CreateModel"));
    /// ```
    pub fn refuse(status: u16, code: impl Into<String>, message: impl Into<String>) -> FaultRule {
        FaultRule::new(Self::Refuse { status, code: code.into(), message: message.into() })
    }

    /// The answer takes so much longer, on the backend's clock. Other faults may follow.
    pub fn latency(time: Duration) -> FaultRule {
        FaultRule::new(Self::Latency(time))
    }

    /// The connection breaks before the request arrives: it takes no effect, and there is no answer.
    pub fn drop_connection() -> FaultRule {
        FaultRule::new(Self::DropConnection)
    }

    /// The request takes effect, and the connection breaks before the answer comes.
    pub fn lose_answer() -> FaultRule {
        FaultRule::new(Self::LoseAnswer)
    }

    /// The request takes effect, and is answered with an error 500.
    pub fn spoil_answer() -> FaultRule {
        FaultRule::new(Self::SpoilAnswer)
    }

    /// The request takes effect, and the body of its answer breaks off after so many bytes.
    pub fn break_answer(after: u64) -> FaultRule {
        FaultRule::new(Self::BreakAnswer { after })
    }

    /// There are no instances: a job fails with `CapacityError`, an endpoint with `InsufficientInstanceCapacity`.
    ///
    /// The operation is the one that started it, such as `CreateTrainingJob` or `UpdateEndpoint`.
    pub fn capacity() -> FaultRule {
        FaultRule::new(Self::Capacity)
    }

    /// A training job with `EnableManagedSpotTraining` loses its instances: `Interrupted`, `Restarting`, and from
    /// `Downloading` on again. Other jobs are not concerned. Several such rules interrupt a job several times.
    ///
    /// A job with `CheckpointConfig` trains until it has saved two checkpoints, see
    /// [`spot_interruption_after`](Self::spot_interruption_after); one without is interrupted before it has trained.
    pub fn spot_interruption() -> FaultRule {
        Self::spot_interruption_after(CHECKPOINTS)
    }

    /// As [`spot_interruption`](Self::spot_interruption), but the instances are lost at the moment in which the job has
    /// saved so many checkpoints, counted anew after each interruption: nothing that it does after that is kept. A job that
    /// would end with fewer is interrupted at its end.
    ///
    /// ```
    /// use sagemaker::local::{Fault, LocalBackend};
    ///
    /// let backend = LocalBackend::new();
    /// // Once with three checkpoints, then before there is another one.
    /// backend.faults().add(Fault::spot_interruption_after(3).resource("nightly-*"));
    /// backend.faults().add(Fault::spot_interruption_after(0).resource("nightly-*"));
    /// ```
    pub fn spot_interruption_after(checkpoints: u64) -> FaultRule {
        FaultRule::new(Self::SpotInterruption { checkpoints })
    }

    /// A job or endpoint never leaves the status that it is in, until the fault is [cleared](Faults::clear).
    ///
    /// A job can still be stopped: it then stays `Stopping`.
    pub fn stuck() -> FaultRule {
        FaultRule::new(Self::Stuck { status: None })
    }

    /// As [`stuck`](Self::stuck), but only once it is in this status or secondary status, such as `Training`.
    pub fn stuck_in(status: impl Into<String>) -> FaultRule {
        FaultRule::new(Self::Stuck { status: Some(status.into()) })
    }

    /// `ListTags` answers the tags of a while ago.
    pub fn stale_tags(lag: Duration) -> FaultRule {
        FaultRule::new(Self::StaleTags { lag })
    }

    /// Whether it befalls the exchange of a request and its answer.
    fn is_of_request(&self) -> bool {
        !self.is_of_job() && !matches!(self, Self::StaleTags { .. })
    }

    /// Whether it befalls what a request has started.
    fn is_of_job(&self) -> bool {
        matches!(self, Self::Capacity | Self::SpotInterruption { .. } | Self::Stuck { .. })
    }
}

/// The faults of a backend; see [`LocalBackend::faults`](super::LocalBackend::faults).
///
/// Rules are asked in the order in which they were added. The first that applies decides; latency lets the next ones
/// decide too. The same rules and the same requests give the same faults in each run.
pub struct Faults {
    rules: Mutex<Vec<Active>>,
    held: Mutex<Held>,
    clock: LocalClock,
}

impl Faults {
    pub(super) fn new(clock: &LocalClock) -> Self {
        Self { rules: Mutex::default(), held: Mutex::default(), clock: clock.clone() }
    }

    /// Adds a rule; a bare [`Fault`] befalls every request.
    pub fn add(&self, rule: impl Into<FaultRule>) {
        self.rules().push(Active::new(rule.into()));
    }

    /// Adds the rules of a file.
    ///
    /// ```
    /// use sagemaker::local::LocalBackend;
    ///
    /// let backend = LocalBackend::new();
    /// backend.faults().load(r#"{
    ///     "seed": 7,
    ///     "faults": [
    ///         {"fault": "throttle", "operation": "CreateTrainingJob", "times": 2},
    ///         {"fault": "latency", "service": "s3", "seconds": 0.2, "probability": 0.1},
    ///         {"fault": "stuck", "operation": "CreateEndpoint", "resource": "demo-*", "status": "Creating"}
    ///     ]
    /// }"#)?;
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// `fault` is one of `throttle`, `internal-error`, `refuse` (with `http_status`, `code`, `message`), `latency` (with
    /// `seconds`), `drop-connection`, `lose-answer`, `spoil-answer`, `break-answer` (with `bytes`), `capacity`,
    /// `spot-interruption` (with or without `checkpoints`), `stuck` (with or without `status`) and `stale-tags` (with `seconds`). `service`,
    /// `operation`, `resource`, `skip`, `times`, `nth`, `probability` and `seed` are as in [`FaultRule`].
    ///
    /// # Errors
    /// If the text is no such file; then no rule is added.
    pub fn load(&self, json: &str) -> Result<()> {
        let rules = file::parse(json)?;
        self.rules().extend(rules.into_iter().map(Active::new));
        Ok(())
    }

    /// Removes all rules. What is stuck goes on.
    pub fn clear(&self) {
        self.rules().clear();
        self.release();
    }

    /// How often a fault has happened, by all rules together.
    pub fn count(&self) -> u64 {
        self.rules().iter().map(Active::fired).sum()
    }

    /// Starts every rule anew, so that the same requests meet the same faults again.
    pub(super) fn restart(&self) {
        for rule in self.rules().iter_mut() {
            rule.restart();
        }
        self.release();
    }

    /// The faults of the first rules that apply: all of them, or none after the one that decides.
    fn decide(&self, asked: &Asked<'_>, concerns: impl Fn(&Fault) -> bool, all: bool) -> Vec<Fault> {
        let mut decided = Vec::new();
        for rule in self.rules().iter_mut().filter(|rule| concerns(rule.fault())) {
            if let Some(fault) = rule.meet(asked) {
                let goes_on = all || matches!(fault, Fault::Latency(_));
                decided.push(fault);
                if !goes_on {
                    break;
                }
            }
        }
        decided
    }

    /// How long ago the tags are that `ListTags` answers.
    pub(super) fn tags_lag(&self, resource: &str) -> Option<Duration> {
        let resources = [resource.to_owned()];
        let asked = Asked { service: "sagemaker", operation: "ListTags", resources: &resources };
        match self.decide(&asked, |fault| matches!(fault, Fault::StaleTags { .. }), false).pop() {
            Some(Fault::StaleTags { lag }) => Some(lag),
            _ => None,
        }
    }

    fn has(&self, concerns: impl Fn(&Fault) -> bool) -> bool {
        self.rules().iter().any(|rule| concerns(rule.fault()))
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Active>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rules().iter().map(Active::fault)).finish()
    }
}
