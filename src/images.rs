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

mod instance;
mod nearest;
mod query;
mod resolve;
mod table;
#[cfg(test)]
mod tests;
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

/// Whether an image is that of a built-in algorithm, wherever AWS publishes it. The service knows what these log, and
/// takes no other definition of their metrics.
pub(crate) fn is_builtin(image: &ImageUri) -> bool {
    const ALGORITHMS: [&str; 17] = [
        "blazingtext",
        "factorization-machines",
        "forecasting-deepar",
        "image-classification",
        "ipinsights",
        "kmeans",
        "knn",
        "lda",
        "linear-learner",
        "ntm",
        "object-detection",
        "object2vec",
        "pca",
        "randomcutforest",
        "semantic-segmentation",
        "seq2seq",
        "xgboost",
    ];
    // <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<version>
    let region = image.as_str().split('.').nth(3).unwrap_or_default();
    let version = image.tag().unwrap_or_default();
    let untagged = |image: &ImageUri| image.as_str().rsplit_once(':').map(|(repository, _)| repository.to_owned());
    // XGBoost's images have a second, longer tag.
    let version = version.strip_suffix("-cpu-py3").unwrap_or(version);
    let published = ALGORITHMS.iter().filter_map(|name| builtin(name, region, version).ok());
    published.into_iter().any(|published| untagged(&published) == untagged(image))
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
