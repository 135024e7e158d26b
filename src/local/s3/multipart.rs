//! Multipart uploads: parts, and what they are assembled to.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use s3s::dto::ETag;
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::body::Body;
use super::checksum::{Algorithm, Checksum, Coverage, hex, md5};
use super::errors;
use super::object::{self, Attributes, Content, Etag, Multipart, Object, PartOf, seconds};
use super::tags::Tags;
use super::version::Version;

/// The least size of every part but the last.
pub(super) const MIN_PART: usize = 5 * 1024 * 1024;
const MAX_PART_NUMBER: i32 = 10_000;

/// An upload in progress.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Upload {
    /// Seconds since 1970.
    pub(super) initiated: u64,
    #[serde(with = "object::shared")]
    pub(super) attributes: Arc<Attributes>,
    pub(super) tags: Tags,
    /// What the request asked for; `None` leaves S3 its default.
    pub(super) algorithm: Option<Algorithm>,
    pub(super) coverage: Coverage,
    #[serde(skip)]
    pub(super) parts: BTreeMap<i32, Part>,
}

/// An uploaded part; it costs no copy to clone.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) body: Body,
    pub(super) md5: [u8; 16],
    /// Seconds since 1970.
    pub(super) modified: u64,
    pub(super) checksum: Checksum,
    /// Whether answers tell of the checksum: it came with the part, or the upload asked for one.
    pub(super) given: bool,
}

impl Part {
    pub(super) fn new(content: Content, now: SystemTime) -> Self {
        let Content { body, md5, checksum, given } = content;
        Self { body, md5, modified: seconds(now), checksum, given }
    }

    /// The checksum as far as answers tell of it.
    pub(super) fn told(&self) -> Option<&Checksum> {
        Some(&self.checksum).filter(|_| self.given)
    }

    pub(super) fn etag(&self) -> ETag {
        ETag::Strong(hex(&self.md5))
    }

    /// Blocks if the body is on disk and must be read.
    fn checksum_of(&self, algorithm: Algorithm) -> io::Result<Checksum> {
        if self.checksum.algorithm == algorithm {
            return Ok(self.checksum.clone());
        }
        Checksum::of_body(algorithm, &self.body)
    }
}

/// A part as a request to complete an upload names it.
#[derive(Debug)]
pub(super) struct NamedPart<'a> {
    pub(super) number: i32,
    /// Without quotes.
    pub(super) etag: &'a str,
    /// The value for the upload's algorithm.
    pub(super) checksum: Option<&'a str>,
}

pub(super) fn check_part_number(number: i32) -> S3Result<()> {
    if (1..=MAX_PART_NUMBER).contains(&number) {
        return Ok(());
    }
    let message = "Part number must be an integer between 1 and 10000, inclusive";
    Err(errors::argument(message, "partNumber", &number.to_string()))
}

/// The checksum that an upload is to have: CRC64NVME always covers the object, the hashes never do.
pub(super) fn coverage(algorithm: Option<Algorithm>, asked: Option<&str>) -> S3Result<Coverage> {
    let asked = match asked {
        None => None,
        Some("COMPOSITE") => Some(Coverage::Composite),
        Some("FULL_OBJECT") => Some(Coverage::FullObject),
        Some(_) => {
            return Err(errors::invalid_request("Value for x-amz-checksum-type header is invalid."));
        }
    };
    let Some(algorithm) = algorithm else {
        return match asked {
            None => Ok(Coverage::FullObject),
            Some(_) => Err(errors::invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )),
        };
    };
    let (default, other_allowed) = match algorithm {
        Algorithm::Crc32 | Algorithm::Crc32c => (Coverage::Composite, true),
        Algorithm::Crc64Nvme => (Coverage::FullObject, false),
        Algorithm::Sha1 | Algorithm::Sha256 => (Coverage::Composite, false),
    };
    match asked {
        Some(asked) if asked != default && !other_allowed => {
            let (name, asked) = (algorithm.name().to_ascii_lowercase(), asked.to_dto());
            Err(errors::invalid_request(format!(
                "The {} checksum type cannot be used with the {name} checksum algorithm.",
                asked.as_str()
            )))
        }
        _ => Ok(asked.unwrap_or(default)),
    }
}

