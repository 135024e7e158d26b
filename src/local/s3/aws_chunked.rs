//! The `aws-chunked` content encoding: sized chunks, optionally signed, and trailers behind the last one.
//!
//! ```text
//! 5;chunk-signature=ab12\r\nhello\r\n0;chunk-signature=cd34\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n
//! ```

use bytes::{Bytes, BytesMut};

/// The longest line between chunks; a signature of either version of SigV4 fits several times over.
const MAX_LINE: usize = 4096;
/// The most trailers of one body; clients send one checksum and one signature.
const MAX_TRAILERS: usize = 16;

/// What an encoded body holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) body: Bytes,
    /// Names in lower case, values without surrounding blanks, in the order of the body.
    pub(super) trailers: Vec<(String, String)>,
}

/// Why a body is not `aws-chunked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecodeError {
    /// The body ends before its last chunk or its trailers do.
    Truncated,
    /// A chunk's header or end is malformed, or bytes follow the end.
    Malformed,
    /// A trailer is malformed.
    Trailer,
    /// A chunk has no signature, or one that could be nobody's.
    Signature,
}

/// What the chunks of a body must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signatures {
    /// None; there may be any.
    Optional,
    /// Each has the digest that HMAC makes.
    Hmac,
}

/// Decodes a whole body. Nobody knows the key, so that any signature of the right form is accepted.
pub(super) fn decode(mut input: Bytes, signatures: Signatures) -> Result<Decoded, DecodeError> {
    let mut chunks: Vec<Bytes> = Vec::new();
    loop {
        let size = chunk_size(&take_line(&mut input)?, signatures)?;
        if size == 0 {
            break;
        }
        if input.len() < size {
            return Err(DecodeError::Truncated);
        }
        chunks.push(input.split_to(size));
        take_line_end(&mut input)?;
    }
    let trailers = trailers(&mut input)?;
    if input.is_empty() { Ok(Decoded { body: join(chunks), trailers }) } else { Err(DecodeError::Malformed) }
}

/// A single chunk is passed on as it is; several are copied together.
fn join(mut chunks: Vec<Bytes>) -> Bytes {
    if chunks.len() == 1 {
        return chunks.remove(0);
    }
    let mut body = BytesMut::with_capacity(chunks.iter().map(Bytes::len).sum());
    for chunk in chunks {
        body.extend_from_slice(&chunk);
    }
    body.freeze()
}

fn chunk_size(line: &[u8], signatures: Signatures) -> Result<usize, DecodeError> {
    let line = std::str::from_utf8(line).map_err(|_| DecodeError::Malformed)?;
    let digits = match line.split_once(';') {
        None if signatures == Signatures::Hmac => return Err(DecodeError::Signature),
        None => line,
        Some((digits, extension)) => {
            let signature = extension.strip_prefix("chunk-signature=").ok_or(DecodeError::Malformed)?;
            if signature.is_empty() || !signature.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(DecodeError::Malformed);
            }
            let is_digest = signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit());
            if signatures == Signatures::Hmac && !is_digest {
                return Err(DecodeError::Signature);
            }
            digits
        }
    };
    // `from_str_radix` alone would also take a sign.
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(DecodeError::Malformed);
    }
    usize::from_str_radix(digits, 16).map_err(|_| DecodeError::Malformed)
}

