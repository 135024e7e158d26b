//! serde_json with NaN and infinities refused: by itself it writes `null` for them.
//!
//! A serializer around serde_json's looks at each float on its way. The value is walked once only, since a
//! `Serialize` implementation may hand out an iterator that ends.

use std::cell::RefCell;
use std::fmt::Display;

use serde::{Serialize, Serializer, ser};

/// Appends the JSON of a value, or says why it has none.
pub(super) fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), String> {
    let trace = Trace::default();
    let mut json = serde_json::Serializer::new(out);
    value.serialize(Guard { inner: &mut json, trace: &trace }).map_err(|error| {
        let Some(found) = trace.0.into_inner() else { return error.to_string() };
        let path: String = found.steps.iter().rev().map(String::as_str).collect();
        format!(
            "`${path}` is {}, which JSON cannot say; write a missing number as `None`, or choose `nan_as_null()`",
            found.number
        )
    })
}

/// The number that was refused; its path is put together while the error travels outwards.
#[derive(Default)]
struct Trace(RefCell<Option<Found>>);

struct Found {
    number: &'static str,
    /// The innermost first.
    steps: Vec<String>,
}

impl Trace {
    fn check<E: ser::Error>(&self, value: f64) -> Result<(), E> {
        if value.is_finite() {
            return Ok(());
        }
        let number = if value.is_nan() { "NaN" } else { "infinite" };
        *self.0.borrow_mut() = Some(Found { number, steps: Vec::new() });
        Err(E::custom("not a finite number"))
    }

    fn step<T, E>(&self, result: Result<T, E>, step: impl FnOnce() -> String) -> Result<T, E> {
        if result.is_err()
            && let Some(found) = self.0.borrow_mut().as_mut()
        {
            found.steps.push(step());
        }
        result
    }
}

/// A value that is serialized through a [`Guard`].
struct Guarded<'a, T: ?Sized> {
    value: &'a T,
    trace: &'a Trace,
}

impl<T: Serialize + ?Sized> Serialize for Guarded<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Guard { inner: serializer, trace: self.trace })
    }
}

struct Guard<'a, S> {
    inner: S,
    trace: &'a Trace,
}

impl<'a, S> Guard<'a, S> {
    fn wrap<'v, T: ?Sized>(&self, value: &'v T) -> Guarded<'v, T>
    where
        'a: 'v,
    {
        Guarded { value, trace: self.trace }
    }
}

macro_rules! hand_on {
    ($($method:ident($($arg:ident: $type:ty),*);)*) => {
        $(fn $method(self $(, $arg: $type)*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($arg),*)
        })*
    };
}

macro_rules! compound {
    ($($method:ident($($arg:ident: $type:ty),*) -> $kind:ident, $variant:expr;)*) => {
        $(fn $method(self, $($arg: $type),*) -> Result<Self::$kind, S::Error> {
            Ok(Compound { inner: self.inner.$method($($arg),*)?, trace: self.trace, index: 0, variant: $variant })
        })*
    };
}