impl Upload {
    /// The algorithm of the parts must be that of the upload, if it named one.
    pub(super) fn check_part_checksum(&self, part: Option<&Checksum>) -> S3Result<()> {
        match (self.algorithm, part) {
            (Some(expected), Some(part)) if expected != part.algorithm => Err(errors::invalid_request(format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                expected.name().to_ascii_lowercase(),
                part.algorithm.name().to_ascii_lowercase()
            ))),
            _ => Ok(()),
        }
    }

    /// The parts that a request names, checked as S3 checks them.
    pub(super) fn select(&self, named: &[NamedPart<'_>]) -> S3Result<Vec<Part>> {
        if named.is_empty() {
            return Err(errors::malformed_xml());
        }
        if !named.is_sorted_by(|one, next| one.number < next.number) {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. The parts list must be specified in order by part number."
            ));
        }
        let mut parts = Vec::with_capacity(named.len());
        for name in named {
            let part =
                self.parts.get(&name.number).filter(|part| hex(&part.md5) == name.etag).ok_or_else(invalid_part)?;
            self.check_named_checksum(name, part)?;
            parts.push(part.clone());
        }
        let mut all_but_last = parts[..parts.len() - 1].iter().zip(named);
        if let Some((part, name)) = all_but_last.find(|(part, _)| part.body.len() < MIN_PART as u64) {
            let details = [
                ("ProposedSize", part.body.len().to_string()),
                ("MinSizeAllowed", MIN_PART.to_string()),
                ("PartNumber", name.number.to_string()),
                ("ETag", name.etag.to_owned()),
            ];
            let details = details.each_ref().map(|(name, value)| (*name, value.as_str()));
            return Err(errors::with_details(errors::entity_too_small(), &details));
        }
        Ok(parts)
    }

    fn check_named_checksum(&self, name: &NamedPart<'_>, part: &Part) -> S3Result<()> {
        match (name.checksum, self.algorithm) {
            (Some(given), _) if part.told().is_some_and(|stored| *stored.value != *given) => Err(invalid_part()),
            (None, Some(algorithm)) if self.coverage == Coverage::Composite => Err(errors::invalid_request(format!(
                "The upload was created using a {} checksum. The complete request must include the checksum for each \
                 part. It was missing for part {} in the request.",
                algorithm.name().to_ascii_lowercase(),
                name.number
            ))),
            _ => Ok(()),
        }
    }

    /// The object that the parts make. Blocks if parts are on disk and must be read for a checksum.
    pub(super) fn assemble(&self, id: &str, parts: &[Part], now: SystemTime) -> io::Result<Object> {
        let body = Body::join(parts.iter().map(|part| part.body.clone()));
        let digests: Vec<u8> = parts.iter().flat_map(|part| part.md5).collect();
        let algorithm = self.algorithm.unwrap_or(Algorithm::DEFAULT);
        let checksum = match self.coverage {
            Coverage::FullObject => {
                let of_parts = parts.iter().map(|part| (Some(&part.checksum), part.body.len()));
                match Checksum::combined(algorithm, of_parts) {
                    Some(checksum) => checksum,
                    None => Checksum::of_body(algorithm, &body)?,
                }
            }
            Coverage::Composite => {
                let checksums: io::Result<Vec<Checksum>> =
                    parts.iter().map(|part| part.checksum_of(algorithm)).collect();
                Checksum::composite(algorithm, &checksums?)
            }
        };
        let part = |part: &Part| PartOf { size: part.body.len(), checksum: part.told().cloned() };
        Ok(Object {
            version: Version::NULL,
            etag: Etag { md5: md5(&digests), parts: u16::try_from(parts.len()).unwrap_or(u16::MAX) },
            checksum,
            modified: seconds(now),
            attributes: self.attributes.clone(),
            tags: self.tags.clone(),
            multipart: Some(Box::new(Multipart { upload: id.to_owned(), parts: parts.iter().map(part).collect() })),
            body,
        })
    }
}

fn invalid_part() -> s3s::S3Error {
    s3_error!(
        InvalidPart,
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified \
         entity tag may not match the part's entity tag."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cyclic_redundancy_checks_have_a_choice() {
        use Algorithm::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
        for (algorithm, asked, expected) in [
            (None, None, Some(Coverage::FullObject)),
            (None, Some("FULL_OBJECT"), None),
            (Some(Crc32), None, Some(Coverage::Composite)),
            (Some(Crc32), Some("FULL_OBJECT"), Some(Coverage::FullObject)),
            (Some(Crc32c), Some("COMPOSITE"), Some(Coverage::Composite)),
            (Some(Crc64Nvme), None, Some(Coverage::FullObject)),
            (Some(Crc64Nvme), Some("COMPOSITE"), None),
            (Some(Sha1), Some("FULL_OBJECT"), None),
            (Some(Sha256), None, Some(Coverage::Composite)),
            (Some(Sha256), Some("HALF"), None),
        ] {
            assert_eq!(coverage(algorithm, asked).ok(), expected, "{algorithm:?} {asked:?}");
        }
    }
}
