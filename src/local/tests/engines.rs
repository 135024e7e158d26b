//! Every bundled engine in every input mode and content type: it trains, and the metrics that the service defines for its
//! image are found in its log.

use aws_sdk_sagemaker::types as sm;
use bytes::Bytes;

use super::support::Aws;
use crate::codec::recordio::RecordWriter;

const CSV: &str = "text/csv";
const RECORDS: &str = "application/x-recordio-protobuf";
const ROWS: usize = 60;

/// What a row's label is.
#[derive(Clone, Copy, PartialEq)]
enum Label {
    /// There is none in the channel `train`.
    None,
    Number,
    Class(usize),
}

struct Case {
    image: &'static str,
    label: Label,
    content_types: &'static [&'static str],
    /// Besides `train`.
    channels: &'static [&'static str],
    hyperparameters: &'static [(&'static str, &'static str)],
    /// What `FinalMetricDataList` must name.
    metrics: &'static [&'static str],
}

const LINEAR: &str = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1";

const CASES: &[Case] = &[
    Case {
        image: LINEAR,
        label: Label::Number,
        content_types: &[CSV, RECORDS],
        channels: &["validation", "test"],
        hyperparameters: &[
            ("predictor_type", "regressor"),
            ("mini_batch_size", "10"),
            ("epochs", "2"),
            ("num_models", "2"),
        ],
        metrics: &[
            "train:progress",
            "train:throughput",
            "train:objective_loss",
            "train:objective_loss:final",
            "train:mse",
            "train:absolute_loss",
            "validation:objective_loss",
            "validation:objective_loss:final",
            "validation:mse",
            "validation:absolute_loss",
            "test:objective_loss",
            "test:mse",
            "test:absolute_loss",
        ],
    },
    Case {
        image: LINEAR,
        label: Label::Class(2),
        content_types: &[CSV, RECORDS],
        channels: &["validation", "test"],
        hyperparameters: &[
            ("predictor_type", "binary_classifier"),
            ("mini_batch_size", "10"),
            ("epochs", "2"),
            ("num_models", "2"),
        ],
        metrics: &[
            "train:binary_classification_accuracy",
            "validation:binary_classification_accuracy",
            "validation:binary_f_beta",
            "validation:precision",
            "validation:recall",
            "test:binary_classification_accuracy",
            "test:binary_f_beta",
            "test:objective_loss",
        ],
    },
    Case {
        image: LINEAR,
        label: Label::Class(3),
        content_types: &[CSV, RECORDS],
        channels: &["validation", "test"],
        hyperparameters: &[
            ("predictor_type", "multiclass_classifier"),
            ("num_classes", "3"),
            ("mini_batch_size", "10"),
            ("epochs", "2"),
            ("num_models", "2"),
        ],
        metrics: &[
            "validation:multiclass_accuracy",
            "validation:multiclass_top_k_accuracy",
            "validation:dcg",
            "validation:macro_f_beta",
            "validation:macro_precision",
            "validation:macro_recall",
            "test:multiclass_accuracy",
        ],
    },
    Case {
        image: "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1",
        label: Label::None,
        content_types: &[CSV, RECORDS],
        channels: &["test"],
        hyperparameters: &[("k", "3"), ("feature_dim", "3"), ("eval_metrics", r#"["msd","ssd"]"#)],
        metrics: &["train:progress", "train:throughput", "train:msd", "test:msd", "test:ssd"],
    },
    Case {
        image: "382416733822.dkr.ecr.us-east-1.amazonaws.com/pca:1",
        label: Label::None,
        content_types: &[CSV, RECORDS],
        channels: &[],
        hyperparameters: &[("num_components", "2"), ("feature_dim", "3"), ("mini_batch_size", "10")],
        metrics: &["train:progress", "train:throughput"],
    },
    Case {
        image: "382416733822.dkr.ecr.us-east-1.amazonaws.com/knn:1",
        label: Label::Class(2),
        content_types: &[CSV, RECORDS],
        channels: &["test"],
        hyperparameters: &[("k", "3"), ("feature_dim", "3"), ("predictor_type", "classifier"), ("sample_size", "60")],
        metrics: &["train:progress", "train:throughput", "test:accuracy"],
    },
    Case {
        image: "382416733822.dkr.ecr.us-east-1.amazonaws.com/knn:1",
        label: Label::Number,
        content_types: &[CSV, RECORDS],
        channels: &["test"],
        hyperparameters: &[("k", "3"), ("feature_dim", "3"), ("predictor_type", "regressor"), ("sample_size", "60")],
        metrics: &["test:mse"],
    },
    Case {
        image: "382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1",
        label: Label::None,
        content_types: &[CSV, RECORDS],
        channels: &["test"],
        hyperparameters: &[
            ("feature_dim", "3"),
            ("num_trees", "50"),
            ("num_samples_per_tree", "20"),
            ("eval_metrics", r#"["accuracy","precision_recall_fscore"]"#),
        ],
        metrics: &["train:progress", "train:throughput", "test:accuracy", "test:f1", "test:precision", "test:recall"],
    },
    Case {
        image: "382416733822.dkr.ecr.us-east-1.amazonaws.com/factorization-machines:1",
        label: Label::Number,
        content_types: &[RECORDS],
        channels: &["test"],
        hyperparameters: &[
            ("feature_dim", "3"),
            ("num_factors", "2"),
            ("predictor_type", "regressor"),
            ("mini_batch_size", "10"),
        ],
        metrics: &[
            "train:progress",
            "train:throughput",
            "train:rmse",
            "train:rmse:epoch",
            "train:mse",
            "train:absolute_loss",
            "test:rmse",
            "test:mse",
            "test:absolute_loss",
        ],
    },
    Case {
        image: "382416733822.dkr.ecr.us-east-1.amazonaws.com/factorization-machines:1",
        label: Label::Class(2),
        content_types: &[RECORDS],
        channels: &["test"],
        hyperparameters: &[
            ("feature_dim", "3"),
            ("num_factors", "2"),
            ("predictor_type", "binary_classifier"),
            ("mini_batch_size", "10"),
        ],
        metrics: &[
            "train:binary_classification_accuracy",
            "train:binary_classification_cross_entropy",
            "train:binary_f_beta",
            "test:binary_classification_accuracy",
            "test:binary_classification_cross_entropy",
            "test:binary_f_beta",
        ],
    },
    Case {
        image: "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        label: Label::Class(2),
        content_types: &[CSV, RECORDS],
        channels: &["validation"],
        hyperparameters: &[
            ("num_round", "3"),
            ("objective", "binary:logistic"),
            ("eval_metric", "auc,aucpr,error,logloss,map,ndcg,rmse,accuracy,f1,precision,recall,balanced_accuracy"),
        ],
        metrics: &[
            "train:auc",
            "train:logloss",
            "validation:auc",
            "validation:aucpr",
            "validation:error",
            "validation:logloss",
            "validation:map",
            "validation:ndcg",
            "validation:rmse",
            "validation:accuracy",
            "validation:f1",
            "validation:precision",
            "validation:recall",
            "validation:balanced_accuracy",
        ],
    },
    Case {
        image: "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
        label: Label::Number,
        content_types: &[CSV, RECORDS],
        channels: &["validation"],
        hyperparameters: &[
            ("num_round", "3"),
            ("objective", "reg:squarederror"),
            ("eval_metric", "rmse,rmsle,mae,mse,r2"),
        ],
        metrics: &[
            "train:rmse",
            "validation:rmse",
            "validation:rmsle",
            "validation:mae",
            "validation:mse",
            "validation:r2",
        ],
    },
];

fn row(number: usize) -> [f32; 3] {
    [number as f32 / 10.0, (number * 7 % 11) as f32, (number * 5 % 3) as f32]
}

/// A test set of Random Cut Forest has labels though the training set has none.
fn label(label: Label, number: usize) -> f32 {
    match label {
        Label::None => f32::from(u8::from(number.is_multiple_of(10))),
        Label::Number => 2.0 * number as f32 / 10.0 + 1.0,
        Label::Class(count) => (number * count / ROWS) as f32,
    }
}

fn body(case: &Case, content_type: &str, labelled: bool) -> Bytes {
    let numbers: Vec<usize> = (0..ROWS).collect();
    let labels: Vec<f32> = numbers.iter().map(|number| label(case.label, *number)).collect();
    let rows: Vec<[f32; 3]> = numbers.iter().map(|number| row(*number)).collect();
    if content_type == CSV {
        let line = |(row, label): (&[f32; 3], &f32)| {
            let label = labelled.then_some(*label);
            let fields: Vec<String> = label.iter().chain(row).map(ToString::to_string).collect();
            fields.join(",") + "\n"
        };
        return Bytes::from(rows.iter().zip(&labels).map(line).collect::<String>());
    }
    let mut writer = RecordWriter::new();
    if labelled {
        writer.labelled_rows(&rows, &labels).unwrap();
    } else {
        writer.rows(&rows).unwrap();
    }
    writer.finish()
}

#[tokio::test]
async fn the_metrics_of_each_algorithm_are_found_in_its_log() {
    let aws = Aws::new();
    for (number, case) in CASES.iter().enumerate() {
        for (content_type, mode) in case
            .content_types
            .iter()
            .flat_map(|kind| [(*kind, sm::TrainingInputMode::File), (*kind, sm::TrainingInputMode::Pipe)])
        {
            let kind = if content_type == CSV { "csv" } else { "records" };
            let name = format!("job-{number}-{kind}-{mode}");
            let what = format!("{} {:?} {kind} {mode}", case.image, case.hyperparameters);
            let mut channels = Vec::new();
            for channel in ["train"].iter().chain(case.channels) {
                let forest = case.image.contains("randomcutforest");
                let labelled = case.label != Label::None || (forest && *channel == "test");
                aws.put("data", &format!("{name}/{channel}/rows"), body(case, content_type, labelled));
                let uri = format!("s3://data/{name}/{channel}/");
                let mut described = super::support::channel(channel, &uri, sm::S3DataType::S3Prefix);
                let plain = content_type == RECORDS || case.image.contains("xgboost");
                let content_type =
                    if plain { content_type.to_owned() } else { format!("{CSV};label_size={}", u8::from(labelled)) };
                described.content_type = Some(content_type);
                channels.push(described);
            }
            let algorithm = sm::AlgorithmSpecification::builder()
                .training_image(case.image)
                .training_input_mode(mode.clone())
                .build();
            let mut create = aws.train(&name).algorithm_specification(algorithm).set_input_data_config(Some(channels));
            for (name, value) in case.hyperparameters {
                create = create.hyper_parameters(*name, *value);
            }
            create.send().await.unwrap();
            let job = aws.ended(&name).await;
            assert_eq!(job.training_job_status().unwrap().as_str(), "Completed", "{what}: {:?}", job.failure_reason());
            let found: Vec<&str> = job.final_metric_data_list().iter().filter_map(|one| one.metric_name()).collect();
            for metric in case.metrics {
                assert!(found.contains(metric), "{what}: no {metric} in {found:?}");
            }
        }
    }
}
