//! Answering requests as the container's `serve.py` does.

use bytes::Bytes;
use hessboost::data::DMatrix;
use hessboost::model::{BoostedModel, Iterations};

use super::content::{self, Format};
use super::text::SparseRows;
use super::version::Version;
use super::{format, python, records, text};
use crate::local::engines::{EngineFailure, Invocation, InvocationFailure, LoadedModel, ModelFiles, Reply};

mod encode;
mod selectable;

use selectable::Selection;

/// A loaded model with what its environment says about answers.
#[derive(Debug)]
pub(super) struct Server {
    models: Vec<(BoostedModel, Iterations)>,
    objective: String,
    features: usize,
    style: Style,
    default_accept: String,
    selection: Option<Selection>,
}

/// How predictions become text; it changed with version 1.3 and differs in batch transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Up to 1.2: `0.1,0.2`, whatever was asked for.
    Joined,
    /// Batch transform (`SAGEMAKER_BATCH`): one prediction a line, each as Python's `str` prints it.
    Batch,
    /// From 1.3 on: the asked type; CSV has one row a line.
    Typed,
}

/// The predictions of a request.
struct Predictions {
    values: Vec<f32>,
    /// How many values a row has; 1 for all but `multi:softprob`.
    width: usize,
}

impl Predictions {
    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }
}

impl Server {
    /// Loads every file of the model folder, as the container does: several models answer with their mean.
    pub(super) fn load(files: &ModelFiles) -> Result<Self, EngineFailure> {
        let variable = |name: &str| files.environment.get(name).map(String::as_str).filter(|value| !value.is_empty());
        let mut found: Vec<&(String, Bytes)> = files
            .files
            .iter()
            .filter(|(path, _)| {
                let path = path.trim_start_matches("./");
                !path.contains('/') && !path.starts_with('.')
            })
            .collect();
        if found.is_empty() {
            return Err(unloadable("the model archive holds no file at its top level; xgboost-model is expected"));
        }
        if variable("SAGEMAKER_INFERENCE_ENSEMBLE").is_some_and(|value| value != "true") {
            found.truncate(1);
        }
        let version = Version::of_image(&files.image);
        let mut models = Vec::with_capacity(found.len());
        for (path, content) in found {
            let loaded = format::load(content)
                .map_err(|error| unloadable(format!("Model /opt/ml/model/{path} cannot be loaded: {error}")))?;
            let range = iterations(&loaded, version);
            models.push((loaded.model, range));
        }
        let first = &models[0].0;
        if let Some((other, _)) = models.iter().find(|(other, _)| other.prediction_width() != first.prediction_width())
        {
            return Err(unloadable(format!(
                "the models of an ensemble must predict as many values a row: {} and {}",
                first.prediction_width(),
                other.prediction_width()
            )));
        }
        let (objective, features) = (first.objective().name().to_owned(), first.n_features());
        let selection =
            variable("SAGEMAKER_INFERENCE_OUTPUT").map(|keys| Selection::new(keys, &objective, first.num_class()));
        let style = match variable("SAGEMAKER_BATCH") {
            Some(_) => Style::Batch,
            None if version.is_before_1_3() => Style::Joined,
            None => Style::Typed,
        };
        let default_accept = variable("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT").unwrap_or("text/csv").to_owned();
        Ok(Self { models, objective, features, style, default_accept, selection })
    }

    fn predict(&self, input: &Input) -> Result<Predictions, String> {
        let mut all = Vec::with_capacity(self.models.len());
        for (model, range) in &self.models {
            let predictions = match input {
                Input::Dense(values) => model.predict_rows(values, *range),
                Input::Sparse(matrix) => model.predict(matrix, *range),
            };
            all.push(predictions.map_err(|error| error.to_string())?);
        }
        let width = self.models[0].0.prediction_width();
        let values = match all.len() {
            1 => all.remove(0).into_vec(),
            _ => {
                let columns: Vec<&[f32]> = all.iter().map(hessboost::model::Predictions::as_slice).collect();
                let vote = ["multi:softmax", "binary:hinge"].contains(&self.objective.as_str());
                (0..columns[0].len())
                    .map(|at| {
                        let values: Vec<f32> = columns.iter().map(|column| column[at]).collect();
                        if vote { mode(&values) } else { mean(&values) }
                    })
                    .collect()
            }
        };
        Ok(Predictions { values, width })
    }

    fn read(&self, request: &Invocation) -> Result<Input, InvocationFailure> {
        let declared = Some(request.content_type.as_str()).filter(|declared| !declared.trim().is_empty());
        // Whatever is wrong with the payload's form is 415 in the container, also a field that is no number.
        let unsupported = |message: String| InvocationFailure { status: 415, message };
        match content::format(declared).map_err(unsupported)? {
            Format::Csv => self.read_csv(&request.body),
            Format::Libsvm => self.read_libsvm(&request.body),
            Format::Parquet => Err(unsupported(format!("Content-type {} is not supported.", request.content_type))),
            Format::RecordIo => self.read_records(&request.body),
        }
    }

    fn read_csv(&self, body: &[u8]) -> Result<Input, InvocationFailure> {
        let failed = |what: String| InvocationFailure {
            status: 415,
            message: format!(
                "Loading csv data failed with Exception, please ensure data is in csv format:\n <class 'ValueError'>\n \
                 {what}"
            ),
        };
        let body = body.trim_ascii();
        if body.is_empty() {
            return Err(failed("Could not determine delimiter".to_owned()));
        }
        if let Some(line) = body.split(|byte| *byte == b'\n').position(|line| line.trim_ascii().is_empty()) {
            return Err(failed(format!("line {}: the line is empty", line + 1)));
        }
        let table = text::numbers(body, text::delimiter(body)).map_err(|trouble| failed(trouble.to_string()))?;
        if table.columns != self.features {
            // The container checks this only of pickled models and lets XGBoost fill in what is missing for others: a
            // row that is too short is a mistake nevertheless, in all of these sizes.
            return Err(not_evaluated(format!(
                "Feature size of csv inference data {} is not consistent with feature size of trained model {}.",
                table.columns, self.features
            )));
        }
        Ok(Input::Dense(table.values))
    }

