//! How an object becomes records, and records become payloads.

use bytes::Bytes;

/// What divides an object into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local) enum Split {
    /// The object is one record.
    None,
    Line,
    RecordIo,
    TfRecord,
}

/// The number that each part of a RecordIO record begins with.
const RECORD_IO: u32 = 0xced7_230a;

/// What is sent to the model, one body a call; `limit` is in bytes. The text says what is wrong with the object.
pub(in crate::local) fn payloads(
    split: Split,
    several: bool,
    limit: Option<usize>,
    body: &Bytes,
) -> Result<Vec<Bytes>, String> {
    let limit = limit.unwrap_or(usize::MAX);
    let mut out: Vec<Bytes> = Vec::new();
    let (mut start, mut end) = (0, 0);
    for record in records(split, body) {
        let (record_start, record_end) = record?;
        let length = record_end - record_start;
        if length > limit {
            return Err(format!("a record of {length} bytes is larger than MaxPayloadInMB allows ({limit} bytes)"));
        }
        if !several {
            out.push(body.slice(record_start..record_end));
            continue;
        }
        if record_end - start > limit {
            out.push(body.slice(start..end));
            start = record_start;
        }
        end = record_end;
    }
    if end > start {
        out.push(body.slice(start..end));
    }
    Ok(out)
}

type Place = Result<(usize, usize), String>;

/// Where each record begins and ends; a line without its line feed, a framed record with its frame.
fn records(split: Split, body: &[u8]) -> Box<dyn Iterator<Item = Place> + '_> {
    match split {
        Split::None => Box::new(std::iter::once(Ok((0, body.len())))),
        Split::Line => Box::new(lines(body).map(Ok)),
        Split::RecordIo => Box::new(framed(body, record_io)),
        Split::TfRecord => Box::new(framed(body, tf_record)),
    }
}

/// Where each line begins and ends, without its line feed.
pub(super) fn lines(body: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let rest = body.get(next..).filter(|rest| !rest.is_empty())?;
        let start = next;
        let length = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        next = start + length + 1;
        Some((start, start + length))
    })
}

/// Records of which `frame` knows the length; ends with the first that is broken.
fn framed<'a>(body: &'a [u8], frame: impl Fn(&[u8]) -> Result<usize, String> + 'a) -> impl Iterator<Item = Place> + 'a {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let rest = body.get(start..).filter(|rest| !rest.is_empty())?;
        let place = frame(rest).map(|length| (start, start + length));
        next = place.as_ref().ok().map(|(_, end)| *end);
        Some(place)
    })
}

/// The length of a RecordIO record with all its parts: number, flag and length, content, padding to four bytes.
fn record_io(rest: &[u8]) -> Result<usize, String> {
    let broken = || "the object is no valid RecordIO".to_owned();
    let mut end = 0usize;
    loop {
        let part = rest.get(end..).ok_or_else(broken)?;
        let word = |at: usize| Some(u32::from_le_bytes(part.get(at..at + 4)?.try_into().ok()?));
        if word(0).ok_or_else(broken)? != RECORD_IO {
            return Err(broken());
        }
        let header = word(4).ok_or_else(broken)?;
        let (flag, length) = (header >> 29, (header & 0x1fff_ffff) as usize);
        end += 8 + length.next_multiple_of(4);
        if end > rest.len() {
            return Err(broken());
        }
        // 0 is a whole record; 1, 2 and 3 are the first, a middle and the last part of one.
        if matches!(flag, 0 | 3) {
            return Ok(end);
        }
    }
}

