//! Searches, and what their errors say.

use crate::ErrorKind;
use crate::images::{ImageQuery, ImageScope, base_python, builtin, frameworks, image_uri, versions, xgboost};
use crate::types::ImageUri;

#[test]
fn well_known_images() {
    for (region, version, uri) in [
        ("us-east-1", "1", "811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:1"),
        ("us-west-2", "latest", "433757028032.dkr.ecr.us-west-2.amazonaws.com/xgboost:latest"),
        ("us-east-1", "1.0-1", "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.0-1-cpu-py3"),
        ("eu-west-1", "1.7-1", "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1"),
        ("cn-north-1", "3.0-5", "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:3.0-5"),
        ("us-isof-south-1", "1.5-1", "124985052026.dkr.ecr.us-isof-south-1.csp.hci.ic.gov/sagemaker-xgboost:1.5-1"),
    ] {
        assert_eq!(xgboost(region, version).unwrap().as_str(), uri);
    }
    let kmeans = builtin("kmeans", "us-west-2", "1").unwrap();
    assert_eq!(kmeans.as_str(), "174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1");
    let python = base_python("us-west-2", "310").unwrap();
    assert_eq!(python.as_str(), "236514542706.dkr.ecr.us-west-2.amazonaws.com/sagemaker-base-python-310:1.0");
}

#[test]
fn errors_say_what_there_is() {
    let refused = |algorithm, region, version| {
        let error = builtin(algorithm, region, version).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let value = &error.invalid_values()[0];
        (value.field.clone(), value.message.clone())
    };

    let (field, message) = refused("xgbost", "us-east-1", "1.7-1");
    assert_eq!(field, "algorithm");
    assert!(message.contains("did you mean xgboost?"), "{message}");

    let (field, message) = refused("xgboost", "us-east-1", "1.7");
    assert_eq!(field, "version");
    assert!(message.contains("did you mean 1.7-1?") && message.contains("3.0-5"), "{message}");

    let (field, message) = refused("xgboost", "eu-west-11", "1.7-1");
    assert_eq!(field, "region");
    assert!(message.contains("did you mean eu-west-1?") && message.contains("us-west-2"), "{message}");

    let (_, message) = refused("xgboost", "mars", "1.7-1");
    assert!(!message.contains("did you mean") && message.contains("eu-west-1"), "{message}");

    let (_, message) = refused("xgboost", "il-central-1", "1");
    assert!(message.contains("has no image in il-central-1") && message.contains("1.7-1"), "{message}");
}

#[test]
fn every_argument_that_is_wrong_is_told() {
    let torch = || image_uri("pytorch").version("2.0.1").py_version("py310").scope(ImageScope::Training);
    let field = |query: ImageQuery| {
        let error = query.region("us-west-2").unwrap_err();
        error.invalid_values()[0].field.clone()
    };
    assert_eq!(field(torch()), "instance_type");
    assert_eq!(field(torch().instance_type("m5.xlarge")), "instance_type");
    assert_eq!(field(torch().instance_type("ml.p2.xlarge")), "instance_type");
    assert_eq!(field(torch().instance_type("ml.m5.xlarge").py_version("py27")), "py_version");
    assert_eq!(field(torch().instance_type("ml.m5.xlarge").version("9")), "version");
    assert_eq!(field(torch().instance_type("ml.m5.xlarge").scope(ImageScope::Processing)), "scope");
    assert_eq!(field(image_uri("sklearn").version("1.2-1").instance_type("ml.g5.xlarge")), "instance_type");
    assert_eq!(field(image_uri("huggingface").version("4.36")), "scope");
}

#[test]
fn names_are_listed() {
    assert!(frameworks().count() > 60);
    assert!(versions("pytorch").unwrap().contains(&"2.0"));
    assert!(versions("pytorhc").unwrap_err().to_string().contains("did you mean pytorch?"));
}

#[test]
fn images_of_built_in_algorithms_are_told_from_others() {
    let is = |uri: &str| super::super::is_builtin(&ImageUri::new(uri).unwrap());
    assert!(is("174872318107.dkr.ecr.us-west-2.amazonaws.com/kmeans:1"));
    assert!(is("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1-cpu-py3"));
    assert!(!is("123456789012.dkr.ecr.us-west-2.amazonaws.com/kmeans:1"), "another account's");
    assert!(!is("763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-training:2.0.1-cpu-py310"));
    assert!(!is("kmeans:1"));
}
