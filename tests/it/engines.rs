//! A test brings its own engine for its own image.

use std::sync::Arc;

use sagemaker::codec::Json;
use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::local::LocalBackend;
use sagemaker::local::engines::{
    Engine, EngineFailure, Invocation, InvocationFailure, LoadedModel, ModelFiles, Reply, TrainingOutput, TrainingTask,
};
use sagemaker::training::TrainingInput;
use sagemaker::{ErrorKind, Result, Session};
use serde::{Deserialize, Serialize};

use crate::fixture::{one, put};

const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/counter:1";

/// Counts the bytes of its channel; serves the count times what it is asked.
#[derive(Debug)]
struct Counter;

#[derive(Serialize, Deserialize)]
struct Factor {
    factor: u64,
}

#[derive(Debug)]
struct Counted(u64);

impl Engine for Counter {
    fn runs(&self, image: &str) -> bool {
        image == IMAGE
    }

    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        let channel = job.channel("training").ok_or_else(|| EngineFailure::algorithm("no channel"))?;
        let bytes: usize = channel.files.iter().map(|(_, content)| content.len()).sum();
        job.log(format!("bytes={bytes};"));
        Ok(TrainingOutput { model: vec![("count".into(), bytes.to_string().into())], ..TrainingOutput::default() })
    }

    fn load(&self, model: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        let text = model.file("count").map(|content| String::from_utf8_lossy(content).into_owned());
        match text.and_then(|text| text.parse().ok()) {
            Some(count) => Ok(Arc::new(Counted(count))),
            None => Err(EngineFailure::algorithm("no count in the model")),
        }
    }
}

impl LoadedModel for Counted {
    fn invoke(&self, request: &Invocation) -> Result<Reply, InvocationFailure> {
        let asked: Factor = serde_json::from_slice(&request.body)
            .map_err(|error| InvocationFailure { status: 422, message: error.to_string() })?;
        let body = serde_json::to_vec(&Factor { factor: asked.factor * self.0 }).unwrap();
        Ok(Reply { content_type: "application/json".into(), body: body.into() })
    }
}

#[tokio::test]
async fn an_image_of_ones_own_trains_reports_and_serves() -> Result<()> {
    let backend = LocalBackend::builder().engine(Counter).build();
    let session = Session::with_backend(&backend);
    let data = put(&session, "own/data", "12345").await?;
    let estimator = ContainerEstimator::builder(IMAGE).metric_definition("bytes", "bytes=([0-9]+);").compute(one());
    let estimator = estimator.build()?;
    let done = estimator.fit(&session, TrainingInput::new(data)).await?.wait().await?;
    assert_eq!(done.metrics().iter().map(|m| (m.name.as_str(), m.value)).collect::<Vec<_>>(), [("bytes", 5.0)]);

    let model = estimator.model(&session, &done).await?;
    let endpoint = model.deploy(one()).await?;
    let predictor = endpoint.predictor(Json::value(), Json::of::<Factor>());
    assert_eq!(predictor.predict(&Factor { factor: 3 }).await?.factor, 15);

    let wrong = endpoint.predictor(Json::value(), Json::of::<Factor>());
    let error = wrong.predict(&["no factor"]).await.map(|factor| factor.factor).unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Model, Some(422)), "the container's own status");
    endpoint.delete().with_models().await?;
    Ok(())
}
