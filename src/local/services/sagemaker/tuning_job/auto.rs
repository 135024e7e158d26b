//! Autotune: what the request leaves open is chosen for it.

use serde_json::{Value, json};

/// The jobs of an autotuned search that sets no limit.
const JOBS: u64 = 20;

/// Fills in ranges for `AutoParameters`, limits and the strategy, if the request asks for it.
pub(super) fn complete(document: &mut Value) {
    if document.get("Autotune").and_then(|autotune| autotune.get("Mode")).and_then(Value::as_str) != Some("Enabled") {
        return;
    }
    let config = &mut document["HyperParameterTuningJobConfig"];
    if let Some(ranges) = config.get_mut("ParameterRanges") {
        add_ranges(ranges);
    }
    let limits = &mut config["ResourceLimits"];
    let grid_free = ["MaxNumberOfTrainingJobs", "MaxRuntimeInSeconds"];
    if limits.is_object() && grid_free.iter().all(|member| limits.get(member).is_none_or(Value::is_null)) {
        let parallel = limits.get("MaxParallelTrainingJobs").and_then(Value::as_u64).unwrap_or(1);
        limits["MaxNumberOfTrainingJobs"] = json!(JOBS.max(parallel));
    }
    let trainings = document.get_mut("TrainingJobDefinitions").and_then(Value::as_array_mut);
    for training in trainings.into_iter().flatten() {
        if let Some(ranges) = training.get_mut("HyperParameterRanges") {
            add_ranges(ranges);
        }
    }
}

/// Adds a range around the hint of each auto parameter; Describe still shows the parameters themselves.
fn add_ranges(ranges: &mut Value) {
    let parameters = ranges.get("AutoParameters").and_then(Value::as_array).cloned().unwrap_or_default();
    for parameter in parameters {
        let member = |name: &str| parameter.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (list, range) = around(&member("Name"), &member("ValueHint"));
        match ranges.get_mut(list).and_then(Value::as_array_mut) {
            Some(list) => list.push(range),
            None => ranges[list] = json!([range]),
        }
    }
}

/// A range around a value: a quarter to four times an integer, a tenth to ten times a number, else the value alone.
fn around(name: &str, hint: &str) -> (&'static str, Value) {
    let range = |min: String, max: String, scaling: &str| json!({"Name": name, "MinValue": min, "MaxValue": max, "ScalingType": scaling});
    if let Ok(hint) = hint.trim().parse::<i64>() {
        let width = hint.saturating_abs().max(1);
        let (min, max) = match hint {
            1.. => ((hint / 4).max(1), hint.saturating_mul(4)),
            _ => (hint.saturating_sub(width), hint.saturating_add(width)),
        };
        return ("IntegerParameterRanges", range(min.to_string(), max.to_string(), "Auto"));
    }
    match hint.trim().parse::<f64>() {
        // What lies between 0 and 1 is often a share: it stays there.
        Ok(hint) if hint > 0.0 && hint < 1.0 => {
            let scaling = if hint < 0.05 { "Logarithmic" } else { "Auto" };
            let range = range((hint / 10.0).to_string(), (hint * 10.0).min(1.0).to_string(), scaling);
            ("ContinuousParameterRanges", range)
        }
        Ok(hint) if hint.is_finite() => {
            let width = hint.abs().max(1.0);
            let (min, max) = if hint > 0.0 { (hint / 10.0, hint * 10.0) } else { (hint - width, hint + width) };
            ("ContinuousParameterRanges", range(min.to_string(), max.min(f64::MAX).to_string(), "Auto"))
        }
        _ => ("CategoricalParameterRanges", json!({"Name": name, "Values": [hint]})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_become_ranges() {
        let found = |hint: &str| {
            let (list, range) = around("x", hint);
            let member = |name: &str| range[name].as_str().unwrap_or_default().to_owned();
            (list.chars().next().unwrap(), member("MinValue"), member("MaxValue"))
        };
        assert_eq!(found("8"), ('I', "2".into(), "32".into()));
        assert_eq!(found("0"), ('I', "-1".into(), "1".into()));
        assert_eq!(found("0.5"), ('C', "0.05".into(), "1".into()));
        assert_eq!(found("2.5"), ('C', "0.25".into(), "25".into()));
        assert_eq!(around("x", "adam"), ("CategoricalParameterRanges", json!({"Name": "x", "Values": ["adam"]})));
    }
}
