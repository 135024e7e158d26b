//! Uploads and downloads.

mod broken;
mod faults;

use sagemaker::aws::s3::types::{BucketVersioningStatus, VersioningConfiguration};
use sagemaker::types::{ContentType, S3Uri};
use sagemaker::{ErrorKind, Result, Session};

use crate::fixture::operations;

async fn session() -> Result<Session> {
    let session = Session::local();
    session.ensure_bucket().await?;
    Ok(session)
}

#[tokio::test]
async fn a_folder_goes_up_and_comes_down_as_it_was() -> Result<()> {
    let (session, from, to) = (session().await?, tempfile::tempdir()?, tempfile::tempdir()?);
    let names = ["a.csv", "deep/er/b?x=1#y.csv", "deep/c %41 ü.csv"];
    for name in names {
        let path = from.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap())?;
        std::fs::write(path, name)?;
    }
    let uri = session.upload(from.path(), "some/data").await?;
    assert_eq!(uri, session.default_uri("some/data").await?);
    let keys: Vec<_> = session.list(&uri).await?.into_iter().map(|object| object.uri.key().to_owned()).collect();
    assert_eq!(keys, ["some/data/a.csv", "some/data/deep/c %41 ü.csv", "some/data/deep/er/b?x=1#y.csv"]);

    let files = session.download(&uri, to.path()).await?;
    assert_eq!(files.len(), 3);
    for name in names {
        assert_eq!(std::fs::read_to_string(to.path().join(name))?, name);
    }
    let one = session.default_uri("some/data/deep/er/b?x=1#y.csv").await?;
    let files = session.download(&one, to.path().join("one")).await?;
    assert_eq!(files, [to.path().join("one/b?x=1#y.csv")]);
    Ok(())
}

#[tokio::test]
async fn large_files_travel_in_parts() -> Result<()> {
    let (session, folder) = (session().await?, tempfile::tempdir()?);
    let content: Vec<u8> = (0..17 * 1024 * 1024 + 12_345_u32).map(|i| (i % 251) as u8).collect();
    let file = folder.path().join("large.bin");
    std::fs::write(&file, &content)?;
    let uri = session.upload(&file, "large").await?;
    let parts = operations(&session).iter().filter(|operation| operation.ends_with("UploadPart")).count();
    assert_eq!(parts, 3, "{:?}", operations(&session));
    let files = session.download(&uri, folder.path().join("back")).await?;
    assert!(std::fs::read(&files[0])? == content, "what comes back is what went up");
    assert_eq!(std::fs::read_dir(folder.path().join("back"))?.count(), 1, "no half file is left");
    assert_eq!(session.read(&uri).await?.len(), content.len());
    Ok(())
}

#[tokio::test]
async fn a_hostile_key_cannot_leave_the_folder() -> Result<()> {
    let (session, folder) = (session().await?, tempfile::tempdir()?);
    let inner = folder.path().join("inner");
    for key in ["evil/../../escaped.txt", "evil/ok.txt"] {
        let uri = S3Uri::new(session.default_bucket().await?, key)?;
        session.upload_bytes("x", &uri, &ContentType::TEXT).await?;
    }
    let error = session.download(&session.default_uri("evil/").await?, &inner).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(!folder.path().join("escaped.txt").exists() && !inner.join("ok.txt").exists(), "nothing was written");
    Ok(())
}

