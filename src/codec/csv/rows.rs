use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

use super::encode::{Encoder, Options};
use crate::codec::Serializer;
use crate::types::ContentType;
use crate::{Error, Result};

/// Serializer of rows: see [`Csv::rows`](super::Csv::rows).
#[derive(Debug, Clone, Copy, Default)]
pub struct Rows {
    options: Options,
}

impl Rows {
    /// Writes a NaN as a missing value (an empty field) where it would be refused otherwise.
    ///
    /// ```
    /// use sagemaker::codec::{Csv, Serializer};
    ///
    /// let row = [1.0, f64::NAN, 3.0];
    /// assert!(Csv::rows().serialize(&row).is_err());
    /// assert_eq!(Csv::rows().nan_as_missing().serialize(&row)?, "1.0,,3.0");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    #[must_use]
    pub fn nan_as_missing(mut self) -> Self {
        self.options.nan_as_missing = true;
        self
    }
}

impl<T: Table + ?Sized> Serializer<T> for Rows {
    fn content_type(&self) -> ContentType {
        ContentType::CSV
    }

    fn serialize(&self, value: &T) -> Result<Bytes> {
        let mut out = Encoder::new(self.options);
        value.encode(&mut out)?;
        out.finish()
    }
}

/// One CSV field: a number, a `bool`, text, or an `Option` of one.
///
/// Cannot be implemented outside of this crate: for types of your own use [`Csv::records`](super::Csv::records).
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no CSV form, neither as a row nor as a field",
    label = "has no CSV form",
    note = "a row is a slice, array or `Vec` of fields, or a tuple of them",
    note = "a field is a number, a `bool`, text, or an `Option` of one",
    note = "structs that implement serde's `Serialize` are written by `Csv::records()`"
)]
pub trait Field {
    #[doc(hidden)]
    fn encode(&self, out: &mut Encoder) -> Result<()>;
}

/// What a slice, array or `Vec` of a CSV table may hold: fields, then it is one row; or rows, then it is a table.
///
/// Rows are slices, arrays and `Vec`s of [`Field`]s, and tuples of up to twelve. Cannot be implemented outside of this
/// crate.
pub trait RowOrField: Sized {
    #[doc(hidden)]
    fn encode_all(items: &[Self], out: &mut Encoder) -> Result<()>;
}

/// What [`Csv::rows`](super::Csv::rows) takes: one row, or a table of rows.
///
/// Cannot be implemented outside of this crate.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a CSV table",
    label = "has no CSV form",
    note = "a table is one row (`[f64]`, a tuple), a slice, array or `Vec` of rows, or a `csv::Matrix`",
    note = "text that is CSV already is sent by `Csv::text()`, structs are written by `Csv::records()`"
)]
pub trait Table {
    #[doc(hidden)]
    fn encode(&self, out: &mut Encoder) -> Result<()>;
}

/// A table in one row-major slice.
///
/// ```
/// use sagemaker::codec::{Csv, Serializer, csv::Matrix};
///
/// let pixels = [0.0, 0.5, 1.0, 0.25];
/// assert_eq!(Csv::rows().serialize(&Matrix::new(&pixels, 2)?)?, "0.0,0.5\n1.0,0.25");
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matrix<'a, F = f64> {
    data: &'a [F],
    columns: usize,
}

impl<'a, F> Matrix<'a, F> {
    /// A table over `data` with so many columns.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) unless the rows come out even.
    pub fn new(data: &'a [F], columns: usize) -> Result<Self> {
        if columns == 0 || !data.len().is_multiple_of(columns) {
            let fields = data.len();
            return Err(Error::invalid("columns", format!("{fields} fields are no whole number of rows of {columns}")));
        }
        Ok(Self { data, columns })
    }

    /// How many rows there are.
    pub fn row_count(&self) -> usize {
        self.data.len() / self.columns
    }

    /// The row at an index below [`row_count`](Self::row_count).
    ///
    /// # Panics
    ///
    /// For an index that has no row.
    pub fn row(&self, index: usize) -> &'a [F] {
        &self.data[index * self.columns..][..self.columns]
    }
}