fn trailers(input: &mut Bytes) -> Result<Vec<(String, String)>, DecodeError> {
    let mut trailers = Vec::new();
    loop {
        let line = take_line(input)?;
        if line.is_empty() {
            return Ok(trailers);
        }
        if trailers.len() == MAX_TRAILERS {
            return Err(DecodeError::Trailer);
        }
        let line = std::str::from_utf8(&line).map_err(|_| DecodeError::Trailer)?;
        let (name, value) = line.split_once(':').ok_or(DecodeError::Trailer)?;
        let name_is_token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !name_is_token || !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(DecodeError::Trailer);
        }
        trailers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn take_line(input: &mut Bytes) -> Result<Bytes, DecodeError> {
    let window = &input[..input.len().min(MAX_LINE)];
    match window.windows(2).position(|pair| pair == b"\r\n") {
        Some(end) => {
            let line = input.split_to(end);
            take_line_end(input)?;
            Ok(line)
        }
        None if input.len() < MAX_LINE => Err(DecodeError::Truncated),
        None => Err(DecodeError::Malformed),
    }
}

fn take_line_end(input: &mut Bytes) -> Result<(), DecodeError> {
    match input.get(..2) {
        None => Err(DecodeError::Truncated),
        Some(b"\r\n") => {
            let _ = input.split_to(2);
            Ok(())
        }
        Some(_) => Err(DecodeError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encode(chunks: &[Vec<u8>], signed: bool, trailers: &[(String, String)]) -> Bytes {
        let signature = if signed { ";chunk-signature=0af1" } else { "" };
        let mut wire = Vec::new();
        for chunk in chunks {
            wire.extend_from_slice(format!("{:x}{signature}\r\n", chunk.len()).as_bytes());
            wire.extend_from_slice(chunk);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(format!("0{signature}\r\n").as_bytes());
        for (name, value) in trailers {
            wire.extend_from_slice(format!("{name}:{value}\r\n").as_bytes());
        }
        wire.extend_from_slice(b"\r\n");
        wire.into()
    }

    fn chunks() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..5)
    }

    fn trailer_list() -> impl Strategy<Value = Vec<(String, String)>> {
        prop::collection::vec(("[a-z][a-z0-9-]{0,20}", "[!-~]{0,20}"), 0..4)
    }

    proptest! {
        #[test]
        fn decodes_what_was_encoded(chunks in chunks(), signed: bool, trailers in trailer_list()) {
            let decoded = decode(encode(&chunks, signed, &trailers), Signatures::Optional).unwrap();
            prop_assert_eq!(decoded.body.to_vec(), chunks.concat());
            prop_assert_eq!(decoded.trailers, trailers);
        }

        #[test]
        fn every_cut_is_truncated(chunks in chunks(), signed: bool, trailers in trailer_list(), cut: prop::sample::Index) {
            let wire = encode(&chunks, signed, &trailers);
            let cut = cut.index(wire.len());
            prop_assert_eq!(decode(wire.slice(..cut), Signatures::Optional), Err(DecodeError::Truncated));
        }

        #[test]
        fn any_bytes_end_without_a_panic(bytes: Vec<u8>) {
            let _ = (decode(bytes.clone().into(), Signatures::Optional), decode(bytes.into(), Signatures::Hmac));
        }
    }

    #[test]
    fn one_chunk_is_not_copied() {
        let wire = Bytes::from_static(b"5\r\nhello\r\n0\r\n\r\n");
        let decoded = decode(wire.clone(), Signatures::Optional).unwrap();
        assert_eq!(decoded.body.as_ptr(), wire[3..].as_ptr());
    }

    #[test]
    fn refuses_what_is_not_the_format() {
        for (wire, error) in [
            ("", DecodeError::Truncated),
            ("hello", DecodeError::Truncated),
            ("\r\n", DecodeError::Malformed),
            ("+5\r\nhello\r\n0\r\n\r\n", DecodeError::Malformed),
            ("5;name=value\r\nhello\r\n0\r\n\r\n", DecodeError::Malformed),
            ("5;chunk-signature=\r\nhello\r\n0\r\n\r\n", DecodeError::Malformed),
            ("4\r\nhello\r\n0\r\n\r\n", DecodeError::Malformed),
            ("5\r\nhello\r\n0\r\n\r\nmore", DecodeError::Malformed),
            ("ffffffffffffffffff\r\n", DecodeError::Malformed),
            ("ffffffffffffffff\r\nhello", DecodeError::Truncated),
            ("0\r\nno colon\r\n\r\n", DecodeError::Trailer),
            ("0\r\n:value\r\n\r\n", DecodeError::Trailer),
            ("0\r\nname:line\nbreak\r\n\r\n", DecodeError::Trailer),
        ] {
            let wire = Bytes::copy_from_slice(wire.as_bytes());
            assert_eq!(decode(wire.clone(), Signatures::Optional), Err(error), "{wire:?}");
        }
        assert_eq!(decode(vec![b'1'; MAX_LINE].into(), Signatures::Optional), Err(DecodeError::Malformed));
    }

    #[test]
    fn signatures_of_chunks_must_be_able_to_be_right() {
        let body = |signature: &str| {
            let wire = format!("5;chunk-signature={signature}\r\nhello\r\n0;chunk-signature={signature}\r\n\r\n");
            decode(wire.into(), Signatures::Hmac).map(|decoded| decoded.body)
        };
        assert_eq!(body(&"0a".repeat(32)), Ok(Bytes::from("hello")));
        for wrong in ["0a", &"0g".repeat(32), &"0a".repeat(33)] {
            assert_eq!(body(wrong), Err(DecodeError::Signature), "{wrong}");
        }
        let unsigned = Bytes::from_static(b"5\r\nhello\r\n0\r\n\r\n");
        assert_eq!(decode(unsigned, Signatures::Hmac), Err(DecodeError::Signature));
    }
}
