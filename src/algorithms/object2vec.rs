//! The built-in Object2Vec: vectors of pairs of objects, such as sentences, users and films, that tell how they relate.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/jsonlines` |
//! | `validation` | no | `application/jsonlines` |
//! | `test` | no | `application/jsonlines` |
//!
//! Instances: one, with CPUs or GPUs. Default metrics: `train:accuracy`, `train:cross_entropy`,
//! `train:mean_squared_error`, `validation:accuracy`, `validation:cross_entropy`, `validation:mean_squared_error`,
//! `test:accuracy`, `test:cross_entropy`, `test:mean_squared_error`, `train:progress`, `train:throughput`.
//!
//! ```
//! use sagemaker::algorithms::Object2Vec;
//! use sagemaker::estimator::{Estimator, PlanContext};
//! use sagemaker::training::{Channels, TrainingInput};
//! use sagemaker::types::Compute;
//!
//! let estimator = Object2Vec::builder(10, 50, 10_000)
//!     .enc_dim(256)
//!     .compute(Compute::instances("ml.p3.2xlarge", 1))
//!     .build()?;
//! let context = PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH); // .fit(&session, ..) starts a job
//! let train = TrainingInput::new("s3://my-bucket/pairs/").content_type("application/jsonlines");
//! let plan = estimator.plan(&context, &Channels::from([("train", train)]))?;
//! let told = plan.request().get_hyper_parameters().clone().unwrap_or_default();
//! assert_eq!((told["enc0_vocab_size"].as_str(), told["enc_dim"].as_str()), ("10000", "256"));
//! # Ok::<(), sagemaker::Error>(())
//! ```

use serde::Deserialize;

use super::accepts::Accepts::{Commas, Integer, Number, OneOf};
use super::accepts::Bound::To;
use super::accepts::{BOOL, POSITIVE, SHARE};
use super::answers::JSON_LINES;
use super::builtin::{
    AlgorithmChannel, AlgorithmInstances, MiniBatch, PROGRESS, Processor, Spec, THROUGHPUT, builtin, quality,
};
use super::names::choices;
use super::wire::list;

static SPEC: Spec = Spec {
    image: "object2vec",
    class: "Object2Vec",
    channels: &[
        AlgorithmChannel::required("train", JSON_LINES),
        AlgorithmChannel::optional("validation", JSON_LINES),
        AlgorithmChannel::optional("test", JSON_LINES),
    ],
    instances: AlgorithmInstances { processor: Processor::Any, is_single: true },
    mini_batch: MiniBatch::Default(32),
    metrics: &[
        quality!("train:accuracy", epoch "train accuracy <score>"),
        quality!("train:cross_entropy", epoch "train cross_entropy <loss>"),
        quality!("train:mean_squared_error", epoch "train mean_squared_error <loss>"),
        quality!("validation:accuracy", epoch "validation accuracy <score>"),
        quality!("validation:cross_entropy", epoch "validation cross_entropy <loss>"),
        quality!("validation:mean_squared_error", epoch "validation mean_squared_error <loss>"),
        quality!("test:accuracy", "test accuracy <score>"),
        quality!("test:cross_entropy", "test cross_entropy <loss>"),
        quality!("test:mean_squared_error", "test mean_squared_error <loss>"),
        PROGRESS,
        THROUGHPUT,
    ],
    ..Spec::DEFAULT
};

choices! {
    /// What makes a vector of a sequence of tokens.
    Network {
        /// a hierarchical convolutional network
        Hcnn = "hcnn",
        /// a bidirectional LSTM
        BiLstm = "bilstm",
        /// the mean of the tokens' vectors
        PooledEmbedding = "pooled_embedding",
    }
}

choices! {
    /// What makes a vector of the second object of a pair.
    SecondNetwork {
        Hcnn = "hcnn",
        BiLstm = "bilstm",
        PooledEmbedding = "pooled_embedding",
        /// the network of the first object
        Enc0 = "enc0",
    }
}

choices! {
    /// The activation of the layers that compare.
    MlpActivation {
        Tanh = "tanh",
        Relu = "relu",
        Linear = "linear",
    }
}

