//! Compares requests in order. S3 writes that follow one another may come in any order, and so may deletes.

use fancy_regex::Regex;
use serde_json::Value;

use super::normalise::is_write;

/// Lists in which order has no meaning, by the member that holds them.
const UNORDERED: [&str; 5] = ["Tags", "TagKeys", "Environment", "MetricDefinitions", "CollectionConfigurations"];

/// Leaves out a difference.
pub struct Rule {
    operation: Option<String>,
    path: String,
    message: Regex,
}

/// The rules for a scenario in `ignore.json`.
pub fn rules(table: &Value, scenario: &str) -> Vec<Rule> {
    let rules = ["*", scenario].into_iter().filter_map(|name| table[name].as_array()).flatten();
    let rule = |rule: &Value| {
        assert!(rule["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{rule} has no reason");
        Rule {
            operation: rule["op"].as_str().map(str::to_owned),
            path: rule["path"].as_str().unwrap().to_owned(),
            message: Regex::new(rule["message"].as_str().unwrap_or_default()).unwrap(),
        }
    };
    rules.map(rule).collect()
}

/// Golden requests without what the recorder does not keep.
pub fn comparable(golden: &[Value]) -> Vec<Value> {
    let mut golden = golden.to_vec();
    for request in &mut golden {
        if let Value::Object(members) = request {
            members.remove("payload");
        }
    }
    golden
}

/// One line for each difference.
pub fn differences(golden: &[Value], trace: &[Value], rules: &[Rule]) -> Vec<String> {
    let (golden, trace) = (arranged(golden), arranged(trace));
    let mut report = Vec::new();
    for at in 0..golden.len().max(trace.len()) {
        match (golden.get(at), trace.get(at)) {
            (Some(golden), Some(trace)) => {
                let operation = golden["op"].as_str().unwrap_or_default();
                let mut found = Vec::new();
                compare(golden, trace, String::new(), &mut found);
                let kept =
                    found.into_iter().filter(|(path, text)| !rules.iter().any(|rule| rule.fits(operation, path, text)));
                report.extend(kept.map(|(path, text)| format!("{}: {path}: {text}", label(golden))));
            }
            (Some(golden), None) => report.push(format!("missing request: {}", label(golden))),
            (_, Some(trace)) => report.push(format!("surplus request: {}", label(trace))),
            (None, None) => {}
        }
    }
    report
}

impl Rule {
    fn fits(&self, operation: &str, path: &str, text: &str) -> bool {
        let here = path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        here && self.operation.as_deref().is_none_or(|it| it == operation) && self.message.is_match(text).unwrap()
    }
}

fn label(request: &Value) -> String {
    let part = |name: &str| request[name].as_str().unwrap_or_default();
    if part("key").is_empty() {
        part("op").to_owned()
    } else {
        format!("{} {}/{}", part("op"), part("bucket"), part("key"))
    }
}

/// With blocks of free order, and lists without order, sorted.
fn arranged(requests: &[Value]) -> Vec<Value> {
    let block = |request: &Value| match is_write(request) {
        true => Some("write"),
        false => request["op"].as_str().filter(|op| op.starts_with("sagemaker.Delete")).map(|_| "delete"),
    };
    let mut requests: Vec<Value> = requests.iter().map(|request| sorted(request, "")).collect();
    for run in requests.chunk_by_mut(|one, next| block(one).is_some() && block(one) == block(next)) {
        run.sort_by_cached_key(|request| (label(request), request.to_string()));
    }
    requests
}

fn sorted(value: &Value, member: &str) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), sorted(value, name))).collect(),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| sorted(item, "")).collect();
            if UNORDERED.contains(&member) {
                items.sort_by_cached_key(ToString::to_string);
            }
            items.into()
        }
        other => other.clone(),
    }
}

fn compare(golden: &Value, trace: &Value, path: String, found: &mut Vec<(String, String)>) {
    let missing = |golden: &Value| format!("missing, golden has {}", shown(golden));
    let surplus = |trace: &Value| format!("surplus: {}", shown(trace));
    match (golden, trace) {
        (Value::Object(golden), Value::Object(trace)) => {
            let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            for (name, value) in golden {
                match trace.get(name) {
                    Some(other) => compare(value, other, below(name), found),
                    None => found.push((below(name), missing(value))),
                }
            }
            let more = trace.iter().filter(|(name, _)| !golden.contains_key(*name));
            found.extend(more.map(|(name, value)| (below(name), surplus(value))));
        }
        (Value::Array(golden), Value::Array(trace)) => {
            for at in 0..golden.len().max(trace.len()) {
                let below = format!("{path}[{at}]");
                match (golden.get(at), trace.get(at)) {
                    (Some(golden), Some(trace)) => compare(golden, trace, below, found),
                    (Some(golden), None) => found.push((below, missing(golden))),
                    (_, Some(trace)) => found.push((below, surplus(trace))),
                    (None, None) => {}
                }
            }
        }
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => {}
        _ if golden == trace => {}
        _ => found.push((path, format!("{}, golden has {}", shown(trace), shown(golden)))),
    }
}

/// JSON with spaces, as the rules of `ignore.json` expect it; cut.
fn shown(value: &Value) -> String {
    let text = spaced(value);
    if text.chars().count() <= 200 { text } else { text.chars().take(197).collect::<String>() + "..." }
}

fn spaced(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), spaced(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

#[test]
fn every_change_of_a_request_is_told() {
    use serde_json::json;
    let write = |key: &str| json!({ "op": "s3.PutObject", "bucket": "b", "key": key });
    let call = |depth: &str| json!({ "op": "sagemaker.CreateX", "body": { "Depth": depth, "Tags": [{"Key": "a"}, {"Key": "b"}] } });
    let golden = [write("1"), write("2"), call("5")];
    let found = |trace: &[Value]| differences(&golden, trace, &[]).len();
    assert_eq!(found(&[write("2"), write("1"), call("5")]), 0);
    assert_eq!(found(&[write("2"), write("1"), call("6")]), 1);
    assert_eq!(found(&[write("2"), write("1")]), 1);
    assert!(found(&[write("2"), call("5"), write("1")]) > 0);
    let table = json!({ "*": [{ "op": "sagemaker.CreateX", "path": "body.Depth", "message": "^\"6\", golden", "reason": "r" }] });
    assert_eq!(differences(&golden, &[write("1"), write("2"), call("6")], &rules(&table, "x")).len(), 0);
    assert_eq!(differences(&golden, &[write("1"), write("2"), call("7")], &rules(&table, "x")).len(), 1);
}
