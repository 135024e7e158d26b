//! Doors to parsers inside the backend for the targets in `fuzz/`; only there with `--cfg fuzzing`, which `cargo fuzz`
//! sets.

use bytes::Bytes;

use super::jobs::transform::{JsonPath, Split, payloads};
use super::services::logs;
use super::{archive, data};

/// A `model.tar.gz`.
pub fn unpack(bytes: &[u8]) {
    let _ = archive::unpack(bytes);
}

/// A gzipped object of a channel.
pub fn gunzip(bytes: &[u8]) {
    let _ = archive::gunzip(bytes, 1 << 20);
}

/// A `ManifestFile`.
pub fn manifest(bytes: &[u8]) {
    let _ = data::manifest_inputs(bytes, "s3://bucket/manifest");
}

/// The object of a transform job, in all ways to split it.
pub fn split_records(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    for split in [Split::None, Split::Line, Split::RecordIo, Split::TfRecord] {
        for (several, limit) in [(false, None), (true, Some(64))] {
            let _ = payloads(split, several, limit, &body);
        }
    }
}

/// What transform jobs and logs are asked with.
pub fn expressions(text: &str) {
    let _ = JsonPath::parse(text);
    logs::expressions(text);
}
