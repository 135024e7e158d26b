//! A session whose network loses requests and answers on demand, over a local backend.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use sagemaker::Session;
use sagemaker::aws::config::timeout::TimeoutConfig;
use sagemaker::aws::config::{BehaviorVersion, Region, SdkConfig};
use sagemaker::aws::sagemaker::config::{Credentials, SharedCredentialsProvider};
use sagemaker::local::{LocalBackend, LocalClock};
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
pub struct Faults {
    backend: LocalBackend,
    rules: Arc<Mutex<Vec<Rule>>>,
}

#[derive(Debug)]
struct Rule {
    operation: &'static str,
    times: usize,
    fault: Fault,
}

impl Faults {
    /// A session over the backend, whose network works until it is told otherwise.
    pub async fn session(backend: &LocalBackend) -> (Session, Self) {
        let (session, faults, _) = Self::watched_session(backend).await;
        (session, faults)
    }

    /// And a token that the session alone holds: it tells whether the session is still alive.
    pub async fn watched_session(backend: &LocalBackend) -> (Session, Self, std::sync::Weak<()>) {
        let faults = Self { backend: backend.clone(), rules: Arc::default() };
        let clock = BackendClock { clock: backend.clock().clone(), _held: None };
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(backend.region().to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
            .http_client(SharedHttpClient::new(faults.clone()))
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .sleep_impl(SharedAsyncSleep::new(clock.clone()))
            .build();
        let token = Arc::new(());
        let alive = Arc::downgrade(&token);
        let clock = BackendClock { _held: Some(token), ..clock };
        let session = Session::builder().sdk_config(config).role(backend.role_arn()).clock(clock);
        (session.build().await.unwrap(), faults, alive)
    }

    /// What happens to the next requests of an operation, such as `CreateModel`.
    pub fn next(&self, operation: &'static str, times: usize, fault: Fault) {
        self.rules.lock().unwrap().push(Rule { operation, times, fault });
    }

    /// The network works again.
    pub fn heal(&self) {
        self.rules.lock().unwrap().clear();
    }

    fn fault(&self, target: &str) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap();
        let rule = rules.iter_mut().find(|rule| rule.times > 0 && target.ends_with(&format!(".{}", rule.operation)))?;
        rule.times -= 1;
        Some(rule.fault)
    }
}

impl HttpConnector for Faults {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let fault = self.fault(request.headers().get("x-amz-target").unwrap_or_default());
        let backend = self.backend.clone();
        let broken = || ConnectorError::io("the connection broke".into());
        HttpConnectorFuture::new(async move {
            match fault {
                Some(Fault::Unsent) => return Err(broken()),
                Some(Fault::Refused(code)) => return Ok(refusal(400, code)),
                _ => {}
            }
            let answer = backend.handle(request.try_into_http1x().unwrap()).await;
            match fault {
                Some(Fault::AnswerLost) => Err(broken()),
                Some(Fault::AnswerSpoilt) => Ok(refusal(500, "InternalFailure")),
                _ => Ok(HttpResponse::try_from(answer).unwrap()),
            }
        })
    }
}

fn refusal(status: u16, code: &str) -> HttpResponse {
    let body = format!(r#"{{"__type":"{code}","message":"so the test wants it"}}"#);
    let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    answer.headers_mut().insert("content-type", "application/x-amz-json-1.1");
    answer.headers_mut().insert("x-amzn-requestid", "refused-1");
    answer
}

impl HttpClient for Faults {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// The backend's clock, for waits and for the AWS clients' retries.
#[derive(Debug, Clone)]
struct BackendClock {
    clock: LocalClock,
    _held: Option<Arc<()>>,
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
