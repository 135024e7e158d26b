//! The built-in Sequence-to-Sequence: translation, summaries and other texts from texts (Sockeye).
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-recordio-protobuf` |
//! | `validation` | yes | `application/x-recordio-protobuf` |
//! | `vocab` | yes | `application/json` |
//!
//! Instances: one, with GPUs. Default metrics: `validation:accuracy`, `validation:bleu`, `validation:perplexity`.
//!
//! ```
//! use sagemaker::algorithms::Seq2Seq;
//! use sagemaker::estimator::{Estimator, PlanContext};
//! use sagemaker::training::{Channels, TrainingInput};
//! use sagemaker::types::Compute;
//!
//! let estimator = Seq2Seq::builder()
//!     .max_seq_len_source(60)
//!     .compute(Compute::instances("ml.p3.2xlarge", 1))
//!     .build()?;
//! let places = ["train", "validation", "vocab"].map(|name| (name, TrainingInput::new(format!("s3://my-bucket/{name}/"))));
//! let context = PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH); // .fit(&session, ..) starts a job
//! let plan = estimator.plan(&context, &Channels::from(places))?;
//! let told = plan.request().get_hyper_parameters().clone().unwrap_or_default();
//! assert_eq!(told["max_seq_len_source"], "60");
//! # Ok::<(), sagemaker::Error>(())
//! ```

use serde::Deserialize;

use super::accepts::Accepts::{Integer, OneOf};
use super::accepts::{ABOVE_ZERO, ANY_NUMBER, FRACTION, FROM_ZERO, MAX, POSITIVE, SHARE};
use super::answers::{JSON, RECORDS};
use super::builtin::{AlgorithmChannel, AlgorithmInstances, Checker, Processor, Spec, builtin, quality};
use super::names::choices;

static SPEC: Spec = Spec {
    image: "seq2seq",
    class: "Seq2Seq",
    channels: &[
        AlgorithmChannel::required("train", RECORDS),
        AlgorithmChannel::required("validation", RECORDS),
        AlgorithmChannel::required("vocab", JSON),
    ],
    instances: AlgorithmInstances { processor: Processor::Gpu, is_single: true },
    metrics: &[
        quality!("validation:accuracy", "validation accuracy <score>"),
        quality!("validation:bleu", "validation bleu <score>"),
        quality!("validation:perplexity", "validation perplexity <loss>"),
    ],
    check,
    ..Spec::DEFAULT
};

/// The container reads these in lower case.
const BOOL: super::accepts::Accepts = OneOf(&["true", "false"]);

choices! {
    /// The kind of a network.
    Network {
        /// recurrent, with attention
        Rnn = "rnn",
        /// convolutional
        Cnn = "cnn",
    }
}

choices! {
    /// The activation of a convolutional network.
    CnnActivation {
        Glu = "glu",
        Relu = "relu",
        SoftRelu = "softrelu",
        Sigmoid = "sigmoid",
        Tanh = "tanh",
    }
}

choices! {
    /// How the learning rate falls.
    LrScheduler {
        /// whenever the metric stays where it is
        PlateauReduce = "plateau_reduce",
        /// as one over the time
        FixedRateInvT = "fixed_rate_inv_t",
        /// as one over the root of the time
        FixedRateInvSqrtT = "fixed_rate_inv_sqrt_t",
    }
}

choices! {
    /// A measure of the `validation` channel.
    Metric {
        Perplexity = "perplexity",
        Accuracy = "accuracy",
        Bleu = "bleu",
    }
}

choices! {
    /// How weights are changed.
    Optimizer {
        Adam = "adam",
        Sgd = "sgd",
        RmsProp = "rmsprop",
    }
}

choices! {
    /// What a recurrent network attends by.
    Attention {
        Dot = "dot",
        Fixed = "fixed",
        Mlp = "mlp",
        Bilinear = "bilinear",
    }
}

choices! {
    /// The cells of a recurrent network.
    RnnCell {
        Lstm = "lstm",
        Gru = "gru",
    }
}

choices! {
    /// How a decoder begins with what the encoder has seen.
    DecoderStateInit {
        Last = "last",
        Avg = "avg",
        Zero = "zero",
    }
}

choices! {
    /// The distribution of the first weights.
    WeightInit {
        Uniform = "uniform",
        Xavier = "xavier",
    }
}

