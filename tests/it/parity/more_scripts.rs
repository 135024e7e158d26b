//! Scenarios `more_*` of scripts: distributions, places, and what is hosted of them. Captured from the Python SDK as the
//! others were; each golden file names the jobs.

use sagemaker::estimator::{Checkpoints, ContainerEstimator, Estimator, EstimatorExt};
use sagemaker::frameworks::{
    BaseFramework, Chainer, Distribution, FrameworkModel, HuggingFace, MXNet, ModelDir, Mpi, PyTorch, PyTorchBuilder,
    SKLearn, TensorFlow, TensorFlowBuilder, XGBoost,
};
use sagemaker::job::Completed;
use sagemaker::source::SourceCode;
use sagemaker::training::debugger::Profiler;
use sagemaker::training::{HyperparameterValue, Training, TrainingInput};
use sagemaker::types::{Compute, InstanceGroup, InstanceGroups};
use sagemaker::{Result, Session};
use serde_json::json;

use super::support::{DATA, IMAGE, KMS_KEY, ROLE, WorkDir, below, scenarios, vpc};

scenarios![more_distributions, more_scripts, more_hosting];

fn on(instance_type: &str) -> Compute {
    Compute::instances(instance_type, 2)
}

fn one() -> Compute {
    Compute::instances("ml.m5.large", 1)
}

async fn start(session: &Session, name: &str, estimator: &impl Estimator) -> Result<()> {
    estimator.fit(session, [("train", TrainingInput::new(DATA))]).job_name(name).await?;
    Ok(())
}

