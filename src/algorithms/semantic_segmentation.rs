//! The built-in Semantic Segmentation: a class for each pixel of a picture (MXNet Gluon).
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `validation` | yes | `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `train_annotation` | no | `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `validation_annotation` | no | `application/x-image`, `application/x-recordio`, `image/jpeg`, `image/png` |
//! | `label_map` | no | `application/json` |
//! | `model` | no | `application/x-sagemaker-model` |
//!
//! Instances: one, with GPUs. Default metrics: `train:loss`, `validation:mIOU`, `validation:pixel_accuracy`.
//!
//! ```
//! use sagemaker::algorithms::semantic_segmentation::{Algorithm, SemanticSegmentation};
//! use sagemaker::estimator::{Estimator, PlanContext};
//! use sagemaker::training::{Channels, TrainingInput};
//! use sagemaker::types::Compute;
//!
//! let estimator = SemanticSegmentation::builder(21, 1464)
//!     .algorithm(Algorithm::DeepLab)
//!     .compute(Compute::instances("ml.p3.2xlarge", 1))
//!     .build()?;
//! let names = ["train", "validation", "train_annotation", "validation_annotation"];
//! let places = names.map(|name| (name, TrainingInput::new(format!("s3://my-bucket/{name}/"))));
//! let context = PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH); // .fit(&session, ..) starts a job
//! let plan = estimator.plan(&context, &Channels::from(places))?;
//! let told = plan.request().get_hyper_parameters().clone().unwrap_or_default();
//! assert_eq!((told["num_classes"].as_str(), told["algorithm"].as_str()), ("21", "deeplab"));
//! # Ok::<(), sagemaker::Error>(())
//! ```

use super::accepts::Accepts::{Integer, OneOf};
use super::accepts::{ABOVE_ZERO_TO_ONE, BOOL, FRACTION, MAX, POSITIVE, SHARE};
use super::answers::{IMAGES, JSON, MODEL};
use super::builtin::{AlgorithmChannel, AlgorithmInstances, Processor, Spec, builtin, quality};
use super::names::choices;
use crate::types::ContentType;

/// Pictures are JPEG and masks PNG; a manifest that is read in a pipe has both.
const PICTURES: &[ContentType] = IMAGES;
const MASKS: &[ContentType] = IMAGES;

static SPEC: Spec = Spec {
    image: "semantic-segmentation",
    class: "SemanticSegmentation",
    channels: &[
        AlgorithmChannel::required("train", PICTURES),
        AlgorithmChannel::required("validation", PICTURES),
        AlgorithmChannel::optional("train_annotation", MASKS),
        AlgorithmChannel::optional("validation_annotation", MASKS),
        AlgorithmChannel::optional("label_map", JSON),
        AlgorithmChannel::optional("model", MODEL),
    ],
    instances: AlgorithmInstances { processor: Processor::Gpu, is_single: true },
    metrics: &[
        quality!("train:loss", epoch "train loss <loss>"),
        quality!("validation:mIOU", epoch "validation mIOU <score>"),
        quality!("validation:pixel_accuracy", epoch "validation pixel_accuracy <score>"),
    ],
    ..Spec::DEFAULT
};

choices! {
    /// The network that looks at the picture first.
    Backbone {
        ResNet50 = "resnet-50",
        ResNet101 = "resnet-101",
    }
}

choices! {
    /// What finds the classes of pixels.
    Algorithm {
        /// fully convolutional network
        Fcn = "fcn",
        /// pyramid scene parsing
        Psp = "psp",
        /// DeepLab V3
        DeepLab = "deeplab",
    }
}

choices! {
    /// How the learning rate falls.
    LrScheduler {
        /// at certain passes
        Step = "step",
        Poly = "poly",
        Cosine = "cosine",
    }
}

choices! {
    /// How weights are changed.
    Optimizer {
        Adam = "adam",
        AdaGrad = "adagrad",
        Nag = "nag",
        RmsProp = "rmsprop",
        Sgd = "sgd",
    }
}

builtin! {
    /// An estimator of the built-in Semantic Segmentation.
    ///
    /// Channels: `train` and `validation` with JPEG pictures, `train_annotation` and `validation_annotation` with PNG
    /// pictures of the classes under the same names, or an augmented manifest in Pipe mode; `label_map` in JSON.
    /// Instances: one, with GPUs. An endpoint takes a JPEG picture (`Raw::body`) and answers a PNG picture of the classes.
    SemanticSegmentation, SemanticSegmentationBuilder, SPEC;

    /// Begins with what every training needs: the number of classes, 2 to 254, and of the pictures to train on.
    needs {
        num_classes(u32) in Integer(2, 254);
        num_training_samples(u32) in POSITIVE;
    }
    takes {
        /// The network that looks at the picture first. Default [`Backbone::ResNet50`].
        backbone(backbone: Backbone) in OneOf(Backbone::NAMES);

        /// Whether training begins with a backbone that knows ImageNet. Default true.
        use_pretrained_model(pretrained: bool) in BOOL;

        /// What finds the classes of pixels. Default [`Algorithm::Fcn`].
        algorithm(algorithm: Algorithm) in OneOf(Algorithm::NAMES);

        /// The longer side to which pictures are resized before they are cropped, times 0.5 to 2: from 17. Default 520.
        base_size(pixels: u32) in Integer(17, MAX);

        /// Height and width of the crop: from 17. Default 480.
        crop_size(pixels: u32) in Integer(17, MAX);

        /// Whether training ends when `validation` does not improve. Default false.
        early_stopping(stop: bool) in BOOL;

        /// For `early_stopping`, the fewest passes: from 0. Default 5.
        early_stopping_min_epochs(passes: u32) in Integer(0, MAX);

        /// For `early_stopping`, the passes without improvement: from 0. Default 4.
        early_stopping_patience(passes: u32) in Integer(0, MAX);

        /// For `early_stopping`, which relative change counts as improvement: 0 to 1. Default 0.
        early_stopping_tolerance(change: f64) in SHARE;

        /// Passes over the data: at least 1. Default 30.
        epochs(passes: u32) in POSITIVE;

        /// For [`Optimizer::RmsProp`], the decay of the squared gradient: 0 to 1. Default 0.9.
        gamma1(decay: f64) in SHARE;

        /// For [`Optimizer::RmsProp`], the momentum: 0 to 1. Default 0.9.
        gamma2(momentum: f64) in SHARE;

        /// The step of the optimizer: above 0, at most 1. Default 0.001.
        learning_rate(rate: f64) in ABOVE_ZERO_TO_ONE;

        /// How the learning rate falls. Default [`LrScheduler::Poly`].
        lr_scheduler(scheduler: LrScheduler) in OneOf(LrScheduler::NAMES);

        /// Pictures in a batch: at least 1. Default 16.
        mini_batch_size(pictures: u32) in POSITIVE;

        /// For [`Optimizer::Sgd`]: above 0, at most 1. Default 0.9.
        momentum(momentum: f64) in ABOVE_ZERO_TO_ONE;

        /// How weights are changed. Default [`Optimizer::Sgd`].
        optimizer(optimizer: Optimizer) in OneOf(Optimizer::NAMES);

        /// Whether batches are normalized over all GPUs together. Default false.
        syncbn(together: bool) in BOOL;

        /// Pictures in a batch of `validation`: at least 1. Default 16.
        validation_mini_batch_size(pictures: u32) in POSITIVE;

        /// L2 regularization, for [`Optimizer::Sgd`]: above 0, below 1. Default 0.0001.
        weight_decay(weight: f64) in FRACTION;
    }
}
