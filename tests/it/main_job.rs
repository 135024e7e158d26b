//! The main job: train, deploy, predict, transform, and what each step tells on the way.

use std::time::Duration;

use futures_util::TryStreamExt;
use sagemaker::algorithms::xgboost::{EvalMetric, Objective, XGBoost};
use sagemaker::codec::{Csv, Deserializer};
use sagemaker::estimator::EstimatorExt;
use sagemaker::job::{JobDescription, JobEvent, JobStatus};
use sagemaker::training::{TrainingInput, TrainingJob};
use sagemaker::transform::{AssembleWith, BatchStrategy, SplitType, TransformInput};
use sagemaker::types::ContentType;
use sagemaker::{Result, Session};

use crate::fixture::{endpoint, model, one, plane, put, trained, xgboost};

#[tokio::test]
async fn a_trained_model_has_learnt_and_answers() -> Result<()> {
    let session = Session::local();
    let (_, endpoint) = endpoint(&session).await?;
    let predictor = endpoint.predictor(Csv::rows(), Csv::floats());
    let answers = predictor.predict(&[[2.0, 3.0], [10.0, 1.0], [19.0, 19.0]]).await?;
    for (answer, truth) in answers.iter().zip([9.0, 31.0, 76.0]) {
        assert!((answer - truth).abs() < 2.0, "{answer} is not near {truth}");
    }
    let answer = predictor.predict(&[2.0, 3.0]).answer().await?;
    assert_eq!((answer.output.len(), answer.variant.as_deref()), (1, Some("AllTraffic")));
    Ok(())
}

#[tokio::test]
async fn events_tell_the_true_sequence_and_every_line_once() -> Result<()> {
    let session = Session::local();
    let train = put(&session, "p/train.csv", plane()).await?;
    let validation = put(&session, "p/validation.csv", plane()).await?;
    let inputs = [("train", TrainingInput::csv(train)), ("validation", TrainingInput::csv(validation))];
    let job = xgboost().build()?.fit(&session, inputs).job_name("plane-1").await?;
    assert_eq!(job.name(), "plane-1");
    let events: Vec<JobEvent> = job.events().try_collect().await?;

    let statuses: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            JobEvent::Status(change) => Some(change.status.as_str()),
            _ => None,
        })
        .collect();
    let mut distinct = statuses.clone();
    distinct.dedup();
    assert_eq!(distinct.first(), Some(&"Starting"), "{statuses:?}");
    let tail = ["Downloading", "Training", "Uploading", "Completed"];
    assert_eq!(distinct[distinct.len() - 4..], tail, "{statuses:?}");
    assert!(events.is_sorted_by_key(JobEvent::timestamp), "events are in order of time");

    let lines = events.iter().filter_map(|event| match event {
        JobEvent::Log(line) => Some(line.message.as_str()),
        _ => None,
    });
    let rounds: Vec<&str> = lines.filter(|line| line.starts_with('[') && line.contains("train-rmse")).collect();
    assert_eq!(rounds.len(), 60, "one line a round, each once");
    assert!(rounds[0].starts_with("[0]\ttrain-rmse:") && rounds[0].contains("\tvalidation-rmse:"), "{}", rounds[0]);
    Ok(())
}

#[tokio::test]
async fn a_completed_job_tells_metrics_times_and_artifacts() -> Result<()> {
    let session = Session::local();
    let (_, done) = trained(&session).await?;
    let description = done.description();
    assert_eq!(description.status(), JobStatus::Completed);
    assert!(description.billable_time().is_some_and(|time| time > Duration::ZERO));
    let metric = done.metrics().into_iter().find(|metric| metric.name == "train:rmse");
    assert!(metric.is_some_and(|metric| metric.value < 2.0), "{:?}", done.metrics());

    let artifacts = done.model_artifacts()?;
    let bucket = session.default_bucket().await?;
    assert_eq!(artifacts.to_string(), format!("s3://{bucket}/{}/output/model.tar.gz", done.name()));
    assert!(session.read(&artifacts).await?.starts_with(&[0x1f, 0x8b]), "a gzip file");

    let attached = TrainingJob::attach(&session, done.name()).await?;
    assert_eq!(attached.metrics().await?, done.metrics());
    Ok(())
}

