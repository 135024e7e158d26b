//! Which keys a defaults file may have, and what their values must be.

use serde_json::Value;

use crate::error::Problems;
use crate::types::{Arn, S3Uri};

#[derive(Debug, Clone, Copy)]
enum Kind {
    Version,
    Flag,
    Text,
    Texts,
    Role,
    Key,
    Vpc,
    Tags,
    Bucket,
    Prefix,
    Uri,
    /// Names and values: at most so many characters a value, at most so many entries.
    Environment(usize, usize),
    /// Names and texts of the user's own.
    Custom,
    /// Whatever: a part that this crate has no use for.
    Open,
}

use Kind::{Bucket, Custom, Environment, Flag, Key, Open, Prefix, Role, Tags, Text, Texts, Uri, Version, Vpc};

/// Every key that ends in a value; `[]` stands for the items of a list of objects.
const KEYS: &[(&str, Kind)] = &[
    ("SchemaVersion", Version),
    ("CustomParameters", Custom),
    ("SageMaker.PythonSDK.Modules.Session.DefaultS3Bucket", Bucket),
    ("SageMaker.PythonSDK.Modules.Session.DefaultS3ObjectKeyPrefix", Prefix),
    ("SageMaker.PythonSDK.Modules.ModelTrainer", Open),
    ("SageMaker.PythonSDK.Modules.Estimator.DebugHookConfig", Flag),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.Dependencies", Text),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.PreExecutionCommands", Texts),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.PreExecutionScript", Text),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.EnableInterContainerTrafficEncryption", Flag),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.EnvironmentVariables", Environment(512, 48)),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.ImageUri", Text),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.IncludeLocalWorkDir", Flag),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.CustomFileFilter.IgnoreNamePatterns", Texts),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.InstanceType", Text),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.JobCondaEnvironment", Text),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.RoleArn", Role),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.S3KmsKeyId", Key),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.S3RootUri", Uri),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.Tags", Tags),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.VolumeKmsKeyId", Key),
    ("SageMaker.PythonSDK.Modules.RemoteFunction.VpcConfig", Vpc),
    ("SageMaker.PythonSDK.Modules.NotebookJob.RoleArn", Role),
    ("SageMaker.PythonSDK.Modules.NotebookJob.S3RootUri", Uri),
    ("SageMaker.PythonSDK.Modules.NotebookJob.S3KmsKeyId", Key),
    ("SageMaker.PythonSDK.Modules.NotebookJob.VolumeKmsKeyId", Key),
    ("SageMaker.PythonSDK.Modules.NotebookJob.VpcConfig", Vpc),
    ("SageMaker.PythonSDK.Modules.Serve.RoleArn", Role),
    ("SageMaker.PythonSDK.Modules.Serve.S3ModelDataUri", Uri),
    ("SageMaker.PythonSDK.Modules.Serve.InstanceType", Text),
    ("SageMaker.PythonSDK.Modules.Serve.EnvironmentVariables", Environment(512, 48)),
    ("SageMaker.PythonSDK.Modules.TelemetryOptOut", Flag),
    ("SageMaker.FeatureGroup.OfflineStoreConfig.S3StorageConfig.KmsKeyId", Key),
    ("SageMaker.FeatureGroup.OnlineStoreConfig.SecurityConfig.KmsKeyId", Key),
    ("SageMaker.FeatureGroup.RoleArn", Role),
    ("SageMaker.FeatureGroup.Tags", Tags),
    ("SageMaker.MonitoringSchedule.MonitoringScheduleConfig.MonitoringJobDefinition.Environment", Environment(256, 50)),
    (
        "SageMaker.MonitoringSchedule.MonitoringScheduleConfig.MonitoringJobDefinition.MonitoringOutputConfig.KmsKeyId",
        Key,
    ),
    (
        "SageMaker.MonitoringSchedule.MonitoringScheduleConfig.MonitoringJobDefinition.MonitoringResources.ClusterConfig.VolumeKmsKeyId",
        Key,
    ),
    (
        "SageMaker.MonitoringSchedule.MonitoringScheduleConfig.MonitoringJobDefinition.NetworkConfig.EnableInterContainerTrafficEncryption",
        Flag,
    ),
    (
        "SageMaker.MonitoringSchedule.MonitoringScheduleConfig.MonitoringJobDefinition.NetworkConfig.EnableNetworkIsolation",
        Flag,
    ),
    ("SageMaker.MonitoringSchedule.MonitoringScheduleConfig.MonitoringJobDefinition.NetworkConfig.VpcConfig", Vpc),
    ("SageMaker.MonitoringSchedule.MonitoringScheduleConfig.MonitoringJobDefinition.RoleArn", Role),
    ("SageMaker.MonitoringSchedule.Tags", Tags),
    ("SageMaker.Endpoint.Tags", Tags),
    ("SageMaker.EndpointConfig.AsyncInferenceConfig.OutputConfig.KmsKeyId", Key),
    ("SageMaker.EndpointConfig.DataCaptureConfig.KmsKeyId", Key),
    ("SageMaker.EndpointConfig.KmsKeyId", Key),
    ("SageMaker.EndpointConfig.ProductionVariants[].CoreDumpConfig.KmsKeyId", Key),
    ("SageMaker.EndpointConfig.Tags", Tags),
    ("SageMaker.AutoMLJob.AutoMLJobConfig.SecurityConfig.EnableInterContainerTrafficEncryption", Flag),
    ("SageMaker.AutoMLJob.AutoMLJobConfig.SecurityConfig.VolumeKmsKeyId", Key),
    ("SageMaker.AutoMLJob.AutoMLJobConfig.SecurityConfig.VpcConfig", Vpc),
    ("SageMaker.AutoMLJob.OutputDataConfig.KmsKeyId", Key),
    ("SageMaker.AutoMLJob.RoleArn", Role),
    ("SageMaker.AutoMLJob.Tags", Tags),
    ("SageMaker.AutoMLJobV2.SecurityConfig.EnableInterContainerTrafficEncryption", Flag),
    ("SageMaker.AutoMLJobV2.SecurityConfig.VolumeKmsKeyId", Key),
    ("SageMaker.AutoMLJobV2.SecurityConfig.VpcConfig", Vpc),
    ("SageMaker.AutoMLJobV2.OutputDataConfig.KmsKeyId", Key),
    ("SageMaker.AutoMLJobV2.RoleArn", Role),
    ("SageMaker.AutoMLJobV2.Tags", Tags),
    ("SageMaker.TransformJob.DataCaptureConfig.KmsKeyId", Key),
    ("SageMaker.TransformJob.Environment", Environment(10240, 16)),
    ("SageMaker.TransformJob.TransformOutput.KmsKeyId", Key),
    ("SageMaker.TransformJob.TransformResources.VolumeKmsKeyId", Key),
    ("SageMaker.TransformJob.Tags", Tags),
    ("SageMaker.CompilationJob.OutputConfig.KmsKeyId", Key),
    ("SageMaker.CompilationJob.RoleArn", Role),
    ("SageMaker.CompilationJob.VpcConfig", Vpc),
    ("SageMaker.CompilationJob.Tags", Tags),
    ("SageMaker.Pipeline.RoleArn", Role),
    ("SageMaker.Pipeline.Tags", Tags),
    ("SageMaker.Model.Containers[].Environment", Environment(1024, 16)),
    ("SageMaker.Model.EnableNetworkIsolation", Flag),
    ("SageMaker.Model.ExecutionRoleArn", Role),
    ("SageMaker.Model.PrimaryContainer.Environment", Environment(1024, 16)),
    ("SageMaker.Model.VpcConfig", Vpc),
    ("SageMaker.Model.Tags", Tags),
    ("SageMaker.ModelPackage.InferenceSpecification.Containers[].Environment", Environment(1024, 16)),
    (
        "SageMaker.ModelPackage.ValidationSpecification.ValidationProfiles[].TransformJobDefinition.Environment",
        Environment(10240, 16),
    ),
    (
        "SageMaker.ModelPackage.ValidationSpecification.ValidationProfiles[].TransformJobDefinition.TransformOutput.KmsKeyId",
        Key,
    ),
    (
        "SageMaker.ModelPackage.ValidationSpecification.ValidationProfiles[].TransformJobDefinition.TransformResources.VolumeKmsKeyId",
        Key,
    ),
    ("SageMaker.ModelPackage.ValidationSpecification.ValidationRole", Role),
    ("SageMaker.ProcessingJob.Environment", Environment(256, 100)),
    ("SageMaker.ProcessingJob.NetworkConfig.EnableInterContainerTrafficEncryption", Flag),
    ("SageMaker.ProcessingJob.NetworkConfig.EnableNetworkIsolation", Flag),
    ("SageMaker.ProcessingJob.NetworkConfig.VpcConfig", Vpc),
    ("SageMaker.ProcessingJob.ProcessingInputs[].DatasetDefinition.AthenaDatasetDefinition.KmsKeyId", Key),
    ("SageMaker.ProcessingJob.ProcessingInputs[].DatasetDefinition.RedshiftDatasetDefinition.KmsKeyId", Key),
    ("SageMaker.ProcessingJob.ProcessingInputs[].DatasetDefinition.RedshiftDatasetDefinition.ClusterRoleArn", Role),
    ("SageMaker.ProcessingJob.ProcessingOutputConfig.KmsKeyId", Key),
    ("SageMaker.ProcessingJob.ProcessingResources.ClusterConfig.VolumeKmsKeyId", Key),
    ("SageMaker.ProcessingJob.RoleArn", Role),
    ("SageMaker.ProcessingJob.Tags", Tags),
    ("SageMaker.TrainingJob.EnableInterContainerTrafficEncryption", Flag),
    ("SageMaker.TrainingJob.EnableNetworkIsolation", Flag),
    ("SageMaker.TrainingJob.Environment", Environment(512, 48)),
    ("SageMaker.TrainingJob.OutputDataConfig.KmsKeyId", Key),
    ("SageMaker.TrainingJob.ResourceConfig.VolumeKmsKeyId", Key),
    ("SageMaker.TrainingJob.ProfilerConfig.DisableProfiler", Flag),
    ("SageMaker.TrainingJob.RoleArn", Role),
    ("SageMaker.TrainingJob.VpcConfig", Vpc),
    ("SageMaker.TrainingJob.Tags", Tags),
    ("SageMaker.EdgePackagingJob.OutputConfig.KmsKeyId", Key),
    ("SageMaker.EdgePackagingJob.ResourceKey", Key),
    ("SageMaker.EdgePackagingJob.RoleArn", Role),
    ("SageMaker.EdgePackagingJob.Tags", Tags),
];

