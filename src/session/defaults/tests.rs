use proptest::prelude::*;
use serde_json::json;

use super::load::parse;
use super::*;

fn refused(text: &str) -> String {
    let error = parse("team/config.yaml", text).expect_err("it is refused");
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    let text = error.to_string();
    assert!(text.contains("team/config.yaml"), "{text}");
    text
}

#[test]
fn a_file_is_read_as_the_python_sdk_reads_it() {
    let text = "
SchemaVersion: '1.0'
CustomParameters:
  cost centre: '42'
SageMaker:
  TrainingJob:
    RoleArn: &role arn:aws:iam::123456789012:role/a/Train
    EnableNetworkIsolation: no
    EnableInterContainerTrafficEncryption: true
    VpcConfig: &vpc
      Subnets: [subnet-1, subnet-2]
      SecurityGroupIds: [sg-1]
    Environment: {A: '1'}
    Tags:
      - {Key: team, Value: forecast}
  Model:
    ExecutionRoleArn: *role
    VpcConfig:
      <<: *vpc
      Subnets: [subnet-9]
    Containers:
      - Environment: {B: b}
";
    let document = parse("f", text).unwrap().unwrap();
    assert_eq!(document["SageMaker"]["TrainingJob"]["EnableNetworkIsolation"], json!(false));
    assert_eq!(document["SageMaker"]["Model"]["ExecutionRoleArn"], "arn:aws:iam::123456789012:role/a/Train");
    let vpc = json!({"Subnets": ["subnet-9"], "SecurityGroupIds": ["sg-1"]});
    assert_eq!(document["SageMaker"]["Model"]["VpcConfig"], vpc);
    assert_eq!(parse("f", "").unwrap(), None);
    assert_eq!(parse("f", "# nothing yet\n").unwrap(), None);
    // The later of two equal keys counts, as PyYAML has it.
    let twice = "SchemaVersion: '1.0'\nSageMaker: {Pipeline: {Tags: []}}\nSageMaker: {Endpoint: {Tags: []}}";
    assert!(parse("f", twice).unwrap().unwrap()["SageMaker"].get("Pipeline").is_none());
}

#[test]
fn every_fault_is_told_with_its_key() {
    let text = refused(
        "
SageMaker:
  TrainingJob:
    RoleArn: Train
    EnableNetworkIsolation: 'yes'
    VpcConfig: {Subnets: [], SecurityGroupIds: [1], Zone: a}
    Environment: {A: 1}
    Tags: [{Key: a}, {Key: b, Value: 'c!'}]
    OutputDataConfig: x
  ProcessingJob:
    ProcessingInputs: {}
  TrainingJobs: {}
",
    );
    for part in [
        "SchemaVersion: is needed",
        "SageMaker.TrainingJob.RoleArn: must have 20 to 2048 characters",
        "SageMaker.TrainingJob.EnableNetworkIsolation: must be true or false",
        "SageMaker.TrainingJob.VpcConfig.Subnets: must have 1 to 16 items",
        "SageMaker.TrainingJob.VpcConfig.SecurityGroupIds[0]: must be text",
        "SageMaker.TrainingJob.VpcConfig.Zone: is no key here; there are SecurityGroupIds, Subnets",
        "SageMaker.TrainingJob.Environment.A: must be text",
        "SageMaker.TrainingJob.Tags[0].Value: is needed",
        "SageMaker.TrainingJob.Tags[1].Value: has a character",
        "SageMaker.TrainingJob.OutputDataConfig: must be a mapping",
        "SageMaker.ProcessingJob.ProcessingInputs: must be a list",
        "SageMaker.TrainingJobs: is no key of the defaults file; there are PythonSDK, FeatureGroup,",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(refused("SchemaVersion: 1.0").contains("in quotes"));
    assert!(refused("- a").contains("must be a mapping"));
    assert!(refused("a: [").contains("is no YAML that is taken"));
    assert!(refused("SchemaVersion: '1.0'\nSageMaker:\n").contains("SageMaker: must be a mapping"));
}

#[test]
fn later_files_win_key_by_key() {
    let mut defaults = Defaults::default();
    let lay = |defaults: &mut Defaults, name: &str, text: &str| {
        defaults.lay_over(name, parse(name, &format!("SchemaVersion: '1.0'\nSageMaker: {text}")).unwrap().unwrap());
    };
    lay(&mut defaults, "admin", "{TrainingJob: {EnableNetworkIsolation: true, Tags: [{Key: a, Value: '1'}]}}");
    lay(&mut defaults, "user", "{TrainingJob: {EnableNetworkIsolation: false}, Endpoint: {Tags: []}}");
    lay(&mut defaults, "own", "{TrainingJob: {Tags: [{Key: b, Value: '2'}]}}");
    assert_eq!(defaults.sources(), ["admin", "user", "own"]);
    assert_eq!(defaults.flag("SageMaker.TrainingJob.EnableNetworkIsolation"), Some(false));
    // Lists are taken as a whole.
    assert_eq!(defaults.get("SageMaker.TrainingJob.Tags"), Some(&json!([{"Key": "b", "Value": "2"}])));
    assert_eq!(defaults.get("SageMaker.Endpoint.Tags"), Some(&json!([])));
    assert_eq!(defaults.get("SageMaker.Nothing.Tags"), None);
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "[ a-zA-Z0-9:{}\\[\\]&*<'\"#|>!\n-]{0,200}") {
        let _ = parse("f", &text);
    }

    #[test]
    fn no_document_makes_the_check_panic(
        key in prop::sample::select(vec!["SageMaker", "TrainingJob", "Tags", "VpcConfig", "PythonSDK", "Containers", "x"]),
        depth in 0_usize..20,
        leaf in prop::sample::select(vec!["null", "1", "[]", "{}", "[{}]", "text"]),
    ) {
        let text = format!("{}{leaf}{}", format!("{{{key}: ").repeat(depth), "}".repeat(depth));
        let _ = parse("f", &text);
    }
}