pub async fn more_distributions(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let source = || SourceCode::script("train.py").source_dir("s3://parity-fixtures/source/sourcedir.tar.gz");
    let out = || below("dist");
    let torch = |version: &str, python: &str| {
        PyTorch::builder(source()).framework_version(version).py_version(python).role(ROLE).output_path(out())
    };
    let usual = || torch("2.0.1", "py310");
    let data = || Distribution::smdistributed_data_parallel("--verbose");
    let mpi = |processes: u32| Distribution::mpi(Mpi::new().processes_per_host(processes));
    let parameters = [("partitions".to_owned(), json!(2)), ("ddp".to_owned(), json!(true))];
    let model = Distribution::smdistributed_model_parallel(parameters).with_mpi(Mpi::new().processes_per_host(8));
    let sharded = Distribution::smdistributed_model_parallel([("hybrid_shard_degree".to_owned(), json!(4))]);
    let group = |name: &str, kind: &str, count: u32| InstanceGroup::new(name, kind, count);
    let compute_group = || group("compute", "ml.p3.16xlarge", 2);
    let groups = || InstanceGroups::new([group("data", "ml.c5.4xlarge", 1), compute_group()]);
    let in_group = |distribution: Distribution| distribution.instance_group("compute");
    let torches: [(&str, PyTorchBuilder); 11] = [
        ("torch-data", usual().compute(on("ml.p4d.24xlarge")).distribution(data())),
        ("torch-model", torch("1.13.1", "py39").compute(on("ml.p4d.24xlarge")).distribution(model)),
        ("torch-smp", torch("2.3.1", "py311").compute(on("ml.p4d.24xlarge")).distribution(sharded.with_torchrun())),
        ("torch-mpi", usual().compute(on("ml.p4d.24xlarge")).distribution(mpi(2))),
        ("torch-servers", usual().compute(on("ml.c5.xlarge")).distribution(Distribution::parameter_server())),
        (
            "torch-trainium",
            torch("1.13.1", "py38").compute(on("ml.trn1.2xlarge")).distribution(Distribution::torchrun()),
        ),
        ("torch-groups-run", usual().compute(groups()).distribution(in_group(Distribution::torchrun()))),
        ("torch-groups-mpi", usual().compute(groups()).distribution(in_group(mpi(8)))),
        ("torch-groups-data", usual().compute(groups()).distribution(in_group(data()))),
        (
            "torch-group-mpi",
            usual().compute(InstanceGroups::new([compute_group()])).distribution(Distribution::mpi(Mpi::new())),
        ),
        (
            "torch-xla",
            torch("1.13.1", "py39")
                .compute(on("ml.p3.16xlarge"))
                .training_compiler()
                .distribution(Distribution::pytorch_xla()),
        ),
    ];
    for (name, torch) in torches {
        start(session, name, &torch.build()?).await?;
    }
    let face = |version: &str, base: BaseFramework, python: &str| {
        HuggingFace::builder(source(), base)
            .framework_version(version)
            .py_version(python)
            .role(ROLE)
            .output_path(out())
            .compute(on("ml.p3.16xlarge"))
    };
    let usual = || face("4.26.0", BaseFramework::pytorch("1.13.1"), "py39");
    let compiled = face("4.21.1", BaseFramework::pytorch("1.11.0"), "py38").training_compiler_debug();
    for (name, face) in [
        ("face-data", usual().distribution(data())),
        ("face-ddp", usual().distribution(Distribution::pytorch_ddp(""))),
        ("face-run", usual().distribution(Distribution::torchrun())),
        ("face-compiled", compiled.compute(Compute::instances("ml.p3.2xlarge", 1))),
        ("face-flow", face("4.6.1", BaseFramework::tensorflow("2.4.1"), "py37").distribution(data())),
    ] {
        start(session, name, &face.build()?).await?;
    }
    let flow = |version: &str| {
        TensorFlow::builder(source()).framework_version(version).py_version("py39").role(ROLE).output_path(out())
    };
    let flows: [(&str, TensorFlowBuilder); 4] = [
        ("flow-data", flow("2.11.0").compute(on("ml.p3.16xlarge")).distribution(data())),
        ("flow-mpi", flow("2.11.0").compute(on("ml.p3.16xlarge")).distribution(Distribution::mpi(Mpi::new()))),
        ("flow-compiled", flow("2.10.1").compute(Compute::instances("ml.p3.2xlarge", 1)).training_compiler()),
        ("flow-groups", flow("2.11.0").compute(groups()).distribution(in_group(Distribution::mpi(Mpi::new())))),
    ];
    for (name, flow) in flows {
        start(session, name, &flow.build()?).await?;
    }
    let options = || Mpi::new().custom_mpi_options("-v");
    for (name, kind, distribution) in [
        ("mxnet-servers", "ml.c5.xlarge", Distribution::parameter_server()),
        ("mxnet-mpi", "ml.p3.2xlarge", Distribution::mpi(options())),
        ("mxnet-mpi-four", "ml.p3.2xlarge", Distribution::mpi(options().processes_per_host(4))),
    ] {
        let mxnet = MXNet::builder(source()).framework_version("1.9.0").py_version("py38").role(ROLE);
        start(session, name, &mxnet.output_path(out()).compute(on(kind)).distribution(distribution).build()?).await?;
    }
    let chainer = Chainer::builder(source())
        .framework_version("5.0.0")
        .py_version("py3")
        .use_mpi()
        .num_processes(4)
        .process_slots_per_host(2)
        .additional_mpi_options("-x X")
        .role(ROLE)
        .output_path(out())
        .compute(on("ml.p3.2xlarge"));
    start(session, "chainer-mpi", &chainer.build()?).await
}