#[tokio::test]
async fn early_stopping_ends_before_the_last_round() -> Result<()> {
    let session = Session::local();
    let train = put(&session, "e/train.csv", plane()).await?;
    // Labels that have nothing to do with the features: the validation error soon grows.
    let noise: String = (0..200).map(|i| format!("{},{},{}\n", (i * 7919) % 100, i % 20, i / 20)).collect();
    let validation = put(&session, "e/validation.csv", noise).await?;
    let xgboost = XGBoost::builder(Objective::RegSquaredError, 500)
        .eval_metric([EvalMetric::Rmse])
        .early_stopping_rounds(5)
        .compute(one())
        .build()?;
    let inputs = [("train", TrainingInput::csv(train)), ("validation", TrainingInput::csv(validation))];
    let job = xgboost.fit(&session, inputs).await?;
    job.wait().await?;
    let lines: Vec<_> = job.logs().try_collect().await?;
    let rounds = lines.iter().filter(|line| line.message.contains("validation-rmse")).count();
    assert!((5..100).contains(&rounds), "{rounds} rounds");
    Ok(())
}

#[tokio::test]
async fn classes_and_probabilities_are_served() -> Result<()> {
    let session = Session::local();
    let rows: String = (0..300).map(|i| format!("{},{},{}\n", i % 3, (i % 3) * 10 + i % 2, i % 5)).collect();
    let data = put(&session, "classes/train.csv", rows).await?;
    for (objective, answer) in [
        (Objective::MultiSoftmax { num_class: 3 }, vec![2.0]),
        (Objective::MultiSoftprob { num_class: 3 }, vec![0.0, 0.0, 1.0]),
    ] {
        let xgboost = XGBoost::builder(objective, 30).compute(one()).build()?;
        let done = xgboost.fit(&session, [("train", TrainingInput::csv(&data))]).await?.wait().await?;
        let model = xgboost.model(&session, &done).await?;
        let endpoint = model.deploy(one()).await?;
        let predictor = endpoint.predictor(Csv::rows(), sagemaker::codec::Text::string());
        let text: String = predictor.predict(&[20.0, 1.0]).await?;
        let numbers = text.split(|c: char| "[], \n".contains(c)).filter_map(|part| part.parse::<f64>().ok());
        let numbers: Vec<f64> = numbers.collect();
        assert_eq!(numbers.len(), answer.len(), "{text}");
        assert!(numbers.iter().zip(&answer).all(|(a, b)| (a - b).abs() < 0.1), "{text}");
        endpoint.delete().with_models().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_batch_transform_answers_row_for_row_as_the_endpoint_does() -> Result<()> {
    let session = Session::local();
    let (model, endpoint) = endpoint(&session).await?;
    let rows: Vec<[f64; 2]> = (0..50).map(|i| [f64::from(i % 20), f64::from(i / 3)]).collect();
    let csv: String = rows.iter().map(|[a, b]| format!("{a},{b}\n")).collect();
    put(&session, "batch/in/a.csv", csv.as_str()).await?;
    put(&session, "batch/in/deep/b.csv", csv.as_str()).await?;
    let expected = endpoint.predictor(Csv::rows(), Csv::floats()).predict(&rows).await?;

    for strategy in [BatchStrategy::SingleRecord, BatchStrategy::MultiRecord] {
        let transformer = model
            .transformer(one())
            .strategy(strategy)
            .assemble_with(AssembleWith::Line)
            .accept(ContentType::CSV)
            .build()?;
        let input = TransformInput::csv(session.default_uri("batch/in/").await?);
        let done = transformer.transform(input).await?.wait().await?;
        let folder = tempfile::tempdir()?;
        let files = done.download_output(folder.path()).await?;
        let names: Vec<_> = files.iter().map(|file| file.strip_prefix(folder.path()).unwrap().to_owned()).collect();
        assert_eq!(names, [std::path::Path::new("a.csv.out"), std::path::Path::new("deep/b.csv.out")]);
        for file in files {
            let answers = Csv::floats().deserialize(std::fs::read(file)?.into(), &ContentType::CSV)?;
            assert_eq!(answers, expected, "{strategy:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn many_records_a_request_need_a_split() -> Result<()> {
    let session = Session::local();
    let model = model(&session).await?;
    let transformer = model.transformer(one()).strategy(BatchStrategy::MultiRecord).build()?;
    let input = TransformInput::new("s3://some-bucket/x").split_type(SplitType::None);
    let error = transformer.transform(input).await.unwrap_err();
    assert_eq!(error.invalid_values()[0].field, "strategy");
    Ok(())
}
