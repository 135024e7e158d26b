//! `model.tar.gz` and `output.tar.gz`: packed the same way each time, unpacked in memory with nothing trusted.

use std::fmt;
use std::io::Read;
use std::path::{Component, Path};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::{GzDecoder, MultiGzDecoder};
use flate2::write::GzEncoder;

type File = (String, Bytes);

/// How much an archive may unpack to, so that a small upload cannot fill the memory.
const MAX_BYTES: u64 = 2 << 30;
const MAX_FILES: usize = 100_000;

/// Why an archive was refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadArchive(String);

impl fmt::Display for BadArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Packs files; the same files make the same bytes, whatever their order.
pub(super) fn pack(files: &[File]) -> Result<Bytes, BadArchive> {
    let mut files: Vec<&File> = files.iter().collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    // flate2 leaves the gzip header's time at zero.
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let failed = |error: std::io::Error| BadArchive(error.to_string());
    for (path, content) in files {
        plain_path(Path::new(path))?;
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        archive.append_data(&mut header, path, content.as_ref()).map_err(failed)?;
    }
    let packed = archive.into_inner().and_then(GzEncoder::finish).map_err(failed)?;
    Ok(Bytes::from(packed))
}

/// Unpacks a gzipped tar archive. Refuses links, devices and paths that lead out of the archive.
pub(super) fn unpack(archive: &[u8]) -> Result<Vec<File>, BadArchive> {
    unpack_within(archive, MAX_BYTES, MAX_FILES)
}

fn unpack_within(archive: &[u8], max_bytes: u64, max_files: usize) -> Result<Vec<File>, BadArchive> {
    let failed = |error: std::io::Error| BadArchive(format!("it is no valid tar.gz archive ({error})"));
    // What is read counts headers and padding as well, hence the slack.
    let limit = max_bytes.saturating_add(max_files as u64 * 4096).saturating_add(1 << 20);
    let mut tar = tar::Archive::new(GzDecoder::new(archive).take(limit));
    let mut files = Vec::new();
    let mut left = max_bytes;
    for entry in tar.entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path().map_err(failed)?.into_owned();
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        let name = plain_path(&path)?;
        if !(kind.is_file() || kind.is_contiguous()) {
            return Err(BadArchive(format!("{name:?} is neither a file nor a directory")));
        }
        let mut content = Vec::new();
        entry.take(left + 1).read_to_end(&mut content).map_err(failed)?;
        let size = content.len() as u64;
        if size > left || files.len() == max_files {
            return Err(BadArchive(format!("it unpacks to more than {max_bytes} bytes or {max_files} files")));
        }
        left -= size;
        files.push((name, Bytes::from(content)));
    }
    Ok(files)
}

/// Unpacks a single gzip file to at most `limit` bytes.
pub(super) fn gunzip(packed: &[u8], limit: u64) -> Result<Bytes, BadArchive> {
    let limit = limit.min(MAX_BYTES);
    let mut out = Vec::new();
    match MultiGzDecoder::new(packed).take(limit + 1).read_to_end(&mut out) {
        Ok(size) if size as u64 <= limit => Ok(Bytes::from(out)),
        Ok(_) => Err(BadArchive(format!("it unpacks to more than the {limit} bytes that are left for it"))),
        Err(error) => Err(BadArchive(format!("it is no valid gzip file ({error})"))),
    }
}

/// The path as text without `./`.
pub(super) fn plain_path(path: &Path) -> Result<String, BadArchive> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => match part.to_str() {
                Some(part) if !part.contains(['\\', '\0']) => parts.push(part),
                _ => return Err(BadArchive(format!("the path {path:?} is not plain text"))),
            },
            _ => return Err(BadArchive(format!("the path {path:?} leads out of the archive"))),
        }
    }
    if parts.is_empty() {
        return Err(BadArchive("a file has no name".to_owned()));
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    /// An archive with one entry whose path is written as it is.
    fn with_entry(path: &str, kind: tar::EntryType, link: &str) -> Vec<u8> {
        let mut header = tar::Header::new_old();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_cksum();
        let mut tar = tar::Builder::new(Vec::new());
        tar.append(&header, std::io::empty()).unwrap();
        gzip(&tar.into_inner().unwrap())
    }

    #[test]
    fn the_same_files_make_the_same_bytes() {
        let (a, b) = (("a".to_owned(), Bytes::from("1")), ("b/c".to_owned(), Bytes::from("2")));
        assert_eq!(pack(&[a.clone(), b.clone()]), pack(&[b, a]));
    }

    #[test]
    fn refuses_what_leads_out() {
        use tar::EntryType;
        for path in ["../x", "/etc/passwd", "a/../../x", "a\\b", "."] {
            assert!(unpack(&with_entry(path, EntryType::Regular, "")).is_err(), "{path}");
        }
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Fifo] {
            let refused = unpack(&with_entry("x", kind, "/etc/passwd")).unwrap_err();
            assert_eq!(refused.to_string(), "\"x\" is neither a file nor a directory");
        }
        assert_eq!(unpack(&with_entry("./x", EntryType::Regular, "")).unwrap()[0].0, "x");
        assert_eq!(unpack(&with_entry("dir", EntryType::Directory, "")).unwrap(), []);
    }

    #[test]
    fn refuses_what_is_too_large() {
        let packed = pack(&[("zeros".to_owned(), Bytes::from(vec![0; 100_000]))]).unwrap();
        assert!(packed.len() < 1000);
        assert!(unpack_within(&packed, 99_999, 10).is_err());
        assert!(unpack_within(&packed, 100_000, 0).is_err());
        assert_eq!(unpack_within(&packed, 100_000, 1).unwrap().len(), 1);
    }

    #[test]
    fn refuses_what_is_cut_off_or_no_archive() {
        let packed = pack(&[("m".to_owned(), Bytes::from(vec![7; 5000]))]).unwrap();
        assert!(unpack(&packed[..packed.len() / 2]).is_err());
        assert!(unpack(b"not gzip").is_err());
        assert!(unpack(b"").is_err());
    }

    proptest! {
        #[test]
        fn files_survive_the_round_trip(
            files in proptest::collection::btree_map("[a-z]{1,8}(/[a-z.]{0,3}[a-z]{1,110}){0,2}", proptest::collection::vec(any::<u8>(), 0..300), 0..6)
        ) {
            let files: Vec<File> = files.into_iter().map(|(path, content)| (path, Bytes::from(content))).collect();
            prop_assert_eq!(unpack(&pack(&files).unwrap()).unwrap(), files);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1500), zipped: bool) {
            let _ = unpack(&if zipped { gzip(&bytes) } else { bytes });
        }
    }
}
