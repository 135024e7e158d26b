//! A request takes effect and its answer is lost: what was created is found and not paid for unseen.

use std::time::Duration;

use sagemaker::endpoint::Endpoint;
use sagemaker::estimator::EstimatorExt;
use sagemaker::local::LocalBackend;
use sagemaker::model::Model;
use sagemaker::training::{TrainingInput, TrainingJob};
use sagemaker::transform::TransformInput;
use sagemaker::types::Compute;
use sagemaker::{ErrorKind, Result, Session};

use crate::faults::{ALWAYS, Fault, Faults, ONE_CALL};
use crate::fixture::{model, one, plane, put, trained, xgboost};

/// The retry of the AWS client finds the name in use; no answer comes at all; every answer is a 500.
const LOSSES: [(usize, Fault); 3] =
    [(1, Fault::AnswerLost), (ALWAYS, Fault::AnswerLost), (ALWAYS, Fault::AnswerSpoilt)];

async fn jobs(session: &Session) -> usize {
    session.aws().sagemaker().list_training_jobs().send().await.unwrap().training_job_summaries().len()
}

async fn transform_jobs(session: &Session) -> usize {
    session.aws().sagemaker().list_transform_jobs().send().await.unwrap().transform_job_summaries().len()
}

async fn models(session: &Session) -> usize {
    session.aws().sagemaker().list_models().send().await.unwrap().models().len()
}

async fn endpoints(session: &Session) -> usize {
    session.aws().sagemaker().list_endpoints().send().await.unwrap().endpoints().len()
}

async fn configs(session: &Session) -> usize {
    session.aws().sagemaker().list_endpoint_configs().send().await.unwrap().endpoint_configs().len()
}

fn sent(backend: &LocalBackend, operation: &str) -> usize {
    backend.requests().iter().filter(|request| request.operation == operation).count()
}

