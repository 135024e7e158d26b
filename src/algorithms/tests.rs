//! What is refused, and what is known of each; that each is sent as the Python SDK sends it, the golden files of
//! `tests/it/parity` tell.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use super::*;
use crate::Result;
use crate::codec::recordio::Record;
use crate::codec::{Deserializer, Json, RecordIo, Serializer};
use crate::estimator::{Estimator, PlanContext};
use crate::training::{Channels, RecordSet};
use crate::types::{Compute, ContentType};

fn cpu(count: u32) -> Compute {
    Compute::instances("ml.c5.xlarge", count)
}

fn gpu(count: u32) -> Compute {
    Compute::instances("ml.p3.2xlarge", count)
}

/// The hyperparameters of a plan, as they are sent.
fn sent(estimator: &dyn Estimator, channels: impl Into<Channels>) -> Result<BTreeMap<String, String>> {
    let context = PlanContext::new("us-west-2", SystemTime::UNIX_EPOCH);
    let plan = estimator.plan(&context, &channels.into())?;
    Ok(plan.request().get_hyper_parameters().clone().unwrap_or_default().into_iter().collect())
}

#[track_caller]
fn assert_sent(estimator: &dyn Estimator, channels: impl Into<Channels>, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(sent(estimator, channels).unwrap(), expected);
}

fn records() -> RecordSet {
    RecordSet::prefix("s3://bucket/data/r", 50, 8)
}

fn fields<T: std::fmt::Debug>(result: Result<T>) -> Vec<String> {
    result.unwrap_err().invalid_values().iter().map(|value| value.field.clone()).collect()
}

#[test]
fn batch_sizes_follow_from_the_records() {
    let pca = PcaAt(2).build();
    let set = |rows| RecordSet::manifest("s3://bucket/m", rows, 4);
    for (rows, batch) in [(100, "50"), (1, "1"), (5000, "500")] {
        let expected = [("feature_dim", "4"), ("mini_batch_size", batch), ("num_components", "3")];
        assert_sent(&pca, set(rows), &expected);
    }
    let given = Pca::builder(3).mini_batch_size(7).compute(cpu(2)).build().unwrap();
    assert_eq!(sent(&given, set(100)).unwrap()["mini_batch_size"], "7");
    let linear = LinearLearner::builder(linear_learner::PredictorType::Regressor).compute(cpu(1)).build().unwrap();
    assert_eq!(sent(&linear, set(5000)).unwrap()["mini_batch_size"], "1000");
    let forest = RandomCutForest::builder().compute(cpu(1)).build().unwrap();
    assert_eq!(sent(&forest, set(4)).unwrap()["mini_batch_size"], "1000");
    let other = RandomCutForest::builder().hyperparameter("mini_batch_size", 10).compute(cpu(1)).build();
    assert_eq!(fields(other), ["hyperparameters.mini_batch_size"]);
}

struct PcaAt(u32);

impl PcaAt {
    fn build(&self) -> Pca {
        Pca::builder(3).compute(cpu(self.0)).build().unwrap()
    }
}

#[test]
fn linear_learner() {
    use linear_learner::{PositiveExampleWeight, PredictorType};
    let binary = || LinearLearner::builder(PredictorType::BinaryClassifier).compute(cpu(1));
    for (weight, text) in [
        (PositiveExampleWeight::Times(2.0), "2.0"),
        (PositiveExampleWeight::Balanced, "balanced"),
        (PositiveExampleWeight::Auto, "auto"),
    ] {
        let built = binary().positive_example_weight_mult(weight).build().unwrap();
        assert_eq!(built.hyperparameters()["positive_example_weight_mult"], text);
    }
    let refused = binary().target_recall(1.0).momentum(1.0).accuracy_top_k(3).quantile(0.0).huber_delta(-1.0).build();
    let names = ["target_recall", "momentum", "accuracy_top_k", "quantile", "huber_delta"];
    let expected: BTreeSet<String> = names.iter().map(|name| format!("hyperparameters.{name}")).collect();
    assert_eq!(fields(refused).into_iter().collect::<BTreeSet<_>>(), expected);
    let classes =
        |classes| LinearLearner::builder(PredictorType::MulticlassClassifier).num_classes(classes).compute(cpu(1));
    assert_eq!(fields(classes(2).build()), ["hyperparameters.num_classes"]);
    let none = LinearLearner::builder(PredictorType::MulticlassClassifier).compute(cpu(1)).build();
    assert_eq!(fields(none), ["hyperparameters.num_classes"]);
}

