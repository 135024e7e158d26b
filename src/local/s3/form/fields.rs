//! The encoding `multipart/form-data`.

use bytes::Bytes;
use http::StatusCode;
use s3s::S3Result;

use super::malformed;
use crate::local::s3::errors;

/// The most bytes before the file.
const MAX_FIELDS: usize = 20 * 1024;

/// A form: its fields in order, with names in small letters, and the file.
#[derive(Debug)]
pub(in crate::local::s3) struct Form {
    pub(super) fields: Vec<(String, String)>,
    file_name: String,
    /// Shares the memory of the body.
    pub(super) file: Bytes,
}

impl Form {
    /// Reads a body; what follows the file is ignored.
    pub(in crate::local::s3) fn read(body: &Bytes, boundary: &str) -> S3Result<Self> {
        let delimiter = format!("\r\n--{boundary}");
        let first = &delimiter.as_bytes()[2..];
        let mut at = match body.starts_with(first) {
            true => first.len(),
            // What precedes the first boundary says nothing.
            false => find(head(body, 0), delimiter.as_bytes()).ok_or_else(malformed)? + delimiter.len(),
        };
        let mut fields = Vec::new();
        loop {
            if body[at..].starts_with(b"--") {
                return Err(errors::argument("POST requires exactly one file upload per request.", "file", "0"));
            }
            if !body[at..].starts_with(b"\r\n") {
                return Err(malformed());
            }
            let headers = find(head(body, at), b"\r\n\r\n").map(|length| at..at + length);
            let headers = headers.ok_or_else(|| unended(body))?;
            let part = Part::of(&body[headers.clone()])?;
            let content = headers.end + 4;
            if part.name == "file" {
                let length = find(&body[content..], delimiter.as_bytes()).ok_or_else(malformed)?;
                let file = body.slice(content..content + length);
                return Ok(Self { fields, file_name: part.file_name, file });
            }
            let length = find(head(body, content), delimiter.as_bytes()).ok_or_else(|| unended(body))?;
            let value = std::str::from_utf8(&body[content..content + length]).map_err(|_| malformed())?;
            fields.push((part.name, value.to_owned()));
            at = content + length + delimiter.len();
        }
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Without folders, as a browser sends it.
    pub(super) fn file_name(&self) -> &str {
        self.file_name.rsplit(['/', '\\']).next().unwrap_or_default()
    }
}

/// What may still be fields.
fn head(body: &[u8], from: usize) -> &[u8] {
    let end = body.len().min(MAX_FIELDS);
    body.get(from..end).unwrap_or_default()
}

fn unended(body: &[u8]) -> s3s::S3Error {
    if body.len() <= MAX_FIELDS {
        return malformed();
    }
    errors::custom(
        "MaxPostPreDataLengthExceededError",
        StatusCode::BAD_REQUEST,
        "Your POST request fields preceding the upload file were too large.",
    )
}

fn find(bytes: &[u8], pattern: &[u8]) -> Option<usize> {
    let first = pattern.first()?;
    let mut at = 0;
    while let Some(further) = bytes[at..].iter().position(|byte| byte == first) {
        at += further;
        if bytes[at..].starts_with(pattern) {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[derive(Debug, Default)]
struct Part {
    name: String,
    file_name: String,
}

impl Part {
    fn of(headers: &[u8]) -> S3Result<Self> {
        let headers = std::str::from_utf8(headers).map_err(|_| malformed())?;
        let disposition = headers.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
        });
        let disposition = disposition.ok_or_else(malformed)?;
        let name = parameter(disposition, "name").ok_or_else(malformed)?.to_ascii_lowercase();
        Ok(Self { name, file_name: parameter(disposition, "filename").unwrap_or_default() })
    }
}

/// A parameter such as `name="key"`; a value may hold semicolons and escaped quotes.
fn parameter(disposition: &str, wanted: &str) -> Option<String> {
    let mut rest = disposition.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted)?,
            None => {
                let (value, next) = after.split_once(';').unwrap_or((after, ""));
                (value.trim().to_owned(), next)
            }
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = next.trim_start().strip_prefix(';').unwrap_or(next);
    }
}

fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            // Some clients send the folders of another system: only a quote is taken as escaped.
            '\\' if text[at + 1..].starts_with('"') => {
                value.push('"');
                characters.next();
            }
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(fields: &[(&str, &str)], file: &[u8]) -> Bytes {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--xx\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let head = "--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\\\a;\\\"b\"\r\nContent-Type: \
                    text/plain\r\n\r\n";
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--xx--\r\n");
        body.into()
    }

    #[test]
    fn a_form_is_read_without_copying_the_file() {
        let body = body(&[("Key", "a/${filename}"), ("x", "")], b"line\r\n--x");
        let form = Form::read(&body, "xx").unwrap();
        assert_eq!((form.field("key"), form.field("x"), form.field("y")), (Some("a/${filename}"), Some(""), None));
        assert_eq!((form.file.as_ref(), form.file_name()), (b"line\r\n--x".as_slice(), "a;\"b"));
        assert!(body.as_ptr_range().contains(&form.file.as_ptr()));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let long = "v".repeat(MAX_FIELDS);
        for (body, code) in [
            (Bytes::new(), "MalformedPOSTRequest"),
            (Bytes::from_static(b"--xx"), "MalformedPOSTRequest"),
            (Bytes::from_static(b"--xx--"), "InvalidArgument"),
            (Bytes::from_static(b"--xx\r\nContent-Type: a\r\n\r\nb\r\n--xx--"), "MalformedPOSTRequest"),
            (body(&[("key", &long)], b"x"), "MaxPostPreDataLengthExceededError"),
            (
                Bytes::from_static(b"--xx\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nb"),
                "MalformedPOSTRequest",
            ),
        ] {
            assert_eq!(Form::read(&body, "xx").unwrap_err().code().as_str(), code, "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn fields_and_file_come_back(value in "[ -~é]{0,40}", file in prop::collection::vec(any::<u8>(), 0..200)) {
            let form = Form::read(&body(&[("a", &value)], &file), "xx").unwrap();
            prop_assert_eq!(form.field("a"), Some(value.as_str()));
            prop_assert_eq!(form.file.as_ref(), file.as_slice());
        }

        #[test]
        fn any_body_is_read_without_a_panic(text in "(--x|\r\n|[ -~]|Content-Disposition: form-data; name=){0,20}") {
            let _ = Form::read(&Bytes::from(text), "x");
        }
    }
}
