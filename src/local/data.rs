//! Input data in S3: prefixes and manifests.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bytes::Bytes;
use serde_json::Value;

use super::archive;
use super::aws_error::AwsError;
use super::backend::Core;
use crate::types::S3Uri;

/// An object to read, and its path as a container sees it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Input {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) path: String,
}

/// What a job may still read: everything is kept in memory.
#[derive(Debug)]
pub(super) struct Budget {
    limit: u64,
    left: u64,
}

impl Budget {
    /// A budget in bytes.
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, left: limit }
    }

    /// Reads an object, unpacked if it is gzipped; the text says why it cannot be read.
    pub(super) fn read(&mut self, core: &Core, input: &Input, gzip: bool) -> Result<Bytes, String> {
        let name = format!("s3://{}/{}", input.bucket, input.key);
        let mut body = input.read(core).ok_or_else(|| format!("{name} does not exist"))?;
        if gzip {
            body = archive::gunzip(&body, self.left).map_err(|why| format!("{name}: {why}"))?;
        }
        self.spend(body.len(), &name)?;
        Ok(body)
    }

    /// Reads a file of this machine, which messages call `name`.
    pub(super) fn read_file(&mut self, file: &Path, name: &str) -> Result<Bytes, String> {
        let mut content = Vec::new();
        let read = File::open(file).and_then(|file| file.take(self.left.saturating_add(1)).read_to_end(&mut content));
        read.map_err(|error| format!("{name} cannot be read: {error}"))?;
        self.spend(content.len(), name)?;
        Ok(Bytes::from(content))
    }

    fn spend(&mut self, bytes: usize, name: &str) -> Result<(), String> {
        let Some(left) = self.left.checked_sub(bytes as u64) else {
            let limit = self.limit;
            return Err(format!("{name}: the job reads more than the {limit} bytes that the local backend allows"));
        };
        self.left = left;
        Ok(())
    }
}

impl Input {
    pub(super) fn read(&self, core: &Core) -> Option<Bytes> {
        core.s3.get(&self.bucket, &self.key)
    }
}

/// The objects of an `S3DataSource` in key order (of a manifest: in its order).
pub(super) fn resolve(core: &Core, data_type: &str, uri: &str, role: &str) -> Result<Vec<Input>, AwsError> {
    let place = s3_uri(uri)?;
    if !is_in_reach(core, place.bucket()) {
        return Err(no_objects(core, &place, role));
    }
    match data_type {
        "S3Prefix" => {
            let inputs = below(core, &place);
            if inputs.is_empty() && !core.is_lenient() { Err(no_objects(core, &place, role)) } else { Ok(inputs) }
        }
        AUGMENTED if core.s3.get(place.bucket(), place.key()).is_none() => Err(no_objects(core, &place, role)),
        AUGMENTED => {
            let (bucket, key) = (place.bucket().to_owned(), place.key().to_owned());
            Ok(vec![Input { bucket, key, path: place.file_name().to_owned() }])
        }
        "ManifestFile" => match core.s3.get(place.bucket(), place.key()) {
            Some(manifest) => manifest_inputs(&manifest, uri),
            None if core.is_lenient() => Ok(Vec::new()),
            None => Err(no_objects(core, &place, role)),
        },
        other => Err(AwsError::validation(format!("The local backend does not support the S3DataType {other} yet."))),
    }
}

/// The `S3DataType` of manifests whose lines name data and labels.
pub(super) const AUGMENTED: &str = "AugmentedManifestFile";

/// What the lines of an augmented manifest name, in their order: objects for attributes that end with `-ref`, the
/// values themselves for others. The text says what is wrong.
pub(super) fn augmented(
    core: &Core,
    uri: &str,
    attributes: &[String],
    budget: &mut Budget,
) -> Result<Vec<(String, Bytes)>, String> {
    let place: S3Uri = uri.parse().map_err(|_| format!("{uri} is no S3 URI"))?;
    let manifest = Input { bucket: place.bucket().to_owned(), key: place.key().to_owned(), path: String::new() };
    let manifest = budget.read(core, &manifest, false)?;
    let mut files = Vec::new();
    let lines = manifest.split(|&b| b == b'\n').filter(|line| !line.trim_ascii().is_empty());
    for (line, number) in lines.zip(1..) {
        let bad = |why: &str| format!("line {number} of the augmented manifest {uri}: {why}");
        let record: Value = serde_json::from_slice(line).map_err(|_| bad("it is no JSON"))?;
        for attribute in attributes {
            let value = record.get(attribute).ok_or_else(|| bad(&format!("it has no attribute {attribute}")))?;
            match value.as_str().filter(|_| attribute.ends_with("-ref")) {
                Some(uri) => {
                    let place: S3Uri = uri.parse().map_err(|_| bad(&format!("{attribute} is no S3 URI")))?;
                    let (bucket, key) = (place.bucket().to_owned(), place.key().to_owned());
                    let path = format!("{number}-{}", place.file_name());
                    files.push((path, budget.read(core, &Input { bucket, key, path: String::new() }, false)?));
                }
                None => files.push((format!("{number}-{attribute}.json"), Bytes::from(value.to_string()))),
            }
        }
    }
    if files.is_empty() { Err(format!("the augmented manifest {uri} is empty")) } else { Ok(files) }
}

/// Parses an S3 URI.
pub(super) fn s3_uri(uri: &str) -> Result<S3Uri, AwsError> {
    uri.parse().map_err(|_| AwsError::validation(format!("Invalid S3 URI \"{uri}\": the form is s3://bucket/key")))
}

