//! The rules of the layers, checked on the source: who may import whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Module, layer, siblings of the same layer that it may import.
const MODULES: &[(&str, u8, &[&str])] = &[
    ("error", 0, &["types", "codec"]),
    ("types", 0, &["error"]),
    ("codec", 0, &["error", "types"]),
    ("api_model", 0, &["error"]),
    ("aws", 1, &[]),
    ("poll", 1, &[]),
    ("session", 2, &[]),
    ("s3", 2, &["session"]),
    ("logs", 2, &["session"]),
    ("job", 3, &[]),
    ("training", 4, &[]),
    ("model", 4, &[]),
    ("predictor", 4, &[]),
    ("transform", 4, &["model"]),
    ("endpoint", 4, &["model", "predictor"]),
    ("images", 5, &[]),
    ("source", 5, &[]),
    ("estimator", 5, &["images", "source"]),
    ("progress", 5, &[]),
    ("frameworks", 6, &[]),
    ("algorithms", 6, &[]),
    ("local", 7, &[]),
];

/// An honest server knows only what arrives on the wire.
const LOCAL_IMPORTS: [&str; 4] = ["error", "types", "codec", "api_model"];

struct Source {
    module: String,
    path: PathBuf,
    code: String,
}

/// Every file below `src` with its comments taken out; tests are left out, they may see everything.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(&root).unwrap().to_owned();
            if relative == Path::new("lib.rs") || relative.extension().is_none_or(|e| e != "rs") || is_test(&relative) {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
            let module = first.trim_end_matches(".rs").to_owned();
            sources.push(Source { module, path: relative, code: code.join("\n") });
        }
    }
    sources
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

/// The modules that a file imports as `crate::module` or inside `crate::{..}`.
fn imports(code: &str) -> BTreeSet<String> {
    let root =
        BTreeMap::from([("Session", "session"), ("Error", "error"), ("ErrorKind", "error"), ("Result", "error")]);
    let mut found = BTreeSet::new();
    let mut add = |name: &str| {
        let name: String = name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !name.is_empty() && name != "self" {
            found.insert(root.get(name.as_str()).map_or(name, |module| (*module).to_owned()));
        }
    };
    for (at, _) in code.match_indices("crate::") {
        // Longer identifiers and macros' `$crate` are the same crate all the same, but `other_crate::` is not.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => add(rest),
            Some(list) => {
                let mut depth = 0;
                let mut start = 0;
                for (index, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => {
                            add(&list[start..index]);
                            break;
                        }
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            add(&list[start..index]);
                            start = index + 1;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

#[test]
fn a_layer_imports_only_lower_ones() {
    let table: BTreeMap<_, _> = MODULES.iter().map(|(name, layer, siblings)| (*name, (*layer, *siblings))).collect();
    let mut broken = Vec::new();
    for source in sources() {
        let (layer, siblings) = *table.get(source.module.as_str()).unwrap_or_else(|| {
            panic!("{} belongs to no module that the table of layers knows", source.path.display());
        });
        for import in imports(&source.code) {
            let fine = match (source.module.as_str(), import.as_str()) {
                (own, import) if own == import => true,
                ("local", import) => LOCAL_IMPORTS.contains(&import),
                // The one seam that sees both sides.
                ("session", "local") => {
                    source.path == Path::new("session/local.rs") || source.path == Path::new("session.rs")
                }
                (_, import) => table.get(import).is_some_and(|(other, _)| *other < layer) || siblings.contains(&import),
            };
            if !fine {
                broken.push(format!("{} imports crate::{import}", source.path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_lowest_layer_has_no_io() {
    for source in sources() {
        let layer = MODULES.iter().find(|(name, ..)| *name == source.module).map_or(9, |(_, layer, _)| *layer);
        if layer == 0 {
            for banned in ["aws_", "tokio"] {
                let used = source.code.match_indices(banned).any(|(at, _)| {
                    !source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"')
                        && source.code[at..].contains("::")
                        && source.code[at..]
                            .split("::")
                            .next()
                            .is_some_and(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
                });
                assert!(!used, "{} uses {banned}..", source.path.display());
            }
        }
    }
}

#[test]
fn there_is_no_drawer() {
    for source in sources() {
        for part in source.path.components() {
            let name = part.as_os_str().to_str().unwrap().trim_end_matches(".rs");
            assert!(!["util", "utils", "helpers", "misc", "common"].contains(&name), "{}", source.path.display());
        }
        let lines = source.code.lines().count();
        assert!(lines <= 600, "{} has {lines} lines: is it one idea?", source.path.display());
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let code =
        "use crate::{Error, Result, model::{Model, x}};\nuse crate::types::Arn;\ncrate::job::go();\nmy_crate::no();";
    let found = imports(code);
    let expected = ["error", "job", "model", "types"];
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
