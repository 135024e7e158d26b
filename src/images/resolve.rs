//! From a search to an image: which table, version, processor and tag, by the rules of the Python SDK.

use super::query::{ImageQuery, ImageScope, InferenceTool};
use super::table::{self, Entry, Part};
use super::{instance, unknown};
use crate::types::Partition;
use crate::{Error, Result};

const HUGGING_FACE: &str = "huggingface";
/// The frameworks with images for Arm processors.
const ON_GRAVITON: [&str; 4] = ["tensorflow", "pytorch", "xgboost", "sklearn"];
/// Whose tags end with a part that callers may give.
const WITH_CONTAINER_VERSION: [&str; 3] = [HUGGING_FACE, "pytorch-smp", "spark"];
/// Whose tags do not name the version of the Neuron SDK.
const WITHOUT_SDK_VERSION: [&str; 1] = ["huggingface-pytorch-training-neuronx"];
/// The Arm images of these have tags of their own.
const ARM_TAGS: [(&str, &str, &str); 3] = [
    ("xgboost", "1.5-1", "1.5-1-arm64"),
    ("xgboost", "1.3-1", "1.3-1-arm64"),
    ("sklearn", "1.0-1", "1.0-1-arm64-cpu-py3"),
];
/// Images for `p4d` instances and the `smdistributed` libraries, by framework and tag.
const CUDA_11: [(&str, &str, &str); 12] = [
    ("tensorflow", "2.3-gpu-py37", "cu110-ubuntu18.04-v3"),
    ("tensorflow", "2.3.1-gpu-py37", "cu110-ubuntu18.04"),
    ("tensorflow", "2.3.2-gpu-py37", "cu110-ubuntu18.04"),
    ("tensorflow", "1.15-gpu-py37", "cu110-ubuntu18.04-v8"),
    ("tensorflow", "1.15.4-gpu-py37", "cu110-ubuntu18.04"),
    ("tensorflow", "1.15.5-gpu-py37", "cu110-ubuntu18.04"),
    ("mxnet", "1.8-gpu-py37", "cu110-ubuntu16.04-v1"),
    ("mxnet", "1.8.0-gpu-py37", "cu110-ubuntu16.04"),
    ("pytorch", "1.6-gpu-py36", "cu110-ubuntu18.04-v3"),
    ("pytorch", "1.6.0-gpu-py36", "cu110-ubuntu18.04"),
    ("pytorch", "1.6-gpu-py3", "cu110-ubuntu18.04-v3"),
    ("pytorch", "1.6.0-gpu-py3", "cu110-ubuntu18.04"),
];

/// An image without its region.
pub(super) struct Found {
    part: &'static Part,
    entry: &'static Entry,
    version: String,
    tag: String,
}

impl Found {
    #[cfg(test)]
    pub(super) fn is_in(&self, region: &str) -> bool {
        self.entry.account(region).is_some()
    }

    pub(super) fn uri(&self, query: &ImageQuery, region: &str) -> Result<String> {
        let account = self.entry.account(region).ok_or_else(|| self.no_image(query, region))?;
        let (repository, tag) = (self.entry.repository, &self.tag);
        let colon = if tag.is_empty() { "" } else { ":" };
        Ok(format!("{account}.dkr.ecr.{region}.{}/{repository}{colon}{tag}", Partition::of(region).dns_suffix))
    }

    fn no_image(&self, query: &ImageQuery, region: &str) -> Error {
        let name = format!("{} {}", query.framework, self.version);
        let in_region = |version: &&str| {
            let version = self.part.version_of(version);
            self.part.entries.iter().any(|entry| entry.version == version && entry.account(region).is_some())
        };
        let elsewhere: Vec<&str> = self.part.versions().filter(in_region).collect();
        let text = if elsewhere.is_empty() {
            unknown(&format!("region with {name}"), region, self.entry.regions())
        } else {
            format!("{name} has no image in {region}; the versions there are {}", elsewhere.join(", "))
        };
        Error::invalid("region", text)
    }
}

