//! A backend with clients and an engine that trains the mean.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sagemaker::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_sdk_sagemaker::types as sm;
use bytes::Bytes;

use crate::local::engines::*;
use crate::local::{LocalBackend, LocalClock};

pub(super) const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mean:1";

#[derive(Clone)]
pub(super) struct Aws {
    pub(super) backend: LocalBackend,
    pub(super) sagemaker: aws_sdk_sagemaker::Client,
    pub(super) runtime: aws_sdk_sagemakerruntime::Client,
    pub(super) logs: aws_sdk_cloudwatchlogs::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) iam: aws_sdk_iam::Client,
}

/// Trains the mean of all numbers and answers it for each line of a request.
///
/// The hyperparameter `mode` makes it misbehave: `fail`, `panic`, `wait` (until it is stopped, then gives its model),
/// `stuck` (until it is stopped, then gives nothing).
pub(super) struct Mean;

struct MeanModel(f64);

/// Serves what it is sent, word by word where it may: the words `fail` and `panic` misbehave.
pub(super) struct Echo;

pub(super) const ECHO: &str = "echo:1";

struct EchoModel;

impl Engine for Echo {
    fn runs(&self, image: &str) -> bool {
        image == ECHO
    }

    fn train(&self, _: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        Err(EngineFailure::algorithm("serves only"))
    }

    fn load(&self, _: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        Ok(Arc::new(EchoModel))
    }
}

impl LoadedModel for EchoModel {
    fn invoke(&self, request: &Invocation) -> Result<Reply, InvocationFailure> {
        Ok(Reply { content_type: request.accept.clone(), body: request.body.clone() })
    }

    fn serve(
        &self,
        request: &Invocation,
        headers: &std::collections::BTreeMap<String, String>,
    ) -> Result<ServedReply, InvocationFailure> {
        if request.body.starts_with(b"refuse") {
            return Err(InvocationFailure { status: 400, message: "refused".into() });
        }
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let words: Vec<String> = text.split_inclusive(' ').map(str::to_owned).collect();
        let parts = words.into_iter().map(|word| match word.trim() {
            "fail" => Err(InvocationFailure { status: 500, message: "half way".into() }),
            "panic" => panic!("half way"),
            "wait" => {
                std::thread::sleep(Duration::from_millis(400));
                Ok(Bytes::from(word))
            }
            _ => Ok(Bytes::from(word)),
        });
        let mut reply = ServedReply::new(request.accept.clone(), parts);
        let session = headers.get("x-amzn-sagemaker-session-id").map(String::as_str);
        if session == Some("NEW_SESSION") {
            let id = "s-1; Expires=2099-01-31T08:05:09Z".to_owned();
            reply.headers.insert("x-amzn-sagemaker-new-session-id".into(), id);
        } else if let Some(session) = session {
            reply.headers.insert("x-amzn-sagemaker-closed-session-id".into(), session.to_owned());
        }
        if headers.contains_key("x-amzn-sagemaker-inference-id") {
            let all = headers.iter().map(|(name, value)| format!("{name}={value};")).collect();
            reply.headers.insert("x-amzn-sagemaker-custom-attributes".into(), all);
        }
        Ok(reply)
    }
}

impl Engine for Mean {
    fn runs(&self, image: &str) -> bool {
        image == IMAGE
    }

    fn train(&self, job: &TrainingTask) -> Result<TrainingOutput, EngineFailure> {
        let mode = job.hyperparameters.get("mode").map_or("", String::as_str);
        if mode == "fail" {
            job.log("about to fail");
            return Err(EngineFailure::Algorithm { message: "no numbers".into(), exit_code: 3 });
        }
        assert!(mode != "panic", "oh dear");
        while matches!(mode, "wait" | "stuck") && !job.is_stopping() {
            std::thread::yield_now();
        }
        if mode == "stuck" {
            return Err(EngineFailure::Stopped);
        }
        for (path, content) in &job.checkpoints {
            job.log(format!("resumed from {path}: {}", String::from_utf8_lossy(content)));
        }
        (job.save_checkpoint)("epoch/1.txt", Bytes::from(format!("by {}", job.job_name)));
        let Some(channel) = job.channel("train") else { return Err(EngineFailure::algorithm("no channel train")) };
        let mut numbers = Vec::new();
        for (path, content) in &channel.files {
            job.log(format!("reading {path}"));
            let text = std::str::from_utf8(content).map_err(|_| EngineFailure::algorithm("not text"))?;
            numbers.extend(text.split([',', '\n']).filter_map(|number| number.trim().parse::<f64>().ok()));
        }
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        job.log("[0]\ttrain-rmse:9\n[1]\ttrain-rmse:2.5");
        job.log(format!("mean={mean}"));
        let data = job.environment.get("WITH_DATA").map(|text| ("report.txt".to_owned(), Bytes::from(text.clone())));
        Ok(TrainingOutput {
            model: vec![("mean.txt".into(), Bytes::from(mean.to_string()))],
            data: data.into_iter().collect(),
        })
    }

