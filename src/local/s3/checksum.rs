//! The checksums of S3: five algorithms, of a whole object or composed of those of its parts.

use std::io;

use aws_smithy_types::base64;
use crc_fast::CrcAlgorithm;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::ChecksumType;
use serde::{Deserialize, Serialize};

use super::body::Body;

/// A checksum algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(super) const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];
    /// What S3 computes for an object that came without a checksum.
    pub(super) const DEFAULT: Self = Self::Crc64Nvme;

    /// The name in requests and answers, such as `CRC32C`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header that carries a value.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Crc32 => Crc32::checksum(data).to_vec(),
            Self::Crc32c => Crc32c::checksum(data).to_vec(),
            Self::Crc64Nvme => Crc64Nvme::checksum(data).to_vec(),
            Self::Sha1 => Sha1::checksum(data).as_ref().to_vec(),
            Self::Sha256 => Sha256::checksum(data).as_ref().to_vec(),
        }
    }

    /// The length of a raw value in bytes.
    fn width(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Whether the text is the Base64 of a value.
    pub(super) fn accepts(self, value: &str) -> bool {
        base64::decode(value).is_ok_and(|raw| raw.len() == self.width())
    }
}

/// What a checksum was taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Coverage {
    FullObject,
    /// The raw values of the parts.
    Composite,
}

impl Coverage {
    pub(super) fn to_dto(self) -> ChecksumType {
        ChecksumType::from_static(match self {
            Self::FullObject => ChecksumType::FULL_OBJECT,
            Self::Composite => ChecksumType::COMPOSITE,
        })
    }
}

/// A checksum in the form of answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checksum {
    pub(super) algorithm: Algorithm,
    /// Base64; a composite one ends in `-` and the number of parts.
    pub(super) value: Box<str>,
    pub(super) coverage: Coverage,
}

impl Checksum {
    pub(super) fn of(algorithm: Algorithm, data: &[u8]) -> Self {
        Self::whole(algorithm, &algorithm.digest(data))
    }

    fn whole(algorithm: Algorithm, digest: &[u8]) -> Self {
        Self { algorithm, value: base64::encode(digest).into(), coverage: Coverage::FullObject }
    }

    /// The checksum of a body that may be on disk; blocks while it is read.
    pub(super) fn of_body(algorithm: Algorithm, body: &Body) -> io::Result<Self> {
        macro_rules! digest {
            ($hash:ident) => {{
                let mut hash = $hash::new();
                body.each_chunk(|chunk| hash.update(chunk))?;
                Self::whole(algorithm, hash.finalize().as_ref())
            }};
        }
        Ok(match algorithm {
            Algorithm::Crc32 => digest!(Crc32),
            Algorithm::Crc32c => digest!(Crc32c),
            Algorithm::Crc64Nvme => digest!(Crc64Nvme),
            Algorithm::Sha1 => digest!(Sha1),
            Algorithm::Sha256 => digest!(Sha256),
        })
    }

    /// The checksum of the whole from those of its parts, each with its length; `None` for what cannot be put together.
    pub(super) fn combined<'a>(
        algorithm: Algorithm,
        parts: impl IntoIterator<Item = (Option<&'a Self>, u64)>,
    ) -> Option<Self> {
        let crc = match algorithm {
            Algorithm::Crc32 => CrcAlgorithm::Crc32IsoHdlc,
            Algorithm::Crc32c => CrcAlgorithm::Crc32Iscsi,
            Algorithm::Crc64Nvme => CrcAlgorithm::Crc64Nvme,
            Algorithm::Sha1 | Algorithm::Sha256 => return None,
        };
        let mut whole = None;
        for (part, length) in parts {
            let part = part.filter(|part| part.algorithm == algorithm && part.coverage == Coverage::FullObject)?;
            let raw = base64::decode(&*part.value).ok()?;
            let value = raw.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
            whole = Some(match whole {
                None => value,
                Some(before) => crc_fast::checksum_combine(crc, before, value, length),
            });
        }
        let raw = whole?.to_be_bytes();
        Some(Self::whole(algorithm, &raw[raw.len() - algorithm.width()..]))
    }