#[test]
fn knn_lda_and_random_cut_forest_refuse() {
    use knn::{Cells, DimensionReduction, PredictorType};
    let reduced = Knn::builder(5, 40, PredictorType::Classifier)
        .dimension_reduction_type(DimensionReduction::Fjlt)
        .faiss_index_ivf_nlists(Cells::Auto)
        .compute(cpu(1))
        .build();
    assert_eq!(fields(reduced), ["hyperparameters.dimension_reduction_type"]);
    let wide = Knn::builder(5, 40, PredictorType::Classifier)
        .dimension_reduction_type(DimensionReduction::Sign)
        .dimension_reduction_target(8)
        .faiss_index_ivf_nlists(Cells::Count(4))
        .compute(cpu(1))
        .build()
        .unwrap();
    assert_eq!(fields(sent(&wide, records())), ["hyperparameters.dimension_reduction_target"]);

    assert_eq!(
        fields(Lda::builder(0, 50).compute(gpu(2)).build()),
        ["hyperparameters.num_topics", "compute", "compute"]
    );

    let refused = RandomCutForest::builder().num_trees(49).num_samples_per_tree(2049).compute(cpu(1)).build();
    assert_eq!(fields(refused), ["hyperparameters.num_samples_per_tree", "hyperparameters.num_trees"]);
}

#[test]
fn ntm_and_ip_insights_refuse() {
    assert_eq!(fields(Ntm::builder(1).encoder_layers([0]).compute(gpu(1)).build()).len(), 2);

    assert_eq!(fields(IpInsights::builder(0, 3).mini_batch_size(500_001).compute(cpu(1)).build()).len(), 3);
}

#[test]
fn object2vec_and_blazing_text() {
    let none = Object2Vec::builder(101, 50, 1000).comparator_list([]).compute(gpu(2)).build();
    assert_eq!(fields(none), ["hyperparameters.comparator_list", "hyperparameters.epochs", "compute"]);

    use blazing_text::Mode;
    let text = BlazingText::builder(Mode::Supervised).epochs(10).early_stopping(true).compute(gpu(1)).build().unwrap();
    let train = [("train", crate::training::TrainingInput::new("s3://bucket/t"))];
    assert_sent(&text, train, &[("early_stopping", "True"), ("epochs", "10"), ("mode", "supervised")]);
    let refused = BlazingText::builder(Mode::Cbow).word_ngrams(2).batch_size(11).compute(cpu(2)).build();
    assert_eq!(fields(refused), ["hyperparameters.word_ngrams", "hyperparameters.batch_size", "compute"]);
    assert!(BlazingText::builder(Mode::BatchSkipgram).batch_size(11).compute(cpu(2)).build().is_ok());
    assert_eq!(fields(BlazingText::builder(Mode::BatchSkipgram).compute(gpu(1)).build()), ["compute"]);
}

