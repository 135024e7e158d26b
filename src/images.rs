//! URIs of the images that AWS publishes: which account, repository and tag, in which region.
//!
//! Nothing here asks AWS: the tables are part of the crate, condensed from those of the SageMaker Python SDK. An image
//! that they do not know, such as your own or a newer one, is given as an [`ImageUri`] wherever an image is asked for.
//!
//! ```
//! use sagemaker::images;
//!
//! let image = images::xgboost("eu-west-1", images::xgboost::DEFAULT_VERSION)?;
//! assert_eq!(image.as_str(), "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1");
//!
//! let error = images::xgboost("eu-west-11", "1.7-1").unwrap_err();
//! assert!(error.to_string().contains("did you mean eu-west-1?"));
//! # Ok::<(), sagemaker::Error>(())
//! ```

use crate::types::ImageUri;
use crate::{Error, Result};

mod nearest;
mod tables;
pub mod xgboost;

pub use xgboost::uri as xgboost;

/// The AWS account that owns the images, by region, in the order of the regions.
type Accounts = &'static [(&'static str, &'static str)];

struct Algorithm {
    name: &'static str,
    versions: &'static [Version],
}

/// A version or an alias of one.
struct Version {
    name: &'static str,
    repository: &'static str,
    tag: &'static str,
    accounts: Accounts,
}

impl Version {
    fn account(&self, region: &str) -> Option<&'static str> {
        self.accounts.iter().find(|(known, _)| *known == region).map(|(_, account)| *account)
    }
}

/// The image of a built-in algorithm, for training and for serving.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) with the field `algorithm`, `version` or `region`: the message
/// lists what there is, and the nearest name to a misspelt one.
pub fn builtin(algorithm: &str, region: &str, version: &str) -> Result<ImageUri> {
    let known = || tables::ALGORITHMS.iter().map(|algorithm| algorithm.name);
    let algorithm = tables::ALGORITHMS
        .iter()
        .find(|known| known.name == algorithm)
        .ok_or_else(|| Error::invalid("algorithm", unknown("built-in algorithm", algorithm, known())))?;

    let what = format!("version of {}", algorithm.name);
    let known = || algorithm.versions.iter().map(|version| version.name);
    let version = algorithm
        .versions
        .iter()
        .find(|known| known.name == version)
        .ok_or_else(|| Error::invalid("version", unknown(&what, version, known())))?;

    let account =
        version.account(region).ok_or_else(|| Error::invalid("region", no_image(algorithm, version, region)))?;
    ImageUri::new(format!("{account}.dkr.ecr.{region}.{}/{}:{}", dns_suffix(region), version.repository, version.tag))
}

/// The domain under which the region's services are.
fn dns_suffix(region: &str) -> &'static str {
    const PARTITIONS: [(&str, &str); 4] = [
        ("cn-", "amazonaws.com.cn"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("us-isof-", "csp.hci.ic.gov"),
    ];
    PARTITIONS.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("amazonaws.com", |(_, suffix)| suffix)
}

fn no_image(algorithm: &Algorithm, version: &Version, region: &str) -> String {
    let elsewhere: Vec<&str> = algorithm
        .versions
        .iter()
        .filter(|version| version.account(region).is_some())
        .map(|version| version.name)
        .collect();
    if elsewhere.is_empty() {
        let what = format!("region with {} {}", algorithm.name, version.name);
        unknown(&what, region, version.accounts.iter().map(|(region, _)| *region))
    } else {
        let (name, version) = (algorithm.name, version.name);
        format!("{name} {version} has no image in {region}; the versions there are {}", elsewhere.join(", "))
    }
}

fn unknown(what: &str, given: &str, known: impl Iterator<Item = &'static str> + Clone) -> String {
    let list = known.clone().collect::<Vec<_>>().join(", ");
    match nearest::nearest(given, known) {
        Some(nearest) => format!("{given:?} is no known {what}: did you mean {nearest}? Known are {list}"),
        None => format!("{given:?} is no known {what}. Known are {list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn fnv1a64(text: &str) -> u64 {
        text.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |digest, byte| (digest ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }

    #[test]
    fn every_pair_is_what_the_python_sdk_answers() {
        assert_eq!(tables::DIGESTS.len(), tables::ALGORITHMS.len());
        for (name, count, digest) in tables::DIGESTS {
            let algorithm = tables::ALGORITHMS.iter().find(|algorithm| algorithm.name == *name).unwrap();
            let mut lines = Vec::new();
            for version in algorithm.versions {
                for (region, _) in version.accounts {
                    let uri = builtin(name, region, version.name).unwrap();
                    lines.push(format!("{region} {} {uri}\n", version.name));
                }
            }
            lines.sort_unstable();
            assert_eq!((lines.len(), fnv1a64(&lines.concat())), (*count, *digest), "{name}");
        }
    }

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
}
