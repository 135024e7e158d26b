//! Any bytes as the answer of a model, in every format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sagemaker::codec::{Csv, Deserializer, Json, JsonLines, Raw, Text, csv, libsvm};
use sagemaker::types::ContentType;

fuzz_target!(|bytes: &[u8]| {
    let body = || bytes.to_vec().into();
    let _ = Csv::floats().deserialize(body(), &ContentType::CSV);
    let _ = Csv::float_rows().deserialize(body(), &ContentType::CSV);
    let _ = Csv::strings().deserialize(body(), &ContentType::CSV);
    let _ = Csv::records_of::<(f64, Option<String>, bool)>().deserialize(body(), &ContentType::CSV);
    let _ = Json::of::<serde_json::Value>().deserialize(body(), &ContentType::JSON);
    let _ = Json::of::<Vec<Option<f32>>>().deserialize(body(), &ContentType::JSON);
    let _ = JsonLines::of::<serde_json::Value>().deserialize(body(), &ContentType::JSON);
    let _ = Raw::bytes().deserialize(body(), &ContentType::CSV);
    let _ = Text::string().deserialize(body(), &ContentType::CSV);
    let _ = csv::parse_numbers(bytes, b',');
    let _ = libsvm::parse(bytes);
});
