//! Scenarios `algo_*`: built-in algorithms and record sets.

use sagemaker::algorithms::linear_learner::{Loss, Optimizer, PredictorType};
use sagemaker::algorithms::{
    FactorizationMachines, IpInsights, KMeans, Knn, Lda, LinearLearner, Ntm, Object2Vec, Pca, RandomCutForest,
    factorization_machines, kmeans, knn, ntm, object2vec, random_cut_forest,
};
use sagemaker::codec::{Csv, Raw, RecordIo};
use sagemaker::estimator::{ContainerEstimator, Estimator, EstimatorExt};
use sagemaker::training::{DataDistribution, RecordSet, TrainingInput};
use sagemaker::types::{Compute, ContentType};
use sagemaker::{Result, Session, images};

use super::support::{DATA, ROLE, below, scenarios};

scenarios![
    algo_factorization_machines,
    algo_generic_images,
    algo_ipinsights,
    algo_kmeans,
    algo_ntm,
    algo_object2vec,
    algo_options_clustering,
    algo_random_cut_forest,
];

fn one(instance_type: &str) -> Compute {
    Compute::instances(instance_type, 1)
}

/// Starts a job on records that are there already, and does not wait for it.
async fn start(session: &Session, estimator: &impl Estimator, name: &str, records: &RecordSet) -> Result<()> {
    // Nothing is at these places.
    estimator.fit(session, records.clone()).job_name(name).skip_input_check().await?;
    Ok(())
}

pub async fn algo_factorization_machines(session: &Session) -> Result<()> {
    use factorization_machines::{InitMethod, PredictorType};
    session.ensure_bucket().await?;
    let machines = FactorizationMachines::builder(10, PredictorType::BinaryClassifier)
        .epochs(3)
        .clip_gradient(1.5)
        .eps(1e-6)
        .rescale_grad(0.5)
        .bias_lr(0.1)
        .linear_lr(0.01)
        .factors_lr(0.001)
        .bias_init_method(InitMethod::Normal)
        .factors_init_method(InitMethod::Uniform)
        .factors_init_scale(0.1)
        .mini_batch_size(2)
        .role(ROLE)
        .compute(Compute::instances("ml.c4.xlarge", 2))
        .output_path(below("fm"))
        .data_location(below("fm-data/"))
        .build()?;
    let rows = [[1.0_f32, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]];
    let labels = [1.0_f32, 0.0, 0.0, 1.0];
    let records = machines.record_set(session, &rows).labels(&labels);
    let records = records.distribution(DataDistribution::FullyReplicated).await?;
    machines.fit(session, records).job_name("fm-job").await?;
    Ok(())
}

pub async fn algo_generic_images(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    type Image<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let algorithms: [Image<'_>; 5] = [
        ("blazingtext", &[("mode", "supervised"), ("epochs", "10")], "text/plain"),
        ("forecasting-deepar", &[("time_freq", "H"), ("context_length", "24"), ("prediction_length", "24")], "json"),
        ("object-detection", &[("num_classes", "3"), ("base_network", "resnet-50")], "application/x-image"),
        ("semantic-segmentation", &[("backbone", "resnet-50"), ("algorithm", "fcn")], "image/png"),
        ("seq2seq", &[("max_seq_len_source", "60")], "application/x-recordio-protobuf"),
    ];
    for (name, hyperparameters, content_type) in algorithms {
        let image = images::image_uri(name).region(session.region())?;
        let mut estimator = ContainerEstimator::builder(image.as_str())
            .role(ROLE)
            .compute(one("ml.p3.2xlarge"))
            .output_path(below("generic-algos"));
        for (name, value) in hyperparameters {
            estimator = estimator.hyperparameter(*name, *value);
        }
        let train = TrainingInput::new(DATA).content_type(content_type);
        estimator.build()?.fit(session, [("train", train)]).await?;
    }
    Ok(())
}

pub async fn algo_ipinsights(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let insights = IpInsights::builder(20_000, 128)
        .batch_metrics_publish_interval(500)
        .epochs(5)
        .learning_rate(0.01)
        .num_ip_encoder_layers(1)
        .random_negative_sampling_rate(1)
        .shuffled_negative_sampling_rate(1)
        .weight_decay(0.0)
        .mini_batch_size(10_000)
        .role(ROLE)
        .compute(one("ml.p3.2xlarge"))
        .output_path(below("ip"))
        .build()?;
    let records = RecordSet::prefix(format!("{DATA}ip.csv"), 4, 1);
    let job = insights.fit(session, records).job_name("ip-job").skip_input_check().await?;
    let model = insights.model(session, &job.wait().await?).await?;
    let endpoint = model.deploy(one("ml.m5.large")).endpoint_name("ip-endpoint").await?;
    let predictor = endpoint.predictor(Csv::rows(), Raw::bytes().accept_as(ContentType::JSON));
    predictor.predict(&[["user_1", "10.0.0.1"], ["user_2", "192.168.0.9"]]).await?;
    Ok(())
}

pub async fn algo_kmeans(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let kmeans = KMeans::builder(2)
        .role(ROLE)
        .compute(Compute::instances("ml.c5.xlarge", 2))
        .output_path(below("kmeans/output"))
        .data_location(below("kmeans/data"))
        .build()?;
    let rows = [[0.0_f32, 0.0], [0.0, 1.0], [10.0, 10.0], [10.0, 11.0]];
    let records = kmeans.record_set(session, &rows).await?;
    let job = kmeans.fit(session, records).job_name("kmeans-job").await?;
    let model = kmeans.model(session, &job.wait().await?).await?;
    let endpoint = model.deploy(one("ml.m5.large")).endpoint_name("kmeans-endpoint").await?;
    let answer = Raw::bytes().accept_as(ContentType::RECORDIO_PROTOBUF);
    endpoint.predictor(RecordIo::rows(), answer).predict(&[[0.0_f32, 0.5], [10.0, 10.5]]).await?;
    endpoint.delete().await?;
    Ok(())
}

