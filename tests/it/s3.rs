//! Uploads and downloads.

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
    assert!(!folder.path().join("back/large.bin.part").exists());
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

#[tokio::test]
async fn a_prefix_is_deleted_and_its_neighbours_stay() -> Result<()> {
    let session = session().await?;
    for key in ["run/a", "run/b", "run-2/c"] {
        session.upload_bytes("x", &session.default_uri(key).await?, &ContentType::TEXT).await?;
    }
    assert_eq!(session.delete_prefix(&session.default_uri("run/").await?).await?, 2);
    assert_eq!(session.list(&session.default_uri("").await?).await?.len(), 1);
    let whole = session.delete_prefix(&session.default_uri("").await?).await.unwrap_err();
    assert_eq!(whole.kind(), ErrorKind::InvalidInput, "a whole bucket is never emptied by accident");
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
