//! Content types of channels and requests.

use super::refused;
use crate::local::engines::{Channel, EngineFailure};

pub(in crate::local::engines) const CSV: &str = "text/csv";
pub(in crate::local::engines) const JSON: &str = "application/json";
pub(in crate::local::engines) const JSON_LINES: &str = "application/jsonlines";
pub(in crate::local::engines) const RECORDIO: &str = "application/x-recordio-protobuf";

/// How the rows of a channel are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local::engines) enum Format {
    /// RecordIO-protobuf records, the default.
    RecordIo,
    /// CSV without a header; that many columns at the front are the label.
    Csv { label_size: usize },
}

impl Format {
    pub(in crate::local::engines) fn name(self) -> &'static str {
        match self {
            Self::RecordIo => RECORDIO,
            Self::Csv { .. } => CSV,
        }
    }
}

/// The type before its parameters, in lower case.
pub(in crate::local::engines) fn essence(declared: &str) -> String {
    declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The value of a parameter such as `label_size` in `text/csv;label_size=1`.
pub(in crate::local::engines) fn parameter<'a>(declared: &'a str, name: &str) -> Option<&'a str> {
    let parameters = declared.split(';').skip(1).filter_map(|part| part.split_once('='));
    let mut values = parameters.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim().trim_matches('"'))
}

/// What a channel's content type stands for.
pub(in crate::local::engines) fn format(channel: &Channel, accepted: &[&str]) -> Result<Format, EngineFailure> {
    let declared = channel.content_type.as_deref().unwrap_or_default();
    let essence = match essence(declared) {
        empty if empty.is_empty() => RECORDIO.to_owned(),
        other => other,
    };
    if !accepted.contains(&essence.as_str()) {
        let names: Vec<String> = accepted.iter().map(|name| format!("'{name}'")).collect();
        return Err(refused(format!(
            "Unable to initialize the algorithm. Failed to validate input data configuration. (caused by \
             ValidationError)\n\nCaused by: '{essence}' is not one of [{}]\n\nOn instance['{}']['ContentType']",
            names.join(", "),
            channel.name
        )));
    }
    if essence == RECORDIO {
        return Ok(Format::RecordIo);
    }
    match parameter(declared, "label_size").unwrap_or("1") {
        "0" => Ok(Format::Csv { label_size: 0 }),
        "1" => Ok(Format::Csv { label_size: 1 }),
        other => Err(refused(format!(
            "Unable to initialize the algorithm. Failed to validate input data configuration. (caused by \
             ValidationError)\n\nCaused by: label_size '{other}' is not one of ['0', '1']\n\nOn \
             instance['{}']['ContentType']",
            channel.name
        ))),
    }
}
