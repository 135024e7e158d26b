//! The content of an object: bytes in memory, a file of the data directory, or the parts of a multipart upload.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use aws_smithy_types::body::SdkBody;
use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use http_body_util::StreamBody;
use http_body_util::combinators::BoxBody;
use hyper::body::Frame;

use crate::local::store::Blob;

/// Up to here bytes are copied into a buffer of their own, so that they do not keep a larger one alive.
const COPIED: usize = 64 * 1024;

/// How much of a file is read at a time.
const CHUNK: u64 = 256 * 1024;

/// The content of an object or of a part. Clones share it.
#[derive(Debug, Clone)]
pub(super) enum Body {
    Memory(Bytes),
    File(Arc<Blob>),
    /// One behind the other; none of them is of this form.
    Parts(Arc<[Body]>),
}

impl Body {
    pub(super) fn memory(bytes: Bytes) -> Self {
        Self::Memory(if bytes.len() <= COPIED { Bytes::copy_from_slice(&bytes) } else { bytes })
    }

    /// What several make together; nothing is copied.
    pub(super) fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut pieces: Vec<Self> = Vec::new();
        for part in parts {
            match part {
                Self::Parts(inner) => pieces.extend(inner.iter().cloned()),
                piece => pieces.push(piece),
            }
        }
        match pieces.as_slice() {
            [only] => only.clone(),
            _ => Self::Parts(pieces.into()),
        }
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File(blob) => blob.len(),
            Self::Parts(parts) => parts.iter().map(Self::len).sum(),
        }
    }

    /// Whether reading it may block.
    pub(super) fn is_on_disk(&self) -> bool {
        self.pieces().iter().any(|piece| matches!(piece, Self::File(_)))
    }

    pub(super) fn pieces(&self) -> &[Self] {
        match self {
            Self::Parts(parts) => parts,
            piece => std::slice::from_ref(piece),
        }
    }

    /// A range in memory. Blocks while files are read.
    pub(super) fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let pieces: Vec<Piece> = self.cut(range);
        if let [Piece { body: Self::Memory(bytes), range }] = pieces.as_slice() {
            return Ok(bytes.slice(in_memory(range)?));
        }
        let length: u64 = pieces.iter().map(|piece| piece.range.end - piece.range.start).sum();
        let mut whole = BytesMut::with_capacity(usize::try_from(length).map_err(io::Error::other)?);
        for piece in pieces {
            piece.each_chunk(|chunk| whole.extend_from_slice(chunk))?;
        }
        Ok(whole.freeze())
    }

    /// Gives all bytes to `take`, some at a time. Blocks while files are read.
    pub(super) fn each_chunk(&self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        self.cut(0..self.len()).iter().try_for_each(|piece| piece.each_chunk(&mut take))
    }

    /// A range as the body of an answer; files are read as the answer is sent.
    pub(super) fn answer(&self, range: Range<u64>) -> SdkBody {
        let pieces = self.cut(range);
        match pieces.as_slice() {
            [] => SdkBody::empty(),
            [Piece { body: Self::Memory(bytes), range }] => match in_memory(range) {
                Ok(range) => SdkBody::from(bytes.slice(range)),
                Err(_) => SdkBody::empty(),
            },
            _ => SdkBody::from_body_1_x(BoxBody::new(StreamBody::new(Box::pin(frames(pieces))))),
        }
    }

    /// The pieces of a range, none of them empty.
    fn cut(&self, range: Range<u64>) -> Vec<Piece> {
        let mut offset = 0;
        let mut cut = Vec::new();
        for piece in self.pieces() {
            let end = offset + piece.len();
            let (from, to) = (range.start.max(offset), range.end.min(end));
            if from < to {
                cut.push(Piece { body: piece.clone(), range: from - offset..to - offset });
            }
            offset = end;
        }
        cut
    }
}

/// A range of bytes in memory or of one file.
#[derive(Debug)]
struct Piece {
    body: Body,
    range: Range<u64>,
}

impl Piece {
    fn each_chunk(&self, mut take: impl FnMut(&[u8])) -> io::Result<()> {
        match &self.body {
            Body::Memory(bytes) => take(&bytes[in_memory(&self.range)?]),
            Body::File(blob) => {
                let mut at = self.range.start;
                while at < self.range.end {
                    let end = self.range.end.min(at + CHUNK);
                    take(&blob.read(at..end)?);
                    at = end;
                }
            }
            Body::Parts(_) => unreachable!("pieces are cut from parts that are not nested"),
        }
        Ok(())
    }
}

fn in_memory(range: &Range<u64>) -> io::Result<Range<usize>> {
    let bound = |at: u64| usize::try_from(at).map_err(io::Error::other);
    Ok(bound(range.start)?..bound(range.end)?)
}

fn frames(pieces: Vec<Piece>) -> impl Stream<Item = io::Result<Frame<Bytes>>> + Send + Sync {
    let pieces: std::collections::VecDeque<Piece> = pieces.into();
    stream::try_unfold(pieces, |mut pieces| async move {
        let Some(piece) = pieces.front_mut() else { return Ok(None) };
        let chunk = match &piece.body {
            Body::Memory(bytes) => bytes.slice(in_memory(&piece.range)?),
            Body::File(blob) => {
                let (blob, start, end) =
                    (blob.clone(), piece.range.start, piece.range.end.min(piece.range.start + CHUNK));
                tokio::task::spawn_blocking(move || blob.read(start..end)).await.map_err(io::Error::other)??
            }
            Body::Parts(_) => unreachable!("pieces are cut from parts that are not nested"),
        };
        piece.range.start += chunk.len() as u64;
        if piece.range.is_empty() {
            pieces.pop_front();
        }
        Ok(Some((Frame::data(chunk), pieces)))
    })
}

/// Runs what may block for long on a thread of its own; what does not is run at once.
pub(super) async fn off_thread<T: Send + 'static>(
    blocks: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> s3s::S3Result<T> {
    if blocks { tokio::task::spawn_blocking(work).await.map_err(s3s::S3Error::internal_error) } else { Ok(work()) }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;

    fn of(pieces: &[Vec<u8>]) -> Body {
        Body::join(pieces.iter().map(|piece| Body::memory(piece.clone().into())))
    }

    #[test]
    fn small_bytes_do_not_keep_a_large_buffer() {
        let buffer = Bytes::from(vec![1; 100_000]);
        let Body::Memory(small) = Body::memory(buffer.slice(..10)) else { panic!("not in memory") };
        assert_ne!(small.as_ptr(), buffer.as_ptr());
        let Body::Memory(large) = Body::memory(buffer.clone()) else { panic!("not in memory") };
        assert_eq!(large.as_ptr(), buffer.as_ptr());
    }

    proptest! {
        #[test]
        fn parts_read_like_one(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..5),
            start in 0_u64..100,
            length in 0_u64..100,
        ) {
            let whole = pieces.concat();
            let body = of(&pieces);
            prop_assert_eq!(body.len(), whole.len() as u64);
            let nested = Body::join([body.clone(), of(&pieces)]);
            prop_assert_eq!(nested.read(0..nested.len()).unwrap(), pieces.concat().repeat(2));

            let (start, end) = (start.min(body.len()), (start + length).min(body.len()));
            let expected = &whole[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
            prop_assert_eq!(&body.read(start..end).unwrap()[..], expected);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let answered = runtime.block_on(body.answer(start..end).collect()).unwrap().to_bytes();
            prop_assert_eq!(&answered[..], expected);
        }
    }
}
