//! Where code goes, and what the container is told of it.

use std::collections::BTreeMap;

use super::{SourceCode, json_text};
use crate::Result;
use crate::types::S3Uri;

const ARCHIVE: &str = "sourcedir.tar.gz";
/// Where code is found in a container without a network: in a channel named `code`.
const IN_CHANNEL: &str = "/opt/ml/input/data/code/sourcedir.tar.gz";

/// What a job's code needs to know of the job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) job_name: &'a str,
    pub(crate) region: &'a str,
    /// Where the output goes, if that is known; whether the session chose that.
    pub(crate) output: Option<&'a S3Uri>,
    pub(crate) output_is_default: bool,
    pub(crate) output_kms_key: Option<&'a str>,
    pub(crate) network_isolation: bool,
}

/// Code with its place in S3.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    /// The archive's URI as the container is told, if it is known.
    pub(crate) uri: Option<String>,
    /// The same where it is to be uploaded.
    pub(crate) upload: Option<S3Uri>,
    pub(crate) kms_key: Option<String>,
    pub(crate) hyperparameters: BTreeMap<String, String>,
}

impl SourceCode {
    /// Where the code goes, and the hyperparameters that name it.
    pub(crate) fn staged(&self, place: &Place<'_>) -> Result<Staged> {
        let (uri, upload, kms_key) = match self.in_s3() {
            Some(uri) => (Some(uri.to_owned()), None, None),
            None => {
                let target = self.target(place)?;
                let same = target.as_ref().map(S3Uri::bucket) == place.output.map(S3Uri::bucket);
                let key = place.output_kms_key.filter(|_| same).map(str::to_owned);
                (target.as_ref().map(ToString::to_string), target, key)
            }
        };
        let directory = if place.network_isolation { Some(IN_CHANNEL) } else { uri.as_deref() };
        let mut hyperparameters = BTreeMap::from([
            ("sagemaker_program".to_owned(), json_text(&self.program())),
            ("sagemaker_container_log_level".to_owned(), self.log_level().to_string()),
            ("sagemaker_job_name".to_owned(), json_text(place.job_name)),
            ("sagemaker_region".to_owned(), json_text(place.region)),
        ]);
        if let Some(directory) = directory {
            hyperparameters.insert("sagemaker_submit_directory".to_owned(), json_text(directory));
        }
        Ok(Staged { uri, upload, kms_key, hyperparameters })
    }

    /// A place that was asked for, or the bucket of the output: with the prefix of one that the session chose, but
    /// without that of another, as in the Python SDK.
    fn target(&self, place: &Place<'_>) -> Result<Option<S3Uri>> {
        let below: S3Uri = match (&self.code_location, place.output) {
            (Some(uri), _) => uri.parse()?,
            (None, None) => return Ok(None),
            (None, Some(output)) if place.output_is_default => output.clone(),
            (None, Some(output)) => S3Uri::new(output.bucket(), "")?,
        };
        Ok(Some(below.join(&format!("{}/source/{ARCHIVE}", place.job_name))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staged(source: &SourceCode, isolated: bool) -> Staged {
        let output = "s3://out/models/deep".parse().unwrap();
        let place = Place {
            job_name: "job-1",
            region: "eu-west-1",
            output: Some(&output),
            output_is_default: false,
            output_kms_key: Some("key"),
            network_isolation: isolated,
        };
        source.staged(&place).unwrap()
    }

    #[test]
    fn code_goes_to_the_bucket_of_the_output_or_where_it_is_told() {
        let plain = staged(&SourceCode::script("dir/train.py"), false);
        assert_eq!(plain.uri.unwrap(), "s3://out/job-1/source/sourcedir.tar.gz");
        assert_eq!(plain.kms_key.as_deref(), Some("key"));
        assert_eq!(plain.hyperparameters["sagemaker_program"], "\"train.py\"");
        assert_eq!(plain.hyperparameters["sagemaker_container_log_level"], "20");

        let told = SourceCode::script("pkg/train.py").source_dir("code").code_location("s3://codes/a/");
        let told = staged(&told, true);
        assert_eq!(told.uri.unwrap(), "s3://codes/a/job-1/source/sourcedir.tar.gz");
        assert_eq!((told.kms_key, told.hyperparameters["sagemaker_program"].as_str()), (None, "\"pkg/train.py\""));
        assert_eq!(told.hyperparameters["sagemaker_submit_directory"], format!("\"{IN_CHANNEL}\""));

        let there = staged(&SourceCode::script("train.py").source_dir("s3://b/s.tar.gz"), false);
        assert_eq!((there.uri.as_deref(), there.upload), (Some("s3://b/s.tar.gz"), None));
    }
}
