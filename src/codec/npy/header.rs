//! The beginning of a file: magic bytes, version, and a Python dictionary with type, order and shape.

use super::Element;
use crate::{Error, ErrorKind, Result};

const MAGIC: &[u8] = b"\x93NUMPY";
/// NumPy itself goes no further.
const MOST_DIMENSIONS: usize = 64;

/// The type of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) letter: char,
    size: u8,
    pub(super) big_endian: bool,
}

impl Kind {
    fn parse(descr: &str) -> Option<Self> {
        let (order, rest) = match descr.split_at_checked(1)? {
            (order @ ("<" | ">" | "|" | "="), rest) => (order, rest),
            _ => ("<", descr),
        };
        let letter = rest.chars().next()?;
        let size = match (letter, &rest[1..]) {
            ('b', "1") => 1,
            ('i' | 'u', size @ ("1" | "2" | "4" | "8")) | ('f', size @ ("4" | "8")) => size.parse().ok()?,
            _ => return None,
        };
        Some(Self { letter, size, big_endian: order == ">" })
    }

    pub(super) fn size(self) -> usize {
        self.size.into()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    descr: String,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<usize>,
}

impl Header {
    pub(super) fn of<T: Element>(shape: Vec<usize>) -> Self {
        let kind = Kind::parse(T::DESCR).unwrap_or(Kind { letter: 'f', size: 8, big_endian: false });
        Self { kind, descr: T::DESCR.to_owned(), fortran_order: false, shape }
    }

    /// As NumPy writes it: version 1.0, padded to a multiple of 64 bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let shape = match &self.shape[..] {
            [length] => format!("({length},)"),
            shape => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
        };
        let mut text = format!("{{'descr': '{}', 'fortran_order': False, 'shape': {shape}, }}", self.descr);
        // NumPy leaves room for the first dimension to grow to 21 digits.
        let growth = self.shape.first().map_or(0, |length| 21_usize.saturating_sub(length.to_string().len()));
        text.push_str(&" ".repeat(growth));
        let before = MAGIC.len() + 4;
        let total = (before + text.len() + 1).next_multiple_of(64);
        text.push_str(&" ".repeat(total - before - text.len() - 1));
        text.push('\n');

        let mut out = Vec::with_capacity(total);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&[1, 0]);
        out.extend_from_slice(&(text.len() as u16).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
        out
    }

    /// The header, and the bytes behind it.
    pub(super) fn read(body: &[u8]) -> Result<(Self, &[u8])> {
        let refused = |what: &str| Error::new(ErrorKind::Deserialization, format!("no NumPy array: {what}"));
        let early = || refused("it ends within its header");
        let rest = body.strip_prefix(MAGIC).ok_or_else(|| refused("it does not begin as one"))?;
        let ([version, _], rest) = rest.split_first_chunk().ok_or_else(early)?;
        let (length, rest) = if *version == 1 {
            let (length, rest) = rest.split_first_chunk().ok_or_else(early)?;
            (u32::from(u16::from_le_bytes(*length)), rest)
        } else {
            let (length, rest) = rest.split_first_chunk().ok_or_else(early)?;
            (u32::from_le_bytes(*length), rest)
        };
        let length = usize::try_from(length).ok().filter(|length| *length <= rest.len()).ok_or_else(early)?;
        let (text, data) = rest.split_at(length);
        let text = std::str::from_utf8(text).map_err(|_| refused("its header is no text"))?;
        let dictionary = Dictionary::parse(text).ok_or_else(|| refused("its header is not understood"))?;
        let kind = Kind::parse(&dictionary.descr).ok_or_else(|| {
            refused(&format!(
                "its elements are {}, which are no numbers",
                crate::codec::shortened(dictionary.descr.as_bytes())
            ))
        })?;
        let Dictionary { descr, fortran_order, shape } = dictionary;
        Ok((Self { kind, descr, fortran_order, shape }, data))
    }
}

/// The literal in the header, which has these keys and no others.
struct Dictionary {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Dictionary {
    fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, after) = quoted(rest)?;
            rest = after.trim_start().strip_prefix(':')?.trim_start();
            rest = match key {
                "descr" => {
                    // Structures are lists here; they are told by what they begin with.
                    let (value, after) = quoted(rest)?;
                    descr = Some(value.to_owned());
                    after
                }
                "fortran_order" => {
                    let (value, after) = [("True", true), ("False", false)]
                        .iter()
                        .find_map(|(word, value)| Some((*value, rest.strip_prefix(word)?)))?;
                    fortran_order = Some(value);
                    after
                }
                "shape" => {
                    let (inner, after) = rest.strip_prefix('(')?.split_once(')')?;
                    let lengths = inner.split(',').map(str::trim).filter(|length| !length.is_empty());
                    let lengths = lengths.map(|length| length.trim_end_matches('L').parse().ok());
                    shape =
                        Some(lengths.collect::<Option<Vec<usize>>>().filter(|shape| shape.len() <= MOST_DIMENSIONS)?);
                    after
                }
                _ => return None,
            };
            rest = rest.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        Some(Self { descr: descr?, fortran_order: fortran_order?, shape: shape? })
    }
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    text[1..].split_once(quote)
}
