//! Rules from a JSON file.

use std::time::Duration;

use serde::Deserialize;

use super::{CHECKPOINTS, Fault, FaultRule};
use crate::{Error, ErrorKind, Result};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// For the rules that have none of their own.
    #[serde(default)]
    seed: u64,
    faults: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fault: Name,
    service: Option<String>,
    operation: Option<String>,
    resource: Option<String>,
    skip: Option<u64>,
    nth: Option<u64>,
    times: Option<u64>,
    probability: Option<f64>,
    seed: Option<u64>,
    // What some faults take.
    seconds: Option<f64>,
    bytes: Option<u64>,
    checkpoints: Option<u64>,
    status: Option<String>,
    http_status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
}

#[derive(Debug, Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Name {
    Throttle,
    InternalError,
    Refuse,
    Latency,
    DropConnection,
    LoseAnswer,
    SpoilAnswer,
    BreakAnswer,
    Capacity,
    SpotInterruption,
    Stuck,
    StaleTags,
}

/// Reads a file of rules.
pub(super) fn parse(json: &str) -> Result<Vec<FaultRule>> {
    let file: File = serde_json::from_str(json).map_err(|error| {
        Error::new(ErrorKind::InvalidInput, format!("this is no file of faults: {error}")).with_source(error)
    })?;
    let rules = file.faults.into_iter().enumerate();
    rules.map(|(number, entry)| rule(entry, file.seed).map_err(|(member, why)| invalid(number, member, why))).collect()
}

type Mistake = (&'static str, &'static str);

fn invalid(number: usize, member: &str, why: &str) -> Error {
    Error::invalid(format!("faults[{number}].{member}"), why)
}

fn rule(mut entry: Entry, seed: u64) -> std::result::Result<FaultRule, Mistake> {
    let mut rule = FaultRule::new(fault(&mut entry)?);
    // What the fault takes has been taken.
    let left = [
        ("seconds", entry.seconds.is_some()),
        ("bytes", entry.bytes.is_some()),
        ("checkpoints", entry.checkpoints.is_some()),
        ("status", entry.status.is_some()),
        ("http_status", entry.http_status.is_some()),
        ("code", entry.code.is_some()),
        ("message", entry.message.is_some()),
    ];
    if let Some((member, _)) = left.into_iter().find(|(_, given)| *given) {
        return Err((member, "this fault does not take it"));
    }
    let probability = entry.probability.unwrap_or(1.0);
    if !(0.0..=1.0).contains(&probability) {
        return Err(("probability", "it is from 0 to 1"));
    }
    match entry.nth {
        Some(_) if entry.skip.is_some() || entry.times.is_some() => {
            return Err(("nth", "it stands for skip and times: give it or them"));
        }
        Some(0) => return Err(("nth", "requests are counted from 1")),
        Some(number) => rule = rule.nth(number),
        None => rule = rule.skip(entry.skip.unwrap_or(0)).times(entry.times.unwrap_or(u64::MAX)),
    }
    rule = rule.probability(probability).seed(entry.seed.unwrap_or(seed));
    rule.service = entry.service;
    rule.operation = entry.operation;
    rule.resource = entry.resource;
    Ok(rule)
}

