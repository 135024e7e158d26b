//! The built-in Neural Topic Model: the topics of documents, by a variational autoencoder.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-recordio-protobuf`, `text/csv` |
//! | `validation` | no | `application/x-recordio-protobuf`, `text/csv` |
//! | `test` | no | `application/x-recordio-protobuf`, `text/csv` |
//! | `auxiliary` | no | `text/plain` |
//!
//! Instances: one or more, with CPUs or GPUs. Default metrics: `validation:total_loss`, `train:total_loss`,
//! `test:total_loss`, `train:progress`, `train:throughput`.
//!
//! ```
//! use sagemaker::algorithms::Ntm;
//! use sagemaker::estimator::{Estimator, PlanContext};
//! use sagemaker::training::RecordSet;
//! use sagemaker::types::Compute;
//!
//! let estimator = Ntm::builder(20)
//!     .encoder_layers([100, 50])
//!     .compute(Compute::instances("ml.p3.2xlarge", 1))
//!     .build()?;
//! let context = PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH); // .fit(&session, ..) starts a job
//! let plan = estimator.plan(&context, &RecordSet::prefix("s3://my-bucket/documents", 5000, 2000).into())?;
//! let told = plan.request().get_hyper_parameters().clone().unwrap_or_default();
//! assert_eq!((told["encoder_layers"].as_str(), told["feature_dim"].as_str()), ("[100, 50]", "2000"));
//! # Ok::<(), sagemaker::Error>(())
//! ```

use serde::Deserialize;

use super::accepts::Accepts::{Integer, List, Number, OneOf};
use super::accepts::Bound::{self, To};
use super::accepts::{BOOL, POSITIVE, SHARE};
use super::answers::{TABLES, TEXT};
use super::builtin::{AlgorithmChannel, PROGRESS, Spec, THROUGHPUT, builtin, quality};
use super::names::choices;
use super::record_upload::record_sets;
use super::wire::numbers;
use crate::Result;
use crate::codec::recordio::{FromRecord, Record};

static SPEC: Spec = Spec {
    image: "ntm",
    class: "NTM",
    channels: &[
        AlgorithmChannel::required("train", TABLES),
        AlgorithmChannel::optional("validation", TABLES),
        AlgorithmChannel::optional("test", TABLES),
        AlgorithmChannel::optional("auxiliary", TEXT),
    ],
    needs_feature_dim: true,
    metrics: &[
        quality!("validation:total_loss", epoch "validation total_loss <loss>"),
        quality!("train:total_loss", epoch "train total_loss <loss>"),
        quality!("test:total_loss", "test total_loss <loss>"),
        PROGRESS,
        THROUGHPUT,
    ],
    ..Spec::DEFAULT
};

choices! {
    /// The activation of the encoder's layers.
    Activation {
        Sigmoid = "sigmoid",
        Tanh = "tanh",
        Relu = "relu",
    }
}

choices! {
    /// How weights are changed.
    Optimizer {
        AdaGrad = "adagrad",
        Adam = "adam",
        RmsProp = "rmsprop",
        Sgd = "sgd",
        AdaDelta = "adadelta",
    }
}

builtin! {
    /// An estimator of the built-in Neural Topic Model.
    ///
    /// Channels: `train`, and `validation` and `test` to be measured; RecordIO-protobuf or CSV, a document each row, a word
    /// of the vocabulary each column; `auxiliary` with the vocabulary as text. Instances: CPUs or GPUs.
    Ntm, NtmBuilder, SPEC;

    /// Begins with what every training needs: the number of topics, 2 to 1000.
    needs {
        num_topics(u32) in Integer(2, 1000);
    }
    takes {
        /// The sizes of the encoder's layers: at least 1 each. Default is by the container.
        encoder_layers(sizes: impl IntoIterator<Item = u32>) in List(&POSITIVE) => numbers(sizes);

        /// The most passes over the data: 1 to 100. Default 50.
        epochs(passes: u32) in Integer(1, 100);

        /// The activation of the encoder's layers. Default [`Activation::Sigmoid`].
        encoder_layers_activation(activation: Activation) in OneOf(Activation::NAMES);

        /// How weights are changed. Default [`Optimizer::AdaDelta`].
        optimizer(optimizer: Optimizer) in OneOf(Optimizer::NAMES);

        /// The relative change of the loss below which training ends: 1e-6 to 0.1. Default 0.001.
        tolerance(change: f64) in Number(To(1e-6), To(0.1));

        /// After how many passes without improvement training ends: 1 to 10. Default 3.
        num_patience_epochs(passes: u32) in Integer(1, 10);

        /// Whether batches are normalized. Default false.
        batch_norm(normalize: bool) in BOOL;

        /// What gradients are multiplied with: 0.001 to 1. Default 1.
        rescale_gradient(factor: f64) in Number(To(1e-3), To(1.0));

        /// The largest size of a gradient: from 0.001. Default infinite.
        clip_gradient(size: f64) in Number(To(1e-3), Bound::None);

        /// L2 regularization: 0 to 1. Default 0.
        weight_decay(weight: f64) in SHARE;

        /// The step of the optimizer: 1e-6 to 1. Default 0.001.
        learning_rate(rate: f64) in Number(To(1e-6), To(1.0));

        /// The share of the rows that each pass uses, for sampled training: above 0, at most 1. Default 1.
        sub_sample(share: f64) in Number(Bound::Beyond(0.0), To(1.0));

        /// The size of the vocabulary. Default: known from a [`RecordSet`](crate::training::RecordSet).
        feature_dim(words: u32) in POSITIVE;

        /// Documents in a batch: 1 to 10000. Default 256.
        mini_batch_size(documents: u32) in Integer(1, 10_000);
    }
}
record_sets!(Ntm, NtmBuilder);

/// An answer of an NTM endpoint.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct TopicWeights {
    /// The weight of each topic in the document.
    pub topic_weights: Vec<f64>,
}

impl FromRecord for TopicWeights {
    fn from_record(record: &Record) -> Result<Self> {
        // The Python SDK's documentation has the second name.
        let name = if record.label("topic_weights").is_none() && record.label("projection").is_some() {
            "projection"
        } else {
            "topic_weights"
        };
        Ok(Self { topic_weights: record.vector(name)? })
    }
}
