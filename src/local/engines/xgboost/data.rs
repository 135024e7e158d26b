//! Reading the channels of a training job into one matrix each.

use bytes::Bytes;
use hessboost::data::DMatrix;

use super::content::{self, Format};
use super::records;
use super::text::{self, SparseRows};
use crate::local::engines::{Channel, EngineFailure, TrainingTask};

/// The container reads files at most this many folders below the channel and warns of the rest.
const MAX_FOLDERS: usize = 2;

/// One channel's rows.
#[derive(Debug)]
pub(super) struct Dataset {
    channel: String,
    files: Vec<FileRows>,
    labels: Vec<f32>,
    weights: Vec<f32>,
    /// The sizes of the runs of equal `qid`; empty if there are none.
    queries: Vec<usize>,
    features: Features,
}

#[derive(Debug)]
enum Features {
    Dense { values: Vec<f32>, columns: usize },
    Sparse(SparseRows),
}

impl Features {
    fn sparse(self) -> SparseRows {
        match self {
            Self::Sparse(rows) => rows,
            Self::Dense { values, columns } => SparseRows {
                starts: (0..=values.len()).step_by(columns.max(1)).collect(),
                columns: (0..values.len() / columns.max(1)).flat_map(|_| 0..columns as u32).collect(),
                values,
                width: columns,
                ..SparseRows::default()
            },
        }
    }
}

#[derive(Debug)]
struct FileRows {
    name: String,
    first_row: usize,
    /// The line of each row, counted from 1.
    lines: Vec<u32>,
}

impl Dataset {
    pub(super) fn rows(&self) -> usize {
        self.labels.len()
    }

    /// How many feature columns there are.
    pub(super) fn columns(&self) -> usize {
        match &self.features {
            Features::Dense { columns, .. } => *columns,
            Features::Sparse(rows) => rows.width,
        }
    }

    /// Whether every row gives every column.
    pub(super) fn is_dense(&self) -> bool {
        matches!(self.features, Features::Dense { .. })
    }

    pub(super) fn labels(&self) -> &[f32] {
        &self.labels
    }

    /// Where a row comes from, for messages: `channel train, part-0.csv, line 3`.
    pub(super) fn place(&self, row: usize) -> String {
        let file = self.files.iter().rev().find(|file| file.first_row <= row);
        match file.and_then(|file| Some((file, file.lines.get(row - file.first_row)?))) {
            Some((file, line)) => format!("channel {}, {}, line {line}", self.channel, file.name),
            None => format!("channel {}, row {row}", self.channel),
        }
    }

    /// The rows of both.
    pub(super) fn and(mut self, other: Self) -> Self {
        let first_row = self.rows();
        self.files
            .extend(other.files.into_iter().map(|file| FileRows { first_row: file.first_row + first_row, ..file }));
        self.labels.extend(other.labels);
        self.weights.extend(other.weights);
        self.queries.extend(other.queries);
        self.features = match (self.features, other.features) {
            (Features::Dense { mut values, columns }, Features::Dense { values: more, columns: as_many })
                if columns == as_many =>
            {
                values.extend(more);
                Features::Dense { values, columns }
            }
            (these, those) => {
                let mut rows = these.sparse();
                rows.append(those.sparse());
                Features::Sparse(rows)
            }
        };
        self
    }

    /// Whether rows belong to queries.
    pub(super) fn has_queries(&self) -> bool {
        !self.queries.is_empty()
    }

    /// The rows as a matrix of `width` columns; for a ranking objective, rows without `qid` are one query.
    pub(super) fn into_matrix(self, width: usize, ranking: bool) -> hessboost::error::Result<DMatrix> {
        let rows = self.labels.len();
        let mut matrix = match self.features {
            Features::Dense { values, columns } => DMatrix::from_dense_vec(values, rows, columns)?,
            Features::Sparse(sparse) => DMatrix::from_csr(sparse.starts, sparse.columns, sparse.values, width)?,
        };
        matrix = matrix.with_labels(&self.labels)?;
        if !self.queries.is_empty() {
            matrix = matrix.with_group_sizes(&self.queries)?;
        } else if ranking {
            matrix = matrix.with_group_sizes(&[rows])?;
        }
        if !self.weights.is_empty() {
            matrix = matrix.with_weights(&self.weights)?;
        }
        Ok(matrix)
    }
}

