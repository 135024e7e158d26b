use super::*;

fn said(service: Service, operation: &str, input: &Value) -> String {
    message(&validate(service, operation, input, Strictness::Exact).unwrap())
}

fn job(pointer: &str, value: Value) -> String {
    message(&server("CreateTrainingJob", &with(pointer, value)))
}

#[test]
fn pattern() {
    assert_eq!(
        job("/TrainingJobName", json!("health_and_care")),
        "1 validation error detected: Value 'health_and_care' at 'trainingJobName' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    );
}

#[test]
fn length_and_pattern_of_one_value() {
    let name = format!("{}_", "a".repeat(63));
    assert_eq!(
        job("/TrainingJobName", json!(name)),
        format!(
            "2 validation errors detected: Value '{name}' at 'trainingJobName' failed to satisfy constraint: Member \
             must have length less than or equal to 63; Value '{name}' at 'trainingJobName' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){{0,62}}"
        )
    );
}

#[test]
fn too_many_entries_of_a_map() {
    let entries: serde_json::Map<String, Value> = (0..101).map(|i| (format!("k{i:03}"), json!("v"))).collect();
    let text = job("/HyperParameters", Value::Object(entries));
    assert!(text.starts_with("1 validation error detected: Value '{k000=v, k001=v, "), "{text}");
    assert!(
        text.ends_with(
            "k100=v}' at 'hyperParameters' failed to satisfy constraint: Member must have length less than or equal \
             to 100"
        ),
        "{text}"
    );
}

#[test]
fn value_of_a_map() {
    let long = "x".repeat(2_501);
    assert_eq!(
        job("/HyperParameters", json!({"a": long, "b": "c"})),
        format!(
            "1 validation error detected: Value '{{a={long}, b=c}}' at 'hyperParameters' failed to satisfy \
             constraint: Map value must satisfy constraint: [Member must have length less than or equal to 2500, \
             Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: .*]"
        )
    );
}

#[test]
fn bad_elements_are_reported_once_for_their_container() {
    let text = job("/HyperParameters", json!({"a": "1\n2", "b": "3\n4"}));
    assert!(text.starts_with("1 validation error detected: Value '{a=1\n2, b=3\n4}' at 'hyperParameters'"), "{text}");
    assert_eq!(
        job("/VpcConfig", json!({"SecurityGroupIds": ["sg-1", "sg_2"], "Subnets": ["subnet-1"]})),
        "1 validation error detected: Value '[sg-1, sg_2]' at 'vpcConfig.securityGroupIds' failed to satisfy \
         constraint: Member must satisfy constraint: [Member must have length less than or equal to 32, Member must \
         have length greater than or equal to 0, Member must satisfy regular expression pattern: [-0-9a-zA-Z]+]"
    );
}

#[test]
fn key_of_a_map() {
    let text = job("/Environment", json!({"a-b": "c"}));
    assert!(
        text.starts_with(
            "1 validation error detected: Value '{a-b=c}' at 'environment' failed to satisfy constraint: Map keys \
             must satisfy constraint: [Member must have length less than or equal to 512, "
        ),
        "{text}"
    );
}

#[test]
fn enum_value() {
    let text = job("/ResourceConfig/InstanceType", json!("ml.t2.medium"));
    assert!(
        text.starts_with(
            "1 validation error detected: Value 'ml.t2.medium' at 'resourceConfig.instanceType' failed to satisfy \
             constraint: Member must satisfy enum value set: [ml.m4.xlarge, "
        ),
        "{text}"
    );
}

#[test]
fn element_of_a_list() {
    let variants = json!([{
        "VariantName": "all", "ModelName": "a_b", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1
    }]);
    let text = said(
        Service::SageMaker,
        "CreateEndpointConfig",
        &json!({"EndpointConfigName": "config", "ProductionVariants": variants}),
    );
    assert!(
        text.starts_with(
            "1 validation error detected: Value 'a_b' at 'productionVariants.1.member.modelName' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: "
        ),
        "{text}"
    );
}

#[test]
fn range() {
    assert_eq!(
        said(Service::Logs, "GetLogEvents", &json!({"logGroupName": "g", "logStreamName": "s", "limit": 10_001})),
        "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value \
         less than or equal to 10000"
    );
    assert_eq!(
        job("/ResourceConfig/VolumeSizeInGB", json!(-1)),
        "1 validation error detected: Value '-1' at 'resourceConfig.volumeSizeInGB' failed to satisfy constraint: \
         Member must have value greater than or equal to 0"
    );
}

#[test]
fn missing() {
    assert_eq!(
        job("/RoleArn", Value::Null),
        "1 validation error detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null"
    );
}

#[test]
fn blobs_and_secrets_are_not_repeated() {
    // One byte over 128,000.
    let body = "AAAA".repeat(42_667);
    assert_eq!(
        said(Service::SageMakerRuntime, "InvokeEndpointAsync", &json!({"EndpointName": "e", "Body": body})),
        "1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less \
         than or equal to 128000"
    );
    let secret = "hunter2\u{e9}";
    let input = json!({"EndpointName": "e", "Body": "", "CustomAttributes": secret});
    let found = validate(Service::SageMakerRuntime, "InvokeEndpoint", &input, Strictness::Exact).unwrap();
    assert!(message(&found).starts_with("1 validation error detected: Value at 'customAttributes' failed"));
    assert!(!format!("{found:?} {}", found[0]).contains("hunter2"));
}

#[test]
fn wrong_types_hide_everything_else() {
    for (pointer, value, text) in [
        ("/TrainingJobName", json!(1), "NUMBER_VALUE can not be converted to a String"),
        ("/TrainingJobName", json!(true), "TRUE_VALUE can not be converted to a String"),
        ("/TrainingJobName", json!(["x"]), "Start of list found where not expected"),
        ("/TrainingJobName", json!({"x": 1}), "Start of structure or map found where not expected."),
        ("/ResourceConfig/InstanceCount", json!("1"), "STRING_VALUE can not be converted to an Integer"),
        ("/ResourceConfig", json!("x"), "Expected null"),
        ("/Tags", json!("x"), "Expected list or null"),
        ("/Tags", json!({}), "Start of structure or map found where not expected."),
        ("/EnableNetworkIsolation", json!(1), "NUMBER_VALUE can not be converted to a Boolean"),
    ] {
        let mut input = with(pointer, value);
        input["RoleArn"] = json!("bad");
        let found = server("CreateTrainingJob", &input);
        assert!(found.iter().all(|violation| violation.constraint.is_serialization()), "{found:?}");
        assert_eq!(message(&found), text, "{pointer}");
    }
    for (document, text) in [(json!([]), "Start of list found where not expected"), (json!("x"), "Expected null")] {
        assert_eq!(said(Service::SageMaker, "CreateTrainingJob", &document), text);
        assert_eq!(said(Service::SageMaker, "DeleteEndpoint", &document), text);
    }
}
