//! Estimators that run a Python script of yours in the images of PyTorch, TensorFlow, scikit-learn, XGBoost, Hugging Face,
//! MXNet and Chainer, and the [models](crate::frameworks::FrameworkModel) that serve what they train.
//!
//! ```
//! use sagemaker::frameworks::{Distribution, PyTorch};
//! use sagemaker::types::Compute;
//!
//! let torch = PyTorch::builder("train.py")
//!     .framework_version("2.0.1")
//!     .py_version("py310")
//!     .distribution(Distribution::torchrun())
//!     .hyperparameter("batch-size", 64)
//!     .compute(Compute::instances("ml.p4d.24xlarge", 2))
//!     .build()?;
//! # let _ = torch;
//! # Ok::<(), sagemaker::Error>(())
//! ```
//!
//! The image follows from the framework's version, the Python version and the instance type
//! ([`images`](crate::images)); `image_uri` overrides it. Hyperparameters reach the script as command line arguments; on
//! the wire each is JSON, as the images' toolkits read it. See [`source`](crate::source) for what is packed and where it goes.

mod attach;
mod chainer;
mod distribution;
mod framework;
mod huggingface;
mod model;
mod mxnet;
mod pytorch;
mod script;
mod sklearn;
mod tensorflow;
mod versions;
mod xgboost;

pub use chainer::{Chainer, ChainerBuilder};
pub use distribution::{Distribution, Mpi};
pub use huggingface::{BaseFramework, HuggingFace, HuggingFaceBuilder};
pub use model::FrameworkModel;
pub use mxnet::{MXNet, MXNetBuilder};
pub use pytorch::{PyTorch, PyTorchBuilder};
pub use sklearn::{SKLearn, SKLearnBuilder};
pub use tensorflow::{ModelDir, TensorFlow, TensorFlowBuilder};
pub use xgboost::{XGBoost, XGBoostBuilder};

use script::script_setters;
