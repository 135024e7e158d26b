//! The built-in IP Insights: how usual it is that an entity, such as a user, comes from an IP address.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `text/csv` |
//! | `validation` | no | `text/csv` |
//!
//! Instances: one or more, with CPUs or GPUs. Default metrics: `train:binary_classification_cross_entropy`,
//! `train:binary_classification_cross_entropy:epoch`, `train:binary_classification_accuracy`,
//! `train:binary_classification_accuracy:epoch`, `validation:discriminator_auc`, `train:progress`,
//! `train:throughput`.
//!
//! ```
//! use sagemaker::algorithms::IpInsights;
//! use sagemaker::estimator::{Estimator, PlanContext};
//! use sagemaker::training::{Channels, TrainingInput};
//! use sagemaker::types::Compute;
//!
//! let estimator = IpInsights::builder(20_000, 128)
//!     .epochs(5)
//!     .compute(Compute::instances("ml.p3.2xlarge", 1))
//!     .build()?;
//! let context = PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH); // .fit(&session, ..) starts a job
//! let plan = estimator.plan(&context, &Channels::from([("train", TrainingInput::csv("s3://my-bucket/logins/"))]))?;
//! let told = plan.request().get_hyper_parameters().clone().unwrap_or_default();
//! assert_eq!((told["num_entity_vectors"].as_str(), told["vector_dim"].as_str()), ("20000", "128"));
//! # Ok::<(), sagemaker::Error>(())
//! ```

use serde::Deserialize;

use super::accepts::Accepts::{Integer, Number};
use super::accepts::Bound::To;
use super::accepts::POSITIVE;
use super::answers::CSV;
use super::builtin::{AlgorithmChannel, PROGRESS, Spec, THROUGHPUT, builtin, quality};

static SPEC: Spec = Spec {
    image: "ipinsights",
    class: "IPInsights",
    channels: &[AlgorithmChannel::required("train", CSV), AlgorithmChannel::optional("validation", CSV)],
    metrics: &[
        quality!("train:binary_classification_cross_entropy", batch "train binary_classification_cross_entropy <loss>"),
        quality!("train:binary_classification_cross_entropy:epoch", epoch "train binary_classification_cross_entropy <loss>"),
        quality!("train:binary_classification_accuracy", batch "train binary_classification_accuracy <score>"),
        quality!("train:binary_classification_accuracy:epoch", epoch "train binary_classification_accuracy <score>"),
        quality!("validation:discriminator_auc", epoch "validation discriminator_auc <score>"),
        PROGRESS,
        THROUGHPUT,
    ],
    ..Spec::DEFAULT
};

builtin! {
    /// An estimator of the built-in IP Insights.
    ///
    /// Channels: `train`, and `validation` to be measured; CSV with an entity and an IPv4 address each row. Instances: CPUs
    /// or GPUs. An endpoint takes the same CSV and answers in JSON: [`IpInsight`].
    IpInsights, IpInsightsBuilder, SPEC;

    /// Begins with what every training needs: the number of vectors for entities (1 to 250000000; twice as many as there
    /// are entities is good), and their length (4 to 4096).
    needs {
        num_entity_vectors(u32) in Integer(1, 250_000_000);
        vector_dim(u32) in Integer(4, 4096);
    }
    takes {
        /// After how many batches metrics are told: at least 1. Default 1000.
        batch_metrics_publish_interval(batches: u32) in POSITIVE;

        /// Passes over the data: at least 1. Default 10.
        epochs(passes: u32) in POSITIVE;

        /// The step of the optimizer: 1e-6 to 10. Default 0.001.
        learning_rate(rate: f64) in Number(To(1e-6), To(10.0));

        /// Layers of the encoder of addresses: 0 to 100. Default 1.
        num_ip_encoder_layers(layers: u32) in Integer(0, 100);

        /// Random addresses for each row as counterexamples: 0 to 500. Default 1.
        random_negative_sampling_rate(addresses: u32) in Integer(0, 500);

        /// Addresses of other rows for each row as counterexamples: 0 to 500. Default 1.
        shuffled_negative_sampling_rate(addresses: u32) in Integer(0, 500);

        /// L2 regularization: 0 to 10. Default 0.00001.
        weight_decay(weight: f64) in Number(To(0.0), To(10.0));

        /// Sent by the Python SDK with every record set, and not used.
        feature_dim(numbers: u32) in POSITIVE;

        /// Rows in a batch: 1 to 500000. Default 10000.
        mini_batch_size(rows: u32) in Integer(1, 500_000);
    }
}

/// An answer of an IP Insights endpoint: `Json::of::<Predictions<IpInsight>>()`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct IpInsight {
    /// How usual the pair is: unbounded, the lower the more unusual.
    pub dot_product: f64,
    /// The vector of the address; only if one asks for `verbose=True`.
    pub ip_embedding: Option<Vec<f64>>,
    /// The vector of the entity.
    pub entity_embedding: Option<Vec<f64>>,
}
