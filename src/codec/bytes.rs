//! Bodies as they are: bytes with a content type of your choice, and text.

use ::bytes::Bytes;

use super::{Deserializer, Serializer};
use crate::types::ContentType;
use crate::{Error, ErrorKind, Result};

/// The codecs of bytes that stay as they are.
#[derive(Debug, Clone, Copy)]
pub struct Raw;

impl Raw {
    /// Sends bytes unchanged as `content_type`: [`Bytes`], `Vec<u8>`, `[u8]`, `[u8; N]`, `String` or
    /// `str`.
    ///
    /// ```
    /// use sagemaker::codec::{Raw, Serializer};
    ///
    /// let image = Raw::body("application/x-image");
    /// assert_eq!(Serializer::<[u8]>::content_type(&image).as_str(), "application/x-image");
    /// assert_eq!(image.serialize(&[0x89, b'P'])?, [0x89, b'P'][..]);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    pub fn body(content_type: impl Into<ContentType>) -> RawBody {
        RawBody { content_type: content_type.into() }
    }

    /// Gives the body as it came, whatever its type, as [`Bytes`].
    ///
    /// ```
    /// use sagemaker::codec::{Deserializer, Raw};
    /// use sagemaker::types::ContentType;
    ///
    /// let body = Raw::bytes().deserialize("as it is".into(), &ContentType::OCTET_STREAM)?;
    /// assert_eq!(body, "as it is");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    pub fn bytes() -> RawBytes {
        RawBytes { accept: ContentType::ANY }
    }
}

/// The codecs of plain text.
#[derive(Debug, Clone, Copy)]
pub struct Text;

impl Text {
    /// Sends `str` or `String` unchanged as `text/plain`; for text of another type use [`Raw::body`].
    ///
    /// ```
    /// use sagemaker::codec::{Serializer, Text};
    ///
    /// assert_eq!(Text::body().serialize("good morning")?, "good morning");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    pub fn body() -> TextBody {
        TextBody
    }

    /// Gives the body as a `String`, whatever its type.
    ///
    /// ```
    /// use sagemaker::codec::{Deserializer, Text};
    /// use sagemaker::types::ContentType;
    ///
    /// let text = Text::string().accept_as("application/json").deserialize("[1]".into(), &ContentType::JSON)?;
    /// assert_eq!(text, "[1]");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Deserialization`] unless the body is UTF-8.
    pub fn string() -> TextString {
        TextString { accept: ContentType::ANY }
    }
}

/// Serializer of bytes: see [`Raw::body`].
#[derive(Debug, Clone)]
pub struct RawBody {
    content_type: ContentType,
}

/// Deserializer that changes nothing: see [`Raw::bytes`].
#[derive(Debug, Clone)]
pub struct RawBytes {
    accept: ContentType,
}

impl RawBytes {
    /// Asks for this type; `*/*` unless set.
    #[must_use]
    pub fn accept_as(mut self, accept: impl Into<ContentType>) -> Self {
        self.accept = accept.into();
        self
    }
}

/// Serializer of plain text: see [`Text::body`].
#[derive(Debug, Clone, Copy)]
pub struct TextBody;

/// Deserializer of text: see [`Text::string`].
#[derive(Debug, Clone)]
pub struct TextString {
    accept: ContentType,
}

impl TextString {
    /// Asks for this type; `*/*` unless set.
    #[must_use]
    pub fn accept_as(mut self, accept: impl Into<ContentType>) -> Self {
        self.accept = accept.into();
        self
    }
}

macro_rules! unchanged {
    ($($serializer:ident: $type:ty $(, $n:ident)?;)*) => {
        $(impl$(<const $n: usize>)? Serializer<$type> for $serializer {
            fn content_type(&self) -> ContentType {
                self.declared()
            }

            fn serialize(&self, value: &$type) -> Result<Bytes> {
                Ok(Bytes::copy_from_slice(value.as_ref()))
            }
        })*
    };
}
unchanged! {
    RawBody: [u8];
    RawBody: [u8; N], N;
    RawBody: Vec<u8>;
    RawBody: str;
    RawBody: String;
    TextBody: str;
    TextBody: String;
}

impl RawBody {
    fn declared(&self) -> ContentType {
        self.content_type.clone()
    }
}

impl TextBody {
    fn declared(self) -> ContentType {
        ContentType::TEXT
    }
}

impl Serializer<Bytes> for RawBody {
    fn content_type(&self) -> ContentType {
        self.declared()
    }

    fn serialize(&self, value: &Bytes) -> Result<Bytes> {
        Ok(value.clone())
    }
}

impl Deserializer for RawBytes {
    type Output = Bytes;

    fn accept(&self) -> ContentType {
        self.accept.clone()
    }

    fn deserialize(&self, body: Bytes, _: &ContentType) -> Result<Bytes> {
        Ok(body)
    }
}

impl Deserializer for TextString {
    type Output = String;

    fn accept(&self) -> ContentType {
        self.accept.clone()
    }

    fn deserialize(&self, body: Bytes, content_type: &ContentType) -> Result<String> {
        String::from_utf8(body.into()).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let declared = super::shortened(content_type.as_str().as_bytes());
            Error::new(
                ErrorKind::Deserialization,
                format!(
                    "not UTF-8 text from byte {at} on, in a response of type {declared}; read it with `Raw::bytes()`"
                ),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_must_be_utf8() {
        let error = Text::string().deserialize(Bytes::from_static(b"ab\xff"), &ContentType::TEXT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deserialization);
        assert!(error.to_string().contains("from byte 2 on"), "{error}");
    }

    #[test]
    fn content_types_are_as_chosen() {
        assert_eq!(Serializer::<str>::content_type(&Raw::body("text/x")).as_str(), "text/x");
        assert_eq!(Serializer::<str>::content_type(&Text::body()), ContentType::TEXT);
        assert_eq!(Raw::bytes().accept(), ContentType::ANY);
        assert_eq!(Raw::bytes().accept_as("image/png").accept().as_str(), "image/png");
    }

    proptest! {
        #[test]
        fn bytes_come_back(body: Vec<u8>) {
            let sent = Raw::body(ContentType::OCTET_STREAM).serialize(&body).unwrap();
            let back = Raw::bytes().deserialize(sent.clone(), &ContentType::OCTET_STREAM).unwrap();
            prop_assert_eq!(&back, &body);
            let text = Text::string().deserialize(sent, &ContentType::TEXT);
            prop_assert_eq!(text.ok(), String::from_utf8(body).ok());
        }
    }
}
