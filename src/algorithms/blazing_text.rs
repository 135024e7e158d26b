//! The built-in BlazingText: vectors of words (Word2vec), and classes of texts.
//!
//! | channel | needed | content types |
//! |---|---|---|
//! | `train` | yes | `text/plain`, `application/jsonlines` |
//! | `validation` | no | `text/plain`, `application/jsonlines` |
//! | `model` | no | `application/x-sagemaker-model` |
//!
//! Instances: one, with CPUs or a GPU; several with CPUs in the mode `batch_skipgram`. Default metrics:
//! `train:mean_rho`, `train:accuracy`, `validation:accuracy`.
//!
//! ```
//! use sagemaker::algorithms::blazing_text::{BlazingText, Mode};
//! use sagemaker::estimator::{Estimator, PlanContext};
//! use sagemaker::training::{Channels, TrainingInput};
//! use sagemaker::types::Compute;
//!
//! let estimator = BlazingText::builder(Mode::Supervised)
//!     .epochs(10)
//!     .word_ngrams(2)
//!     .compute(Compute::instances("ml.c5.2xlarge", 1))
//!     .build()?;
//! let context = PlanContext::new("us-west-2", std::time::SystemTime::UNIX_EPOCH); // .fit(&session, ..) starts a job
//! let train = TrainingInput::new("s3://my-bucket/texts/").content_type("text/plain");
//! let plan = estimator.plan(&context, &Channels::from([("train", train)]))?;
//! let told = plan.request().get_hyper_parameters().clone().unwrap_or_default();
//! assert_eq!((told["mode"].as_str(), told["word_ngrams"].as_str()), ("supervised", "2"));
//! # Ok::<(), sagemaker::Error>(())
//! ```

use serde::Deserialize;

use super::accepts::Accepts::{Integer, OneOf};
use super::accepts::{ABOVE_ZERO, BOOL, MAX, POSITIVE};
use super::answers::{MODEL, SENTENCES};
use super::builtin::{AlgorithmChannel, Checker, Spec, builtin};
use super::names::choices;

static SPEC: Spec = Spec {
    image: "blazingtext",
    class: "BlazingText",
    channels: &[
        AlgorithmChannel::required("train", SENTENCES),
        AlgorithmChannel::optional("validation", SENTENCES),
        AlgorithmChannel::optional("model", MODEL),
    ],
    metrics: &[
        ("train:mean_rho", r"#mean_rho: (\S+)"),
        ("train:accuracy", r"#train_accuracy: (\S+)"),
        ("validation:accuracy", r"#validation_accuracy: (\S+)"),
    ],
    check,
    ..Spec::DEFAULT
};

choices! {
    /// What is learnt.
    Mode {
        /// vectors of words, from each word to those around it, on several instances or a single one
        BatchSkipgram = "batch_skipgram",
        /// vectors of words, from each word to those around it
        Skipgram = "skipgram",
        /// vectors of words, from those around a word to it
        Cbow = "cbow",
        /// classes of texts: each line begins with `__label__` and the class
        Supervised = "supervised",
    }
}

builtin! {
    /// An estimator of the built-in BlazingText.
    ///
    /// Channels: `train`, a sentence each line, and `validation` for [`Mode::Supervised`]. Instances: one, with CPUs or a
    /// GPU; several with CPUs for [`Mode::BatchSkipgram`], which takes no GPU. An endpoint takes JSON and answers
    /// [`TextClasses`] or [`WordVector`]s.
    BlazingText, BlazingTextBuilder, SPEC;

    /// Begins with what every training needs: what is learnt.
    needs {
        mode(Mode) in OneOf(Mode::NAMES);
    }
    takes {
        /// For [`Mode::BatchSkipgram`], words in a batch: at least 1; 10 to 20 is good. Default 11.
        batch_size(words: u32) in POSITIVE;

        /// Hash buckets for parts of words, or groups of words: at least 1. Default 2000000.
        buckets(buckets: u32) in POSITIVE;

        /// Passes over the data: at least 1. Default 5.
        epochs(passes: u32) in POSITIVE;

        /// For vectors of words, whether they are tried on WordSimilarity-353. Default true.
        evaluation(evaluate: bool) in BOOL;

        /// The step of the optimizer: above 0. Default 0.05.
        learning_rate(rate: f64) in ABOVE_ZERO;

        /// The shortest part of a word, for `subwords`: at least 1. Default 3.
        min_char(characters: u32) in POSITIVE;

        /// The longest part of a word, for `subwords`: at least 1. Default 6.
        max_char(characters: u32) in POSITIVE;

        /// Words that occur less often are left out: from 0. Default 5.
        min_count(times: u32) in Integer(0, MAX);

        /// For vectors of words, counterexamples that a batch shares: at least 1. Default 5.
        negative_samples(words: u32) in POSITIVE;

        /// For vectors of words, from which frequency on words are skipped at random: above 0. Default 0.0001.
        sampling_threshold(frequency: f64) in ABOVE_ZERO;

        /// For vectors of words, whether parts of words have vectors too. Default false.
        subwords(subwords: bool) in BOOL;

        /// The length of the vectors: at least 1. Default 100.
        vector_dim(numbers: u32) in POSITIVE;

        /// For vectors of words, how many words around a word count: at least 1. Default 5.
        window_size(words: u32) in POSITIVE;

        /// For [`Mode::Supervised`], whether training ends when `validation` does not improve. Default false.
        early_stopping(stop: bool) in BOOL;

        /// For `early_stopping`, the fewest passes: at least 1. Default 5.
        min_epochs(passes: u32) in POSITIVE;

        /// For `early_stopping`, the passes without improvement: at least 1. Default 4.
        patience(passes: u32) in POSITIVE;

        /// For [`Mode::Supervised`], the longest group of words that counts: at least 1. Default 2.
        word_ngrams(words: u32) in POSITIVE;
    }
}

fn check(values: &mut Checker<'_>) {
    values.only_with(&["early_stopping", "min_epochs", "patience", "word_ngrams"], "mode", &["supervised"]);
    let vectors =
        ["evaluation", "negative_samples", "sampling_threshold", "subwords", "window_size", "min_char", "max_char"];
    values.only_with(&vectors, "mode", &["batch_skipgram", "skipgram", "cbow"]);
    values.only_with(&["batch_size"], "mode", &["batch_skipgram"]);
    if values.get("mode") == Some("batch_skipgram") {
        if values.has_gpu() {
            values.refuse_instances("the mode batch_skipgram trains on CPUs only, such as ml.c5.xlarge");
        }
    } else if values.instance_count() > 1 {
        let text =
            format!("only the mode batch_skipgram trains on several instances; these are {}", values.instance_count());
        values.refuse_instances(text);
    }
}

/// An answer of an endpoint of [`Mode::Supervised`], for each text: `Json::of::<Vec<TextClasses>>()`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct TextClasses {
    /// The classes, with `__label__` in front, the most probable first.
    pub label: Vec<String>,
    /// Their probabilities.
    pub prob: Vec<f64>,
}

/// An answer of an endpoint of the other modes, for each word: `Json::of::<Vec<WordVector>>()`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct WordVector {
    /// The word.
    pub word: String,
    /// Its vector; zeros for an unknown word.
    pub vector: Vec<f64>,
}
