//! Data capture: requests and answers as objects in S3, one JSON line each, as Model Monitor reads them.

use aws_smithy_types::base64;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::local::backend::Core;
use crate::local::time::date_time;
use crate::types::S3Uri;

const CSV: &str = "CSV";
const JSON: &str = "JSON";

/// What is captured, and where it goes.
#[derive(Clone)]
pub(in crate::local) struct Capture {
    place: S3Uri,
    percent: f64,
    input: bool,
    output: bool,
    csv: Vec<String>,
    json: Vec<String>,
}

/// A request with its answer.
pub(in crate::local) struct Exchange<'a> {
    pub(in crate::local) input: (&'a str, &'a Bytes),
    pub(in crate::local) output: (&'a str, &'a Bytes),
    pub(in crate::local) custom_attributes: Option<&'a str>,
    pub(in crate::local) inference_id: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    enable_capture: Option<bool>,
    initial_sampling_percentage: f64,
    destination_s3_uri: String,
    capture_options: Vec<Value>,
    capture_content_type_header: Option<ContentTypes>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct ContentTypes {
    csv_content_types: Vec<String>,
    json_content_types: Vec<String>,
}

impl Capture {
    /// From a `DataCaptureConfig`; `None` if it captures nothing.
    pub(super) fn new(config: &Value) -> Option<Self> {
        let config = Config::deserialize(config).ok()?;
        if config.enable_capture == Some(false) {
            return None;
        }
        let captures = |mode: &str| config.capture_options.iter().any(|option| option["CaptureMode"] == mode);
        let both = captures("InputAndOutput");
        let types = config.capture_content_type_header.unwrap_or_default();
        Some(Self {
            place: config.destination_s3_uri.parse().ok()?,
            percent: config.initial_sampling_percentage,
            input: both || captures("Input"),
            output: both || captures("Output"),
            csv: types.csv_content_types,
            json: types.json_content_types,
        })
    }

    /// The share of the requests that is captured.
    pub(super) fn share(&self) -> f64 {
        self.percent / 100.0
    }

    /// Stores an exchange; a bucket that does not exist loses it, as on AWS.
    pub(in crate::local) fn store(&self, core: &Core, endpoint: &str, variant: &str, exchange: &Exchange<'_>) {
        let id = core.unique_id();
        let now = date_time(core.clock.now());
        let line = self.line(exchange, &id, &now);
        let place = self.place.join(&key(endpoint, variant, &id, &now));
        let object = core.s3.prepare(Bytes::from(format!("{line}\n")), None);
        core.s3.store(place.bucket(), place.key(), object);
    }

    fn line(&self, exchange: &Exchange<'_>, id: &str, now: &str) -> Value {
        let mut data = Map::new();
        if self.input {
            data.insert("endpointInput".to_owned(), self.entry("INPUT", exchange.input));
        }
        if self.output {
            data.insert("endpointOutput".to_owned(), self.entry("OUTPUT", exchange.output));
        }
        let seconds = now.split('.').next().unwrap_or(now);
        let mut event = json!({"eventId": id, "inferenceTime": format!("{seconds}Z")});
        if let Some(attributes) = exchange.custom_attributes {
            event["customAttributes"] = json!([attributes]);
        }
        if let Some(inference) = exchange.inference_id {
            event["inferenceId"] = json!(inference);
        }
        json!({"captureData": data, "eventMetadata": event, "eventVersion": "0"})
    }

    fn entry(&self, mode: &str, (content_type, body): (&str, &Bytes)) -> Value {
        let plain = content_type.split(';').next().unwrap_or_default().trim();
        let listed = |types: &[String]| types.iter().any(|listed| listed.eq_ignore_ascii_case(plain));
        let text = std::str::from_utf8(body).ok();
        let (data, encoding) = match text {
            Some(text) if listed(&self.csv) => (text.to_owned(), CSV),
            Some(text) if listed(&self.json) => (text.to_owned(), JSON),
            _ => (base64::encode(body), "BASE64"),
        };
        json!({"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding})
    }
}

/// `<endpoint>/<variant>/yyyy/mm/dd/hh/mm-ss-mmm-<id>.jsonl`.
fn key(endpoint: &str, variant: &str, id: &str, now: &str) -> String {
    let (date, time) = now.split_once('T').unwrap_or((now, ""));
    let (hour, rest) = time.split_once(':').unwrap_or((time, ""));
    let (date, rest) = (date.replace('-', "/"), rest.replace([':', '.'], "-"));
    format!("{endpoint}/{variant}/{date}/{hour}/{rest}-{id}.jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(mode: &str) -> Value {
        json!({
            "InitialSamplingPercentage": 50,
            "DestinationS3Uri": "s3://bucket/cap",
            "CaptureOptions": [{"CaptureMode": mode}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        })
    }

    #[test]
    fn a_line_is_what_model_monitor_reads() {
        let capture = Capture::new(&config("InputAndOutput")).unwrap();
        let (input, output) = (Bytes::from("1,2"), Bytes::from("\u{1}"));
        let exchange = Exchange {
            input: ("text/csv; charset=utf-8", &input),
            output: ("application/x-npy", &output),
            custom_attributes: Some("a=1"),
            inference_id: Some("i"),
        };
        let expected = json!({
            "captureData": {
                "endpointInput": {"observedContentType": "text/csv; charset=utf-8", "mode": "INPUT", "data": "1,2", "encoding": "CSV"},
                "endpointOutput": {"observedContentType": "application/x-npy", "mode": "OUTPUT", "data": "AQ==", "encoding": "BASE64"},
            },
            "eventMetadata": {"eventId": "id", "customAttributes": ["a=1"], "inferenceId": "i", "inferenceTime": "2026-01-31T08:05:09Z"},
            "eventVersion": "0",
        });
        assert_eq!(capture.line(&exchange, "id", "2026-01-31T08:05:09.042"), expected);
        let input_only = Capture::new(&config("Input")).unwrap().line(&exchange, "id", "2026-01-31T08:05:09.042");
        assert!(input_only["captureData"].get("endpointOutput").is_none());
        assert!(Capture::new(&json!({"EnableCapture": false})).is_none());
    }

    #[test]
    fn keys_are_sorted_by_hour() {
        let key = key("e", "v", "id", "2026-01-31T08:05:09.042");
        assert_eq!(key, "e/v/2026/01/31/08/05-09-042-id.jsonl");
    }
}
