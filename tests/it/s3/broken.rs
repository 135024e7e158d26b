//! Transfers over a network that fails.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Response;
use sagemaker::local::LocalBackend;
use sagemaker::types::{ContentType, S3Uri};
use sagemaker::{ErrorKind, Result, Session};

use super::faults::{self, Fault, Gauge, is, refused};

const LARGE: u32 = 17 * 1024 * 1024 + 123;

fn content(length: u32) -> Vec<u8> {
    (0..length).map(|i| (i % 251) as u8).collect()
}

fn large_files(folder: &Path, names: &[&str]) -> Result<()> {
    for name in names {
        std::fs::write(folder.join(name), content(LARGE))?;
    }
    Ok(())
}

/// A backend with the default bucket, and a session without faults on it.
async fn backend() -> Result<(LocalBackend, Session)> {
    let backend = LocalBackend::new();
    let session = Session::with_backend(&backend);
    session.ensure_bucket().await?;
    Ok((backend, session))
}

async fn unfinished(session: &Session) -> Result<usize> {
    let uploads = session.aws().s3().list_multipart_uploads().bucket(session.default_bucket().await?);
    Ok(uploads.send().await.unwrap().uploads().len())
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn a_failed_file_leaves_no_parts_of_any_file() -> Result<()> {
    let ((backend, sound), folder) = (backend().await?, tempfile::tempdir()?);
    large_files(folder.path(), &["a", "b", "c"])?;
    let gauge = Arc::new(Gauge::default());
    let slow = gauge.clone();
    let session = faults::session(&backend, move |request| match () {
        () if is(request, "UploadPart", "/b") => refused(403, "AccessDenied"),
        () if is(request, "UploadPart", "") => Fault::Slow(Duration::from_millis(100), slow.clone()),
        () => Fault::None,
    })
    .await?;
    let error = session.upload(folder.path(), "d").await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::AccessDenied, Some("UploadPart")), "{error}");
    assert!(gauge.most() > 1, "the others were under way");
    assert_eq!(unfinished(&sound).await?, 0);
    assert!(sound.list(&sound.default_uri("d/b").await?).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_file_that_shrinks_leaves_no_parts() -> Result<()> {
    let ((backend, sound), folder) = (backend().await?, tempfile::tempdir()?);
    large_files(folder.path(), &["a"])?;
    let file = folder.path().join("a");
    let session = faults::session(&backend, {
        let file = file.clone();
        move |request| {
            if is(request, "CreateMultipartUpload", "") {
                std::fs::write(&file, "short").unwrap();
            }
            Fault::None
        }
    })
    .await?;
    let error = session.upload(&file, "d").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
    assert_eq!(unfinished(&sound).await?, 0);
    Ok(())
}

#[tokio::test]
async fn parts_under_way_are_bounded_for_the_whole_session() -> Result<()> {
    let ((backend, _), folder, back) = (backend().await?, tempfile::tempdir()?, tempfile::tempdir()?);
    large_files(folder.path(), &["a", "b", "c", "d"])?;
    let (up, down) = (Arc::new(Gauge::default()), Arc::new(Gauge::default()));
    let (puts, gets) = (up.clone(), down.clone());
    // Long enough for every part to be under way, were they not bounded.
    let long = Duration::from_millis(1500);
    let session = faults::session(&backend, move |request| match () {
        () if is(request, "UploadPart", "") => Fault::Slow(long, puts.clone()),
        () if is(request, "GetObject", "") => Fault::Slow(long, gets.clone()),
        () => Fault::None,
    })
    .await?;
    let (one, two) = (session.default_uri("one").await?, session.default_uri("two").await?);
    let plain = ContentType::OCTET_STREAM;
    let (first, second) =
        tokio::join!(session.upload_to(folder.path(), &one), session.upload_bytes(content(LARGE), &two, &plain));
    let uri = first.and_then(|uri| second.map(|_| uri))?;
    assert!((5..=8).contains(&up.most()), "{} of 15 parts at once", up.most());
    session.download(&uri, back.path()).await?;
    assert!((5..=8).contains(&down.most()), "{} of 12 ranges at once", down.most());
    for name in ["a", "b", "c", "d"] {
        assert!(std::fs::read(back.path().join(name))? == content(LARGE), "{name} comes back as it was");
    }
    Ok(())
}

/// The headers `range` and `if-match` of each request for an object.
type Seen = Arc<Mutex<Vec<(Option<String>, bool)>>>;

/// Breaks the first `times` bodies off after `after` bytes.
async fn breaking(backend: &LocalBackend, times: usize, after: usize) -> Result<(Session, Seen)> {
    let (count, seen) = (AtomicUsize::new(0), Seen::default());
    let requests = seen.clone();
    let session = faults::session(backend, move |request| {
        if !is(request, "GetObject", "") {
            return Fault::None;
        }
        let range = request.headers().get("range").map(|range| range.to_str().unwrap().to_owned());
        requests.lock().unwrap().push((range, request.headers().contains_key("if-match")));
        if count.fetch_add(1, Ordering::SeqCst) < times { Fault::BreakOff(after) } else { Fault::None }
    })
    .await?;
    Ok((session, seen))
}

#[tokio::test]
async fn a_body_that_breaks_off_twice_is_completed() -> Result<()> {
    let ((backend, sound), folder) = (backend().await?, tempfile::tempdir()?);
    let (small, large) = (sound.default_uri("small").await?, sound.default_uri("large").await?);
    sound.upload_bytes(content(10_000), &small, &ContentType::OCTET_STREAM).await?;
    sound.upload_bytes(content(LARGE), &large, &ContentType::OCTET_STREAM).await?;

    let (session, seen) = breaking(&backend, 2, 3_000).await?;
    let files = session.download(&small, folder.path()).await?;
    assert!(std::fs::read(&files[0])? == content(10_000));
    let ranges = seen.lock().unwrap().clone();
    let from = |range: &str| (Some(range.to_owned()), true);
    assert_eq!(ranges, [(None, false), from("bytes=3000-9999"), from("bytes=6000-9999")]);

    let (session, _) = breaking(&backend, 2, 1_000_000).await?;
    let files = session.download(&large, folder.path()).await?;
    assert!(std::fs::read(&files[0])? == content(LARGE));
    assert_eq!(files_in(folder.path()).len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_body_that_breaks_off_at_its_very_end_is_completed() -> Result<()> {
    let ((backend, sound), folder) = (backend().await?, tempfile::tempdir()?);
    let uri = sound.default_uri("x").await?;
    sound.upload_bytes(content(500), &uri, &ContentType::OCTET_STREAM).await?;
    // As a body does whose checksum is wrong: it has to come again from the start.
    let (session, seen) = breaking(&backend, 1, 500).await?;
    let files = session.download(&uri, folder.path()).await?;
    assert!(std::fs::read(&files[0])? == content(500));
    assert_eq!(seen.lock().unwrap()[1], (None, true));
    Ok(())
}

#[tokio::test]
async fn a_body_that_always_breaks_off_is_given_up() -> Result<()> {
    let ((backend, sound), folder) = (backend().await?, tempfile::tempdir()?);
    for (key, length) in [("small", 10_000), ("large", LARGE)] {
        let uri = sound.default_uri(key).await?;
        sound.upload_bytes(content(length), &uri, &ContentType::OCTET_STREAM).await?;
        let (session, seen) = breaking(&backend, usize::MAX, 100).await?;
        let error = session.download(&uri, folder.path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert!(error.to_string().contains(key), "{error}");
        let tries = seen.lock().unwrap().len();
        let ranges = if key == "large" { 3 } else { 1 };
        assert!((4..=4 * ranges).contains(&tries), "{tries} requests for {ranges} ranges");
        assert!(files_in(folder.path()).is_empty(), "no half file is left");
    }
    Ok(())
}

#[tokio::test]
async fn an_object_that_changes_meanwhile_is_told() -> Result<()> {
    let ((backend, sound), folder) = (backend().await?, tempfile::tempdir()?);
    let uri = sound.default_uri("x").await?;
    sound.upload_bytes(content(500), &uri, &ContentType::OCTET_STREAM).await?;
    let session = faults::session(&backend, |request| match () {
        () if is(request, "GetObject", "") && request.headers().contains_key("range") => {
            refused(412, "PreconditionFailed")
        }
        () if is(request, "GetObject", "") => Fault::BreakOff(100),
        () => Fault::None,
    })
    .await?;
    let error = session.download(&uri, folder.path()).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Conflict, Some("PreconditionFailed")));
    assert!(error.to_string().contains("changed"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_answer_for_another_range_is_not_written() -> Result<()> {
    let ((backend, sound), folder) = (backend().await?, tempfile::tempdir()?);
    let uri = sound.default_uri("x").await?;
    sound.upload_bytes(content(500), &uri, &ContentType::OCTET_STREAM).await?;
    let session = faults::session(&backend, |request| match () {
        () if is(request, "GetObject", "") && request.headers().contains_key("range") => {
            faults::answer(Response::builder(), content(500))
        }
        () if is(request, "GetObject", "") => Fault::BreakOff(100),
        () => Fault::None,
    })
    .await?;
    let error = session.download(&uri, folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Service, "{error}");
    assert!(files_in(folder.path()).is_empty());
    Ok(())
}

#[tokio::test]
async fn one_object_needs_no_leave_to_list() -> Result<()> {
    let ((backend, sound), folder) = (backend().await?, tempfile::tempdir()?);
    let uri = sound.default_uri("d/x").await?;
    sound.upload_bytes("x", &uri, &ContentType::TEXT).await?;
    let session = faults::session(&backend, |request| match () {
        () if is(request, "List", "") => refused(403, "AccessDenied"),
        // S3 hides from those who may not list whether a key is there.
        () if is(request, "HeadObject", "/no") => refused(403, "AccessDenied"),
        () => Fault::None,
    })
    .await?;
    assert_eq!(session.download(&uri, folder.path()).await?, [folder.path().join("x")]);
    let error = session.download(&session.default_uri("no").await?, folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(error.to_string().contains("s3:ListBucket"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_prefix_needs_no_leave_to_look_at_the_key() -> Result<()> {
    let ((backend, sound), folder) = (backend().await?, tempfile::tempdir()?);
    sound.upload_bytes("x", &sound.default_uri("d/x").await?, &ContentType::TEXT).await?;
    let session = faults::session(&backend, |request| match () {
        () if is(request, "HeadObject", "") => refused(403, "AccessDenied"),
        () => Fault::None,
    })
    .await?;
    let files = session.download(&session.default_uri("d").await?, folder.path()).await?;
    assert_eq!(files, [folder.path().join("x")]);
    let error = session.download(&session.default_uri("d/x").await?, folder.path()).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::AccessDenied, Some("HeadObject")), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_bucket_in_another_region_is_named_with_its_region() -> Result<()> {
    let (backend, _) = backend().await?;
    let moved = || Response::builder().status(301).header("x-amz-bucket-region", "eu-west-1");
    let session = faults::session(&backend, move |request| match () {
        () if is(request, "HeadBucket", "") => faults::answer(moved(), ""),
        () if is(request, "PutObject", "") => {
            let text = "<Error><Code>PermanentRedirect</Code><Message>Use the endpoint.</Message></Error>";
            faults::answer(moved(), text)
        }
        () => Fault::None,
    })
    .await?;
    let uri = S3Uri::new(session.default_bucket().await?, "x")?;
    let head = session.ensure_bucket().await.unwrap_err();
    let put = session.upload_bytes("x", &uri, &ContentType::TEXT).await.unwrap_err();
    for (error, operation) in [(head, "HeadBucket"), (put, "PutObject")] {
        let told = (error.kind(), error.operation(), error.status());
        assert_eq!(told, (ErrorKind::Config, Some(operation), Some(301)), "{error}");
        assert!(error.to_string().contains("eu-west-1"), "{error}");
    }
    Ok(())
}

/// What the crate warns of on this thread.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("sagemaker") && *metadata.level() <= tracing::Level::WARN
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl tracing::field::Visit for Text {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                self.0 += &format!("{field}={value:?} ");
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn a_dropped_upload_names_the_parts_that_it_leaves() -> Result<()> {
    let (backend, sound) = backend().await?;
    let session = faults::session(&backend, |request| match () {
        () if is(request, "UploadPart", "") => Fault::Hang,
        () => Fault::None,
    })
    .await?;
    let uri = session.default_uri("deep/x").await?;
    let warnings = Warnings::default();
    let _here = tracing::subscriber::set_default(warnings.clone());
    let plain = ContentType::OCTET_STREAM;
    let upload = session.upload_bytes(content(LARGE), &uri, &plain);
    assert!(tokio::time::timeout(Duration::from_millis(500), upload).await.is_err());

    let left = sound.aws().s3().list_multipart_uploads().bucket(uri.bucket()).send().await.unwrap();
    let id = left.uploads()[0].upload_id().unwrap().to_owned();
    let told = warnings.0.lock().unwrap().join("\n");
    for part in [uri.bucket(), uri.key(), &id] {
        assert!(told.contains(part), "{part} is missing in {told:?}");
    }
    Ok(())
}
