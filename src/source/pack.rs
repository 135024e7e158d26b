//! From files to a `tar.gz`, in a stream: never more than a part of it is in memory.

use std::fs::File;
use std::io::{self, Read, Write};

use bytes::Bytes;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::tree::{Node, Tree, unreadable};
use crate::Result;
use crate::s3::stream_part_size;

/// 1980-01-01: the earliest time that zip files, and thus Python wheels, can have.
pub(super) const MODIFIED: u64 = 315_532_800;
const BUFFER: usize = 256 * 1024;

/// Parts on the way from the thread that packs to the task that sends.
pub(crate) type Parts = mpsc::Receiver<Result<Bytes>>;

/// The archive that is being compressed and sent.
pub(crate) type Archive<'a> = tar::Builder<io::BufWriter<GzEncoder<&'a mut PartWriter>>>;

impl Tree {
    /// Adds all files and folders to an archive.
    pub(crate) fn append_to<W: Write>(&self, archive: &mut tar::Builder<W>) -> Result<()> {
        self.iter().try_for_each(|(name, node)| append(archive, name, node))
    }
}

/// The SHA-256 of the uncompressed archive: of all names, modes and contents.
pub(super) fn digest(tree: &Tree) -> Result<String> {
    let mut archive = tar::Builder::new(io::BufWriter::with_capacity(BUFFER, Hashing(Sha256::new())));
    tree.append_to(&mut archive)?;
    let writer = archive.into_inner()?;
    let hash = writer.into_inner().map_err(io::IntoInnerError::into_error)?.0.finalize();
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Packs on a thread of its own what `members` adds. The receiver's end stops it.
pub(crate) fn pack_in_parts(members: impl FnOnce(&mut Archive<'_>) -> Result<()> + Send + 'static) -> Parts {
    let (sender, parts) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        let mut writer = PartWriter { sender, part: Vec::with_capacity(stream_part_size(0)), sent: 0 };
        if let Err(error) = write(members, &mut writer) {
            // Nobody listens any more, or the error is for those who do.
            let _ = writer.sender.blocking_send(Err(error));
        }
    });
    parts
}

fn write(members: impl FnOnce(&mut Archive<'_>) -> Result<()>, writer: &mut PartWriter) -> Result<()> {
    let mut archive = tar::Builder::new(compressed(&mut *writer));
    members(&mut archive)?;
    archive.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?;
    writer.send()?;
    Ok(())
}

/// Fast, and without the time in the header. Small writes are gathered, as the compressor is slow at them.
fn compressed(writer: &mut PartWriter) -> io::BufWriter<GzEncoder<&mut PartWriter>> {
    io::BufWriter::with_capacity(BUFFER, GzBuilder::new().mtime(0).write(writer, Compression::fast()))
}

/// Adds a file or a folder, with what makes an archive differ from machine to machine left out.
fn append<W: Write>(archive: &mut tar::Builder<W>, name: &str, node: &Node) -> Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mtime(MODIFIED);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mode(if node.is_folder || node.is_executable { 0o755 } else { 0o644 });
    header.set_size(node.size);
    if node.is_folder {
        header.set_entry_type(tar::EntryType::Directory);
        archive.append_data(&mut header, format!("{name}/"), io::empty())?;
        return Ok(());
    }
    header.set_entry_type(tar::EntryType::Regular);
    let file = File::open(&node.path).map_err(|error| unreadable(&node.path, error))?;
    let content = Exactly { file, left: node.size };
    archive.append_data(&mut header, name, content).map_err(|error| unreadable(&node.path, error))
}

/// As many bytes of a file as its header promises: one that grows is cut, one that shrinks is an error.
struct Exactly {
    file: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.file.read(&mut buffer[..most])?;
        if read == 0 && most > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file has shrunk"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// Cuts what is written into parts.
pub(crate) struct PartWriter {
    sender: mpsc::Sender<Result<Bytes>>,
    part: Vec<u8>,
    /// How many parts have gone.
    sent: usize,
}

impl PartWriter {
    fn send(&mut self) -> io::Result<()> {
        let part = std::mem::take(&mut self.part);
        if part.is_empty() {
            return Ok(());
        }
        self.sent += 1;
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the upload has ended");
        self.sender.blocking_send(Ok(part.into())).map_err(gone)
    }
}

impl Write for PartWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.part.len() == stream_part_size(self.sent) {
            self.send()?;
            self.part.reserve_exact(stream_part_size(self.sent));
        }
        let taken = bytes.len().min(stream_part_size(self.sent) - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceCode;
    use std::path::Path;

    async fn packed(folder: &Path) -> (Vec<u8>, usize) {
        let tree = Tree::of(&SourceCode::script("fit.py").source_dir(folder)).unwrap();
        let (mut parts, mut whole, mut most) = (pack_in_parts(move |archive| tree.append_to(archive)), Vec::new(), 0);
        while let Some(part) = parts.recv().await {
            let part = part.unwrap();
            most = most.max(part.len());
            whole.extend_from_slice(&part);
        }
        (whole, most)
    }

    #[tokio::test]
    async fn the_same_files_make_the_same_archive() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let long = format!("{}/{}.py", "d".repeat(120), "n".repeat(120));
        for (folder, names) in [(&one, ["fit.py", "a.py", &long]), (&two, [&long, "fit.py", "a.py"])] {
            for name in names {
                let path = folder.path().join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, name).unwrap();
            }
        }
        let (first, second) = (packed(one.path()).await.0, packed(two.path()).await.0);
        assert_eq!(first, second);

        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&first[..]));
        let mut files = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            assert_eq!((entry.header().mtime().unwrap(), entry.header().uid().unwrap()), (MODIFIED, 0));
            files.push((path, content));
        }
        let expected = ["a.py", &long, "fit.py"].map(|name| (name.to_owned(), name.to_owned()));
        assert_eq!(files.iter().filter(|(path, _)| !path.ends_with('/')).cloned().collect::<Vec<_>>(), expected);
    }

    #[tokio::test]
    async fn a_big_file_comes_in_parts_and_digests_follow_the_content() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("fit.py"), "x").unwrap();
        let part_size = stream_part_size(0);
        let noise: Vec<u8> = (0..part_size * 2).map(|_| fastrand::u8(..)).collect();
        std::fs::write(folder.path().join("noise"), &noise).unwrap();
        let tree = || Tree::of(&SourceCode::script("fit.py").source_dir(folder.path())).unwrap();
        let before = digest(&tree()).unwrap();
        assert_eq!((before.len(), &digest(&tree()).unwrap()), (64, &before));
        let (whole, most) = packed(folder.path()).await;
        assert_eq!(most, part_size);
        assert!(whole.len() > part_size * 2);
        std::fs::write(folder.path().join("fit.py"), "y").unwrap();
        assert_ne!(digest(&tree()).unwrap(), before);
    }

    #[tokio::test]
    async fn a_file_that_has_shrunk_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("fit.py"), "12345").unwrap();
        let tree = Tree::of(&SourceCode::script("fit.py").source_dir(folder.path())).unwrap();
        std::fs::write(folder.path().join("fit.py"), "1").unwrap();
        let mut parts = pack_in_parts(move |archive| tree.append_to(archive));
        let error = parts.recv().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("shrunk"), "{error}");
        assert!(parts.recv().await.is_none());
    }
}