/// Checks the channels' names and content types as the container does, and reads `train` and `validation`.
pub(super) fn read(task: &TrainingTask, csv_weights: bool) -> Result<(Dataset, Option<Dataset>), EngineFailure> {
    let Some(train) = task.channel("train") else {
        return Err(EngineFailure::algorithm("Missing required channel: train"));
    };
    let known = |channel: &&Channel| !["train", "validation", "code"].contains(&channel.name.as_str());
    if let Some(channel) = task.channels.iter().find(known) {
        return Err(EngineFailure::algorithm(format!("Extraneous channel found: {}", channel.name)));
    }
    let validation = task.channel("validation");
    for channel in [Some(train), validation].into_iter().flatten() {
        declared(channel)?;
    }
    // The container takes the format of both channels from `train`.
    let format = declared(train)?;
    if let Some(validation) = validation {
        warn_of_duplicates(task, train, validation);
    }
    let train_set = Reader { task, channel: train, format, csv_weights }.read()?;
    let validation_set = match validation {
        Some(channel) => Some(Reader { task, channel, format, csv_weights }.read()?),
        None => None,
    };
    let Some(train_set) = train_set else {
        return Err(EngineFailure::algorithm("No data in training channel path /opt/ml/input/data/train"));
    };
    let validation_set = match validation_set {
        Some(None) => {
            return Err(EngineFailure::algorithm("No data in validation channel path /opt/ml/input/data/validation"));
        }
        Some(set) => set,
        None => None,
    };
    Ok((train_set, validation_set))
}

/// The container compares a channel's content type with its list as it stands, parameters and all.
fn declared(channel: &Channel) -> Result<Format, EngineFailure> {
    let declared = channel.content_type.as_deref().filter(|declared| !declared.is_empty());
    let format = content::format(declared).map_err(EngineFailure::algorithm)?;
    match declared {
        Some(name) if !content::KNOWN.contains(&name) => Err(EngineFailure::algorithm(format!(
            "Channel configuration for '{}' channel is not supported: the container takes a ContentType without \
             parameters, one of {}; got '{name}'",
            channel.name,
            content::KNOWN.join(", "),
        ))),
        _ => Ok(format),
    }
}

fn warn_of_duplicates(task: &TrainingTask, train: &Channel, validation: &Channel) {
    for (name, content) in &validation.files {
        if train.files.iter().any(|(other, bytes)| other == name && bytes.len() == content.len()) {
            task.log(format!(
                "Suspected identical files found. (/opt/ml/input/data/train/{name} and \
                 /opt/ml/input/data/validation/{name} with same size {} bytes). Note: Duplicate data in the training \
                 set and validation set is usually not intentional and can impair the validity of the model evaluation \
                 by the validation score.",
                content.len()
            ));
        }
    }
}

struct Reader<'a> {
    task: &'a TrainingTask,
    channel: &'a Channel,
    format: Format,
    csv_weights: bool,
}

