//! Generated names become placeholders: `base-2024-01-31-10-00-00-123` is `base-{ts1}`, the same name the same one.

use std::collections::BTreeMap;

use fancy_regex::Regex;
use serde_json::Value;

const GENERATED: &str = concat!(
    r"(?<!key/)(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    r"|(?<!\d)(?P<ts>20\d{2}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2}-\d{1,3})(?!\d)",
    r"|(?<!\d)(?P<uniq>1[6-9]\d{8}-[0-9a-f]{4})(?![0-9a-f])",
    r"|(?<!\d)(?P<short>2\d[01]\d[0-3]\d-[0-2]\d[0-5]\d)(?!\d)",
);
const KINDS: [&str; 4] = ["uuid", "ts", "uniq", "short"];

/// The requests with placeholders. Names are counted in the calls first, then in the S3 writes, whose order is free.
pub fn normalise(requests: Vec<Value>) -> Vec<Value> {
    let mut names = Names::new();
    let mut done = vec![Value::Null; requests.len()];
    let (mut writes, calls): (Vec<usize>, Vec<usize>) = (0..requests.len()).partition(|&at| is_write(&requests[at]));
    writes.sort_by_cached_key(|&at| names.deep(&requests[at], false).to_string());
    for at in calls.into_iter().chain(writes) {
        done[at] = names.deep(&requests[at], true);
    }
    done
}

pub fn is_write(request: &Value) -> bool {
    matches!(request["op"].as_str(), Some("s3.PutObject" | "s3.CopyObject"))
}

struct Names {
    generated: Regex,
    prefix: Regex,
    numbers: BTreeMap<(String, String, String), usize>,
    counts: BTreeMap<(String, String), usize>,
}

impl Names {
    fn new() -> Self {
        Self {
            generated: Regex::new(GENERATED).unwrap(),
            prefix: Regex::new(r"[A-Za-z0-9_.{}-]*$").unwrap(),
            numbers: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    fn deep(&mut self, value: &Value, number: bool) -> Value {
        match value {
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| (self.text(name, number), self.deep(value, number)));
                Value::Object(members.collect())
            }
            Value::Array(items) => items.iter().map(|item| self.deep(item, number)).collect(),
            Value::String(text) => self.text(text, number).into(),
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str, number: bool) -> String {
        let found: Vec<_> = self.generated.captures_iter(text).map(Result::unwrap).collect();
        let (mut out, mut at) = (String::new(), 0);
        for captures in found {
            let (kind, found) = KINDS.iter().find_map(|kind| Some((*kind, captures.name(kind)?))).unwrap();
            out.push_str(&text[at..found.start()]);
            at = found.end();
            let number = if number { self.number(kind, &out, found.as_str()) } else { String::new() };
            out.push_str(&format!("{{{kind}{number}}}"));
        }
        out + &text[at..]
    }

    fn number(&mut self, kind: &str, before: &str, found: &str) -> String {
        let prefix = self.prefix.find(before).unwrap().map_or("", |prefix| prefix.as_str()).to_owned();
        let slot = (kind.to_owned(), prefix.clone(), found.to_owned());
        let count = self.counts.entry((kind.to_owned(), prefix)).or_default();
        let number = self.numbers.entry(slot).or_insert_with(|| {
            *count += 1;
            *count
        });
        number.to_string()
    }
}

#[test]
fn the_same_name_is_the_same_placeholder() {
    let job = |time: &str| serde_json::json!({ "op": "sagemaker.X", "body": { "Name": format!("my-job-{time}") } });
    let (one, two) = ("2024-01-31-10-00-00-123", "2024-01-31-10-00-01-5");
    let names: Vec<_> =
        normalise(vec![job(one), job(two), job(one)]).iter().map(|it| it["body"]["Name"].clone()).collect();
    assert_eq!(names, ["my-job-{ts1}", "my-job-{ts2}", "my-job-{ts1}"]);
    let key = serde_json::json!("arn:aws:kms:us-west-2:1:key/11111111-2222-3333-4444-555555555555");
    assert_eq!(normalise(vec![key.clone()]), [key]);
}
