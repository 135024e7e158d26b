use aws_sdk_sagemaker::types as sdk;

/// How input files are cut into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SplitType {
    /// Not at all: a file is a record.
    None,
    /// At line breaks: CSV, LIBSVM, JSON Lines.
    Line,
    /// RecordIO frames.
    RecordIO,
    /// TFRecord frames.
    TFRecord,
}

/// How many records a request to the container carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchStrategy {
    /// One.
    SingleRecord,
    /// As many as fit into the maximum payload.
    MultiRecord,
}

/// How the answers are put together in the output file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssembleWith {
    /// One behind the other.
    None,
    /// With a line break behind each.
    Line,
}

impl SplitType {
    pub(super) fn to_request(self) -> sdk::SplitType {
        match self {
            Self::None => sdk::SplitType::None,
            Self::Line => sdk::SplitType::Line,
            Self::RecordIO => sdk::SplitType::Recordio,
            Self::TFRecord => sdk::SplitType::Tfrecord,
        }
    }
}

impl BatchStrategy {
    pub(super) fn to_request(self) -> sdk::BatchStrategy {
        match self {
            Self::SingleRecord => sdk::BatchStrategy::SingleRecord,
            Self::MultiRecord => sdk::BatchStrategy::MultiRecord,
        }
    }
}

impl AssembleWith {
    pub(super) fn to_request(self) -> sdk::AssemblyType {
        match self {
            Self::None => sdk::AssemblyType::None,
            Self::Line => sdk::AssemblyType::Line,
        }
    }
}
