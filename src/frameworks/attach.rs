//! Jobs that ran a script, as an estimator takes them over.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::types::AlgorithmSpecification;
use serde_json::Value;

use super::distribution::{Distribution, Launch, Toolkit};
use super::framework::Framework;
use super::script::{Script, TrainingCompiler};
use crate::estimator::{Attached, TrainingSettings};
use crate::source::SourceCode;
use crate::training::{HyperparameterValue, TrainingJobDescription};
use crate::types::ImageUri;
use crate::{Error, ErrorKind, Result, Session};

/// What the repositories of AWS's images begin with, and whose they are.
pub(super) const IMAGES: [(&str, &str); 8] = [
    ("huggingface-", "HuggingFace"),
    ("pytorch", "PyTorch"),
    ("smdistributed-modelparallel", "PyTorch"),
    ("tensorflow", "TensorFlow"),
    ("scikit-learn", "SKLearn"),
    ("xgboost", "XGBoost"),
    ("mxnet", "MXNet"),
    ("chainer", "Chainer"),
];

/// What the toolkit is told of the code; a new job is told anew.
const OF_CODE: [&str; 5] = [
    "sagemaker_program",
    "sagemaker_submit_directory",
    "sagemaker_container_log_level",
    "sagemaker_job_name",
    "sagemaker_region",
];

/// The code of a job: what it ran, and the URI of the archive that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct JobCode {
    pub(super) program: String,
    pub(super) archive: Option<String>,
}

impl JobCode {
    /// `None` for jobs that ran no script.
    pub(super) fn of(job: &TrainingJobDescription) -> Option<Self> {
        let hyperparameters = job.raw().hyper_parameters()?;
        let program = text(hyperparameters.get("sagemaker_program")?);
        let directory = hyperparameters.get("sagemaker_submit_directory").map(|directory| text(directory));
        // Without a network it comes by a channel.
        let channel = job.raw().input_data_config().iter().find(|channel| channel.channel_name() == Some("code"));
        let channel = channel.and_then(|channel| channel.data_source()?.s3_data_source()?.s3_uri());
        let in_s3 = |uri: &String| uri.starts_with("s3://");
        let archive = directory.filter(in_s3).or_else(|| channel.map(str::to_owned));
        Some(Self { program, archive })
    }
}

/// A text that was written as JSON, or as it is.
fn text(written: &str) -> String {
    serde_json::from_str(written).unwrap_or_else(|_| written.to_owned())
}

/// A job that ran a script, while an estimator takes out of it what is its own.
#[derive(Debug)]
pub(super) struct ScriptJob {
    pub(super) image: ImageUri,
    pub(super) tag: ImageTag,
    pub(super) keeps_metrics: bool,
    pub(super) job_name: String,
    pub(super) output: String,
    hyperparameters: BTreeMap<String, String>,
    source: SourceCode,
    settings: TrainingSettings,
}

impl ScriptJob {
    pub(super) async fn of<F: Framework>(session: &Session, job_name: &str) -> Result<Self> {
        let job = Attached::of(session, job_name).await?;
        let image = ImageUri::new(job.image()?)?;
        let repository = image.repository();
        let short = repository.strip_prefix("sagemaker-").unwrap_or(repository);
        let of_another = IMAGES.iter().find(|(begin, _)| short.starts_with(begin)).filter(|(_, name)| *name != F::NAME);
        let code = JobCode::of(&job.description);
        let Some((program, archive)) = code.and_then(|code| Some((code.program, code.archive?))) else {
            return Err(job.refusal("ran no script that is in S3: ContainerEstimator::attach takes it"));
        };
        if let Some((_, other)) = of_another {
            return Err(job.refusal(&format!("ran in an image of {other}: frameworks::{other}::attach takes it")));
        }
        let mut hyperparameters = job.hyperparameters();
        let level = hyperparameters.get("sagemaker_container_log_level").and_then(|level| level.parse().ok());
        let source = SourceCode::script(program).source_dir(archive);
        let source = match level {
            Some(level) => source.container_log_level(level),
            None => source,
        };
        hyperparameters.retain(|name, _| !OF_CODE.contains(&name.as_str()));
        let described = job.description.raw();
        let algorithm = described.algorithm_specification();
        let output = described.output_data_config().and_then(|output| output.s3_output_path());
        Ok(Self {
            tag: ImageTag::of(image.tag().unwrap_or_default()),
            image,
            keeps_metrics: algorithm.and_then(AlgorithmSpecification::enable_sage_maker_metrics_time_series)
                == Some(true),
            job_name: job_name.to_owned(),
            output: output.unwrap_or_default().to_owned(),
            hyperparameters,
            source,
            settings: job.settings,
        })
    }

