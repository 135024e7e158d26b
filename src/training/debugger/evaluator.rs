//! The image that evaluates built-in rules.

use crate::types::ImageUri;
use crate::{Error, Result};

/// The account that owns it, by region; from the SageMaker Python SDK 2.257.7.
const ACCOUNTS: [(&str, &str); 24] = [
    ("af-south-1", "314341159256"),
    ("ap-east-1", "199566480951"),
    ("ap-northeast-1", "430734990657"),
    ("ap-northeast-2", "578805364391"),
    ("ap-northeast-3", "479947661362"),
    ("ap-south-1", "904829902805"),
    ("ap-southeast-1", "972752614525"),
    ("ap-southeast-2", "184798709955"),
    ("ca-central-1", "519511493484"),
    ("cn-north-1", "618459771430"),
    ("cn-northwest-1", "658757709296"),
    ("eu-central-1", "482524230118"),
    ("eu-north-1", "314864569078"),
    ("eu-south-1", "563282790590"),
    ("eu-west-1", "929884845733"),
    ("eu-west-2", "250201462417"),
    ("eu-west-3", "447278800020"),
    ("me-south-1", "986000313247"),
    ("sa-east-1", "818342061345"),
    ("us-east-1", "503895931360"),
    ("us-east-2", "915447279597"),
    ("us-gov-west-1", "515509971035"),
    ("us-west-1", "685455198987"),
    ("us-west-2", "895741380848"),
];

pub(super) fn image(region: &str) -> Result<ImageUri> {
    let Some((_, account)) = ACCOUNTS.iter().find(|(known, _)| *known == region) else {
        return Err(Error::invalid("", format!("SageMaker Debugger has no built-in rules in {region}")));
    };
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    ImageUri::new(format!("{account}.dkr.ecr.{region}.{suffix}/sagemaker-debugger-rules:latest"))
}
