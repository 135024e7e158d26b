//! The built-in Image Classification: what is to be seen in a picture, by a residual network (MXNet).
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `validation` | yes | `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `train_lst` | no | `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `validation_lst` | no | `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `model` | no | `application/x-sagemaker-model` |
//!
//! Instances: one or more, with GPUs. Default metrics: `train:accuracy`, `train:accuracy:epoch`,
//! `validation:accuracy`, `train:throughput`.
//!
//! ```
//! use sagemaker::algorithms::ImageClassification;
//! use sagemaker::estimator::{Estimator, PlanContext};
//! use sagemaker::training::{Channels, TrainingInput};
//! use sagemaker::types::Compute;
//!
//! let estimator = ImageClassification::builder(10, 50_000)
//!     .image_shape([3, 32, 32])
//!     .num_layers(20)
//!     .compute(Compute::instances("ml.p3.2xlarge", 1))
//!     .build()?;
//! let context = PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH); // .fit(&session, ..) starts a job
//! let plan = estimator.plan(&context, &Channels::from([
//!     ("train", TrainingInput::new("s3://my-bucket/train/").content_type("application/x-recordio")),
//!     ("validation", TrainingInput::new("s3://my-bucket/validation/").content_type("application/x-recordio")),
//! ]))?;
//! let told = plan.request().get_hyper_parameters().clone().unwrap_or_default();
//! assert_eq!((told["num_classes"].as_str(), told["image_shape"].as_str()), ("10", "3,32,32"));
//! # Ok::<(), sagemaker::Error>(())
//! ```

use super::accepts::Accepts::{Commas, Integer, OneOf};
use super::accepts::{BIT, BOOL, MAX, POSITIVE, SHARE};
use super::answers::{IMAGES, MODEL};
use super::builtin::{AlgorithmChannel, AlgorithmInstances, Checker, Processor, Spec, THROUGHPUT, builtin};
use super::names::choices;
pub use super::pictures::KvStore;
use super::pictures::check_kv_store;
use super::wire::{bit, list};

/// Networks for large and for small pictures.
const LAYERS: &[&str] = &["18", "34", "50", "101", "152", "200", "20", "32", "44", "56", "110"];

static SPEC: Spec = Spec {
    image: "image-classification",
    class: "ImageClassification",
    channels: &[
        AlgorithmChannel::required("train", IMAGES),
        AlgorithmChannel::required("validation", IMAGES),
        AlgorithmChannel::optional("train_lst", IMAGES),
        AlgorithmChannel::optional("validation_lst", IMAGES),
        AlgorithmChannel::optional("model", MODEL),
    ],
    instances: AlgorithmInstances { processor: Processor::Gpu, is_single: false },
    metrics: &[
        ("train:accuracy", r"Epoch\S* Batch\S* .*accuracy=(\S+)"),
        ("train:accuracy:epoch", r"Train-accuracy=(\S+)"),
        ("validation:accuracy", r"Validation-accuracy=(\S+)"),
        THROUGHPUT,
    ],
    check,
    ..Spec::DEFAULT
};

choices! {
    /// How pictures are varied.
    Augmentation {
        /// cropped and mirrored at random
        Crop = "crop",
        /// and in other colours
        CropColor = "crop_color",
        /// and turned, sheared and stretched
        CropColorTransform = "crop_color_transform",
    }
}

choices! {
    /// How weights are changed.
    Optimizer {
        Sgd = "sgd",
        Adam = "adam",
        RmsProp = "rmsprop",
        Nag = "nag",
    }
}

choices! {
    /// The precision of weights.
    Precision {
        Float32 = "float32",
        Float16 = "float16",
    }
}

