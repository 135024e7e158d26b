//! NumPy's array files, `application/x-npy`: what TensorFlow, PyTorch and scikit-learn containers take and answer.

mod element;
mod header;
#[cfg(test)]
mod tests;

use std::marker::PhantomData;

use ::bytes::Bytes;

pub use element::Element;

use self::header::{Header, Kind};
use super::recordio::Rows;
use super::{Deserializer, Serializer, media, typed_codec};
use crate::types::ContentType;
use crate::{Error, ErrorKind, Result};

/// The codecs of NumPy arrays.
#[derive(Debug, Clone, Copy)]
pub struct Npy;

impl Npy {
    /// Writes an [`NpyArray`], or rows of numbers: a slice, array or `Vec` of rows, a
    /// [`Matrix`](super::csv::Matrix), or a single row, which has one dimension.
    ///
    /// ```
    /// use sagemaker::codec::{Npy, Serializer};
    ///
    /// let body = Npy::array().serialize(&[[1.0, 2.0], [3.0, 4.0]])?;
    /// assert_eq!(body.len(), 128 + 4 * 8);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Serialization`] for rows of different lengths.
    pub fn array() -> ToNpy {
        ToNpy
    }

    /// Reads an array of any shape and numeric type.
    ///
    /// Integers are read as floats and back where the value allows it; of an `f64` an `f32` is the nearest.
    ///
    /// ```
    /// use sagemaker::codec::{Deserializer, Npy, Serializer};
    /// use sagemaker::types::ContentType;
    ///
    /// let body = Npy::array().serialize(&[[1, 2, 3], [4, 5, 6]])?;
    /// let array = Npy::array_of::<f64>().deserialize(body, &ContentType::NPY)?;
    /// assert_eq!(array.shape(), [2, 3]);
    /// assert_eq!(array.values()[3..], [4.0, 5.0, 6.0]);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Deserialization`] for bytes that are no such file, arrays of text or objects, and numbers that `T`
    /// does not have.
    pub fn array_of<T>() -> NpyOf<T> {
        NpyOf(PhantomData)
    }
}

/// An array: its dimensions, and its numbers row after row.
///
/// ```
/// use sagemaker::codec::npy::NpyArray;
///
/// let pictures = NpyArray::new([2, 28, 28], vec![0_u8; 2 * 28 * 28])?;
/// assert!(NpyArray::new([2, 2], vec![1.0]).is_err());
/// # let _ = pictures;
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NpyArray<T> {
    shape: Vec<usize>,
    values: Vec<T>,
}

impl<T> NpyArray<T> {
    /// An array of a shape.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`] unless there are just as many values as the shape has.
    pub fn new(shape: impl Into<Vec<usize>>, values: Vec<T>) -> Result<Self> {
        let shape = shape.into();
        let size = shape.iter().try_fold(1_usize, |size, length| size.checked_mul(*length));
        if size != Some(values.len()) {
            return Err(Error::invalid("shape", format!("{shape:?} does not hold {} values", values.len())));
        }
        Ok(Self { shape, values })
    }

    /// The dimensions; none for a single number.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers, row after row.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The numbers, row after row.
    pub fn into_values(self) -> Vec<T> {
        self.values
    }
}

/// Serializer of arrays: see [`Npy::array`].
#[derive(Debug, Clone, Copy)]
pub struct ToNpy;

impl<R> Serializer<R> for ToNpy
where
    R: Rows + ?Sized,
    R::Number: Element,
{
    fn content_type(&self) -> ContentType {
        ContentType::NPY
    }

    fn serialize(&self, rows: &R) -> Result<Bytes> {
        let count = rows.row_count();
        let columns = if count == 0 { 0 } else { rows.row(0).len() };
        let shape = if rows.is_row() { vec![columns] } else { vec![count, columns] };
        let mut out = Header::of::<R::Number>(shape).to_bytes();
        out.reserve_exact(count * columns * size_of::<R::Number>());
        for index in 0..count {
            let row = rows.row(index);
            if row.len() != columns {
                let text = format!("row {index} has {} numbers, the first has {columns}", row.len());
                return Err(Error::new(ErrorKind::Serialization, text));
            }
            R::Number::put(row, &mut out);
        }
        Ok(out.into())
    }
}

