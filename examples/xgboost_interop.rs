//! The local backend and Python's xgboost understand each other's models: the Rust half of `benches/xgboost/compare.py`.
//!
//! ```text
//! cargo run --release --example xgboost_interop -- train DATA OUT [SEED]
//! cargo run --release --example xgboost_interop -- serve MODEL.tar.gz TEST.csv PREDICTIONS.csv
//! ```
//!
//! `train` trains on `DATA/train.csv` and `DATA/validation.csv` (the label first) with the hyperparameters of the
//! quickstart, leaves `OUT/model.tar.gz` and `OUT/predictions.csv` for `DATA/test.csv`, and prints error and seconds.
//! `serve` deploys a model that Python made.
#![expect(clippy::print_stdout, reason = "its output is read by a script")]

use std::path::Path;

use sagemaker::algorithms::xgboost::{EvalMetric, Objective, TreeMethod, XGBoost};
use sagemaker::codec::{Csv, Deserializer};
use sagemaker::estimator::EstimatorExt;
use sagemaker::images;
use sagemaker::model::Model;
use sagemaker::training::TrainingInput;
use sagemaker::types::{Compute, ContentType};
use sagemaker::{Result, Session};

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["train", data, out] => train(Path::new(data), Path::new(out), 7).await?,
        ["train", data, out, seed] => train(Path::new(data), Path::new(out), seed.parse()?).await?,
        ["serve", model, test, out] => serve(Path::new(model), Path::new(test), Path::new(out)).await?,
        _ => return Err("usage: train DATA OUT [SEED] | serve MODEL.tar.gz TEST.csv PREDICTIONS.csv".into()),
    }
    Ok(())
}

fn one() -> Compute {
    Compute::instances("ml.m5.xlarge", 1)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
async fn train(data: &Path, out: &Path, seed: i32) -> Result<()> {
    let session = Session::local();
    session.ensure_bucket().await?;
    let train = session.upload(data.join("train.csv"), "interop/train").await?;
    let validation = session.upload(data.join("validation.csv"), "interop/validation").await?;
    let xgboost = XGBoost::builder(Objective::RegSquaredError, 200)
        .max_depth(6)
        .eta(0.1)
        .subsample(0.8)
        .colsample_bytree(0.8)
        .tree_method(TreeMethod::Hist)
        .eval_metric([EvalMetric::Rmse])
        .early_stopping_rounds(20)
        .seed(seed)
        .compute(one())
        .build()?;
    let inputs = [("train", TrainingInput::csv(train)), ("validation", TrainingInput::csv(validation))];

    let started = std::time::Instant::now();
    let done = xgboost.fit(&session, inputs).await?.wait().await?;
    let seconds = started.elapsed().as_secs_f64();

    session.download(&done.model_artifacts()?, out).await?;
    let model = xgboost.model(&session, &done).await?;
    let rmse = predict(&model, &data.join("test.csv"), &out.join("predictions.csv")).await?;
    println!("rmse {rmse:.5} seconds {seconds:.4}");
    Ok(())
}

async fn serve(artifacts: &Path, test: &Path, out: &Path) -> Result<()> {
    let session = Session::local();
    session.ensure_bucket().await?;
    let artifacts = session.upload(artifacts, "interop/python").await?;
    let image = images::xgboost(session.region(), images::xgboost::DEFAULT_VERSION)?;
    let model = Model::create(&session, image).model_data(artifacts.to_string()).await?;
    let rmse = predict(&model, test, out).await?;
    println!("rmse {rmse:.5}");
    Ok(())
}

/// Writes one prediction a line, and gives the error.
async fn predict(model: &Model, test: &Path, out: &Path) -> Result<f64> {
    let rows = Csv::float_rows().deserialize(std::fs::read(test)?.into(), &ContentType::CSV)?;
    let (labels, rows): (Vec<f64>, Vec<Vec<f64>>) = rows.into_iter().map(|row| (row[0], row[1..].to_vec())).unzip();
    let endpoint = model.deploy(one()).await?;
    let predictions = endpoint.predictor(Csv::rows(), Csv::floats()).predict(&rows).await?;
    endpoint.delete().with_models().await?;
    std::fs::write(out, predictions.iter().map(|prediction| format!("{prediction}\n")).collect::<String>())?;
    let squares = predictions.iter().zip(&labels).map(|(prediction, label)| (prediction - label).powi(2));
    Ok((squares.sum::<f64>() / labels.len() as f64).sqrt())
}
