//! The frames around the records: RecordIO as MXNet defines it.

use bytes::{Buf, Bytes, BytesMut};

use crate::{Error, ErrorKind, Result};

/// 0xCED7230A, little-endian.
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x23, 0xd7, 0xce];
const HEADER: usize = 8;
/// The upper three bits of the length tell whether the frame is a whole record or a part of one.
const LENGTH_BITS: u32 = 29;
pub(super) const MOST: usize = (1 << LENGTH_BITS) - 1;

/// Begins a frame at the end of `out`; gives what [`end`] needs.
#[inline]
pub(super) fn begin(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[0; 4]);
    start
}

/// Ends the frame that began at `start`: writes its length and the padding.
#[inline]
pub(super) fn end(out: &mut Vec<u8>, start: usize) -> Result<()> {
    let length = out.len() - start - HEADER;
    if length > MOST {
        out.truncate(start);
        let text = format!("a record has at most {MOST} bytes, this has {length}");
        return Err(Error::new(ErrorKind::Serialization, text));
    }
    out[start + 4..start + HEADER].copy_from_slice(&(length as u32).to_le_bytes());
    out.extend_from_slice(&[0; 3][..padding(length)]);
    Ok(())
}

fn padding(length: usize) -> usize {
    length.wrapping_neg() % 4
}

/// The payloads of a body's frames, in order, without copies. Ends after the first error.
///
/// ```
/// use sagemaker::codec::recordio::{RecordWriter, frames};
///
/// let mut writer = RecordWriter::new();
/// writer.frame(b"one")?;
/// writer.frame(b"four")?;
/// let payloads = frames(writer.finish()).collect::<sagemaker::Result<Vec<_>>>()?;
/// assert_eq!(payloads, ["one", "four"]);
/// # Ok::<(), sagemaker::Error>(())
/// ```
pub fn frames(body: Bytes) -> Frames {
    Frames { rest: body, at: 0, failed: false }
}

/// Iterator over the payloads of a body: see [`frames`].
#[derive(Debug, Clone)]
pub struct Frames {
    rest: Bytes,
    at: u64,
    failed: bool,
}

impl Iterator for Frames {
    type Item = Result<Bytes>;

    fn next(&mut self) -> Option<Result<Bytes>> {
        if self.failed || self.rest.is_empty() {
            return None;
        }
        let length = match whole(&self.rest, self.at, MOST) {
            Ok(Some(length)) => length,
            Ok(None) => {
                self.failed = true;
                return Some(Err(malformed(self.at, "the body ends within this frame")));
            }
            Err(error) => {
                self.failed = true;
                return Some(Err(error));
            }
        };
        let frame = self.rest.split_to(length);
        self.at += length as u64;
        Some(Ok(payload(frame)))
    }
}

/// The payloads of frames that arrive in pieces, as through a pipe.
///
/// ```
/// use sagemaker::codec::recordio::{FrameReader, RecordWriter};
///
/// let mut writer = RecordWriter::new();
/// writer.frame(b"payload")?;
/// let body = writer.finish();
///
/// let mut reader = FrameReader::new();
/// reader.push(&body[..10]);
/// assert!(reader.next_frame()?.is_none());
/// reader.push(&body[10..]);
/// assert_eq!(reader.next_frame()?.unwrap(), "payload");
/// reader.finish()?;
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FrameReader {
    buffer: BytesMut,
    at: u64,
    most: usize,
}

impl Default for FrameReader {
    fn default() -> Self {
        Self { buffer: BytesMut::new(), at: 0, most: MOST }
    }
}

impl FrameReader {
    /// A reader at the beginning of a body.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses records of more bytes than this before they are gathered. Default: 512 MiB, the most that the format has.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.most = bytes.min(MOST);
        self
    }

    /// Adds what arrived.
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.extend_from_slice(piece);
    }

    /// The next payload, or nothing until more is there.
    ///
    /// # Errors
    /// [`ErrorKind::Deserialization`] for bytes that are no frame, and for a record above the limit.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>> {
        let Some(length) = whole(&self.buffer, self.at, self.most)? else { return Ok(None) };
        self.at += length as u64;
        Ok(Some(payload(self.buffer.split_to(length).freeze())))
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// [`ErrorKind::Deserialization`] if the body ended within a frame.
    pub fn finish(self) -> Result<()> {
        if self.buffer.is_empty() { Ok(()) } else { Err(malformed(self.at, "the body ends within this frame")) }
    }
}

/// The length, headers and padding included, of the record at the beginning of `bytes`, once all of it is there.
fn whole(bytes: &[u8], at: u64, most: usize) -> Result<Option<usize>> {
    let (mut length, mut payload, mut first) = (0, 0, true);
    loop {
        let Some(header) = header(&bytes[length..], at)? else { return Ok(None) };
        let fits =
            matches!((header.part, first), (Part::Whole | Part::First, true) | (Part::Middle | Part::Last, false));
        if !fits {
            return Err(malformed(at, "parts of records are out of order"));
        }
        payload += header.length;
        if payload > most {
            return Err(malformed(at, &format!("the record has more than {most} bytes")));
        }
        let end = length + HEADER + header.length + padding(header.length);
        if bytes.len() < end {
            return Ok(None);
        }
        length = end;
        if matches!(header.part, Part::Whole | Part::Last) {
            return Ok(Some(length));
        }
        first = false;
    }
}