fn fault(entry: &mut Entry) -> std::result::Result<Fault, Mistake> {
    let mut seconds = || {
        let seconds = entry.seconds.take().ok_or(("seconds", "this fault needs it"))?;
        Duration::try_from_secs_f64(seconds).map_err(|_| ("seconds", "it is a number of seconds, not below 0"))
    };
    Ok(match entry.fault {
        Name::Throttle => Fault::Throttle,
        Name::InternalError => Fault::InternalError,
        Name::Refuse => Fault::Refuse {
            status: entry
                .http_status
                .take()
                .filter(|status| (400..600).contains(status))
                .ok_or(("http_status", "this fault needs one from 400 to 599"))?,
            code: entry.code.take().ok_or(("code", "this fault needs it"))?,
            message: entry.message.take().unwrap_or_default(),
        },
        Name::Latency => Fault::Latency(seconds()?),
        Name::DropConnection => Fault::DropConnection,
        Name::LoseAnswer => Fault::LoseAnswer,
        Name::SpoilAnswer => Fault::SpoilAnswer,
        Name::BreakAnswer => Fault::BreakAnswer { after: entry.bytes.take().ok_or(("bytes", "this fault needs it"))? },
        Name::Capacity => Fault::Capacity,
        Name::SpotInterruption => {
            Fault::SpotInterruption { checkpoints: entry.checkpoints.take().unwrap_or(CHECKPOINTS) }
        }
        Name::Stuck => Fault::Stuck { status: entry.status.take() },
        Name::StaleTags => Fault::StaleTags { lag: seconds()? },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_says_what_the_builders_say() {
        let text = r#"{"seed": 3, "faults": [
            {"fault": "throttle", "operation": "CreateTrainingJob", "times": 2},
            {"fault": "latency", "seconds": 0.25, "service": "s3", "probability": 0.5, "seed": 4},
            {"fault": "refuse", "http_status": 400, "code": "AccessDeniedException", "resource": "a-*", "nth": 2},
            {"fault": "stuck", "status": "Creating", "skip": 1},
            {"fault": "break-answer", "bytes": 10},
            {"fault": "spot-interruption", "checkpoints": 5},
            {"fault": "stale-tags", "seconds": 5}
        ]}"#;
        let expected = [
            Fault::throttle().on("CreateTrainingJob").times(2).seed(3),
            Fault::latency(Duration::from_millis(250)).service("s3").probability(0.5).seed(4),
            Fault::refuse(400, "AccessDeniedException", "").resource("a-*").nth(2).seed(3),
            Fault::stuck_in("Creating").skip(1).seed(3),
            Fault::break_answer(10).seed(3),
            Fault::spot_interruption_after(5).seed(3),
            Fault::stale_tags(Duration::from_secs(5)).seed(3),
        ];
        assert_eq!(parse(text).unwrap(), expected);
        let plain = [
            "throttle",
            "internal-error",
            "drop-connection",
            "lose-answer",
            "spoil-answer",
            "capacity",
            "spot-interruption",
        ];
        for name in plain {
            assert_eq!(parse(&format!(r#"{{"faults": [{{"fault": "{name}"}}]}}"#)).unwrap().len(), 1, "{name}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (entry, named) in [
            (r#"{"fault": "nonsense"}"#, "nonsense"),
            (r#"{"fault": "throttle", "tmies": 2}"#, "tmies"),
            (r#"{"fault": "latency"}"#, "faults[0].seconds"),
            (r#"{"fault": "latency", "seconds": -1}"#, "faults[0].seconds"),
            (r#"{"fault": "throttle", "seconds": 1}"#, "faults[0].seconds"),
            (r#"{"fault": "throttle", "checkpoints": 1}"#, "faults[0].checkpoints"),
            (r#"{"fault": "throttle", "probability": 1.5}"#, "faults[0].probability"),
            (r#"{"fault": "throttle", "nth": 0}"#, "faults[0].nth"),
            (r#"{"fault": "throttle", "nth": 1, "times": 2}"#, "faults[0].nth"),
            (r#"{"fault": "refuse", "code": "X", "http_status": 200}"#, "faults[0].http_status"),
            (r#"{"fault": "refuse", "http_status": 400}"#, "faults[0].code"),
            (r#"{"fault": "break-answer"}"#, "faults[0].bytes"),
        ] {
            let error = parse(&format!(r#"{{"faults": [{entry}]}}"#)).unwrap_err();
            assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains(named), "{entry}: {error}");
        }
        assert!(parse("").is_err() && parse("[]").is_err() && parse("{}").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}", seconds in any::<f64>(), times in any::<i64>()) {
            let _ = parse(&text);
            let _ = parse(&format!(r#"{{"faults": [{{"fault": "latency", "seconds": {seconds}, "times": {times}}}]}}"#));
        }
    }
}
