//! A built-in algorithm on the local backend, from the command line: the Rust half of `benches/algorithms/compare.py`.
//!
//! ```text
//! cargo run --release --example numeric_algorithms -- ALGORITHM CONTENT_TYPE TRAIN TEST ANSWER NAME=VALUE..
//! cargo run --release --example numeric_algorithms -- kmeans 'text/csv;label_size=0' rows.csv rows.csv out.json k=3 feature_dim=4
//! ```
//!
//! It trains on the file `TRAIN` with the hyperparameters given, deploys the model, asks it for predictions of the rows in
//! `TEST` (without labels; CSV, or JSON if the name ends so), writes the JSON that it answers into `ANSWER`, and prints the
//! last values of the job's metrics. A `TRAIN` of CSV is sent as RecordIO-protobuf if `CONTENT_TYPE` is
//! `application/x-recordio-protobuf`, the first column as the label.
#![expect(clippy::print_stdout, reason = "its output is read by a script")]

use bytes::Bytes;
use sagemaker::codec::{Csv, Deserializer, Raw, RecordIo, Serializer};
use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::training::TrainingInput;
use sagemaker::types::{Compute, ContentType, S3Uri};
use sagemaker::{Result, Session};

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [algorithm, content_type, train, test, answer, hyperparameters @ ..] = &arguments[..] else {
        return Err("usage: ALGORITHM CONTENT_TYPE TRAIN TEST ANSWER NAME=VALUE..".into());
    };
    let content_type = ContentType::from(content_type.as_str());
    let data = Bytes::from(std::fs::read(train)?);
    let data = if content_type == ContentType::RECORDIO_PROTOBUF { records(data)? } else { data };
    let asked = if test.ends_with(".json") { ContentType::JSON } else { ContentType::CSV };
    let rows = Bytes::from(std::fs::read(test)?);
    let reply = run(algorithm, content_type, data, (asked, rows), hyperparameters).await?;
    std::fs::write(answer, reply)?;
    Ok(())
}

/// CSV with the label first, as records.
fn records(csv: Bytes) -> Result<Bytes> {
    let rows: Vec<Vec<f64>> = Csv::float_rows().deserialize(csv, &ContentType::CSV)?;
    let narrow = |row: &Vec<f64>| row.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    let (labels, rows): (Vec<f32>, Vec<Vec<f32>>) =
        rows.iter().map(narrow).map(|row| (row[0], row[1..].to_vec())).unzip();
    RecordIo::labelled_rows().serialize(&(rows, labels))
}

async fn run(
    algorithm: &str,
    content_type: ContentType,
    data: Bytes,
    (asked, rows): (ContentType, Bytes),
    hyperparameters: &[String],
) -> Result<Bytes> {
    let session = Session::local();
    let place = S3Uri::new(session.ensure_bucket().await?, "train/data")?;
    session.upload_bytes(data, &place, &content_type).await?;
    let image = format!("382416733822.dkr.ecr.us-east-1.amazonaws.com/{algorithm}:1");
    let mut builder = ContainerEstimator::builder(image).compute(Compute::instances("ml.m5.xlarge", 1));
    for (name, value) in hyperparameters.iter().filter_map(|pair| pair.split_once('=')) {
        builder = builder.hyperparameter(name, value);
    }
    let estimator = builder.build()?;
    let input = TrainingInput::new(place).content_type(content_type);
    let done = estimator.fit(&session, [("train", input)]).await?.wait().await?;
    for metric in done.metrics() {
        println!("{} {}", metric.name, metric.value);
    }
    let model = estimator.model(&session, &done).await?;
    let endpoint = model.deploy(Compute::instances("ml.m5.large", 1)).await?;
    let reply = endpoint.predictor(Raw::body(asked), Raw::bytes().accept_as(ContentType::JSON)).predict(&rows).await?;
    endpoint.delete().with_models().await?;
    Ok(reply)
}
