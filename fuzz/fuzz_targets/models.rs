//! Any bytes as the file of a model, for each engine; a model that loads is asked.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use sagemaker::local::engines::{Engine, Invocation, ModelFiles};
use sagemaker::local::engines::{
    factorization_machines::FactorizationMachinesEngine, kmeans::KMeansEngine, knn::KnnEngine,
    linear_learner::LinearLearnerEngine, pca::PcaEngine, random_cut_forest::RandomCutForestEngine,
    xgboost::XGBoostEngine,
};
use sagemaker_fuzz::silent;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let (engine, image): (&dyn Engine, &str) = match which % 8 {
        0 => (&FactorizationMachinesEngine::new(), "factorization-machines:1"),
        1 => (&KMeansEngine::new(), "kmeans:1"),
        2 => (&KnnEngine::new(), "knn:1"),
        3 => (&LinearLearnerEngine::new(), "linear-learner:1"),
        4 => (&PcaEngine::new(), "pca:1"),
        5 => (&RandomCutForestEngine::new(), "randomcutforest:1"),
        6 => (&XGBoostEngine::new(), "sagemaker-xgboost:1.7-1"),
        _ => (&XGBoostEngine::new(), "sagemaker-xgboost:1.0-1-cpu-py3"),
    };
    let name = if which % 8 < 6 { "model_algo-1" } else { "xgboost-model" };
    let files = ModelFiles {
        image: image.to_owned(),
        files: vec![(name.to_owned(), Bytes::copy_from_slice(bytes))],
        log: silent(),
        ..ModelFiles::default()
    };
    let Ok(model) = engine.load(&files) else { return };
    for (content_type, body) in [
        ("text/csv", "1,2"),
        ("text/csv", "1"),
        ("application/json", r#"{"instances":[{"features":[1.5,2,3]}]}"#),
        ("text/libsvm", "0:1 2:3"),
    ] {
        let (content_type, accept) = (content_type.to_owned(), "application/json".to_owned());
        let _ = model.invoke(&Invocation { content_type, accept, body: Bytes::from(body) });
    }
});
