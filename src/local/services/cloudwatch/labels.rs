//! Dynamic labels: `${MAX}`, `${PROP('Dim.InstanceId')}`, `${LAST_TIME}`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{dimensions, text, validation};
use crate::local::aws_error::AwsError;
use crate::local::state::Place;
use crate::local::time::date_time_of;

/// The offset of `+0530` in seconds; UTC if none is given.
pub(super) fn zone(value: &Value) -> Result<i64, AwsError> {
    let Some(text) = value.as_str() else { return Ok(0) };
    let wrong = || validation(format!("The value {text} for parameter LabelOptions.Timezone is invalid."));
    let (sign, digits) = text.split_at_checked(1).ok_or_else(wrong)?;
    let number = |digits: Option<&str>| digits.and_then(|digits| digits.parse::<i64>().ok());
    let plain = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let (Some(hours), Some(minutes), true) = (number(digits.get(..2)), number(digits.get(2..)), plain) else {
        return Err(wrong());
    };
    match sign {
        "+" => Ok(hours * 3600 + minutes * 60),
        "-" => Ok(-(hours * 3600 + minutes * 60)),
        _ => Err(wrong()),
    }
}

/// A label with what its placeholders stand for; those that are unknown stay as they are.
pub(super) fn expand(
    label: &str,
    default: &str,
    query: &Value,
    points: &BTreeMap<i64, f64>,
    place: &Place,
    zone: i64,
) -> String {
    let (mut out, mut rest) = (String::new(), label);
    while let Some((before, tail)) = rest.split_once("${") {
        out.push_str(before);
        let Some((placeholder, after)) = tail.split_once('}') else {
            out.push_str("${");
            rest = tail;
            continue;
        };
        match value(placeholder, default, query, points, place, zone) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&format!("${{{placeholder}}}")),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn value(
    placeholder: &str,
    default: &str,
    query: &Value,
    points: &BTreeMap<i64, f64>,
    place: &Place,
    zone: i64,
) -> Option<String> {
    let stat = &query["MetricStat"];
    if let Some(property) = placeholder.strip_prefix("PROP('").and_then(|rest| rest.strip_suffix("')")) {
        let metric = &stat["Metric"];
        return match property {
            "AccountId" => Some(place.account.clone()),
            "Region" => Some(place.region.clone()),
            "MetricName" | "Namespace" => metric[property].as_str().map(str::to_owned),
            "Period" => stat["Period"].as_i64().or(query["Period"].as_i64()).map(|period| period.to_string()),
            "Stat" => Some(text(stat, "Stat").to_owned()),
            property => {
                let name = property.strip_prefix("Dim.")?;
                dimensions(metric).into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
            }
        };
    }
    if placeholder == "LABEL" {
        return Some(default.to_owned());
    }
    // Without datapoints the service writes this.
    let of = |point: Option<(i64, f64)>, timed: bool| match point {
        None => "--".to_owned(),
        Some((at, _)) if timed => date_time_of((at + zone) * 1000)[..19].to_owned(),
        Some((_, value)) => value.to_string(),
    };
    let all = || points.iter().map(|(at, value)| (*at, *value));
    let count = points.len() as f64;
    let sum: f64 = points.values().sum();
    let (name, timed) = match placeholder.strip_suffix("_TIME") {
        Some(name) => (name, true),
        None => (placeholder, false),
    };
    let some = |value: f64| (!points.is_empty()).then_some((0, value));
    let point = match name {
        "FIRST" => all().next(),
        "LAST" => all().next_back(),
        "MAX" => all().max_by(|(_, a), (_, b)| a.total_cmp(b)),
        "MIN" => all().min_by(|(_, a), (_, b)| a.total_cmp(b)),
        "SUM" if !timed => some(sum),
        "AVG" if !timed => some(sum / count),
        "DATAPOINT_COUNT" if !timed => return Some(points.len().to_string()),
        _ => return None,
    };
    Some(of(point, timed))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn expanded(label: &str, points: &[(i64, f64)]) -> String {
        let metric = json!({"MetricName": "CPU", "Namespace": "N", "Dimensions": [{"Name": "Id", "Value": "i-1"}]});
        let query = json!({"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}});
        let place = Place { region: "eu-west-1".into(), account: "1".into() };
        expand(label, "CPU", &query, &points.iter().copied().collect(), &place, 3600)
    }

    #[test]
    fn placeholders_stand_for_values() {
        let points = [(0, 2.0), (60, 5.5), (120, 1.0)];
        for (label, expected) in [
            ("plain", "plain"),
            ("${MAX} at ${MAX_TIME}", "5.5 at 1970-01-01T01:01:00"),
            ("${LABEL}: ${PROP('Dim.Id')} ${PROP('Stat')}/${PROP('Period')}", "CPU: i-1 Sum/60"),
            ("${SUM} ${DATAPOINT_COUNT} ${LAST}", "8.5 3 1"),
            ("${UNKNOWN} ${open", "${UNKNOWN} ${open"),
        ] {
            assert_eq!(expanded(label, &points), expected);
        }
        assert_eq!(expanded("${AVG}", &[]), "--");
        assert_eq!(zone(&json!("-0130")).unwrap(), -5400);
        for bad in ["", "0100", "+1", "+01:0", "é100", "+é10"] {
            assert!(zone(&json!(bad)).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_label_makes_it_panic(label in "(\\$\\{|\\}|PROP|'|MAX|_TIME|\\PC){0,12}", offset in "\\PC{0,6}") {
            expanded(&label, &[(0, 1.0)]);
            let _ = zone(&json!(offset));
        }
    }
}
