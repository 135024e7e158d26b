//! The built-in algorithms from end to end: training, metrics, endpoint, batch transform, spot interruption.

use std::time::Duration;

use aws_sdk_sagemaker::types as sm;
use aws_sdk_sagemakerruntime::primitives::Blob;

use super::support::{Aws, channel};
use crate::local::{Fault, LocalClock};

fn image(repository: &str) -> String {
    format!("382416733822.dkr.ecr.us-east-1.amazonaws.com/{repository}")
}

fn algorithm(repository: &str) -> sm::AlgorithmSpecification {
    sm::AlgorithmSpecification::builder()
        .training_image(image(repository))
        .training_input_mode(sm::TrainingInputMode::Pipe)
        .build()
}

fn csv_channel(uri: &str) -> sm::Channel {
    let mut channel = channel("train", uri, sm::S3DataType::S3Prefix);
    channel.content_type = Some("text/csv".to_owned());
    channel
}

/// `label = 2 x + 1` in two files.
fn put_line(aws: &Aws) {
    for (file, offset) in [("a", 0), ("b", 50)] {
        let line = |at: i32| format!("{},{}\n", 2 * (at + offset) + 1, at + offset);
        aws.put("data", &format!("line/{file}.csv"), (0..50).map(line).collect::<String>());
    }
}

#[tokio::test]
async fn linear_learner_trains_serves_and_transforms() {
    let aws = Aws::new();
    put_line(&aws);
    let create = aws
        .train("line")
        .algorithm_specification(algorithm("linear-learner:1"))
        .set_input_data_config(Some(vec![csv_channel("s3://data/line")]))
        .hyper_parameters("predictor_type", "regressor")
        .hyper_parameters("mini_batch_size", "10")
        .hyper_parameters("num_models", "8")
        .hyper_parameters("epochs", "50");
    create.send().await.unwrap();
    let job = aws.ended("line").await;
    assert_eq!(job.training_job_status().unwrap().as_str(), "Completed", "{:?}", job.failure_reason());
    let metrics = job.final_metric_data_list();
    let metric =
        |name: &str| metrics.iter().find(|one| one.metric_name() == Some(name)).and_then(sm::MetricData::value);
    assert!(metric("train:objective_loss").is_some_and(|loss| loss < 0.01), "{metrics:?}");
    assert!(metric("train:mse").is_some_and(|mse| mse < 20.0), "{metrics:?}");
    assert!(metric("train:progress").is_some());
    let definitions = job.algorithm_specification().unwrap().metric_definitions();
    assert!(definitions.iter().any(|one| one.name() == Some("validation:objective_loss")));

    let artifacts = job.model_artifacts().unwrap().s3_model_artifacts().unwrap().to_owned();
    let container =
        sm::ContainerDefinition::builder().image(image("linear-learner:1")).model_data_url(artifacts).build();
    let role = aws.backend.role_arn();
    let model = aws.sagemaker.create_model().model_name("line").execution_role_arn(role).primary_container(container);
    model.send().await.unwrap();
    aws.config("line", &[("AllTraffic", "line", 1.0)]).await;
    aws.up("line", "line").await;
    let ask = |content_type: &str, body: &str| {
        let request = aws.runtime.invoke_endpoint().endpoint_name("line").content_type(content_type);
        request.body(Blob::new(body.as_bytes())).send()
    };
    let answer = ask("text/csv", "20\n70\n").await.unwrap();
    assert_eq!(answer.content_type(), Some("application/json"));
    let answer: serde_json::Value = serde_json::from_slice(answer.body().unwrap().as_ref()).unwrap();
    let score = |at: usize| answer["predictions"][at]["score"].as_f64().unwrap();
    assert!((score(0) - 41.0).abs() < 8.0 && (score(1) - 141.0).abs() < 8.0, "{answer}");
    let refused = ask("image/png", "x").await.unwrap_err().into_service_error();
    assert!(refused.to_string().contains("ModelError") || refused.is_model_error(), "{refused}");

    aws.put("data", "asked/rows.csv", "1\n2\n3\n");
    let input = sm::TransformDataSource::builder()
        .s3_data_source(
            sm::TransformS3DataSource::builder()
                .s3_data_type(sm::S3DataType::S3Prefix)
                .s3_uri("s3://data/asked")
                .build(),
        )
        .build();
    let input =
        sm::TransformInput::builder().data_source(input).content_type("text/csv").split_type(sm::SplitType::Line);
    let output = sm::TransformOutput::builder()
        .s3_output_path("s3://out/said")
        .accept("application/jsonlines")
        .assemble_with(sm::AssemblyType::Line);
    let resources =
        sm::TransformResources::builder().instance_type(sm::TransformInstanceType::MlM5Large).instance_count(1).build();
    let transform = aws.sagemaker.create_transform_job().transform_job_name("line").model_name("line");
    let transform = transform.transform_input(input.build()).transform_output(output.build());
    transform.transform_resources(resources).send().await.unwrap();
    aws.backend.clock().sleep(Duration::from_secs(3600)).await;
    let said = aws.get("out", "said/rows.csv.out").unwrap();
    assert_eq!(said.lines().filter(|line| line.starts_with("{\"score\": ")).count(), 3, "{said}");
}

