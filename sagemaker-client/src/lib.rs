//! The client of the Amazon SageMaker API that the `sagemaker` crate is built on. It is `aws-sdk-sagemaker` and nothing
//! else; use that, or `sagemaker::aws::sagemaker`, in your own code.
//!
//! It is a package of its own for the sake of build times. `aws-sdk-sagemaker` takes half of a clean build, most of it
//! on one core. Cargo starts what more packages wait for first: with this one in between it starts the client before the
//! other AWS clients instead of at a random place among them, and so the other cores have work until the end.

pub use aws_sdk_sagemaker::*;