    /// Sums up the numbers of each file of the input `numbers`.
    fn process(&self, job: &ProcessingTask) -> Result<(), EngineFailure> {
        let failed = |error: std::io::Error| EngineFailure::algorithm(error.to_string());
        assert_eq!(job.arguments, ["sum"]);
        let config = std::fs::read(job.path("/opt/ml/config/processingjobconfig.json")).map_err(failed)?;
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        assert_eq!(config["ProcessingJobName"], job.job_name.as_str());
        let resources = std::fs::read_to_string(job.path("/opt/ml/config/resourceconfig.json")).map_err(failed)?;
        assert_eq!(resources, r#"{"current_host":"algo-1","hosts":["algo-1"]}"#);
        std::fs::write(job.path("/opt/ml/processing/live/progress.txt"), "begun").map_err(failed)?;
        let mode = job.environment.get("MODE").map_or("", String::as_str);
        assert!(mode != "panic", "oh dear");
        if mode == "fail" {
            return Err(EngineFailure::Algorithm { message: "cannot sum".into(), exit_code: 4 });
        }
        while mode == "wait" && !job.is_stopping() {
            std::thread::yield_now();
        }
        let factor: f64 = job.environment.get("FACTOR").and_then(|factor| factor.parse().ok()).unwrap_or(1.0);
        let entries = std::fs::read_dir(job.path("/opt/ml/processing/input/numbers")).map_err(failed)?;
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let mut total = 0.0;
        std::fs::create_dir_all(job.path("/opt/ml/processing/sums/by")).map_err(failed)?;
        for file in &files {
            let name = file.file_name().unwrap().to_str().unwrap();
            job.log(format!("reading {name}"));
            let text = std::fs::read_to_string(file).map_err(failed)?;
            let sum: f64 = text.split([',', '\n']).filter_map(|number| number.trim().parse::<f64>().ok()).sum();
            total += factor * sum;
            std::fs::write(job.path("/opt/ml/processing/sums/by").join(name), (factor * sum).to_string())
                .map_err(failed)?;
        }
        std::fs::write(job.path("/opt/ml/processing/sums/total.txt"), total.to_string()).map_err(failed)?;
        std::fs::write(job.path("/opt/ml/output/message"), format!("summed {} files\n", files.len())).map_err(failed)
    }

    fn load(&self, model: &ModelFiles) -> Result<Arc<dyn LoadedModel>, EngineFailure> {
        let file = model.file("mean.txt").ok_or_else(|| EngineFailure::algorithm("mean.txt is missing"))?;
        let text = String::from_utf8_lossy(file);
        let scale: f64 = model.environment.get("SCALE").and_then(|scale| scale.parse().ok()).unwrap_or(1.0);
        if text == "slow" {
            std::thread::sleep(Duration::from_millis(300));
        }
        let mean: f64 = text.parse().map_err(|_| EngineFailure::algorithm("mean.txt holds no number"))?;
        Ok(Arc::new(MeanModel(mean * scale)))
    }
}

impl LoadedModel for MeanModel {
    fn invoke(&self, request: &Invocation) -> Result<Reply, InvocationFailure> {
        if request.content_type != "text/csv" {
            let message = format!("unsupported \"{}\"", request.content_type);
            return Err(InvocationFailure { status: 415, message });
        }
        assert!(&*request.body != b"panic", "oh dear");
        if &*request.body == b"slow" {
            std::thread::sleep(Duration::from_millis(300));
        }
        if &*request.body == b"break" {
            return Err(InvocationFailure { status: 500, message: "broken".into() });
        }
        let lines = request.body.split(|&b| b == b'\n').filter(|line| !line.is_empty()).count();
        let answers = vec![self.0.to_string(); lines];
        Ok(Reply { content_type: "text/csv".into(), body: Bytes::from(answers.join("\n")) })
    }
}

impl Aws {
    pub(super) fn new() -> Self {
        Self::with_clock(LocalClock::instant())
    }