impl<T: Element> Serializer<NpyArray<T>> for ToNpy {
    fn content_type(&self) -> ContentType {
        ContentType::NPY
    }

    fn serialize(&self, array: &NpyArray<T>) -> Result<Bytes> {
        let mut out = Header::of::<T>(array.shape.clone()).to_bytes();
        T::put(&array.values, &mut out);
        Ok(out.into())
    }
}

/// Deserializer of arrays: see [`Npy::array_of`].
pub struct NpyOf<T>(PhantomData<fn() -> T>);
typed_codec!(NpyOf);

impl<T: Element> Deserializer for NpyOf<T> {
    type Output = NpyArray<T>;

    fn accept(&self) -> ContentType {
        ContentType::NPY
    }

    fn deserialize(&self, body: Bytes, content_type: &ContentType) -> Result<NpyArray<T>> {
        media::expect("application/x-npy", content_type, media::is_npy)?;
        let (header, data) = Header::read(&body)?;
        let size = header.kind.size();
        let count = header.shape.iter().try_fold(1_usize, |count, length| count.checked_mul(*length));
        if count.and_then(|count| count.checked_mul(size)) != Some(data.len()) {
            let text = format!("an array of shape {:?} does not have {} bytes", header.shape, data.len());
            return Err(Error::new(ErrorKind::Deserialization, text));
        }
        let values = data.chunks_exact(size).enumerate().map(|(index, bytes)| {
            header.kind.number(bytes).and_then(T::of).ok_or_else(|| {
                let text = format!("number {index} has no form as {}", std::any::type_name::<T>());
                Error::new(ErrorKind::Deserialization, text)
            })
        });
        let mut values = values.collect::<Result<Vec<T>>>()?;
        if header.fortran_order {
            values = row_major(&values, &header.shape);
        }
        Ok(NpyArray { shape: header.shape, values })
    }
}

/// From columns first to rows first.
fn row_major<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
    let mut place = vec![0; shape.len()];
    let mut out = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        // The first dimension moves fastest in the file.
        let at = place.iter().zip(shape).rev().fold(0, |at, (index, length)| at * length + index);
        out.push(values[at]);
        for (index, length) in place.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < *length {
                break;
            }
            *index = 0;
        }
    }
    out
}

/// A number as a file has it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Found {
    Integer(i128),
    Float(f64),
}

impl Kind {
    fn number(self, bytes: &[u8]) -> Option<Found> {
        /// Little-endian.
        fn ordered<const N: usize>(bytes: &[u8], big_endian: bool) -> Option<[u8; N]> {
            let mut bytes: [u8; N] = bytes.try_into().ok()?;
            if big_endian {
                bytes.reverse();
            }
            Some(bytes)
        }
        let big = self.big_endian;
        Some(match (self.letter, bytes.len()) {
            ('f', 4) => Found::Float(f64::from(f32::from_le_bytes(ordered(bytes, big)?))),
            ('f', 8) => Found::Float(f64::from_le_bytes(ordered(bytes, big)?)),
            ('b', 1) => Found::Integer(i128::from(bytes[0] != 0)),
            ('i', 1) => Found::Integer(i8::from_le_bytes(ordered(bytes, big)?).into()),
            ('i', 2) => Found::Integer(i16::from_le_bytes(ordered(bytes, big)?).into()),
            ('i', 4) => Found::Integer(i32::from_le_bytes(ordered(bytes, big)?).into()),
            ('i', 8) => Found::Integer(i64::from_le_bytes(ordered(bytes, big)?).into()),
            ('u', 1) => Found::Integer(u8::from_le_bytes(ordered(bytes, big)?).into()),
            ('u', 2) => Found::Integer(u16::from_le_bytes(ordered(bytes, big)?).into()),
            ('u', 4) => Found::Integer(u32::from_le_bytes(ordered(bytes, big)?).into()),
            ('u', 8) => Found::Integer(u64::from_le_bytes(ordered(bytes, big)?).into()),
            _ => return None,
        })
    }
}
