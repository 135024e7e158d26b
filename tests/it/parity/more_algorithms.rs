//! Scenario `more_builtins`: record sets of several instances, channels and types, and the rest of the hyperparameters.

use std::time::Duration;

use sagemaker::algorithms::linear_learner::{
    InitMethod, Loss, PositiveExampleWeight, PredictorType, SelectionCriteria,
};
use sagemaker::algorithms::{
    FactorizationMachines, IpInsights, KMeans, Knn, Lda, LinearLearner, Ntm, Object2Vec, Pca, RandomCutForest,
    factorization_machines, kmeans, knn, object2vec, pca,
};
use sagemaker::estimator::{Estimator, EstimatorExt};
use sagemaker::training::{Channels, FileSystemInput, RecordSet};
use sagemaker::types::{Compute, Spot};
use sagemaker::{Result, Session};

use super::support::{DATA, KMS_KEY, ROLE, below, scenarios, vpc};

scenarios![more_builtins];

fn three() -> Compute {
    Compute::instances("ml.c5.xlarge", 3)
}

fn one() -> Compute {
    Compute::instances("ml.m5.large", 1)
}

/// Records that are there already.
fn there(records: u64) -> RecordSet {
    RecordSet::prefix(format!("{DATA}r"), records, 8)
}

async fn start(session: &Session, name: &str, estimator: &impl Estimator, records: impl Into<Channels>) -> Result<()> {
    // Nothing is at some of these places.
    estimator.fit(session, records).job_name(name).skip_input_check().await?;
    Ok(())
}