pub(super) fn resolve(query: &ImageQuery) -> Result<Found> {
    let name = query.framework.as_str();
    let family = match query.instance_type.as_deref() {
        None => None,
        Some(given) => match instance::family(given) {
            Some(family) => Some(family),
            None => {
                let text =
                    format!("{given:?} is no instance type; the form is ml.<family>.<size>, such as ml.m5.xlarge");
                return Err(Error::invalid("instance_type", text));
            }
        },
    };
    let compiler = query.training_compiler && [HUGGING_FACE, "pytorch"].contains(&name);
    let tool = if compiler { None } else { tool(query, family)? };
    let scope = if compiler { query.scope } else { scope(query, family)? };
    let suffix = if compiler { Some("training-compiler") } else { tool.map(InferenceTool::as_str) };
    let part = part(query, suffix, scope)?;
    let version = version(query, part)?;
    let entry = entry(query, part, version)?;
    let processor = processor(query, part, entry, family)?;
    let container = container_version(query, entry, processor)?;
    let prefix = tag_prefix(query, part, entry, version)?;
    if family == Some("p2") && is_past_p2(name, version) {
        let text = format!(
            "{name} {version} has no images for p2 instances: they ended with PyTorch 1.13 and TensorFlow 2.12"
        );
        return Err(Error::invalid("instance_type", text));
    }

    let processor_part = tool.map_or(processor, |tool| Some(tool.as_str()));
    let py = py_version(query, entry)?;
    let mut tag = joined(&[Some(&prefix), processor_part, py, container.as_deref()]);
    let arm = ["xgboost", "sklearn"].contains(&name)
        && (family.is_some_and(instance::is_graviton) || scope == Some(ImageScope::InferenceGraviton));
    if arm {
        if let Some(family) = family.filter(|family| !instance::is_graviton(family)) {
            let text = format!("{family} instances have no Arm processors");
            return Err(Error::invalid("instance_type", text));
        }
        let found = ARM_TAGS.iter().find(|(of, known, _)| *of == name && *known == version);
        let Some((_, _, arm_tag)) = found else {
            return Err(Error::invalid("version", format!("{name} {version} has no image for Arm processors")));
        };
        (*arm_tag).clone_into(&mut tag);
    } else if family.is_some_and(|family| family == "p4d" || query.smdistributed)
        && let Some((_, _, more)) = CUDA_11.iter().find(|(of, known, _)| *of == name && *known == tag)
    {
        tag = format!("{tag}-{more}");
    }
    if name == "sagemaker-tritonserver" && processor == Some("gpu") {
        tag.truncate(tag.trim_end_matches("-gpu").len());
    }
    Ok(Found { part, entry, version: version.to_owned(), tag })
}

/// The Neuron compiler follows from the chip.
fn tool(query: &ImageQuery, family: Option<&str>) -> Result<Option<InferenceTool>> {
    let fits = [HUGGING_FACE, "pytorch"].contains(&query.framework.as_str());
    match query.inference_tool {
        Some(_) if !fits => {
            let text = format!("{} has no images with Neuron; huggingface and pytorch have", query.framework);
            Err(Error::invalid("inference_tool", text))
        }
        None if fits && family.is_some_and(instance::is_neuron) => Ok(Some(InferenceTool::Neuron)),
        tool => Ok(tool),
    }
}

fn scope(query: &ImageQuery, family: Option<&str>) -> Result<Option<ImageScope>> {
    let name = query.framework.as_str();
    if query.instance_type.as_deref().is_some_and(|instance| instance.contains("trn")) && name != "pytorch" {
        return Err(Error::invalid("instance_type", format!("{name} has no images for Trainium; pytorch has")));
    }
    if family.is_some_and(instance::is_graviton) {
        if !ON_GRAVITON.contains(&name) {
            let text = format!("{name} has no images for Graviton; {} have", ON_GRAVITON.join(", "));
            return Err(Error::invalid("instance_type", text));
        }
        return Ok(Some(ImageScope::InferenceGraviton));
    }
    let same_for_all = ["xgboost", "sklearn"].contains(&name);
    Ok(query.scope.or(same_for_all.then_some(ImageScope::Training)))
}

