//! STS: who am I.

use crate::local::aws_error::AwsError;
use crate::local::backend::Core;
use crate::local::services::iam::DEFAULT_ROLE;

pub(super) const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

pub(super) fn handle(core: &Core, action: &str) -> Result<String, AwsError> {
    match action {
        "GetCallerIdentity" => {
            let account = &core.place.account;
            let arn = format!("arn:{}:sts::{account}:assumed-role/{DEFAULT_ROLE}/local", core.place.partition());
            Ok(format!("<Arn>{arn}</Arn><UserId>AROALOCAL:local</UserId><Account>{account}</Account>"))
        }
        other => Err(AwsError::unsupported("sts", other)),
    }
}
