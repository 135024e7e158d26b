use std::fmt;

use bytes::Bytes;
use serde::ser::{self, Impossible, Serialize};

use super::encode::{Encoder, Options, fault};
use crate::codec::Serializer;
use crate::types::ContentType;
use crate::{Error, Result};

/// Serializer of serde values, a row each: see [`Csv::records`](super::Csv::records).
#[derive(Debug, Clone, Copy, Default)]
pub struct Records {
    options: Options,
}

impl Records {
    /// Writes a NaN as a missing value (an empty field) where it would be refused otherwise.
    ///
    /// ```
    /// use sagemaker::codec::{Csv, Serializer};
    ///
    /// assert_eq!(Csv::records().nan_as_missing().serialize(&[("a", f64::NAN)])?, "a,");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    #[must_use]
    pub fn nan_as_missing(mut self) -> Self {
        self.options.nan_as_missing = true;
        self
    }
}

impl<T: Serialize> Serializer<[T]> for Records {
    fn content_type(&self) -> ContentType {
        ContentType::CSV
    }

    fn serialize(&self, records: &[T]) -> Result<Bytes> {
        let mut out = Encoder::new(self.options);
        for record in records {
            out.row(|out| record.serialize(Fields(out)).map_err(|fault| fault.0))?;
        }
        out.finish()
    }
}

impl<T: Serialize> Serializer<Vec<T>> for Records {
    fn content_type(&self) -> ContentType {
        ContentType::CSV
    }

    fn serialize(&self, records: &Vec<T>) -> Result<Bytes> {
        self.serialize(records.as_slice())
    }
}

impl<T: Serialize, const N: usize> Serializer<[T; N]> for Records {
    fn content_type(&self) -> ContentType {
        ContentType::CSV
    }

    fn serialize(&self, records: &[T; N]) -> Result<Bytes> {
        self.serialize(records.as_slice())
    }
}

/// The fields of one record, flattened in the order in which serde gives them.
struct Fields<'a>(&'a mut Encoder);

/// [`Error`] as an error of serde.
#[derive(Debug)]
struct Fault(Error);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Fault {}

impl ser::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(fault(message.to_string()))
    }
}

impl Fields<'_> {
    fn plain(self, value: impl fmt::Display) -> Result<(), Fault> {
        self.0.plain(value);
        Ok(())
    }

    fn text(self, value: &str) -> Result<(), Fault> {
        self.0.text(value);
        Ok(())
    }

    fn missing(self) -> Result<(), Fault> {
        self.0.missing();
        Ok(())
    }

    fn refuse(self, what: &str) -> Fault {
        Fault(fault(format!("line {}: {what}", self.0.line())))
    }
}

/// Methods that write one field each.
macro_rules! write_fields {
    ($($method:ident($type:ty) => $write:ident;)*) => {
        $(fn $method(self, value: $type) -> Result<(), Fault> {
            self.$write(value)
        })*
    };
}

impl ser::Serializer for Fields<'_> {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeStruct = Self;
    type SerializeTupleVariant = Impossible<(), Fault>;
    type SerializeMap = Impossible<(), Fault>;
    type SerializeStructVariant = Impossible<(), Fault>;

    write_fields! {
        serialize_i8(i8) => plain;
        serialize_i16(i16) => plain;
        serialize_i32(i32) => plain;
        serialize_i64(i64) => plain;
        serialize_i128(i128) => plain;
        serialize_u8(u8) => plain;
        serialize_u16(u16) => plain;
        serialize_u32(u32) => plain;
        serialize_u64(u64) => plain;
        serialize_u128(u128) => plain;
        serialize_str(&str) => text;
    }

    fn serialize_bool(self, value: bool) -> Result<(), Fault> {
        self.0.bool(value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Fault> {
        self.0.float(value).map_err(Fault)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Fault> {
        self.0.float(value).map_err(Fault)
    }

    fn serialize_char(self, value: char) -> Result<(), Fault> {
        self.text(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Fault> {
        Err(self.refuse("raw bytes have no CSV form; give text or numbers"))
    }

    fn serialize_none(self) -> Result<(), Fault> {
        self.missing()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Fault> {
        self.missing()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Fault> {
        self.missing()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Fault> {
        self.text(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<(), Fault> {
        Err(self.refuse(&variant_with_fields(variant)))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Fault> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Fault> {
        Err(self.refuse(&variant_with_fields(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Fault> {
        Err(self.refuse("a map has no CSV form, since its fields have no order; give a struct or a tuple"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Fault> {
        Err(self.refuse(&variant_with_fields(variant)))
    }
}

fn variant_with_fields(variant: &str) -> String {
    format!("the enum variant `{variant}` holds fields and has no CSV form; give a struct or a tuple")
}

/// All sequences are the same here: each element's fields follow one another.
macro_rules! sequence {
    ($trait:ident, $method:ident) => {
        impl ser::$trait for Fields<'_> {
            type Ok = ();
            type Error = Fault;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Fault> {
                value.serialize(Fields(&mut *self.0))
            }

            fn end(self) -> Result<(), Fault> {
                Ok(())
            }
        }
    };
}
sequence!(SerializeSeq, serialize_element);
sequence!(SerializeTuple, serialize_element);
sequence!(SerializeTupleStruct, serialize_field);

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Fault;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, _: &'static str, value: &T) -> Result<(), Fault> {
        value.serialize(Fields(&mut *self.0))
    }

    // A skipped field would move those behind it into the wrong column.
    fn skip_field(&mut self, _: &'static str) -> Result<(), Fault> {
        self.0.missing();
        Ok(())
    }

    fn end(self) -> Result<(), Fault> {
        Ok(())
    }
}