#[tokio::test]
async fn an_image_without_an_engine_says_which_have_one() {
    let aws = Aws::new();
    aws.train("topics").algorithm_specification(algorithm("lda:1")).send().await.unwrap();
    let job = aws.ended("topics").await;
    let reason = job.failure_reason().unwrap();
    assert!(reason.contains("/lda:1\"") && reason.contains("XGBoost, Linear Learner, K-Means"), "{reason}");
}

#[tokio::test]
async fn a_job_whose_hyperparameters_are_wrong_is_the_clients_error() {
    let aws = Aws::new();
    aws.train("clusters").algorithm_specification(algorithm("kmeans:1")).send().await.unwrap();
    let job = aws.ended("clusters").await;
    assert_eq!(
        job.failure_reason().unwrap(),
        "ClientError: No value(s) were specified for 'feature_dim' which are required hyperparameter(s) (caused by \
         ValidationError)\n\nCaused by: 'feature_dim' is a required property, exit code: 2"
    );
}

#[tokio::test]
async fn an_engine_that_trains_for_too_long_is_stopped() {
    // 300 ms are ten minutes.
    let aws = Aws::with_clock(LocalClock::scaled(2000.0));
    put_line(&aws);
    let boosts = [("num_round", "1000000")];
    let learns = [
        ("predictor_type", "regressor"),
        ("epochs", "100000"),
        ("num_models", "1"),
        ("early_stopping_patience", "100000"),
    ];
    for (name, repository, hyperparameters) in
        [("boosts", "sagemaker-xgboost:1.7-1", &boosts[..]), ("learns", "linear-learner:1", &learns[..])]
    {
        let limit = sm::StoppingCondition::builder().max_runtime_in_seconds(600).build();
        let mut create = aws.train(name).algorithm_specification(algorithm(repository)).stopping_condition(limit);
        for (name, value) in hyperparameters {
            create = create.hyper_parameters(*name, *value);
        }
        create.set_input_data_config(Some(vec![csv_channel("s3://data/line")])).send().await.unwrap();
        let job = aws.ended(name).await;
        assert_eq!(job.training_job_status(), Some(&sm::TrainingJobStatus::Stopped), "{:?}", job.failure_reason());
        assert_eq!(job.secondary_status(), Some(&sm::SecondaryStatus::MaxRuntimeExceeded));
        assert!(job.training_time_in_seconds().unwrap() >= 600);
    }
}

#[tokio::test]
async fn xgboost_goes_on_from_its_checkpoint_after_an_interruption() {
    let aws = Aws::new();
    put_line(&aws);
    aws.backend.faults().add(Fault::spot_interruption_after(3).resource("spot"));
    let mut models = Vec::new();
    for name in ["spot", "steady"] {
        let checkpoints = sm::CheckpointConfig::builder().s3_uri(format!("s3://out/checkpoints/{name}")).build();
        let limits =
            sm::StoppingCondition::builder().max_runtime_in_seconds(3600).max_wait_time_in_seconds(7200).build();
        let create = aws
            .train(name)
            .algorithm_specification(
                sm::AlgorithmSpecification::builder()
                    .training_image("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1")
                    .training_input_mode(sm::TrainingInputMode::File)
                    .build(),
            )
            .set_input_data_config(Some(vec![csv_channel("s3://data/line")]))
            .enable_managed_spot_training(true)
            .stopping_condition(limits)
            .checkpoint_config(checkpoints)
            .hyper_parameters("num_round", "20")
            .hyper_parameters("subsample", "0.7");
        create.send().await.unwrap();
        let job = aws.ended(name).await;
        assert_eq!(job.training_job_status().unwrap().as_str(), "Completed", "{:?}", job.failure_reason());
        let walk: Vec<&str> =
            job.secondary_status_transitions().iter().map(|step| step.status().unwrap().as_str()).collect();
        assert_eq!(walk.contains(&"Interrupted"), name == "spot", "{walk:?}");
        let stored = aws.backend.core().s3.get("out", &format!("jobs/{name}/output/model.tar.gz")).unwrap();
        models.push(stored);
        assert!(aws.backend.core().s3.get("out", &format!("checkpoints/{name}/xgboost-checkpoint.19")).is_some());
    }
    assert!(models[0] == models[1], "the interruption changed the model");
    let lines = aws.lines("/aws/sagemaker/TrainingJobs").await;
    let count = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    // A checkpoint each two rounds: with the third of them, six rounds were over.
    assert_eq!((count("Resuming from iteration 6"), count("Resuming from iteration ")), (1, 1), "{lines:?}");
    for round in 0..20 {
        assert_eq!(count(&format!("[{round}]")), 2, "round {round}: {lines:?}");
    }
}
