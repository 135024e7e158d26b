//! Shows that the local XGBoost engine and Python's XGBoost understand each other's models.
//!
//! ```text
//! cargo run --example xgboost_interop -- train.csv validation.csv test.csv out_dir [name=value ..]
//! cargo run --example xgboost_interop -- --serve model.tar.gz test.csv
//! ```
//!
//! The first form trains (label in the first column, no header), writes `out_dir/model.tar.gz` and
//! `out_dir/predictions.csv`, and prints the error on the test data and the time. The second form prints the predictions
//! of a model that Python made. `benches/xgboost/compare.py` is the other half: it predicts with `model.tar.gz` and
//! compares, or makes a model and its predictions for this side to serve. In both forms the label column of the test
//! data is not shown to the model.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sagemaker::local::engines::xgboost::XGBoostEngine;
use sagemaker::local::engines::{Channel, Engine, Invocation, ModelFiles, TrainingTask};

const IMAGE: &str = "sagemaker-xgboost:1.7-1";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--serve", model, test] => {
            let (_, features) = split(&std::fs::read_to_string(test)?)?;
            print!("{}", predict(&std::fs::read(model)?, &features)?);
            Ok(())
        }
        [train, validation, test, out, settings @ ..] => compare(train, validation, test, Path::new(out), settings),
        _ => Err("usage: xgboost_interop train.csv validation.csv test.csv out_dir [name=value ..] | \
                  --serve model.tar.gz test.csv"
            .into()),
    }
}

#[allow(clippy::disallowed_methods, reason = "a measurement needs the real clock")]
fn compare(train: &str, validation: &str, test: &str, out: &Path, settings: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut hyperparameters: BTreeMap<String, String> = [
        ("objective", "reg:squarederror"),
        ("num_round", "200"),
        ("max_depth", "6"),
        ("eta", "0.1"),
        ("subsample", "0.8"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    for setting in settings {
        let (name, value) = setting.split_once('=').ok_or("a setting is name=value")?;
        hyperparameters.insert(name.to_owned(), value.to_owned());
    }
    let task = TrainingTask {
        job_name: "interop".to_owned(),
        hyperparameters,
        channels: vec![channel("train", train)?, channel("validation", validation)?],
        environment: BTreeMap::new(),
        instance_count: 1,
        log: Arc::new(|_| {}),
        stopping: Arc::new(|| false),
    };
    let start = Instant::now();
    let output = XGBoostEngine::new().train(&task)?;
    let seconds = start.elapsed().as_secs_f64();

    std::fs::create_dir_all(out)?;
    let archive = pack(&output.model)?;
    std::fs::write(out.join("model.tar.gz"), &archive)?;
    let (labels, features) = split(&std::fs::read_to_string(test)?)?;
    let start = Instant::now();
    let predictions = predict(&archive, &features)?;
    let serving = start.elapsed().as_secs_f64();
    std::fs::write(out.join("predictions.csv"), &predictions)?;
    let predicted: Vec<f64> = predictions.lines().map(str::parse).collect::<Result<_, _>>()?;
    let squares: f64 = predicted.iter().zip(&labels).map(|(p, y)| (p - y).powi(2)).sum();
    println!(
        "rust   test rmse {:.5}   train {seconds:.3} s   serve {serving:.3} s",
        (squares / labels.len() as f64).sqrt()
    );
    Ok(())
}

fn channel(name: &str, path: &str) -> Result<Channel, Box<dyn Error>> {
    let content = Bytes::from(std::fs::read(path)?);
    let file = format!("{name}.csv");
    Ok(Channel { name: name.to_owned(), content_type: Some("text/csv".to_owned()), files: vec![(file, content)] })
}

/// The labels, and the lines without them.
fn split(csv: &str) -> Result<(Vec<f64>, String), Box<dyn Error>> {
    let mut labels = Vec::new();
    let mut features = String::with_capacity(csv.len());
    for line in csv.lines() {
        let (label, rest) = line.split_once(',').ok_or("a line has a label and features")?;
        labels.push(label.parse()?);
        features.push_str(rest);
        features.push('\n');
    }
    Ok((labels, features))
}

fn predict(archive: &[u8], features: &str) -> Result<String, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(GzDecoder::new(archive)).entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() {
            let path = entry.path()?.display().to_string();
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.push((path, Bytes::from(content)));
        }
    }
    let model =
        XGBoostEngine::new().load(&ModelFiles { image: IMAGE.to_owned(), files, environment: BTreeMap::new() })?;
    let request = Invocation {
        content_type: "text/csv".to_owned(),
        accept: "text/csv".to_owned(),
        body: Bytes::from(features.to_owned()),
    };
    let reply = model.invoke(&request).map_err(|failure| format!("{}: {}", failure.status, failure.message))?;
    Ok(String::from_utf8(reply.body.to_vec())?)
}

fn pack(files: &[(String, Bytes)]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, content.as_ref())?;
    }
    let mut encoder = archive.into_inner()?;
    encoder.flush()?;
    Ok(encoder.finish()?)
}