impl Reader<'_> {
    /// The channel's rows, or `None` if its files are empty.
    fn read(&self) -> Result<Option<Dataset>, EngineFailure> {
        let mut files = Vec::new();
        for (name, content) in &self.channel.files {
            if name.split('/').any(|part| part.starts_with('.')) {
                return Err(EngineFailure::algorithm(
                    "Hidden file found in the data path! Remove that before training.",
                ));
            }
            if name.matches('/').count() > MAX_FOLDERS {
                self.task.log(format!("{name} is more than {} folders deep and is not loaded.", MAX_FOLDERS + 1));
            } else if !content.is_empty() {
                files.push((name.as_str(), content));
            }
        }
        if files.is_empty() {
            return Ok(None);
        }
        let set = match self.format {
            Format::Csv => self.csv(&files)?,
            Format::Libsvm => self.libsvm(&files)?,
            Format::RecordIo => self.records(&files)?,
            Format::Parquet => {
                return Err(EngineFailure::algorithm(format!(
                    "the local XGBoost engine reads text/csv, text/libsvm and application/x-recordio-protobuf; channel {} has ContentType {}, which only \
                     the container on AWS reads",
                    self.channel.name,
                    self.channel.content_type.as_deref().unwrap_or_default(),
                )));
            }
        };
        if set.labels.is_empty() {
            return Err(EngineFailure::algorithm(
                "Got input data without labels. Please check the input data set. If training job is running on multiple \
                 instances, please switch to using single instance if number of records in the data set is less than \
                 number of workers (16 * number of instance) in the cluster.",
            ));
        }
        if let Some(row) = set.labels.iter().position(|label| !label.is_finite()) {
            return Err(EngineFailure::algorithm(format!(
                "Label contains NaN, infinity or a value too large. ({})",
                set.place(row)
            )));
        }
        Ok(Some(set))
    }

    fn empty(&self, features: Features) -> Dataset {
        Dataset {
            channel: self.channel.name.clone(),
            files: Vec::new(),
            labels: Vec::new(),
            weights: Vec::new(),
            queries: Vec::new(),
            features,
        }
    }

    fn failed(&self, format: &str, file: &str, what: impl std::fmt::Display) -> EngineFailure {
        let channel = &self.channel.name;
        EngineFailure::algorithm(format!(
            "Failed to load {format} data with exception:\nchannel {channel}, {file}, {what}"
        ))
    }

    fn csv(&self, files: &[(&str, &Bytes)]) -> Result<Dataset, EngineFailure> {
        // The container sniffs the delimiter in the first file and reads all files with it.
        let delimiter = text::delimiter(files[0].1);
        self.task.log(format!("Determined delimiter of CSV input is '{}'", char::from(delimiter)));
        let leading = if self.csv_weights { 2 } else { 1 };
        let mut set = self.empty(Features::Sparse(SparseRows::default()));
        let (mut values, mut columns) = (Vec::new(), None);
        for (name, content) in files {
            refuse_header(content, delimiter).map_err(|what| self.failed("csv", name, what))?;
            let table = text::numbers(content, delimiter).map_err(|trouble| self.failed("csv", name, trouble))?;
            if table.rows == 0 {
                continue;
            }
            if table.columns <= leading {
                let what = format!(
                    "line 1: {} columns, but the label{} and at least one feature are needed; the delimiter is '{}'",
                    table.columns,
                    if self.csv_weights { ", the weight" } else { "" },
                    char::from(delimiter),
                );
                return Err(self.failed("csv", name, what));
            }
            if *columns.get_or_insert(table.columns) != table.columns {
                let what =
                    format!("line 1: {} columns where the files before have {}", table.columns, columns.unwrap_or(0));
                return Err(self.failed("csv", name, what));
            }
            set.files.push(file_rows(name, content, set.labels.len(), false));
            values.reserve(table.rows * (table.columns - leading));
            for row in table.values.chunks_exact(table.columns) {
                set.labels.push(row[0]);
                if self.csv_weights {
                    set.weights.push(row[1]);
                }
                values.extend_from_slice(&row[leading..]);
            }
        }
        let columns = columns.map_or(0, |columns| columns - leading);
        if columns > text::MAX_COLUMNS {
            let what = format!("{columns} columns; the local engine takes up to {}", text::MAX_COLUMNS);
            return Err(self.failed("csv", files[0].0, what));
        }
        set.features = Features::Dense { values, columns };
        if let Some(row) = set.weights.iter().position(|weight| weight.is_nan() || *weight < 0.0) {
            let what = "a weight must be a number that is not negative";
            return Err(EngineFailure::algorithm(format!("{what} ({})", set.place(row))));
        }
        Ok(set)
    }

    fn records(&self, files: &[(&str, &Bytes)]) -> Result<Dataset, EngineFailure> {
        let mut all = SparseRows { starts: vec![0], ..SparseRows::default() };
        let mut set = self.empty(Features::Sparse(SparseRows::default()));
        for (name, content) in files {
            let rows = records::rows(content).map_err(|why| self.failed("recordio-protobuf", name, why))?;
            let count = rows.starts.len() - 1;
            if !rows.labels.is_empty() && rows.labels.len() != count {
                let what = format!("{} of {count} records have a label", rows.labels.len());
                return Err(self.failed("recordio-protobuf", name, what));
            }
            let lines = (1..).take(rows.labels.len()).collect();
            set.files.push(FileRows { name: (*name).to_owned(), first_row: all.labels.len(), lines });
            all.append(rows);
        }
        set.labels = std::mem::take(&mut all.labels);
        set.features = Features::Sparse(all);
        Ok(set)
    }

    fn libsvm(&self, files: &[(&str, &Bytes)]) -> Result<Dataset, EngineFailure> {
        let mut all = SparseRows { starts: vec![0], ..SparseRows::default() };
        let mut set = self.empty(Features::Sparse(SparseRows::default()));
        for (name, content) in files {
            refuse_non_libsvm(name, content)?;
            let rows = text::libsvm(content).map_err(|trouble| self.failed("libsvm", name, trouble))?;
            set.files.push(file_rows(name, content, all.labels.len(), true));
            all.append(rows);
            if [all.weights.len(), all.queries.len()].iter().any(|count| *count != 0 && *count != all.labels.len()) {
                return Err(self.failed("libsvm", name, "line 1: all files or none have weights, likewise qid"));
            }
        }
        set.labels = std::mem::take(&mut all.labels);
        set.weights = std::mem::take(&mut all.weights);
        set.queries = runs(&std::mem::take(&mut all.queries)).map_err(|row| {
            EngineFailure::algorithm(format!(
                "Failed to load libsvm data with exception:\nqid must be sorted in non-decreasing order along with data. \
                 ({})",
                set.place(row)
            ))
        })?;
        set.features = Features::Sparse(all);
        if set.columns() == 0 && !set.labels.is_empty() {
            return Err(self.failed("libsvm", files[0].0, "line 1: no row names a feature"));
        }
        Ok(set)
    }
}