/// Parses the place for outputs; a lenient backend forgives upper case, and takes a mere name for that of a bucket.
pub(super) fn output_uri(core: &Core, uri: &str) -> Result<S3Uri, AwsError> {
    s3_uri(uri).or_else(|refused| {
        let lower = uri.to_lowercase();
        let forgiven = || lower.parse().or_else(|_| format!("s3://{lower}").parse());
        if core.is_lenient() { forgiven().map_err(|_| refused) } else { Err(refused) }
    })
}

/// Whether a bucket, if it exists, is in the region of whoever uses it; a lenient backend does not care.
pub(super) fn is_in_reach(core: &Core, bucket: &str) -> bool {
    core.is_lenient() || core.s3.region_of(bucket).is_none_or(|region| region == core.place.region)
}

/// Refuses an output place whose bucket does not exist, or is in another region.
pub(super) fn check_output_bucket(core: &Core, place: &S3Uri) -> Result<(), AwsError> {
    if core.s3.bucket_exists(place.bucket()) && is_in_reach(core, place.bucket()) {
        return Ok(());
    }
    if core.is_lenient() {
        core.s3.create_bucket(place.bucket());
        return Ok(());
    }
    Err(AwsError::validation(format!(
        "Could not find the output S3 bucket \"{}\" in region {}. Please ensure that the bucket exists and that the \
         role has \"s3:PutObject\" permissions on it.",
        place.bucket(),
        core.place.region
    )))
}

/// The objects below a prefix; folder markers (empty objects whose key ends with a slash) are no data.
pub(super) fn below(core: &Core, place: &S3Uri) -> Vec<Input> {
    let objects = core.s3.list(place.bucket(), place.key());
    let data = objects.into_iter().filter(|object| !object.key.ends_with('/'));
    data.map(|object| Input {
        bucket: place.bucket().to_owned(),
        path: relative(place.key(), &object.key).to_owned(),
        key: object.key,
    })
    .collect()
}

/// The path of a key below a prefix. A prefix may be a folder, a single object or the beginning of names.
fn relative<'a>(prefix: &str, key: &'a str) -> &'a str {
    let rest = key.strip_prefix(prefix).unwrap_or(key);
    if let Some(rest) = rest.strip_prefix('/') {
        return rest;
    }
    let folder = prefix.rfind('/').map_or(0, |slash| slash + 1);
    key.get(folder..).unwrap_or(key)
}

/// A manifest: `[{"prefix": "s3://bucket/folder/"}, "a.csv", "b.csv"]`.
pub(super) fn manifest_inputs(manifest: &[u8], uri: &str) -> Result<Vec<Input>, AwsError> {
    let bad = |why: &str| AwsError::validation(format!("The manifest file \"{uri}\" is invalid: {why}"));
    let Ok(Value::Array(items)) = serde_json::from_slice(manifest) else { return Err(bad("it is no JSON list")) };
    let (first, names) = items.split_first().ok_or_else(|| bad("it is empty"))?;
    let prefix = first.get("prefix").and_then(Value::as_str).ok_or_else(|| bad("it does not begin with a prefix"))?;
    let base = s3_uri(prefix)?;
    if names.is_empty() {
        return Err(bad("it names no objects"));
    }
    let input = |name: &Value| {
        let name = name.as_str().ok_or_else(|| bad("an entry is not text"))?;
        Ok(Input { bucket: base.bucket().to_owned(), key: format!("{}{name}", base.key()), path: name.to_owned() })
    };
    names.iter().map(input).collect()
}

fn no_objects(core: &Core, place: &S3Uri, role: &str) -> AwsError {
    let (bucket, region) = (place.bucket(), &core.place.region);
    AwsError::validation(format!(
        "No S3 objects found under S3 URL \"{place}\" given in input data source. Please ensure that the bucket exists \
         in the selected region ({region}), that objects exist under that S3 prefix, and that the role \"{role}\" has \
         \"s3:ListBucket\" permissions on bucket \"{bucket}\"."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_prefix() {
        assert_eq!(relative("data/train", "data/train/a.csv"), "a.csv");
        assert_eq!(relative("data/train/", "data/train/x/a.csv"), "x/a.csv");
        assert_eq!(relative("data/train.csv", "data/train.csv"), "train.csv");
        assert_eq!(relative("data/tr", "data/train/a.csv"), "train/a.csv");
        assert_eq!(relative("", "a/b.csv"), "a/b.csv");
        assert_eq!(relative("top", "top.csv"), "top.csv");
    }

    #[test]
    fn manifests_name_their_objects() {
        let inputs = manifest_inputs(br#"[{"prefix": "s3://bucket/in/"}, "a.csv", "x/b.csv"]"#, "s3://m").unwrap();
        assert_eq!(inputs[1].key, "in/x/b.csv");
        assert_eq!(inputs[1].path, "x/b.csv");
        for bad in ["", "{}", "[]", r#"["a"]"#, r#"[{"prefix": "s3://bucket/"}]"#, r#"[{"prefix": "s3://bucket/"}, 1]"#]
        {
            assert!(manifest_inputs(bad.as_bytes(), "s3://m").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_budget_is_for_all_objects_together() {
        let backend = crate::local::LocalBackend::new();
        let core = backend.core();
        core.s3.create_bucket("b");
        assert!(core.s3.put("b", "k", Bytes::from("12345"), None));
        let input = |key: &str| Input { bucket: "b".into(), key: key.into(), path: key.into() };
        let mut budget = Budget::new(9);
        assert_eq!(budget.read(core, &input("no"), false), Err("s3://b/no does not exist".to_owned()));
        assert_eq!(budget.read(core, &input("k"), false), Ok(Bytes::from("12345")));
        let refused = budget.read(core, &input("k"), false).unwrap_err();
        assert_eq!(refused, "s3://b/k: the job reads more than the 9 bytes that the local backend allows");
    }
}
