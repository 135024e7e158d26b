//! Nothing is left behind that costs money, and each step says what became of it.

use std::fmt::{Debug, Write};
use std::future::{Future, IntoFuture};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sagemaker::endpoint::{Deletion, DeletionReport, Endpoint, EndpointGuard};
use sagemaker::local::{LocalBackend, LocalClock};
use sagemaker::model::Model;
use sagemaker::types::ContentType;
use sagemaker::{Error, ErrorKind, Result, Session};
use tracing::field::{Field, Visit};
use tracing::{Level, Metadata, span};

use crate::faults::{ALWAYS, Fault, Faults, ONE_CALL, drive};
use crate::fixture::{endpoint, model, one, operations};

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

/// A backend whose time stands still, and a model on it.
async fn standing_still() -> Result<(LocalClock, LocalBackend, Session, Faults, Model)> {
    let clock = LocalClock::manual();
    let backend = LocalBackend::builder().clock(clock.clone()).build();
    let (session, faults) = Faults::session(&backend).await;
    let model = drive(&clock, Box::pin(model(&session))).await?;
    Ok((clock, backend, session, faults, model))
}

fn deletions(backend: &LocalBackend) -> Vec<(String, u16)> {
    let requests = backend.requests().into_iter().filter(|request| request.operation.starts_with("Delete"));
    requests.map(|request| (request.operation, request.status)).collect()
}

#[tokio::test]
async fn an_endpoint_that_comes_up_is_waited_for_and_then_deleted() -> Result<()> {
    let (clock, backend, session, _faults, model) = standing_still().await?;
    let endpoint = model.deploy(one()).no_wait().await?;
    let report = drive(&clock, endpoint.delete().with_models().into_future()).await?;
    assert_eq!(deleted(&report), [("endpoint", true), ("endpoint configuration", true), ("model", true)]);
    let ok = |operation: &str| (operation.to_owned(), 200);
    assert_eq!(deletions(&backend), [ok("DeleteEndpoint"), ok("DeleteEndpointConfig"), ok("DeleteModel")]);
    assert_eq!((endpoints(&session).await, configs(&session).await), (0, 0));
    Ok(())
}

#[tokio::test]
async fn what_a_live_endpoint_needs_is_kept() -> Result<()> {
    let (clock, backend, session, faults, model) = standing_still().await?;
    let endpoint = model.deploy(one()).no_wait().await?;

    // Without waiting it cannot be deleted while it comes up.
    let error = endpoint.delete().with_models().no_wait().await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Conflict, Some("DeleteEndpoint")), "{error}");
    let text = error.to_string();
    for part in ["endpoint configuration", "model"] {
        assert!(text.contains(&format!("{part} {} was kept", endpoint.name())), "{text}");
    }

    // Nor before a deadline that is too early.
    let error = drive(&clock, endpoint.delete().timeout(Duration::from_secs(1)).into_future()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(error.to_string().contains("still Creating"), "{error}");

    // Nor by someone who may not.
    drive(&clock, endpoint.wait_in_service().into_future()).await?;
    faults.next("DeleteEndpoint", 1, Fault::Refused("AccessDeniedException"));
    let error = endpoint.delete().with_models().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::AccessDenied, Some("AccessDeniedException")), "{error}");

    assert!(deletions(&backend).iter().all(|(operation, _)| operation == "DeleteEndpoint"), "the rest was not tried");
    assert_eq!((endpoints(&session).await, configs(&session).await), (1, 1));
    drive(&clock, endpoint.delete().into_future()).await?;
    Ok(())
}

#[tokio::test]
async fn a_deletion_on_its_way_is_joined() -> Result<()> {
    let (clock, _backend, session, _faults, model) = standing_still().await?;
    let endpoint = drive(&clock, model.deploy(one()).into_future()).await?;
    let report = endpoint.delete().no_wait().await?;
    assert!(matches!(report.parts[0].deletion, Deletion::Accepted), "{report}");
    let report = endpoint.delete().no_wait().await?;
    assert!(matches!(report.parts[0].deletion, Deletion::Accepted), "{report}");
    let report = drive(&clock, endpoint.delete().into_future()).await?;
    assert!(matches!(report.parts[0].deletion, Deletion::Deleted), "{report}");
    assert_eq!((endpoints(&session).await, configs(&session).await), (0, 0));
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_begins_to_change_in_between_is_waited_for() -> Result<()> {
    let (session, faults) = Faults::session(&LocalBackend::new()).await;
    let (_, endpoint) = endpoint(&session).await?;
    faults.next("DeleteEndpoint", 1, Fault::Refused("ConflictException"));
    assert!(endpoint.delete().await?.is_complete());

    // A refusal that stays is told, and not waited for till the deadline.
    let (_, endpoint) = crate::fixture::endpoint(&session).await?;
    faults.next("DeleteEndpoint", ALWAYS, Fault::Refused("ConflictException"));
    let before = session.now();
    let error = endpoint.delete().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Conflict, Some("ConflictException")));
    assert!(session.now().duration_since(before).unwrap() < Duration::from_secs(60));
    Ok(())
}