    /// The checksum of the parts' checksums.
    pub(super) fn composite<'a>(algorithm: Algorithm, parts: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut raw = Vec::new();
        let mut count = 0;
        for part in parts {
            raw.extend(base64::decode(&*part.value).unwrap_or_default());
            count += 1;
        }
        let value = format!("{}-{count}", base64::encode(algorithm.digest(&raw)));
        Self { algorithm, value: value.into(), coverage: Coverage::Composite }
    }
}

/// Sets the field of an answer that belongs to the checksum's algorithm.
macro_rules! fill_checksum {
    ($answer:expr, $checksum:expr) => {{
        use $crate::local::s3::checksum::Algorithm;
        let value = Some(String::from($checksum.value.clone()));
        match $checksum.algorithm {
            Algorithm::Crc32 => $answer.checksum_crc32 = value,
            Algorithm::Crc32c => $answer.checksum_crc32c = value,
            Algorithm::Crc64Nvme => $answer.checksum_crc64nvme = value,
            Algorithm::Sha1 => $answer.checksum_sha1 = value,
            Algorithm::Sha256 => $answer.checksum_sha256 = value,
        }
    }};
}
pub(super) use fill_checksum;

/// The value that a request gives for an algorithm.
macro_rules! given_checksum {
    ($input:expr, $algorithm:expr) => {{
        use $crate::local::s3::checksum::Algorithm;
        match $algorithm {
            Algorithm::Crc32 => $input.checksum_crc32.as_deref(),
            Algorithm::Crc32c => $input.checksum_crc32c.as_deref(),
            Algorithm::Crc64Nvme => $input.checksum_crc64nvme.as_deref(),
            Algorithm::Sha1 => $input.checksum_sha1.as_deref(),
            Algorithm::Sha256 => $input.checksum_sha256.as_deref(),
        }
    }};
}
pub(super) use given_checksum;

pub(super) fn md5(data: &[u8]) -> [u8; 16] {
    Md5::checksum(data)
}

/// Blocks while a body on disk is read.
pub(super) fn md5_of_body(body: &Body) -> io::Result<[u8; 16]> {
    let mut hash = Md5::new();
    body.each_chunk(|chunk| hash.update(chunk))?;
    Ok(hash.finalize())
}

pub(super) fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::checksum(data)
}

pub(super) fn sha256_hex(data: &[u8]) -> String {
    hex(&sha256(data))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The check values of the algorithms' catalogues for the text `123456789`.
    #[test]
    fn digests_are_the_published_ones() {
        for (algorithm, expected) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            let digest = algorithm.digest(b"123456789");
            assert_eq!(hex(&digest), expected, "{algorithm:?}");
            assert!(algorithm.accepts(&base64::encode(&digest)));
            assert!(!algorithm.accepts(&base64::encode(&digest[1..])));
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        assert_eq!(hex(&md5(b"")), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn a_composite_names_the_number_of_parts() {
        let parts = [Checksum::of(Algorithm::Crc32, b"a"), Checksum::of(Algorithm::Crc32, b"b")];
        let raw = [Algorithm::Crc32.digest(b"a"), Algorithm::Crc32.digest(b"b")].concat();
        let composite = Checksum::composite(Algorithm::Crc32, &parts);
        assert_eq!(*composite.value, format!("{}-2", Checksum::of(Algorithm::Crc32, &raw).value));
    }

    proptest! {
        #[test]
        fn checksums_of_parts_combine_to_that_of_the_whole(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..5),
        ) {
            for algorithm in Algorithm::ALL {
                let checksums: Vec<Checksum> = parts.iter().map(|part| Checksum::of(algorithm, part)).collect();
                let lengths = parts.iter().map(|part| part.len() as u64);
                let combined = Checksum::combined(algorithm, checksums.iter().map(Some).zip(lengths));
                let hashes = matches!(algorithm, Algorithm::Sha1 | Algorithm::Sha256);
                let whole = Checksum::of(algorithm, &parts.concat());
                prop_assert_eq!(combined, (!hashes).then_some(whole.clone()));
                let body = Body::join(parts.iter().map(|part| Body::memory(part.clone().into())));
                prop_assert_eq!(Checksum::of_body(algorithm, &body).unwrap(), whole);
            }
        }
    }
}
