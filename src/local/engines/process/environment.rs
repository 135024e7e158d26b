//! The environment variables of a command.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::folder::OptMl;
use crate::local::engines::{ModelFiles, ProcessingTask, TrainingTask};

pub(in crate::local::engines) type Variables = BTreeMap<String, String>;

/// What a command is told of the machine: where programs, libraries, certificates and proxies are. A container would not
/// see the rest either, least of all credentials.
const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "CONDA_DEFAULT_ENV",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// A system takes no longer variable; 128 KiB on Linux.
const MAX_VARIABLE: usize = 100 << 10;

/// What every command finds.
fn base(root: &Path, region: &str) -> Variables {
    let inherited = INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
    let mut variables: Variables = inherited.collect();
    let root = text(root);
    let fixed = [
        ("SAGEMAKER_LOCAL_OPT_ML", root.as_str()),
        // Where PyPI's sagemaker-training and sagemaker-inference look for it.
        ("SAGEMAKER_BASE_DIR", root.as_str()),
        ("AWS_REGION", region),
        ("AWS_DEFAULT_REGION", region),
        // Whatever the machine's own credentials are, a job on the local backend must not use them.
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("PYTHONUNBUFFERED", "1"),
    ];
    variables.extend(fixed.map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables
}

/// The variables of a training container on one of its hosts.
pub(super) fn training(folder: &OptMl, job: &TrainingTask, host: &Host<'_>, own: &Variables) -> Variables {
    let mut variables = base(folder.root(), region(&job.job_arn));
    variables.insert("TRAINING_JOB_NAME".to_owned(), job.job_name.clone());
    variables.insert("TRAINING_JOB_ARN".to_owned(), job.job_arn.clone());
    variables.extend(script_variables(folder, job, host));
    add_own(&mut variables, folder.root(), &job.environment, own);
    variables
}

/// The variables of a serving container that is to listen on a port.
pub(super) fn serving(folder: &OptMl, model: &ModelFiles, port: u16, own: &Variables) -> Variables {
    let mut variables = base(folder.root(), &model.region);
    variables.insert("SM_MODEL_DIR".to_owned(), text(&folder.path("model")));
    add_own(&mut variables, folder.root(), &model.environment, own);
    variables.insert("SAGEMAKER_BIND_TO_PORT".to_owned(), port.to_string());
    variables.insert("PORT".to_owned(), port.to_string());
    variables
}

/// The variables of a processing container.
pub(super) fn processing(root: &Path, job: &ProcessingTask, own: &Variables) -> Variables {
    let mut variables = base(root, region(&job.job_arn));
    add_own(&mut variables, root, &job.environment, own);
    variables
}

/// The region in an ARN.
fn region(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

/// The request's variables, then the engine's.
fn add_own(variables: &mut Variables, root: &Path, request: &Variables, engine: &Variables) {
    let moved = request.iter().map(|(name, value)| (name.clone(), relocate(value, root)));
    variables.extend(moved);
    variables.extend(engine.iter().map(|(name, value)| (name.clone(), value.clone())));
    // Names that no system takes would keep the command from starting.
    variables.retain(|name, value| {
        let plain = !name.is_empty() && !name.contains(['=', '\0']) && !value.contains('\0');
        plain && value.len() <= MAX_VARIABLE
    });
}

/// One of a job's hosts.
pub(super) struct Host<'a> {
    /// Such as `algo-1`.
    pub(super) name: &'a str,
    /// The names of all hosts, sorted.
    pub(super) all: &'a [String],
}

/// The name of a host by its number, which begins with 1.
pub(super) fn host_name(number: u32) -> String {
    format!("algo-{number}")
}

/// `resourceconfig.json`.
pub(super) fn resource_config(job: &TrainingTask, host: &Host<'_>) -> Value {
    let group = "homogeneousCluster";
    json!({
        "current_host": host.name,
        "current_instance_type": job.instance_type,
        "current_group_name": group,
        "hosts": host.all,
        "instance_groups": [
            {"instance_group_name": group, "instance_type": job.instance_type, "hosts": host.all},
        ],
        "network_interface_name": "eth0",
    })
}

/// `inputdataconfig.json`.
pub(super) fn input_data_config(job: &TrainingTask) -> Value {
    let channel = |channel: &crate::local::engines::Channel| {
        let mut config = json!({
            "TrainingInputMode": format!("{:?}", channel.input_mode),
            "S3DistributionType": if channel.sharded { "ShardedByS3Key" } else { "FullyReplicated" },
            "RecordWrapperType": if channel.record_io { "RecordIO" } else { "None" },
        });
        if let Some(content_type) = &channel.content_type {
            config["ContentType"] = json!(content_type);
        }
        (channel.name.clone(), config)
    };
    Value::Object(job.channels.iter().map(channel).collect())
}

/// The `SM_` variables that AWS's framework images set by PyPI's sagemaker-training, so that a script which reads them runs
/// unchanged.
fn script_variables(folder: &OptMl, job: &TrainingTask, host: &Host<'_>) -> Variables {
    let mut variables = Variables::new();
    let mut set = |name: &str, value: String| variables.insert(format!("SM_{name}"), value);
    for (name, path) in [
        ("MODEL_DIR", "model"),
        ("OUTPUT_DIR", "output"),
        ("OUTPUT_DATA_DIR", "output/data"),
        ("OUTPUT_INTERMEDIATE_DIR", "output/intermediate"),
        ("INPUT_DIR", "input"),
        ("INPUT_CONFIG_DIR", "input/config"),
    ] {
        set(name, text(&folder.path(path)));
    }
    let mut channels: Vec<&str> = job.channels.iter().map(|channel| channel.name.as_str()).collect();
    channels.sort_unstable();
    for channel in &channels {
        set(&format!("CHANNEL_{}", channel.to_uppercase()), text(&folder.path("input/data").join(channel)));
    }
    set("CHANNELS", json!(channels).to_string());
    let hyperparameters: Map<String, Value> = job
        .hyperparameters
        .iter()
        .filter(|(name, _)| !name.starts_with("sagemaker_") && *name != "_tuning_objective_metric")
        .map(|(name, value)| (name.clone(), read(value)))
        .collect();
    for (name, value) in &hyperparameters {
        set(&format!("HP_{}", name.to_uppercase()), plain(value));
    }
    set("HPS", Value::Object(hyperparameters).to_string());
    set("HOSTS", json!(host.all).to_string());
    set("CURRENT_HOST", host.name.to_owned());
    set("CURRENT_INSTANCE_TYPE", job.instance_type.clone());
    set("NETWORK_INTERFACE_NAME", "eth0".to_owned());
    set("RESOURCE_CONFIG", resource_config(job, host).to_string());
    set("INPUT_DATA_CONFIG", input_data_config(job).to_string());
    set("NUM_CPUS", std::thread::available_parallelism().map_or(1, usize::from).to_string());
    set("NUM_GPUS", "0".to_owned());
    set("LOG_LEVEL", "20".to_owned());
    variables
}

/// A hyperparameter is JSON where it can be, else text.
fn read(value: &str) -> Value {
    serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

pub(super) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Puts the private root in the place of `/opt/ml` wherever a text names it as a path of its own.
pub(in crate::local::engines) fn relocate(value: &str, root: &Path) -> String {
    const REAL: &str = "/opt/ml";
    let part_of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut out = String::with_capacity(value.len());
    let mut done = 0;
    for (at, _) in value.match_indices(REAL) {
        let end = at + REAL.len();
        let before = value[..at].chars().next_back();
        let after = value[end..].chars().next();
        if before.is_some_and(|c| part_of_a_name(c) || c == '/') || after.is_some_and(part_of_a_name) {
            continue;
        }
        out.push_str(&value[done..at]);
        out.push_str(&text(root));
        done = end;
    }
    out.push_str(&value[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::engines::Channel;
    use proptest::prelude::*;

    #[test]
    fn paths_are_relocated_as_wholes() {
        let root = Path::new("/tmp/x/opt/ml");
        for (given, expected) in [
            ("/opt/ml", "/tmp/x/opt/ml"),
            (
                "python /opt/ml/code/a.py --out=/opt/ml/model",
                "python /tmp/x/opt/ml/code/a.py --out=/tmp/x/opt/ml/model",
            ),
            ("/a/opt/ml/code", "/a/opt/ml/code"),
            ("/opt/mlflow", "/opt/mlflow"),
            ("s3://bucket/opt/ml/x", "s3://bucket/opt/ml/x"),
            ("a:/opt/ml:b", "a:/tmp/x/opt/ml:b"),
        ] {
            assert_eq!(relocate(given, root), expected);
        }
    }

    #[test]
    fn scripts_find_what_they_read() {
        let folder = OptMl::new().unwrap();
        let job = TrainingTask {
            job_name: "j".to_owned(),
            job_arn: "arn:aws:sagemaker:eu-west-1:123456789012:training-job/j".to_owned(),
            hyperparameters: [("rate", "0.5"), ("name", "\"x\""), ("plain", "x y"), ("sagemaker_program", "\"t.py\"")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            channels: vec![Channel { name: "train".to_owned(), ..Channel::default() }],
            environment: [("CODE", "/opt/ml/code"), ("BAD", "a\0b")].map(|(n, v)| (n.into(), v.into())).into(),
            ..TrainingTask::default()
        };
        let all = [host_name(1)];
        let variables = training(&folder, &job, &Host { name: &all[0], all: &all }, &Variables::new());
        let at = |path: &str| text(&folder.path(path));
        for (name, value) in [
            ("SM_MODEL_DIR", at("model")),
            ("SM_CHANNEL_TRAIN", at("input/data/train")),
            ("SM_HPS", r#"{"name":"x","plain":"x y","rate":0.5}"#.to_owned()),
            ("SM_HP_NAME", "x".to_owned()),
            ("SM_HOSTS", r#"["algo-1"]"#.to_owned()),
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("TRAINING_JOB_NAME", "j".to_owned()),
            ("CODE", at("code")),
            ("SAGEMAKER_LOCAL_OPT_ML", text(folder.root())),
        ] {
            assert_eq!(variables.get(name), Some(&value), "{name}");
        }
        assert!(!variables.contains_key("BAD"));
    }

    proptest! {
        #[test]
        fn any_text_can_be_relocated(text in "[/opt/ml a]{0,40}") {
            let _ = relocate(&text, Path::new("/x"));
        }
    }
}