#[tokio::test]
async fn who_cannot_ask_deletes_all_the_same() -> Result<()> {
    for code in ["ThrottlingException", "AccessDeniedException"] {
        let (session, faults) = Faults::session(&LocalBackend::new()).await;
        let (_, endpoint) = endpoint(&session).await?;
        faults.next("DescribeEndpoint", ALWAYS, Fault::Refused(code));
        let report = endpoint.delete().await?;
        assert!(report.is_complete() && matches!(report.parts[0].deletion, Deletion::Accepted), "{code}: {report}");
        faults.heal();
        assert_eq!(configs(&session).await, 0);
        if let Err(error) = endpoint.delete().await {
            assert_eq!(error.kind(), ErrorKind::NotFound, "all of it may be gone by now: {error}");
        }
        assert_eq!(endpoints(&session).await, 0);
    }
    Ok(())
}

#[tokio::test]
async fn the_configuration_is_the_one_that_the_endpoint_has() -> Result<()> {
    let (session, faults) = Faults::session(&LocalBackend::new()).await;
    let (model, endpoint) = endpoint(&session).await?;
    let other = model.deploy(one()).endpoint_name("other").await?;
    let sagemaker = session.aws().sagemaker();
    let update = sagemaker.update_endpoint().endpoint_name(endpoint.name()).endpoint_config_name(other.name());
    update.send().await.unwrap();
    other.delete().await?;
    let variants = sagemaker.describe_endpoint_config().endpoint_config_name(endpoint.name()).send().await.unwrap();
    let again = sagemaker.create_endpoint_config().endpoint_config_name("other");
    again.set_production_variants(variants.production_variants).send().await.unwrap();

    // The first look is throttled; a later one tells the name.
    faults.next("DescribeEndpoint", ONE_CALL, Fault::Refused("ThrottlingException"));
    let report = endpoint.delete().await?;
    assert_eq!(report.parts[1].name, "other");
    assert_eq!(configs(&session).await, 1, "the old one stays");
    Ok(())
}

#[tokio::test]
async fn a_deletion_can_be_repeated_till_nothing_is_left() -> Result<()> {
    let (session, faults) = Faults::session(&LocalBackend::new()).await;
    let (_, endpoint) = endpoint(&session).await?;
    faults.next("DeleteEndpointConfig", 1, Fault::Refused("AccessDeniedException"));
    let error = endpoint.delete().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert_eq!((endpoints(&session).await, configs(&session).await), (0, 1));

    let report = endpoint.delete().with_models().await?;
    assert!(matches!(report.parts[0].deletion, Deletion::AlreadyGone), "{report}");
    assert_eq!(deleted(&report)[1..], [("endpoint configuration", true), ("model", true)]);
    let error = endpoint.delete().await.unwrap_err();
    assert_eq!((error.kind(), error.request_id().is_some()), (ErrorKind::NotFound, true), "{error}");
    Ok(())
}

#[tokio::test]
async fn models_that_cannot_be_told_keep_what_tells_them() -> Result<()> {
    let (session, faults) = Faults::session(&LocalBackend::new()).await;
    let (_, endpoint) = endpoint(&session).await?;
    faults.next("DescribeEndpointConfig", 1, Fault::Refused("AccessDeniedException"));
    let error = endpoint.delete().with_models().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
    assert_eq!((endpoints(&session).await, configs(&session).await), (0, 1));
    let report = endpoint.delete().with_models().await?;
    assert_eq!(deleted(&report)[1..], [("endpoint configuration", true), ("model", true)]);
    Ok(())
}

