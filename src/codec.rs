//! Turning values into request bodies and response bodies into values.

use bytes::Bytes;

use crate::Result;
use crate::types::ContentType;

/// Turns values of type `T` into the body of a request.
pub trait Serializer<T: ?Sized> {
    /// The `Content-Type` of the body.
    fn content_type(&self) -> ContentType;

    /// The body.
    fn serialize(&self, value: &T) -> Result<Bytes>;
}

/// Turns the body of a response into a value.
pub trait Deserializer {
    /// What comes out.
    type Output;

    /// The `Accept` header to send.
    fn accept(&self) -> ContentType;

    /// The value; `content_type` is what the response declared.
    fn deserialize(&self, body: Bytes, content_type: &ContentType) -> Result<Self::Output>;
}
