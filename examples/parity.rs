//! Runs one scenario of wire parity against `AWS_ENDPOINT_URL`, so that something outside can judge what is sent.
//!
//! ```text
//! AWS_ENDPOINT_URL=http://127.0.0.1:4566 cargo run --example parity train_xgboost_csv
//! cargo run --example parity                       # lists them
//! ```
//!
//! Credentials and region come from the environment. `PARITY_FAST` polls quickly, for mocks whose jobs are over at once.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]
#![allow(unreachable_pub, dead_code, reason = "shared with the tests")]

use std::time::Duration;

use sagemaker::Session;
use sagemaker::poll::PollPolicy;

#[path = "../tests/it/parity/algo.rs"]
mod algo;
#[path = "../tests/it/parity/more_algorithms.rs"]
mod more_algorithms;
#[path = "../tests/it/parity/more_jobs.rs"]
mod more_jobs;
#[path = "../tests/it/parity/more_scripts.rs"]
mod more_scripts;
#[path = "../tests/it/parity/script.rs"]
mod script;
#[path = "../tests/it/parity/session.rs"]
mod session;
#[path = "../tests/it/parity/support.rs"]
mod support;
#[path = "../tests/it/parity/train.rs"]
mod train;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let more = [more_scripts::SCENARIOS, more_jobs::SCENARIOS, more_algorithms::SCENARIOS].concat();
    let all = [algo::SCENARIOS, script::SCENARIOS, session::SCENARIOS, train::SCENARIOS, &more].concat();
    let Some(name) = std::env::args().nth(1) else {
        all.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(());
    };
    let Some((_, run)) = all.iter().find(|(known, _)| *known == name) else {
        return Err(format!("there is no scenario {name}").into());
    };
    let url = std::env::var("AWS_ENDPOINT_URL").map_err(|_| "AWS_ENDPOINT_URL is not set")?;
    let mut session = Session::builder().endpoint_url(url);
    if name == "session_bucket_us_east_1" {
        session = session.region("us-east-1");
    }
    if std::env::var_os("PARITY_FAST").is_some() {
        session = session.poll(PollPolicy::new(Duration::from_millis(10), Duration::from_millis(50))?);
    }
    Box::pin(run(&session.build().await?)).await?;
    Ok(())
}
