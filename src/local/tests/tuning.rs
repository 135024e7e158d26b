use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sagemaker::operation::create_hyper_parameter_tuning_job::builders::CreateHyperParameterTuningJobFluentBuilder as Create;
use aws_sdk_sagemaker::operation::describe_hyper_parameter_tuning_job::DescribeHyperParameterTuningJobOutput as Described;
use aws_sdk_sagemaker::types as sm;
use bytes::Bytes;

use super::support::{Aws, IMAGE, channel, refusal, validation};
use crate::local::engines::*;
use crate::local::{LocalBackend, LocalClock};

/// An image whose training reports `loss = (x - 0.3)² + penalty` after each epoch, a little higher in early ones.
///
/// `mode` makes it misbehave: `fail`, `quiet` (reports nothing), `wait` (until it is stopped).
struct Curve;

const CURVE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/curve:1";

impl Engine for Curve {
    fn runs(&self, image: &str) -> bool {
        image == CURVE
    }

    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        let text = |name: &str| job.hyperparameters.get(name).map_or("", String::as_str);
        let number = |name: &str| text(name).parse::<f64>().unwrap_or(0.0);
        if text("mode") == "fail" {
            return Err(EngineFailure::algorithm("no good"));
        }
        let loss = (number("x") - 0.3).powi(2) + number("n") * 0.01 + if text("kind") == "bad" { 1.0 } else { 0.0 };
        let mut taken = 0;
        for epoch in 1..=number("epochs").max(1.0) as u32 {
            if job.is_stopping() {
                break;
            }
            taken = epoch;
            if text("mode") != "quiet" {
                job.log(format!("epoch {epoch}: loss={};", loss + 0.1 / f64::from(epoch)));
            }
        }
        while text("mode") == "wait" && !job.is_stopping() {
            std::thread::yield_now();
        }
        job.log(format!("ended after {taken} epochs"));
        Ok(TrainingOutput { model: vec![("model".into(), Bytes::from(loss.to_string()))], data: Vec::new() })
    }

    fn load(&self, _: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        Err(EngineFailure::algorithm("nothing to serve"))
    }
}

fn backend(clock: LocalClock) -> Aws {
    let aws = Aws::of(LocalBackend::builder().clock(clock).engine(Curve).build());
    aws.put("data", "train/a.csv", "1");
    aws.backend.core().s3.create_bucket("out");
    aws
}

fn definition(aws: &Aws, fixed: &[(&str, &str)]) -> sm::builders::HyperParameterTrainingJobDefinitionBuilder {
    let metric = sm::MetricDefinition::builder().name("loss").regex("loss=([0-9.]+);").build();
    let algorithm = sm::HyperParameterAlgorithmSpecification::builder()
        .training_image(CURVE)
        .training_input_mode(sm::TrainingInputMode::File)
        .metric_definitions(metric)
        .build();
    let resources = sm::ResourceConfig::builder()
        .instance_count(1)
        .instance_type(sm::TrainingInstanceType::MlM5Large)
        .volume_size_in_gb(1)
        .build();
    let fixed = fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    sm::HyperParameterTrainingJobDefinition::builder()
        .role_arn(aws.backend.role_arn())
        .algorithm_specification(algorithm)
        .input_data_config(channel("train", "s3://data/train", sm::S3DataType::S3Prefix))
        .output_data_config(sm::OutputDataConfig::builder().s3_output_path("s3://out/tuned").build())
        .resource_config(resources)
        .stopping_condition(sm::StoppingCondition::builder().max_runtime_in_seconds(3600).build())
        .set_static_hyper_parameters(Some(fixed))
}

fn number(name: &str, min: &str, max: &str) -> sm::ContinuousParameterRange {
    sm::ContinuousParameterRange::builder().name(name).min_value(min).max_value(max).build()
}

fn category(name: &str, values: &[&str]) -> sm::CategoricalParameterRange {
    let values = values.iter().map(|&value| value.to_owned()).collect();
    sm::CategoricalParameterRange::builder().name(name).set_values(Some(values)).build()
}

fn x() -> sm::ParameterRanges {
    sm::ParameterRanges::builder().continuous_parameter_ranges(number("x", "0", "1")).build()
}

fn objective(kind: sm::HyperParameterTuningJobObjectiveType) -> sm::HyperParameterTuningJobObjective {
    sm::HyperParameterTuningJobObjective::builder().r#type(kind).metric_name("loss").build()
}

fn limits(jobs: i32, parallel: i32) -> sm::ResourceLimits {
    sm::ResourceLimits::builder().max_number_of_training_jobs(jobs).max_parallel_training_jobs(parallel).build()
}

