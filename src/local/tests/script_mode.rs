//! scikit-learn's image in script mode, by the real `sagemaker-training` where this machine has it.

use aws_sdk_sagemaker::types as sm;
use bytes::Bytes;

use super::support::*;
use crate::local::{LocalBackend, archive};

const IMAGE: &str = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3";

/// What a user of the Python SDK writes.
const SCRIPT: &str = r#"
import argparse, os
import joblib, numpy
from sklearn.linear_model import LinearRegression

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--fit-intercept", type=int)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    args = parser.parse_args()
    data = numpy.genfromtxt(os.path.join(args.train, "data.csv"), delimiter=",")
    model = LinearRegression(fit_intercept=bool(args.fit_intercept)).fit(data[:, 1:], data[:, 0])
    print("r2=%f;" % model.score(data[:, 1:], data[:, 0]))
    joblib.dump(model, os.path.join(args.model_dir, "model.joblib"))

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
"#;

/// Whether the Python that scripts run with has all that this test needs.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn is_installed() -> bool {
    let python = std::env::var("SAGEMAKER_LOCAL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut command = std::process::Command::new(&python);
    let found = command.args(["-c", "import sagemaker_training, sklearn, joblib"]).output();
    let found = found.is_ok_and(|found| found.status.success());
    if !found {
        eprintln!("skipped: {python} lacks sagemaker-training or scikit-learn");
    }
    found
}

async fn hyperparameters(aws: &Aws, name: &str, pairs: &[(&str, &str)]) {
    let algorithm = sm::AlgorithmSpecification::builder()
        .training_image(IMAGE)
        .training_input_mode(sm::TrainingInputMode::File)
        .metric_definitions(sm::MetricDefinition::builder().name("r2").regex("r2=([0-9.]+);").build());
    let mut create = aws.train(name).algorithm_specification(algorithm.build());
    for (name, value) in pairs {
        create = create.hyper_parameters(*name, *value);
    }
    create.send().await.unwrap();
}

fn aws() -> Aws {
    let aws = Aws::of(LocalBackend::new());
    aws.put("data", "train/data.csv", "3,1,1\n5,2,1\n6,1,4\n9,3,3\n");
    let code = [("train.py".to_owned(), Bytes::from(SCRIPT)), ("requirements.txt".to_owned(), Bytes::from("x"))];
    aws.put("out", "code/sourcedir.tar.gz", archive::pack(&code).unwrap());
    aws
}

#[tokio::test]
async fn a_scikit_learn_script_trains_and_serves() {
    if !is_installed() {
        return;
    }
    let aws = aws();
    let script = [
        ("sagemaker_program", "\"train.py\""),
        ("sagemaker_submit_directory", "\"s3://out/code/sourcedir.tar.gz\""),
        ("sagemaker_container_log_level", "20"),
        ("sagemaker_job_name", "\"job\""),
        ("sagemaker_region", "\"us-east-1\""),
        ("fit-intercept", "0"),
    ];
    hyperparameters(&aws, "job", &script).await;
    let job = aws.ended("job").await;
    let lines = aws.lines("/aws/sagemaker/TrainingJobs").await;
    assert_eq!(job.failure_reason(), None, "{lines:#?}");
    assert!(job.final_metric_data_list()[0].value().unwrap() > 0.9, "{lines:#?}");

    let container = sm::ContainerDefinition::builder()
        .image(IMAGE)
        .model_data_url(job.model_artifacts().unwrap().s3_model_artifacts().unwrap())
        .environment("SAGEMAKER_PROGRAM", "train.py")
        .environment("SAGEMAKER_SUBMIT_DIRECTORY", "s3://out/code/sourcedir.tar.gz");
    let create = aws.sagemaker.create_model().model_name("m").execution_role_arn(aws.backend.role_arn());
    create.primary_container(container.build()).send().await.unwrap();
    aws.config("e", &[("AllTraffic", "m", 1.0)]).await;
    aws.create_endpoint("e", "e").await;
    aws.backend.clock().settle().await;
    let endpoint = aws.endpoint("e").await;
    assert_eq!(endpoint.failure_reason(), None, "{:#?}", aws.lines("/aws/sagemaker/Endpoints/e").await);
    let answer = aws.invoke("e", "10,1\n1,10\n").accept("text/csv").send().await.unwrap();
    let text = String::from_utf8_lossy(answer.body().unwrap().as_ref()).into_owned();
    assert_eq!(text.lines().filter(|line| line.parse::<f64>().is_ok()).count(), 2, "{text}");
    let core = std::sync::Arc::downgrade(aws.backend.core());
    drop(aws);
    assert_eq!(core.strong_count(), 0);
}

#[tokio::test]
async fn a_script_that_fails_says_so() {
    if !is_installed() {
        return;
    }
    let aws = aws();
    let code = [("train.py".to_owned(), Bytes::from("raise ValueError('no data')"))];
    aws.put("out", "code/sourcedir.tar.gz", archive::pack(&code).unwrap());
    let script = [("sagemaker_program", "train.py"), ("sagemaker_submit_directory", "s3://out/code/sourcedir.tar.gz")];
    hyperparameters(&aws, "job", &script).await;
    let job = aws.ended("job").await;
    let reason = job.failure_reason().unwrap();
    assert!(
        reason.starts_with("AlgorithmError: ExecuteUserScriptError:") && reason.ends_with(", exit code: 1"),
        "{reason}"
    );
    let lines = aws.lines("/aws/sagemaker/TrainingJobs").await;
    assert!(lines.contains(&"ValueError: no data".to_owned()), "{lines:#?}");
}