#[tokio::test]
async fn work_that_deletes_the_endpoint_itself_is_fine() -> Result<()> {
    let session = Session::local();
    let (model, endpoint) = endpoint(&session).await?;
    endpoint.scoped(async |endpoint: &Endpoint| endpoint.delete().await.map(drop)).await?;

    let guard = model.deploy(one()).await?.guard();
    Endpoint::delete(&guard).await?;
    let report = EndpointGuard::delete(guard).await?;
    assert!(report.is_complete() && deleted(&report).iter().all(|(_, deleted)| !deleted), "{report}");

    let guard = model.deploy(one()).await?.guard();
    Endpoint::delete(&guard).await?;
    drop(guard);
    let drained = session.drain().await;
    assert_eq!((drained.deleted.len(), drained.failed.len()), (1, 0));
    Ok(())
}

#[tokio::test]
async fn a_deletion_that_fails_stays_queued_and_is_drained_later() -> Result<()> {
    let (session, faults) = Faults::session(&LocalBackend::new()).await;
    let (model, endpoint) = endpoint(&session).await?;
    let refuse = || faults.next("DeleteEndpoint", 1, Fault::Refused("AccessDeniedException"));

    // By a guard that is dropped, or used.
    drop(endpoint.guard());
    refuse();
    let drained = session.drain().await;
    assert_eq!((drained.deleted.len(), drained.failed.len()), (0, 1));
    assert!(drained.failed[0].to_string().contains(endpoint.name()), "{:?}", drained.failed);
    refuse();
    assert_eq!(endpoint.guard().delete().await.unwrap_err().kind(), ErrorKind::AccessDenied);
    let drained = session.drain().await;
    assert_eq!((drained.deleted, drained.failed.len()), (vec![endpoint.name().to_owned()], 0), "one endpoint, once");
    assert_eq!((endpoints(&session).await, session.drain().await.deleted.len()), (0, 0));

    // By a scope whose work goes well, fails, panics.
    let endpoint = model.deploy(one()).await?;
    refuse();
    let error = endpoint.scoped(async |_: &Endpoint| Ok::<_, Error>(())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert_eq!(session.drain().await.deleted, [endpoint.name()]);

    let endpoint = model.deploy(one()).await?;
    refuse();
    let (text, error) = told(endpoint.scoped(async |_: &Endpoint| Err::<(), _>(Error::invalid("x", "no")))).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert!(text.contains(endpoint.name()) && text.contains("not deleted"), "{text}");
    assert_eq!(session.drain().await.deleted, [endpoint.name()]);

    let endpoint = model.deploy(one()).await?;
    refuse();
    let panicking = endpoint.clone();
    let (text, panicked) = told(tokio::spawn(async move {
        let _: Result<()> = panicking.scoped(async |_: &Endpoint| panic!("in the middle of the work")).await;
    }))
    .await;
    assert!(panicked.unwrap_err().is_panic());
    assert!(text.contains(endpoint.name()), "{text}");
    assert_eq!(session.drain().await.deleted, [endpoint.name()]);
    assert_eq!((endpoints(&session).await, configs(&session).await), (0, 0));
    Ok(())
}

#[tokio::test]
async fn a_drain_that_is_cut_off_goes_on_later() -> Result<()> {
    let (clock, _backend, session, _faults, model) = standing_still().await?;
    drop(model.deploy(one()).endpoint_name("one").no_wait().await?.guard());
    drop(model.deploy(one()).endpoint_name("two").no_wait().await?.guard());
    // Both are still coming up, and time stands still.
    let cut_off = tokio::time::timeout(Duration::from_millis(20), session.drain()).await;
    assert!(cut_off.is_err() && endpoints(&session).await == 2);
    let drained = drive(&clock, session.drain()).await;
    assert_eq!(drained.deleted, ["one", "two"]);
    assert_eq!((endpoints(&session).await, configs(&session).await), (0, 0));
    Ok(())
}

#[tokio::test]
async fn a_session_that_ends_undrained_says_so() -> Result<()> {
    let backend = LocalBackend::new();
    let (session, _faults, alive) = Faults::watched_session(&backend).await;
    let (_, endpoint) = endpoint(&session).await?;
    let name = endpoint.name().to_owned();
    let (text, ()) = told(async move {
        drop(endpoint.guard());
        drop((endpoint, session));
    })
    .await;
    assert!(alive.upgrade().is_none(), "what is queued does not keep the session alive");
    assert!(text.contains(&name) && text.contains("drain"), "{text}");
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_waited_for_is_named() -> Result<()> {
    let (session, faults) = Faults::session(&LocalBackend::new()).await;
    let model = model(&session).await?;
    faults.next("DescribeEndpoint", ALWAYS, Fault::Refused("AccessDeniedException"));
    let error = model.deploy(one()).endpoint_name("blind").await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::AccessDenied, Some("AccessDeniedException")));
    assert_eq!((error.operation(), error.request_id().is_some()), (Some("DescribeEndpoint"), true));
    let text = error.to_string();
    for part in ["blind", "was created", "costing money", "attach", "delete"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert!(format!("{error:?}").contains("so the test wants it"), "the cause is kept: {error:?}");
    faults.heal();
    Endpoint::attach(&session, "blind").await?.delete().await?;

    let (clock, _backend, _session, _faults, model) = standing_still().await?;
    let error = drive(&clock, model.deploy(one()).timeout(Duration::from_secs(1)).into_future()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(error.to_string().contains(model.name()), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_failed_endpoint_that_cannot_be_removed_is_named() -> Result<()> {
    let (session, faults) = Faults::session(&LocalBackend::new()).await;
    let broken = broken_model(&session).await?;
    faults.next("DeleteEndpoint", ALWAYS, Fault::Refused("AccessDeniedException"));
    let error = broken.deploy(one()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EndpointFailed);
    assert!(error.to_string().contains("could not be deleted"), "{error}");
    assert!(format!("{error:?}").contains("aws logs tail"), "why it failed is kept: {error:?}");
    assert_eq!((endpoints(&session).await, configs(&session).await), (1, 1));
    Ok(())
}

async fn broken_model(session: &Session) -> Result<Model> {
    session.ensure_bucket().await?;
    let artifacts = session.default_uri("broken/model.tar.gz").await?;
    session.upload_bytes("no archive at all", &artifacts, &ContentType::OCTET_STREAM).await?;
    let image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";
    Model::create(session, image).model_data(artifacts.to_string()).name("broken").await
}

#[tokio::test]
async fn only_an_update_that_the_wait_has_seen_fails_it() -> Result<()> {
    let (clock, _backend, session, _faults, model) = standing_still().await?;
    let endpoint = drive(&clock, model.deploy(one()).into_future()).await?;
    let broken = broken_model(&session).await?;
    // It fails and is removed, its configuration too; what is needed is a configuration with the broken model.
    let sagemaker = session.aws().sagemaker();
    let good = sagemaker.describe_endpoint_config().endpoint_config_name(endpoint.name()).send().await.unwrap();
    let mut variant = good.production_variants()[0].clone();
    variant.model_name = Some(broken.name().to_owned());
    let config = sagemaker.create_endpoint_config().endpoint_config_name("broken").production_variants(variant);
    config.send().await.unwrap();

    let update = sagemaker.update_endpoint().endpoint_name(endpoint.name()).endpoint_config_name("broken");
    update.send().await.unwrap();
    let error = drive(&clock, endpoint.wait_in_service().into_future()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    let later = endpoint.wait_in_service().await?;
    assert!(later.failure_reason().is_some(), "an old story, and still told");
    Ok(())
}

#[tokio::test]
async fn what_costs_money_can_be_started_and_ended_on_any_task() -> Result<()> {
    use sagemaker::estimator::EstimatorExt;
    use sagemaker::training::TrainingInput;
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let session = Session::local();
    let (model, endpoint) = endpoint(&session).await?;
    let estimator = crate::fixture::xgboost().build()?;
    drop(is_send(estimator.fit(&session, TrainingInput::csv("s3://bucket/x")).into_future()));
    drop(is_send(model.deploy(one()).into_future()));
    drop(is_send(endpoint.wait_in_service().into_future()));
    drop(is_send(session.drain()));
    drop(is_send(endpoint.guard().keep().guard().keep().delete().into_future()));
    is_send(endpoint.scoped(async |_: &Endpoint| Ok::<_, Error>(()))).await?;
    drop(is_send(model.deploy(one()).await?.guard().delete()));
    assert_eq!(is_send(session.drain()).await.deleted.len(), 1, "dropped before it began, and so queued");
    Ok(())
}

/// What is told at the level of errors while the future runs, with its output.
async fn told<F: Future>(future: F) -> (String, F::Output) {
    let text = Arc::<Mutex<String>>::default();
    let told = tracing::subscriber::set_default(Errors(text.clone()));
    let output = future.await;
    drop(told);
    let text = text.lock().unwrap().clone();
    (text, output)
}

struct Errors(Arc<Mutex<String>>);

impl Visit for Errors {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0.lock().unwrap(), "{field}={value:?} ").unwrap();
    }
}

impl tracing::Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR && metadata.target().starts_with("sagemaker")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Self(self.0.clone()));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
