//! `DataProcessing`: what of a record goes to the model, and what of record and answer is kept.

use serde_json::{Value, json};

use super::json_path::JsonPath;
use super::split::lines;

/// Filters and join of a job. They act on each record: a line of CSV or JSON Lines, or a JSON document.
#[derive(Debug, Clone)]
pub(in crate::local) struct DataProcessing {
    pub(in crate::local) input_filter: JsonPath,
    pub(in crate::local) output_filter: JsonPath,
    pub(in crate::local) join: bool,
}

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local) enum Form {
    Csv,
    Json,
    JsonLines,
}

impl Form {
    /// The form of a content type.
    pub(in crate::local) fn of(content_type: &str) -> Option<Self> {
        let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match media.as_str() {
            "text/csv" => Some(Self::Csv),
            "application/json" => Some(Self::Json),
            "application/jsonlines" | "application/x-jsonlines" | "application/x-ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }
}

impl DataProcessing {
    /// The payload that goes to the model.
    pub(super) fn input(&self, payload: &[u8], form: Form) -> Result<Vec<u8>, String> {
        if self.input_filter.is_root() {
            return Ok(payload.to_vec());
        }
        let filtered = |record: Value| {
            let selected = self.input_filter.select(&record);
            selected.ok_or_else(|| "the InputFilter selects nothing from a record".to_owned())
        };
        let records = read(payload, form)?.into_iter().map(filtered).collect::<Result<Vec<_>, _>>()?;
        write(&records, form)
    }

    /// What is kept of the model's answer to a payload.
    pub(super) fn output(
        &self,
        payload: &[u8],
        form: Form,
        answer: &[u8],
        answer_form: Form,
    ) -> Result<Vec<u8>, String> {
        if !self.join && self.output_filter.is_root() {
            return Ok(answer.to_vec());
        }
        let mut records = read(answer, answer_form)?;
        let mut written = answer_form;
        if self.join {
            let inputs = read(payload, form)?;
            if inputs.len() != records.len() {
                return Err(format!(
                    "the model gave {} records for {} records of input: they cannot be joined",
                    records.len(),
                    inputs.len()
                ));
            }
            if (form == Form::Csv) != (answer_form == Form::Csv) {
                return Err("the model's answer has another content type than the input: they cannot be joined".into());
            }
            written = form;
            records = inputs.into_iter().zip(records).map(|(input, output)| joined(input, output)).collect();
        }
        let filtered = |record: Value| {
            let selected = self.output_filter.select(&record);
            selected.ok_or_else(|| "the OutputFilter selects nothing from a record".to_owned())
        };
        let records = records.into_iter().map(filtered).collect::<Result<Vec<_>, _>>()?;
        write(&records, written)
    }
}

/// A record with its answer: further columns of a row, another member of an object, else an object of both.
fn joined(input: Value, output: Value) -> Value {
    match (input, output) {
        (Value::Array(mut row), Value::Array(columns)) if is_row(&row) && is_row(&columns) => {
            row.extend(columns);
            Value::Array(row)
        }
        (Value::Object(mut object), output) => {
            object.insert("SageMakerOutput".to_owned(), output);
            Value::Object(object)
        }
        (input, output) => json!({"SageMakerInput": input, "SageMakerOutput": output}),
    }
}

/// Rows of CSV are read as lists of text; a JSON list of texts only is joined like one.
fn is_row(values: &[Value]) -> bool {
    !values.is_empty() && values.iter().all(Value::is_string)
}

fn read(payload: &[u8], form: Form) -> Result<Vec<Value>, String> {
    match form {
        Form::Csv => {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(payload);
            let row = |row: Result<csv::StringRecord, csv::Error>| {
                let row = row.map_err(|_| "a record is no valid CSV".to_owned())?;
                Ok(row.iter().map(Value::from).collect())
            };
            reader.records().map(row).collect()
        }
        Form::Json => document(payload).map(|document| vec![document]),
        Form::JsonLines => {
            let filled =
                lines(payload).map(|(start, end)| &payload[start..end]).filter(|line| !line.trim_ascii().is_empty());
            filled.map(document).collect()
        }
    }
}

fn document(text: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(text).map_err(|_| "a record is no valid JSON".to_owned())
}

fn write(records: &[Value], form: Form) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    for record in records {
        if !out.is_empty() {
            out.push(b'\n');
        }
        if form != Form::Csv {
            out.extend(record.to_string().as_bytes());
            continue;
        }
        let columns = match record {
            Value::Array(columns) => columns.as_slice(),
            single => std::slice::from_ref(single),
        };
        let texts = columns.iter().map(|column| column.as_str().map_or_else(|| column.to_string(), str::to_owned));
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        let failed = |_| "a record cannot be written as CSV".to_owned();
        writer.write_record(texts).map_err(failed)?;
        let row = writer.into_inner().map_err(|_| "a record cannot be written as CSV".to_owned())?;
        out.extend(row.strip_suffix(b"\n").unwrap_or(&row));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn processing(input: &str, output: &str, join: bool) -> DataProcessing {
        let path = |text| JsonPath::parse(text).unwrap();
        DataProcessing { input_filter: path(input), output_filter: path(output), join }
    }

    fn text(result: Result<Vec<u8>, String>) -> String {
        String::from_utf8(result.unwrap()).unwrap()
    }

    #[test]
    fn rows_are_filtered_and_joined() {
        let rows = b"id1,1,2\n\"id,2\",3,4\n";
        let job = processing("$[1:]", "$[0,-1]", true);
        assert_eq!(text(job.input(rows, Form::Csv)), "1,2\n3,4");
        assert_eq!(text(job.output(rows, Form::Csv, b"0.5\n0.75\n", Form::Csv)), "id1,0.5\n\"id,2\",0.75");
        let all = processing("$", "$", true);
        assert_eq!(text(all.input(rows, Form::Csv)).as_bytes(), rows);
        assert_eq!(text(all.output(b"1,2\n", Form::Csv, b"9,8\n", Form::Csv)), "1,2,9,8");
        let why = all.output(rows, Form::Csv, b"1\n", Form::Csv).unwrap_err();
        assert_eq!(why, "the model gave 1 records for 2 records of input: they cannot be joined");
    }

    #[test]
    fn documents_are_filtered_and_joined() {
        let document = br#"{"id": 1, "features": [1.5, 2]}"#;
        let job = processing("$.features", "$['id','SageMakerOutput']", true);
        assert_eq!(text(job.input(document, Form::Json)), "[1.5,2]");
        let joined = text(job.output(document, Form::Json, br#"{"score": 0.5}"#, Form::Json));
        assert_eq!(joined, r#"{"SageMakerOutput":{"score":0.5},"id":1}"#);
        let list = processing("$", "$", true).output(b"[1, 2]", Form::Json, b"3", Form::Json);
        assert_eq!(text(list), r#"{"SageMakerInput":[1,2],"SageMakerOutput":3}"#);
        let lines = b"{\"id\": 1}\n\n{\"id\": 2}";
        let lines =
            processing("$", "$.SageMakerOutput", true).output(lines, Form::JsonLines, b"7\n8\n", Form::JsonLines);
        assert_eq!(text(lines), "7\n8");
        let only = processing("$", "$.score", false).output(b"x", Form::Csv, br#"{"score": 0.5}"#, Form::Json);
        assert_eq!(text(only), "0.5");
        assert!(job.input(b"{}", Form::Json).unwrap_err().contains("selects nothing"));
        assert!(job.input(b"{", Form::Json).unwrap_err().contains("no valid JSON"));
    }

    proptest! {
        #[test]
        fn rows_keep_their_columns(rows in proptest::collection::vec(proptest::collection::vec("[a-z,\" ]{0,5}", 3), 1..5)) {
            let rows: Vec<Value> = rows.into_iter().map(Value::from).collect();
            let written = write(&rows, Form::Csv).unwrap();
            prop_assert_eq!(read(&written, Form::Csv).unwrap(), rows);
        }

        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            for form in [Form::Csv, Form::Json, Form::JsonLines] {
                let _ = processing("$[0]", "$[0]", true).input(&bytes, form);
                let _ = processing("$[0]", "$[-1]", true).output(&bytes, form, &bytes, form);
            }
        }
    }
}