choices! {
    /// What comes out.
    OutputLayer {
        /// a class
        Softmax = "softmax",
        /// a number
        MeanSquaredError = "mean_squared_error",
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

choices! {
    /// How two vectors are put together to be compared.
    Comparator {
        /// the product of each two numbers
        Hadamard = "hadamard",
        /// one after the other
        Concat = "concat",
        /// the absolute difference of each two numbers
        AbsDiff = "abs_diff",
    }
}

choices! {
    /// How gradients of the tokens' vectors are held.
    EmbeddingStorage {
        Dense = "dense",
        /// those of the batch's tokens only
        RowSparse = "row_sparse",
    }
}

builtin! {
    /// An estimator of the built-in Object2Vec.
    ///
    /// Channels: `train`, and `validation` and `test` to be measured; JSON Lines with `label`, `in0` and `in1`, the last two
    /// lists of token numbers. Instances: one, with CPUs or GPUs. An endpoint takes the same lines and answers [`Scores`].
    Object2Vec, Object2VecBuilder, SPEC;

    /// Begins with what every training needs: the most passes over the data (1 to 100), and of the first object of a pair
    /// the longest sequence (1 to 5000) and the size of the vocabulary (2 to 3000000).
    needs {
        epochs(u32) in Integer(1, 100);
        enc0_max_seq_len(u32) in Integer(1, 5000);
        enc0_vocab_size(u32) in Integer(2, 3_000_000);
    }
    takes {
        /// The length of the vectors: 4 to 10000. Default 4096.
        enc_dim(numbers: u32) in Integer(4, 10_000);

        /// Pairs in a batch: 1 to 10000. Default 32.
        mini_batch_size(pairs: u32) in Integer(1, 10_000);

        /// After how many passes without improvement training ends: 1 to 5. Default 3.
        early_stopping_patience(passes: u32) in Integer(1, 5);

        /// Which change of the loss counts as improvement: 1e-6 to 0.1. Default 0.01.
        early_stopping_tolerance(change: f64) in Number(To(1e-6), To(0.1));

        /// The share of units that is dropped: 0 to 1. Default 0.
        dropout(share: f64) in SHARE;

        /// L2 regularization: 0 to 10000. Default 0.
        weight_decay(weight: f64) in Number(To(0.0), To(10_000.0));

        /// How much lengths in a batch may differ: 0, which is no bucketing, to 100. Default 0.
        bucket_width(tokens: u32) in Integer(0, 100);

        /// For [`OutputLayer::Softmax`]: 2 to 30. Default 2.
        num_classes(classes: u32) in Integer(2, 30);

        /// Layers that compare: 1 to 10. Default 2.
        mlp_layers(layers: u32) in Integer(1, 10);

        /// The size of these layers: 2 to 10000. Default 512.
        mlp_dim(units: u32) in Integer(2, 10_000);

        /// Their activation. Default [`MlpActivation::Linear`].
        mlp_activation(activation: MlpActivation) in OneOf(MlpActivation::NAMES);

        /// What comes out. Default [`OutputLayer::Softmax`].
        output_layer(layer: OutputLayer) in OneOf(OutputLayer::NAMES);

        /// How weights are changed. Default [`Optimizer::Adam`].
        optimizer(optimizer: Optimizer) in OneOf(Optimizer::NAMES);

        /// The step of the optimizer: 1e-6 to 1. Default 0.0004.
        learning_rate(rate: f64) in Number(To(1e-6), To(1.0));

        /// Random counterexamples for each pair, which are labelled as unrelated: 0 to 100. Default 0.
        negative_sampling_rate(pairs: u32) in Integer(0, 100);

        /// How two vectors are put together to be compared; at least one. Default is all of them.
        comparator_list(comparators: impl IntoIterator<Item = Comparator>) in Commas(&OneOf(Comparator::NAMES)) => list(comparators);

        /// Whether both objects share the tokens' vectors. Default false.
        tied_token_embedding_weight(tied: bool) in BOOL;

        /// How gradients of the tokens' vectors are held. Default [`EmbeddingStorage::Dense`].
        token_embedding_storage_type(storage: EmbeddingStorage) in OneOf(EmbeddingStorage::NAMES);

        /// What makes a vector of the first object. Default [`Network::Hcnn`].
        enc0_network(network: Network) in OneOf(Network::NAMES);

        /// What makes a vector of the second object. Default [`SecondNetwork::Enc0`].
        enc1_network(network: SecondNetwork) in OneOf(SecondNetwork::NAMES);

        /// For [`Network::Hcnn`]: 1 to 9. Default 3.
        enc0_cnn_filter_width(tokens: u32) in Integer(1, 9);

        /// For [`SecondNetwork::Hcnn`]: 1 to 9. Default 3.
        enc1_cnn_filter_width(tokens: u32) in Integer(1, 9);

        /// The longest sequence of the second object: 1 to 5000. Default as of the first.
        enc1_max_seq_len(tokens: u32) in Integer(1, 5000);

        /// The length of the tokens' vectors of the first object: 2 to 1000. Default 300.
        enc0_token_embedding_dim(numbers: u32) in Integer(2, 1000);

        /// The length of the tokens' vectors of the second object: 2 to 1000. Default as of the first.
        enc1_token_embedding_dim(numbers: u32) in Integer(2, 1000);

        /// The size of the second object's vocabulary: 2 to 3000000. Default as of the first.
        enc1_vocab_size(tokens: u32) in Integer(2, 3_000_000);

        /// Layers of the first network: 1 to 4. Default is by the container.
        enc0_layers(layers: u32) in Integer(1, 4);

        /// Layers of the second network: 1 to 4. Default is by the container.
        enc1_layers(layers: u32) in Integer(1, 4);

        /// Whether the first object's given vectors of tokens stay as they are. Default true.
        enc0_freeze_pretrained_embedding(frozen: bool) in BOOL;

        /// Whether the second object's given vectors of tokens stay as they are. Default true.
        enc1_freeze_pretrained_embedding(frozen: bool) in BOOL;

        /// Sent by the Python SDK with every record set, and not used.
        feature_dim(numbers: u32) in POSITIVE;
    }
}

/// An answer of an Object2Vec endpoint: `Json::of::<Predictions<Scores>>()`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Scores {
    /// The probability of each class, or a number in a list of its own.
    pub scores: Vec<f64>,
}
