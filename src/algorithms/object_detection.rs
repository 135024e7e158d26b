//! The built-in Object Detection: what is to be seen where in a picture, by a single shot detector (MXNet).
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `validation` | yes | `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `train_annotation` | no | `application/json`, `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `validation_annotation` | no | `application/json`, `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `model` | no | `application/x-sagemaker-model` |
//!
//! Instances: one or more, with GPUs. Default metrics: `train:smooth_l1`, `train:cross_entropy`, `validation:mAP`,
//! `train:progress`, `train:throughput`.
//!
//! ```
//! use sagemaker::algorithms::object_detection::{BaseNetwork, ObjectDetection};
//! use sagemaker::estimator::{Estimator, PlanContext};
//! use sagemaker::training::{Channels, TrainingInput};
//! use sagemaker::types::Compute;
//!
//! let estimator = ObjectDetection::builder(3, 5000)
//!     .base_network(BaseNetwork::ResNet50)
//!     .image_shape(512)
//!     .compute(Compute::instances("ml.p3.2xlarge", 1))
//!     .build()?;
//! let context = PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH); // .fit(&session, ..) starts a job
//! let plan = estimator.plan(&context, &Channels::from([
//!     ("train", TrainingInput::new("s3://my-bucket/train/").content_type("application/x-recordio")),
//!     ("validation", TrainingInput::new("s3://my-bucket/validation/").content_type("application/x-recordio")),
//! ]))?;
//! let told = plan.request().get_hyper_parameters().clone().unwrap_or_default();
//! assert_eq!((told["base_network"].as_str(), told["image_shape"].as_str()), ("resnet-50", "512"));
//! # Ok::<(), sagemaker::Error>(())
//! ```

use serde::Deserialize;

use super::accepts::Accepts::{Commas, Integer, OneOf, Text};
use super::accepts::{ABOVE_ZERO_TO_ONE, BIT, BOOL, FRACTION, MAX, POSITIVE, SHARE};
use super::answers::{ANNOTATIONS, IMAGES, MODEL};
use super::builtin::{AlgorithmChannel, AlgorithmInstances, PROGRESS, Processor, Spec, THROUGHPUT, builtin, quality};
use super::names::choices;
pub use super::pictures::KvStore;
use super::pictures::check_kv_store;
use super::wire::{bit, list};

static SPEC: Spec = Spec {
    image: "object-detection",
    class: "ObjectDetection",
    channels: &[
        AlgorithmChannel::required("train", IMAGES),
        AlgorithmChannel::required("validation", IMAGES),
        AlgorithmChannel::optional("train_annotation", ANNOTATIONS),
        AlgorithmChannel::optional("validation_annotation", ANNOTATIONS),
        AlgorithmChannel::optional("model", MODEL),
    ],
    instances: AlgorithmInstances { processor: Processor::Gpu, is_single: false },
    metrics: &[
        quality!("train:smooth_l1", batch "train smooth_l1 <loss>"),
        quality!("train:cross_entropy", batch "train cross_entropy <loss>"),
        ("validation:mAP", r"#quality_metric: host=\S+, epoch=\S+, validation mAP <score>=\((\S+)\)"),
        PROGRESS,
        THROUGHPUT,
    ],
    check: check_kv_store,
    ..Spec::DEFAULT
};

choices! {
    /// The network that looks at the picture first.
    BaseNetwork {
        Vgg16 = "vgg-16",
        ResNet50 = "resnet-50",
    }
}

choices! {
    /// How weights are changed.
    Optimizer {
        Sgd = "sgd",
        Adam = "adam",
        RmsProp = "rmsprop",
        AdaDelta = "adadelta",
    }
}