/// The length of a TFRecord: length and its checksum, content and its checksum.
fn tf_record(rest: &[u8]) -> Result<usize, String> {
    let broken = || "the object is no valid TFRecord file".to_owned();
    let length = rest.get(..8).and_then(|length| length.try_into().ok()).map(u64::from_le_bytes);
    let end = length.and_then(|length| usize::try_from(length).ok()?.checked_add(16)).ok_or_else(broken)?;
    if end > rest.len() { Err(broken()) } else { Ok(end) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(split: Split, several: bool, limit: Option<usize>, body: &'static str) -> Vec<Bytes> {
        payloads(split, several, limit, &Bytes::from(body)).unwrap()
    }

    #[test]
    fn objects_are_split_into_payloads() {
        assert_eq!(split(Split::None, true, None, "a\nb\n"), ["a\nb\n"]);
        assert_eq!(split(Split::Line, false, None, "a\nbc\n"), ["a", "bc"]);
        assert_eq!(split(Split::Line, false, None, "a\n\nb"), ["a", "", "b"]);
        assert_eq!(split(Split::Line, true, None, "a\nbc\nd\n"), ["a\nbc\nd"]);
        assert_eq!(split(Split::Line, true, Some(4), "a\nbc\nd\n"), ["a\nbc", "d"]);
        assert!(split(Split::Line, true, None, "").is_empty());
        assert!(payloads(Split::Line, true, Some(2), &Bytes::from("a\nlong\n")).is_err());
        assert!(payloads(Split::None, true, Some(2), &Bytes::from("long")).is_err());
    }

    fn framed_io(content: &[u8], flag: u32) -> Vec<u8> {
        let mut out = RECORD_IO.to_le_bytes().to_vec();
        out.extend((flag << 29 | content.len() as u32).to_le_bytes());
        out.extend(content);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    fn framed_tf(content: &[u8]) -> Vec<u8> {
        let mut out = (content.len() as u64).to_le_bytes().to_vec();
        out.extend([0; 4]);
        out.extend(content);
        out.extend([0; 4]);
        out
    }

    #[test]
    fn parts_of_a_record_stay_together() {
        let whole = [framed_io(b"first", 1), framed_io(b"middle", 2), framed_io(b"last", 3)].concat();
        let body = Bytes::from([whole.clone(), framed_io(b"next", 0)].concat());
        let found = payloads(Split::RecordIo, false, None, &body).unwrap();
        assert_eq!(found, [Bytes::from(whole), Bytes::from(framed_io(b"next", 0))]);
    }

    #[test]
    fn broken_frames_are_refused() {
        let huge = [u64::MAX.to_le_bytes().to_vec(), vec![0; 20]].concat();
        assert!(payloads(Split::TfRecord, true, None, &Bytes::from(huge)).is_err());
        assert!(payloads(Split::TfRecord, true, None, &Bytes::from_static(b"short")).is_err());
        let open = framed_io(b"first", 1);
        assert!(payloads(Split::RecordIo, true, None, &Bytes::from(open)).is_err());
        assert!(payloads(Split::RecordIo, true, None, &Bytes::from_static(b"nothing here")).is_err());
    }

    proptest! {
        #[test]
        fn no_line_is_lost_and_no_payload_is_too_large(
            rows in proptest::collection::vec("[a-z]{1,9}", 1..40),
            limit in 9usize..40,
        ) {
            let body = Bytes::from(rows.join("\n") + "\n");
            let payloads = payloads(Split::Line, true, Some(limit), &body).unwrap();
            prop_assert!(payloads.iter().all(|payload| payload.len() <= limit));
            let lines = payloads.iter().flat_map(|payload| payload.split(|&b| b == b'\n'));
            let joined: Vec<String> = lines.map(|line| String::from_utf8(line.to_vec()).unwrap()).collect();
            prop_assert_eq!(joined, rows);
        }

        #[test]
        fn frames_are_found_again(
            records in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..10),
            several: bool,
        ) {
            for split in [Split::TfRecord, Split::RecordIo] {
                let frame = |record: &Vec<u8>| if split == Split::TfRecord { framed_tf(record) } else { framed_io(record, 0) };
                let frames: Vec<Vec<u8>> = records.iter().map(frame).collect();
                let body = Bytes::from(frames.concat());
                let found = payloads(split, several, None, &body).unwrap();
                prop_assert_eq!(found.concat(), body.to_vec());
                if !several {
                    prop_assert_eq!(found, frames);
                }
            }
        }

        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..80), several: bool) {
            let body = Bytes::from(bytes);
            for split in [Split::Line, Split::TfRecord, Split::RecordIo] {
                let _ = payloads(split, several, Some(30), &body);
            }
        }
    }
}
