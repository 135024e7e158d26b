//! The built-in Latent Dirichlet Allocation: the topics of documents, from how often each word occurs.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-recordio-protobuf`, `text/csv` |
//! | `test` | no | `application/x-recordio-protobuf`, `text/csv` |
//!
//! Instances: one, with CPUs. Default metrics: `test:pwll`.
//!
//! ```
//! use sagemaker::algorithms::Lda;
//! use sagemaker::estimator::{Estimator, PlanContext};
//! use sagemaker::training::RecordSet;
//! use sagemaker::types::Compute;
//!
//! let estimator = Lda::builder(10, 500).alpha0(0.1).compute(Compute::instances("ml.c5.xlarge", 1)).build()?;
//! let context = PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH); // .fit(&session, ..) starts a job
//! let plan = estimator.plan(&context, &RecordSet::prefix("s3://my-bucket/documents", 500, 2000).into())?;
//! let told = plan.request().get_hyper_parameters().clone().unwrap_or_default();
//! assert_eq!((told["num_topics"].as_str(), told["feature_dim"].as_str()), ("10", "2000"));
//! # Ok::<(), sagemaker::Error>(())
//! ```

use serde::Deserialize;

use super::accepts::{ABOVE_ZERO, POSITIVE};
use super::answers::TABLES;
use super::builtin::{AlgorithmChannel, AlgorithmInstances, MiniBatch, Processor, Spec, builtin, quality};
use super::record_upload::record_sets;
use crate::Result;
use crate::codec::recordio::{FromRecord, Record};

static SPEC: Spec = Spec {
    image: "lda",
    class: "LDA",
    channels: &[AlgorithmChannel::required("train", TABLES), AlgorithmChannel::optional("test", TABLES)],
    instances: AlgorithmInstances { processor: Processor::Cpu, is_single: true },
    needs_feature_dim: true,
    mini_batch: MiniBatch::Needed,
    metrics: &[quality!("test:pwll", "test pwll <score>")],
    ..Spec::DEFAULT
};

builtin! {
    /// An estimator of the built-in Latent Dirichlet Allocation.
    ///
    /// Channels: `train`, and `test` to be measured; RecordIO-protobuf or CSV, a document each row, a word of the vocabulary
    /// each column. Instances: one, with CPUs.
    Lda, LdaBuilder, SPEC;

    /// Begins with what every training needs: the number of topics, and of the documents in all; at least 1 each.
    needs {
        num_topics(u32) in POSITIVE;
        mini_batch_size(u32) in POSITIVE;
    }
    takes {
        /// How even the mixture of topics is: below 1 few topics a document, above 1 all alike; above 0. Default 1.
        alpha0(concentration: f64) in ABOVE_ZERO;

        /// How often the tensor decomposition begins anew: at least 1. Default 10.
        max_restarts(restarts: u32) in POSITIVE;

        /// The most rounds of the tensor decomposition: at least 1. Default 1000.
        max_iterations(rounds: u32) in POSITIVE;

        /// The error at which the tensor decomposition ends: above 0. Default 1e-8.
        tol(error: f64) in ABOVE_ZERO;

        /// The size of the vocabulary. Default: known from a [`RecordSet`](crate::training::RecordSet).
        feature_dim(words: u32) in POSITIVE;
    }
}
record_sets!(Lda, LdaBuilder);

/// An answer of an LDA endpoint.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct TopicMixture {
    /// The share of each topic in the document.
    pub topic_mixture: Vec<f64>,
}

impl FromRecord for TopicMixture {
    fn from_record(record: &Record) -> Result<Self> {
        // The Python SDK's documentation has the second name.
        let name = if record.label("topic_mixture").is_none() && record.label("projection").is_some() {
            "projection"
        } else {
            "topic_mixture"
        };
        Ok(Self { topic_mixture: record.vector(name)? })
    }
}