    /// A backend with buckets `data` (`train/a.csv`, `train/b.csv`) and `out`.
    pub(super) fn with_clock(clock: LocalClock) -> Self {
        let backend = LocalBackend::builder().clock(clock).engine(Mean).engine(Echo).build();
        let aws = Self::of(backend);
        aws.put("data", "train/a.csv", "1,2\n3\n");
        aws.put("data", "train/b.csv", "6\n");
        aws.backend.core().s3.create_bucket("out");
        aws
    }

    pub(super) fn of(backend: LocalBackend) -> Self {
        let http = backend.http_client();
        let credentials = || Credentials::new("local", "local", None, None, "tests");
        macro_rules! client {
            ($sdk:ident) => {
                $sdk::Client::from_conf(
                    $sdk::Config::builder()
                        .behavior_version(BehaviorVersion::latest())
                        .region(Region::new(backend.region().to_owned()))
                        .credentials_provider(credentials())
                        .http_client(http.clone())
                        .build(),
                )
            };
        }
        Self {
            sagemaker: client!(aws_sdk_sagemaker),
            runtime: client!(aws_sdk_sagemakerruntime),
            logs: client!(aws_sdk_cloudwatchlogs),
            sts: client!(aws_sdk_sts),
            iam: client!(aws_sdk_iam),
            backend,
        }
    }

    pub(super) fn put(&self, bucket: &str, key: &str, body: impl Into<Bytes>) {
        let s3 = &self.backend.core().s3;
        if !s3.bucket_exists(bucket) {
            s3.create_bucket(bucket);
        }
        assert!(s3.put(bucket, key, body.into(), None));
    }

    pub(super) fn get(&self, bucket: &str, key: &str) -> Option<String> {
        let body = self.backend.core().s3.get(bucket, key)?;
        Some(String::from_utf8(body.to_vec()).unwrap())
    }

    pub(super) fn train(
        &self,
        name: &str,
    ) -> aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobFluentBuilder {
        let algorithm = sm::AlgorithmSpecification::builder()
            .training_image(IMAGE)
            .training_input_mode(sm::TrainingInputMode::File)
            .build();
        let resources = sm::ResourceConfig::builder()
            .instance_count(1)
            .instance_type(sm::TrainingInstanceType::MlM5Large)
            .volume_size_in_gb(10)
            .build();
        self.sagemaker
            .create_training_job()
            .training_job_name(name)
            .role_arn(self.backend.role_arn())
            .algorithm_specification(algorithm)
            .input_data_config(channel("train", "s3://data/train", sm::S3DataType::S3Prefix))
            .output_data_config(sm::OutputDataConfig::builder().s3_output_path("s3://out/jobs").build())
            .resource_config(resources)
            .stopping_condition(sm::StoppingCondition::builder().max_runtime_in_seconds(3600).build())
    }

    pub(super) async fn job(
        &self,
        name: &str,
    ) -> aws_sdk_sagemaker::operation::describe_training_job::DescribeTrainingJobOutput {
        self.sagemaker.describe_training_job().training_job_name(name).send().await.unwrap()
    }

    /// Polls, as a client does, until the job has ended.
    pub(super) async fn ended(
        &self,
        name: &str,
    ) -> aws_sdk_sagemaker::operation::describe_training_job::DescribeTrainingJobOutput {
        loop {
            let seen = self.backend.clock().changes();
            let job = self.job(name).await;
            let status = job.training_job_status().unwrap().as_str();
            if !matches!(status, "InProgress" | "Stopping") {
                return job;
            }
            self.backend.clock().pause_since(seen, Duration::from_secs(30)).await;
        }
    }