pub async fn more_builtins(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let rows: Vec<[f32; 2]> = (0..7_u8).map(|i| [f32::from(i), f32::from(i) + 0.5]).collect();
    let labels = [0.0_f32, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0];

    let pca = Pca::builder(2).algorithm_mode(pca::AlgorithmMode::Randomized).subtract_mean(false).extra_components(3);
    let pca = pca.role(ROLE).compute(three()).build()?;
    let records = pca.record_set(session, &rows).await?;
    start(session, "pca-three", &pca, records).await?;

    let linear = LinearLearner::builder(PredictorType::BinaryClassifier)
        .binary_classifier_model_selection_criteria(SelectionCriteria::F1)
        .positive_example_weight_mult(PositiveExampleWeight::Times(2.0))
        .target_recall(0.5)
        .epochs(3)
        .normalize_data(true)
        .role(ROLE)
        .compute(three())
        .build()?;
    let train = linear.record_set(session, &rows).labels(&labels).await?;
    let test = linear.record_set(session, &rows).labels(&labels).channel("test").encrypt().await?;
    let small_batches = linear.clone().edit().mini_batch_size(2).build()?;
    start(session, "linear-three", &small_batches, [train, test]).await?;
    start(session, "linear-shares", &linear, [there(5000), there(10).channel("validation")]).await?;

    let whole = LinearLearner::builder(PredictorType::Regressor)
        .role(ROLE)
        .compute(one().volume_gb(40))
        .data_location(below("place"))
        .output_path(below("o"))
        .output_kms_key(KMS_KEY)
        .max_run(Duration::from_secs(100))
        .spot(Spot::max_wait(Duration::from_secs(200)))
        .tags([("k", "v")])
        .base_job_name("own-base")
        .network_isolation()
        .encrypt_inter_container_traffic()
        .vpc(vpc())
        .environment("X", "y")
        .build()?;
    let records = whole.record_set(session, &[[1_i32, 2], [3, 4]]).labels(&[1_i32, 2]).await?;
    whole.fit(session, records).await?;

    let knn = Knn::builder(2, 3, knn::PredictorType::Classifier)
        .dimension_reduction_type(knn::DimensionReduction::Sign)
        .dimension_reduction_target(1)
        .index_type(knn::IndexType::IvfPq)
        .faiss_index_ivf_nlists(knn::Cells::Auto)
        .faiss_index_pq_m(2)
        .mini_batch_size(100)
        .role(ROLE)
        .compute(one())
        .build()?;
    let doubles: Vec<[f64; 2]> = rows.iter().map(|row| row.map(f64::from)).collect();
    let labels = labels.map(f64::from);
    let records = knn.record_set(session, &doubles).labels(&labels).await?;
    start(session, "knn-doubles", &knn, records).await?;

    let on_files = KMeans::builder(3).mini_batch_size(10).vpc(vpc()).role(ROLE).compute(three()).build()?;
    let files = RecordSet::of(FileSystemInput::efs("fs-0123456789abcdef0", "/set"), 100, 4);
    start(session, "kmeans-efs", &on_files, files).await?;

    let lda = Lda::builder(3, 100).alpha0(0.5).max_restarts(2).max_iterations(50).tol(1e-6).role(ROLE);
    let lda = lda.compute(Compute::instances("ml.c4.xlarge", 1)).build()?;
    start(session, "lda-all", &lda, there(5000)).await?;
    let ntm = Ntm::builder(5).rescale_gradient(0.5).clip_gradient(1.0).role(ROLE).compute(one()).build()?;
    start(session, "ntm-few", &ntm, there(5000)).await?;
    let machines = FactorizationMachines::builder(4, factorization_machines::PredictorType::Regressor)
        .bias_wd(0.1)
        .linear_wd(0.2)
        .factors_wd(0.3)
        .bias_init_sigma(0.1)
        .bias_init_value(0.5)
        .linear_init_method(factorization_machines::InitMethod::Constant)
        .linear_init_scale(1.0)
        .linear_init_sigma(2.0)
        .linear_init_value(0.25)
        .factors_init_sigma(0.5)
        .factors_init_value(1.0)
        .role(ROLE)
        .compute(one())
        .build()?;
    start(session, "fm-rest", &machines, there(5000)).await?;
    let forest = RandomCutForest::builder().role(ROLE).compute(one()).build()?;
    start(session, "rcf-plain", &forest, there(5000)).await?;
    let insights = IpInsights::builder(1000, 16).role(ROLE).compute(one()).build()?;
    start(session, "ip-plain", &insights, there(5000)).await?;
    let object2vec = Object2Vec::builder(2, 10, 100)
        .bucket_width(1)
        .early_stopping_tolerance(0.01)
        .weight_decay(1.0)
        .negative_sampling_rate(2)
        .token_embedding_storage_type(object2vec::EmbeddingStorage::Dense)
        .enc1_max_seq_len(20)
        .enc1_vocab_size(200)
        .enc0_layers(2)
        .enc1_layers(1)
        .enc0_cnn_filter_width(3)
        .enc1_cnn_filter_width(3)
        .enc1_token_embedding_dim(30)
        .enc0_freeze_pretrained_embedding(false)
        .enc1_freeze_pretrained_embedding(true)
        .role(ROLE)
        .compute(one())
        .build()?;
    start(session, "o2v-rest", &object2vec, there(5000)).await?;
    let rest = LinearLearner::builder(PredictorType::Regressor)
        .loss(Loss::Huber)
        .huber_delta(0.5)
        .quantile(0.5)
        .margin(1.0)
        .loss_insensitivity(0.02)
        .num_models(4)
        .num_calibration_samples(100)
        .init_method(InitMethod::Normal)
        .init_scale(0.1)
        .init_sigma(0.2)
        .init_bias(0.3)
        .learning_rate(0.1)
        .beta_1(0.8)
        .beta_2(0.9)
        .bias_lr_mult(2.0)
        .bias_wd_mult(0.5)
        .use_lr_scheduler(true)
        .lr_scheduler_minimum_lr(1e-5)
        .normalize_label(true)
        .unbias_data(true)
        .unbias_label(false)
        .num_point_for_scaler(50)
        .early_stopping_patience(2)
        .early_stopping_tolerance(0.01)
        .target_precision(0.8)
        .f_beta(2.0)
        .role(ROLE)
        .compute(one())
        .build()?;
    start(session, "linear-rest", &rest, there(5000)).await?;
    let tested = KMeans::builder(2).eval_metrics([kmeans::EvalMetric::Ssd]).role(ROLE).compute(one()).build()?;
    start(session, "kmeans-test", &tested, [there(5000), there(3).channel("test")]).await
}
