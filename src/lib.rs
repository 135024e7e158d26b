//! The Rust SDK for [Amazon SageMaker](https://docs.aws.amazon.com/sagemaker/): train, deploy, predict and
//! batch-transform, on AWS or on an embedded local backend.
//!
//! ```
//! # #[cfg(feature = "algorithms")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> sagemaker::Result<()> {
//! use sagemaker::Session;
//! use sagemaker::algorithms::xgboost::{Objective, XGBoost};
//! use sagemaker::codec::Csv;
//! use sagemaker::estimator::EstimatorExt;
//! use sagemaker::training::TrainingInput;
//! use sagemaker::types::{Compute, ContentType};
//!
//! let session = Session::local(); // on AWS: Session::from_env().await?
//! session.ensure_bucket().await?;
//! let data = session.default_uri("doubling/train.csv").await?;
//! session.upload_bytes("2,1\n4,2\n6,3\n8,4\n", &data, &ContentType::CSV).await?;
//!
//! let xgboost = XGBoost::builder(Objective::RegSquaredError, 50)
//!     .compute(Compute::instances("ml.m5.xlarge", 1))
//!     .build()?;
//! let done = xgboost.fit(&session, [("train", TrainingInput::csv(data))]).await?.wait().await?;
//!
//! let model = xgboost.model(&session, &done).await?;
//! let endpoint = model.deploy(Compute::instances("ml.m5.large", 1)).await?;
//! let doubled: Vec<f64> = endpoint.predictor(Csv::rows(), Csv::floats()).predict(&[[1.0], [4.0]]).await?;
//! assert_eq!(doubled.len(), 2);
//! endpoint.delete().with_models().await?;
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "algorithms"))]
//! # fn main() {}
//! ```
//!
//! # Where things are
//!
//! | module | what |
//! |---|---|
//! | [`session`] | [`Session`]: clients, bucket, role, uploads, downloads |
//! | [`estimator`], [`algorithms`] | what is trained: any container, or a built-in algorithm with typed hyperparameters |
//! | [`frameworks`], [`source`] | Python scripts in the images of PyTorch, TensorFlow, scikit-learn and others |
//! | [`images`] | URIs of the images that AWS publishes |
//! | [`training`], [`job`], [`logs`] | inputs and handles of training jobs; waits, events, log lines |
//! | [`model`], [`endpoint`], [`predictor`] | from a trained model to answers, and back to nothing |
//! | [`transform`] | a model applied to files in S3 |
//! | [`codec`], [`types`] | request and response bodies; names, URIs, instances, tags |
//! | [`error`] | one error type with a kind |
//! | `local` | the local backend (feature `local`), with engines (feature `algorithms`) |
//! | [`aws`] | the raw clients, and the AWS crates that this crate is built on |
//!
//! # Without async
//!
//! Every call is async and needs a tokio runtime. A program without one wraps a call in
//! `tokio::runtime::Runtime::new()?.block_on(..)`.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(feature = "control-plane"), allow(rustdoc::broken_intra_doc_links))]

#[cfg(feature = "control-plane")]
pub mod algorithms;
#[cfg(feature = "control-plane")]
mod api_model;
pub mod aws;
pub mod codec;
#[cfg(feature = "control-plane")]
pub mod endpoint;
pub mod error;
#[cfg(feature = "control-plane")]
pub mod estimator;
#[cfg(feature = "control-plane")]
pub mod frameworks;
#[cfg(feature = "control-plane")]
pub mod images;
#[cfg(feature = "control-plane")]
pub mod job;
#[cfg(feature = "local")]
pub mod local;
#[cfg(feature = "control-plane")]
pub mod logs;
#[cfg(feature = "control-plane")]
pub mod model;
#[cfg(feature = "control-plane")]
pub mod poll;
pub mod predictor;
#[cfg(feature = "progress")]
pub mod progress;
#[cfg(feature = "control-plane")]
pub mod s3;
#[cfg(feature = "control-plane")]
pub mod session;
#[cfg(feature = "control-plane")]
pub mod source;
#[cfg(feature = "control-plane")]
pub mod training;
#[cfg(feature = "control-plane")]
pub mod transform;
pub mod types;

pub use error::{Error, ErrorKind, Result};
#[cfg(feature = "control-plane")]
pub use session::Session;

/// The README's and the guide's programs are tests.
#[cfg(all(doctest, feature = "algorithms"))]
mod guide {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../docs/src/start.md")]
    mod start {}
    #[doc = include_str!("../docs/src/configuration.md")]
    mod configuration {}
    #[doc = include_str!("../docs/src/train.md")]
    mod train {}
    #[doc = include_str!("../docs/src/algorithms.md")]
    mod algorithms {}
    #[doc = include_str!("../docs/src/deploy.md")]
    mod deploy {}
    #[doc = include_str!("../docs/src/frameworks.md")]
    mod frameworks {}
    #[doc = include_str!("../docs/src/transform.md")]
    mod transform {}
    #[doc = include_str!("../docs/src/local.md")]
    mod local {}
    #[cfg(unix)]
    #[doc = include_str!("../docs/src/engines.md")]
    mod engines {}
    #[doc = include_str!("../docs/src/testing.md")]
    mod testing {}
}
