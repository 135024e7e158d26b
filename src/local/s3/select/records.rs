//! How records are read and written: CSV and JSON.

use bytes::Bytes;
use s3s::S3Result;
use s3s::dto::{CSVInput, InputSerialization, OutputSerialization};

use super::{Json, refusal};
use crate::local::archive;
use crate::local::s3::errors;

/// What packed content may unpack to.
const MAX_UNPACKED: u64 = 256 << 20;

pub(super) struct Input<'a> {
    csv: Option<&'a CSVInput>,
    gzip: bool,
}

/// All values of a text that holds one after the other.
pub(super) fn json_values(text: &str) -> Result<Vec<Json>, serde_json::Error> {
    serde_json::Deserializer::from_str(text).into_iter().collect()
}

/// The one character of a member, if it has one.
fn character(text: Option<&String>, default: u8) -> u8 {
    text.and_then(|text| text.bytes().next()).unwrap_or(default)
}

impl<'a> Input<'a> {
    pub(super) fn of(serialization: &'a InputSerialization) -> S3Result<Self> {
        if serialization.parquet.is_some() {
            return Err(errors::not_implemented("The local backend does not read Parquet."));
        }
        let gzip = match serialization.compression_type.as_ref().map(s3s::dto::CompressionType::as_str) {
            None | Some("NONE") => false,
            Some("GZIP") => true,
            Some("BZIP2") => return Err(errors::not_implemented("The local backend does not unpack BZIP2.")),
            Some(_) => {
                return Err(refusal(
                    "InvalidCompressionFormat",
                    "The file is not in a supported compression format. Only GZIP and BZIP2 are supported.",
                ));
            }
        };
        if serialization.csv.is_some() == serialization.json.is_some() {
            return Err(refusal(
                "MissingRequiredParameter",
                "The SelectRequest entity is missing a required parameter.",
            ));
        }
        Ok(Self { csv: serialization.csv.as_ref(), gzip })
    }

    /// The content as text.
    pub(super) fn unpack(&self, content: &Bytes) -> S3Result<String> {
        let plain = match self.gzip {
            true => archive::gunzip(content, MAX_UNPACKED).map_err(|_| {
                refusal(
                    "InvalidCompressionFormat",
                    "GZIP is not applicable to the queried object. Please correct the request and try again.",
                )
            })?,
            false => content.clone(),
        };
        let invalid = |_| refusal("InvalidTextEncoding", "Invalid encoding type. Only UTF-8 encoding is supported.");
        String::from_utf8(plain.to_vec()).map_err(invalid)
    }

    pub(super) fn records(&self, text: &str) -> S3Result<Vec<Json>> {
        match self.csv {
            Some(csv) => read_csv(csv, text),
            None => json_values(text).map_err(|_| {
                refusal("JSONParsingError", "Encountered an error parsing the JSON file. Check the file and try again.")
            }),
        }
    }
}

fn read_csv(input: &CSVInput, text: &str) -> S3Result<Vec<Json>> {
    let header = input.file_header_info.as_ref().map_or("NONE", s3s::dto::FileHeaderInfo::as_str);
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).flexible(true);
    reader.delimiter(character(input.field_delimiter.as_ref(), b','));
    reader.quote(character(input.quote_character.as_ref(), b'"'));
    reader.escape(
        input.quote_escape_character.as_ref().and_then(|text| text.bytes().next()).filter(|byte| *byte != b'"'),
    );
    reader.comment(input.comments.as_ref().and_then(|text| text.bytes().next()));
    if let Some(end) = input.record_delimiter.as_ref().filter(|end| !["\n", "\r\n"].contains(&end.as_str())) {
        reader.terminator(csv::Terminator::Any(character(Some(end), b'\n')));
    }
    let mut names: Option<Vec<String>> = None;
    let mut records = Vec::new();
    for (record, number) in reader.from_reader(text.as_bytes()).records().zip(0..) {
        let record = record.map_err(|_| {
            refusal("CSVParsingError", "Encountered an error parsing the CSV file. Check the file and try again.")
        })?;
        if number == 0 && header != "NONE" {
            if header == "USE" {
                names = Some(record.iter().map(str::to_owned).collect());
            }
            continue;
        }
        let name = |at: usize| {
            names.as_ref().and_then(|names| names.get(at).cloned()).unwrap_or_else(|| format!("_{}", at + 1))
        };
        let members = record.iter().enumerate().map(|(at, value)| (name(at), Json::Text(value.to_owned())));
        records.push(Json::Object(members.collect()));
    }
    Ok(records)
}

pub(super) struct Output {
    /// Delimiter, quote, and whether every field is quoted; JSON if there is none.
    csv: Option<(String, String, bool)>,
    end: String,
}

impl Output {
    pub(super) fn of(serialization: &OutputSerialization) -> S3Result<Self> {
        let text = |given: Option<&String>, default: &str| given.cloned().unwrap_or_else(|| default.to_owned());
        match (&serialization.csv, &serialization.json) {
            (Some(csv), None) => {
                let always = csv.quote_fields.as_ref().is_some_and(|fields| fields.as_str() == "ALWAYS");
                let delimiter = text(csv.field_delimiter.as_ref(), ",");
                let quote = text(csv.quote_character.as_ref(), "\"");
                Ok(Self { csv: Some((delimiter, quote, always)), end: text(csv.record_delimiter.as_ref(), "\n") })
            }
            (None, Some(json)) => Ok(Self { csv: None, end: text(json.record_delimiter.as_ref(), "\n") }),
            _ => Err(refusal("MissingRequiredParameter", "The SelectRequest entity is missing a required parameter.")),
        }
    }

    pub(super) fn write(&self, row: &Json, out: &mut Vec<u8>) {
        match (&self.csv, row) {
            (Some((delimiter, quote, always)), Json::Object(members)) => {
                let field = |value: &Json| {
                    let text = value.text();
                    let special = [delimiter, quote, &self.end]
                        .iter()
                        .any(|part| !part.is_empty() && text.contains(part.as_str()));
                    match *always || special {
                        true => format!("{quote}{}{quote}", text.replace(quote, &quote.repeat(2))),
                        false => text,
                    }
                };
                let fields: Vec<String> = members.iter().map(|(_, value)| field(value)).collect();
                out.extend_from_slice(fields.join(delimiter).as_bytes());
            }
            (_, row) => out.extend_from_slice(row.to_string().as_bytes()),
        }
        out.extend_from_slice(self.end.as_bytes());
    }
}