choices! {
    /// What Xavier's distribution goes by.
    XavierFactor {
        In = "in",
        Out = "out",
        Avg = "avg",
    }
}

builtin! {
    /// An estimator of the built-in Sequence-to-Sequence.
    ///
    /// Channels: `train` and `validation` in RecordIO-protobuf with integers, `vocab` with `vocab.src.json` and
    /// `vocab.trg.json`. Instances: one, with GPUs. An endpoint takes JSON and answers [`Translations`].
    Seq2Seq, Seq2SeqBuilder, SPEC;

    /// Begins; nothing is needed.
    needs {}
    takes {
        /// Sequences in a batch: at least 1. Default 64.
        batch_size(sequences: u32) in POSITIVE;

        /// Sequences that are followed at once in search: at least 1. Default 5.
        beam_size(sequences: u32) in POSITIVE;

        /// Sequences of `validation` that BLEU is computed of: -1 is all, 0 none. Default 0.
        bleu_sample_size(sequences: i64) in Integer(-1, MAX);

        /// The step of the lengths that are batched together: at least 1. Default 10.
        bucket_width(tokens: u32) in POSITIVE;

        /// Whether sequences of like length are batched together. Default true.
        bucketing_enabled(enabled: bool) in BOOL => enabled.to_string();

        /// After how many batches there is a checkpoint with an evaluation: at least 1. Default 1000.
        checkpoint_frequency_num_batches(batches: u32) in POSITIVE;

        /// After how many checkpoints without improvement training ends: at least 1. Default 3.
        checkpoint_threshold(checkpoints: u32) in POSITIVE;

        /// The largest size of a gradient; a negative one is no limit. Default 1.
        clip_gradient(size: f64) in ANY_NUMBER;

        /// The activation of a convolutional network. Default [`CnnActivation::Glu`].
        cnn_activation_type(activation: CnnActivation) in OneOf(CnnActivation::NAMES);

        /// The share that is dropped between convolutional layers: 0 to 1. Default 0.
        cnn_hidden_dropout(share: f64) in SHARE;

        /// The width of a convolutional decoder's kernel: at least 1. Default 5.
        cnn_kernel_width_decoder(tokens: u32) in POSITIVE;

        /// The width of a convolutional encoder's kernel: at least 1. Default 3.
        cnn_kernel_width_encoder(tokens: u32) in POSITIVE;

        /// Hidden units of convolutional networks: at least 1. Default 512.
        cnn_num_hidden(units: u32) in POSITIVE;

        /// The kind of the decoder. Default [`Network::Rnn`].
        decoder_type(network: Network) in OneOf(Network::NAMES);

        /// The share of the source's vectors that is dropped: 0 to 1. Default 0.
        embed_dropout_source(share: f64) in SHARE;

        /// The share of the target's vectors that is dropped: 0 to 1. Default 0.
        embed_dropout_target(share: f64) in SHARE;

        /// The kind of the encoder. Default [`Network::Rnn`].
        encoder_type(network: Network) in OneOf(Network::NAMES);

        /// For the schedulers of fixed rate, the half-life in checkpoints: at least 1. Default 10.
        fixed_rate_lr_half_life(checkpoints: u32) in POSITIVE;

        /// The step of the optimizer: above 0. Default 0.0003.
        learning_rate(rate: f64) in ABOVE_ZERO;

        /// How the learning rate falls. Default [`LrScheduler::PlateauReduce`].
        lr_scheduler_type(scheduler: LrScheduler) in OneOf(LrScheduler::NAMES);

        /// The most batches: -1 is no limit. Default -1.
        max_num_batches(batches: i64) in Integer(-1, MAX);

        /// The most passes over the data: at least 1. Default: no limit.
        max_num_epochs(passes: u32) in POSITIVE;

        /// The longest source sequence, longer ones are cut: at least 1. Default 100.
        max_seq_len_source(tokens: u32) in POSITIVE;

        /// The longest target sequence, longer ones are cut: at least 1. Default 100.
        max_seq_len_target(tokens: u32) in POSITIVE;

        /// The fewest passes before training may end early: from 0. Default 0.
        min_num_epochs(passes: u32) in Integer(0, MAX);

        /// For [`Optimizer::Sgd`] only: from 0. Default: none.
        momentum(momentum: f64) in FROM_ZERO;

        /// The length of the source tokens' vectors: at least 1. Default 512.
        num_embed_source(numbers: u32) in POSITIVE;

        /// The length of the target tokens' vectors: at least 1. Default 512.
        num_embed_target(numbers: u32) in POSITIVE;

        /// Layers of the decoder: at least 1. Default 1.
        num_layers_decoder(layers: u32) in POSITIVE;

        /// Layers of the encoder: at least 1. Default 1.
        num_layers_encoder(layers: u32) in POSITIVE;

        /// What tells whether training improves. Default [`Metric::Perplexity`].
        optimized_metric(metric: Metric) in OneOf(Metric::NAMES);

        /// How weights are changed. Default [`Optimizer::Adam`].
        optimizer_type(optimizer: Optimizer) in OneOf(Optimizer::NAMES);

        /// For [`LrScheduler::PlateauReduce`], to which share of itself the learning rate falls: above 0, below 1.
        /// Default 0.5.
        plateau_reduce_lr_factor(share: f64) in FRACTION;

        /// For [`LrScheduler::PlateauReduce`], after how many checkpoints without improvement: at least 1. Default 3.
        plateau_reduce_lr_threshold(checkpoints: u32) in POSITIVE;

        /// Whether upper layers of recurrent networks attend too. Default true.
        rnn_attention_in_upper_layers(attend: bool) in BOOL => attend.to_string();

        /// Hidden units of the attention: at least 1. Default as `rnn_num_hidden`.
        rnn_attention_num_hidden(units: u32) in POSITIVE;

        /// What a recurrent network attends by. Default [`Attention::Mlp`].
        rnn_attention_type(attention: Attention) in OneOf(Attention::NAMES);

        /// The cells of recurrent networks. Default [`RnnCell::Lstm`].
        rnn_cell_type(cell: RnnCell) in OneOf(RnnCell::NAMES);

        /// How a decoder begins. Default [`DecoderStateInit::Last`].
        rnn_decoder_state_init(init: DecoderStateInit) in OneOf(DecoderStateInit::NAMES);

        /// The first recurrent layer with a residual connection: at least 1. Default 2.
        rnn_first_residual_layer(layer: u32) in POSITIVE;

        /// Hidden units of recurrent networks: at least 2, an even number. Default 1024.
        rnn_num_hidden(units: u32) in Integer(2, MAX);

        /// Whether recurrent layers have residual connections. Default false.
        rnn_residual_connections(residual: bool) in BOOL => residual.to_string();

        /// The share that is dropped of the decoder's hidden state: 0 to 1. Default 0.
        rnn_decoder_hidden_dropout(share: f64) in SHARE;

        /// What is told of `validation` while training; not [`Metric::Bleu`]. Default [`Metric::Perplexity`].
        training_metric(metric: Metric) in OneOf(&["perplexity", "accuracy"]);

        /// L2 regularization: from 0. Default 0.
        weight_decay(weight: f64) in FROM_ZERO;

        /// The scale of the first weights: above 0. Default 2.34.
        weight_init_scale(scale: f64) in ABOVE_ZERO;

        /// The distribution of the first weights. Default [`WeightInit::Xavier`].
        weight_init_type(init: WeightInit) in OneOf(WeightInit::NAMES);

        /// For [`WeightInit::Xavier`]. Default [`XavierFactor::In`].
        xavier_factor_type(factor: XavierFactor) in OneOf(XavierFactor::NAMES);
    }
}

fn check(values: &mut Checker<'_>) {
    if values.number("rnn_num_hidden").is_some_and(|units| units % 2.0 != 0.0) {
        values.refuse("rnn_num_hidden", "must be an even number");
    }
    let (least, most) = (values.number("min_num_epochs"), values.number("max_num_epochs"));
    if let (Some(least), Some(most)) = (least, most)
        && least > most
    {
        values.refuse("min_num_epochs", format!("must be at most max_num_epochs, which is {most}, is {least}"));
    }
    values.only_with(&["momentum"], "optimizer_type", &["sgd"]);
}

/// The answers of a Sequence-to-Sequence endpoint: `Json::of::<Translations>()`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Translations {
    /// One for each text that was sent.
    pub predictions: Vec<Translation>,
}

/// A text that came out.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Translation {
    /// The text, its tokens apart by spaces.
    pub target: String,
}
