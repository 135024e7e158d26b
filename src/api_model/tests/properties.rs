use std::collections::HashMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;

use super::*;
use crate::api_model::regex_syntax::translate;
use crate::api_model::table::{Limit, Shape};

/// Texts for patterns that no generator can read because they look around.
const SAMPLES: &[&str] = &[
    "a",
    "abc",
    "a/b",
    "/a/b",
    "s3://bucket/key",
    "https://example.com/path",
    "example.com",
    "arn:aws:cloudformation:eu-west-1:123456789012:stack/a/b",
    "arn:aws:sagemaker:eu-west-1:123456789012:model-package/a",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1",
    "user@example.com",
];

/// Makes values that keep every constraint of a shape.
struct Maker {
    table: Table,
    runner: TestRunner,
    /// A text for each string shape's pattern and limits; `None` where none was found.
    texts: HashMap<String, Option<String>>,
}

impl Maker {
    fn new(service: Service) -> Self {
        Self { table: service.table(), runner: TestRunner::deterministic(), texts: HashMap::new() }
    }

    /// `None` where a text could not be made, or the shape needs itself.
    fn value(&mut self, name: &str, depth: usize) -> Option<Value> {
        let shape = self.table.shape(name).unwrap();
        let least = shape.least().map_or(0.0, Limit::value);
        let greatest = shape.greatest().map_or(f64::INFINITY, Limit::value);
        Some(match shape.kind {
            Kind::String => json!(self.text(name, &shape)?),
            Kind::Integer | Kind::Long => json!((least.max(1.0).min(greatest)) as i64),
            Kind::Float => json!(least.max(0.5).min(greatest)),
            Kind::Boolean => json!(true),
            Kind::Timestamp => json!(1_700_000_000.5),
            Kind::Blob => json!("QUJD"),
            Kind::EventStream => json!({}),
            Kind::List => {
                let count = least.max(if depth == 0 { 0.0 } else { 1.0 }) as usize;
                match self.value(shape.element().unwrap(), depth.saturating_sub(1)) {
                    Some(element) => Value::Array(vec![element; count]),
                    None if least == 0.0 => json!([]),
                    None => return None,
                }
            }
            // One key is made.
            Kind::Map if least > 1.0 => return None,
            Kind::Map => {
                let mut entries = serde_json::Map::new();
                if least >= 1.0 || depth > 0 {
                    let key = self.value(shape.key().unwrap(), 0)?;
                    let value = self.value(shape.element().unwrap(), depth.saturating_sub(1))?;
                    entries.insert(key.as_str()?.to_owned(), value);
                }
                Value::Object(entries)
            }
            Kind::Structure | Kind::Union => {
                let mut members = serde_json::Map::new();
                for member in shape.members() {
                    let is_wanted = match shape.kind {
                        Kind::Union => members.is_empty(),
                        _ => member.required || depth > 0,
                    };
                    if !is_wanted {
                        continue;
                    }
                    match self.value(member.shape, depth.saturating_sub(1)) {
                        Some(value) => drop(members.insert(member.name.to_owned(), value)),
                        None if member.required => return None,
                        None => {}
                    }
                }
                if shape.kind == Kind::Union && members.is_empty() {
                    return None;
                }
                Value::Object(members)
            }
        })
    }

    fn text(&mut self, name: &str, shape: &Shape) -> Option<String> {
        if let Some(known) = self.texts.get(name) {
            return known.clone();
        }
        let least = shape.least().map_or(0, |limit| limit.value() as usize);
        let greatest = shape.greatest().map_or(usize::MAX, |limit| limit.value() as usize);
        let fits = |text: &String| (least..=greatest).contains(&text.chars().count());
        let made = match (shape.values(), shape.pattern()) {
            (Some(values), _) => values.iter().last().map(str::to_owned),
            (None, None) => Some("x".repeat(least.max(1))).filter(fits),
            (None, Some(pattern)) => self.generated(pattern, fits).or_else(|| {
                // With the check's own matcher: these tell nothing about the pattern, but all about what is around.
                let samples = SAMPLES.iter().map(|text| (*text).to_owned());
                samples.filter(fits).find(|text| crate::api_model::pattern::matches(pattern, text))
            }),
        };
        self.texts.insert(name.to_owned(), made.clone());
        made
    }

    fn generated(&mut self, pattern: &str, fits: impl Fn(&String) -> bool) -> Option<String> {
        // The generator takes no anchors; literals are escaped by now, so that these characters are nothing else.
        let text = translate(pattern)?.text.replace("[^", "[\0").replace(['^', '$'], "").replace('\0', "^");
        let texts = string_regex(&text).ok()?;
        (0..200).map(|_| texts.new_tree(&mut self.runner).unwrap().current()).find(fits)
    }
}