pub async fn more_scripts(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let files = WorkDir::new()?;
    let entry = files.write("train.py", "print('more')\n")?;
    files.write("pkg/sub/run.py", "import x\n")?;
    files.write("pkg/x.py", "X = 1\n")?;
    files.write("pkg/requirements.txt", "numpy\n")?;
    files.write("lib/one.py", "ONE = 1\n")?;
    files.write("lib/deep/two.py", "TWO = 2\n")?;
    let single = files.write("single.py", "S = 1\n")?;
    let script = || SourceCode::script(entry.as_path());
    let folder = || SourceCode::script("sub/run.py").source_dir(files.path("pkg"));
    let torch = |source: SourceCode, version: &str, python: &str| {
        PyTorch::builder(source).framework_version(version).py_version(python).role(ROLE).compute(one())
    };
    let flow = |version: &str, python: &str| {
        TensorFlow::builder(script()).framework_version(version).py_version(python).role(ROLE).compute(one())
    };
    let sklearn = |source: SourceCode, version: &str| {
        SKLearn::builder(source).framework_version(version).role(ROLE).compute(one())
    };
    let xgboost = || XGBoost::builder(script()).framework_version("1.5-1").role(ROLE).compute(one());
    let packed = torch(folder(), "2.0", "py310")
        .dependency(files.path("lib"))
        .dependency(single.as_path())
        .container_log_level(30)
        .output_path(below("a/b"))
        .output_kms_key(KMS_KEY);
    start(session, "torch-folder", &packed.build()?).await?;
    let located = torch(script().code_location(below("codes/here/")), "1.12", "py38");
    start(session, "torch-located", &located.output_kms_key(KMS_KEY).metrics_time_series(false).build()?).await?;
    let image = PyTorch::builder(script()).image_uri(IMAGE).role(ROLE).compute(one()).hyperparameter("a", 1);
    start(session, "torch-image", &image.build()?).await?;
    start(session, "torch-old", &torch(script(), "1.2.0", "py3").build()?).await?;
    let watched = torch(script(), "1.13.1", "py39")
        .profiler(Profiler::disabled())
        .metric_definition("l", "l=(.*)")
        .environment("E", "1")
        .checkpoints(Checkpoints::at(below("ck")).local_path("/opt/ml/ck"));
    start(session, "torch-neither", &watched.build()?).await?;
    start(session, "flow-default", &flow("2.12.0", "py310").build()?).await?;
    start(session, "flow-off", &flow("2.11", "py39").model_dir(ModelDir::None).build()?).await?;
    start(session, "flow-at", &flow("2.11", "py39").model_dir(ModelDir::At("/opt/ml/m".to_owned())).build()?).await?;
    start(session, "flow-1", &flow("1.14", "py3").build()?).await?;
    let isolated = flow("2.11", "py39").network_isolation().output_path(below("iso"));
    start(session, "flow-isolated", &isolated.build()?).await?;
    for (name, version, python) in [("mxnet-plain", "1.9.0", "py38"), ("mxnet-old", "1.4.1", "py3")] {
        let mxnet = MXNet::builder(script()).framework_version(version).py_version(python).role(ROLE);
        start(session, name, &mxnet.compute(one()).build()?).await?;
    }
    let chainer = Chainer::builder(script()).framework_version("5.0.0").py_version("py3").role(ROLE);
    start(session, "chainer-plain", &chainer.compute(one()).build()?).await?;
    let placed = sklearn(folder().code_location("s3://parity-fixtures"), "1.0-1").vpc(vpc());
    start(session, "sk-place", &placed.build()?).await?;
    start(session, "xgb-isolated", &xgboost().network_isolation().build()?).await?;
    start(session, "xgb-image", &xgboost().image_uri(IMAGE).build()?).await?;
    let face = |version: &str, base: &str, python: &str, kind: &str| {
        HuggingFace::builder(script(), BaseFramework::pytorch(base))
            .framework_version(version)
            .py_version(python)
            .role(ROLE)
            .compute(Compute::instances(kind, 1))
            .build()
    };
    start(session, "face-short", &face("4.26", "1.13", "py39", "ml.p3.2xlarge")?).await?;
    let generic = |source: SourceCode| ContainerEstimator::builder(IMAGE).source(source).role(ROLE).compute(one());
    let directory = generic(folder().dependency(single.as_path()).code_location(below("gen")))
        .hyperparameter("a", true)
        .hyperparameter("b", "x")
        .hyperparameter("c", None::<i64>);
    start(session, "generic-dir", &directory.build()?).await?;
    let isolated = generic(SourceCode::script("run.py").source_dir(files.path("pkg/sub")));
    start(session, "generic-isolated", &isolated.network_isolation().environment("Z", "1").build()?).await?;
    let cluster = [InstanceGroup::new("a", "ml.c5.xlarge", 1), InstanceGroup::new("b", "ml.g5.xlarge", 1)];
    let cluster = torch(script(), "2.0.1", "py310").compute(InstanceGroups::new(cluster));
    start(session, "torch-groups", &cluster.build()?).await?;
    let mut values = torch(script(), "2.0.1", "py310");
    for (name, value) in odd_values() {
        values = values.hyperparameter(name, value);
    }
    let deep = [("z", json!([1, {"b": null}])), ("a", json!(true))];
    values = values
        .hyperparameter("tuple", [1, 2])
        .hyperparameter("deep", HyperparameterValue::map(deep))
        .hyperparameter("emoji", "\u{1f600}")
        .hyperparameter("lines", "a\nb\t");
    start(session, "torch-values", &values.build()?).await?;

    let base = "a-name-that-is-very-long-and-must-be-cut-somewhere-in-the-middle";
    let long = torch(script(), "2.0.1", "py310").base_job_name(base).build()?;
    long.fit(session, [("train", DATA)]).await?;
    sklearn(script(), "1.2-1").build()?.fit(session, [("train", DATA)]).await?;
    face("4.28.1", "2.0.0", "py310", "ml.g5.xlarge")?.fit(session, DATA).await?;
    Ok(())
}

