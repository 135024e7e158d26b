//! Waits have a deadline and an outcome; handles can be made anywhere.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::job::{JobDescription, JobStatus, Outcome};
use sagemaker::local::engines::{Engine, EngineFailure, LoadedModel, ModelFiles, TrainingOutput, TrainingTask};
use sagemaker::local::{LocalBackend, LocalClock};
use sagemaker::training::{TrainingInput, TrainingJob};
use sagemaker::{ErrorKind, Result, Session};

use crate::fixture::{one, plane, put, xgboost};

#[tokio::test]
async fn a_missed_deadline_is_told_and_the_job_goes_on() -> Result<()> {
    // Time stands still until the test moves it: the job stays where it is.
    let clock = LocalClock::manual();
    let backend = LocalBackend::builder().clock(clock.clone()).build();
    let session = Session::with_backend(&backend);
    let data = put(&session, "p/train.csv", plane()).await?;
    let estimator = xgboost().build()?;
    let job = estimator.fit(&session, [("train", TrainingInput::csv(data))]).await?;

    let wait = tokio::spawn(job.wait().timeout(Duration::from_secs(1)).into_future());
    while !wait.is_finished() {
        clock.advance(Duration::from_millis(200));
        tokio::task::yield_now().await;
    }
    let error = wait.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(error.to_string().contains("was still InProgress after 1 s"), "{error}");
    assert_eq!(job.describe().await?.status(), JobStatus::InProgress);
    Ok(())
}

#[derive(Debug)]
struct UntilStopped;

impl Engine for UntilStopped {
    fn runs(&self, image: &str) -> bool {
        image.contains("until-stopped")
    }

    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        job.log("working");
        while !job.is_stopping() {
            std::thread::yield_now();
        }
        job.log("saving");
        Ok(TrainingOutput { model: vec![("weights".into(), "so far".into())], ..TrainingOutput::default() })
    }

    fn load(&self, _model: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        Err(EngineFailure::algorithm("this image does not serve"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_job_is_an_outcome_of_its_own_and_keeps_its_model() -> Result<()> {
    let backend = LocalBackend::builder().engine(UntilStopped).build();
    let session = Session::with_backend(&backend);
    let data = put(&session, "p/train.csv", plane()).await?;
    let estimator = ContainerEstimator::builder("1.dkr.ecr.us-east-1.amazonaws.com/until-stopped:1");
    let job = estimator.compute(one()).build()?.fit(&session, TrainingInput::csv(data)).await?;
    let mut logs = job.logs();
    assert_eq!(logs.try_next().await?.unwrap().message, "working");
    job.stop().await?;
    let Outcome::Stopped(stopped) = job.wait().outcome().await? else { panic!("not stopped") };
    assert_eq!(stopped.failure().status, "Stopped");
    let stopped = stopped.accept();
    assert!(session.read(&stopped.model_artifacts()?).await.is_ok(), "what was saved in time is kept");
    assert_eq!(job.wait().await.unwrap_err().kind(), ErrorKind::JobStopped);
    assert_eq!(job.stop().await.unwrap_err().kind(), ErrorKind::Conflict, "it has ended");
    Ok(())
}

#[tokio::test]
async fn handles_and_waits_can_go_to_other_tasks() -> Result<()> {
    fn is_send<T: Send + 'static>(value: T) -> T {
        value
    }
    let session = Session::local();
    let data = put(&session, "p/train.csv", plane()).await?;
    let estimator = xgboost().build()?;
    let job = is_send(estimator.fit(&session, [("train", TrainingInput::csv(data))]).await?);
    let name = job.name().to_owned();
    let other = tokio::spawn(is_send({
        let session = session.clone();
        async move { TrainingJob::attach(&session, &name).await?.wait().await }
    }));
    let (here, there) = (job.wait().await?, other.await.unwrap()?);
    assert_eq!(here.name(), there.name());
    drop(is_send(job.events()));
    drop(is_send(job.logs()));
    drop(is_send(job.wait().into_future()));
    Ok(())
}