#[tokio::test]
async fn nothing_there_is_told() -> Result<()> {
    let (session, folder) = (session().await?, tempfile::tempdir()?);
    let uri = session.default_uri("nothing/").await?;
    assert_eq!(session.download(&uri, folder.path()).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(session.list(&uri).await?.is_empty());
    assert_eq!(session.upload("/no/such/file", "x").await.unwrap_err().kind(), ErrorKind::Io);
    assert_eq!(session.upload(folder.path(), "x").await.unwrap_err().kind(), ErrorKind::InvalidInput);
    Ok(())
}

async fn put(session: &Session, keys: &[&str]) -> Result<()> {
    for key in keys {
        session.upload_bytes((*key).to_owned(), &session.default_uri(key).await?, &ContentType::TEXT).await?;
    }
    Ok(())
}

async fn keys(session: &Session) -> Result<Vec<String>> {
    let objects = session.list(&session.default_uri("").await?).await?;
    Ok(objects.into_iter().map(|object| object.uri.key().to_owned()).collect())
}

#[tokio::test]
async fn a_prefix_is_deleted_and_its_neighbours_stay() -> Result<()> {
    let (session, folder) = (session().await?, tempfile::tempdir()?);
    std::fs::write(folder.path().join("a"), "x")?;
    std::fs::write(folder.path().join("b"), "x")?;
    put(&session, &["run-2/c", "run.csv", "run0"]).await?;
    let uploaded = session.upload(folder.path(), "run").await?;
    assert_eq!(session.delete_prefix(&uploaded).await?, 2, "what went up goes");
    assert_eq!(keys(&session).await?, ["run-2/c", "run.csv", "run0"], "and nothing else");

    put(&session, &["run", "run/a"]).await?;
    assert_eq!(session.delete_prefix(&uploaded).await?, 2, "the object of that name goes too");
    put(&session, &["run", "run/a"]).await?;
    assert_eq!(session.delete_prefix(&session.default_uri("run/").await?).await?, 1);
    assert_eq!(keys(&session).await?, ["run", "run-2/c", "run.csv", "run0"]);
    assert_eq!(session.delete_prefix(&session.default_uri("ru").await?).await?, 0, "no part of a name");
    let whole = session.delete_prefix(&session.default_uri("").await?).await.unwrap_err();
    assert_eq!(whole.kind(), ErrorKind::InvalidInput, "a whole bucket is never emptied by accident");
    Ok(())
}

#[tokio::test]
async fn a_download_leaves_the_neighbours_of_a_prefix_out() -> Result<()> {
    let (session, folder) = (session().await?, tempfile::tempdir()?);
    put(&session, &["run-2/c", "run.csv", "run/a", "run/b/c"]).await?;
    let at = |key: &'static str| session.default_uri(key);
    let files = session.download(&at("run").await?, folder.path()).await?;
    assert_eq!(files, [folder.path().join("a"), folder.path().join("b/c")]);
    assert_eq!(session.download(&at("ru").await?, folder.path()).await.unwrap_err().kind(), ErrorKind::NotFound);

    put(&session, &["run"]).await?;
    let files = session.download(&at("run").await?, folder.path()).await?;
    assert_eq!(files, [folder.path().join("run")], "an object of that very name is what is meant");
    assert_eq!(session.download(&at("").await?, folder.path().join("all")).await.unwrap_err().kind(), ErrorKind::Io);
    session.delete_prefix(&at("run").await?).await?;
    assert_eq!(session.download(&at("").await?, folder.path().join("all")).await?.len(), 2, "the whole bucket");
    Ok(())
}

#[tokio::test]
async fn two_keys_for_one_file_are_refused() -> Result<()> {
    let (session, folder) = (session().await?, tempfile::tempdir()?);
    put(&session, &["d/a//b", "d/a/b"]).await?;
    let error = session.download(&session.default_uri("d").await?, folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn half_files_meet_no_other_file() -> Result<()> {
    let (session, folder, elsewhere) = (session().await?, tempfile::tempdir()?, tempfile::tempdir()?);
    put(&session, &["d/x", "d/x.part"]).await?;
    let victim = elsewhere.path().join("victim");
    std::fs::write(&victim, "precious")?;
    std::os::unix::fs::symlink(&victim, folder.path().join("x.part"))?;
    session.download(&session.default_uri("d").await?, folder.path()).await?;
    assert_eq!(std::fs::read_to_string(&victim)?, "precious");
    for name in ["x", "x.part"] {
        assert_eq!(std::fs::read_to_string(folder.path().join(name))?, format!("d/{name}"));
    }
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 2);
    Ok(())
}

#[tokio::test]
async fn many_bytes_travel_in_parts_too() -> Result<()> {
    let session = session().await?;
    let content: Vec<u8> = (0..17 * 1024 * 1024_u32).map(|i| (i % 253) as u8).collect();
    let uri = session.default_uri("bytes").await?;
    session.upload_bytes(content.clone(), &uri, &ContentType::CSV).await?;
    let parts = operations(&session).iter().filter(|operation| operation.ends_with("UploadPart")).count();
    assert_eq!(parts, 3, "{:?}", operations(&session));
    assert!(session.read(&uri).await? == content, "what comes back is what went up");
    let head = session.aws().s3().head_object().bucket(uri.bucket()).key(uri.key()).send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/csv"));
    Ok(())
}

#[tokio::test]
async fn a_large_upload_into_no_bucket_says_what_failed() -> Result<()> {
    let session = Session::local();
    let uri = session.default_uri("bytes").await?;
    let error = session.upload_bytes(vec![0; 17 * 1024 * 1024], &uri, &ContentType::TEXT).await.unwrap_err();
    assert!(error.to_string().contains("ensure_bucket"), "{error}");
    let told = (error.kind(), error.operation(), error.code(), error.status());
    assert_eq!(told, (ErrorKind::NotFound, Some("CreateMultipartUpload"), Some("NoSuchBucket"), Some(404)));
    assert!(error.request_id().is_some());
    Ok(())
}

#[tokio::test]
async fn transfers_may_move_between_threads() -> Result<()> {
    fn check<T: Send>(_: &T) {}
    let (session, uri) = (Session::local(), S3Uri::new("bucket", "key")?);
    check(&session.upload("x", "y"));
    check(&session.upload_to("x", &uri));
    check(&session.upload_bytes("x", &uri, &ContentType::TEXT));
    check(&session.download(&uri, "x"));
    check(&session.read(&uri));
    check(&session.list(&uri));
    check(&session.delete_prefix(&uri));
    Ok(())
}

#[tokio::test]
async fn a_bucket_of_somebody_else_is_never_written_to() -> Result<()> {
    // The name that this crate would choose, but in an account that is not the caller's.
    let session = session().await?;
    let requests = session.backend().unwrap().requests();
    let head = requests.iter().find(|request| request.operation == "HeadBucket").expect("ensure_bucket looks first");
    assert_eq!(head.headers.get("x-amz-expected-bucket-owner").map(String::as_str), Some(session.account_id().await?));
    let foreign = session.aws().s3().head_bucket().bucket(session.default_bucket().await?);
    let refused = foreign.expected_bucket_owner("999999999999").send().await.unwrap_err();
    assert_eq!(refused.raw_response().map(|response| response.status().as_u16()), Some(403));
    Ok(())
}

#[tokio::test]
async fn each_request_names_the_owner_of_the_bucket_that_was_chosen_for_the_caller() -> Result<()> {
    async fn all_kinds(session: &Session) -> Result<()> {
        let (from, to) = (tempfile::tempdir()?, tempfile::tempdir()?);
        std::fs::write(from.path().join("small"), "1")?;
        std::fs::write(from.path().join("large"), vec![1; 17 * 1024 * 1024])?;
        let uri = session.upload(from.path(), "all").await?;
        session.list(&uri).await?;
        session.read(&uri.join("small")).await?;
        session.download(&uri, to.path()).await?;
        session.delete_prefix(&uri).await?;
        Ok(())
    }
    let owners = |session: &Session| {
        let requests = session.backend().unwrap().requests();
        let of_bucket = |operation: &str| !["CreateBucket", "HeadBucket"].contains(&operation);
        let requests = requests.into_iter().filter(|request| request.service == "s3" && of_bucket(&request.operation));
        let seen = requests.map(|request| {
            let owner = request.headers.get("x-amz-expected-bucket-owner").cloned();
            (request.operation, owner)
        });
        seen.collect::<Vec<_>>()
    };
    let session = session().await?;
    all_kinds(&session).await?;
    let (seen, own) = (owners(&session), Some(session.account_id().await?.to_owned()));
    for operation in ["PutObject", "UploadPart", "ListObjectsV2", "HeadObject", "GetObject", "DeleteObjects"] {
        assert!(seen.iter().any(|(name, _)| name == operation), "{operation} in {seen:?}");
    }
    assert!(seen.iter().all(|(_, owner)| *owner == own), "{seen:?}");

    let chosen = Session::local().with_default_bucket("my-bucket", None)?;
    chosen.ensure_bucket().await?;
    all_kinds(&chosen).await?;
    let seen = owners(&chosen);
    assert!(seen.len() > 5 && seen.iter().all(|(_, owner)| owner.is_none()), "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn uploads_carry_tags_and_caching_and_whatever_was_asked_for() -> Result<()> {
    let session = session().await?;
    for size in [3, 17 * 1024 * 1024] {
        let uri = session.default_uri(&format!("sized/{size}")).await?;
        let upload = session.upload_bytes(vec![1; size], &uri, &ContentType::TEXT).cache_control("max-age=60");
        let upload = upload.tag("team", "a & b").tag("of", "us=all");
        upload.map_raw(|request| request.content_language("nl").bucket("another")).await?;
        let s3 = session.aws().s3();
        let head = s3.head_object().bucket(uri.bucket()).key(uri.key()).send().await.unwrap();
        let kept = (head.cache_control(), head.content_type(), head.content_language());
        assert_eq!(kept, (Some("max-age=60"), Some("text/plain"), Some("nl")), "{size}");
        let tags = s3.get_object_tagging().bucket(uri.bucket()).key(uri.key()).send().await.unwrap();
        let mut tags: Vec<_> = tags.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
        tags.sort_unstable();
        assert_eq!(tags, [("of", "us=all"), ("team", "a & b")]);
    }
    Ok(())
}

#[tokio::test]
async fn a_requester_who_pays_says_so_each_time() -> Result<()> {
    let (session, folder) = (session().await?, tempfile::tempdir()?);
    let uri = session.default_uri("paid").await?;
    session.upload_bytes("1", &uri.join("small"), &ContentType::TEXT).await?;
    session.upload_bytes(vec![1; 17 * 1024 * 1024], &uri.join("large"), &ContentType::TEXT).await?;
    let backend = session.backend().unwrap();
    let before = backend.requests().len();
    session.download(&uri, folder.path()).requester_pays().await?;
    let requests = backend.requests();
    for operation in ["HeadObject", "ListObjectsV2", "GetObject"] {
        assert!(requests[before..].iter().any(|request| request.operation == operation), "{operation}");
    }
    let pays = |header: Option<&String>| header.is_some_and(|header| header == "requester");
    assert!(requests[before..].iter().all(|request| pays(request.headers.get("x-amz-request-payer"))));
    Ok(())
}

#[tokio::test]
async fn an_older_version_can_be_downloaded() -> Result<()> {
    let (session, folder) = (session().await?, tempfile::tempdir()?);
    let uri = session.default_uri("versioned").await?;
    let s3 = session.aws().s3();
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket(uri.bucket()).versioning_configuration(on).send().await.unwrap();
    session.upload_bytes(vec![1; 17 * 1024 * 1024], &uri, &ContentType::TEXT).await?;
    let old = s3.head_object().bucket(uri.bucket()).key(uri.key()).send().await.unwrap().version_id.unwrap();
    session.upload_bytes("new", &uri, &ContentType::TEXT).await?;
    let files = session.download(&uri, folder.path()).version_id(old).await?;
    assert_eq!(std::fs::metadata(&files[0])?.len(), 17 * 1024 * 1024);
    session.download(&uri, folder.path()).await?;
    assert_eq!(std::fs::read_to_string(&files[0])?, "new");
    Ok(())
}