builtin! {
    /// An estimator of the built-in Image Classification.
    ///
    /// Channels: `train` and `validation`; RecordIO, or pictures (`application/x-image`) with `train_lst` and
    /// `validation_lst`, or an augmented manifest in Pipe mode. Instances: GPUs. An endpoint takes a picture (`Raw::body`)
    /// and answers the probability of each class (`Json::of::<Vec<f64>>`).
    ImageClassification, ImageClassificationBuilder, SPEC;

    /// Begins with what every training needs: the number of classes, at least 2, and of the pictures to train on.
    needs {
        num_classes(u32) in Integer(2, MAX);
        num_training_samples(u32) in POSITIVE;
    }
    takes {
        /// How pictures are varied. Default: they are not.
        augmentation_type(augmentation: Augmentation) in OneOf(Augmentation::NAMES);

        /// For [`Optimizer::Adam`], the decay of the first moment: 0 to 1. Default 0.9.
        beta_1(decay: f64) in SHARE;

        /// For [`Optimizer::Adam`], the decay of the second moment: 0 to 1. Default 0.999.
        beta_2(decay: f64) in SHARE;

        /// After how many passes parameters are stored: at least 1, at most `epochs`. Default: the best ones are.
        checkpoint_frequency(passes: u32) in POSITIVE;

        /// Whether training ends when `validation` does not improve. Default false.
        early_stopping(stop: bool) in BOOL;

        /// For `early_stopping`, the fewest passes: at least 1. Default 10.
        early_stopping_min_epochs(passes: u32) in POSITIVE;

        /// For `early_stopping`, the passes without improvement: at least 1. Default 5.
        early_stopping_patience(passes: u32) in POSITIVE;

        /// For `early_stopping`, which relative change counts as improvement: 0 to 1. Default 0.
        early_stopping_tolerance(change: f64) in SHARE;

        /// Passes over the data: at least 1. Default 30.
        epochs(passes: u32) in POSITIVE;

        /// For [`Optimizer::Adam`] and [`Optimizer::RmsProp`]: 0 to 1. Default 1e-8.
        eps(eps: f64) in SHARE;

        /// For [`Optimizer::RmsProp`], the decay of the squared gradient: 0 to 1. Default 0.9.
        gamma(decay: f64) in SHARE;

        /// Channels, height and width of a picture: at least 1 each. Default 3, 224, 224.
        image_shape(shape: [u32; 3]) in Commas(&POSITIVE) => list(shape);

        /// How instances keep in step. Needed for more than one. Default: none.
        kv_store(store: KvStore) in OneOf(KvStore::ACCEPTED);

        /// The step of the optimizer: 0 to 1. Default 0.1.
        learning_rate(rate: f64) in SHARE;

        /// To which share of itself the learning rate falls: 0 to 1. Default 0.1.
        lr_scheduler_factor(share: f64) in SHARE;

        /// The passes after which the learning rate falls: at least 1 each. Default: it does not.
        lr_scheduler_step(passes: impl IntoIterator<Item = u32>) in Commas(&POSITIVE) => list(passes);

        /// Pictures in a batch, over all GPUs of an instance: at least 1. Default 32.
        mini_batch_size(pictures: u32) in POSITIVE;

        /// For [`Optimizer::Sgd`] and [`Optimizer::Nag`]: 0 to 1. Default 0.9.
        momentum(momentum: f64) in SHARE;

        /// Whether a picture may have several classes. Default false.
        multi_label(several: bool) in BIT => bit(several);

        /// Layers of the network: 18, 34, 50, 101, 152 or 200; for small pictures 20, 32, 44, 56 or 110. Default 152.
        num_layers(layers: u32) in OneOf(LAYERS);

        /// How weights are changed. Default [`Optimizer::Sgd`].
        optimizer(optimizer: Optimizer) in OneOf(Optimizer::NAMES);

        /// The precision of weights. Default [`Precision::Float32`].
        precision_dtype(precision: Precision) in OneOf(Precision::NAMES);

        /// The pixels of the shorter side, to which pictures are resized first: at least 1. Default: they are not.
        resize(pixels: u32) in POSITIVE;

        /// Of how many best classes one must be right: at least 2. Default: none.
        top_k(classes: u32) in Integer(2, MAX);

        /// Whether training begins with weights that know ImageNet. Default false.
        use_pretrained_model(pretrained: bool) in BIT => bit(pretrained);

        /// For `multi_label`, whether rare classes weigh more. Default false.
        use_weighted_loss(weighted: bool) in BIT => bit(weighted);

        /// L2 regularization: 0 to 1. Default 0.0001.
        weight_decay(weight: f64) in SHARE;
    }
}

fn check(values: &mut Checker<'_>) {
    values.only_with(&["use_weighted_loss"], "multi_label", &["1"]);
    let (frequency, epochs) = (values.number("checkpoint_frequency"), values.number("epochs").unwrap_or(30.0));
    if frequency.is_some_and(|frequency| frequency > epochs) {
        values.refuse("checkpoint_frequency", format!("must be at most epochs, which is {epochs}"));
    }
    check_kv_store(values);
}