/// A payload that has the magic number in it may have been split there; it is put together again.
fn payload(mut frame: Bytes) -> Bytes {
    let length = |frame: &Bytes| (u32::from_le_bytes([frame[4], frame[5], frame[6], frame[7]]) as usize) & MOST;
    let first = length(&frame);
    if HEADER + first + padding(first) == frame.len() {
        return frame.slice(HEADER..HEADER + first);
    }
    let mut joined = BytesMut::new();
    while !frame.is_empty() {
        if !joined.is_empty() || frame[7] >> 5 != 1 {
            joined.extend_from_slice(&MAGIC);
        }
        let part = length(&frame);
        joined.extend_from_slice(&frame[HEADER..HEADER + part]);
        frame.advance(HEADER + part + padding(part));
    }
    joined.freeze()
}

#[derive(Clone, Copy)]
enum Part {
    Whole,
    First,
    Middle,
    Last,
}

struct Header {
    part: Part,
    length: usize,
}

fn header(bytes: &[u8], at: u64) -> Result<Option<Header>> {
    let magic = &bytes[..bytes.len().min(4)];
    if *magic != MAGIC[..magic.len()] {
        return Err(malformed(at, "no frame begins here: this is no RecordIO"));
    }
    let Some(length) = bytes.get(4..HEADER).and_then(|length| length.try_into().ok()).map(u32::from_le_bytes) else {
        return Ok(None);
    };
    let part = match length >> LENGTH_BITS {
        0 => Part::Whole,
        1 => Part::First,
        2 => Part::Middle,
        3 => Part::Last,
        _ => return Err(malformed(at, "the frame has an unknown kind")),
    };
    Ok(Some(Header { part, length: length as usize & MOST }))
}

fn malformed(at: u64, what: &str) -> Error {
    Error::new(ErrorKind::Deserialization, format!("byte {at}: {what}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(payloads: &[Vec<u8>]) -> Bytes {
        let mut out = Vec::new();
        for payload in payloads {
            let start = begin(&mut out);
            out.extend_from_slice(payload);
            end(&mut out, start).unwrap();
        }
        out.into()
    }

    #[test]
    fn parts_are_put_together_with_the_magic_between_them() {
        let mut body = Vec::new();
        for (kind, part) in [(1_u32, &b"ab"[..]), (2, b""), (3, b"cdefg"), (0, b"z")] {
            body.extend_from_slice(&MAGIC);
            body.extend_from_slice(&(kind << LENGTH_BITS | part.len() as u32).to_le_bytes());
            body.extend_from_slice(part);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        let read: Vec<Bytes> = frames(body.into()).map(Result::unwrap).collect();
        assert_eq!(read, [&[b"ab", &MAGIC[..], &MAGIC[..], b"cdefg"].concat()[..], b"z"]);
    }

    #[test]
    fn a_first_part_may_be_empty() {
        let mut body = Vec::new();
        for (kind, part) in [(1_u32, &b""[..]), (3, b"")] {
            body.extend_from_slice(&MAGIC);
            body.extend_from_slice(&(kind << LENGTH_BITS | part.len() as u32).to_le_bytes());
        }
        assert_eq!(frames(body.into()).next().unwrap().unwrap(), MAGIC[..]);
    }

    #[test]
    fn a_hostile_length_is_not_waited_for() {
        let header = [&MAGIC[..], &(1_u32 << 28).to_le_bytes()].concat();
        let mut reader = FrameReader::new().limit(1 << 20);
        reader.push(&header);
        assert!(reader.next_frame().unwrap_err().to_string().contains("more than 1048576 bytes"));
        let error = frames(header.into()).next().unwrap().unwrap_err();
        assert!(error.to_string().contains("ends within this frame"), "{error}");
    }

    #[test]
    fn other_bytes_are_told_at_once() {
        let mut reader = FrameReader::new();
        reader.push(b"1,2");
        assert!(reader.next_frame().unwrap_err().to_string().contains("byte 0: no frame begins here"));
    }

    proptest! {
        #[test]
        fn payloads_come_back(payloads: Vec<Vec<u8>>, cut in 1..40_usize) {
            let body = written(&payloads);
            prop_assert_eq!(body.len() % 4, 0);
            let read: Vec<Bytes> = frames(body.clone()).map(Result::unwrap).collect();
            prop_assert_eq!(&read, &payloads);

            let (mut reader, mut read) = (FrameReader::new(), Vec::new());
            for piece in body.chunks(cut) {
                reader.push(piece);
                while let Some(payload) = reader.next_frame().unwrap() {
                    read.push(payload);
                }
            }
            reader.finish().unwrap();
            prop_assert_eq!(&read, &payloads);
        }

        #[test]
        fn no_bytes_panic(junk: Vec<u8>, kinds in proptest::collection::vec((0..6_u32, 0..9_u32), 0..6)) {
            let _ = frames(junk.clone().into()).count();
            let mut body = Vec::new();
            for (kind, length) in kinds {
                body.extend_from_slice(&MAGIC);
                body.extend_from_slice(&(kind << LENGTH_BITS | length).to_le_bytes());
                body.resize(body.len() + length as usize, 7);
                body.resize(body.len().next_multiple_of(4), 0);
            }
            body.extend_from_slice(&junk);
            let whole = frames(body.clone().into()).take_while(Result::is_ok).count();
            let mut reader = FrameReader::new();
            reader.push(&body);
            let mut pieces = 0;
            while let Ok(Some(_)) = reader.next_frame() {
                pieces += 1;
            }
            prop_assert_eq!(whole, pieces);
        }
    }
}
