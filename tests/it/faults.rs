//! A session whose network loses requests and answers on demand, over a local backend.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use sagemaker::Session;
use sagemaker::aws::config::timeout::TimeoutConfig;
use sagemaker::aws::config::{BehaviorVersion, Region, SdkConfig};
use sagemaker::aws::sagemaker::config::{Credentials, SharedCredentialsProvider};
use sagemaker::local::{self, LocalBackend, LocalClock};
use sagemaker::poll::Clock;

/// What happens to a request.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// It takes effect, and the connection breaks before the answer comes.
    AnswerLost,
    /// It takes effect, and the answer is a 500.
    AnswerSpoilt,
    /// The connection breaks before it arrives.
    Unsent,
    /// It is refused with a code, without taking effect.
    Refused(&'static str),
}

/// Every attempt, those of the AWS client's retries too.
pub const ALWAYS: usize = usize::MAX;
/// All attempts of one call: the AWS client makes three.
pub const ONE_CALL: usize = 3;

/// Breaks a backend's network.
#[derive(Debug, Clone)]
pub struct Faults(LocalBackend);

impl Faults {
    /// A session over the backend, whose network works until it is told otherwise.
    pub async fn session(backend: &LocalBackend) -> (Session, Self) {
        let (session, faults, _) = Self::watched_session(backend).await;
        (session, faults)
    }

    /// And a token that the session alone holds: it tells whether the session is still alive.
    pub async fn watched_session(backend: &LocalBackend) -> (Session, Self, std::sync::Weak<()>) {
        let clock = BackendClock::new(backend);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(backend.region().to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
            .http_client(backend.http_client())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .sleep_impl(SharedAsyncSleep::new(clock.clone()))
            .build();
        let token = Arc::new(());
        let alive = Arc::downgrade(&token);
        let clock = BackendClock { _held: Some(token), ..clock };
        let session = Session::builder().sdk_config(config).role(backend.role_arn()).clock(clock);
        (session.build().await.unwrap(), Self(backend.clone()), alive)
    }

    /// What happens to the next requests of an operation, such as `CreateModel`.
    pub fn next(&self, operation: &'static str, times: usize, fault: Fault) {
        let rule = match fault {
            Fault::AnswerLost => local::Fault::lose_answer(),
            Fault::AnswerSpoilt => local::Fault::spoil_answer(),
            Fault::Unsent => local::Fault::drop_connection(),
            Fault::Refused(code) => local::Fault::refuse(400, code, "so the test wants it"),
        };
        self.0.faults().add(rule.on(operation).times(times as u64));
    }

    /// The network works again.
    pub fn heal(&self) {
        self.0.faults().clear();
    }
}

/// The backend's clock, for waits and for the AWS clients' retries.
#[derive(Debug, Clone)]
struct BackendClock {
    clock: LocalClock,
    _held: Option<Arc<()>>,
}

impl BackendClock {
    fn new(backend: &LocalBackend) -> Self {
        Self { clock: backend.clock().clone(), _held: None }
    }
}

impl Clock for BackendClock {
    fn now(&self) -> SystemTime {
        self.clock.now()
    }

    fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let clock = self.clock.clone();
        Box::pin(async move { clock.pause(duration).await })
    }
}

impl AsyncSleep for BackendClock {
    fn sleep(&self, duration: Duration) -> Sleep {
        let clock = self.clock.clone();
        Sleep::new(async move { clock.sleep(duration).await })
    }
}

/// Lets a manual clock go on, in small steps, until the future is done.
pub async fn drive<F: Future>(clock: &LocalClock, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        tokio::select! {
            biased;
            output = &mut future => return output,
            () = tokio::task::yield_now() => clock.advance(Duration::from_millis(200)),
        }
    }
}
