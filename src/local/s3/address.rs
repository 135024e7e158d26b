//! Which bucket and region a host name stands for.

/// What a host name says; `None` where it leaves it to the path or to the configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Address {
    /// The bucket of a virtual-hosted request.
    pub(super) bucket: Option<String>,
    /// The region in the name of an AWS endpoint.
    pub(super) region: Option<String>,
}

/// Reads `bucket.s3.region.amazonaws.com` and its kin, `bucket.s3.<anything>` and `bucket.localhost`.
pub(super) fn of_host(host: &str) -> Address {
    let host = without_port(host).trim_end_matches('.').to_ascii_lowercase();
    if let Some(rest) = host.strip_suffix(".localhost") {
        return of_local(rest).unwrap_or_else(|| Address { bucket: Some(rest.to_owned()), region: None });
    }
    if let Some(rest) = host.strip_suffix(".localhost.localstack.cloud") {
        return of_local(rest).unwrap_or_default();
    }
    let labels: Vec<&str> = host.split('.').collect();
    let aws = labels.iter().rposition(|label| *label == "amazonaws");
    // A bucket's name may hold labels such as `s3` itself: the service is the last one.
    let service = match aws {
        Some(end) => labels[..end].iter().rposition(|label| *label == "s3" || label.starts_with("s3-")),
        None => labels.iter().rposition(|label| *label == "s3"),
    };
    let Some(service) = service else { return Address::default() };
    let bucket = (service > 0).then(|| labels[..service].join("."));
    let region = aws
        .and_then(|end| labels[service + 1..end].iter().rfind(|label| **label != "dualstack"))
        .map(|region| (*region).to_owned());
    Address { bucket, region }
}

/// What precedes a name of this machine: `bucket.s3`, `bucket.s3.region` or these without a bucket.
fn of_local(rest: &str) -> Option<Address> {
    let (rest, region) = match rest.rsplit_once('.') {
        Some((rest, region)) if is_region(region) && (rest == "s3" || rest.ends_with(".s3")) => (rest, Some(region)),
        _ => (rest, None),
    };
    let bucket = if rest == "s3" { None } else { Some(rest.strip_suffix(".s3")?.to_owned()) };
    Some(Address { bucket, region: region.map(str::to_owned) })
}

/// Whether a label has the form of a region, such as `us-gov-west-1`.
fn is_region(label: &str) -> bool {
    let mut parts = label.rsplit('-');
    let number = parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    number
        && parts.clone().count() >= 2
        && parts.all(|part| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_lowercase()))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_every_form_of_host() {
        for (host, bucket, region) in [
            ("s3.us-east-1.amazonaws.com", None, Some("us-east-1")),
            ("s3.amazonaws.com", None, None),
            ("data.s3.us-east-1.amazonaws.com", Some("data"), Some("us-east-1")),
            ("data.s3.amazonaws.com:443", Some("data"), None),
            ("data.s3.cn-north-1.amazonaws.com.cn", Some("data"), Some("cn-north-1")),
            ("data.s3.dualstack.eu-west-1.amazonaws.com", Some("data"), Some("eu-west-1")),
            ("data.s3-fips.dualstack.us-west-2.amazonaws.com", Some("data"), Some("us-west-2")),
            ("data.s3-accelerate.amazonaws.com", Some("data"), None),
            ("my.s3.data.s3.us-west-2.amazonaws.com", Some("my.s3.data"), Some("us-west-2")),
            ("s3-data.s3.us-west-2.amazonaws.com", Some("s3-data"), Some("us-west-2")),
            ("data.localhost:5000", Some("data"), None),
            ("s3-data.localhost", Some("s3-data"), None),
            ("data.s3.localhost", Some("data"), None),
            ("data.s3.us-east-1.localhost:4566", Some("data"), Some("us-east-1")),
            ("s3.us-gov-west-1.localhost", None, Some("us-gov-west-1")),
            ("my.s3.data.localhost", Some("my.s3.data"), None),
            ("us-east-1.localhost", Some("us-east-1"), None),
            ("data.s3.localhost.localstack.cloud:4566", Some("data"), None),
            ("data.s3.eu-west-1.localhost.localstack.cloud", Some("data"), Some("eu-west-1")),
            ("s3.localhost.localstack.cloud", None, None),
            ("sagemaker.us-east-1.localhost.localstack.cloud", None, None),
            ("localhost.localstack.cloud", None, None),
            ("Data.S3.example.com", Some("data"), None),
            ("s3.localhost:9000", None, None),
            ("localhost:9000", None, None),
            ("127.0.0.1:9000", None, None),
            ("[::1]:9000", None, None),
            ("storage.example.com", None, None),
            ("", None, None),
        ] {
            let expected = Address { bucket: bucket.map(str::to_owned), region: region.map(str::to_owned) };
            assert_eq!(of_host(host), expected, "{host}");
        }
    }

    proptest! {
        #[test]
        fn any_host_is_read_without_a_panic(host in "\\PC{0,60}") {
            let _ = of_host(&host);
        }

        #[test]
        fn any_bucket_is_found_before_an_endpoint(bucket in "[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]") {
            prop_assert_eq!(of_host(&format!("{bucket}.s3.eu-west-1.amazonaws.com")).bucket, Some(bucket));
        }
    }
}