    /// A value that stands for itself.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        serde_json::from_str(&self.hyperparameters.remove(name)?).ok()
    }

    /// Takes these out, if all are there as they are.
    fn take_all(&mut self, told: &BTreeMap<String, String>) -> bool {
        let there = told.iter().all(|(name, value)| self.hyperparameters.get(name) == Some(value));
        if there {
            self.hyperparameters.retain(|name, _| !told.contains_key(name));
        }
        there
    }

    /// The distribution, if it is told just as `told` tells it; else its hyperparameters stay as they are.
    pub(super) fn take_distribution(
        &mut self,
        toolkit: Toolkit,
        told: fn(&Distribution, &Launch<'_>) -> BTreeMap<String, String>,
    ) -> Option<Distribution> {
        let found =
            Distribution::of_hyperparameters(&self.hyperparameters)?.in_a_group_of(self.settings.compute.as_ref());
        let told = told(&found, &Launch::on(toolkit, self.settings.compute.as_ref()));
        self.take_all(&told).then_some(found)
    }

    pub(super) fn take_training_compiler(&mut self) -> Option<TrainingCompiler> {
        let known = [false, true].map(|debug| TrainingCompiler { debug });
        known.into_iter().find(|compiler| self.take_all(&compiler.hyperparameters()))
    }

    /// A part of the image's tag without which there is no estimator.
    pub(super) fn unknown_image(&self) -> Error {
        let text = format!("the training job {} ran in {}, which tells no versions", self.job_name, self.image);
        Error::new(ErrorKind::Unsupported, format!("{text}: ContainerEstimator::attach takes it"))
    }

    /// A script with nothing of the job yet.
    pub(super) fn begun(&self) -> Script {
        Script { settings: self.settings.clone(), ..Script::new(self.source.clone()) }
    }

    /// The script with what nobody has taken.
    pub(super) fn into_script(self) -> Script {
        let values = self.hyperparameters.iter();
        Script {
            image_uri: None,
            framework_version: self.tag.version,
            py_version: self.tag.py_version,
            hyperparameters: values.map(|(name, text)| (name.clone(), HyperparameterValue::of_json(text))).collect(),
            source: self.source,
            settings: self.settings,
        }
    }
}

/// What the tag of an image tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ImageTag {
    /// The version of what Hugging Face's libraries stand on.
    pub(super) base_version: Option<String>,
    pub(super) version: Option<String>,
    pub(super) py_version: Option<String>,
}

impl ImageTag {
    /// Of tags such as `2.0.1-gpu-py310`, `1.7-1` and `2.0.0-transformers4.28.1-gpu-py310-cu118-ubuntu20.04`.
    fn of(tag: &str) -> Self {
        const DEVICES: [&str; 4] = ["cpu", "gpu", "neuron", "neuronx"];
        let parts: Vec<&str> = tag.split('-').collect();
        let is_version =
            |part: &&&str| !DEVICES.contains(*part) && !part.starts_with("transformers") && !is_python(part);
        let first = parts.iter().take_while(is_version).copied().collect::<Vec<_>>().join("-");
        let first = Some(first).filter(|version| version.starts_with(|c: char| c.is_ascii_digit()));
        let of_transformers = parts.iter().find_map(|part| part.strip_prefix("transformers")).map(str::to_owned);
        let py_version = parts.iter().find(|part| is_python(part)).map(|part| (*part).to_owned());
        match of_transformers {
            Some(version) => Self { base_version: first, version: Some(version), py_version },
            None => Self { base_version: None, version: first, py_version },
        }
    }
}

fn is_python(part: &str) -> bool {
    part.strip_prefix("py").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_tell_versions() {
        for (tag, base, version, python) in [
            ("2.0.1-gpu-py310", None, Some("2.0.1"), Some("py310")),
            ("1.7-1", None, Some("1.7-1"), None),
            ("1.2-1-cpu-py3", None, Some("1.2-1"), Some("py3")),
            ("2.0.0-transformers4.28.1-gpu-py310-cu118-ubuntu20.04", Some("2.0.0"), Some("4.28.1"), Some("py310")),
            ("1.13.0-neuron-py38-sdk2.4.0-ubuntu20.04", None, Some("1.13.0"), Some("py38")),
            ("latest", None, None, None),
            ("", None, None, None),
        ] {
            let told = ImageTag::of(tag);
            let told = (told.base_version.as_deref(), told.version.as_deref(), told.py_version.as_deref());
            assert_eq!(told, (base, version, python), "{tag}");
        }
    }
}