fn part(query: &ImageQuery, suffix: Option<&str>, scope: Option<ImageScope>) -> Result<&'static Part> {
    let name = query.framework.as_str();
    let known = table::framework(name)?;
    let framework = match suffix {
        None => known,
        Some(suffix) => table::find(&format!("{name}-{suffix}"))
            .ok_or_else(|| Error::invalid("framework", format!("{name} has no images with {suffix}")))?,
    };
    let scope = if query.elastic_inference { Some(ImageScope::ElasticInference) } else { scope };
    let scopes: Vec<&str> = framework.parts.iter().flat_map(|part| part.scopes.iter().copied()).collect();
    let Some(first) = framework.parts.first() else { return Err(Error::invalid("framework", "has no images")) };
    let shared = framework.parts.len() == 1;
    let wanted = match scope {
        _ if scopes.len() <= 1 => return Ok(first),
        None if shared && scopes.len() == 2 && scopes.contains(&"training") && scopes.contains(&"inference") => {
            return Ok(first);
        }
        None => {
            let text = format!("is needed: {name} has different images for {}", scopes.join(", "));
            return Err(Error::invalid("scope", text));
        }
        Some(scope) => scope.as_str(),
    };
    framework.parts.iter().find(|part| part.scopes.contains(&wanted)).ok_or_else(|| {
        let text = format!("{name} has no images for {wanted}; there are some for {}", scopes.join(", "));
        Error::invalid("scope", text)
    })
}

fn version<'a>(query: &'a ImageQuery, part: &'static Part) -> Result<&'a str> {
    let name = query.framework.as_str();
    let is_known = |version: &str| part.versions().any(|known| known == version);
    if let Some(only) = part.only_version() {
        match query.version.as_deref() {
            // An old name of what has one version only.
            None | Some("latest") => return Ok(only),
            Some(version) if part.is_alias(version) => return Ok(version),
            // As the Python SDK has it: where an accelerator has images of one version, every version gets them.
            Some(version) if is_version_of(name, version) => return Ok(only),
            Some(_) => {}
        }
    }
    let version = match query.version.as_deref() {
        Some(version) => version,
        None if name == HUGGING_FACE => return Err(Error::invalid("version", missing("version", part.versions()))),
        None => table::framework(name)?
            .default_version(query.scope.map(ImageScope::as_str))
            .filter(|version| is_known(version))
            .ok_or_else(|| Error::invalid("version", missing("version", part.versions())))?,
    };
    if is_known(version) {
        return Ok(version);
    }
    Err(Error::invalid("version", unknown(&format!("version of {name}"), version, part.versions())))
}

/// Whether any image of a framework has the version.
fn is_version_of(name: &str, version: &str) -> bool {
    let tables = ["", "-neuron", "-neuronx", "-training-compiler"];
    let tables = tables.iter().filter_map(|more| table::find(&format!("{name}{more}")));
    let mut versions = tables.flat_map(|table| &table.parts).flat_map(table::Part::versions);
    versions.any(|known| known == version)
}

fn missing<'a>(what: &str, known: impl Iterator<Item = &'a str>) -> String {
    format!("is needed; a {what} is one of {}", known.collect::<Vec<_>>().join(", "))
}

fn entry(query: &ImageQuery, part: &'static Part, version: &str) -> Result<&'static Entry> {
    let (name, version) = (query.framework.as_str(), part.version_of(version));
    let mut entries: Vec<&Entry> = part.entries.iter().filter(|entry| entry.version == version).collect();
    if name == HUGGING_FACE {
        let known = || part.bases(version).into_iter().collect::<std::collections::BTreeSet<_>>();
        let Some(given) = query.base_framework.as_deref() else {
            return Err(Error::invalid("base_framework", missing("base framework", known().into_iter())));
        };
        let base = part.base_of(version, given);
        entries.retain(|entry| entry.base == base);
        if entries.is_empty() {
            let what = format!("base framework of {name} {version}");
            return Err(Error::invalid("base_framework", unknown(&what, given, known().into_iter())));
        }
    } else if entries.iter().any(|entry| !entry.base.is_empty()) {
        return Err(Error::invalid("framework", format!("ask for {HUGGING_FACE:?}; {name} is a part of it")));
    }
    match entries[..] {
        [entry] if entry.py.is_empty() => Ok(entry),
        _ => {
            let known = entries.iter().map(|entry| entry.py);
            let given = query.py_version.as_deref();
            let Some(given) = given else { return Err(Error::invalid("py_version", missing("Python version", known))) };
            let found = entries.iter().find(|entry| entry.py == given).copied();
            let what = format!("Python version of {name} {version}");
            found.ok_or_else(|| Error::invalid("py_version", unknown(&what, given, known)))
        }
    }
}

fn py_version<'a>(query: &'a ImageQuery, entry: &'static Entry) -> Result<Option<&'a str>> {
    if !entry.py.is_empty() {
        return Ok(Some(entry.py));
    }
    let known = || entry.py_versions.iter().copied();
    match query.py_version.as_deref() {
        _ if entry.py_versions.is_empty() => Ok(None),
        None if query.framework == "spark" => Ok(None),
        None if entry.py_versions.len() == 1 => Ok(known().next()),
        None => Err(Error::invalid("py_version", missing("Python version", known()))),
        Some(given) if entry.py_versions.contains(&given) => Ok(Some(given)),
        Some(given) => {
            let what = format!("Python version of {} {}", query.framework, entry.version);
            Err(Error::invalid("py_version", unknown(&what, given, known())))
        }
    }
}

fn processor<'a>(
    query: &ImageQuery,
    part: &'static Part,
    entry: &'static Entry,
    family: Option<&'a str>,
) -> Result<Option<&'a str>> {
    let available = if part.processors.is_empty() { &entry.processors } else { &part.processors };
    let Some(family) = family else {
        return match available[..] {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            _ if query.serverless => Ok(Some("cpu")),
            _ => {
                let text = format!("is needed: images differ by processor ({})", available.join(", "));
                Err(Error::invalid("instance_type", text))
            }
        };
    };
    if available.is_empty() {
        return Ok(None);
    }
    if query.serverless {
        return Ok(Some("cpu"));
    }
    let processor = instance::processor(family, available);
    if available.contains(&processor) {
        return Ok(Some(processor));
    }
    let (name, version) = (&query.framework, entry.version);
    let text = format!(
        "{name} {version} has no image for {family} instances (processor {processor}); it has some for {}",
        available.join(", ")
    );
    Err(Error::invalid("instance_type", text))
}