/// Lists of objects that are bounded: least and most items.
const LISTS: &[(&str, usize, usize)] = &[
    ("SageMaker.Model.Containers", 0, 15),
    ("SageMaker.ModelPackage.InferenceSpecification.Containers", 1, 15),
    ("SageMaker.ModelPackage.ValidationSpecification.ValidationProfiles", 1, 1),
    ("SageMaker.ProcessingJob.ProcessingInputs", 0, 10),
];

/// Notes everything in the document that the schema does not allow, each with its key.
pub(super) fn check(document: &Value, problems: &mut Problems) {
    walk(document, "", "", problems);
    if document.is_object() {
        problems.require(document.get("SchemaVersion").is_some(), "SchemaVersion", "is needed: SchemaVersion: '1.0'");
    }
}

/// `pattern` names the place as [`KEYS`] does, `shown` as people do.
fn walk(value: &Value, pattern: &str, shown: &str, problems: &mut Problems) {
    if let Some((_, kind)) = KEYS.iter().find(|(key, _)| *key == pattern) {
        kind.check(value, shown, problems);
        return;
    }
    let is_list = leads_on(&format!("{pattern}[]"));
    match value {
        Value::Object(members) if !is_list => {
            for (name, member) in members {
                let (below, shown) = (join(pattern, name), join(shown, name));
                if leads_on(&below) {
                    walk(member, &below, &shown, problems);
                } else {
                    let known = children(pattern).join(", ");
                    problems.push(shown, format!("is no key of the defaults file; there are {known}"));
                }
            }
        }
        Value::Array(items) if is_list => {
            if let Some((_, least, most)) = LISTS.iter().find(|(key, ..)| *key == pattern) {
                count(items.len(), *least, *most, shown, problems);
            }
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{pattern}[]"), &format!("{shown}[{index}]"), problems);
            }
        }
        _ if is_list => problems.push(shown, "must be a list"),
        _ => problems.push(shown, "must be a mapping of keys to values"),
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Whether a place is a key, or one leads through it.
fn leads_on(place: &str) -> bool {
    KEYS.iter().any(|(key, _)| {
        key.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with("[]"))
    })
}

