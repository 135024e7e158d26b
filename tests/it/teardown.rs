//! Nothing is left behind that costs money, and each step says what became of it.

use std::future::Future;

use sagemaker::endpoint::{Deletion, DeletionReport, Endpoint};
use sagemaker::{Error, ErrorKind, Result, Session};

use crate::fixture::{endpoint, one, operations};

async fn endpoints(session: &Session) -> usize {
    session.aws().sagemaker().list_endpoints().send().await.unwrap().endpoints().len()
}

async fn configs(session: &Session) -> usize {
    session.aws().sagemaker().list_endpoint_configs().send().await.unwrap().endpoint_configs().len()
}

fn deleted(report: &DeletionReport) -> Vec<(&str, bool)> {
    report.parts.iter().map(|part| (part.resource, matches!(part.deletion, Deletion::Deleted))).collect()
}

#[tokio::test]
async fn the_endpoint_goes_first_then_its_configuration_then_the_models() -> Result<()> {
    let session = Session::local();
    let (model, endpoint) = endpoint(&session).await?;
    let report = endpoint.delete().with_models().await?;
    assert!(report.is_complete());
    assert_eq!(deleted(&report), [("endpoint", true), ("endpoint configuration", true), ("model", true)]);
    assert_eq!(report.parts[2].name, model.name());
    let order: Vec<_> = operations(&session).into_iter().filter(|operation| operation.contains(".Delete")).collect();
    assert_eq!(order, ["sagemaker.DeleteEndpoint", "sagemaker.DeleteEndpointConfig", "sagemaker.DeleteModel"]);
    assert_eq!((endpoints(&session).await, configs(&session).await), (0, 0));
    Ok(())
}

#[tokio::test]
async fn a_part_that_is_gone_already_is_no_failure() -> Result<()> {
    let session = Session::local();
    let (_, endpoint) = endpoint(&session).await?;
    let config = endpoint.name();
    session.aws().sagemaker().delete_endpoint_config().endpoint_config_name(config).send().await.unwrap();
    let report = endpoint.delete().await?;
    assert!(matches!(report.parts[1].deletion, Deletion::AlreadyGone), "{report}");
    assert_eq!(endpoints(&session).await, 0);
    Ok(())
}

#[tokio::test]
async fn scoped_deletes_whatever_happens() -> Result<()> {
    let session = Session::local();
    let (model, endpoint) = endpoint(&session).await?;
    let name = endpoint.scoped(async |endpoint: &Endpoint| Ok::<_, Error>(endpoint.name().to_owned())).await?;
    assert_eq!((name.as_str(), endpoints(&session).await), (model.name(), 0));

    let endpoint = model.deploy(one()).await?;
    let error = endpoint.scoped(async |_: &Endpoint| Err::<(), _>(Error::invalid("x", "no"))).await.unwrap_err();
    assert_eq!((error.kind(), endpoints(&session).await), (ErrorKind::InvalidInput, 0));

    let endpoint = model.deploy(one()).await?;
    let panicking = tokio::spawn(async move {
        let _: Result<()> = endpoint.scoped(async |_: &Endpoint| panic!("in the middle of the work")).await;
    });
    assert!(panicking.await.unwrap_err().is_panic(), "the panic is passed on");
    assert_eq!((endpoints(&session).await, configs(&session).await), (0, 0));
    Ok(())
}

#[tokio::test]
async fn a_dropped_guard_is_carried_out_by_drain() -> Result<()> {
    let session = Session::local();
    let (model, endpoint) = endpoint(&session).await?;
    drop(endpoint.guard());
    assert_eq!(endpoints(&session).await, 1, "there is no async drop");
    let drained = session.drain().await;
    assert_eq!((drained.deleted.len(), drained.failed.len(), endpoints(&session).await), (1, 0, 0));

    let kept = model.deploy(one()).await?.guard().keep();
    assert!(session.drain().await.deleted.is_empty());
    assert_eq!(endpoints(&session).await, 1);
    kept.guard().delete().await?;
    assert!(session.drain().await.deleted.is_empty(), "a guard that has deleted queues nothing");
    Ok(())
}

#[tokio::test]
async fn a_scope_that_is_cancelled_leaves_its_deletion_queued() -> Result<()> {
    let session = Session::local();
    let (_, endpoint) = endpoint(&session).await?;
    {
        let work = endpoint.scoped(async |_: &Endpoint| {
            std::future::pending::<()>().await;
            Ok::<_, Error>(())
        });
        let mut work = std::pin::pin!(work);
        let first = std::future::poll_fn(|context| std::task::Poll::Ready(work.as_mut().poll(context).is_pending()));
        assert!(first.await, "the work has begun and is not done");
    }
    assert_eq!(session.drain().await.deleted.len(), 1);
    assert_eq!(endpoints(&session).await, 0);
    Ok(())
}
