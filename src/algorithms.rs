//! SageMaker's built-in algorithms, with hyperparameters that are typed and checked before a job is paid for.
//!
//! | learns | algorithms |
//! |---|---|
//! | numbers and classes from tables | [`XGBoost`], [`LinearLearner`], [`Knn`], [`FactorizationMachines`] |
//! | groups, directions, outliers | [`KMeans`], [`Pca`], [`RandomCutForest`], [`IpInsights`] |
//! | topics, words, pairs | [`Lda`], [`Ntm`], [`BlazingText`], [`Object2Vec`], [`Seq2Seq`] |
//! | the future of time series | [`DeepAr`] |
//! | pictures | [`ImageClassification`], [`ObjectDetection`], [`SemanticSegmentation`] |
//!
//! Each has `channels()`, `instances()` and `default_metrics()`, and refuses values, channels and machines that its
//! container would refuse after the instances have been started. Those that read RecordIO-protobuf make a
//! [`RecordSet`](crate::training::RecordSet) from rows of numbers, and their modules have types for the answers.

mod accepts;
mod answers;
pub mod blazing_text;
mod builtin;
pub mod deepar;
pub mod factorization_machines;
pub mod image_classification;
pub mod ip_insights;
pub mod kmeans;
pub mod knn;
pub mod lda;
pub mod linear_learner;
mod names;
pub mod ntm;
pub mod object2vec;
pub mod object_detection;
pub mod pca;
mod pictures;
pub mod random_cut_forest;
mod record_upload;
pub mod semantic_segmentation;
pub mod seq2seq;
#[cfg(test)]
mod tests;
mod wire;
pub mod xgboost;

pub use answers::Predictions;
pub use blazing_text::BlazingText;
pub use builtin::{AlgorithmChannel, AlgorithmInstances, Processor};
pub use deepar::DeepAr;
pub use factorization_machines::FactorizationMachines;
pub use image_classification::ImageClassification;
pub use ip_insights::IpInsights;
pub use kmeans::KMeans;
pub use knn::Knn;
pub use lda::Lda;
pub use linear_learner::LinearLearner;
pub use ntm::Ntm;
pub use object_detection::ObjectDetection;
pub use object2vec::Object2Vec;
pub use pca::Pca;
pub use random_cut_forest::RandomCutForest;
pub use record_upload::RecordUpload;
pub use semantic_segmentation::SemanticSegmentation;
pub use seq2seq::Seq2Seq;
pub use xgboost::{DefaultMetric, XGBoost};