/// Values that are easily written otherwise than Python writes them.
pub fn odd_values() -> Vec<(&'static str, HyperparameterValue)> {
    vec![
        ("text", "gr\u{fc}\u{df}".into()),
        ("big", 123_456_789_012_345_678_901_234_567_890_i128.into()),
        ("exp", 1e22.into()),
        ("tiny", 1.5e-10.into()),
        ("neg", (-0.0).into()),
        ("quote", "say \"x\"".into()),
    ]
}

async fn trained(session: &Session, name: &str, estimator: &impl Estimator) -> Result<Completed<Training>> {
    let job = estimator.fit(session, [("train", TrainingInput::new(DATA))]).job_name(format!("h-{name}")).await?;
    job.wait().await
}

async fn host(session: &Session, name: &str, model: FrameworkModel) -> Result<()> {
    let model = model.create(session, "ml.m5.large").await?.await?;
    model.deploy(one()).endpoint_name(format!("e-{name}")).await?;
    Ok(())
}

pub async fn more_hosting(session: &Session) -> Result<()> {
    session.ensure_bucket().await?;
    let files = WorkDir::new()?;
    let entry = files.write("train.py", "print('host')\n")?;
    files.write("pkg/serve.py", "import x\n")?;
    files.write("pkg/x.py", "X = 1\n")?;
    let script = || SourceCode::script(entry.as_path());
    let out = || below("hosted");
    macro_rules! hosted {
        ($name:literal, $builder:expr) => {
            let estimator = $builder.role(ROLE).output_path(out()).build()?;
            let done = trained(session, $name, &estimator).await?;
            let model = estimator.model(session, &done).instance_type("ml.m5.large").await?;
            model.deploy(one()).endpoint_name(concat!("e-", $name)).await?;
        };
    }
    let sklearn = SKLearn::builder(script()).framework_version("1.2-1").role(ROLE).compute(one()).output_path(out());
    let tags = [("t", "1")];
    let loud = sklearn.clone().container_log_level(10).tags(tags).vpc(vpc()).build()?;
    let model = loud.model(session, &trained(session, "sk", &loud).await?).await?;
    model.deploy(one()).endpoint_name("e-sk").await?;

    let xgboost = XGBoost::builder(script()).framework_version("1.7-1").role(ROLE).compute(one()).output_path(out());
    let xgboost = xgboost.base_job_name("boosted").build()?;
    let model = xgboost.serving_model(&trained(session, "xgb", &xgboost).await?)?;
    host(session, "xgb", model.model_server_workers(2)).await?;

    hosted!("chainer", Chainer::builder(script()).framework_version("5.0.0").py_version("py3").compute(one()));
    let torch = |source| PyTorch::builder(source).framework_version("2.0.1").py_version("py310").compute(one());
    hosted!("torch", torch(script().code_location(below("code/torch"))));
    hosted!("mxnet", MXNet::builder(script()).framework_version("1.9.0").py_version("py38").compute(one()));
    let face = HuggingFace::builder(script(), BaseFramework::pytorch("1.13.1")).framework_version("4.26.0");
    hosted!("face", face.py_version("py39").compute(Compute::instances("ml.p3.2xlarge", 1)));
    hosted!("flow", TensorFlow::builder(script()).framework_version("2.11").py_version("py39").compute(one()));
    let folder = SourceCode::script("serve.py").source_dir(files.path("pkg"));
    hosted!("dir", torch(folder).output_kms_key(KMS_KEY));
    hosted!("closed", sklearn.network_isolation());

    let generic = ContainerEstimator::builder(IMAGE)
        .role(ROLE)
        .compute(one())
        .output_path(out())
        .output_kms_key(KMS_KEY)
        .network_isolation()
        .base_job_name("gen")
        .tags(tags)
        .build()?;
    let done = trained(session, "generic", &generic).await?;
    let model = generic.model(session, &done).name("own-name").await?;
    model.deploy(one()).endpoint_name("e-generic").await?;
    Ok(())
}
