//! LibSVM text, `text/libsvm`: `label index:value index:value ..`, one row a line.

mod parse;

use std::io::Write as _;

use ::bytes::Bytes;

use super::Serializer;
use super::float::{self, Float};
use crate::types::ContentType;
use crate::{Error, ErrorKind, Result};

pub use parse::{LibSvmTable, parse};

/// The codec of LibSVM text.
#[derive(Debug, Clone, Copy)]
pub struct LibSvm;

impl LibSvm {
    /// Writes a slice, array or `Vec` of rows, one a line, apart by `\n` and none after the last.
    ///
    /// - A dense row holds numbers, or `Option`s of them where `None` is a missing value and is left out. Its columns
    ///   are counted from 1. Zeros are written, since XGBoost takes what is left out as missing, not as zero.
    /// - A sparse row holds `(index, value)` pairs with indices that grow. They are written as they are.
    /// - A pair `(label, row)` has a label. Other rows get the label `0`, since the format cannot do without: an
    ///   endpoint ignores it.
    ///
    /// ```
    /// use sagemaker::codec::{LibSvm, Serializer};
    ///
    /// assert_eq!(LibSvm::rows().serialize(&[[0.5, 3.0], [0.0, 1.5]])?, "0 1:0.5 2:3\n0 1:0 2:1.5");
    /// assert_eq!(LibSvm::rows().serialize(&[vec![(3_u32, 0.5), (17, 2.0)]])?, "0 3:0.5 17:2");
    /// assert_eq!(LibSvm::rows().serialize(&[(1, [None, Some(0.5)])])?, "1 2:0.5");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Serialization`] when there is no row, for a NaN or an infinity, and for indices that do not grow;
    /// the last two name line and feature.
    pub fn rows() -> LibSvmRows {
        LibSvmRows
    }
}

/// Serializer of LibSVM rows: see [`LibSvm::rows`].
#[derive(Debug, Clone, Copy)]
pub struct LibSvmRows;

impl<R: Row> Serializer<[R]> for LibSvmRows {
    fn content_type(&self) -> ContentType {
        ContentType::LIBSVM
    }

    fn serialize(&self, rows: &[R]) -> Result<Bytes> {
        if rows.is_empty() {
            return Err(Error::new(ErrorKind::Serialization, "empty rows; give at least one row"));
        }
        let mut out = Writer { out: Vec::new(), line: 0, last_index: None };
        for row in rows {
            out.begin_row();
            row.write_label(&mut out)?;
            row.write_features(&mut out)?;
        }
        Ok(out.out.into())
    }
}

impl<R: Row> Serializer<Vec<R>> for LibSvmRows {
    fn content_type(&self) -> ContentType {
        ContentType::LIBSVM
    }

    fn serialize(&self, rows: &Vec<R>) -> Result<Bytes> {
        self.serialize(rows.as_slice())
    }
}

impl<R: Row, const N: usize> Serializer<[R; N]> for LibSvmRows {
    fn content_type(&self) -> ContentType {
        ContentType::LIBSVM
    }

    fn serialize(&self, rows: &[R; N]) -> Result<Bytes> {
        self.serialize(rows.as_slice())
    }
}

/// A row of LibSVM text: a slice, array or `Vec` of [`Feature`]s, or a pair of a label and such a row.
///
/// Cannot be implemented outside of this crate.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a LibSVM row",
    label = "has no LibSVM form",
    note = "a row is a slice, array or `Vec` of numbers or of `(index, value)` pairs, or `(label, row)`"
)]
pub trait Row {
    #[doc(hidden)]
    fn write_label(&self, out: &mut Writer) -> Result<()> {
        out.out.push(b'0');
        Ok(())
    }

    #[doc(hidden)]
    fn write_features(&self, out: &mut Writer) -> Result<()>;
}

/// A feature of a LibSVM row: a number or `Option` of one, whose index is its position; or an `(index, value)` pair.
///
/// Cannot be implemented outside of this crate.
pub trait Feature {
    #[doc(hidden)]
    fn write(&self, position: usize, out: &mut Writer) -> Result<()>;
}

/// A number of a LibSVM row, such as a label or the value of a feature: a float or an integer.
///
/// Cannot be implemented outside of this crate.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a LibSVM feature",
    label = "has no LibSVM form",
    note = "a feature is a number, an `Option` of one, or an `(index, value)` pair with a `u32` or `usize` index"
)]
pub trait Number: Copy {
    #[doc(hidden)]
    fn write(self, out: &mut Writer, what: impl FnOnce() -> String) -> Result<()>;
}

macro_rules! numbers {
    ($($type:ty),* => |$value:ident, $out:ident, $what:ident| $write:expr) => {
        $(impl Number for $type {
            fn write(self, $out: &mut Writer, $what: impl FnOnce() -> String) -> Result<()> {
                let $value = self;
                $write
            }
        })*
    };
}
numbers!(f32, f64 => |value, out, what| out.float(value, what));
numbers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize => |value, out, _what| {
    // Writing to this buffer cannot fail.
    let _ = write!(out.out, "{value}");
    Ok(())
});

/// Writes labels and features into one buffer.
pub struct Writer {
    out: Vec<u8>,
    line: usize,
    last_index: Option<usize>,
}

