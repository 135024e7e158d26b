//! Metrics of a job over time, as CloudWatch keeps them.

use std::time::{Duration, SystemTime};

use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::local::engines::{FnEngine, TrainingOutput};
use sagemaker::local::{Fault, LocalBackend};
use sagemaker::training::{MetricSeries, MetricStatistic, TrainingInput, TrainingJob};
use sagemaker::{ErrorKind, Result, Session};
use serde_json::json;

use crate::fixture::{by_hand, one, put};

const MINUTE: Duration = Duration::from_secs(60);

fn backend() -> LocalBackend {
    let engine = FnEngine::for_image("stand-in").train_with(|job| {
        for loss in ["0.5", "0.25", "0.75"] {
            job.log(format!("loss={loss}"));
        }
        job.log("rate=3");
        Ok(TrainingOutput::default())
    });
    LocalBackend::builder().engine(engine).build()
}

/// A job that has reported two metrics, one of them three times.
async fn trained(session: &Session) -> Result<TrainingJob> {
    let data = put(session, "in/a.csv", "1,2\n").await?;
    let estimator = ContainerEstimator::builder("123456789012.dkr.ecr.us-east-1.amazonaws.com/stand-in:1")
        .compute(one())
        .metric_definition("loss", "loss=([0-9.]+)")
        .metric_definition("rate", "rate=([0-9.]+)")
        .build()?;
    let job = estimator.fit(session, TrainingInput::csv(data)).job_name("measured").await?;
    job.wait().await?;
    Ok(job)
}

/// Puts a value of a metric of the job to a time, as the service does while a job runs.
async fn publish(backend: &LocalBackend, metric: &str, at: SystemTime, value: f64) {
    let at = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let datum = json!({
        "MetricName": metric, "Timestamp": at, "Value": value,
        "Dimensions": [{"Name": "TrainingJobName", "Value": "measured"}],
    });
    let body = json!({"Namespace": "/aws/sagemaker/TrainingJobs", "MetricData": [datum]});
    let target = "GraniteServiceVersion20100801.PutMetricData";
    let request = by_hand("monitoring", "us-east-1", target, "1.0", &body);
    let answer = backend.handle(request).await;
    assert_eq!(answer.status(), 200, "{:?}", answer.body().bytes().map(String::from_utf8_lossy));
}

fn values(series: &MetricSeries) -> Vec<f64> {
    series.points.iter().map(|point| point.value).collect()
}

#[tokio::test]
async fn a_period_is_summed_up_as_asked() -> Result<()> {
    let backend = backend();
    let job = trained(&Session::with_backend(&backend)).await?;
    for (statistic, expected) in [
        (MetricStatistic::Average, 0.5),
        (MetricStatistic::Minimum, 0.25),
        (MetricStatistic::Maximum, 0.75),
        (MetricStatistic::Sum, 1.5),
        (MetricStatistic::SampleCount, 3.0),
    ] {
        let series = job.metric_series().names(["loss"]).period(60 * MINUTE).statistic(statistic).await?;
        let all: f64 = values(&series[0]).iter().sum();
        // The lines may lie on both sides of a full hour.
        if series[0].points.len() == 1 {
            assert_eq!(all, expected, "{statistic:?}");
        }
        assert!(!series[0].points.is_empty(), "{statistic:?}");
    }
    let series = job.metric_series().await?;
    let names: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
    assert_eq!(names, ["loss", "rate"], "all that it defines");
    assert_eq!(values(&series[1]), [3.0]);
    Ok(())
}

#[tokio::test]
async fn points_come_oldest_first_and_each_begins_its_period() -> Result<()> {
    let backend = backend();
    let job = trained(&Session::with_backend(&backend)).await?;
    let description = job.describe().await?;
    let began = SystemTime::try_from(*description.raw().training_start_time().unwrap()).unwrap();
    for (minutes, value) in [(1_u32, 30.0), (0, 20.0)] {
        publish(&backend, "gain", began + minutes * MINUTE, value).await;
    }
    publish(&backend, "gain", began - 24 * 60 * MINUTE, 10.0).await; // another job of this name, long ago
    let series = job.metric_series().names(["gain", "nothing"]).await?;
    assert_eq!(values(&series[0]), [20.0, 30.0]);
    let [first, second] = series[0].points[..] else { panic!("{series:?}") };
    assert_eq!(second.at.duration_since(first.at).unwrap(), MINUTE);
    let since = first.at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(since.as_secs() % 60, 0, "{first:?} begins a minute");
    assert_eq!((series[1].name.as_str(), series[1].points.len()), ("nothing", 0));
    Ok(())
}

#[tokio::test]
async fn one_request_reads_500_metrics() -> Result<()> {
    let backend = backend();
    let session = Session::with_backend(&backend);
    let job = trained(&session).await?;
    let names: Vec<String> = (0..501).map(|i| format!("m{i}")).chain(["rate".to_owned()]).collect();
    let series = job.metric_series().names(names.clone()).await?;
    assert_eq!(series.iter().map(|series| series.name.clone()).collect::<Vec<_>>(), names);
    assert_eq!(values(&series[501]), [3.0]);
    let calls = || backend.requests().iter().filter(|request| request.operation == "GetMetricData").count();
    assert_eq!(calls(), 2);
    assert!(job.metric_series().names(Vec::<String>::new()).await?.is_empty());
    assert_eq!(calls(), 2, "nothing is asked for nothing");
    Ok(())
}

#[tokio::test]
async fn refusals_are_errors() -> Result<()> {
    let backend = backend();
    let session = Session::with_backend(&backend);
    let job = trained(&session).await?;
    for seconds in [0, 7, 90] {
        let error = job.metric_series().period(Duration::from_secs(seconds)).await.unwrap_err();
        assert_eq!((error.kind(), error.invalid_values()[0].field.as_str()), (ErrorKind::InvalidInput, "period"));
    }
    backend.faults().add(Fault::refuse(403, "AccessDenied", "not you").on("GetMetricData").times(1));
    let error = job.metric_series().await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::AccessDenied, Some("GetMetricData")), "{error}");
    backend.faults().add(Fault::throttle().on("GetMetricData").times(1));
    assert_eq!(job.metric_series().await?.len(), 2, "a throttled request is sent again");
    let nobody = TrainingJob::attach(&session, "never-started").await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::NotFound);
    Ok(())
}
