//! The user's code: where a request says that it is, and what is in it.

use bytes::Bytes;

use crate::local::archive;
use crate::local::data::Budget;
use crate::local::engines::{Channel, ReadObject};
use crate::types::S3Uri;

type Files = Vec<(String, Bytes)>;

/// How much code may be on a file system, in bytes.
const MAX_CODE: u64 = 2 << 30;

/// The archive that the Python SDK uploads.
const ARCHIVE: &str = "sourcedir.tar.gz";

/// A value that may be JSON text, as the Python SDK sends hyperparameters, or plain text.
pub(super) fn unquote(value: &str) -> String {
    serde_json::from_str(value).unwrap_or_else(|_| value.to_owned())
}

/// The files of an archive in S3.
pub(super) fn download(uri: &str, s3: &ReadObject) -> Result<Files, String> {
    let place: S3Uri = uri.parse().map_err(|_| format!("Invalid S3 URI {uri:?} of the script"))?;
    let object = s3(place.bucket(), place.key()).ok_or_else(|| format!("{uri} does not exist"))?;
    archive::unpack(&object).map_err(|why| format!("{uri}: {why}"))
}

/// The files of a channel that brings the code, for a folder such as `/opt/ml/input/data/code`.
pub(super) fn of_channel(folder: &str, channels: &[Channel]) -> Result<Option<Files>, String> {
    let Some(below) = folder.strip_prefix("/opt/ml/input/data/") else { return Ok(None) };
    let name = below.split('/').next().unwrap_or_default();
    let Some(channel) = channels.iter().find(|channel| channel.name == name) else { return Ok(None) };
    let files = files(channel)?;
    match files.iter().find(|(path, _)| path == ARCHIVE) {
        Some((_, packed)) => archive::unpack(packed).map(Some).map_err(|why| format!("{ARCHIVE}: {why}")),
        None => Ok(Some(files)),
    }
}

/// The files of a channel, which may be on a file system.
fn files(channel: &Channel) -> Result<Files, String> {
    let mut files = channel.files.clone();
    if let Some(mount) = &channel.mount {
        let mut budget = Budget::new(MAX_CODE);
        mount.visit(&mut |path, place| {
            files.push((path.to_owned(), budget.read_file(place, path)?));
            Ok(())
        })?;
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::engines::Mount;
    use std::sync::Arc;

    #[test]
    fn values_come_quoted_or_plain() {
        assert_eq!(unquote("\"train.py\""), "train.py");
        assert_eq!(unquote("train.py"), "train.py");
        assert_eq!(unquote("1"), "1");
    }

    #[test]
    fn code_comes_from_s3_or_a_channel() {
        let files = vec![("train.py".to_owned(), Bytes::from("pass"))];
        let packed = archive::pack(&files).unwrap();
        let of_s3 = packed.clone();
        let s3: ReadObject = Arc::new(move |_, key| (key == "c.tar.gz").then(|| of_s3.clone()));
        assert_eq!(download("s3://bucket/c.tar.gz", &s3).unwrap(), files);
        assert_eq!(download("s3://bucket/other", &s3).unwrap_err(), "s3://bucket/other does not exist");
        assert!(download("nowhere", &s3).is_err());

        let plain = Channel { name: "code".to_owned(), files: files.clone(), ..Channel::default() };
        let zipped = Channel { files: vec![(ARCHIVE.to_owned(), packed)], ..plain.clone() };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.py"), "pass").unwrap();
        let mount = Some(Mount { folder: folder.path().to_owned(), writable: false });
        let mounted = Channel { files: Vec::new(), mount, ..plain.clone() };
        for channel in [plain, zipped, mounted] {
            assert_eq!(of_channel("/opt/ml/input/data/code", &[channel]).unwrap(), Some(files.clone()));
        }
        assert_eq!(of_channel("/opt/ml/input/data/code", &[]).unwrap(), None);
        assert_eq!(of_channel("/opt/ml/code", &[]).unwrap(), None);
    }
}