fn config(
    strategy: sm::HyperParameterTuningJobStrategyType,
    jobs: i32,
    parallel: i32,
) -> sm::builders::HyperParameterTuningJobConfigBuilder {
    sm::HyperParameterTuningJobConfig::builder()
        .strategy(strategy)
        .hyper_parameter_tuning_job_objective(objective(sm::HyperParameterTuningJobObjectiveType::Minimize))
        .parameter_ranges(x())
        .resource_limits(limits(jobs, parallel))
}

use sm::HyperParameterTuningJobStrategyType::{Bayesian, Grid, Hyperband, Random};

fn tune(aws: &Aws, name: &str, config: sm::builders::HyperParameterTuningJobConfigBuilder) -> Create {
    aws.sagemaker
        .create_hyper_parameter_tuning_job()
        .hyper_parameter_tuning_job_name(name)
        .hyper_parameter_tuning_job_config(config.build())
        .training_job_definition(definition(aws, &[("epochs", "3")]).build())
}

async fn describe(aws: &Aws, name: &str) -> Described {
    aws.sagemaker.describe_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name(name).send().await.unwrap()
}

async fn run(aws: &Aws, job: Create) -> Described {
    let name = job.get_hyper_parameter_tuning_job_name().clone().unwrap();
    job.send().await.unwrap();
    aws.backend.clock().settle().await;
    describe(aws, &name).await
}

async fn jobs(aws: &Aws, name: &str) -> Vec<sm::HyperParameterTrainingJobSummary> {
    let list = aws.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job();
    let list = list.hyper_parameter_tuning_job_name(name).into_paginator().items().send();
    list.collect::<Result<Vec<_>, _>>().await.unwrap()
}

fn loss(job: &sm::HyperParameterTrainingJobSummary) -> f32 {
    job.final_hyper_parameter_tuning_job_objective_metric().unwrap().value().unwrap()
}

#[tokio::test]
async fn a_job_tunes_and_tells_how() {
    let aws = backend(LocalClock::instant());
    let tags = sm::Tag::builder().key("team").value("a").build();
    let created = tune(&aws, "tune", config(Random, 12, 3)).tags(tags).send().await.unwrap();
    let arn = "arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/tune";
    assert_eq!(created.hyper_parameter_tuning_job_arn(), Some(arn));
    aws.backend.clock().settle().await;
    let job = describe(&aws, "tune").await;
    assert_eq!(job.hyper_parameter_tuning_job_status().unwrap().as_str(), "Completed", "{:?}", job.failure_reason());
    assert_eq!(job.hyper_parameter_tuning_job_arn(), Some(arn));
    assert!(job.hyper_parameter_tuning_end_time() > job.creation_time());
    let counters = job.training_job_status_counters().unwrap();
    assert_eq!((counters.completed(), counters.in_progress(), counters.stopped()), (Some(12), Some(0), Some(0)));
    let counters = job.objective_status_counters().unwrap();
    assert_eq!((counters.succeeded(), counters.pending(), counters.failed()), (Some(12), Some(0), Some(0)));
    assert!(job.consumed_resources().unwrap().runtime_in_seconds().unwrap() > 100, "four rounds of training");
    assert!(job.tuning_job_completion_details().unwrap().number_of_training_jobs_objective_not_improving().is_some());
    let fixed = job.training_job_definition().unwrap().static_hyper_parameters().unwrap();
    assert_eq!((fixed["_tuning_objective_metric"].as_str(), fixed["epochs"].as_str()), ("loss", "3"));
    let shown = job.hyper_parameter_tuning_job_config().unwrap();
    assert_eq!(shown.training_job_early_stopping_type(), Some(&sm::TrainingJobEarlyStoppingType::Off));
    assert_eq!(job.overall_best_training_job(), None, "there are no parents");

    let found = jobs(&aws, "tune").await;
    assert_eq!(found.len(), 12);
    let form = regex_lite::Regex::new("^tune-0(0[1-9]|1[0-2])-[0-9a-f]{8}$").unwrap();
    assert!(found.iter().all(|job| form.is_match(job.training_job_name().unwrap())), "{found:?}");
    assert!(found.windows(2).all(|pair| pair[0].training_job_name() < pair[1].training_job_name()), "sorted by name");
    let lowest = found.iter().map(loss).fold(f32::INFINITY, f32::min);
    let best = job.best_training_job().unwrap();
    assert_eq!(loss(best), lowest);
    assert_eq!(best.objective_status(), Some(&sm::ObjectiveStatus::Succeeded));
    assert_eq!(best.training_job_status(), Some(&sm::TrainingJobStatus::Completed));
    let x: f64 = best.tuned_hyper_parameters().unwrap()["x"].parse().unwrap();
    assert!((0.0..=1.0).contains(&x));

    let training = aws.job(best.training_job_name().unwrap()).await;
    assert_eq!(training.tuning_job_arn(), Some(arn));
    let hyperparameters = training.hyper_parameters().unwrap();
    assert_eq!(hyperparameters["x"], x.to_string());
    assert_eq!(hyperparameters["_tuning_objective_metric"], "loss");
    assert_eq!(hyperparameters["epochs"], "3");
    let model = training.model_artifacts().unwrap().s3_model_artifacts().unwrap();
    assert!(model.starts_with("s3://out/tuned/tune-0") && model.ends_with("/output/model.tar.gz"), "{model}");
    let tags = aws.sagemaker.list_tags().resource_arn(training.training_job_arn().unwrap()).send().await.unwrap();
    assert_eq!(tags.tags()[0].key(), Some("team"));
}