fn encode_row<F: Field>(fields: &[F], out: &mut Encoder) -> Result<()> {
    out.row(|out| fields.iter().try_for_each(|field| field.encode(out)))
}

impl<T: RowOrField> Table for [T] {
    fn encode(&self, out: &mut Encoder) -> Result<()> {
        T::encode_all(self, out)
    }
}

impl<T: RowOrField> Table for Vec<T> {
    fn encode(&self, out: &mut Encoder) -> Result<()> {
        T::encode_all(self, out)
    }
}

impl<T: RowOrField, const N: usize> Table for [T; N] {
    fn encode(&self, out: &mut Encoder) -> Result<()> {
        T::encode_all(self, out)
    }
}

impl<T: Table + ?Sized> Table for &T {
    fn encode(&self, out: &mut Encoder) -> Result<()> {
        (**self).encode(out)
    }
}

impl<F: Field> Table for Matrix<'_, F> {
    fn encode(&self, out: &mut Encoder) -> Result<()> {
        self.data.chunks_exact(self.columns).try_for_each(|row| encode_row(row, out))
    }
}

impl<F: Field> RowOrField for F {
    fn encode_all(items: &[Self], out: &mut Encoder) -> Result<()> {
        if items.is_empty() { Ok(()) } else { encode_row(items, out) }
    }
}

/// Rows that hold one type of field. Listed one by one: a blanket implementation would overlap with that of fields.
macro_rules! rows {
    ($($row:ty $(, $n:ident)?;)*) => {
        $(impl<F: Field $(, const $n: usize)?> RowOrField for $row {
            fn encode_all(items: &[Self], out: &mut Encoder) -> Result<()> {
                items.iter().try_for_each(|row| encode_row(&row[..], out))
            }
        })*
    };
}
rows! {
    Vec<F>;
    &Vec<F>;
    &[F];
    Box<[F]>;
    Arc<[F]>;
    [F; N], N;
    &[F; N], N;
}

macro_rules! tuples {
    ($($($name:ident)+;)*) => {
        $(
            impl<$($name: Field),+> RowOrField for ($($name,)+) {
                fn encode_all(items: &[Self], out: &mut Encoder) -> Result<()> {
                    items.iter().try_for_each(|row| Table::encode(row, out))
                }
            }

            impl<$($name: Field),+> Table for ($($name,)+) {
                #[allow(non_snake_case, reason = "the type parameters name the fields")]
                fn encode(&self, out: &mut Encoder) -> Result<()> {
                    let ($($name,)+) = self;
                    out.row(|out| {
                        $($name.encode(out)?;)+
                        Ok(())
                    })
                }
            }
        )*
    };
}
tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E G;
    A B C D E G H;
    A B C D E G H I;
    A B C D E G H I J;
    A B C D E G H I J K;
    A B C D E G H I J K L;
    A B C D E G H I J K L M;
}

/// Fields of one Rust type each: how the value is handed to the encoder.
macro_rules! fields {
    ($($type:ty),* => |$value:ident, $out:ident| $encode:expr) => {
        $(impl Field for $type {
            #[inline]
            fn encode(&self, $out: &mut Encoder) -> Result<()> {
                let $value = self;
                $encode
            }
        })*
    };
}
fields!(f64, f32 => |value, out| out.float(*value));
fields!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize => |value, out| {
    out.plain(*value);
    Ok(())
});
fields!(bool => |value, out| {
    out.bool(*value);
    Ok(())
});
fields!(&str, String, &String, Cow<'_, str>, Box<str>, Arc<str> => |value, out| {
    out.text(value);
    Ok(())
});

impl<F: Field> Field for Option<F> {
    #[inline]
    fn encode(&self, out: &mut Encoder) -> Result<()> {
        match self {
            Some(value) => value.encode(out),
            None => {
                out.missing();
                Ok(())
            }
        }
    }
}