impl Writer {
    fn begin_row(&mut self) {
        self.line += 1;
        self.last_index = None;
        if self.line > 1 {
            self.out.push(b'\n');
        }
    }

    fn feature<N: Number>(&mut self, index: usize, value: N) -> Result<()> {
        if let Some(last) = self.last_index.replace(index)
            && index <= last
        {
            return Err(self.fault(format!("feature {index} follows {last}; sort the features and give each once")));
        }
        // Writing to this buffer cannot fail.
        let _ = write!(self.out, " {index}:");
        value.write(self, || format!("feature {index}"))
    }

    fn float<F: Float>(&mut self, value: F, what: impl FnOnce() -> String) -> Result<()> {
        if !value.is_plain() && !value.into().is_finite() {
            let number = if value.into().is_nan() { "NaN" } else { "infinite" };
            return Err(self.fault(format!("{} is {number}; leave a missing value out, or write `None`", what())));
        }
        float::push_short(&mut self.out, value);
        Ok(())
    }

    fn fault(&self, reason: String) -> Error {
        Error::new(ErrorKind::Serialization, format!("line {}, {reason}", self.line))
    }
}

impl<N: Number> Feature for N {
    fn write(&self, position: usize, out: &mut Writer) -> Result<()> {
        out.feature(position + 1, *self)
    }
}

impl<N: Number> Feature for Option<N> {
    fn write(&self, position: usize, out: &mut Writer) -> Result<()> {
        self.map_or(Ok(()), |value| out.feature(position + 1, value))
    }
}

impl<N: Number> Feature for (usize, N) {
    fn write(&self, _: usize, out: &mut Writer) -> Result<()> {
        out.feature(self.0, self.1)
    }
}

impl<N: Number> Feature for (u32, N) {
    fn write(&self, _: usize, out: &mut Writer) -> Result<()> {
        out.feature(self.0 as usize, self.1)
    }
}

impl<F: Feature> Row for [F] {
    fn write_features(&self, out: &mut Writer) -> Result<()> {
        self.iter().enumerate().try_for_each(|(position, feature)| feature.write(position, out))
    }
}

impl<F: Feature> Row for Vec<F> {
    fn write_features(&self, out: &mut Writer) -> Result<()> {
        self.as_slice().write_features(out)
    }
}

impl<F: Feature, const N: usize> Row for [F; N] {
    fn write_features(&self, out: &mut Writer) -> Result<()> {
        self.as_slice().write_features(out)
    }
}

impl<R: Row + ?Sized> Row for &R {
    fn write_label(&self, out: &mut Writer) -> Result<()> {
        (**self).write_label(out)
    }

    fn write_features(&self, out: &mut Writer) -> Result<()> {
        (**self).write_features(out)
    }
}

impl<L: Number, R: Row> Row for (L, R) {
    fn write_label(&self, out: &mut Writer) -> Result<()> {
        self.0.write(out, || "label".to_owned())
    }

    fn write_features(&self, out: &mut Writer) -> Result<()> {
        self.1.write_features(out)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn faults_say_where() {
        let refused = |error: Error| {
            assert_eq!(error.kind(), ErrorKind::Serialization);
            error.to_string().split(';').next().unwrap().trim_start_matches("cannot serialize: ").to_owned()
        };
        let rows = LibSvm::rows();
        assert_eq!(refused(rows.serialize(&[[1.0, f64::NAN]]).unwrap_err()), "line 1, feature 2 is NaN");
        assert_eq!(
            refused(rows.serialize(&[(0.0, [1.0]), (f64::INFINITY, [1.0])]).unwrap_err()),
            "line 2, label is infinite"
        );
        assert_eq!(refused(rows.serialize(&[[(7_u32, 1.0), (7, 2.0)]]).unwrap_err()), "line 1, feature 7 follows 7");
        assert_eq!(refused(rows.serialize(&Vec::<Vec<f64>>::new()).unwrap_err()), "empty rows");
    }

    #[test]
    fn rows_may_be_borrowed_and_empty() {
        let rows: Vec<(f32, &[(usize, f32)])> = vec![(1.0, &[(0, 0.1)]), (-1.5, &[])];
        assert_eq!(LibSvm::rows().serialize(&rows).unwrap(), "1 0:0.1\n-1.5");
    }

    type Rows = Vec<(f32, std::collections::BTreeMap<u32, f32>)>;

    proptest! {
        #[test]
        fn rows_come_back(rows in prop::collection::vec((-1e9_f32..1e9, prop::collection::btree_map(any::<u32>(), -1e9_f32..1e9, 0..6)), 1..6)) {
            let rows: Rows = rows;
            let pairs: Vec<(f32, Vec<(u32, f32)>)> =
                rows.iter().map(|(label, row)| (*label, row.iter().map(|(i, v)| (*i, *v)).collect())).collect();
            let text = LibSvm::rows().serialize(&pairs).unwrap();
            let table = parse(&text).unwrap();
            let back: Vec<(f32, Vec<(u32, f32)>)> =
                (0..table.rows()).map(|row| (table.labels[row], table.row(row).collect())).collect();
            prop_assert_eq!(back, pairs);
        }
    }
}
