//! Scenarios `script_*`: scripts in the images of frameworks.

use std::time::Duration;

use sagemaker::estimator::{ContainerEstimator, EstimatorExt};
use sagemaker::frameworks::{
    BaseFramework, Distribution, HuggingFace, ModelDir, Mpi, PyTorch, SKLearn, TensorFlow, XGBoost,
};
use sagemaker::source::SourceCode;
use sagemaker::training::TrainingInput;
use sagemaker::types::{Compute, S3Uri, Spot};
use sagemaker::{Result, Session};

use super::support::{DATA, IMAGE, ROLE, WorkDir, below, scenarios};

scenarios![
    script_huggingface_trainer,
    script_pytorch_distributed,
    script_s3_source_frameworks,
    script_sklearn_basic,
    script_sklearn_source_dir,
    script_tensorflow_mpi,
    script_tensorflow_parameter_server,
    script_xgboost_framework,
];

const KMS_KEY: &str = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555";

fn checkpointed(max_wait: u64, uri: &str) -> Result<Spot> {
    Ok(Spot::max_wait(Duration::from_secs(max_wait)).checkpoint(uri.parse::<S3Uri>()?))
}

pub async fn script_huggingface_trainer(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    folder.write("scripts/run.py", "import transformers\n")?;
    folder.write("scripts/requirements.txt", "datasets\n")?;
    let trainer = HuggingFace::builder("run.py", BaseFramework::pytorch("2.0.0"))
        .source_dir(folder.path("scripts"))
        .framework_version("4.28.1")
        .py_version("py310")
        .role(ROLE)
        .compute(Compute::instances("ml.g5.2xlarge", 1).volume_gb(100))
        .max_run(Duration::from_secs(36_000))
        .spot(checkpointed(40_000, &below("hf-checkpoints"))?)
        .output_path(below("hf"))
        .hyperparameter("model_name_or_path", "distilbert-base-uncased")
        .hyperparameter("epochs", 1)
        .hyperparameter("fp16", true)
        .hyperparameter("learning_rate", 5e-5)
        .hyperparameter("train_batch_size", 32)
        .build()?;
    let inputs =
        [("train", TrainingInput::new(DATA)), ("test", TrainingInput::new("s3://parity-fixtures/data/train.csv"))];
    trainer.fit(session, inputs).job_name("hf-job").await?;
    Ok(())
}

pub async fn script_pytorch_distributed(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let entry = folder.write("train.py", "print('ddp')\n")?;
    let torch =
        || PyTorch::builder(entry.as_path()).role(ROLE).output_path(below("ddp")).hyperparameter("batch-size", 64);
    let torchrun = torch()
        .framework_version("2.0.1")
        .py_version("py310")
        .compute(Compute::instances("ml.p4d.24xlarge", 2))
        .distribution(Distribution::torchrun())
        .build()?;
    torchrun.fit(session, [("train", TrainingInput::new(DATA))]).job_name("torchrun-job").await?;
    let ddp = torch()
        .framework_version("1.13.1")
        .py_version("py39")
        .compute(Compute::instances("ml.p3.16xlarge", 2))
        .distribution(Distribution::pytorch_ddp("-verbose"))
        .build()?;
    ddp.fit(session, [("train", TrainingInput::new(DATA))]).job_name("pytorchddp-job").await?;
    Ok(())
}

pub async fn script_s3_source_frameworks(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let source = || SourceCode::script("train.py").source_dir("s3://parity-fixtures/source/sourcedir.tar.gz");
    let compute = || Compute::instances("ml.m5.xlarge", 1);
    let inputs = || [("train", TrainingInput::new(DATA))];
    let torch = PyTorch::builder(source())
        .framework_version("2.0")
        .py_version("py310")
        .hyperparameter("e", 1)
        .role(ROLE)
        .compute(compute())
        .output_path(below("s3code"))
        .build()?;
    torch.fit(session, inputs()).job_name("s3-torch").await?;
    let xgboost = XGBoost::builder(source())
        .framework_version("1.7-1")
        .role(ROLE)
        .compute(compute())
        .output_path(below("s3code"))
        .max_run(Duration::from_secs(100))
        .spot(checkpointed(200, &below("s3code-ckpt"))?)
        .build()?;
    xgboost.fit(session, inputs()).job_name("s3-xgb").await?;
    let generic = ContainerEstimator::builder(IMAGE)
        .source(source())
        .hyperparameter("e", 1)
        .environment("X", "y")
        .role(ROLE)
        .compute(compute())
        .output_path(below("s3code"))
        .build()?;
    generic.fit(session, inputs()).job_name("s3-gen").await?;
    Ok(())
}

