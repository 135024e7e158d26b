use std::collections::BTreeMap;

use bytes::Bytes;

use super::wire::{Field, Fields, malformed, varint};
use crate::{Error, ErrorKind, Result};

/// One record: a row of data, or an answer.
///
/// ```
/// use sagemaker::codec::recordio::{Record, Tensor};
///
/// let record = Record::default().with_feature("values", Tensor::dense(vec![1.0_f32, 2.0])).with_label("values", vec![1]);
/// assert_eq!(Record::decode(record.encode()?)?, record);
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// What goes in, by name; `values` where there is one only.
    pub features: BTreeMap<String, RecordValue>,
    /// What is known of it or was predicted, by name; `values` in training data.
    pub label: BTreeMap<String, RecordValue>,
    /// A name of the record, which algorithms do not use.
    pub uid: Option<String>,
    /// Words about the record, which algorithms do not use.
    pub metadata: Option<String>,
    /// Settings of this record in JSON, for algorithms that take them.
    pub configuration: Option<String>,
}

/// What a feature or a label is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RecordValue {
    /// Numbers.
    Tensor(Tensor),
    /// Bytes, such as pictures.
    Bytes {
        /// One or more of them.
        parts: Vec<Bytes>,
        /// Their type, if it is told.
        content_type: Option<String>,
    },
}

/// Numbers, dense or sparse.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// The numbers: all of them, or where there are keys those at the keys.
    pub values: TensorValues,
    /// The place of each number in a sparse tensor; empty for a dense one.
    pub keys: Vec<u64>,
    /// The dimensions; for a sparse vector its length.
    pub shape: Vec<u64>,
}

/// The numbers of a [`Tensor`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum TensorValues {
    /// `Float32Tensor`
    F32(Vec<f32>),
    /// `Float64Tensor`
    F64(Vec<f64>),
    /// `Int32Tensor`
    I32(Vec<i32>),
}