#[tokio::test]
async fn a_training_job_whose_answer_is_lost_is_the_job() -> Result<()> {
    for (times, fault) in LOSSES {
        for name in [None, Some("named")] {
            let backend = LocalBackend::new();
            let (session, faults) = Faults::session(&backend).await;
            let data = put(&session, "p/train.csv", plane()).await?;
            let estimator = xgboost().build()?;
            let mut fit = estimator.fit(&session, [("train", TrainingInput::csv(data))]);
            if let Some(name) = name {
                fit = fit.job_name(name);
            }
            faults.next("CreateTrainingJob", times, fault);
            let job = fit.await?;
            assert_eq!(sent(&backend, "CreateTrainingJob"), times.clamp(2, 3), "{fault:?}");
            assert_eq!(jobs(&session).await, 1);
            job.wait().await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_transform_job_whose_answer_is_lost_is_the_job() -> Result<()> {
    for (times, fault) in LOSSES {
        let (session, faults) = Faults::session(&LocalBackend::new()).await;
        let model = model(&session).await?;
        let data = put(&session, "batch/in.csv", "1,2\n").await?;
        let transformer = model.transformer(one()).build()?;
        faults.next("CreateTransformJob", times, fault);
        let job = transformer.transform(TransformInput::csv(data)).await?;
        assert_eq!(transform_jobs(&session).await, 1);
        job.wait().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_model_whose_answer_is_lost_is_the_model() -> Result<()> {
    for (times, fault) in LOSSES {
        let (session, faults) = Faults::session(&LocalBackend::new()).await;
        let (xgboost, done) = trained(&session).await?;
        faults.next("CreateModel", times, fault);
        let model = xgboost.model(&session, &done).name("mine").await?;
        assert_eq!((model.name(), models(&session).await), ("mine", 1));
    }
    Ok(())
}

#[tokio::test]
async fn an_endpoint_and_its_configuration_are_found_again() -> Result<()> {
    for operation in ["CreateEndpointConfig", "CreateEndpoint"] {
        for (times, fault) in LOSSES {
            let (session, faults) = Faults::session(&LocalBackend::new()).await;
            let model = model(&session).await?;
            faults.next(operation, times, fault);
            let endpoint = model.deploy(one()).await?;
            assert_eq!((endpoints(&session).await, configs(&session).await), (1, 1), "{operation} {fault:?}");
            endpoint.delete().await?;
            assert_eq!((endpoints(&session).await, configs(&session).await), (0, 0));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_name_in_use_is_no_lost_answer() -> Result<()> {
    let (session, _faults) = Faults::session(&LocalBackend::new()).await;
    let (xgboost, done) = trained(&session).await?;
    // The same settings a moment later, and nothing was lost: it is another call's model.
    xgboost.model(&session, &done).name("taken").await?;
    let error = xgboost.model(&session, &done).name("taken").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.code().is_some() && error.to_string().contains("Model::attach"), "{error}");
    let data = session.default_uri("plane/train.csv").await?;
    let again = xgboost.fit(&session, [("train", TrainingInput::csv(data))]).job_name(done.name()).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    Ok(())
}

#[tokio::test]
async fn a_resend_that_finds_someone_elses_name_does_not_take_it() -> Result<()> {
    let backend = LocalBackend::new();
    let (session, faults) = Faults::session(&backend).await;
    let data = put(&session, "p/train.csv", plane()).await?;
    let inputs = || [("train", TrainingInput::csv(&data))];
    let estimator = xgboost().build()?;
    estimator.fit(&session, inputs()).job_name("taken").await?;

    // Just created, but with other hyperparameters, or on other data.
    let other = xgboost().max_depth(3).build()?;
    faults.next("CreateTrainingJob", 1, Fault::Unsent);
    let error = other.fit(&session, inputs()).job_name("taken").await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::AlreadyExists, Some("CreateTrainingJob")));
    let other = put(&session, "q/train.csv", plane()).await?;
    faults.next("CreateTrainingJob", 1, Fault::Unsent);
    let again = estimator.fit(&session, [("train", TrainingInput::csv(&other))]).job_name("taken").await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);

    // The same, but from before the call.
    backend.clock().sleep(Duration::from_secs(61)).await;
    faults.next("CreateTrainingJob", 1, Fault::Unsent);
    let error = estimator.fit(&session, inputs()).job_name("taken").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert_eq!(jobs(&session).await, 1);
    Ok(())
}

#[tokio::test]
async fn what_never_arrived_is_the_error_that_it_was() -> Result<()> {
    let (session, faults) = Faults::session(&LocalBackend::new()).await;
    let data = put(&session, "p/train.csv", plane()).await?;
    let estimator = xgboost().build()?;
    faults.next("CreateTrainingJob", ALWAYS, Fault::Unsent);
    let error = estimator.fit(&session, [("train", TrainingInput::csv(&data))]).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Transport, Some("CreateTrainingJob")), "{error}");
    assert!(!error.to_string().contains("not known"), "{error}");

    // Unless nobody can tell: then the name is all that there is to find it by.
    faults.next("DescribeTrainingJob", ALWAYS, Fault::Unsent);
    let fit = estimator.fit(&session, [("train", TrainingInput::csv(&data))]).job_name("perhaps");
    let error = fit.await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Transport, Some("CreateTrainingJob")), "{error}");
    assert!(error.to_string().contains("training job perhaps") && error.to_string().contains("not known"), "{error}");
    faults.heal();
    assert_eq!(TrainingJob::attach(&session, "perhaps").await.unwrap_err().kind(), ErrorKind::NotFound);
    Ok(())
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_does_not_hide_the_job() -> Result<()> {
    let (session, faults) = Faults::session(&LocalBackend::new()).await;
    let data = put(&session, "p/train.csv", plane()).await?;
    faults.next("CreateTrainingJob", 1, Fault::AnswerLost);
    faults.next("CreateTrainingJob", 2, Fault::Refused("ThrottlingException"));
    let estimator = xgboost().build()?;
    estimator.fit(&session, [("train", TrainingInput::csv(data))]).await?.wait().await?;
    Ok(())
}

#[tokio::test]
async fn a_configuration_is_taken_back_only_if_no_endpoint_uses_it() -> Result<()> {
    let (session, faults) = Faults::session(&LocalBackend::new()).await;
    let model = model(&session).await?;

    // Refused: nothing uses it.
    faults.next("CreateEndpoint", 1, Fault::Refused("ResourceLimitExceeded"));
    let error = model.deploy(one()).await.unwrap_err();
    assert_eq!((error.kind(), configs(&session).await), (ErrorKind::LimitExceeded, 0));

    // Created unheard, and asking fails: it may be used.
    faults.next("CreateEndpoint", ALWAYS, Fault::AnswerLost);
    faults.next("DescribeEndpoint", ALWAYS, Fault::Unsent);
    let error = model.deploy(one()).endpoint_name("unheard").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("endpoint unheard"), "{error}");
    faults.heal();
    assert_eq!((endpoints(&session).await, configs(&session).await), (1, 1));
    Endpoint::attach(&session, "unheard").await?.delete().await?;

    // The endpoint of this name lives, and its configuration had been deleted: it uses what was created for it anew.
    let alive = model.deploy(one()).await?;
    let sagemaker = session.aws().sagemaker();
    sagemaker.delete_endpoint_config().endpoint_config_name(alive.name()).send().await.unwrap();
    let error = model.deploy(one()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    assert!(error.to_string().contains("there is an endpoint "), "{error}");
    assert_eq!((endpoints(&session).await, configs(&session).await), (1, 1));
    alive.delete().await?;
    Ok(())
}

#[tokio::test]
async fn a_configuration_for_other_instances_is_not_taken() -> Result<()> {
    let (session, faults) = Faults::session(&LocalBackend::new()).await;
    let model: Model = model(&session).await?;
    let first = model.deploy(one()).endpoint_name("one").await?;
    faults.next("CreateEndpointConfig", 1, Fault::Unsent);
    let large = Compute::instances("ml.m5.24xlarge", 1);
    let error = model.deploy(large).endpoint_name("one").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(first.describe().await.is_ok());
    assert_eq!(configs(&session).await, 1);
    Ok(())
}

#[test]
fn the_aws_client_makes_as_many_attempts_as_these_tests_count_on() {
    let attempts = sagemaker::aws::config::retry::RetryConfig::standard().max_attempts();
    assert_eq!(attempts as usize, ONE_CALL);
}
