use super::SplitType;
use crate::types::ContentType;

/// What a batch transform reads: an object, or every object below a prefix.
///
/// ```
/// use sagemaker::transform::TransformInput;
///
/// let rows = TransformInput::csv("s3://my-bucket/bike/test.csv"); // cut at lines
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransformInput {
    pub(super) uri: String,
    pub(super) content_type: Option<ContentType>,
    pub(super) split_type: Option<SplitType>,
    pub(super) gzip: bool,
}

impl TransformInput {
    /// Files of any kind; the URI is checked when the job starts.
    pub fn new(uri: impl Into<String>) -> Self {
        Self { uri: uri.into(), content_type: None, split_type: None, gzip: false }
    }

    /// CSV without header, cut at lines.
    pub fn csv(uri: impl Into<String>) -> Self {
        Self::new(uri).content_type(ContentType::CSV).split_type(SplitType::Line)
    }

    /// The `Content-Type` of the requests to the container. Default: none.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<ContentType>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// How files are cut into records. Default: not at all.
    #[must_use]
    pub fn split_type(mut self, split_type: SplitType) -> Self {
        self.split_type = Some(split_type);
        self
    }

    /// The files are gzipped.
    #[must_use]
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }
}
