//! The main job, end to end: train, deploy, predict, batch-transform and clean up.
//!
//! ```text
//! cargo run --example quickstart             # on the embedded local backend: no account, nothing to pay
//! cargo run --example quickstart -- --aws    # the same program on AWS, with your credentials; outside of SageMaker add
//!                                            # the ARN of the role that jobs run as
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::future::{Future, IntoFuture};
use std::time::Duration;

use futures_util::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use sagemaker::Session;
use sagemaker::algorithms::xgboost::{EvalMetric, Objective, TreeMethod, XGBoost};
use sagemaker::aws::sagemaker::types::{TrainingJobStatus, TransformJobStatus};
use sagemaker::codec::{Csv, Deserializer, Serializer};
use sagemaker::endpoint::Endpoint;
use sagemaker::estimator::{Estimator, EstimatorExt, PlanContext};
use sagemaker::job::{Completed, Job, JobDescription, JobEvent, JobKind};
use sagemaker::model::Model;
use sagemaker::training::{Channels, Training, TrainingInput, TrainingJob};
use sagemaker::transform::{AssembleWith, BatchStrategy, TransformInput};
use sagemaker::types::{Compute, ContentType, S3Uri};

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// Bike rentals an hour in Washington, in order of time: see `examples/data/README.md`.
const TRAIN: &str = include_str!("data/bike-sharing/train.csv");
const VALIDATION: &str = include_str!("data/bike-sharing/validation.csv");
const TEST: &str = include_str!("data/bike-sharing/test.csv");

const NAME: &str = "bike-sharing";
const ROUNDS: u32 = 200;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let session = match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => Session::local(),
        (Some("--aws"), None) => Session::from_env().await?,
        (Some("--aws"), Some(role)) => Session::builder().role(role).build().await?,
        (Some(other), _) => return Err(format!("{other:?} is no option; the only one is --aws [ROLE_ARN]").into()),
    };
    let bucket = session.ensure_bucket().await?;
    let folder = S3Uri::new(bucket, format!("{NAME}-quickstart/"))?;

    // However it ends, what it made is removed; its own error comes before those of the removal.
    let outcome = quickstart(&session, &folder).await;
    let removed = session.delete_prefix(&folder).await;
    outcome?;
    println!("\nremoved {} objects from {folder}", removed?);
    println!("left on the backend: {}", left_behind(&session, &folder).await?);
    Ok(())
}

async fn quickstart(session: &Session, folder: &S3Uri) -> Result<()> {
    let done = train(session, folder).await?;
    let model = estimator(folder)?.model(session, &done).await?;
    let served = serve_and_transform(session, &model, folder).await;
    let deleted = model.delete().await;
    served?;
    deleted?;
    println!("deleted model {}", model.name());
    Ok(())
}

/// Stops the job if watching it failed: a job that nobody waits for costs money too.
async fn or_stop<K: JobKind, T>(job: &Job<K>, watched: impl Future<Output = Result<T>>) -> Result<T> {
    let watched = watched.await;
    if watched.is_err() && job.describe().await.is_ok_and(|description| !description.status().is_terminal()) {
        println!("stopping {}", job.name());
        job.stop().await?;
    }
    watched
}

fn estimator(folder: &S3Uri) -> sagemaker::Result<XGBoost> {
    XGBoost::builder(Objective::RegSquaredError, ROUNDS)
        .max_depth(6)
        .eta(0.1)
        .subsample(0.8)
        .colsample_bytree(0.8)
        .tree_method(TreeMethod::Hist)
        .eval_metric([EvalMetric::Rmse])
        .early_stopping_rounds(20)
        .seed(7)
        .base_job_name(NAME)
        .output_path(folder.join("output"))
        .compute(Compute::instances("ml.m5.xlarge", 1))
        .max_run(Duration::from_secs(1800))
        .build()
}

async fn train(session: &Session, folder: &S3Uri) -> Result<Completed<Training>> {
    let upload = async |name: &str, csv: &'static str| {
        let target = folder.join(name);
        session.upload_bytes(csv, &target, &ContentType::CSV).await.map(TrainingInput::csv)
    };
    let channels = Channels::from([
        ("train", upload("train/train.csv", TRAIN).await?),
        ("validation", upload("validation/validation.csv", VALIDATION).await?),
    ]);
    let xgboost = estimator(folder)?;
    println!("{}", xgboost.plan(&PlanContext::new(session.region(), session.now()), &channels)?);

    let job = xgboost.fit(session, channels).await?;
    let done = or_stop(&job, follow(&job)).await?;

    let seconds = done.description().billable_time().unwrap_or_default().as_secs();
    println!("\ntrained {} in {seconds} billable seconds", done.name());
    let rmse = done.metrics().into_iter().find(|metric| metric.name == "validation:rmse");
    let mean = mean(&labels(TRAIN)?);
    let baseline = rmse_of(&labels(VALIDATION)?, |_| mean);
    println!(
        "validation:rmse {:.2}, a constant prediction of the mean {baseline:.2}",
        rmse.map_or(f32::NAN, |m| m.value)
    );
    Ok(done)
}

