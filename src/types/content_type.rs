use std::borrow::Cow;
use std::fmt;

/// A MIME type of a request or response body, or of a training channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentType(Cow<'static, str>);

impl ContentType {
    /// `text/csv`
    pub const CSV: Self = Self::from_static("text/csv");
    /// `application/json`
    pub const JSON: Self = Self::from_static("application/json");
    /// `application/jsonlines`
    pub const JSON_LINES: Self = Self::from_static("application/jsonlines");
    /// `text/libsvm`
    pub const LIBSVM: Self = Self::from_static("text/libsvm");
    /// `application/octet-stream`
    pub const OCTET_STREAM: Self = Self::from_static("application/octet-stream");
    /// `application/x-recordio-protobuf`
    pub const RECORDIO_PROTOBUF: Self = Self::from_static("application/x-recordio-protobuf");
    /// `application/x-npy`
    pub const NPY: Self = Self::from_static("application/x-npy");
    /// `text/plain`
    pub const TEXT: Self = Self::from_static("text/plain");
    /// `*/*`: whatever the container gives
    pub const ANY: Self = Self::from_static("*/*");

    /// A type known when the program is written.
    pub const fn from_static(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The text, with its parameters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The type without parameters such as `; charset=utf-8`, in lower case.
    pub fn essence(&self) -> String {
        self.0.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ContentType {
    fn from(name: &str) -> Self {
        Self(Cow::Owned(name.to_owned()))
    }
}

impl From<String> for ContentType {
    fn from(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}
