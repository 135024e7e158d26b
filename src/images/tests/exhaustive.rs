//! The answers to every combination of arguments, beside those of the Python SDK (`tools/images_check.py`).

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::images::query::{ImageQuery, ImageScope, InferenceTool, image_uri};
use crate::images::resolve::resolve;
use crate::images::table::{self, Framework};

static DIGESTS: &str = include_str!("../digests.txt");
const INSTANCES: [Option<&str>; 9] = [
    None,
    Some("ml.m5.xlarge"),
    Some("ml.p2.xlarge"),
    Some("ml.p3.2xlarge"),
    Some("ml.p4d.24xlarge"),
    Some("ml.c6g.xlarge"),
    Some("ml.inf1.xlarge"),
    Some("ml.inf2.xlarge"),
    Some("ml.trn1.2xlarge"),
];
const APART: [&str; 4] =
    ["huggingface-neuron", "huggingface-neuronx", "huggingface-training-compiler", "sagemaker-base-python"];

type Change = fn(ImageQuery) -> ImageQuery;
const VARIANTS: [(&str, Change, &[&str]); 7] = [
    ("compiler", ImageQuery::training_compiler, &["huggingface", "pytorch"]),
    ("neuron", |query| query.inference_tool(InferenceTool::Neuron), &["huggingface", "pytorch"]),
    ("neuronx", |query| query.inference_tool(InferenceTool::Neuronx), &["huggingface", "pytorch"]),
    ("eia", ImageQuery::elastic_inference, &["tensorflow", "pytorch", "mxnet"]),
    ("serverless", ImageQuery::serverless, &["tensorflow", "pytorch", "mxnet", "huggingface", "sklearn", "xgboost"]),
    ("smdistributed", ImageQuery::smdistributed, &["tensorflow", "pytorch", "mxnet"]),
    (
        "container",
        |query| query.container_version("cu124"),
        &["pytorch-smp", "spark", "huggingface", "pytorch", "kmeans"],
    ),
];

/// The tables that answer for a framework.
fn tables(framework: &'static Framework) -> Vec<&'static Framework> {
    let mut found = vec![framework];
    if ["huggingface", "pytorch"].contains(&framework.name) {
        let more = ["training-compiler", "neuron", "neuronx"];
        found.extend(more.iter().filter_map(|more| table::find(&format!("{}-{more}", framework.name))));
    }
    found
}

fn lines(framework: &'static Framework, regions: &BTreeSet<&'static str>) -> Vec<String> {
    let name = framework.name;
    let (mut pairs, mut pys, mut scopes) = (BTreeSet::new(), BTreeSet::from([None]), BTreeSet::from([None]));
    if name != "huggingface" {
        pairs.insert((None, None));
    }
    for part in tables(framework).into_iter().flat_map(|table| &table.parts) {
        scopes.extend(part.scopes.iter().copied().map(Some));
        for version in part.versions() {
            match name {
                "huggingface" => {
                    let bases = part.bases(part.version_of(version));
                    pairs.extend(bases.into_iter().map(|base| (Some(version), Some(base))));
                }
                _ => drop(pairs.insert((Some(version), None))),
            }
        }
        for entry in &part.entries {
            pys.extend(
                entry.py_versions.iter().copied().chain([entry.py].into_iter().filter(|py| !py.is_empty())).map(Some),
            );
        }
    }
    let scope_of = |name: &str| ImageScope::ALL.into_iter().find(|scope| scope.as_str() == name).unwrap();
    let variants: Vec<(&str, Option<Change>)> = std::iter::once(("-", None))
        .chain(
            VARIANTS.iter().filter(|(.., names)| names.contains(&name)).map(|(key, change, _)| (*key, Some(*change))),
        )
        .collect();

    let given = |value: Option<&'static str>| value.filter(|value| !value.is_empty()).unwrap_or("-");
    let mut found = Vec::new();
    for (version, base) in &pairs {
        for py in &pys {
            for instance in INSTANCES {
                for scope in &scopes {
                    for (variant, change) in &variants {
                        let mut query = image_uri(name);
                        query.version = version.map(str::to_owned);
                        query.py_version = py.map(str::to_owned);
                        query.instance_type = instance.map(str::to_owned);
                        query.scope = scope.map(scope_of);
                        query.base_framework = base.map(str::to_owned);
                        let query = change.iter().fold(query, |query, change| change(query));
                        let Ok(image) = resolve(&query) else { continue };
                        let arguments = [Some(name), *version, *py, instance, *scope, *base].map(given).join("\t");
                        for region in regions.iter().filter(|region| image.is_in(region)) {
                            let uri = image.uri(&query, region).unwrap();
                            found.push(format!("{arguments}\t{variant}\t{region}\t{uri}\n"));
                        }
                    }
                }
            }
        }
    }
    found.sort_unstable();
    found
}

fn fnv1a64(lines: &[String]) -> u64 {
    let mut digest: u64 = 0xcbf2_9ce4_8422_2325;
    for line in lines {
        for byte in line.as_bytes() {
            digest = (digest ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    digest
}

/// The answers of `each` for all frameworks, in their order; several at a time, as there are a million lines.
fn of_all<T: Send>(each: impl Fn(&'static str, Vec<String>) -> T + Sync) -> Vec<T> {
    let entries = table::frameworks().iter().flat_map(|framework| &framework.parts).flat_map(|part| &part.entries);
    let regions: BTreeSet<&str> = entries.flat_map(table::Entry::regions).collect();
    let mut asked: Vec<_> = table::frameworks().iter().filter(|known| !APART.contains(&known.name)).collect();
    // The long ones first, so that no thread is left with one.
    asked.sort_unstable_by_key(|framework| !["tensorflow", "pytorch", "huggingface"].contains(&framework.name));
    let queue = Mutex::new(asked.into_iter());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some(framework) = queue.lock().unwrap().next() else { break };
                    let answer = each(framework.name, lines(framework, &regions));
                    done.lock().unwrap().push((framework.name, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_unstable_by_key(|(name, _)| *name);
    done.into_iter().map(|(_, answer)| answer).collect()
}

#[test]
fn every_combination_is_what_the_python_sdk_answers() {
    let digests = of_all(|name, lines| format!("{name}\t{}\t{:016x}", lines.len(), fnv1a64(&lines)));
    let mut expected: Vec<&str> = DIGESTS.lines().filter(|line| !line.starts_with('#')).collect();
    expected.sort_unstable();
    let mut digests: Vec<&str> = digests.iter().map(String::as_str).collect();
    digests.sort_unstable();
    assert_eq!(digests, expected);
}

/// For a look at what differs, should the digests.
#[test]
#[ignore = "writes the list of every image to the file that SAGEMAKER_IMAGE_LIST names"]
fn writes_the_whole_list() {
    let file = std::env::var_os("SAGEMAKER_IMAGE_LIST").unwrap();
    let mut lines: Vec<String> = of_all(|_, lines| lines).into_iter().flatten().collect();
    lines.sort_unstable();
    std::fs::write(file, lines.concat()).unwrap();
}
