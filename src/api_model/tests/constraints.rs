use super::*;

/// `field`, `path` and the text for people of the only violation.
fn only(operation: &str, input: &Value) -> (String, String, String) {
    let found = server(operation, input);
    assert_eq!(found.len(), 1, "{found:?}");
    (found[0].field.clone(), found[0].path.clone(), found[0].advice())
}

#[test]
fn every_kind_of_constraint_has_both_names_and_advice() {
    for (pointer, value, field, path, advice) in [
        ("/RoleArn", Value::Null, "RoleArn", "roleArn", "is required"),
        (
            "/InputDataConfig/0/ChannelName",
            Value::Null,
            "InputDataConfig[0].ChannelName",
            "inputDataConfig.1.member.channelName",
            "is required",
        ),
        (
            "/TrainingJobName",
            json!("a_b"),
            "TrainingJobName",
            "trainingJobName",
            "\"a_b\" must match [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        ("/Tags/0/Key", json!(""), "Tags[0].Key", "tags.1.member.key", "\"\" must have at least 1 characters, has 0"),
        (
            "/AlgorithmSpecification/TrainingInputMode",
            json!("Disk"),
            "AlgorithmSpecification.TrainingInputMode",
            "algorithmSpecification.trainingInputMode",
            "\"Disk\" must be one of Pipe, File, FastFile",
        ),
        (
            "/StoppingCondition/MaxRuntimeInSeconds",
            json!(0),
            "StoppingCondition.MaxRuntimeInSeconds",
            "stoppingCondition.maxRuntimeInSeconds",
            "0 must be at least 1",
        ),
        (
            "/VpcConfig",
            json!({"SecurityGroupIds": ["sg-1"], "Subnets": []}),
            "VpcConfig.Subnets",
            "vpcConfig.subnets",
            "must have at least 1 elements, has 0",
        ),
        (
            "/VpcConfig",
            json!({"SecurityGroupIds": ["sg-1"], "Subnets": ["s", "s u"]}),
            "VpcConfig.Subnets[1]",
            "vpcConfig.subnets",
            "\"s u\" must match [-0-9a-zA-Z]+",
        ),
        // The values of maps are the user's own, like the secrets of an environment: not repeated.
        ("/HyperParameters", json!({"eta": "a\nb"}), "HyperParameters.eta", "hyperParameters", "must match .*"),
        (
            "/HyperParameters/k",
            json!("x".repeat(2_501)),
            "HyperParameters.k",
            "hyperParameters",
            "must have at most 2500 characters, has 2501",
        ),
        ("/Tags/0/Wrong", json!(1), "Tags[0].Wrong", "tags.1.member.wrong", "is not a member of the request"),
        ("/Tags", json!("x"), "Tags", "tags", "\"x\" must be a list"),
        (
            "/ResourceConfig/InstanceCount",
            json!(1.5),
            "ResourceConfig.InstanceCount",
            "resourceConfig.instanceCount",
            "1.5 must be a whole number",
        ),
    ] {
        let found = only("CreateTrainingJob", &with(pointer, value));
        assert_eq!(found, (field.to_owned(), path.to_owned(), advice.to_owned()));
    }
}

#[test]
fn a_long_value_is_shortened_for_people() {
    let (_, _, advice) = only("CreateTrainingJob", &with("/RoleArn", json!("\u{e9}".repeat(100))));
    assert!(advice.starts_with(&format!("\"{}...\" must match arn", "\u{e9}".repeat(79))), "{advice}");
}

#[test]
fn lengths_count_characters() {
    let describe = |name: String| server("CreateTrainingJob", &with("/Tags/0/Value", json!(name)));
    assert_eq!(describe("\u{e9}".repeat(256)), []);
    assert_eq!(describe("\u{e9}".repeat(257)).len(), 1);
}

#[test]
fn a_map_of_lists_and_a_union() {
    let config = |name: &str| json!({"FeatureGroupName": "f", "OnlineStoreConfig": {"TtlDuration": {"Unit": name}}});
    assert_eq!(server("UpdateFeatureGroup", &config("Hours")), []);
    let found = only("UpdateFeatureGroup", &config("Years"));
    assert_eq!(found.1, "onlineStoreConfig.ttlDuration.unit");

    let definition = |config: Value| {
        json!({
            "FeatureGroupName": "f",
            "FeatureAdditions": [{"FeatureName": "a", "FeatureType": "String", "CollectionType": "Vector", "CollectionConfig": config}],
        })
    };
    assert_eq!(server("UpdateFeatureGroup", &definition(json!({"VectorConfig": {"Dimension": 3}}))), []);
    let found = only("UpdateFeatureGroup", &definition(json!({})));
    assert_eq!(found.1, "featureAdditions.1.member.collectionConfig");
    assert_eq!(found.2, "must have exactly one member");
}