pub async fn script_sklearn_basic(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let data = folder.write("iris.csv", "5.1,3.5,1.4,0.2,0\n6.2,3.4,5.4,2.3,2\n")?;
    let data = session.upload(data, "sklearn-iris/data").await?;
    let forest = SKLearn::builder(folder.write("iris.py", "import sklearn\n")?)
        .framework_version("0.23-1")
        .role(ROLE)
        .compute(Compute::instances("ml.c4.xlarge", 1))
        .hyperparameter("max_leaf_nodes", 30)
        .build()?;
    forest.fit(session, [("train", TrainingInput::new(data))]).await?.wait().await?;
    Ok(())
}

pub async fn script_sklearn_source_dir(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    folder.write("code/fit.py", "import lib\n")?;
    folder.write("code/lib.py", "X = 1\n")?;
    folder.write("tools/t.py", "T = 2\n")?;
    let forest = SKLearn::builder("fit.py")
        .source_dir(folder.path("code"))
        .dependency(folder.path("tools"))
        .code_location("s3://parity-fixtures/codes")
        .framework_version("1.2-1")
        .py_version("py3")
        .role(ROLE)
        .compute(Compute::instances("ml.m5.large", 1))
        .output_path(below("sk-out"))
        .output_kms_key(KMS_KEY)
        .hyperparameter("n", 5)
        .hyperparameter("name", "forest")
        .tags([("a", "b")])
        .build()?;
    forest.fit(session, TrainingInput::new(DATA)).job_name("sk-source-job").await?;
    Ok(())
}

pub async fn script_tensorflow_mpi(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let entry = folder.write("train.py", "import horovod\n")?;
    let tensorflow = || {
        TensorFlow::builder(entry.as_path())
            .py_version("py39")
            .role(ROLE)
            .output_path(below("tf-out"))
            .hyperparameter("steps", 100)
    };
    let horovod = tensorflow()
        .framework_version("2.9.2")
        .compute(Compute::instances("ml.p3.8xlarge", 2))
        .distribution(Distribution::mpi(Mpi::new().processes_per_host(4).custom_mpi_options("--NCCL_DEBUG INFO")))
        .model_dir(ModelDir::At(below("tf-models")))
        .build()?;
    horovod.fit(session, [("training", TrainingInput::new(DATA))]).job_name("tf-mpi-job").await?;
    let mirrored = tensorflow()
        .framework_version("2.11")
        .compute(Compute::instances("ml.m5.xlarge", 2))
        .distribution(Distribution::multi_worker_mirrored())
        .build()?;
    mirrored.fit(session, [("training", TrainingInput::new(DATA))]).job_name("tf-mwms-job").await?;
    Ok(())
}

pub async fn script_tensorflow_parameter_server(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    let tensorflow = TensorFlow::builder(folder.write("train.py", "import tensorflow\n")?)
        .framework_version("2.11.0")
        .py_version("py39")
        .role(ROLE)
        .compute(Compute::instances("ml.c5.xlarge", 2))
        .distribution(Distribution::parameter_server())
        .hyperparameter("epochs", 1)
        .hyperparameter("learning_rate", 0.01)
        .base_job_name("tf-ps")
        .build()?;
    let inputs = [("training", TrainingInput::new(DATA)), ("eval", TrainingInput::new(DATA))];
    tensorflow.fit(session, inputs).await?;
    Ok(())
}

pub async fn script_xgboost_framework(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let folder = WorkDir::new()?;
    folder.write("xgb/abalone.py", "import xgboost\n")?;
    folder.write("xgb/helpers/__init__.py", "")?;
    folder.write("xgb/helpers/io.py", "READ = 1\n")?;
    folder.write("features/f.py", "F = 1\n")?;
    let xgboost = XGBoost::builder("abalone.py")
        .source_dir(folder.path("xgb"))
        .dependency(folder.path("features"))
        .framework_version("1.7-1")
        .role(ROLE)
        .compute(Compute::instances("ml.m5.2xlarge", 2))
        .output_path(below("xgb-out/"))
        .hyperparameter("max_depth", "5")
        .hyperparameter("eta", "0.2")
        .hyperparameter("num_round", 50)
        .hyperparameter("objective", "reg:squarederror")
        .hyperparameter("verbosity", "2")
        .base_job_name("xgb-script")
        .build()?;
    let channel = || TrainingInput::new(DATA).content_type("libsvm");
    xgboost.fit(session, [("train", channel()), ("validation", channel())]).await?;
    Ok(())
}