impl<'a, S: Serializer> Serializer for Guard<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Compound<'a, S::SerializeSeq>;
    type SerializeTuple = Compound<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Compound<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Compound<'a, S::SerializeTupleVariant>;
    type SerializeMap = Compound<'a, S::SerializeMap>;
    type SerializeStruct = Compound<'a, S::SerializeStruct>;
    type SerializeStructVariant = Compound<'a, S::SerializeStructVariant>;

    hand_on! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_u128(value: u128);
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_bytes(value: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    compound! {
        serialize_seq(length: Option<usize>) -> SerializeSeq, None;
        serialize_tuple(length: usize) -> SerializeTuple, None;
        serialize_tuple_struct(name: &'static str, length: usize) -> SerializeTupleStruct, None;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, length: usize)
            -> SerializeTupleVariant, Some(variant);
        serialize_map(length: Option<usize>) -> SerializeMap, None;
        serialize_struct(name: &'static str, length: usize) -> SerializeStruct, None;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, length: usize)
            -> SerializeStructVariant, Some(variant);
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.trace.check(value.into())?;
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.trace.check(value)?;
        self.inner.serialize_f64(value)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<S::Ok, S::Error> {
        let value = self.wrap(value);
        self.inner.serialize_some(&value)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        let value = self.wrap(value);
        self.inner.serialize_newtype_struct(name, &value)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = self.wrap(value);
        let written = self.inner.serialize_newtype_variant(name, index, variant, &value);
        self.trace.step(written, || key_step(variant))
    }

    fn collect_str<T: ?Sized + Display>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

struct Compound<'a, C> {
    inner: C,
    trace: &'a Trace,
    /// How many elements were begun.
    index: usize,
    variant: Option<&'static str>,
}

impl<C> Compound<'_, C> {
    fn variant_step<T, E>(&self, result: Result<T, E>) -> Result<T, E> {
        match self.variant {
            Some(variant) => self.trace.step(result, || key_step(variant)),
            None => result,
        }
    }
}

/// `.name`, or `["a key"]` where a name would be unclear.
fn key_step(key: &str) -> String {
    let is_name = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_name { format!(".{key}") } else { format!("[{key:?}]") }
}

macro_rules! elements {
    ($($trait:ident $method:ident;)*) => {
        $(impl<C: ser::$trait> ser::$trait for Compound<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), C::Error> {
                let index = self.index;
                self.index += 1;
                let written = self.inner.$method(&Guarded { value, trace: self.trace });
                let written = self.trace.step(written, || format!("[{index}]"));
                self.variant_step(written)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}
elements! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! fields {
    ($($trait:ident)*) => {
        $(impl<C: ser::$trait> ser::$trait for Compound<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<(), C::Error> {
                let written = self.inner.serialize_field(key, &Guarded { value, trace: self.trace });
                let written = self.trace.step(written, || key_step(key));
                self.variant_step(written)
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}
fields!(SerializeStruct SerializeStructVariant);

impl<C: ser::SerializeMap> ser::SerializeMap for Compound<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), C::Error> {
        self.inner.serialize_key(key)
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), C::Error> {
        let written = self.inner.serialize_value(&Guarded { value, trace: self.trace });
        // The key is written and gone.
        self.trace.step(written, || ".*".to_owned())
    }

    fn serialize_entry<K, V>(&mut self, key: &K, value: &V) -> Result<(), C::Error>
    where
        K: ?Sized + Serialize,
        V: ?Sized + Serialize,
    {
        let written = self.inner.serialize_entry(key, &Guarded { value, trace: self.trace });
        self.trace.step(written, || match serde_json::to_value(key) {
            Ok(serde_json::Value::String(key)) => key_step(&key),
            Ok(other) => key_step(&other.to_string()),
            Err(_) => ".*".to_owned(),
        })
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Serialize)]
    struct Request {
        name: Option<&'static str>,
        rows: Vec<Row>,
        #[serde(flatten)]
        rest: BTreeMap<&'static str, f32>,
    }

    #[derive(Serialize)]
    enum Row {
        Unit,
        One(f64),
        Two(f64, Option<f64>),
        Named { x: f64 },
    }

    fn request(rows: Vec<Row>) -> Request {
        Request { name: None, rows, rest: BTreeMap::from([("a b", 0.5)]) }
    }

    fn refused(value: &impl Serialize) -> String {
        let reason = write(value, &mut Vec::new()).unwrap_err();
        reason.split(", which").next().unwrap().to_owned()
    }

    #[test]
    fn finite_values_are_written_as_ever() {
        let value = request(vec![Row::Unit, Row::One(1.0), Row::Two(2.0, None), Row::Named { x: 1e-7 }]);
        let mut out = Vec::new();
        write(&value, &mut out).unwrap();
        assert_eq!(out, serde_json::to_vec(&value).unwrap());
    }

    #[test]
    fn refused_numbers_are_named_by_their_path() {
        let nan = f64::NAN;
        assert_eq!(refused(&nan), "`$` is NaN");
        assert_eq!(refused(&[[1.0, 2.0], [3.0, f64::NEG_INFINITY]]), "`$[1][1]` is infinite");
        assert_eq!(refused(&request(vec![Row::Unit, Row::One(nan)])), "`$.rows[1].One` is NaN");
        assert_eq!(refused(&request(vec![Row::Two(1.0, Some(nan))])), "`$.rows[0].Two[1]` is NaN");
        assert_eq!(refused(&request(vec![Row::Named { x: nan }])), "`$.rows[0].Named.x` is NaN");
        assert_eq!(refused(&BTreeMap::from([("a b", f32::NAN)])), "`$[\"a b\"]` is NaN");
        assert_eq!(refused(&BTreeMap::from([(7, (0.5, nan))])), "`$[\"7\"][1]` is NaN".replace("[\"7\"]", ".7"));
    }
}