fn children(place: &str) -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    for (key, _) in KEYS {
        let rest = match place {
            "" => Some(*key),
            _ => key.strip_prefix(place).and_then(|rest| rest.strip_prefix('.')),
        };
        let name = rest.and_then(|rest| rest.split(['.', '[']).next());
        if let Some(name) = name.filter(|name| !names.contains(name)) {
            names.push(name);
        }
    }
    names
}

impl Kind {
    fn check(self, value: &Value, field: &str, problems: &mut Problems) {
        match self {
            Version => problems.require(value == "1.0", field, "must be the text '1.0', in quotes"),
            Flag => problems.require(value.is_boolean(), field, "must be true or false"),
            Text => drop(text(value, field, 0, usize::MAX, problems)),
            Texts => each(value, field, 0, usize::MAX, problems, |item, field, problems| {
                text(item, field, 0, usize::MAX, problems);
            }),
            Role => {
                if let Some(arn) = text(value, field, 20, 2048, problems) {
                    problems.check(field, Arn::role(arn));
                }
            }
            Key => drop(text(value, field, 0, 2048, problems)),
            Vpc => vpc(value, field, problems),
            Tags => tags(value, field, problems),
            Bucket => {
                if let Some(bucket) = text(value, field, 3, 63, problems) {
                    problems.check(field, S3Uri::new(bucket, ""));
                }
            }
            Prefix => drop(text(value, field, 1, 1024, problems)),
            Uri => {
                if let Some(uri) = text(value, field, 0, 1024, problems) {
                    let rest = uri.strip_prefix("s3://").or_else(|| uri.strip_prefix("https://"));
                    let named = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
                    problems.require(named, field, "must begin with s3:// or https:// and name a bucket or host");
                }
            }
            Environment(longest, most) => named_texts(value, field, longest, most, problems),
            Custom => named_texts(value, field, usize::MAX, usize::MAX, problems),
            Open => problems.require(value.is_object(), field, "must be a mapping of keys to values"),
        }
    }
}

