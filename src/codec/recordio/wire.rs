//! As much of protobuf's wire format as the records use.

use crate::{Error, ErrorKind, Result};

/// Length-delimited: messages, text, bytes, packed numbers.
pub(super) const DELIMITED: u32 = 2;

/// The tag of a length-delimited field; all fields of the records have numbers below 16, so it is one byte.
pub(super) const fn tag(field: u32) -> u8 {
    (field << 3 | DELIMITED) as u8
}

#[inline]
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[inline]
pub(super) fn varint_len(value: u64) -> usize {
    (value | 1).ilog2() as usize / 7 + 1
}

/// The bytes of a length-delimited field, tag and length included.
#[inline]
pub(super) fn delimited_len(length: usize) -> usize {
    1 + varint_len(length as u64) + length
}

#[inline]
pub(super) fn put_header(out: &mut Vec<u8>, field: u32, length: usize) {
    out.push(tag(field));
    put_varint(out, length as u64);
}

pub(super) fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    put_header(out, field, bytes.len());
    out.extend_from_slice(bytes);
}

/// What a field holds.
pub(super) enum Field<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Delimited(&'a [u8]),
    Fixed32([u8; 4]),
}

/// The fields of a message, with their numbers.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Field<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.0 = &[];
        }
        Some(read)
    }
}

impl<'a> Fields<'a> {
    fn read(&mut self) -> Result<(u64, Field<'a>)> {
        let tag = varint(&mut self.0)?;
        let field = match tag & 7 {
            0 => Field::Varint(varint(&mut self.0)?),
            1 => Field::Fixed64(fixed(&mut self.0)?),
            2 => {
                let length = varint(&mut self.0)?;
                let length = usize::try_from(length).ok().filter(|length| *length <= self.0.len());
                let (bytes, rest) = self.0.split_at(length.ok_or_else(ends_early)?);
                self.0 = rest;
                Field::Delimited(bytes)
            }
            5 => Field::Fixed32(fixed(&mut self.0)?),
            kind => return Err(malformed(format!("a field has the wire type {kind}"))),
        };
        match tag >> 3 {
            0 => Err(malformed("a field has the number 0".to_owned())),
            number => Ok((number, field)),
        }
    }
}

/// Takes a varint off the beginning.
#[inline]
pub(super) fn varint(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *bytes = &bytes[index + 1..];
            return Ok(value);
        }
    }
    Err(if bytes.len() < 10 { ends_early() } else { malformed("a number has more than ten bytes".to_owned()) })
}

fn fixed<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk().ok_or_else(ends_early)?;
    *bytes = rest;
    Ok(*taken)
}

fn ends_early() -> Error {
    malformed("it ends within a field".to_owned())
}

pub(super) fn malformed(what: String) -> Error {
    Error::new(ErrorKind::Deserialization, format!("no protobuf record: {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn varints_come_back(value: u64, small in 0..300_u64) {
            for value in [value, small, value >> 32] {
                let mut out = Vec::new();
                put_varint(&mut out, value);
                prop_assert_eq!(out.len(), varint_len(value));
                let mut rest = &out[..];
                prop_assert_eq!(varint(&mut rest).unwrap(), value);
                prop_assert!(rest.is_empty());
            }
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = Fields(&bytes).count();
        }
    }
}
