//! URIs of the images that AWS publishes: which account, repository and tag, in which region.
//!
//! Nothing here asks AWS: the tables are part of the crate, condensed from those of the SageMaker Python SDK 2.257.7. An
//! image that they do not know, such as your own or a newer one, is given as an [`ImageUri`] wherever an image is asked
//! for.
//!
//! ```
//! use sagemaker::images::{self, ImageScope};
//!
//! let torch = images::image_uri("pytorch")
//!     .version("2.0.1")
//!     .py_version("py310")
//!     .instance_type("ml.g5.xlarge")
//!     .scope(ImageScope::Training)
//!     .region("us-west-2")?;
//! assert_eq!(torch.as_str(), "763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-training:2.0.1-gpu-py310");
//!
//! let xgboost = images::xgboost("eu-west-1", images::xgboost::DEFAULT_VERSION)?;
//! assert_eq!(xgboost.as_str(), "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.7-1");
//!
//! let error = images::xgboost("eu-west-11", "1.7-1").unwrap_err();
//! assert!(error.to_string().contains("did you mean eu-west-1?"));
//! # Ok::<(), sagemaker::Error>(())
//! ```

use crate::types::ImageUri;
use crate::{Error, Result};

#[cfg(test)]
mod exhaustive;
mod instance;
mod nearest;
mod query;
mod region;
mod resolve;
mod table;
pub mod xgboost;

pub use query::{ImageQuery, ImageScope, InferenceTool, image_uri};
pub use xgboost::uri as xgboost;

/// Every framework and algorithm that has images, by the name that [`image_uri`] takes.
pub fn frameworks() -> impl Iterator<Item = &'static str> {
    table::frameworks().iter().map(|framework| framework.name)
}

/// The versions of a framework or an algorithm, aliases too, whatever their scope.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) with the field `framework`, and the nearest name.
pub fn versions(framework: &str) -> Result<Vec<&'static str>> {
    let mut found: Vec<&'static str> = Vec::new();
    for part in &table::framework(framework)?.parts {
        found.extend(part.versions().filter(|version| !version.is_empty()));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The image of a built-in algorithm, for training and for serving.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) with the field `algorithm`, `version` or `region`: the message
/// lists what there is, and the nearest name to a misspelt one.
pub fn builtin(algorithm: &str, region: &str, version: &str) -> Result<ImageUri> {
    table::framework(algorithm).map_err(|error| renamed(&error, "framework", "algorithm"))?;
    image_uri(algorithm).version(version).scope(ImageScope::Training).region(region)
}

/// The image with nothing but Python in a region, version 1.0: `py_version` is `310` or `38`.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) with the field `py_version` or `region`.
pub fn base_python(region: &str, py_version: &str) -> Result<ImageUri> {
    const VERSIONS: [&str; 2] = ["310", "38"];
    if !VERSIONS.contains(&py_version) {
        return Err(Error::invalid("py_version", unknown("Python version", py_version, VERSIONS.into_iter())));
    }
    let plain = image_uri("sagemaker-base-python").region(region)?;
    let (image, version) = plain.as_str().rsplit_once(':').unwrap_or((plain.as_str(), "1.0"));
    ImageUri::new(format!("{image}-{py_version}:{version}"))
}

fn renamed(error: &Error, from: &str, to: &str) -> Error {
    let values = error.invalid_values().iter().cloned().map(|mut value| {
        if value.field == from {
            to.clone_into(&mut value.field);
        }
        value
    });
    Error::from_invalid_values(values.collect())
}

/// Says that a name is not known, which is nearest, and what there is.
fn unknown<'a>(what: &str, given: &str, known: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = known.collect();
    let nearest = nearest::nearest(given, all.iter().copied());
    all.sort_unstable();
    all.dedup();
    let list = all.join(", ");
    match nearest {
        Some(nearest) => format!("{given:?} is no known {what}: did you mean {nearest}? Known are {list}"),
        None => format!("{given:?} is no known {what}. Known are {list}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

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
}