#[test]
fn deepar() {
    use deepar::{Cardinality, DynamicFeatures, Likelihood, TimeFrequency};
    let deepar = DeepAr::builder(TimeFrequency::minutes(5), 24, 12, 20)
        .cardinality(Cardinality::Known(vec![3, 2]))
        .num_dynamic_feat(DynamicFeatures::Ignore)
        .likelihood(Likelihood::NegativeBinomial)
        .test_quantiles([0.1, 0.5])
        .compute(cpu(1))
        .build()
        .unwrap();
    let expected = [
        ("cardinality", "[3, 2]"),
        ("context_length", "24"),
        ("epochs", "20"),
        ("likelihood", "negative-binomial"),
        ("num_dynamic_feat", "ignore"),
        ("prediction_length", "12"),
        ("test_quantiles", "[0.1, 0.5]"),
        ("time_freq", "5min"),
    ];
    assert_eq!(
        deepar.hyperparameters().into_iter().collect::<Vec<_>>(),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let hourly = DeepAr::builder(TimeFrequency::hours(1), 24, 12, 20).compute(cpu(1));
    assert_eq!(hourly.build().unwrap().hyperparameters()["time_freq"], "H");
    for bad in ["5 minutes", "0D", "-1H", "h", ""] {
        let refused = DeepAr::builder(TimeFrequency::days(1), 24, 12, 20)
            .hyperparameter("time_freq", bad)
            .compute(cpu(1))
            .build();
        assert_eq!(fields(refused), ["hyperparameters.time_freq"], "{bad}");
    }
}

#[test]
fn pictures_need_gpus() {
    let classification = ImageClassification::builder(10, 1000)
        .image_shape([3, 32, 32])
        .num_layers(20)
        .use_pretrained_model(true)
        .lr_scheduler_step([10, 20])
        .early_stopping(true)
        .learning_rate(0.1);
    let expected = [
        ("early_stopping", "True"),
        ("image_shape", "3,32,32"),
        ("learning_rate", "0.1"),
        ("lr_scheduler_step", "10,20"),
        ("num_classes", "10"),
        ("num_layers", "20"),
        ("num_training_samples", "1000"),
        ("use_pretrained_model", "1"),
    ];
    let built = classification.clone().compute(gpu(1)).build().unwrap();
    assert_eq!(
        built.hyperparameters().into_iter().collect::<Vec<_>>(),
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(fields(classification.clone().compute(cpu(1)).build()), ["compute"]);
    assert_eq!(fields(classification.clone().compute(gpu(2)).build()), ["hyperparameters.kv_store"]);
    assert_eq!(fields(classification.num_layers(19).compute(gpu(1)).build()), ["hyperparameters.num_layers"]);

    let detection =
        ObjectDetection::builder(3, 300).base_network(object_detection::BaseNetwork::ResNet50).image_shape(299);
    assert_eq!(fields(detection.compute(gpu(1)).build()), ["hyperparameters.image_shape"]);
    let segmentation = SemanticSegmentation::builder(255, 300).crop_size(16).compute(gpu(2)).build();
    assert_eq!(fields(segmentation), ["hyperparameters.crop_size", "hyperparameters.num_classes", "compute"]);
}

#[test]
fn seq2seq() {
    let sequences = Seq2Seq::builder()
        .max_seq_len_source(60)
        .bucketing_enabled(false)
        .encoder_type(seq2seq::Network::Cnn)
        .compute(gpu(1))
        .build()
        .unwrap();
    let wire = sequences.hyperparameters();
    assert_eq!(
        (wire["max_seq_len_source"].as_str(), wire["bucketing_enabled"].as_str(), wire["encoder_type"].as_str()),
        ("60", "false", "cnn")
    );
    let refused =
        Seq2Seq::builder().rnn_num_hidden(3).min_num_epochs(2).max_num_epochs(1).momentum(0.5).compute(gpu(1)).build();
    let names = ["rnn_num_hidden", "min_num_epochs", "momentum"].map(|name| format!("hyperparameters.{name}"));
    assert_eq!(fields(refused), names);
}

#[test]
fn channels_and_dimensions_are_checked_before_a_job() {
    let kmeans = KMeans::builder(2).compute(cpu(1)).build().unwrap();
    assert_eq!(fields(sent(&kmeans, records().channel("test"))), ["inputs.train", "hyperparameters.feature_dim"]);
    let both = Channels::from([records(), records().channel("training")]);
    assert_eq!(fields(sent(&kmeans, both)), ["inputs.training"]);
    let twice = Channels::from([records(), records()]);
    assert_eq!(fields(sent(&kmeans, twice)), ["inputs.train"]);
    let other = KMeans::builder(2).feature_dim(9).compute(cpu(1)).build().unwrap();
    assert_eq!(fields(sent(&other, records())), ["hyperparameters.feature_dim"]);
    assert_eq!(fields(KMeans::builder(1).tol(1.5).compute(cpu(0)).build()).len(), 3);
}

/// The pages of the modules name every channel, type and metric.
#[test]
fn module_pages_are_complete() {
    macro_rules! each {
        ($($name:ident in $file:literal),*) => {
            [$((include_str!($file), $name::channels(), $name::default_metrics())),*]
        };
    }
    let all = each![
        LinearLearner in "linear_learner.rs",
        KMeans in "kmeans.rs",
        Pca in "pca.rs",
        Knn in "knn.rs",
        Lda in "lda.rs",
        Ntm in "ntm.rs",
        FactorizationMachines in "factorization_machines.rs",
        RandomCutForest in "random_cut_forest.rs",
        Object2Vec in "object2vec.rs",
        IpInsights in "ip_insights.rs",
        BlazingText in "blazing_text.rs",
        DeepAr in "deepar.rs",
        ImageClassification in "image_classification.rs",
        ObjectDetection in "object_detection.rs",
        SemanticSegmentation in "semantic_segmentation.rs",
        Seq2Seq in "seq2seq.rs"
    ];
    for (file, channels, metrics) in all {
        let page: Vec<&str> = file.lines().take_while(|line| line.starts_with("//!")).collect();
        let title = page[0];
        for channel in channels {
            let types: Vec<String> = channel.content_types.iter().map(|of| format!("`{}`", of.as_str())).collect();
            let needed = if channel.is_required { "yes" } else { "no" };
            let row = format!("//! | `{}` | {needed} | {} |", channel.name, types.join(", "));
            assert!(page.contains(&row.as_str()), "{title} lacks {row}");
        }
        let page = page.join(" ");
        for metric in metrics {
            assert!(page.contains(&format!("`{}`", metric.name)), "{title} lacks {}", metric.name);
        }
        assert!(page.contains("//! ```"), "{title} has no example");
    }
}

#[test]
fn what_is_known_of_each_fits_together() {
    macro_rules! each {
        ($($name:ident),*) => {
            [$((stringify!($name), $name::channels(), $name::default_metrics())),*]
        };
    }
    let all = each![
        LinearLearner,
        KMeans,
        Pca,
        Knn,
        Lda,
        Ntm,
        FactorizationMachines,
        RandomCutForest,
        Object2Vec,
        IpInsights,
        BlazingText,
        DeepAr,
        ImageClassification,
        ObjectDetection,
        SemanticSegmentation,
        Seq2Seq
    ];
    let xgboost = ("XGBoost", XGBoost::channels(), Vec::new());
    for (name, channels, metrics) in all.into_iter().chain([xgboost]) {
        assert!(channels.iter().any(|channel| channel.name == "train" && channel.is_required), "{name}");
        let names: BTreeSet<&str> = metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert_eq!(names.len(), metrics.len(), "{name}");
        assert!(metrics.len() <= 40, "{name}: the service takes 40");
        for metric in metrics {
            let regex = regex_lite::Regex::new(&metric.regex).unwrap();
            assert_eq!(regex.captures_len(), 2, "{name} {}", metric.name);
        }
    }
    let metric = |name: &str| {
        let metrics = LinearLearner::default_metrics();
        regex_lite::Regex::new(&metrics.iter().find(|metric| metric.name == name).unwrap().regex).unwrap()
    };
    let line = "#quality_metric: host=algo-1, epoch=3, train binary_classification_cross_entropy_objective <loss>=0.25";
    assert_eq!(&metric("train:objective_loss").captures(line).unwrap()[1], "0.25");
    assert!(metric("train:objective_loss:final").captures(line).is_none());
}

#[test]
fn a_declared_type_that_an_algorithm_does_not_read_is_refused() {
    use crate::algorithms::factorization_machines::PredictorType;
    use crate::algorithms::xgboost::Objective;
    use crate::training::{FileSystemInput, TrainingInput};

    let typed = |content_type: &str| TrainingInput::new("s3://bucket/data/").content_type(content_type);
    let machines = FactorizationMachines::builder(8, PredictorType::Regressor).feature_dim(4).compute(cpu(1));
    let machines = machines.mini_batch_size(10).build().unwrap();
    let error = sent(&machines, [("train", TrainingInput::csv("s3://bucket/data/"))]).unwrap_err();
    assert!(error.to_string().contains("reads application/x-recordio-protobuf here, not \"text/csv\""), "{error}");
    let refused = [("train", typed("application/x-recordio-protobuf")), ("test", typed("text/csv;label_size=1"))];
    assert_eq!(fields(sent(&machines, refused)), ["inputs.test"]);
    let file_system = FileSystemInput::efs("fs-0123456789abcdef0", "/d").content_type("text/csv");
    assert!(fields(sent(&machines, [("train", file_system)])).contains(&"inputs.train".to_owned()));
    sent(&machines, [("train", TrainingInput::new("s3://bucket/data/"))]).expect("what declares nothing passes");

    let kmeans = KMeans::builder(10).feature_dim(4).compute(cpu(1)).build().unwrap();
    sent(&kmeans, [("train", typed("Text/CSV; label_size=0"))]).expect("parameters and case do not count");
    assert_eq!(fields(sent(&kmeans, [("train", typed("text/libsvm"))])), ["inputs.train"]);

    let xgboost = XGBoost::builder(Objective::RegSquaredError, 10).compute(cpu(1)).build().unwrap();
    for good in ["text/csv;label_size=1", "text/libsvm", "libsvm", "application/x-parquet", "recordio-protobuf"] {
        sent(&xgboost, [("train", typed(good))]).unwrap();
    }
    assert_eq!(fields(sent(&xgboost, [("train", typed("application/json"))])), ["inputs.train"]);
    assert_eq!(XGBoost::instances().processor, Processor::Any);
}

#[test]
fn answers_are_read_from_records_and_from_json() {
    fn both<T>(record: Record, json: &str) -> (T, T)
    where
        T: crate::codec::recordio::FromRecord + serde::de::DeserializeOwned,
    {
        let body = RecordIo::values().serialize(&[record]).unwrap();
        let from_record = RecordIo::of::<T>().deserialize(body, &ContentType::RECORDIO_PROTOBUF).unwrap().remove(0);
        let mut from_json =
            Json::of::<Predictions<T>>().deserialize(json.to_owned().into(), &ContentType::JSON).unwrap();
        (from_record, from_json.predictions.remove(0))
    }
    let cluster =
        Record::default().with_label("closest_cluster", vec![1.0_f32]).with_label("distance_to_cluster", vec![3.5_f32]);
    let (one, other) =
        both::<kmeans::ClosestCluster>(cluster, r#"{"predictions":[{"closest_cluster":1,"distance_to_cluster":3.5}]}"#);
    assert_eq!(one, other);

    let scores = Record::default().with_label("score", vec![0.25, 0.75]).with_label("predicted_label", vec![1.0_f32]);
    let (one, other) = both::<linear_learner::LinearPrediction>(
        scores,
        r#"{"predictions":[{"score":[0.25,0.75],"predicted_label":1}]}"#,
    );
    assert_eq!(one, other);
    let (one, other) = both::<linear_learner::LinearPrediction>(
        Record::default().with_label("score", vec![0.5]),
        r#"{"predictions":[{"score":0.5}]}"#,
    );
    assert_eq!(one, other);

    let (one, other) = both::<pca::Projection>(
        Record::default().with_label("projection", vec![1.0, 2.0]),
        r#"{"projections":[{"projection":[1,2]}]}"#,
    );
    assert_eq!(one, other);
    let (one, other) = both::<random_cut_forest::AnomalyScore>(
        Record::default().with_label("score", vec![0.5]),
        r#"{"scores":[{"score":0.5}]}"#,
    );
    assert_eq!(one, other);
    let (one, other) = both::<knn::Neighbors>(
        Record::default().with_label("predicted_label", vec![2.0]),
        r#"{"predictions":[{"predicted_label":2}]}"#,
    );
    assert_eq!((one.labels.clone(), one), (None, other));
    let (one, other) = both::<lda::TopicMixture>(
        Record::default().with_label("projection", vec![1.0]),
        r#"{"predictions":[{"topic_mixture":[1]}]}"#,
    );
    assert_eq!(one, other);
    let (one, other) = both::<ntm::TopicWeights>(
        Record::default().with_label("topic_weights", vec![1.0]),
        r#"{"predictions":[{"topic_weights":[1]}]}"#,
    );
    assert_eq!(one, other);
    let (one, other) = both::<factorization_machines::FactorizedPrediction>(
        Record::default().with_label("score", vec![0.5]),
        r#"{"predictions":[{"score":0.5}]}"#,
    );
    assert_eq!(one, other);

    let detections = r#"{"prediction":[[1.0,0.9,0.1,0.2,0.3,0.4]]}"#;
    let detections =
        Json::of::<object_detection::Detections>().deserialize(detections.into(), &ContentType::JSON).unwrap();
    assert_eq!((detections.prediction[0].class, detections.prediction[0].bottom), (1.0, 0.4));
    let forecasts = r#"{"predictions":[{"quantiles":{"0.5":[1,2]},"mean":[1,2]}]}"#;
    let forecasts = Json::of::<deepar::Forecasts>().deserialize(forecasts.into(), &ContentType::JSON).unwrap();
    assert_eq!(forecasts.predictions[0].quantiles["0.5"], [1.0, 2.0]);
}
