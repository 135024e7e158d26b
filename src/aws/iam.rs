//! The one request to IAM that this crate makes.

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::decode::{Document, try_data};

use super::signed::{Signed, own_endpoint};
use crate::Result;
use crate::types::Arn;

const OPERATION: &str = "GetRole";
const FORM: &str = "application/x-www-form-urlencoded";

/// IAM is one service for all regions of a partition: beginning of the regions' names, host, region to sign for.
const PARTITIONS: &[(&str, &str, &str)] = &[
    ("cn-", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    ("us-gov-", "iam.us-gov.amazonaws.com", "us-gov-west-1"),
    ("us-iso-", "iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
    ("us-isob-", "iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
    ("us-isof-", "iam.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"),
    ("eu-isoe-", "iam.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"),
    ("eusc-", "iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
    ("", "iam.amazonaws.com", "us-east-1"),
];

/// IAM, as far as looking a role up needs it.
#[derive(Debug, Clone)]
pub(crate) struct Iam {
    config: SdkConfig,
    timeouts: TimeoutConfig,
}

impl Iam {
    pub(super) fn new(config: &SdkConfig, timeouts: TimeoutConfig) -> Self {
        Self { config: config.clone(), timeouts }
    }

    /// The ARN of the role called `name`, with its path.
    pub(crate) async fn role(&self, name: &str) -> Result<Arn> {
        let (endpoint, region) = self.endpoint();
        let signed = Signed {
            config: &self.config,
            timeouts: &self.timeouts,
            service: "iam",
            operation: OPERATION,
            endpoint,
            region: region.to_owned(),
            headers: vec![("content-type", FORM.to_owned())],
            body: get_role(name),
        };
        Arn::role(signed.send(read).await?)
    }

    /// Where IAM is, and the region to sign for.
    fn endpoint(&self) -> (String, &'static str) {
        let config = &self.config;
        let region = config.region().map_or("", |region| region.as_ref());
        let of_region = PARTITIONS.iter().find(|(prefix, ..)| region.starts_with(prefix));
        let (host, signed_for) =
            of_region.map_or(("iam.amazonaws.com", "us-east-1"), |(_, host, region)| (host, region));
        let url = own_endpoint(config, "IAM");
        (url.unwrap_or_else(|| format!("https://{host}")), signed_for)
    }
}

fn get_role(name: &str) -> String {
    let encoded: String = name.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    });
    format!("Action=GetRole&RoleName={encoded}&Version=2010-05-08")
}

/// The role's ARN, or what IAM says against it.
fn read(response: &HttpResponse) -> std::result::Result<String, OrchestratorError<ErrorMetadata>> {
    let text = response.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
    if response.status().is_success() {
        return element(text, "Arn").ok_or_else(|| OrchestratorError::other("the answer names no role"));
    }
    let mut error = ErrorMetadata::builder();
    if let Some(code) = element(text, "Code") {
        error = error.code(code);
    }
    if let Some(message) = element(text, "Message") {
        error = error.message(message);
    }
    Err(OrchestratorError::operation(error.build()))
}

/// The text of the first element of that name.
fn element(xml: &str, name: &str) -> Option<String> {
    let mut document = Document::new(xml);
    while let Some(start) = document.next_start_element() {
        if start.local() == name {
            let text = try_data(&mut document).ok()?;
            return (!text.is_empty()).then(|| text.into_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(region: &'static str) -> (String, &'static str) {
        let config = SdkConfig::builder().region(aws_config::Region::new(region)).build();
        Iam::new(&config, TimeoutConfig::disabled()).endpoint()
    }

    #[test]
    fn each_partition_has_its_own_iam() {
        assert_eq!(host("eu-west-1"), ("https://iam.amazonaws.com".into(), "us-east-1"));
        assert_eq!(host("cn-northwest-1"), ("https://iam.cn-north-1.amazonaws.com.cn".into(), "cn-north-1"));
        assert_eq!(host("us-gov-east-1"), ("https://iam.us-gov.amazonaws.com".into(), "us-gov-west-1"));
        let config = SdkConfig::builder().endpoint_url("http://localhost:4566").build();
        assert_eq!(Iam::new(&config, TimeoutConfig::disabled()).endpoint().0, "http://localhost:4566");
    }

    #[test]
    fn names_are_encoded_and_answers_decoded() {
        assert_eq!(get_role("a+b@c"), "Action=GetRole&RoleName=a%2Bb%40c&Version=2010-05-08");
        let xml = "<GetRoleResponse><GetRoleResult><Role><Path>/a&amp;b/</Path><Arn>arn:x/a&amp;b/R</Arn></Role></GetRoleResult></GetRoleResponse>";
        assert_eq!(element(xml, "Arn").as_deref(), Some("arn:x/a&b/R"));
        assert_eq!(element(xml, "Code"), None);
        assert_eq!(element("<a><Arn>", "Arn"), None);
    }
}