/// The lengths of the runs of equal values, or the row at which the values fall.
fn runs(queries: &[u64]) -> Result<Vec<usize>, usize> {
    if let Some(row) = queries.windows(2).position(|pair| pair[1] < pair[0]) {
        return Err(row + 1);
    }
    Ok(queries.chunk_by(|left, right| left == right).map(<[u64]>::len).collect())
}

fn file_rows(name: &str, content: &[u8], first_row: usize, comments: bool) -> FileRows {
    let is_row = |line: &[u8]| {
        let line = if comments { line.split(|byte| *byte == b'#').next().unwrap_or_default() } else { line };
        !line.trim_ascii().is_empty()
    };
    let numbered = (1..).zip(content.split(|byte| *byte == b'\n'));
    let lines = numbered.filter(|(_, line)| is_row(line)).map(|(number, _)| number).collect();
    FileRows { name: name.to_owned(), first_row, lines }
}

/// XGBoost's own reader takes what is no number for a missing value, a header for a row with label 0; that trains
/// something, but never what was meant.
fn refuse_header(content: &[u8], delimiter: u8) -> Result<(), String> {
    let first = content.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let is_name = |field: &&[u8]| {
        let field = field.trim_ascii();
        !field.is_empty() && std::str::from_utf8(field).is_ok_and(|field| field.parse::<f32>().is_err())
    };
    let (fields, names) = first
        .split(|byte| *byte == delimiter)
        .fold((0, 0), |(fields, names), field| (fields + 1, names + usize::from(is_name(&field))));
    if names > 0 && names == fields {
        let start = text::shown(first.split(|byte| *byte == delimiter).next().unwrap_or_default());
        return Err(format!(
            "line 1, column 1: {start} is not a number; the line looks like a header: remove it, the label must be in \
             the first column and CSV files for XGBoost have no header"
        ));
    }
    Ok(())
}

/// The container looks at the first line before XGBoost does; it is what a CSV file without a declared type meets.
fn refuse_non_libsvm(name: &str, content: &[u8]) -> Result<(), EngineFailure> {
    let first = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let label = first.split(|byte| *byte == b' ').next().unwrap_or_default();
    let is_float = |part: &str| part.trim().parse::<f64>().is_ok();
    let label = String::from_utf8_lossy(label);
    if label.split(':').count() <= 2 && label.split(':').all(is_float) {
        return Ok(());
    }
    let snippet = text::shown(first);
    Err(EngineFailure::algorithm(format!(
        "First line {snippet}... of file '{name}' is not 'LIBSVM' format. Please ensure the file is in 'LIBSVM' format, \
         or declare the channel's ContentType (text/csv)."
    )))
}
