//! The local backend: one in-memory AWS that answers the real protocols beneath the real AWS clients.
//!
//! A [`LocalBackend`] is SageMaker, SageMaker Runtime, S3, CloudWatch Logs, STS and the little IAM that role look-ups
//! need. It knows only what arrives on the wire. Jobs really run, on [engines] that stand in for container images, and
//! endpoints really answer. Time is a [`LocalClock`]: instant unless told otherwise.
//!
//! ```
//! use aws_sdk_sagemaker::config::{BehaviorVersion, Credentials, Region};
//! use sagemaker::local::LocalBackend;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let backend = LocalBackend::new();
//! let config = aws_sdk_sagemaker::Config::builder()
//!     .behavior_version(BehaviorVersion::latest())
//!     .region(Region::new(backend.region().to_owned()))
//!     .credentials_provider(Credentials::new("local", "local", None, None, "local"))
//!     .http_client(backend.http_client())
//!     .build();
//! let sagemaker = aws_sdk_sagemaker::Client::from_conf(config);
//!
//! assert!(sagemaker.list_training_jobs().send().await?.training_job_summaries().is_empty());
//! assert_eq!(backend.requests()[0].operation, "ListTrainingJobs");
//! # Ok::<(), aws_sdk_sagemaker::Error>(())
//! # }).unwrap();
//! ```

mod archive;
mod aws_error;
mod backend;
mod clock;
mod control;
mod data;
mod documents;
pub mod engines;
mod faults;
mod file_systems;
#[cfg(fuzzing)]
pub mod fuzzing;
mod ignored;
mod jobs;
mod kinds;
mod listing;
mod metrics;
mod profile;
mod query;
mod reading;
mod recorder;
mod regions;
mod router;
mod s3;
#[cfg(feature = "local-server")]
mod server;
mod services;
mod signature;
mod state;
mod store;
mod time;
mod transport;
mod tuning;
mod validation;
mod wire;

#[cfg(test)]
mod tests;

pub use backend::{LocalBackend, LocalBackendBuilder};
pub use clock::{BusyGuard, LocalClock};
pub use faults::{Fault, FaultRule, Faults};
pub use ignored::IgnoredField;
pub use profile::Profile;
pub use recorder::RecordedRequest;
#[cfg(feature = "local-server")]
pub use server::{LocalServer, LocalServerBuilder};