/// The last part of the tag: the tables', else the caller's.
fn container_version(query: &ImageQuery, entry: &Entry, processor: Option<&str>) -> Result<Option<String>> {
    let (name, repository) = (query.framework.as_str(), entry.repository);
    let graviton = repository == format!("{name}-inference-graviton");
    let mut version = query.container_version.clone();
    if !entry.container_versions.is_empty() {
        let found = entry.container_versions.iter().find(|(known, _)| Some(*known) == processor);
        let Some((_, found)) = found else {
            let known: Vec<&str> = entry.container_versions.iter().map(|(known, _)| *known).collect();
            let text = format!("{name} {} has images for {} only", entry.version, known.join(", "));
            return Err(Error::invalid("instance_type", text));
        };
        version = Some((*found).to_owned());
    } else if version.is_some()
        && !WITH_CONTAINER_VERSION.contains(&name)
        && !graviton
        && !repository.contains("neuron")
    {
        let text = format!("the tags of {name} {} have no such part: leave it out", entry.version);
        return Err(Error::invalid("container_version", text));
    }
    if !entry.sdk_versions.is_empty() && !WITHOUT_SDK_VERSION.contains(&repository) {
        // The newest one as text, which is what the Python SDK takes.
        let newest = entry.sdk_versions.iter().copied().max();
        let sdk = query.sdk_version.as_deref().or(newest).unwrap_or_default();
        version = version.map(|version| format!("{sdk}-{version}"));
    }
    if graviton {
        version = version.map(|version| format!("{version}-sagemaker"));
    }
    Ok(version)
}

/// The first part of the tag: the version, for Hugging Face those of both libraries.
fn tag_prefix(query: &ImageQuery, part: &Part, entry: &Entry, version: &str) -> Result<String> {
    if query.framework != HUGGING_FACE {
        return Ok(if entry.tag_prefix.is_empty() { version } else { entry.tag_prefix }.to_owned());
    }
    let mut base = query.base_framework.as_deref().unwrap_or_default();
    // The version as it was asked for, in the tag too; but for the compiler's images.
    let mut version = match query.version.as_deref() {
        Some(given) if !entry.repository.contains("-trcomp-") => given,
        _ => version,
    };
    if entry.repository.starts_with("huggingface-pytorch-inference-neuron") {
        version = part.version_of(version);
        base = part.base_of(version, base);
    }
    let number = base.strip_prefix("pytorch").or_else(|| base.strip_prefix("tensorflow"));
    match number {
        Some(number) => Ok(format!("{number}-transformers{version}")),
        None => Err(Error::invalid("base_framework", format!("{base:?} names neither pytorch nor tensorflow"))),
    }
}

fn joined(parts: &[Option<&str>]) -> String {
    let parts: Vec<&str> = parts.iter().flatten().copied().filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

fn is_past_p2(framework: &str, version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    match framework {
        "pytorch" => version >= (1, 13),
        "tensorflow" => version >= (2, 12),
        _ => false,
    }
}