impl TensorValues {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I32(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at an index.
    pub fn get(&self, index: usize) -> Option<f64> {
        match self {
            Self::F32(values) => values.get(index).map(|value| f64::from(*value)),
            Self::F64(values) => values.get(index).copied(),
            Self::I32(values) => values.get(index).map(|value| f64::from(*value)),
        }
    }

    fn iter(&self) -> impl Iterator<Item = f64> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

macro_rules! values {
    ($($type:ty => $variant:ident;)*) => {
        $(impl From<Vec<$type>> for TensorValues {
            fn from(values: Vec<$type>) -> Self {
                Self::$variant(values)
            }
        }

        impl From<Vec<$type>> for RecordValue {
            fn from(values: Vec<$type>) -> Self {
                Self::Tensor(Tensor::dense(values))
            }
        })*
    };
}
values! {
    f32 => F32;
    f64 => F64;
    i32 => I32;
}

impl From<Tensor> for RecordValue {
    fn from(tensor: Tensor) -> Self {
        Self::Tensor(tensor)
    }
}

impl Tensor {
    /// A dense vector of `f32`, `f64` or `i32`.
    pub fn dense(values: impl Into<TensorValues>) -> Self {
        Self { values: values.into(), keys: Vec::new(), shape: Vec::new() }
    }

    /// A sparse vector of `length`: each value with its place.
    pub fn sparse(length: u64, keys: Vec<u64>, values: impl Into<TensorValues>) -> Self {
        Self { values: values.into(), keys, shape: vec![length] }
    }

    /// The numbers as `f64`; of a sparse tensor those that are there.
    pub fn to_f64(&self) -> Vec<f64> {
        self.values.iter().collect()
    }

    /// Whether only the numbers at the keys are there.
    ///
    /// One that has neither keys nor values, but a shape, is sparse too: a row of zeros.
    pub fn is_sparse(&self) -> bool {
        !self.keys.is_empty() || self.values.is_empty() && !self.shape.is_empty()
    }

    /// Writes the numbers into `row`, zeros where a sparse tensor has none.
    ///
    /// The row's length is the caller's, so that a record from outside cannot ask for memory.
    ///
    /// # Errors
    /// [`ErrorKind::Deserialization`] unless a dense tensor has just as many numbers, and if a sparse one has a key
    /// beyond the row, or not as many keys as numbers.
    pub fn write_to(&self, row: &mut [f64]) -> Result<()> {
        let refused = |text: String| Err(Error::new(ErrorKind::Deserialization, text));
        if !self.is_sparse() {
            if self.values.len() != row.len() {
                return refused(format!("{} numbers where {} are expected", self.values.len(), row.len()));
            }
            row.iter_mut().zip(self.values.iter()).for_each(|(place, value)| *place = value);
            return Ok(());
        }
        if self.keys.len() != self.values.len() {
            return refused(format!("{} numbers have {} keys", self.values.len(), self.keys.len()));
        }
        row.fill(0.0);
        let length = row.len();
        for (key, value) in self.keys.iter().zip(self.values.iter()) {
            match usize::try_from(*key).ok().and_then(|key| row.get_mut(key)) {
                Some(place) => *place = value,
                None => return refused(format!("the key {key} is beyond the row of {length} numbers")),
            }
        }
        Ok(())
    }
}

impl Record {
    /// Adds a feature.
    #[must_use]
    pub fn with_feature(mut self, name: impl Into<String>, value: impl Into<RecordValue>) -> Self {
        self.features.insert(name.into(), value.into());
        self
    }

    /// Adds a label.
    #[must_use]
    pub fn with_label(mut self, name: impl Into<String>, value: impl Into<RecordValue>) -> Self {
        self.label.insert(name.into(), value.into());
        self
    }

    /// The numbers of a feature; `values` is the only one of most records.
    pub fn feature(&self, name: &str) -> Option<&Tensor> {
        tensor(&self.features, name)
    }

    /// The numbers of a label.
    pub fn label(&self, name: &str) -> Option<&Tensor> {
        tensor(&self.label, name)
    }

    /// The number of a label.
    ///
    /// # Errors
    /// [`ErrorKind::Deserialization`] unless there is just one; the message names the labels that there are.
    pub fn scalar(&self, name: &str) -> Result<f64> {
        let tensor = self.needed(name)?;
        match (tensor.values.get(0), tensor.values.len()) {
            (Some(value), 1) => Ok(value),
            (_, count) => Err(Error::new(
                ErrorKind::Deserialization,
                format!("the label {name} has {count} numbers instead of one"),
            )),
        }
    }

    /// The numbers of a label.
    ///
    /// # Errors
    /// [`ErrorKind::Deserialization`] if there are none; the message names the labels that there are.
    pub fn vector(&self, name: &str) -> Result<Vec<f64>> {
        self.needed(name).map(Tensor::to_f64)
    }

    fn needed(&self, name: &str) -> Result<&Tensor> {
        self.label(name).ok_or_else(|| {
            let there: Vec<String> =
                self.label.keys().take(8).map(|name| crate::codec::shortened(name.as_bytes())).collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            Error::new(ErrorKind::Deserialization, format!("there is no label {name}; there are {there}"))
        })
    }

    /// The payload of a frame.
    ///
    /// # Errors
    /// [`ErrorKind::Serialization`] for a record of 512 MiB and above.
    pub fn encode(&self) -> Result<Bytes> {
        let mut writer = super::RecordWriter::new();
        writer.record(self)?;
        super::frames(writer.finish()).next().unwrap_or_else(|| Ok(Bytes::new()))
    }

    /// Reads the payload of a frame. Fields that the format does not know are passed over.
    ///
    /// # Errors
    /// [`ErrorKind::Deserialization`] for bytes that are no such record.
    pub fn decode(payload: Bytes) -> Result<Self> {
        let mut record = Self::default();
        for field in Fields(&payload) {
            match field? {
                (1, Field::Delimited(entry)) => read_entry(entry, &payload, &mut record.features)?,
                (2, Field::Delimited(entry)) => read_entry(entry, &payload, &mut record.label)?,
                (3, Field::Delimited(uid)) => record.uid = Some(text(uid)?),
                (4, Field::Delimited(metadata)) => record.metadata = Some(text(metadata)?),
                (5, Field::Delimited(configuration)) => record.configuration = Some(text(configuration)?),
                _ => {}
            }
        }
        Ok(record)
    }
}

fn tensor<'a>(of: &'a BTreeMap<String, RecordValue>, name: &str) -> Option<&'a Tensor> {
    match of.get(name)? {
        RecordValue::Tensor(tensor) => Some(tensor),
        RecordValue::Bytes { .. } => None,
    }
}

fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| malformed("a text is not UTF-8".to_owned()))
}

/// An entry without a value is none.
fn read_entry(entry: &[u8], payload: &Bytes, into: &mut BTreeMap<String, RecordValue>) -> Result<()> {
    let (mut name, mut value) = (String::new(), None);
    for field in Fields(entry) {
        match field? {
            (1, Field::Delimited(key)) => name = text(key)?,
            (2, Field::Delimited(bytes)) => read_value(bytes, payload, &mut value)?,
            _ => {}
        }
    }
    if let Some(value) = value {
        into.insert(name, value);
    }
    Ok(())
}

/// The last kind of value holds; more of the same kind adds to it.
fn read_value(bytes: &[u8], payload: &Bytes, value: &mut Option<RecordValue>) -> Result<()> {
    for field in Fields(bytes) {
        let (number, Field::Delimited(inner)) = field? else { continue };
        let empty = match number {
            2 => RecordValue::from(Vec::<f32>::new()),
            3 => RecordValue::from(Vec::<f64>::new()),
            7 => RecordValue::from(Vec::<i32>::new()),
            9 => RecordValue::Bytes { parts: Vec::new(), content_type: None },
            _ => continue,
        };
        let kind = |value: &RecordValue| match value {
            RecordValue::Tensor(tensor) => Some(std::mem::discriminant(&tensor.values)),
            RecordValue::Bytes { .. } => None,
        };
        let now = match value {
            Some(now) if kind(now) == kind(&empty) => now,
            _ => value.insert(empty),
        };
        match now {
            RecordValue::Tensor(tensor) => read_tensor(inner, tensor)?,
            RecordValue::Bytes { parts, content_type } => {
                for field in Fields(inner) {
                    match field? {
                        (1, Field::Delimited(part)) => parts.push(payload.slice_ref(part)),
                        (2, Field::Delimited(name)) => *content_type = Some(text(name)?),
                        _ => {}
                    }
                }
            }
        }
    }
    Ok(())
}

fn read_tensor(bytes: &[u8], tensor: &mut Tensor) -> Result<()> {
    for field in Fields(bytes) {
        match field? {
            (1, field) => read_values(field, &mut tensor.values)?,
            (2, field) => read_varints(field, &mut tensor.keys)?,
            (3, field) => read_varints(field, &mut tensor.shape)?,
            _ => {}
        }
    }
    Ok(())
}

/// Numbers are packed as a rule, and one field each in what some writers make.
fn read_values(field: Field<'_>, values: &mut TensorValues) -> Result<()> {
    let uneven = |size: usize| malformed(format!("packed numbers are no multiple of {size} bytes"));
    match (values, field) {
        (TensorValues::F32(values), Field::Delimited(packed)) => {
            let (chunks, rest) = packed.as_chunks::<4>();
            if !rest.is_empty() {
                return Err(uneven(4));
            }
            values.extend(chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        }
        (TensorValues::F32(values), Field::Fixed32(bytes)) => values.push(f32::from_le_bytes(bytes)),
        (TensorValues::F64(values), Field::Delimited(packed)) => {
            let (chunks, rest) = packed.as_chunks::<8>();
            if !rest.is_empty() {
                return Err(uneven(8));
            }
            values.extend(chunks.iter().map(|bytes| f64::from_le_bytes(*bytes)));
        }
        (TensorValues::F64(values), Field::Fixed64(bytes)) => values.push(f64::from_le_bytes(bytes)),
        (TensorValues::I32(values), Field::Delimited(mut packed)) => {
            while !packed.is_empty() {
                // As protobuf has it: of more than 32 bits the lower ones count.
                values.push(varint(&mut packed)? as i32);
            }
        }
        (TensorValues::I32(values), Field::Varint(value)) => values.push(value as i32),
        _ => return Err(malformed("numbers have another type than their tensor".to_owned())),
    }
    Ok(())
}

fn read_varints(field: Field<'_>, numbers: &mut Vec<u64>) -> Result<()> {
    match field {
        Field::Delimited(mut packed) => {
            while !packed.is_empty() {
                numbers.push(varint(&mut packed)?);
            }
        }
        Field::Varint(number) => numbers.push(number),
        _ => return Err(malformed("a key or dimension is no whole number".to_owned())),
    }
    Ok(())
}
