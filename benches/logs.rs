//! Follows the logs of the training job `JOB` at `SERVER_URL`, whose time passes `TIME_SCALE` times as fast. Without a
//! job it is the server: every job there trains for `SECONDS` of real time, and `FAULTS` go wrong.
//! `benches/logs/compare.py` runs this beside the Python SDK and counts the calls of each.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark is a program")]
#![allow(clippy::disallowed_methods, reason = "it reads the real time, to scale it")]

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use futures_util::TryStreamExt;
use sagemaker::local::engines::{FnEngine, TrainingOutput};
use sagemaker::local::{LocalBackend, LocalClock, Profile};
use sagemaker::poll::Clock;
use sagemaker::training::TrainingJob;
use sagemaker::{Result, Session};

/// Time as the server has it.
#[derive(Debug, Clone, Copy)]
struct Scaled {
    begun: SystemTime,
    factor: f64,
}

impl Clock for Scaled {
    fn now(&self) -> SystemTime {
        self.begun + self.begun.elapsed().unwrap_or_default().mul_f64(self.factor)
    }

    fn pause(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration.div_f64(self.factor)))
    }
}

/// The pauses between the tries of the AWS client.
impl AsyncSleep for Scaled {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration.div_f64(self.factor)))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    // Cargo runs benches without the variables as well: there is nothing to do then.
    let Ok(factor) = std::env::var("TIME_SCALE") else { return Ok(()) };
    let factor: f64 = factor.parse().unwrap();
    match (std::env::var("SERVER_URL"), std::env::var("JOB")) {
        (Ok(url), Ok(job)) => follow(url, &job, factor).await,
        _ => serve(factor).await,
    }
}

async fn serve(factor: f64) -> Result<()> {
    let seconds = std::env::var("SECONDS").unwrap().parse().unwrap();
    let engine = FnEngine::for_image("slow").train_with(move |_| {
        std::thread::sleep(Duration::from_secs(seconds));
        Ok(TrainingOutput::default())
    });
    let backend = LocalBackend::builder().profile(Profile::Lenient).clock(LocalClock::scaled(factor)).engine(engine);
    let backend = backend.build();
    backend.faults().load(&std::env::var("FAULTS").unwrap())?;
    let server = backend.serve("127.0.0.1:0").await?;
    println!("{}", server.url());
    std::future::pending().await
}

async fn follow(url: String, job: &str, factor: f64) -> Result<()> {
    let clock = Scaled { begun: SystemTime::now(), factor };
    let config = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "bench")))
        .sleep_impl(SharedAsyncSleep::new(clock))
        .stalled_stream_protection(aws_config::stalled_stream_protection::StalledStreamProtectionConfig::disabled())
        .timeout_config(aws_config::timeout::TimeoutConfig::disabled())
        .build();
    let session = Session::builder().sdk_config(config).endpoint_url(url).clock(clock).build().await?;
    let job = TrainingJob::attach(&session, job).await?;
    let mut logs = job.logs();
    while let Some(line) = logs.try_next().await? {
        println!("{} {}", line.instance, line.message);
    }
    Ok(())
}
