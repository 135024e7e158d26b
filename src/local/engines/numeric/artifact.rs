//! The model file, `model_algo-1` in `model.tar.gz`.
//!
//! The containers on AWS keep MXNet parameter files under that name. Ours is simpler and not interchangeable with
//! theirs: a line of JSON, then the numbers of all arrays as little-endian `f32`, one array after the other, the last
//! dimension fastest.
//!
//! ```text
//! {"format":"sagemaker-crate-model","version":1,"algorithm":"kmeans","settings":{},"arrays":[{"name":"centroids","shape":[8,7]}]}
//! <8 * 7 * 4 bytes>
//! ```
//!
//! The arrays and settings of each algorithm are those of its module `model`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::local::engines::{EngineFailure, ModelFiles, TrainingOutput};

/// The file's name, that of the containers.
pub(in crate::local::engines) const FILE: &str = "model_algo-1";

const FORMAT: &str = "sagemaker-crate-model";

const VERSION: u32 = 1;

/// A model's numbers and settings.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::local::engines) struct Artifact {
    pub(in crate::local::engines) algorithm: String,
    pub(in crate::local::engines) settings: Map<String, Value>,
    arrays: Vec<Array>,
}

#[derive(Debug, Clone, PartialEq)]
struct Array {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    algorithm: String,
    settings: Map<String, Value>,
    arrays: Vec<Shape>,
}

#[derive(Serialize, Deserialize)]
struct Shape {
    name: String,
    shape: Vec<usize>,
}

impl Artifact {
    pub(in crate::local::engines) fn new(algorithm: &str) -> Self {
        Self { algorithm: algorithm.to_owned(), settings: Map::new(), arrays: Vec::new() }
    }

    #[must_use]
    pub(in crate::local::engines) fn setting(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    #[must_use]
    pub(in crate::local::engines) fn array(mut self, name: &str, shape: &[usize], values: Vec<f32>) -> Self {
        self.arrays.push(Array { name: name.to_owned(), shape: shape.to_vec(), values });
        self
    }

    /// What a training container leaves behind.
    pub(in crate::local::engines) fn output(&self) -> Result<TrainingOutput, EngineFailure> {
        let file =
            self.encode().map_err(|error| EngineFailure::algorithm(format!("cannot save the model: {error}")))?;
        Ok(TrainingOutput::default().model_file(FILE, file))
    }

    pub(in crate::local::engines) fn encode(&self) -> serde_json::Result<Bytes> {
        let shape = |array: &Array| Shape { name: array.name.clone(), shape: array.shape.clone() };
        let header = Header {
            format: FORMAT.to_owned(),
            version: VERSION,
            algorithm: self.algorithm.clone(),
            settings: self.settings.clone(),
            arrays: self.arrays.iter().map(shape).collect(),
        };
        let mut out = serde_json::to_vec(&header)?;
        out.push(b'\n');
        for value in self.arrays.iter().flat_map(|array| &array.values) {
            out.extend_from_slice(&value.to_le_bytes());
        }
        Ok(Bytes::from(out))
    }

    pub(in crate::local::engines) fn decode(file: &[u8]) -> Result<Self, String> {
        let end = file.iter().position(|byte| *byte == b'\n').ok_or("it has no header line")?;
        let header: Header = serde_json::from_slice(&file[..end])
            .map_err(|_| "its header is not that of a model of the local backend; models of AWS are MXNet files")?;
        if header.format != FORMAT || header.version != VERSION {
            return Err(format!(
                "its format is {} version {}, not {FORMAT} version {VERSION}",
                header.format, header.version
            ));
        }
        let mut rest = &file[end + 1..];
        let mut arrays = Vec::new();
        for Shape { name, shape } in header.arrays {
            let size = shape.iter().try_fold(4usize, |size, length| size.checked_mul(*length));
            let Some((bytes, tail)) = size.and_then(|size| rest.split_at_checked(size)) else {
                return Err(format!("array {name} is cut off"));
            };
            let values = bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
            arrays.push(Array { name, shape, values: values.collect() });
            rest = tail;
        }
        match rest.is_empty() {
            true => Ok(Self { algorithm: header.algorithm, settings: header.settings, arrays }),
            false => Err(format!("{} bytes follow the last array", rest.len())),
        }
    }

    /// Reads the model of an algorithm from the unpacked `model.tar.gz`.
    pub(in crate::local::engines) fn load(files: &ModelFiles, algorithm: &str) -> Result<Self, EngineFailure> {
        let plain = |(path, _): &&(String, Bytes)| path.trim_start_matches("./") == FILE;
        let Some((_, file)) = files.files.iter().find(plain) else {
            return Err(unloadable(format!("the model archive holds no file {FILE}")));
        };
        let artifact = Self::decode(file).map_err(unloadable)?;
        match artifact.algorithm == algorithm {
            true => Ok(artifact),
            false => Err(unloadable(format!("it is a model of {}, the image serves {algorithm}", artifact.algorithm))),
        }
    }

    /// An array of two dimensions: its rows, columns and values.
    pub(in crate::local::engines) fn table(&self, name: &str) -> Result<(usize, usize, &[f32]), EngineFailure> {
        match self.arrays.iter().find(|array| array.name == name) {
            Some(Array { shape, values, .. }) if shape.len() == 2 => Ok((shape[0], shape[1], values)),
            _ => Err(unloadable(format!("array {name} of two dimensions is missing"))),
        }
    }

    /// An array of one dimension.
    pub(in crate::local::engines) fn vector(&self, name: &str, length: usize) -> Result<&[f32], EngineFailure> {
        match self.arrays.iter().find(|array| array.name == name) {
            Some(Array { shape, values, .. }) if *shape == [length] => Ok(values),
            _ => Err(unloadable(format!("array {name} of length {length} is missing"))),
        }
    }

    pub(in crate::local::engines) fn text(&self, name: &str) -> Result<&str, EngineFailure> {
        let value = self.settings.get(name).and_then(Value::as_str);
        value.ok_or_else(|| unloadable(format!("setting {name} is missing")))
    }

    pub(in crate::local::engines) fn number(&self, name: &str) -> Result<f64, EngineFailure> {
        let value = self.settings.get(name).and_then(Value::as_f64);
        value.ok_or_else(|| unloadable(format!("setting {name} is missing")))
    }

    pub(in crate::local::engines) fn count(&self, name: &str) -> Result<usize, EngineFailure> {
        let value = self.settings.get(name).and_then(Value::as_u64).and_then(|value| usize::try_from(value).ok());
        value.ok_or_else(|| unloadable(format!("setting {name} is missing")))
    }
}

pub(in crate::local::engines) fn unloadable(what: impl std::fmt::Display) -> EngineFailure {
    EngineFailure::algorithm(format!("Unable to load model: {what}"))
}
