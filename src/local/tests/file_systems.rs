//! Training on folders that stand for EFS and FSx for Lustre.

use std::path::Path;

use aws_sdk_sagemaker::types as sm;

use super::support::*;
use crate::local::LocalBackend;
#[cfg(unix)]
use crate::local::engines::process::ProcessEngine;

const ID: &str = "fs-0123456789abcdef0";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let file = place.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    place
}

fn mounted(id: &str, path: &str, kind: sm::FileSystemType, mode: sm::FileSystemAccessMode) -> sm::Channel {
    let source = sm::FileSystemDataSource::builder()
        .file_system_id(id)
        .file_system_type(kind)
        .file_system_access_mode(mode)
        .directory_path(path)
        .build();
    let source = sm::DataSource::builder().file_system_data_source(source).build();
    sm::Channel::builder().channel_name("train").data_source(source).build()
}

fn of(folder: &Path, engine: impl crate::local::engines::Engine) -> Aws {
    let aws = Aws::of(LocalBackend::builder().engine(engine).file_system(ID, folder).build());
    aws.backend.core().s3.create_bucket("out");
    aws
}

/// Why the job failed, if it did.
async fn failure(aws: &Aws, name: &str, channel: sm::Channel) -> Option<String> {
    let network = sm::VpcConfig::builder().subnets("subnet-01234567").security_group_ids("sg-01234567").build();
    aws.train(name).vpc_config(network).set_input_data_config(Some(vec![channel])).send().await.unwrap();
    aws.ended(name).await.failure_reason().map(str::to_owned)
}

#[tokio::test]
async fn an_engine_reads_the_files() {
    let place = folder(&[("numbers/a.csv", "1,2\n"), ("numbers/b/c.csv", "6\n"), ("other.csv", "100\n")]);
    let aws = of(place.path(), Mean);
    let ro = || sm::FileSystemAccessMode::Ro;
    let efs = mounted(ID, "/numbers", sm::FileSystemType::Efs, ro());
    assert_eq!(failure(&aws, "efs", efs).await, None);
    let lines = aws.lines("/aws/sagemaker/TrainingJobs").await;
    assert!(["reading a.csv", "reading b/c.csv", "mean=3"].iter().all(|line| lines.iter().any(|said| said == line)));
    let lustre = mounted(ID, "/fsx/numbers/b", sm::FileSystemType::Fsxlustre, ro());
    assert_eq!(failure(&aws, "lustre", lustre).await, None);
    assert!(aws.lines("/aws/sagemaker/TrainingJobs").await.contains(&"mean=6".to_owned()));
    let acted_on = |path: &str| !aws.backend.ignored().iter().any(|field| field.path.contains(path));
    assert!(acted_on("FileSystemDataSource"));
}

#[tokio::test]
async fn what_cannot_be_mounted_fails_the_job() {
    let place = folder(&[("numbers/a.csv", "1,2\n")]);
    let aws = of(place.path(), Mean);
    let efs = |id: &str, path: &str| mounted(id, path, sm::FileSystemType::Efs, sm::FileSystemAccessMode::Ro);
    let reason = failure(&aws, "unknown", efs("fs-99999999", "/numbers")).await.unwrap();
    let begins = "ClientError: Unable to mount file system: fs-99999999 directory path: /numbers. The local backend does \
                  not know this file system";
    assert!(reason.starts_with(begins) && reason.contains(".file_system(\"fs-99999999\", folder)"), "{reason}");
    for (name, path) in [("missing", "/nothing"), ("outside", "/numbers/../..")] {
        let reason = failure(&aws, name, efs(ID, path)).await.unwrap();
        assert_eq!(
            reason,
            format!(
                "ClientError: Unable to mount file system: {ID} directory path: {path}. Incorrect mount path. Please \
                 ensure the mount path specified exists on the filesystem."
            )
        );
    }
    let refused = aws.train("alone").set_input_data_config(Some(vec![efs(ID, "/numbers")])).send().await;
    assert_eq!(refusal(refused), validation("VpcConfig must be specified when FileSystemDataSource is used."));
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_writes_only_where_it_may() {
    let place = folder(&[("numbers/a.csv", "1\n")]);
    let script = r#"
        cd "$SM_CHANNEL_TRAIN"
        [ -w a.csv ] && [ -n "$(find . -name a.csv -perm -u+w)" ] && echo "seen" > by-the-job
        cat a.csv > "$SM_MODEL_DIR/a.csv"
    "#;
    let aws = of(place.path(), ProcessEngine::for_image("mean").train_with(["/bin/sh", "-c", script]));
    let efs = |mode| mounted(ID, "/numbers", sm::FileSystemType::Efs, mode);
    assert_eq!(failure(&aws, "read", efs(sm::FileSystemAccessMode::Ro)).await, None);
    assert!(!place.path().join("numbers/by-the-job").exists());
    assert_eq!(failure(&aws, "write", efs(sm::FileSystemAccessMode::Rw)).await, None);
    assert_eq!(std::fs::read_to_string(place.path().join("numbers/by-the-job")).unwrap(), "seen\n");
    assert_eq!(std::fs::read_to_string(place.path().join("numbers/a.csv")).unwrap(), "1\n");
}