pub async fn algo_ntm(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let ntm = Ntm::builder(4)
        .encoder_layers([16, 8])
        .epochs(10)
        .encoder_layers_activation(ntm::Activation::Relu)
        .optimizer(ntm::Optimizer::AdaDelta)
        .tolerance(0.001)
        .num_patience_epochs(3)
        .batch_norm(true)
        .learning_rate(0.01)
        .weight_decay(0.0)
        .mini_batch_size(20)
        .role(ROLE)
        .compute(one("ml.p3.2xlarge"))
        .output_path(below("ntm"))
        .build()?;
    start(session, &ntm, "ntm-job", &RecordSet::prefix(format!("{DATA}ntm"), 100, 12)).await
}

pub async fn algo_object2vec(session: &Session) -> Result<()> {
    use object2vec::{Comparator, MlpActivation, Network, Optimizer, OutputLayer, SecondNetwork};
    session.ensure_bucket().await?;
    let object2vec = Object2Vec::builder(5, 50, 1000)
        .enc_dim(128)
        // The Python SDK's `fit` puts its own default, 32, in place of the 16 that its constructor was given.
        .mini_batch_size(32)
        .early_stopping_patience(2)
        .dropout(0.2)
        .num_classes(2)
        .mlp_layers(1)
        .mlp_dim(64)
        .mlp_activation(MlpActivation::Relu)
        .output_layer(OutputLayer::Softmax)
        .optimizer(Optimizer::Adam)
        .learning_rate(0.0004)
        .comparator_list([Comparator::Hadamard, Comparator::Concat])
        .tied_token_embedding_weight(true)
        .enc0_network(Network::BiLstm)
        .enc1_network(SecondNetwork::Enc0)
        .enc0_token_embedding_dim(32)
        .role(ROLE)
        .compute(one("ml.p3.2xlarge"))
        .output_path(below("o2v"))
        .build()?;
    start(session, &object2vec, "o2v-job", &RecordSet::prefix(format!("{DATA}pairs.jsonl"), 10, 1)).await
}

pub async fn algo_options_clustering(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let records = RecordSet::prefix(format!("{DATA}r"), 50, 8);
    let compute = one("ml.c5.xlarge");

    let kmeans = KMeans::builder(10)
        .init_method(kmeans::InitMethod::KMeansPlusPlus)
        .max_iterations(100)
        .tol(0.001)
        .num_trials(2)
        .local_init_method(kmeans::InitMethod::Random)
        .half_life_time_size(5)
        .epochs(2)
        .center_factor(3)
        .eval_metrics([kmeans::EvalMetric::Msd, kmeans::EvalMetric::Ssd]);
    let kmeans = kmeans.role(ROLE).compute(compute.clone()).output_path(below("algo-a")).build()?;
    start(session, &kmeans, "a-kmeans", &records).await?;

    let pca = Pca::builder(3).role(ROLE).compute(compute.clone()).output_path(below("algo-a")).build()?;
    start(session, &pca, "a-pca", &records).await?;

    let linear = LinearLearner::builder(PredictorType::MulticlassClassifier)
        .num_classes(4)
        .use_bias(false)
        .optimizer(Optimizer::Sgd)
        .loss(Loss::Softmax)
        .wd(0.001)
        .l1(0.0)
        .momentum(0.9)
        .lr_scheduler_step(10)
        .lr_scheduler_factor(0.5)
        .balance_multiclass_weights(true)
        .accuracy_top_k(2);
    let linear = linear.role(ROLE).compute(compute.clone()).output_path(below("algo-a")).build()?;
    start(session, &linear, "a-linear", &records).await?;

    let knn = Knn::builder(5, 40, knn::PredictorType::Regressor)
        .index_type(knn::IndexType::Flat)
        .index_metric(knn::IndexMetric::Cosine);
    let knn = knn.role(ROLE).compute(compute.clone()).output_path(below("algo-a")).build()?;
    start(session, &knn, "a-knn", &records).await?;

    let lda = Lda::builder(5, 50).role(ROLE).compute(compute).output_path(below("algo-a")).build()?;
    start(session, &lda, "a-lda", &records).await
}

pub async fn algo_random_cut_forest(session: &Session) -> Result<()> {
    use random_cut_forest::EvalMetric;
    session.ensure_bucket().await?;
    let forest = RandomCutForest::builder()
        .num_samples_per_tree(4)
        .num_trees(50)
        .eval_metrics([EvalMetric::Accuracy, EvalMetric::PrecisionRecallFscore])
        .role(ROLE)
        .compute(one("ml.m4.xlarge"))
        .output_path(below("rcf"))
        .data_location(below("rcf-data/"))
        .build()?;
    let rows = [[1.0_f32], [2.0], [1.5], [50.0]];
    let job = forest.fit(session, forest.record_set(session, &rows).await?).job_name("rcf-job").await?;
    let model = forest.model(session, &job.wait().await?).await?;
    let endpoint = model.deploy(one("ml.m4.xlarge")).endpoint_name("rcf-endpoint").await?;
    let predictor = endpoint.predictor(Csv::rows(), Raw::bytes().accept_as(ContentType::JSON));
    predictor.predict(&[[1.0_f32], [40.0]]).await?;
    Ok(())
}