fn text<'a>(value: &'a Value, field: &str, least: usize, most: usize, problems: &mut Problems) -> Option<&'a str> {
    let Some(text) = value.as_str() else {
        problems.push(field, "must be text; put it in quotes if it looks like a number, a date or a truth value");
        return None;
    };
    let length = text.chars().count();
    if (least..=most).contains(&length) {
        return Some(text);
    }
    problems.push(field, format!("must have {least} to {most} characters, has {length}"));
    None
}

fn each(
    value: &Value,
    field: &str,
    least: usize,
    most: usize,
    problems: &mut Problems,
    check: impl Fn(&Value, &str, &mut Problems),
) {
    let Some(items) = value.as_array() else {
        problems.push(field, "must be a list");
        return;
    };
    count(items.len(), least, most, field, problems);
    for (index, item) in items.iter().enumerate() {
        check(item, &format!("{field}[{index}]"), problems);
    }
}

fn count(items: usize, least: usize, most: usize, field: &str, problems: &mut Problems) {
    if !(least..=most).contains(&items) {
        problems.push(field, format!("must have {least} to {most} items, has {items}"));
    }
}

fn members<'a>(
    value: &'a Value,
    field: &str,
    known: &[&str],
    problems: &mut Problems,
) -> Option<&'a serde_json::Map<String, Value>> {
    let Some(members) = value.as_object() else {
        problems.push(field, "must be a mapping of keys to values");
        return None;
    };
    for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
        problems.push(format!("{field}.{name}"), format!("is no key here; there are {}", known.join(", ")));
    }
    Some(members)
}

fn vpc(value: &Value, field: &str, problems: &mut Problems) {
    let id = |item: &Value, field: &str, problems: &mut Problems| {
        if let Some(id) = text(item, field, 1, 32, problems) {
            let legal = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            problems.require(legal, field, "must be an id of letters, digits and hyphens");
        }
    };
    let Some(vpc) = members(value, field, &["SecurityGroupIds", "Subnets"], problems) else { return };
    for (name, most) in [("SecurityGroupIds", 5), ("Subnets", 16)] {
        if let Some(ids) = vpc.get(name) {
            each(ids, &format!("{field}.{name}"), 1, most, problems, id);
        }
    }
}

fn tags(value: &Value, field: &str, problems: &mut Problems) {
    each(value, field, 0, 50, problems, |tag, field, problems| {
        let Some(tag) = members(tag, field, &["Key", "Value"], problems) else { return };
        for (name, least, most) in [("Key", 1, 128), ("Value", 0, 256)] {
            let field = format!("{field}.{name}");
            let Some(value) = tag.get(name) else {
                problems.push(field, "is needed");
                continue;
            };
            if let Some(text) = text(value, &field, least, most, problems) {
                let legal = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
                problems.require(text.chars().all(legal), &field, "has a character that tags may not have");
            }
        }
    });
}

fn named_texts(value: &Value, field: &str, longest: usize, most: usize, problems: &mut Problems) {
    let Some(entries) = value.as_object() else {
        problems.push(field, "must be a mapping of names to texts");
        return;
    };
    count(entries.len(), 0, most, field, problems);
    for (name, value) in entries {
        text(value, &format!("{field}.{name}"), 0, longest, problems);
    }
}
