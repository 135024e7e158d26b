//! The smallest requests that the API model accepts.

use serde_json::{Map, Value, json};

use crate::api_model::{self, ModelShape, Service, ShapeKind, Strictness};

/// Texts to try on a pattern.
const TEXTS: &[&str] = &[
    "a",
    "x1",
    "name",
    "d-abcdefghijkl",
    "arn:aws:iam::123456789012:role/Role",
    "s3://bucket/key",
    "https://example.com/path",
    "123456789012",
    "1",
    "1.0",
    "1.0.0",
    "{}",
    "arn:aws:sagemaker:us-east-1:123456789012:cluster/abcdefghijkl",
    "arn:aws:sagemaker:us-east-1:123456789012:workteam/private-crowd/team",
    "arn:aws:sagemaker:us-east-1:123456789012:human-task-ui/ui",
    "arn:aws:lambda:us-east-1:123456789012:function:PRE-BoundingBox",
    "arn:aws:lambda:us-east-1:123456789012:function:f",
    "123456789012.dkr.ecr.us-east-1.amazonaws.com/image:1",
    "vpc-0123456789abcdef0",
    "subnet-0123456789abcdef0",
    "sg-0123456789abcdef0",
    "us-east-1_abcdefghi",
    "2020-01-01T00:00:00Z",
    "ml.m5.large",
    "0123456789abcdef0123456789abcdef",
    "cron(0 * ? * * *)",
    "10.0.0.0/16",
    "Mon:00:00",
    "arn:aws:s3:::bucket",
    "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/model",
    "arn:aws:sagemaker:us-east-1:123456789012:endpoint/endpoint",
];

/// A request with what the operation requires and nothing else.
pub(super) fn request(operation: &str) -> Value {
    request_of(Service::SageMaker, operation)
}

/// [`request`] for any service.
pub(super) fn request_of(service: Service, operation: &str) -> Value {
    let shape = ModelShape::input(service, operation).unwrap();
    structure(shape, operation)
}

/// A request with what the operation requires besides what is there.
pub(super) fn complete(operation: &str, mut have: Value) -> Value {
    let shape = ModelShape::input(Service::SageMaker, operation).unwrap();
    for (member, shape) in shape.members().filter(|(member, _)| member.required) {
        if have.get(member.name).is_none() {
            have[member.name] = value(shape, &format!("{operation}.{}", member.name));
        }
    }
    have
}

/// Panics if the model does not accept a request.
pub(super) fn check(operation: &str, request: &Value) {
    let violations = api_model::validate(Service::SageMaker, operation, request, Strictness::Exact).unwrap();
    assert!(violations.is_empty(), "{operation}: {violations:?}\n{request:#}");
}

fn structure(shape: ModelShape, place: &str) -> Value {
    let required = shape.members().filter(|(member, _)| member.required);
    let made: Map<String, Value> = required
        .map(|(member, shape)| (member.name.to_owned(), value(shape, &format!("{place}.{}", member.name))))
        .collect();
    Value::Object(made)
}

pub(super) fn value(shape: ModelShape, place: &str) -> Value {
    match shape.kind() {
        ShapeKind::String => text(shape, place),
        ShapeKind::Integer | ShapeKind::Long => json!(shape.least().max(1.0) as i64),
        ShapeKind::Float => json!(shape.least().max(1.0)),
        ShapeKind::Boolean => json!(true),
        ShapeKind::Timestamp => json!(1_700_000_000),
        ShapeKind::Blob => json!("eA=="),
        ShapeKind::List => {
            let element = shape.element().unwrap();
            (0..shape.least() as usize).map(|at| value(element, &format!("{place}[{at}]"))).collect()
        }
        ShapeKind::Map => {
            let (key, element) = (shape.key().unwrap(), shape.element().unwrap());
            let entries = (0..shape.least() as usize)
                .map(|_| (text(key, place).as_str().unwrap().to_owned(), value(element, place)));
            Value::Object(entries.collect())
        }
        ShapeKind::Structure => structure(shape, place),
        ShapeKind::Union => {
            let (member, inner) = shape.members().next().unwrap();
            json!({member.name: value(inner, &format!("{place}.{}", member.name))})
        }
        ShapeKind::EventStream => panic!("{place} is no JSON"),
    }
}

fn text(shape: ModelShape, place: &str) -> Value {
    if let Some(values) = shape.values() {
        return json!(values.iter().next().unwrap());
    }
    let long = "a".repeat(shape.least() as usize);
    let mut texts = TEXTS.iter().copied().chain([long.as_str()]);
    match texts.find(|text| shape.accepts(text)) {
        Some(text) => json!(text),
        None => panic!("no text for {place} ({})", shape.name()),
    }
}

#[test]
fn requests_are_accepted() {
    for operation in ["CreateTrainingJob", "CreateModel", "CreateUserProfile", "ListTags", "CreateWorkteam"] {
        check(operation, &request(operation));
    }
}