    fn read_records(&self, body: &Bytes) -> Result<Input, InvocationFailure> {
        let failed = |what: String| InvocationFailure {
            status: 415,
            message: format!(
                "Loading recordio-protobuf data failed with Exception, please ensure data is in recordio-protobuf \
                 format:\n <class 'ValueError'>\n {what}"
            ),
        };
        let rows = records::rows(body).map_err(failed)?;
        self.sparse("recordio-protobuf", rows, failed)
    }

    fn read_libsvm(&self, body: &[u8]) -> Result<Input, InvocationFailure> {
        let failed = |what: String| InvocationFailure {
            status: 415,
            message: format!(
                "Loading libsvm data failed with Exception, please ensure data is in libsvm format:\n <class \
                 'ValueError'>\n {what}"
            ),
        };
        let rows = text::libsvm_features(body.trim_ascii()).map_err(|trouble| failed(trouble.to_string()))?;
        if rows.values.is_empty() {
            return Err(failed("no row names a feature".to_owned()));
        }
        self.sparse("libsvm", rows, failed)
    }

    fn sparse(
        &self,
        format: &str,
        rows: SparseRows,
        failed: impl Fn(String) -> InvocationFailure,
    ) -> Result<Input, InvocationFailure> {
        if rows.width > self.features {
            return Err(not_evaluated(format!(
                "Feature size of {format} inference data {} is larger than feature size of trained model {}.",
                rows.width, self.features
            )));
        }
        DMatrix::from_csr(rows.starts, rows.columns, rows.values, self.features)
            .map(|matrix| Input::Sparse(Box::new(matrix)))
            .map_err(|error| failed(error.to_string()))
    }

    /// The type of the answer (`_parse_accept`).
    fn accept(&self, asked: &str) -> Result<String, InvocationFailure> {
        let asked = asked.split(';').next().unwrap_or_default().trim();
        if asked.is_empty() || asked == "*/*" {
            return Ok(self.default_accept.clone());
        }
        let lower = asked.to_ascii_lowercase();
        match ACCEPTS.contains(&lower.as_str()) {
            true => Ok(lower),
            false => Err(InvocationFailure {
                status: 406,
                message: format!(
                    "Accept type {asked} is not supported. Please use supported accept types: {}.",
                    python::text_list(&ACCEPTS)
                ),
            }),
        }
    }
}

const ACCEPTS: [&str; 4] = ["application/json", "application/jsonlines", "application/x-recordio-protobuf", "text/csv"];

enum Input {
    Dense(Vec<f32>),
    Sparse(Box<DMatrix>),
}

impl LoadedModel for Server {
    fn invoke(&self, request: &Invocation) -> Result<Reply, InvocationFailure> {
        if request.body.is_empty() {
            // 204 No Content, with the type that Flask gives to a body without one.
            return Ok(Reply { content_type: "text/html; charset=utf-8".to_owned(), body: Bytes::new() });
        }
        let input = self.read(request)?;
        let predictions = self.predict(&input).map_err(not_evaluated)?;
        if self.style == Style::Joined {
            return Ok(reply("text/csv", encode::joined(&predictions)));
        }
        let accept = self.accept(&request.accept)?;
        let body = match &self.selection {
            Some(selection) => selection.encode(&predictions, &accept, self.style == Style::Batch),
            None if self.style == Style::Batch => Ok(encode::lines(&predictions)),
            None => encode::typed(&predictions, &accept),
        };
        body.map(|body| reply(&accept, body)).map_err(|message| InvocationFailure { status: 500, message })
    }

    fn blocks(&self) -> bool {
        false
    }
}

fn reply(content_type: &str, body: String) -> Reply {
    // Flask adds a charset to text types.
    let content_type = match content_type.starts_with("text/") {
        true => format!("{content_type}; charset=utf-8"),
        false => content_type.to_owned(),
    };
    Reply { content_type, body: Bytes::from(body) }
}

fn not_evaluated(what: impl std::fmt::Display) -> InvocationFailure {
    InvocationFailure { status: 400, message: format!("Unable to evaluate payload provided: {what}") }
}

fn unloadable(what: impl std::fmt::Display) -> EngineFailure {
    EngineFailure::algorithm(format!("Unable to load model: {what}"))
}

/// Which rounds predict. Before 2.0 the container passes `best_ntree_limit`, which Python's early stopping leaves in a
/// model, as `ntree_limit`; releases from 2.0 on do not know that name, and use all rounds.
fn iterations(loaded: &format::Loaded, version: Version) -> Iterations {
    let model = &loaded.model;
    let rounds = loaded.best_trees.map_or(0, |trees| trees / model.num_parallel_tree().max(1));
    match version.is_before_2() && (1..model.num_boost_rounds()).contains(&rounds) {
        true => Iterations::from(..rounds),
        false => Iterations::from(..),
    }
}

#[expect(clippy::cast_precision_loss, reason = "an ensemble has a handful of models")]
fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

/// The commonest value, of equally common ones the smallest, as `scipy.stats.mode` has it.
fn mode(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let mut best: &[f32] = &[];
    for run in sorted.chunk_by(|left, right| left == right) {
        if run.len() > best.len() {
            best = run;
        }
    }
    best.first().copied().unwrap_or(f32::NAN)
}
