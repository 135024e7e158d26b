use super::Found;
use crate::codec::recordio::Number;

/// A number of a NumPy array: `f32`, `f64`, or an integer of 8 to 64 bits.
///
/// Cannot be implemented outside of this crate.
pub trait Element: Number {
    /// The type as NumPy names it, such as `<f8`.
    #[doc(hidden)]
    const DESCR: &'static str;

    #[doc(hidden)]
    fn put(values: &[Self], out: &mut Vec<u8>);

    /// The number in this type, if it has it.
    #[doc(hidden)]
    fn of(found: Found) -> Option<Self>;
}

macro_rules! elements {
    ($($type:ty = $descr:literal, |$found:ident| $of:expr;)*) => {
        $(impl Element for $type {
            const DESCR: &'static str = $descr;

            fn put(values: &[Self], out: &mut Vec<u8>) {
                const SIZE: usize = size_of::<$type>();
                let start = out.len();
                out.resize(start + values.len() * SIZE, 0);
                for (slot, value) in out[start..].as_chunks_mut::<SIZE>().0.iter_mut().zip(values) {
                    *slot = value.to_le_bytes();
                }
            }

            fn of($found: Found) -> Option<Self> {
                $of
            }
        })*
    };
}

fn float(found: Found) -> f64 {
    match found {
        Found::Float(value) => value,
        Found::Integer(value) => value as f64,
    }
}

fn integer<T: TryFrom<i128>>(found: Found) -> Option<T> {
    match found {
        // Beyond 2^63 no type has it.
        Found::Float(value) if value.fract() == 0.0 && value.abs() < 1e19 => T::try_from(value as i128).ok(),
        Found::Float(_) => None,
        Found::Integer(value) => T::try_from(value).ok(),
    }
}

elements! {
    f32 = "<f4", |found| Some(float(found) as f32);
    f64 = "<f8", |found| Some(float(found));
    i8 = "|i1", |found| integer(found);
    i16 = "<i2", |found| integer(found);
    i32 = "<i4", |found| integer(found);
    i64 = "<i8", |found| integer(found);
    u8 = "|u1", |found| integer(found);
    u16 = "<u2", |found| integer(found);
    u32 = "<u4", |found| integer(found);
    u64 = "<u8", |found| integer(found);
}
