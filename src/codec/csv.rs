//! CSV as SageMaker's algorithms speak it: `text/csv`, no header, commas, rows apart by `\n`, none after the last.
//!
//! Numbers are written as Python prints them (`1.0`, `1e-07`, `True`), so a body is byte for byte what the SageMaker
//! Python SDK would send. A missing value is `None` and an empty field.

mod encode;
mod number_table;
mod read;
mod records;
mod rows;
#[cfg(test)]
mod tests;
mod text;

use std::marker::PhantomData;

pub use number_table::{NumberTable, parse_numbers};
pub use read::{FloatRows, Floats, RecordsOf, Strings};
pub use records::Records;
pub use rows::{Field, Matrix, RowOrField, Rows, Table};
pub use text::CsvText;

/// The CSV codecs.
#[derive(Debug, Clone, Copy)]
pub struct Csv;

impl Csv {
    /// Writes rows of numbers and of other plain fields.
    ///
    /// One row is a slice, array or `Vec` of fields, or a tuple; a table is a slice, array or `Vec` of rows, or a
    /// [`Matrix`]. A field is a number, a `bool`, text, or an `Option` of one, where `None` is a missing value.
    ///
    /// ```
    /// use sagemaker::codec::{Csv, Serializer};
    ///
    /// let csv = Csv::rows();
    /// assert_eq!(csv.serialize(&[1.0, 2.5e-10])?, "1.0,2.5e-10"); // one row
    /// assert_eq!(csv.serialize(&vec![vec![1, 2], vec![3, 4]])?, "1,2\n3,4");
    /// assert_eq!(csv.serialize(&[[Some(0.5), None]])?, "0.5,");
    /// assert_eq!(csv.serialize(&[(5.1, true, "red, or so")])?, "5.1,True,\"red, or so\"");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// What has no CSV form does not compile:
    ///
    /// ```compile_fail,E0277
    /// use std::collections::HashMap;
    /// use sagemaker::codec::{Csv, Serializer};
    ///
    /// let row = HashMap::from([("age", 41.0)]); // in which order?
    /// Csv::rows().serialize(&vec![row]);
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Serialization`](crate::ErrorKind::Serialization) when there is no field at all, when a row has
    /// more or fewer columns than the first, and for a NaN or an infinity; the last two name line and column.
    pub fn rows() -> Rows {
        Rows::default()
    }

    /// Writes values that implement serde's `Serialize`, each as one row: structs and tuples, flattened to fields in
    /// the order of their declaration.
    ///
    /// ```
    /// use sagemaker::codec::{Csv, Serializer};
    ///
    /// #[derive(serde::Serialize)]
    /// struct House {
    ///     area: f64,
    ///     rooms: u32,
    ///     garden: Option<f64>,
    /// }
    ///
    /// let houses = [House { area: 84.0, rooms: 3, garden: None }];
    /// assert_eq!(Csv::records().serialize(&houses)?, "84.0,3,");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Csv::rows`]; also for maps (their fields have no order) and for enum variants with fields.
    pub fn records() -> Records {
        Records::default()
    }

    /// Sends CSV text that is ready: `str`, `String` or [`Bytes`](bytes::Bytes), unchanged.
    ///
    /// ```
    /// use sagemaker::codec::{Csv, Serializer};
    ///
    /// assert_eq!(Csv::text().serialize("1,2\n3,4\n")?, "1,2\n3,4\n");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    pub fn text() -> CsvText {
        CsvText
    }

    /// Reads numbers into one list: one a line, apart by commas, or both. Blank lines are skipped.
    ///
    /// ```
    /// use sagemaker::codec::{Csv, Deserializer};
    /// use sagemaker::types::ContentType;
    ///
    /// let scores = Csv::floats().deserialize("0.5\n0.25,1e-3\n".into(), &ContentType::CSV)?;
    /// assert_eq!(scores, [0.5, 0.25, 0.001]);
    ///
    /// let error = Csv::floats().deserialize("0.5\n0.25,high\n".into(), &ContentType::CSV).unwrap_err();
    /// assert_eq!(error.to_string(), "cannot deserialize: line 2, column 2: \"high\" is not a number");
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Deserialization`](crate::ErrorKind::Deserialization) for a field that is no number, also an empty
    /// one, and for a response that declares another format, such as `application/json`.
    pub fn floats() -> Floats {
        Floats
    }

    /// Reads a table of numbers, row by row. An empty field is a missing value and becomes NaN; blank lines are
    /// skipped.
    ///
    /// ```
    /// use sagemaker::codec::{Csv, Deserializer};
    /// use sagemaker::types::ContentType;
    ///
    /// let classes = Csv::float_rows().deserialize("0.9,0.1\n0.2,0.8".into(), &ContentType::CSV)?;
    /// assert_eq!(classes, [[0.9, 0.1], [0.2, 0.8]]);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Csv::floats`]; also for rows of different lengths.
    pub fn float_rows() -> FloatRows {
        FloatRows
    }

    /// Reads the fields as text, row by row. Quotes are taken off, a quoted field may hold line breaks, and rows may
    /// differ in length. Blank lines are skipped.
    ///
    /// ```
    /// use sagemaker::codec::{Csv, Deserializer};
    /// use sagemaker::types::ContentType;
    ///
    /// let rows = Csv::strings().deserialize("setosa,\"a\nb\"\n".into(), &ContentType::CSV)?;
    /// assert_eq!(rows, [["setosa", "a\nb"]]);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    pub fn strings() -> Strings {
        Strings
    }

    /// Reads each row into a `T`: a tuple, or a struct whose fields are in the order of the columns.
    ///
    /// ```
    /// use sagemaker::codec::{Csv, Deserializer};
    /// use sagemaker::types::ContentType;
    ///
    /// #[derive(Debug, PartialEq, serde::Deserialize)]
    /// struct Prediction {
    ///     label: String,
    ///     score: Option<f64>,
    /// }
    ///
    /// let read = Csv::records_of::<Prediction>().deserialize("cat,0.75\ndog,".into(), &ContentType::CSV)?;
    /// assert_eq!(read[0], Prediction { label: "cat".into(), score: Some(0.75) });
    /// assert_eq!(read[1].score, None);
    /// # Ok::<(), sagemaker::Error>(())
    /// ```
    pub fn records_of<T>() -> RecordsOf<T> {
        RecordsOf(PhantomData)
    }
}