#[tokio::test]
async fn no_more_jobs_run_at_a_time_than_asked() {
    let aws = backend(LocalClock::manual());
    tune(&aws, "two", config(Random, 5, 2)).send().await.unwrap();
    let clock = aws.backend.clock().clone();
    let mut most = 0;
    for _ in 0..200 {
        clock.advance(Duration::from_secs(1));
        clock.settle().await;
        let job = describe(&aws, "two").await;
        let running = job.training_job_status_counters().unwrap().in_progress().unwrap();
        let pending = job.objective_status_counters().unwrap().pending().unwrap();
        assert!(running <= 2 && pending == running);
        most = most.max(running);
        if job.hyper_parameter_tuning_job_status().unwrap().as_str() == "Completed" {
            assert_eq!(most, 2);
            return;
        }
    }
    panic!("it never ended");
}

#[tokio::test]
async fn the_same_seed_tries_the_same() {
    let values = async |name: &str, seed: i32| {
        let aws = backend(LocalClock::instant());
        run(&aws, tune(&aws, name, config(Bayesian, 6, 1).random_seed(seed))).await;
        let found = jobs(&aws, name).await;
        found.iter().map(|job| job.tuned_hyper_parameters().unwrap()["x"].clone()).collect::<Vec<_>>()
    };
    let first = values("a", 1).await;
    assert_eq!(first, values("b", 1).await);
    assert_ne!(first, values("a", 2).await);
}

#[tokio::test]
async fn bayesian_search_finds_what_random_search_misses() {
    let aws = backend(LocalClock::instant());
    let job = run(&aws, tune(&aws, "bayes", config(Bayesian, 15, 1))).await;
    let best = loss(job.best_training_job().unwrap());
    // The last epoch adds 0.1 / 3.
    assert!(best < 0.0334, "{best}");
}

#[tokio::test]
async fn a_grid_is_gone_through() {
    let aws = backend(LocalClock::instant());
    let ranges = sm::ParameterRanges::builder()
        .categorical_parameter_ranges(category("x", &["0.1", "0.3", "0.9"]))
        .categorical_parameter_ranges(category("kind", &["good", "bad"]))
        .build();
    let limits = sm::ResourceLimits::builder().max_parallel_training_jobs(4).build();
    let grid = config(Grid, 1, 1).parameter_ranges(ranges).resource_limits(limits);
    let job = run(&aws, tune(&aws, "grid", grid)).await;
    let shown = job.hyper_parameter_tuning_job_config().unwrap().resource_limits().unwrap();
    assert_eq!(shown.max_number_of_training_jobs(), Some(6));
    assert_eq!(jobs(&aws, "grid").await.len(), 6);
    let best = job.best_training_job().unwrap().tuned_hyper_parameters().unwrap();
    assert_eq!((best["x"].as_str(), best["kind"].as_str()), ("0.3", "good"));
}

#[tokio::test]
async fn hyperband_stops_what_is_not_worth_it() {
    let aws = backend(LocalClock::instant());
    let limits = sm::HyperbandStrategyConfig::builder().min_resource(1).max_resource(9).build();
    let strategy = sm::HyperParameterTuningJobStrategyConfig::builder().hyperband_strategy_config(limits).build();
    let config = config(Hyperband, 20, 2).strategy_config(strategy);
    let create = tune(&aws, "band", config).training_job_definition(definition(&aws, &[("epochs", "100")]).build());
    let job = run(&aws, create).await;
    assert_eq!(job.hyper_parameter_tuning_job_status().unwrap().as_str(), "Completed", "{:?}", job.failure_reason());
    let counters = job.training_job_status_counters().unwrap();
    assert_eq!(counters.stopped(), Some(20), "none may go beyond its maximum");
    assert_eq!(job.objective_status_counters().unwrap().succeeded(), Some(20));
    let log = aws.lines("/aws/sagemaker/TrainingJobs").await;
    let epochs: Vec<u32> =
        log.iter().filter_map(|line| line.strip_prefix("ended after ")?.split(' ').next()?.parse().ok()).collect();
    assert!(epochs.iter().all(|&epochs| epochs <= 9), "{epochs:?}");
    assert!(epochs.iter().filter(|&&epochs| epochs < 9).count() >= 8, "{epochs:?}");
    let best = job.best_training_job().unwrap();
    assert_eq!(best.training_job_status(), Some(&sm::TrainingJobStatus::Stopped));
}