#[test]
fn violations_come_in_the_order_of_the_model() {
    let input = json!({
        "Tags": [{"Key": "", "Value": "v"}],
        "StoppingCondition": {"MaxRuntimeInSeconds": 0},
        "TrainingJobName": "a_b",
    });
    let fields: Vec<String> = server("CreateTrainingJob", &input).into_iter().map(|found| found.field).collect();
    assert_eq!(
        fields,
        ["TrainingJobName", "RoleArn", "OutputDataConfig", "StoppingCondition.MaxRuntimeInSeconds", "Tags[0].Key"]
    );
}

#[test]
fn a_newer_client_is_not_refused() {
    let client = |input: &Value| validate(Service::SageMaker, "CreateTrainingJob", input, Strictness::Client).unwrap();
    assert_eq!(client(&with("/ResourceConfig/InstanceType", json!("ml.z99.large"))), []);
    assert_eq!(client(&with("/Brand", json!({"New": 1}))), []);
    assert_eq!(client(&with("/TrainingJobName", json!("a_b"))).len(), 1);
    assert_eq!(client(&with("/RoleArn", Value::Null)).len(), 1);
}

#[test]
fn members_that_a_service_does_not_know_hide_nothing() {
    let mut input: serde_json::Map<String, Value> = (0..2_000).map(|i| (format!("X{i}"), json!(1))).collect();
    input.insert("TrainingJobName".to_owned(), json!("_"));
    let found = validate(Service::SageMaker, "StopTrainingJob", &Value::Object(input), Strictness::Server).unwrap();
    assert_eq!(found.iter().map(|found| found.field.as_str()).collect::<Vec<_>>(), ["TrainingJobName"]);
}

#[test]
fn outputs_are_checked_against_their_own_shape() {
    let output =
        |value: &Value| validate_output(Service::SageMaker, "CreateTrainingJob", value, Strictness::Exact).unwrap();
    let arn = "arn:aws:sagemaker:eu-west-1:123456789012:training-job/xgb-1";
    assert_eq!(output(&json!({"TrainingJobArn": arn})), []);
    assert_eq!(output(&json!({})).len(), 1);
    assert_eq!(output(&json!({"TrainingJobArn": arn, "X": 1}))[0].field, "X");
    let nothing = validate_output(Service::SageMaker, "DeleteEndpoint", &json!({"X": 1}), Strictness::Exact).unwrap();
    assert_eq!(nothing[0].field, "X");
}

#[test]
fn real_numbers_may_be_whole_or_named() {
    let weights = |weight: Value| {
        json!({
            "EndpointName": "e",
            "DesiredWeightsAndCapacities": [{"VariantName": "v", "DesiredWeight": weight}],
        })
    };
    for weight in [json!(1), json!(0.5), json!("NaN"), json!("Infinity")] {
        assert_eq!(server("UpdateEndpointWeightsAndCapacities", &weights(weight)), []);
    }
    let (_, path, advice) = only("UpdateEndpointWeightsAndCapacities", &weights(json!(-0.5)));
    assert_eq!(path, "desiredWeightsAndCapacities.1.member.desiredWeight");
    assert_eq!(advice, "-0.5 must be at least 0");
    assert_eq!(only("UpdateEndpointWeightsAndCapacities", &weights(json!("1"))).2, "\"1\" must be a number");
}

#[test]
fn blobs_are_base64() {
    let input = |body: &str| json!({"EndpointName": "e", "Body": body});
    let check =
        |body: &str| validate(Service::SageMakerRuntime, "InvokeEndpoint", &input(body), Strictness::Exact).unwrap();
    for body in ["", "QQ==", "QUI=", "QUJD"] {
        assert_eq!(check(body), [], "{body}");
    }
    for body in ["Q", "Q===", "QQ!=", "QUJD\n"] {
        assert_eq!(check(body)[0].constraint, Constraint::Type(Kind::Blob), "{body}");
    }
}

#[test]
fn nulls_in_lists_and_maps_count_as_nothing() {
    assert_eq!(server("CreateTrainingJob", &with("/HyperParameters", json!({"a": null}))), []);
    let vpc = json!({"SecurityGroupIds": [null], "Subnets": ["s"]});
    assert_eq!(only("CreateTrainingJob", &with("/VpcConfig", vpc)).0, "VpcConfig.SecurityGroupIds");
}
