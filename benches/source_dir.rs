//! Packs and uploads the folder `SOURCE_DIR` to a server at `SERVER_URL`, and tells seconds and the memory above start in
//! MiB: `benches/source_dir/compare.py` runs this beside the Python SDK.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark is a program")]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

use std::time::Instant;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use sagemaker::frameworks::FrameworkModel;
use sagemaker::source::SourceCode;
use sagemaker::{Result, Session};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // Cargo runs benches without the variables as well: there is nothing to measure then.
    let (Ok(url), Ok(folder)) = (std::env::var("SERVER_URL"), std::env::var("SOURCE_DIR")) else { return Ok(()) };
    let credentials = SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "bench"));
    let config = aws_config::SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(credentials)
        .build();
    let session = Session::builder().sdk_config(config).endpoint_url(url).bucket("bench").build().await?;
    session.ensure_bucket().await?;
    let source = SourceCode::script("train.py").source_dir(folder);
    let model = FrameworkModel::sklearn("1.2-1").source(source).name(format!("rust-{}", std::process::id()));
    let (before, began) = (memory("VmRSS"), Instant::now());
    // Packed and uploaded; the model itself is not needed.
    drop(model.create(&session, "ml.m5.large").await?);
    println!("{:.3} {:.1}", began.elapsed().as_secs_f64(), memory("VmHWM") - before);
    Ok(())
}

/// MiB that Linux tells of this process; nothing elsewhere.
fn memory(what: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
