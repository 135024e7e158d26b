//! Turning values into request bodies and response bodies into values.
//!
//! Each format is a small type whose functions name what goes in or comes out:
//!
//! | format | request body | response body |
//! |---|---|---|
//! | CSV | [`Csv::rows`], [`Csv::records`], [`Csv::text`] | [`Csv::floats`], [`Csv::float_rows`], [`Csv::strings`], [`Csv::records_of`] |
//! | JSON | [`Json::value`] | [`Json::of`] |
//! | JSON lines | [`JsonLines::values`] | [`JsonLines::of`] |
//! | LibSVM | [`LibSvm::rows`] | [`libsvm::parse`] |
//! | RecordIO-protobuf | [`RecordIo::rows`], [`RecordIo::labelled_rows`], [`RecordIo::sparse_rows`] | [`RecordIo::of`], [`RecordIo::floats`], [`RecordIo::vectors`], [`RecordIo::records`] |
//! | NumPy | [`Npy::array`] | [`Npy::array_of`] |
//! | text | [`Text::body`] | [`Text::string`] |
//! | bytes | [`Raw::body`] | [`Raw::bytes`] |
//!
//! The pair that fits a model is given once, where its predictor is made. What a serializer takes is part of its
//! type: a value that has no form in the format does not compile.
//!
//! ```
//! use sagemaker::codec::{Csv, Deserializer, Serializer};
//! use sagemaker::types::ContentType;
//!
//! let body = Csv::rows().serialize(&[[5.1, 3.5], [6.2, 2.9]])?;
//! assert_eq!(body, "5.1,3.5\n6.2,2.9");
//!
//! let answer = Csv::floats().deserialize("0.25,0.75".into(), &ContentType::CSV)?;
//! assert_eq!(answer, [0.25, 0.75]);
//! # Ok::<(), sagemaker::Error>(())
//! ```
//!
//! A format of your own is an implementation of [`Serializer`] or [`Deserializer`].

use ::bytes::Bytes;

use crate::Result;
use crate::types::ContentType;

pub mod bytes;
pub mod csv;
mod float;
pub mod json;
pub mod json_lines;
pub mod libsvm;
mod media;
pub mod npy;
pub mod recordio;

pub use self::bytes::{Raw, Text};
pub use self::csv::Csv;
pub use self::json::Json;
pub use self::json_lines::JsonLines;
pub use self::libsvm::LibSvm;
pub use self::npy::Npy;
pub use self::recordio::RecordIo;

/// Turns values of type `T` into the body of a request.
///
/// `T` is a parameter of the trait, so one serializer may take many types, and a type that it cannot write is found
/// by the compiler.
///
/// ```
/// use bytes::Bytes;
/// use sagemaker::{Result, codec::Serializer, types::ContentType};
///
/// /// Sends a picture's pixels as they are.
/// struct Pixels;
///
/// impl Serializer<[u8]> for Pixels {
///     fn content_type(&self) -> ContentType {
///         ContentType::from_static("application/x-image")
///     }
///
///     fn serialize(&self, value: &[u8]) -> Result<Bytes> {
///         Ok(Bytes::copy_from_slice(value))
///     }
/// }
/// ```
pub trait Serializer<T: ?Sized> {
    /// The `Content-Type` of the body.
    fn content_type(&self) -> ContentType;

    /// The body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Serialization`](crate::ErrorKind::Serialization) says which part of the value has no form in the
    /// format.
    fn serialize(&self, value: &T) -> Result<Bytes>;
}

/// Turns the body of a response into a value.
pub trait Deserializer {
    /// What comes out.
    type Output;

    /// The `Accept` header to send.
    fn accept(&self) -> ContentType;

    /// The value; `content_type` is what the response declared, `application/octet-stream` where it declared nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Deserialization`](crate::ErrorKind::Deserialization) says where the body could not be understood,
    /// or that the response declares another format.
    fn deserialize(&self, body: Bytes, content_type: &ContentType) -> Result<Self::Output>;
}

/// `Clone`, `Copy`, `Debug` and `Default` of a codec that only names the type it reads: no bounds on that type.
macro_rules! typed_codec {
    ($name:ident) => {
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<T> Copy for $name<T> {}

        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self(std::marker::PhantomData)
            }
        }

        impl<T> std::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}
use typed_codec;

/// A piece of somebody's data for an error message: one line, at most 24 characters.
fn shortened(text: &[u8]) -> String {
    const LONGEST: usize = 24;
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * LONGEST + 4)]);
    let mut short: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    format!("{short:?}")
}

/// A finite number as Python's `repr` writes it.
#[cfg(feature = "control-plane")]
pub(crate) fn python_float(number: f64) -> String {
    let mut out = Vec::new();
    float::push(&mut out, number);
    String::from_utf8_lossy(&out).into_owned()
}