/// Status changes and log lines as they come, with a bar for the rounds.
async fn follow(job: &TrainingJob) -> Result<Completed<Training>> {
    let bar =
        ProgressBar::new(u64::from(ROUNDS)).with_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}")?);
    let mut events = job.events();
    while let Some(event) = events.try_next().await? {
        match event {
            JobEvent::Status(change) => bar.suspend(|| println!("{change}")),
            JobEvent::Log(line) => match boosting_round(&line.message) {
                // Every line would be many screens: each 20th is shown, the bar shows the rest.
                Some(round) => {
                    bar.set_position(round + 1);
                    bar.set_message(line.message.replace('\t', "  "));
                    if round % 20 == 0 {
                        bar.suspend(|| println!("{}", line.message));
                    }
                }
                None => bar.suspend(|| println!("{}", line.message)),
            },
            _ => {}
        }
    }
    bar.abandon();
    Ok(job.wait().timeout(Duration::from_secs(3600)).await?)
}

async fn serve_and_transform(session: &Session, model: &Model, folder: &S3Uri) -> Result<()> {
    let endpoint = model.deploy(Compute::instances("ml.m5.large", 1)).await?;
    println!("\nendpoint {} is in service", endpoint.name());
    // Always deletes the endpoint, also when the work fails.
    endpoint.scoped(predict_ten).await?;
    println!("deleted endpoint {}", endpoint.name());

    let test = folder.join("test/test.csv");
    session.upload_bytes(Csv::rows().serialize(&features(TEST)?)?, &test, &ContentType::CSV).await?;
    let transformer = model
        .transformer(Compute::instances("ml.m5.large", 1))
        .strategy(BatchStrategy::MultiRecord)
        .assemble_with(AssembleWith::Line)
        .accept(ContentType::CSV)
        .output_path(folder.join("predictions"))
        .base_job_name(NAME)
        .build()?;
    let job = transformer.transform(TransformInput::csv(test)).await?;
    let wait = job.wait().timeout(Duration::from_secs(3600)).into_future();
    let done = or_stop(&job, async { Ok(wait.await?) }).await?;
    let download = std::env::temp_dir().join(done.name());
    let mut predictions = Vec::new();
    for file in done.download_output(&download).await? {
        predictions.extend(Csv::floats().deserialize(std::fs::read(file)?.into(), &ContentType::CSV)?);
    }
    std::fs::remove_dir_all(&download)?;
    let truth = labels(TEST)?;
    if predictions.len() != truth.len() {
        return Err(format!("{} predictions for {} rows", predictions.len(), truth.len()).into());
    }
    let mean = mean(&labels(TRAIN)?);
    println!(
        "\nbatch transform {}: {} rows, test rmse {:.2}, a constant prediction of the mean {:.2}",
        done.name(),
        truth.len(),
        rmse_of(&truth, |row| predictions[row]),
        rmse_of(&truth, |_| mean)
    );
    Ok(())
}

async fn predict_ten(endpoint: &Endpoint) -> Result<()> {
    let (rows, truth) = (features(TEST)?, labels(TEST)?);
    let predictor = endpoint.predictor(Csv::rows(), Csv::floats());
    let predicted = predictor.predict(&rows[..10]).await?;
    println!("{:>10}{:>8}", "predicted", "truth");
    for (predicted, truth) in predicted.iter().zip(&truth) {
        println!("{predicted:>10.1}{truth:>8}  {}", "▪".repeat((predicted / 10.0).max(0.0) as usize));
    }
    Ok(())
}

/// What this program could have left: everything that costs money or takes room.
async fn left_behind(session: &Session, folder: &S3Uri) -> Result<String> {
    let sagemaker = session.aws().sagemaker();
    let endpoints = sagemaker.list_endpoints().name_contains(NAME).send().await?.endpoints.unwrap_or_default().len();
    let configs = sagemaker.list_endpoint_configs().name_contains(NAME).send().await?;
    let configs = configs.endpoint_configs.unwrap_or_default().len();
    let training = sagemaker.list_training_jobs().name_contains(NAME).status_equals(TrainingJobStatus::InProgress);
    let training = training.send().await?.training_job_summaries.unwrap_or_default().len();
    let transforms = sagemaker.list_transform_jobs().name_contains(NAME).status_equals(TransformJobStatus::InProgress);
    let transforms = transforms.send().await?.transform_job_summaries.unwrap_or_default().len();
    let models = sagemaker.list_models().name_contains(NAME).send().await?.models.unwrap_or_default().len();
    let objects = session.list(folder).await?.len();
    let counts = [
        (endpoints, "endpoints"),
        (configs, "endpoint configurations"),
        (models, "models"),
        (training + transforms, "running jobs"),
        (objects, "objects"),
    ];
    let left: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, noun)| format!("{count} {noun}")).collect();
    Ok(if left.is_empty() { "nothing".to_owned() } else { left.join(", ") })
}

/// The round of a line that begins as `[12]` and goes on with metrics.
fn boosting_round(line: &str) -> Option<u64> {
    line.trim_start().strip_prefix('[')?.split(']').next()?.parse().ok()
}

/// The rows without their label, which is the first column.
fn features(csv: &'static str) -> sagemaker::Result<Vec<Vec<f64>>> {
    let rows = Csv::float_rows().deserialize(csv.into(), &ContentType::CSV)?;
    Ok(rows.into_iter().map(|mut row| row.split_off(1)).collect())
}

fn labels(csv: &'static str) -> sagemaker::Result<Vec<f64>> {
    let rows = Csv::float_rows().deserialize(csv.into(), &ContentType::CSV)?;
    Ok(rows.into_iter().map(|row| row[0]).collect())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn rmse_of(truth: &[f64], predicted: impl Fn(usize) -> f64) -> f64 {
    let squares = truth.iter().enumerate().map(|(row, truth)| (predicted(row) - truth).powi(2));
    (squares.sum::<f64>() / truth.len() as f64).sqrt()
}