#[tokio::test]
async fn early_stopping_follows_the_median() {
    let aws = backend(LocalClock::instant());
    let config = config(Random, 15, 1).training_job_early_stopping_type(sm::TrainingJobEarlyStoppingType::Auto);
    let create = tune(&aws, "early", config).training_job_definition(definition(&aws, &[("epochs", "50")]).build());
    let job = run(&aws, create).await;
    let counters = job.training_job_status_counters().unwrap();
    let (completed, stopped) = (counters.completed().unwrap(), counters.stopped().unwrap());
    assert!(completed >= 3 && stopped >= 3 && completed + stopped == 15, "{completed} {stopped}");
}

#[tokio::test]
async fn what_is_good_enough_ends_the_search() {
    let aws = backend(LocalClock::instant());
    let target = sm::TuningJobCompletionCriteria::builder().target_objective_metric_value(0.2).build();
    let job = run(&aws, tune(&aws, "target", config(Random, 50, 1).tuning_job_completion_criteria(target))).await;
    assert_eq!(job.hyper_parameter_tuning_job_status().unwrap().as_str(), "Completed");
    let found = jobs(&aws, "target").await;
    assert!(found.len() < 50 && loss(found.last().unwrap()) <= 0.2);

    let patience = sm::BestObjectiveNotImproving::builder().max_number_of_training_jobs_not_improving(3).build();
    let patience = sm::TuningJobCompletionCriteria::builder().best_objective_not_improving(patience).build();
    let job = run(&aws, tune(&aws, "patience", config(Random, 60, 1).tuning_job_completion_criteria(patience))).await;
    let details = job.tuning_job_completion_details().unwrap();
    assert_eq!(details.number_of_training_jobs_objective_not_improving(), Some(3));
    assert!(jobs(&aws, "patience").await.len() < 60);

    let converged = sm::ConvergenceDetected::builder().complete_on_convergence(sm::CompleteOnConvergence::Enabled);
    let converged = sm::TuningJobCompletionCriteria::builder().convergence_detected(converged.build()).build();
    let job =
        run(&aws, tune(&aws, "converged", config(Bayesian, 60, 1).tuning_job_completion_criteria(converged))).await;
    assert!(job.tuning_job_completion_details().unwrap().convergence_detected_time().is_some());
    assert!(jobs(&aws, "converged").await.len() < 60);
}

#[tokio::test]
async fn a_search_ends_with_its_time() {
    let aws = backend(LocalClock::manual());
    let limits = sm::ResourceLimits::builder().max_parallel_training_jobs(1).max_runtime_in_seconds(130).build();
    tune(&aws, "time", config(Random, 1, 1).resource_limits(limits)).send().await.unwrap();
    for _ in 0..200 {
        aws.backend.clock().advance(Duration::from_secs(1));
        aws.backend.clock().settle().await;
    }
    let job = describe(&aws, "time").await;
    assert_eq!(job.hyper_parameter_tuning_job_status().unwrap().as_str(), "Completed");
    let runtime = job.consumed_resources().unwrap().runtime_in_seconds().unwrap();
    assert!((130..140).contains(&runtime), "{runtime}");
    let counters = job.training_job_status_counters().unwrap();
    assert_eq!((counters.completed(), counters.stopped()), (Some(4), Some(1)), "30 seconds each");
}

#[tokio::test]
async fn a_stop_stops_its_training_jobs() {
    let aws = backend(LocalClock::instant());
    let create = tune(&aws, "stops", config(Random, 9, 2));
    create.training_job_definition(definition(&aws, &[("mode", "wait")]).build()).send().await.unwrap();
    let clock = aws.backend.clock();
    let reported = async || {
        let found = aws.logs.filter_log_events().log_group_name("/aws/sagemaker/TrainingJobs").send().await;
        found.map_or(0, |found| found.events().len())
    };
    while reported().await < 2 {
        clock.pause(Duration::from_secs(1)).await;
    }
    let delete = || aws.sagemaker.delete_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name("stops").send();
    let (code, text) = refusal(delete().await);
    assert!(code == "ValidationException" && text.contains("not in a terminal state"), "{code} {text}");
    let stop = || aws.sagemaker.stop_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name("stops").send();
    stop().await.unwrap();
    clock.settle().await;
    let job = describe(&aws, "stops").await;
    assert_eq!(job.hyper_parameter_tuning_job_status().unwrap().as_str(), "Stopped");
    assert_eq!(job.training_job_status_counters().unwrap().stopped(), Some(2));
    assert!(job.best_training_job().is_some(), "what they reported counts");
    let text = "The request was rejected because the hyper parameter tuning job is in status Stopped.";
    assert_eq!(refusal(stop().await), validation(text));

    let name = jobs(&aws, "stops").await[0].training_job_name().unwrap().to_owned();
    delete().await.unwrap();
    assert_eq!(refusal(delete().await).0, "ResourceNotFound");
    assert!(aws.job(&name).await.tuning_job_arn().is_some(), "its training jobs stay");
    // Its name is free again, and so are those of its training jobs.
    let again = run(&aws, tune(&aws, "stops", config(Random, 2, 1))).await;
    assert_eq!(again.training_job_status_counters().unwrap().completed(), Some(2));
    assert_eq!(jobs(&aws, "stops").await.len(), 2);
}

