//! Script mode: what is packed, uploaded and told.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use sagemaker::aws::s3::types::ServerSideEncryption;
use sagemaker::estimator::EstimatorExt;
use sagemaker::frameworks::{FrameworkModel, PyTorch, SKLearn};
use sagemaker::source::SourceCode;
use sagemaker::training::TrainingInput;
use sagemaker::types::{Compute, ContentType, S3Uri};
use sagemaker::{ErrorKind, Result, Session};
use tempfile::TempDir;

use crate::fixture::{operations, put};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        write(folder.path(), name, content);
    }
    folder
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn count(session: &Session, operation: &str) -> usize {
    operations(session).iter().filter(|name| name.ends_with(operation)).count()
}

/// The files of a `tar.gz` in S3.
async fn files(session: &Session, uri: &S3Uri) -> BTreeMap<String, Vec<u8>> {
    let packed = session.read(uri).await.unwrap();
    let mut archive = tar::Archive::new(GzDecoder::new(&packed[..]));
    let mut found = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let (name, mut content) = (entry.path().unwrap().to_str().unwrap().to_owned(), Vec::new());
        entry.read_to_end(&mut content).unwrap();
        if !name.ends_with('/') {
            found.insert(name, content);
        }
    }
    found
}

fn sklearn(source: &SourceCode) -> Result<SKLearn> {
    SKLearn::builder(source.clone()).framework_version("1.2-1").compute(Compute::instances("ml.m5.large", 1)).build()
}

#[tokio::test]
async fn the_same_code_goes_up_once() -> Result<()> {
    let session = Session::local();
    session.ensure_bucket().await?;
    let data = put(&session, "train/x.csv", "1,2\n").await?;
    let folder = folder(&[("fit.py", "import lib"), ("lib/__init__.py", "")]);
    let source = SourceCode::script("fit.py").source_dir(folder.path());
    let forest = sklearn(&source)?;
    let uploads = count(&session, "PutObject");
    let fit = || forest.fit(&session, [("train", TrainingInput::csv(data.clone()))]).job_name("twice");
    fit().await?;
    assert_eq!(count(&session, "PutObject") - uploads, 1);
    assert_eq!(fit().await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(count(&session, "PutObject") - uploads, 1, "what is there is not sent again");
    write(folder.path(), "lib/__init__.py", "X = 1");
    let uri = session.default_uri("twice/source/sourcedir.tar.gz").await?;
    let error = fit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("training job twice"), "{error}");
    assert_eq!(count(&session, "PutObject") - uploads, 1, "the code of a job that is there stays as it is");
    assert_eq!(files(&session, &uri).await["lib/__init__.py"], b"");
    // A job that never came to be has left its code behind.
    let left = session.default_uri("free/source/sourcedir.tar.gz").await?;
    session.upload_bytes("old", &left, &ContentType::from("application/gzip")).await?;
    forest.fit(&session, [("train", TrainingInput::csv(data.clone()))]).job_name("free").await?;
    assert_eq!(files(&session, &left).await["lib/__init__.py"], b"X = 1");
    Ok(())
}

#[tokio::test]
async fn code_of_a_model_that_is_there_stays_as_it_is() -> Result<()> {
    let session = Session::local();
    session.ensure_bucket().await?;
    let folder = folder(&[("serve.py", "one")]);
    let source = SourceCode::script(folder.path().join("serve.py"));
    let beside = || FrameworkModel::sklearn("1.2-1").source(source.clone()).name("beside");
    beside().create(&session, "ml.m5.large").await?.await?;
    let data = session.default_uri("model.tar.gz").await?;
    session.upload_bytes(packed(&[("w", "1")]), &data, &ContentType::from("application/gzip")).await?;
    let inside = FrameworkModel::pytorch("2.0.1", "py310").source(source.clone()).model_data(data.to_string());
    let inside = || inside.clone().name("inside");
    inside().create(&session, "ml.m5.large").await?.await?;
    write(folder.path(), "serve.py", "two");
    for error in [
        beside().create(&session, "ml.m5.large").await.unwrap_err(),
        inside().create(&session, "ml.m5.large").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
    }
    let beside = session.default_uri("beside/sourcedir.tar.gz").await?;
    let inside = session.default_uri("inside/model.tar.gz").await?;
    assert_eq!(files(&session, &beside).await["serve.py"], b"one");
    assert_eq!(files(&session, &inside).await["code/serve.py"], b"one");
    Ok(())
}