#[test]
fn values_made_to_keep_the_constraints_pass() {
    for service in Service::ALL {
        let mut maker = Maker::new(service);
        let (mut passed, mut skipped) = (0, Vec::new());
        for operation in operations(service) {
            let (input, output) = service.table().operation(operation).unwrap();
            for (name, is_input) in [(input, true), (output, false)] {
                for depth in [0, 1, 6] {
                    if name.is_empty() {
                        continue;
                    }
                    let Some(value) = maker.value(name, depth) else {
                        skipped.push(name);
                        continue;
                    };
                    let check = if is_input { validate } else { validate_output };
                    let found = check(service, operation, &value, Strictness::Exact).unwrap();
                    assert_eq!(found, [], "{operation} {value}");
                    passed += 1;
                }
            }
        }
        assert!(skipped.len() * 20 < passed, "{service:?}: {passed} passed, skipped {skipped:?}");
        let missing = maker.texts.iter().filter(|(_, text)| text.is_none()).map(|(name, _)| name).collect::<Vec<_>>();
        assert!(missing.len() * 20 < maker.texts.len(), "{service:?}: no text for {missing:?}");
    }
}

#[test]
fn a_value_with_one_required_member_taken_out_is_refused() {
    for service in Service::ALL {
        let mut maker = Maker::new(service);
        for operation in operations(service) {
            let (input, _) = service.table().operation(operation).unwrap();
            let Some(Value::Object(good)) =
                Some(input).filter(|name| !name.is_empty()).and_then(|name| maker.value(name, 0))
            else {
                continue;
            };
            for member in input_members(service, operation).unwrap().into_iter().filter(|member| member.required) {
                let mut input = good.clone();
                input.remove(member.name);
                let found = validate(service, operation, &Value::Object(input), Strictness::Client).unwrap();
                assert_eq!(found.len(), 1, "{operation} {found:?}");
                assert_eq!((found[0].field.as_str(), &found[0].constraint), (member.name, &Constraint::Required));
            }
        }
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// An input that is right but for some members that hold anything.
fn nearly_right() -> impl Strategy<Value = (&'static str, Value)> {
    let names: Vec<&'static str> = operations(Service::SageMaker).collect();
    (prop::sample::select(names), prop::collection::vec((any::<prop::sample::Index>(), json_value()), 1..4)).prop_map(
        |(operation, changes)| {
            let mut input = serde_json::Map::new();
            let members: Vec<_> = input_members(Service::SageMaker, operation).unwrap();
            for (index, value) in changes {
                if !members.is_empty() {
                    input.insert(index.get(&members).name.to_owned(), value);
                }
            }
            (operation, Value::Object(input))
        },
    )
}

proptest! {
    #[test]
    fn no_document_panics(document in json_value()) {
        for operation in ["CreateTrainingJob", "Search", "DeleteEndpoint", "CreateEndpointConfig"] {
            for strictness in [Strictness::Client, Strictness::Exact] {
                let found = validate(Service::SageMaker, operation, &document, strictness).unwrap();
                message(&found);
            }
        }
    }

    #[test]
    fn no_member_panics((operation, input) in nearly_right()) {
        let strict = validate(Service::SageMaker, operation, &input, Strictness::Exact).unwrap();
        let lenient = validate(Service::SageMaker, operation, &input, Strictness::Client).unwrap();
        prop_assert!(lenient.iter().all(|violation| strict.contains(violation)));
        for violation in strict {
            prop_assert!(!violation.to_string().is_empty() && !violation.message.is_empty());
        }
    }
}

#[test]
fn a_deep_document_ends() {
    // Search nests in itself. Put together by hand, as `json!` copies by recursion.
    let nest = |name: &str, value: Value| Value::Object([(name.to_owned(), value)].into_iter().collect());
    let mut input = json!({});
    for _ in 0..2_000 {
        input = nest("SubExpressions", Value::Array(vec![input]));
    }
    input = nest("SearchExpression", input);
    input["Resource"] = json!("TrainingJob");
    let found = server("Search", &input);
    assert!(found.iter().all(|violation| violation.constraint == Constraint::TooDeep), "{found:?}");
    assert_eq!(found.len(), 1);
    // Dropping a value recurses as well.
    let mut rest = input["SearchExpression"].take();
    while let Some(inner) = rest.pointer_mut("/SubExpressions/0").map(Value::take) {
        rest = inner;
    }
}

#[test]
fn a_large_document_of_mistakes_stays_small_in_its_answer() {
    let tags: Vec<Value> = (0..100_000).map(|_| json!({"Key": "", "Wrong": 1})).collect();
    let found = server("AddTags", &json!({"ResourceArn": "arn:aws:x", "Tags": tags}));
    assert_eq!(found.len(), 1_000);

    let bad: Vec<&str> = vec!["_"; 100_000];
    let found = server("CreateTrainingJob", &with("/VpcConfig", json!({"SecurityGroupIds": bad, "Subnets": ["s"]})));
    assert_eq!(found.len(), 11);
    assert!(message(&found).starts_with("2 validation errors detected: "));

    let entries: serde_json::Map<String, Value> = (0..10_000).map(|i| (format!("k {i}"), json!("a\nb"))).collect();
    assert!(server("CreateTrainingJob", &with("/Environment", Value::Object(entries))).len() <= 30);
}