#[tokio::test]
async fn a_search_without_success_fails() {
    let aws = backend(LocalClock::instant());
    let fails = definition(&aws, &[("mode", "fail")]).build();
    let job = run(&aws, tune(&aws, "fails", config(Bayesian, 20, 2)).training_job_definition(fails)).await;
    assert_eq!(job.hyper_parameter_tuning_job_status().unwrap().as_str(), "Failed");
    let reason = job.failure_reason().unwrap();
    assert!(reason.starts_with("No training job succeeded after "), "{reason}");
    let counters = job.training_job_status_counters().unwrap();
    assert!((5..=7).contains(&counters.non_retryable_error().unwrap()), "{counters:?}");
    let found = jobs(&aws, "fails").await;
    assert!(found.iter().any(|job| job.failure_reason() == Some("AlgorithmError: no good, exit code: 1")));
    assert!(found.iter().all(|job| job.objective_status() == Some(&sm::ObjectiveStatus::Failed)));

    let quiet = definition(&aws, &[("mode", "quiet")]).build();
    let job = run(&aws, tune(&aws, "quiet", config(Random, 3, 1)).training_job_definition(quiet)).await;
    let text = "No objective metrics found after running 3 training jobs. Please ensure that the custom algorithm is \
                emitting the objective metric as defined by the regular expression provided.";
    assert_eq!(job.failure_reason(), Some(text));
}

#[tokio::test]
async fn some_failures_do_no_harm() {
    let aws = backend(LocalClock::instant());
    let ranges = sm::ParameterRanges::builder()
        .categorical_parameter_ranges(category("mode", &["fail", "work", "quiet"]))
        .continuous_parameter_ranges(number("x", "0", "1"))
        .build();
    let job = run(&aws, tune(&aws, "some", config(Random, 12, 1).parameter_ranges(ranges))).await;
    assert_eq!(job.hyper_parameter_tuning_job_status().unwrap().as_str(), "Completed");
    let (status, objective) = (job.training_job_status_counters().unwrap(), job.objective_status_counters().unwrap());
    assert!(status.non_retryable_error().unwrap() > 0);
    assert_eq!(objective.succeeded().unwrap() + objective.failed().unwrap(), 12);
    let list =
        aws.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name("some");
    let by_value = list.clone().sort_by(sm::TrainingJobSortByOptions::FinalObjectiveMetricValue).max_results(50);
    let by_value = by_value.send().await.unwrap();
    assert_eq!(by_value.training_job_summaries().len(), objective.succeeded().unwrap() as usize);
    assert!(by_value.training_job_summaries().windows(2).all(|pair| loss(&pair[0]) <= loss(&pair[1])));
    let failed = list.status_equals(sm::TrainingJobStatus::Failed).max_results(1).send().await.unwrap();
    assert_eq!(failed.training_job_summaries()[0].training_job_status(), Some(&sm::TrainingJobStatus::Failed));
    assert_eq!(failed.next_token().is_some(), status.non_retryable_error().unwrap() > 1);
}

#[tokio::test]
async fn several_algorithms_are_tuned_together() {
    let aws = backend(LocalClock::instant());
    let one = |name: &str, fixed: &[(&str, &str)]| {
        definition(&aws, fixed)
            .definition_name(name)
            .tuning_objective(objective(sm::HyperParameterTuningJobObjectiveType::Maximize))
            .hyper_parameter_ranges(x())
            .build()
    };
    let config = sm::HyperParameterTuningJobConfig::builder().strategy(Random).resource_limits(limits(6, 2));
    let job = aws
        .sagemaker
        .create_hyper_parameter_tuning_job()
        .hyper_parameter_tuning_job_name("both")
        .hyper_parameter_tuning_job_config(config.build())
        .training_job_definitions(one("low", &[("n", "1")]))
        .training_job_definitions(one("high", &[("n", "100")]));
    let job = run(&aws, job).await;
    let best = job.best_training_job().unwrap();
    assert_eq!(best.training_job_definition_name(), Some("high"));
    assert!(loss(best) > 1.0);
    let found = jobs(&aws, "both").await;
    let low = found.iter().filter(|job| job.training_job_definition_name() == Some("low")).count();
    assert_eq!((found.len(), low), (6, 3));
    assert_eq!(job.training_job_definitions().len(), 2);
}