    /// Writes a model archive whose mean is `mean`, and creates the model.
    pub(super) async fn model(&self, name: &str, mean: &str) {
        let archive = crate::local::archive::pack(&[("mean.txt".to_owned(), Bytes::from(mean.to_owned()))]).unwrap();
        let key = format!("models/{name}.tar.gz");
        self.put("out", &key, archive);
        let container =
            sm::ContainerDefinition::builder().image(IMAGE).model_data_url(format!("s3://out/{key}")).build();
        self.sagemaker
            .create_model()
            .model_name(name)
            .execution_role_arn(self.backend.role_arn())
            .primary_container(container)
            .send()
            .await
            .unwrap();
    }

    /// An endpoint that serves what it is sent.
    pub(super) async fn deploy_echo(&self, name: &str) {
        let container = sm::ContainerDefinition::builder().image(ECHO).build();
        self.sagemaker.create_model().model_name(name).primary_container(container).send().await.unwrap();
        self.config(name, &[("AllTraffic", name, 1.0)]).await;
        self.up(name, name).await;
    }

    /// An endpoint of a configuration, in service.
    pub(super) async fn up(&self, name: &str, config: &str) {
        self.create_endpoint(name, config).await;
        self.backend.clock().settle().await;
        let endpoint = self.endpoint(name).await;
        assert_eq!(endpoint.endpoint_status().unwrap().as_str(), "InService", "{:?}", endpoint.failure_reason());
    }

    /// A configuration of variants: name, model, weight.
    pub(super) async fn config(&self, name: &str, variants: &[(&str, &str, f32)]) {
        let mut create = self.sagemaker.create_endpoint_config().endpoint_config_name(name);
        for (variant, model, weight) in variants {
            create = create.production_variants(
                sm::ProductionVariant::builder()
                    .variant_name(*variant)
                    .model_name(*model)
                    .initial_instance_count(1)
                    .instance_type(sm::ProductionVariantInstanceType::MlM5Large)
                    .initial_variant_weight(*weight)
                    .build(),
            );
        }
        create.send().await.unwrap();
    }

    pub(super) async fn create_endpoint(&self, name: &str, config: &str) {
        self.sagemaker.create_endpoint().endpoint_name(name).endpoint_config_name(config).send().await.unwrap();
    }

    pub(super) async fn endpoint(
        &self,
        name: &str,
    ) -> aws_sdk_sagemaker::operation::describe_endpoint::DescribeEndpointOutput {
        self.sagemaker.describe_endpoint().endpoint_name(name).send().await.unwrap()
    }

    /// A model, a configuration and an endpoint of one name, in service.
    pub(super) async fn deploy(&self, name: &str, mean: &str) {
        self.model(name, mean).await;
        self.config(name, &[("AllTraffic", name, 1.0)]).await;
        self.create_endpoint(name, name).await;
        self.backend.clock().settle().await;
        assert_eq!(self.endpoint(name).await.endpoint_status().unwrap().as_str(), "InService");
    }

    pub(super) fn invoke(
        &self,
        endpoint: &str,
        body: &str,
    ) -> aws_sdk_sagemakerruntime::operation::invoke_endpoint::builders::InvokeEndpointFluentBuilder {
        let body = aws_sdk_sagemakerruntime::primitives::Blob::new(body);
        self.runtime.invoke_endpoint().endpoint_name(endpoint).content_type("text/csv").body(body)
    }

    /// All lines of a log group.
    pub(super) async fn lines(&self, group: &str) -> Vec<String> {
        let found = self.logs.filter_log_events().log_group_name(group).send().await.unwrap();
        found.events().iter().map(|event| event.message().unwrap().to_owned()).collect()
    }
}

pub(super) fn channel(name: &str, uri: &str, data_type: sm::S3DataType) -> sm::Channel {
    let source = sm::S3DataSource::builder().s3_uri(uri).s3_data_type(data_type).build();
    sm::Channel::builder()
        .channel_name(name)
        .data_source(sm::DataSource::builder().s3_data_source(source).build())
        .build()
}

/// Code and message of a refusal.
pub(super) fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata>(result: Result<T, E>) -> (String, String) {
    let error = result.err().unwrap();
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

/// What most refusals look like.
pub(super) fn validation(message: &str) -> (String, String) {
    ("ValidationException".to_owned(), message.to_owned())
}