builtin! {
    /// An estimator of the built-in Object Detection.
    ///
    /// Channels: `train` and `validation`; RecordIO, or pictures (`application/x-image`) with `train_annotation` and
    /// `validation_annotation`, or an augmented manifest in Pipe mode. Instances: GPUs. An endpoint takes a picture
    /// (`Raw::body`) and answers [`Detections`].
    ObjectDetection, ObjectDetectionBuilder, SPEC;

    /// Begins with what every training needs: the number of classes and of the pictures to train on; at least 1 each.
    needs {
        num_classes(u32) in POSITIVE;
        num_training_samples(u32) in POSITIVE;
    }
    takes {
        /// The network that looks at the picture first. Default [`BaseNetwork::Vgg16`].
        base_network(network: BaseNetwork) in OneOf(BaseNetwork::NAMES);

        /// Whether training ends when `validation` does not improve. Default false.
        early_stopping(stop: bool) in BOOL;

        /// For `early_stopping`, the fewest passes: at least 1. Default 10.
        early_stopping_min_epochs(passes: u32) in POSITIVE;

        /// For `early_stopping`, the passes without improvement: at least 1. Default 5.
        early_stopping_patience(passes: u32) in POSITIVE;

        /// For `early_stopping`, which relative change counts as improvement: 0 to 1. Default 0.
        early_stopping_tolerance(change: f64) in SHARE;

        /// Height and width to which pictures are resized: from 300. Default 300.
        image_shape(pixels: u32) in Integer(300, MAX);

        /// Passes over the data: at least 1. Default 30.
        epochs(passes: u32) in POSITIVE;

        /// Which layers stay as they are, as a regular expression. Default: none do.
        freeze_layer_pattern(pattern: &str) in Text;

        /// How instances keep in step. Needed for more than one. Default: none.
        kv_store(store: KvStore) in OneOf(KvStore::ACCEPTED);

        /// How long the longest annotation of a picture is: at least 1. Default 350.
        label_width(numbers: u32) in POSITIVE;

        /// The step of the optimizer: above 0, at most 1. Default 0.001.
        learning_rate(rate: f64) in ABOVE_ZERO_TO_ONE;

        /// To which share of itself the learning rate falls: above 0, below 1. Default 0.1.
        lr_scheduler_factor(share: f64) in FRACTION;

        /// The passes after which the learning rate falls: at least 1 each. Default: it does not.
        lr_scheduler_step(passes: impl IntoIterator<Item = u32>) in Commas(&POSITIVE) => list(passes);

        /// Pictures in a batch, over all GPUs of an instance: at least 1. Default 32.
        mini_batch_size(pictures: u32) in POSITIVE;

        /// For [`Optimizer::Sgd`]: above 0, at most 1. Default 0.9.
        momentum(momentum: f64) in ABOVE_ZERO_TO_ONE;

        /// How much two boxes of a class may overlap until one of them goes: above 0, at most 1. Default 0.45.
        nms_threshold(share: f64) in ABOVE_ZERO_TO_ONE;

        /// How weights are changed. Default [`Optimizer::Sgd`].
        optimizer(optimizer: Optimizer) in OneOf(Optimizer::NAMES);

        /// How much a box must overlap the right one, when it is measured: above 0, at most 1. Default 0.5.
        overlap_threshold(share: f64) in ABOVE_ZERO_TO_ONE;

        /// Whether training begins with weights that know ImageNet. Default true.
        use_pretrained_model(pretrained: bool) in BIT => bit(pretrained);

        /// L2 regularization, for [`Optimizer::Sgd`] and [`Optimizer::RmsProp`]: above 0, below 1. Default 0.0005.
        weight_decay(weight: f64) in FRACTION;
    }
}

/// The answer of an Object Detection endpoint: `Json::of::<Detections>()`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Detections {
    /// The objects, the most certain first.
    pub prediction: Vec<Detection>,
}

/// An object in a picture. Places are shares of its width and height.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "[f64; 6]")]
#[non_exhaustive]
pub struct Detection {
    /// The number of the class, from 0.
    pub class: f64,
    /// How certain it is: 0 to 1.
    pub confidence: f64,
    /// The left side.
    pub left: f64,
    /// The upper side.
    pub top: f64,
    /// The right side.
    pub right: f64,
    /// The lower side.
    pub bottom: f64,
}

impl From<[f64; 6]> for Detection {
    fn from([class, confidence, left, top, right, bottom]: [f64; 6]) -> Self {
        Self { class, confidence, left, top, right, bottom }
    }
}