#[tokio::test]
async fn large_code_that_was_sent_before_is_copied() -> Result<()> {
    let session = Session::local();
    session.ensure_bucket().await?;
    let data = put(&session, "train/x.csv", "1,2\n").await?;
    let folder = folder(&[("fit.py", "import lib")]);
    write(folder.path(), "weights.bin", vec![7; 9 * 1024 * 1024]);
    let forest = sklearn(&SourceCode::script("fit.py").source_dir(folder.path()))?;
    let fit =
        |name: &str| forest.fit(&session, [("train", TrainingInput::csv(data.clone()))]).job_name(name.to_owned());
    let counts = || (count(&session, "PutObject"), count(&session, "CopyObject"));
    let (puts, _) = counts();
    let place = async |name: &str| session.default_uri(&format!("{name}/source/sourcedir.tar.gz")).await;
    fit("first").await?;
    fit("second").await?;
    assert_eq!(counts(), (puts + 1, 1));
    assert_eq!(session.read(&place("first").await?).await?, session.read(&place("second").await?).await?);
    let second = session.aws().s3().head_object().bucket(session.default_bucket().await?);
    let second = second.key(place("second").await?.key()).send().await.unwrap();
    assert_eq!(second.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    // What was put in its place meanwhile is not taken for it.
    session.upload_bytes("other", &place("second").await?, &ContentType::from("application/gzip")).await?;
    fit("third").await?;
    assert_eq!(counts(), (puts + 3, 1), "the other one, and the code again");
    Ok(())
}

#[tokio::test]
async fn nothing_is_sent_when_code_is_missing() -> Result<()> {
    let session = Session::local();
    let folder = folder(&[("fit.py", "")]);
    let before = operations(&session).len();
    let source = SourceCode::script("other.py").source_dir(folder.path()).dependency("/no/such/folder");
    let error = sklearn(&source)?.fit(&session, TrainingInput::csv("s3://bucket/x")).await.unwrap_err();
    let fields: Vec<_> = error.invalid_values().iter().map(|value| value.field.as_str()).collect();
    assert_eq!(fields, ["entry_point", "dependencies[0]"]);
    assert_eq!(operations(&session).len(), before);
    let error = sklearn(&SourceCode::script("s3://b/fit.py").code_location("nowhere")).unwrap_err();
    let fields: Vec<_> = error.invalid_values().iter().map(|value| value.field.as_str()).collect();
    assert_eq!(fields, ["entry_point", "code_location"]);
    Ok(())
}

#[tokio::test]
async fn without_a_network_code_comes_by_a_channel() -> Result<()> {
    let session = Session::local();
    session.ensure_bucket().await?;
    let data = put(&session, "train/x.csv", "1,2\n").await?;
    let folder = folder(&[("train.py", "print()")]);
    let torch = PyTorch::builder(folder.path().join("train.py"))
        .framework_version("2.0.1")
        .py_version("py310")
        .network_isolation()
        .compute(Compute::instances("ml.m5.large", 1))
        .build()?;
    let job = torch.fit(&session, [("train", TrainingInput::csv(data))]).job_name("alone").await?;
    let job = job.describe().await?;
    let channels: Vec<_> = job.raw().input_data_config().iter().filter_map(|channel| channel.channel_name()).collect();
    assert_eq!(channels, ["train", "code"]);
    let told = &job.raw().hyper_parameters().unwrap()["sagemaker_submit_directory"];
    assert_eq!(told, "\"/opt/ml/input/data/code/sourcedir.tar.gz\"");
    let uploaded = session.default_uri("alone/source/sourcedir.tar.gz").await?;
    assert_eq!(files(&session, &uploaded).await.keys().collect::<Vec<_>>(), ["train.py"]);
    Ok(())
}

#[tokio::test]
async fn much_code_travels_in_parts_and_leaves_none_behind() -> Result<()> {
    let session = Session::local();
    let bucket = session.ensure_bucket().await?;
    let folder = folder(&[("fit.py", "x")]);
    let noise: Vec<u8> = (0u32..14_000_000).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let noise: Vec<u8> = noise.iter().enumerate().map(|(i, b)| b ^ (i.wrapping_mul(i) >> 7) as u8).collect();
    write(folder.path(), "weights.bin", &noise);
    let source = SourceCode::script("fit.py").source_dir(folder.path());
    let model = || FrameworkModel::sklearn("1.2-1").source(source.clone()).name("big");
    model().create(&session, "ml.m5.large").await?.await?;
    let uploaded = session.default_uri("big/sourcedir.tar.gz").await?;
    assert_eq!(files(&session, &uploaded).await["weights.bin"], noise);
    assert!(count(&session, "UploadPart") >= 2, "{:?}", operations(&session));

    std::fs::remove_file(folder.path().join("fit.py"))?;
    let error = model().create(&session, "ml.m5.large").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let left = session.aws().s3().list_multipart_uploads().bucket(bucket).send().await.unwrap();
    assert!(left.uploads().is_empty());
    Ok(())
}

fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(writer);
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        // Straight into the header, as names that lead out are what is tested.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        archive.append(&header, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

#[tokio::test]
async fn code_takes_its_place_in_the_artifacts() -> Result<()> {
    let session = Session::local();
    session.ensure_bucket().await?;
    let data = session.default_uri("model.tar.gz").await?;
    let artifacts = packed(&[("./model.pth", "weights"), ("code/old.py", "old"), ("code/inference.py", "older")]);
    session.upload_bytes(artifacts, &data, &ContentType::from("application/gzip")).await?;
    let folder = folder(&[("serve/inference.py", "new"), ("serve/util.py", "u"), ("tools/t.py", "t")]);
    let serve = folder.path().join("serve");
    let target = session.default_uri("torch/model.tar.gz").await?;
    let create = async |source: SourceCode| -> Result<_> {
        let model = FrameworkModel::pytorch("2.0.1", "py310").source(source).model_data(data.to_string()).name("torch");
        let prepared = model.create(&session, "ml.m5.large").await?;
        let names = files(&session, &target)
            .await
            .into_iter()
            .map(|(name, content)| format!("{name}={}", String::from_utf8(content).unwrap()));
        Ok((prepared, names.collect::<Vec<_>>()))
    };

    let whole = SourceCode::script("inference.py").source_dir(&serve).dependency(folder.path().join("tools"));
    let (prepared, names) = create(whole).await?;
    assert_eq!(names, ["code/inference.py=new", "code/lib/tools/t.py=t", "code/util.py=u", "model.pth=weights"]);
    let created = prepared.await?;
    let model = created.describe().await?;
    let container = model.raw().primary_container().unwrap();
    assert_eq!(container.model_data_url(), Some(target.to_string().as_str()));
    let told = container.environment().unwrap();
    assert_eq!(told["SAGEMAKER_SUBMIT_DIRECTORY"], "/opt/ml/model/code");
    assert_eq!(told["SAGEMAKER_PROGRAM"], "inference.py");

    // While there is a model of the name, its artifacts stay.
    created.delete().await?;
    let (_, names) = create(SourceCode::script(serve.join("inference.py"))).await?;
    assert_eq!(names, ["code/inference.py=new", "code/old.py=old", "model.pth=weights"]);
    let (_, names) = create(SourceCode::script("inference.py")).await?;
    assert_eq!(names, ["code/inference.py=older", "code/old.py=old", "model.pth=weights"]);
    let error = create(SourceCode::script("nowhere.py")).await.unwrap_err();
    assert_eq!((error.kind(), error.invalid_values()[0].field.as_str()), (ErrorKind::InvalidInput, "entry_point"));
    Ok(())
}

#[tokio::test]
async fn artifacts_that_lead_out_or_are_none_are_refused() -> Result<()> {
    let session = Session::local();
    session.ensure_bucket().await?;
    let data = session.default_uri("model.tar.gz").await?;
    let folder = folder(&[("inference.py", "")]);
    for bad in
        [packed(&[("../../etc/passwd", "x")]), b"no archive at all".to_vec(), packed(&[("a", "b")])[..20].to_vec()]
    {
        session.upload_bytes(bad, &data, &ContentType::from("application/gzip")).await?;
        let source = folder.path().join("inference.py");
        let model = FrameworkModel::tensorflow("2.11").source(source).model_data(data.to_string());
        let error = model.create(&session, "ml.m5.large").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    let missing = FrameworkModel::tensorflow("2.11").source(folder.path().join("inference.py"));
    let error = missing.clone().create(&session, "ml.m5.large").await.unwrap_err();
    assert_eq!(error.invalid_values()[0].field, "model_data");
    let nowhere = session.default_uri("nothing.tar.gz").await?;
    let error = missing.model_data(nowhere.to_string()).create(&session, "ml.m5.large").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    Ok(())
}
