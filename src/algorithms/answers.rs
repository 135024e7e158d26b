use serde::Deserialize;

use crate::types::ContentType;

/// The answers of a built-in algorithm in JSON: `Json::of::<Predictions<T>>()` with the answer of an algorithm as `T`.
///
/// ```
/// use sagemaker::algorithms::{Predictions, kmeans::ClosestCluster};
/// use sagemaker::codec::{Deserializer, Json};
/// use sagemaker::types::ContentType;
///
/// let body = r#"{"predictions": [{"closest_cluster": 1.0, "distance_to_cluster": 3.5}]}"#;
/// let answer = Json::of::<Predictions<ClosestCluster>>().deserialize(body.into(), &ContentType::JSON)?;
/// assert_eq!(answer.predictions[0].distance_to_cluster, 3.5);
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Predictions<T> {
    /// One for each row that was sent. PCA calls them `projections`, Random Cut Forest `scores`.
    #[serde(alias = "projections", alias = "scores")]
    pub predictions: Vec<T>,
}

/// An answer: its fields are labels of a record, and keys in JSON. A field is a number, a list, or an
/// `Option` of these.
macro_rules! answer {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ident,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[$field_doc])*
                pub $field: $crate::algorithms::answers::answer!(@type $kind),
            )+
        }

        impl $crate::codec::recordio::FromRecord for $name {
            fn from_record(record: &$crate::codec::recordio::Record) -> $crate::Result<Self> {
                Ok(Self { $($field: $crate::algorithms::answers::answer!(@read $kind, record, stringify!($field)),)+ })
            }
        }
    };
    (@type number) => { f64 };
    (@type maybe) => { Option<f64> };
    (@type list) => { Vec<f64> };
    (@type maybe_list) => { Option<Vec<f64>> };
    (@read number, $record:ident, $name:expr) => { $record.scalar($name)? };
    (@read maybe, $record:ident, $name:expr) => { $record.label($name).map(|_| $record.scalar($name)).transpose()? };
    (@read list, $record:ident, $name:expr) => { $record.vector($name)? };
    (@read maybe_list, $record:ident, $name:expr) => { $record.label($name).map($crate::codec::recordio::Tensor::to_f64) };
}
pub(super) use answer;

/// What the algorithms on tables read.
pub(super) const TABLES: &[ContentType] = &[ContentType::RECORDIO_PROTOBUF, ContentType::CSV];
pub(super) const RECORDS: &[ContentType] = &[ContentType::RECORDIO_PROTOBUF];
pub(super) const CSV: &[ContentType] = &[ContentType::CSV];
pub(super) const JSON: &[ContentType] = &[ContentType::JSON];
pub(super) const TEXT: &[ContentType] = &[ContentType::TEXT];
/// Text, or lines of JSON in a manifest that is read in a pipe.
pub(super) const SENTENCES: &[ContentType] = &[ContentType::TEXT, ContentType::JSON_LINES];
pub(super) const JSON_LINES: &[ContentType] = &[ContentType::JSON_LINES];
pub(super) const MODEL: &[ContentType] = &[ContentType::from_static("application/x-sagemaker-model")];
pub(super) const IMAGES: &[ContentType] = &[
    ContentType::from_static("application/x-image"),
    ContentType::from_static("application/x-recordio"),
    ContentType::from_static("image/jpeg"),
    ContentType::from_static("image/png"),
];
/// Notes on images, a file of JSON each.
pub(super) const ANNOTATIONS: &[ContentType] = &[
    ContentType::JSON,
    ContentType::from_static("application/x-image"),
    ContentType::from_static("application/x-recordio"),
    ContentType::from_static("image/jpeg"),
    ContentType::from_static("image/png"),
];
