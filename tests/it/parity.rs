//! Wire parity with the SageMaker Python SDK: scenarios that were recorded from it, run on the local backend.
//!
//! `parity/golden/NAME.json` holds the requests that change something, in a normal form without what differs from run to
//! run. The same scenarios run against any endpoint by `cargo run --example parity NAME`.

mod algo;
mod backend;
mod compare;
mod more_algorithms;
mod more_jobs;
mod more_scripts;
mod normalise;
mod script;
mod session;
#[allow(dead_code, reason = "the groups grow")]
mod support;
mod train;

use serde_json::Value;

use backend::Place;
use support::Scenario;

/// What lies beside this file.
fn stored(name: &str) -> Value {
    let path = format!("{}/tests/it/parity/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs each scenario on a backend of its own; what differs is told all together.
async fn check(scenarios: &[(&str, Scenario)]) {
    let mut report = Vec::new();
    for (name, run) in scenarios {
        let golden = stored(&format!("golden/{name}"));
        let place = Place::of(name).await;
        if let Err(error) = run(&place.session).await {
            report.push(format!("{name}: {error}"));
        }
        let trace = normalise::normalise(place.changes().await);
        let golden = compare::comparable(golden["requests"].as_array().unwrap());
        let rules = compare::rules(&stored("ignore"), name);
        report.extend(compare::differences(&golden, &trace, &rules).into_iter().map(|line| format!("{name}: {line}")));
    }
    assert!(report.is_empty(), "\n{}", report.join("\n"));
}

#[tokio::test]
async fn training() {
    check(train::SCENARIOS).await;
}

#[tokio::test]
async fn script_mode() {
    check(script::SCENARIOS).await;
}

#[tokio::test]
async fn built_in_algorithms() {
    check(algo::SCENARIOS).await;
}

/// Combinations of options that the shared scenarios do not have, captured from the Python SDK in the same way.
#[tokio::test]
async fn scripts_in_combination() {
    check(more_scripts::SCENARIOS).await;
}

#[tokio::test]
async fn jobs_in_combination() {
    check(more_jobs::SCENARIOS).await;
}

#[tokio::test]
async fn built_in_algorithms_in_combination() {
    check(more_algorithms::SCENARIOS).await;
}

#[tokio::test]
async fn sessions() {
    check(session::SCENARIOS).await;
}

#[test]
fn each_scenario_has_a_golden_file_of_its_name() {
    let more = [more_scripts::SCENARIOS, more_jobs::SCENARIOS, more_algorithms::SCENARIOS].concat();
    let all = [train::SCENARIOS, script::SCENARIOS, algo::SCENARIOS, session::SCENARIOS, &more].concat();
    let mut names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "twice: {names:?}");
    for name in names {
        assert_eq!(stored(&format!("golden/{name}"))["scenario"], name);
    }
}
