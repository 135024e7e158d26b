//! Any bytes as the answer of a model, in every format. What is read is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sagemaker::codec::recordio::{RecordWriter, frames};
use sagemaker::codec::{Csv, Deserializer, Json, JsonLines, Npy, Raw, RecordIo, Text, csv, libsvm};
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
    let _ = Npy::array_of::<f32>().deserialize(body(), &ContentType::NPY);
    let _ = Npy::array_of::<i64>().deserialize(body(), &ContentType::NPY);
    let _ = RecordIo::floats("score").deserialize(body(), &ContentType::RECORDIO_PROTOBUF);
    let _ = RecordIo::vectors("score").deserialize(body(), &ContentType::RECORDIO_PROTOBUF);
    let _ = frames(body()).take_while(Result::is_ok).count();
    if let Ok(records) = RecordIo::records().deserialize(body(), &ContentType::RECORDIO_PROTOBUF) {
        let mut writer = RecordWriter::new();
        for record in &records {
            if writer.record(record).is_err() {
                return;
            }
        }
        let again = RecordIo::records()
            .deserialize(writer.finish(), &ContentType::RECORDIO_PROTOBUF)
            .expect("what was written");
        // Numbers that are not finite differ from themselves.
        assert_eq!(format!("{again:?}"), format!("{records:?}"));
    }
});
