//! A model's artifacts.

use aws_sdk_sagemaker::types as sdk;

use crate::Result;
use crate::types::S3Uri;

/// Where artifacts are, and in what form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ModelData {
    /// A `model.tar.gz`.
    Archive(S3Uri),
    /// The files as they are, below a URI that ends with a slash, as the service wants it.
    Files(S3Uri),
}

impl ModelData {
    /// Files below a URI.
    pub(crate) fn files(uri: &S3Uri) -> Result<Self> {
        S3Uri::new(uri.bucket(), format!("{}/", uri.key().trim_end_matches('/'))).map(Self::Files)
    }

    /// The URI of an archive.
    pub(super) fn url(&self) -> Option<String> {
        match self {
            Self::Archive(uri) => Some(uri.to_string()),
            Self::Files(_) => None,
        }
    }

    /// The place of files.
    pub(super) fn source(&self) -> Option<sdk::ModelDataSource> {
        match self {
            Self::Archive(_) => None,
            Self::Files(uri) => {
                let files = sdk::S3ModelDataSource::builder()
                    .s3_uri(uri.to_string())
                    .s3_data_type(sdk::S3ModelDataType::S3Prefix)
                    .compression_type(sdk::ModelCompressionType::None)
                    .build();
                Some(sdk::ModelDataSource::builder().s3_data_source(files).build())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_below_a_slash() {
        for uri in ["s3://bucket/job/output/model", "s3://bucket/job/output/model/"] {
            let data = ModelData::files(&uri.parse().unwrap()).unwrap();
            let source = data.source().unwrap();
            assert_eq!(source.s3_data_source().unwrap().s3_uri(), Some("s3://bucket/job/output/model/"));
            assert_eq!(data.url(), None);
        }
    }
}
