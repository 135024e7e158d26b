use std::time::Duration;

use super::*;
use crate::local::{Fault, LocalBackend};

/// A backend with the default bucket, and a place in it.
async fn place() -> (LocalBackend, Session, S3Uri) {
    let backend = LocalBackend::new();
    let session = Session::with_backend(&backend);
    session.ensure_bucket().await.unwrap();
    let target = session.default_uri("stream").await.unwrap();
    (backend, session, target)
}

fn part(size: usize) -> Result<Bytes> {
    Ok(vec![7; size].into())
}

fn count(backend: &LocalBackend, operation: &str) -> usize {
    backend.requests().iter().filter(|request| request.operation == operation).count()
}

#[tokio::test]
async fn parts_are_sent_while_others_are_made() {
    let (backend, session, target) = place().await;
    let (sender, parts) = mpsc::channel(1);
    let upload = tokio::spawn({
        let (session, target) = (session.clone(), target.clone());
        async move {
            let put = StreamPut { target: &target, owner: None, kms_key: None, metadata: None };
            session.put_stream(&put, parts).await
        }
    });
    for _ in 0..2 {
        sender.send(part(stream_part_size(0))).await.unwrap();
    }
    // The next part is long in the making.
    let both_arrived = async {
        while count(&backend, "UploadPart") < 2 {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), both_arrived).await.is_ok(), "they wait for the third");
    sender.send(part(3)).await.unwrap();
    drop(sender);
    upload.await.unwrap().unwrap();
    assert_eq!(session.read(&target).await.unwrap().len(), 2 * stream_part_size(0) + 3);
}

#[tokio::test]
async fn parts_under_way_arrive_before_a_failed_upload_is_aborted() {
    let (backend, session, target) = place().await;
    backend.faults().add(Fault::refuse(403, "AccessDenied", "not this one").on("UploadPart").times(1));
    backend.faults().add(Fault::latency(Duration::from_secs(5)).on("UploadPart"));
    let (sender, parts) = mpsc::channel(2);
    for _ in 0..2 {
        sender.send(part(stream_part_size(0))).await.unwrap();
    }
    let put = StreamPut { target: &target, owner: None, kms_key: None, metadata: None };
    let error = session.put_stream(&put, parts).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::AccessDenied, Some("UploadPart")), "{error}");
    let requests = backend.requests();
    let sent: Vec<_> = requests.iter().map(|request| request.operation.as_str()).collect();
    assert_eq!(count(&backend, "UploadPart"), 2, "{sent:?}");
    assert_eq!(sent.last(), Some(&"AbortMultipartUpload"));
    assert!(sender.is_closed(), "who makes the parts is told");
}

#[tokio::test]
async fn a_stream_of_more_parts_than_s3_takes_names_the_limit() {
    let (_, session, target) = place().await;
    let begun = session.aws().s3().create_multipart_upload().bucket(target.bucket()).key(target.key());
    let id = begun.send().await.unwrap().upload_id.unwrap();
    let upload = Upload::new(&target, &id, PutObjectInputBuilder::default());
    let (sender, parts) = mpsc::channel(8);
    for _ in 0..2 {
        sender.send(part(1024 * 1024)).await.unwrap();
    }
    let first = [part(1024 * 1024).unwrap(), part(1024 * 1024).unwrap()];
    let sent = session.send_stream(&upload, first, parts, 3).await;
    let error = session.settle(upload, sent).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("more than 3 MiB"), "{error}");
}

#[test]
fn half_a_tebibyte_fits_into_the_parts() {
    let sizes = (0..usize::try_from(MOST_PARTS).unwrap()).map(stream_part_size);
    assert!(sizes.clone().map(|size| size as u64).sum::<u64>() >= 512 * 1024 * 1024 * 1024);
    assert!(sizes.clone().is_sorted());
    assert_eq!((sizes.clone().next(), sizes.max()), (Some(5 * 1024 * 1024), Some(100 * 1024 * 1024)));
}