#[tokio::test]
async fn a_warm_start_knows_what_its_parents_found() {
    let aws = backend(LocalClock::instant());
    let narrow = || sm::ParameterRanges::builder().continuous_parameter_ranges(number("x", "0.8", "1")).build();
    run(&aws, tune(&aws, "parent", config(Bayesian, 12, 1))).await;
    let warm = |parent: &str, kind: sm::HyperParameterTuningJobWarmStartType| {
        let parent = sm::ParentHyperParameterTuningJob::builder().hyper_parameter_tuning_job_name(parent).build();
        sm::HyperParameterTuningJobWarmStartConfig::builder()
            .parent_hyper_parameter_tuning_jobs(parent)
            .warm_start_type(kind)
            .build()
    };
    let transfer = || warm("parent", sm::HyperParameterTuningJobWarmStartType::TransferLearning);
    let child = tune(&aws, "child", config(Bayesian, 2, 1).parameter_ranges(narrow())).warm_start_config(transfer());
    let job = run(&aws, child).await;
    let overall = job.overall_best_training_job().unwrap();
    assert_eq!(overall.tuning_job_name(), Some("parent"));
    assert!(loss(overall) < loss(job.best_training_job().unwrap()));

    // With the same ranges the search goes on where the parents ended.
    let identical = || warm("child", sm::HyperParameterTuningJobWarmStartType::IdenticalDataAndAlgorithm);
    let job = run(&aws, tune(&aws, "grandchild", config(Bayesian, 1, 1)).warm_start_config(identical())).await;
    assert!(loss(job.best_training_job().unwrap()) < 0.0335, "{:?}", job.best_training_job());

    let other = definition(&aws, &[]).input_data_config(channel("more", "s3://data/train", sm::S3DataType::S3Prefix));
    let other = definition(&aws, &[]).set_input_data_config(other.build().input_data_config);
    let mut changed = other.build();
    changed.input_data_config.as_mut().unwrap()[0].data_source =
        channel("x", "s3://data/train/", sm::S3DataType::S3Prefix).data_source;
    let refused = tune(&aws, "bad", config(Bayesian, 1, 1)).warm_start_config(identical());
    let (_, text) = refusal(refused.training_job_definition(changed).send().await);
    assert!(text.starts_with("The input data and the training image must be the same"), "{text}");
    let unknown = warm("nobody", sm::HyperParameterTuningJobWarmStartType::TransferLearning);
    let refused = tune(&aws, "bad", config(Bayesian, 1, 1)).warm_start_config(unknown).send().await;
    let text = "Amazon SageMaker can't find a tuning job called nobody. Type another name.";
    assert_eq!(refusal(refused), ("ResourceNotFound".to_owned(), text.to_owned()));
}

#[tokio::test]
async fn autotune_chooses_what_is_left_open() {
    let aws = backend(LocalClock::instant());
    let auto = sm::AutoParameter::builder().name("x").value_hint("0.5").build();
    let ranges = sm::ParameterRanges::builder().auto_parameters(auto).build();
    let limits = sm::ResourceLimits::builder().max_parallel_training_jobs(4).build();
    let config = config(Bayesian, 1, 1).parameter_ranges(ranges).resource_limits(limits);
    let autotune = sm::Autotune::builder().mode(sm::AutotuneMode::Enabled).build();
    let job = run(&aws, tune(&aws, "auto", config).autotune(autotune)).await;
    assert_eq!(job.training_job_status_counters().unwrap().completed(), Some(20));
    let found = jobs(&aws, "auto").await;
    assert!(found.iter().all(|job| {
        let x: f64 = job.tuned_hyper_parameters().unwrap()["x"].parse().unwrap();
        (0.05..=1.0).contains(&x)
    }));
    assert!(job.autotune().is_some());
}

