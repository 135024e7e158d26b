//! Model artifacts with code put into them, from S3 to S3 in a stream.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::path::Component;

use aws_sdk_s3::primitives::ByteStream;
use bytes::{Buf, Bytes};
use flate2::read::MultiGzDecoder;
use tokio::sync::mpsc;

use super::pack::{self, pack_in_parts};
use super::upload::refuse_used;
use super::{CodeOf, SourceCode, Tree};
use crate::aws::ServiceCall;
use crate::s3::StreamPut;
use crate::types::S3Uri;
use crate::{Error, ErrorKind, Result, Session};

/// Writes the artifacts at `target` with the code below `code/`. A folder of code takes the place of what was there; a
/// script alone is added, or may be there already. What is at `target` is replaced only if nobody uses it.
pub(crate) async fn repack(
    session: &Session,
    source: &SourceCode,
    model_data: &S3Uri,
    target: &S3Uri,
    kms_key: Option<&str>,
    of: CodeOf<'_>,
) -> Result<()> {
    let owner = session.expected_owner(target.bucket()).await?;
    let put = StreamPut { target, owner, kms_key, metadata: None };
    refuse_used(session, &put, of).await?;
    let code = match source.in_s3() {
        Some(uri) => Code::Packed(open(session, &uri.parse()?).await?),
        None => {
            let looked = source.clone();
            let files = tokio::task::spawn_blocking(move || {
                let is_there = looked.has_source_dir() || looked.entry_point().is_file();
                if is_there { Tree::for_model(&looked).map(Code::Files) } else { Ok(Code::InModel(looked.program())) }
            });
            files.await.map_err(io::Error::other)??
        }
    };
    let replaces = source.has_source_dir() && source.in_s3().is_none();
    let model = open(session, model_data).await?;
    let parts = pack_in_parts(move |archive| {
        let (files, packed) = match code {
            Code::Files(files) => (files, None),
            Code::Packed(packed) => (Tree::default(), Some(packed)),
            Code::InModel(script) => return copy(model, archive, "", &BTreeSet::new(), false, Some(&script)),
        };
        let own: BTreeSet<String> = files.iter().map(|(name, _)| name.to_owned()).collect();
        copy(model, archive, "", &own, replaces, None)?;
        match packed {
            Some(packed) => copy(packed, archive, "code/", &BTreeSet::new(), false, None),
            None => files.append_to(archive),
        }
    });
    session.put_stream(&put, parts).await
}

enum Code {
    Files(Tree),
    Packed(ObjectReader),
    /// The artifacts have the script already.
    InModel(String),
}

/// Copies the members of a `tar.gz`, but for those that come from elsewhere.
fn copy<W: Write>(
    from: ObjectReader,
    to: &mut tar::Builder<W>,
    below: &str,
    but: &BTreeSet<String>,
    without_code: bool,
    must_have: Option<&str>,
) -> Result<()> {
    let mut archive = tar::Archive::new(MultiGzDecoder::new(from));
    let mut found = must_have.is_none();
    for entry in archive.entries().map_err(unusable)? {
        let mut entry = entry.map_err(unusable)?;
        let path = entry.path().map_err(unusable)?.into_owned();
        let mut name = below.to_owned();
        for part in path.components() {
            match part {
                Component::CurDir | Component::RootDir => {}
                Component::Normal(part) => {
                    let part = part.to_str().ok_or_else(|| refused("has a member whose name is no Unicode text"))?;
                    if !name.is_empty() && !name.ends_with('/') {
                        name.push('/');
                    }
                    name.push_str(part);
                }
                _ => return Err(refused("has a member that leads out of it")),
            }
        }
        let code = name == "code" || name.starts_with("code/");
        if name.is_empty() || but.contains(&name) || (without_code && code) {
            continue;
        }
        found |= must_have.is_some_and(|script| name.strip_prefix("code/") == Some(script));
        let kind = entry.header().entry_type();
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(entry.header().mode().map_err(unusable)?);
        header.set_mtime(pack::MODIFIED);
        header.set_size(0);
        if kind.is_dir() {
            to.append_data(&mut header, format!("{}/", name.trim_end_matches('/')), io::empty())?;
        } else if kind.is_symlink() || kind.is_hard_link() {
            let target = entry.link_name().map_err(unusable)?.ok_or_else(|| refused("has a link to nothing"))?;
            to.append_link(&mut header, &name, target)?;
        } else if kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse() {
            header.set_entry_type(tar::EntryType::Regular);
            header.set_size(entry.size());
            to.append_data(&mut header, &name, &mut entry)?;
        } else {
            return Err(refused("has a member that is no file, folder or link"));
        }
    }
    match must_have {
        Some(script) if !found => {
            let text = format!("there is no file {script} here, and none in the folder code of the artifacts");
            Err(Error::invalid("entry_point", text))
        }
        _ => Ok(()),
    }
}

fn unusable(error: io::Error) -> Error {
    let kind = if error.kind() == io::ErrorKind::Other { ErrorKind::Transport } else { ErrorKind::InvalidInput };
    Error::new(kind, format!("the artifacts cannot be read as a tar.gz: {error}")).with_source(error)
}

fn refused(why: &str) -> Error {
    Error::invalid("model_data", format!("the archive {why}"))
}

/// Begins to read an object; a few chunks at most are in memory.
async fn open(session: &Session, uri: &S3Uri) -> Result<ObjectReader> {
    let owner = session.expected_owner(uri.bucket()).await?;
    let request = session.aws().s3().get_object().bucket(uri.bucket()).key(uri.key());
    let object = request.set_expected_bucket_owner(owner).send().await.of("GetObject")?;
    let (sender, chunks) = mpsc::channel(2);
    tokio::spawn(forward(object.body, sender));
    Ok(ObjectReader { chunks, chunk: Bytes::new() })
}

async fn forward(mut body: ByteStream, sender: mpsc::Sender<io::Result<Bytes>>) {
    while let Some(chunk) = body.next().await {
        if sender.send(chunk.map_err(io::Error::other)).await.is_err() {
            return;
        }
    }
}

/// An object as a reader, for a thread that may block.
struct ObjectReader {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    chunk: Bytes,
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.chunk = chunk?,
                None => return Ok(0),
            }
        }
        let read = self.chunk.len().min(buffer.len());
        self.chunk.copy_to_slice(&mut buffer[..read]);
        Ok(read)
    }
}
