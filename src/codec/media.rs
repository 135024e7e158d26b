use crate::types::ContentType;
use crate::{Error, ErrorKind, Result};

/// Refuses a response that clearly declares another format than `wanted`.
///
/// Many containers declare nothing of use: a body without a type arrives as `application/octet-stream`, and a Flask
/// container that sets no type says `text/html`. Those pass, and the parser is the judge.
pub(super) fn expect(wanted: &str, content_type: &ContentType, is_ours: fn(&str) -> bool) -> Result<()> {
    let essence = content_type.essence();
    let undeclared = matches!(essence.as_str(), "" | "*/*" | "application/octet-stream" | "binary/octet-stream");
    let vague_text =
        essence.starts_with("text/") && !["csv", "libsvm", "json"].iter().any(|format| essence.ends_with(format));
    if undeclared || vague_text || is_ours(&essence) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Deserialization,
        format!(
            "expected {wanted}, the response is {}; give the predictor a deserializer for that type",
            super::shortened(content_type.as_str().as_bytes())
        ),
    ))
}

pub(super) fn is_csv(essence: &str) -> bool {
    matches!(essence, "text/csv" | "application/csv" | "text/x-csv" | "application/x-csv")
}

pub(super) fn is_json(essence: &str) -> bool {
    matches!(essence, "application/json" | "text/json" | "text/x-json") || essence.ends_with("+json")
}

pub(super) fn is_json_lines(essence: &str) -> bool {
    matches!(
        essence,
        "application/jsonlines"
            | "application/jsonl"
            | "application/json-lines"
            | "application/x-jsonlines"
            | "application/x-jsonl"
            | "application/x-ndjson"
            | "application/ndjson"
    ) || is_json(essence)
}

pub(super) fn is_recordio(essence: &str) -> bool {
    matches!(essence, "application/x-recordio-protobuf" | "application/x-recordio")
}

pub(super) fn is_npy(essence: &str) -> bool {
    matches!(essence, "application/x-npy" | "application/npy")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_format_is_refused() {
        for (content_type, csv, json, lines) in [
            ("text/csv", true, false, false),
            ("Text/CSV; charset=utf-8", true, false, false),
            ("application/json", false, true, true),
            ("application/problem+json", false, true, true),
            ("application/jsonlines", false, false, true),
            ("application/octet-stream", true, true, true),
            ("text/html; charset=utf-8", true, true, true),
            ("", true, true, true),
            ("application/x-npy", false, false, false),
            ("text/libsvm", false, false, false),
        ] {
            let content_type = ContentType::from(content_type);
            assert_eq!(expect("text/csv", &content_type, is_csv).is_ok(), csv, "{content_type}");
            assert_eq!(expect("application/json", &content_type, is_json).is_ok(), json, "{content_type}");
            assert_eq!(expect("application/jsonlines", &content_type, is_json_lines).is_ok(), lines, "{content_type}");
        }
    }

    #[test]
    fn the_message_names_what_came() {
        let error = expect("text/csv", &ContentType::JSON, is_csv).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deserialization);
        assert!(error.to_string().contains("\"application/json\""), "{error}");
    }
}