#[tokio::test]
async fn jobs_are_listed_by_name() {
    let aws = backend(LocalClock::instant());
    for name in ["b", "a", "c"] {
        run(&aws, tune(&aws, name, config(Random, 1, 1))).await;
    }
    let list = aws.sagemaker.list_hyper_parameter_tuning_jobs().send().await.unwrap();
    let found = list.hyper_parameter_tuning_job_summaries();
    let names: Vec<_> = found.iter().map(|job| job.hyper_parameter_tuning_job_name().unwrap()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(found[0].strategy(), Some(&Random));
    assert_eq!(found[0].resource_limits().unwrap().max_number_of_training_jobs(), Some(1));
    assert_eq!(found[0].training_job_status_counters().unwrap().completed(), Some(1));
    let unknown =
        aws.sagemaker.describe_hyper_parameter_tuning_job().hyper_parameter_tuning_job_name("no").send().await;
    let text = "Amazon SageMaker can't find a tuning job called no. Type another name.";
    assert_eq!(refusal(unknown), ("ResourceNotFound".to_owned(), text.to_owned()));
    let text = "A hyperparameter tuning job with the name, a, already exists. Choose a different name.";
    let again = tune(&aws, "a", config(Random, 1, 1)).send().await;
    assert_eq!(refusal(again), ("ResourceInUse".to_owned(), text.to_owned()));
}

#[tokio::test]
async fn a_bad_request_is_refused() {
    let aws = backend(LocalClock::instant());
    let refused = async |config| {
        let (code, text) = refusal(tune(&aws, "bad", config).send().await);
        assert_eq!(code, "ValidationException");
        text
    };
    let ranges = |range: sm::ContinuousParameterRange| {
        config(Random, 1, 1).parameter_ranges(sm::ParameterRanges::builder().continuous_parameter_ranges(range).build())
    };
    let scaled = |min: &str, max: &str, scale: sm::HyperParameterScalingType| {
        let range = sm::ContinuousParameterRange::builder().name("x").min_value(min).max_value(max);
        ranges(range.scaling_type(scale).build())
    };
    let text = refused(ranges(number("x", "1", "0.5"))).await;
    assert_eq!(text, "The MinValue [1] must be less than the MaxValue [0.5] for the hyperparameter range [x].");
    let text = refused(ranges(number("x", "a", "1"))).await;
    assert_eq!(text, "The value [a] of the continuous hyperparameter range [x] is not a number.");
    let text = refused(ranges(number("epochs", "1", "2"))).await;
    assert!(text.contains("[epochs] is specified both in StaticHyperParameters"), "{text}");
    let text = refused(scaled("0", "1", sm::HyperParameterScalingType::Logarithmic)).await;
    assert!(
        text.starts_with("Logarithmic scaling works only for ranges that have only values greater than 0"),
        "{text}"
    );
    let text = refused(scaled("0", "1", sm::HyperParameterScalingType::ReverseLogarithmic)).await;
    assert!(text.starts_with("Reverse logarithmic scaling works only"), "{text}");
    let few = sm::IntegerParameterRange::builder().name("n").min_value("1").max_value("3").build();
    let few = || {
        config(Random, 10, 1)
            .parameter_ranges(sm::ParameterRanges::builder().integer_parameter_ranges(few.clone()).build())
    };
    let text = "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter \
                combinations for the provided ranges [3.0] must be equal or greater than the value of \
                MaxNumberOfJobs, [10]. Provide additional ranges.";
    assert_eq!(refused(few()).await, text);
    assert!(refused(few().strategy(Grid)).await.starts_with("Only CategoricalParameterRanges are supported"));
    let grid = sm::ParameterRanges::builder().categorical_parameter_ranges(category("kind", &["a", "b"])).build();
    let text = refused(config(Grid, 3, 1).parameter_ranges(grid)).await;
    assert!(
        text.starts_with("MaxNumberOfTrainingJobs must be equal to the number of hyperparameter combinations [2]"),
        "{text}"
    );
    let text = refused(config(Random, 2, 3)).await;
    assert_eq!(text, "MaxParallelTrainingJobs [3] must be less than or equal to MaxNumberOfTrainingJobs [2].");
    let none = sm::ResourceLimits::builder().max_parallel_training_jobs(1).build();
    assert!(
        refused(config(Random, 1, 1).resource_limits(none)).await.starts_with("MaxNumberOfTrainingJobs is required")
    );
    let mut other = objective(sm::HyperParameterTuningJobObjectiveType::Minimize);
    other.metric_name = Some("accuracy".to_owned());
    let text = "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric \
                definitions.";
    assert_eq!(refused(config(Random, 1, 1).hyper_parameter_tuning_job_objective(other)).await, text);
    let nothing = sm::ParameterRanges::builder().build();
    assert!(refused(config(Random, 1, 1).parameter_ranges(nothing)).await.starts_with("At least one"));
    let limits = sm::HyperbandStrategyConfig::builder().min_resource(5).max_resource(5).build();
    let strategy = sm::HyperParameterTuningJobStrategyConfig::builder().hyperband_strategy_config(limits).build();
    let text = refused(config(Hyperband, 1, 1).strategy_config(strategy.clone())).await;
    assert_eq!(text, "MinResource [5] must be less than MaxResource [5] in HyperbandStrategyConfig.");
    let text = refused(config(Random, 1, 1).strategy_config(strategy)).await;
    assert_eq!(text, "StrategyConfig cannot be specified for the strategy Random.");
    let early = config(Hyperband, 1, 1).training_job_early_stopping_type(sm::TrainingJobEarlyStoppingType::Auto);
    assert!(refused(early).await.starts_with("TrainingJobEarlyStoppingType must be Off"));

    let no_definition = tune(&aws, "bad", config(Random, 1, 1)).set_training_job_definition(None).send().await;
    let text = "Either TrainingJobDefinition or TrainingJobDefinitions must be specified.";
    assert_eq!(refusal(no_definition), validation(text));
    let no_data = definition(&aws, &[])
        .set_input_data_config(Some(vec![channel("train", "s3://data/nothing", sm::S3DataType::S3Prefix)]))
        .build();
    let no_data = tune(&aws, "bad", config(Random, 1, 1)).training_job_definition(no_data).send().await;
    assert!(refusal(no_data).1.starts_with("No S3 objects found under S3 URL"));
    let found = aws.sagemaker.list_hyper_parameter_tuning_jobs().send().await.unwrap();
    assert!(found.hyper_parameter_tuning_job_summaries().is_empty());
    assert_ne!(IMAGE, CURVE);
}

#[tokio::test]
async fn a_search_whose_data_goes_fails() {
    let aws = backend(LocalClock::manual());
    tune(&aws, "gone", config(Random, 3, 1)).send().await.unwrap();
    aws.backend.core().s3.reset();
    for _ in 0..60 {
        aws.backend.clock().advance(Duration::from_secs(5));
        aws.backend.clock().settle().await;
    }
    let job = describe(&aws, "gone").await;
    assert_eq!(job.hyper_parameter_tuning_job_status().unwrap().as_str(), "Failed");
    assert!(job.failure_reason().unwrap().starts_with("No S3 objects found"), "{:?}", job.failure_reason());
}

#[tokio::test]
async fn a_reset_abandons_a_search() {
    let aws = backend(LocalClock::manual());
    tune(&aws, "gone", config(Random, 3, 2)).send().await.unwrap();
    aws.backend.clock().advance(Duration::from_secs(3));
    aws.backend.clock().settle().await;
    aws.backend.reset();
    aws.backend.clock().advance(Duration::from_secs(3600));
    aws.backend.clock().settle().await;
    let list = aws.sagemaker.list_hyper_parameter_tuning_jobs().send().await.unwrap();
    assert!(list.hyper_parameter_tuning_job_summaries().is_empty());
    assert!(aws.sagemaker.list_training_jobs().send().await.unwrap().training_job_summaries().is_empty());
}

/// The rentals of bikes by hour: the search finds a model that is better than the usual one.
#[cfg(feature = "algorithms")]
#[tokio::test]
async fn xgboost_is_tuned_on_real_data() {
    const IMAGE: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1";
    let aws = Aws::of(LocalBackend::new());
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/bike-sharing");
    for name in ["train", "validation"] {
        let rows = std::fs::read(data.join(format!("{name}.csv"))).unwrap();
        // Some of them will do.
        let some: Vec<&[u8]> = rows.split_inclusive(|&b| b == b'\n').step_by(4).collect();
        aws.put("data", &format!("{name}/rows.csv"), some.concat());
    }
    aws.backend.core().s3.create_bucket("out");
    let csv = |name: &str| {
        let mut channel = channel(name, &format!("s3://data/{name}"), sm::S3DataType::S3Prefix);
        channel.content_type = Some("text/csv".to_owned());
        channel
    };
    let algorithm = sm::HyperParameterAlgorithmSpecification::builder()
        .training_image(IMAGE)
        .training_input_mode(sm::TrainingInputMode::File)
        .build();
    let fixed = [("objective", "reg:squarederror"), ("num_round", "30")];
    let xgboost = definition(&aws, &fixed)
        .algorithm_specification(algorithm)
        .set_input_data_config(Some(vec![csv("train"), csv("validation")]))
        .build();
    let eta = sm::ContinuousParameterRange::builder().name("eta").min_value("0.01").max_value("0.8");
    let ranges = sm::ParameterRanges::builder()
        .continuous_parameter_ranges(eta.scaling_type(sm::HyperParameterScalingType::Logarithmic).build())
        .integer_parameter_ranges(
            sm::IntegerParameterRange::builder().name("max_depth").min_value("1").max_value("9").build(),
        )
        .categorical_parameter_ranges(category("tree_method", &["hist", "exact"]))
        .build();
    let mut rmse = objective(sm::HyperParameterTuningJobObjectiveType::Minimize);
    rmse.metric_name = Some("validation:rmse".to_owned());
    let config = config(Bayesian, 12, 2).parameter_ranges(ranges).hyper_parameter_tuning_job_objective(rmse);
    let job = run(&aws, tune(&aws, "bikes", config).training_job_definition(xgboost)).await;
    assert_eq!(job.hyper_parameter_tuning_job_status().unwrap().as_str(), "Completed", "{:?}", job.failure_reason());
    let found = jobs(&aws, "bikes").await;
    assert_eq!(found.len(), 12);
    let best = loss(job.best_training_job().unwrap());
    let mut losses: Vec<f32> = found.iter().map(loss).collect();
    losses.sort_by(f32::total_cmp);
    assert!(best == losses[0] && best < losses[6] * 0.95, "{losses:?}");
}
