use super::wire::{put_varint, varint_len};
use crate::{Error, ErrorKind, Result};

/// A number of a record: `f32`, `f64`, or an integer that fits 32 bits.
///
/// Cannot be implemented outside of this crate.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number of a record",
    label = "has no RecordIO-protobuf form",
    note = "a row is a slice, array or `Vec` of `f32`, `f64` or integers"
)]
pub trait Number: Copy + Send + Sync {
    /// The number of the tensor's field in protobuf's `Value`.
    #[doc(hidden)]
    const FIELD: u32;
    /// The bytes of each number, if they are as many for all.
    #[doc(hidden)]
    const SIZE: Option<usize>;

    /// The bytes of all numbers, packed.
    #[doc(hidden)]
    fn packed_len(values: &[Self]) -> Result<usize>;

    /// Appends them; their length was asked before.
    #[doc(hidden)]
    fn pack(values: &[Self], out: &mut Vec<u8>);

    /// Writes numbers of a fixed size into a place that fits them.
    #[doc(hidden)]
    fn fill(values: &[Self], place: &mut [u8]);
}

macro_rules! floats {
    ($($type:ty = $field:literal, $size:literal;)*) => {
        $(impl Number for $type {
            const FIELD: u32 = $field;
            const SIZE: Option<usize> = Some($size);

            fn packed_len(values: &[Self]) -> Result<usize> {
                Ok(values.len() * $size)
            }

            fn pack(values: &[Self], out: &mut Vec<u8>) {
                let start = out.len();
                out.resize(start + values.len() * $size, 0);
                Self::fill(values, &mut out[start..]);
            }

            #[inline]
            fn fill(values: &[Self], place: &mut [u8]) {
                for (slot, value) in place.as_chunks_mut::<$size>().0.iter_mut().zip(values) {
                    *slot = value.to_le_bytes();
                }
            }
        })*
    };
}
floats! {
    f32 = 2, 4;
    f64 = 3, 8;
}

macro_rules! integers {
    ($($type:ty),*) => {
        $(impl Number for $type {
            const FIELD: u32 = 7;
            const SIZE: Option<usize> = None;

            fn packed_len(values: &[Self]) -> Result<usize> {
                values.iter().try_fold(0, |length, value| match i32::try_from(*value) {
                    Ok(value) => Ok(length + varint_len(i64::from(value) as u64)),
                    Err(_) => Err(Error::new(ErrorKind::Serialization, format!("{value} does not fit a 32-bit integer"))),
                })
            }

            fn pack(values: &[Self], out: &mut Vec<u8>) {
                for value in values {
                    // Negative ones are sign-extended to 64 bits. All fit: `packed_len` has looked at them.
                    put_varint(out, i32::try_from(*value).map_or(0, |value| i64::from(value) as u64));
                }
            }

            fn fill(_: &[Self], _: &mut [u8]) {}
        })*
    };
}
integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);
