//! Any bytes as the training data of each engine, and as a request to the model that comes of it.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use sagemaker::local::engines::{
    Channel, Engine, Invocation, ModelFiles, TrainingTask, factorization_machines::FactorizationMachinesEngine,
    kmeans::KMeansEngine, knn::KnnEngine, linear_learner::LinearLearnerEngine, pca::PcaEngine,
    random_cut_forest::RandomCutForestEngine, xgboost::XGBoostEngine,
};

type Settings = &'static [(&'static str, &'static str)];

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let (engine, image, settings): (&dyn Engine, &str, Settings) = match which % 7 {
        0 => (
            &FactorizationMachinesEngine::new(),
            "factorization-machines:1",
            &[("feature_dim", "2"), ("num_factors", "2"), ("predictor_type", "regressor"), ("epochs", "1")],
        ),
        1 => (&KMeansEngine::new(), "kmeans:1", &[("feature_dim", "2"), ("k", "2"), ("epochs", "1")]),
        2 => (
            &KnnEngine::new(),
            "knn:1",
            &[("feature_dim", "2"), ("k", "1"), ("sample_size", "4"), ("predictor_type", "regressor")],
        ),
        3 => (
            &LinearLearnerEngine::new(),
            "linear-learner:1",
            &[("predictor_type", "regressor"), ("epochs", "1"), ("num_models", "1"), ("mini_batch_size", "1")],
        ),
        4 => (&PcaEngine::new(), "pca:1", &[("feature_dim", "2"), ("num_components", "1"), ("mini_batch_size", "2")]),
        5 => (
            &RandomCutForestEngine::new(),
            "randomcutforest:1",
            &[("feature_dim", "2"), ("num_trees", "50"), ("num_samples_per_tree", "1")],
        ),
        _ => (&XGBoostEngine::new(), "sagemaker-xgboost:1.7-1", &[("num_round", "1"), ("nthread", "1")]),
    };
    let content_type = match (which / 7) % 4 {
        0 => "text/csv;label_size=1",
        1 => "text/csv;label_size=0",
        2 => "text/libsvm",
        _ => "application/x-recordio-protobuf",
    };
    // The time of a round and its memory are per column, and that is an index in the file: up to 2^24 of them are taken,
    // which is seconds. What is looked for are other ways to take long.
    if which % 7 == 6 && bytes.split(|byte| !byte.is_ascii_digit()).any(|number| number.len() > 5) {
        return;
    }
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let body = Bytes::copy_from_slice(bytes);
    let channel = Channel {
        name: "train".to_owned(),
        content_type: Some(content_type.to_owned()),
        files: vec![("data".to_owned(), body.clone())],
        ..Channel::default()
    };
    let task = TrainingTask {
        image: image.to_owned(),
        hyperparameters: settings.iter().map(pair).collect(),
        channels: vec![channel],
        ..TrainingTask::default()
    };
    let Ok(output) = engine.train(&task) else { return };
    let files = ModelFiles { image: image.to_owned(), files: output.model, ..ModelFiles::default() };
    let Ok(model) = engine.load(&files) else { return };
    let content_type = content_type.split(';').next().unwrap_or_default().to_owned();
    let _ = model.invoke(&Invocation { content_type, accept: "*/*".to_owned(), body });
});
