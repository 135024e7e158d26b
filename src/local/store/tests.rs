use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;

fn open(directory: &std::path::Path) -> Store {
    Store::open(directory, "me").unwrap()
}

fn all(store: &Store, table: Table) -> Vec<(Vec<Vec<u8>>, Vec<u8>)> {
    let mut found = Vec::new();
    let each = |key: &[&[u8]], value: &[u8]| {
        found.push((key.iter().map(|part| part.to_vec()).collect(), value.to_vec()));
        Ok(())
    };
    store.load(table, each).unwrap();
    found
}

#[tokio::test]
async fn what_is_committed_is_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    assert!(store.committed().await.is_ok(), "nothing is committed at once");
    store.put(Table::Bucket, &[b"a", b""], || b"1".to_vec());
    store.put(Table::Bucket, &[b"a", b"b"], || b"2".to_vec());
    store.put(Table::Object, &[b"a"], || b"3".to_vec());
    store.put(Table::Object, &[b"b"], || b"4".to_vec());
    store.remove(Table::Object, &[b"b"]);
    store.committed().await.unwrap();
    drop(store);
    let store = open(directory.path());
    let bucket = all(&store, Table::Bucket);
    assert_eq!(
        bucket,
        [(vec![b"a".to_vec(), vec![]], b"1".to_vec()), (vec![b"a".to_vec(), b"b".to_vec()], b"2".to_vec())]
    );
    assert_eq!(all(&store, Table::Object).len(), 1);
    store.remove_all(Table::Bucket, &[b"a"]);
    store.committed().await.unwrap();
    assert!(all(&store, Table::Bucket).is_empty());
    assert_eq!(all(&store, Table::Object).len(), 1, "other tables stay");
    // Dropping it commits what nobody waited for.
    store.remove_all(Table::Object, &[]);
    drop(store);
    assert!(all(&open(directory.path()), Table::Object).is_empty());
}

#[tokio::test]
async fn a_blob_goes_with_the_last_that_refers_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let files = || walk(directory.path().join("bodies"));
    let blob = store.write_blob(&[Bytes::from_static(b"hello "), Bytes::from_static(b"world")]).unwrap().unwrap();
    assert_eq!((blob.len(), &blob.read(3..8).unwrap()[..]), (11, b"lo wo".as_slice()));
    assert_eq!(files().len(), 1);
    let id = blob.id();
    assert!(store.blob(id, 10).is_none(), "of another length");
    drop(blob);
    store.committed().await.unwrap();
    drop(store);
    assert!(files().is_empty());

    let store = open(directory.path());
    let kept = store.write_blob(&[Bytes::from_static(b"kept")]).unwrap().unwrap();
    let orphan = store.write_blob(&[Bytes::from_static(b"orphan")]).unwrap().unwrap();
    assert!(kept.id() > id, "no number is used twice");
    let id = kept.id();
    store.close();
    drop((kept, orphan, store));
    assert_eq!(files().len(), 2, "the end of the backend is not the end of its objects");
    let store = open(directory.path());
    store.sweep(&BTreeSet::from([id]));
    assert_eq!(files().len(), 1);
    assert_eq!(&store.blob(id, 4).unwrap().read(0..4).unwrap()[..], b"kept");
}

fn walk(folder: std::path::PathBuf) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(path) } else { vec![path] }).collect()
}

#[test]
fn a_directory_that_cannot_be_used_says_why() {
    let refused = |directory: &std::path::Path, owner: &str| {
        let error = Store::open(directory, owner).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        error.to_string()
    };
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let text = refused(directory.path(), "me");
    assert!(text.contains("another process uses it"), "{text}");
    drop(store);
    let text = refused(directory.path(), "you");
    assert!(text.contains("belongs to me, not to you"), "{text}");
    disk::write_format(directory.path(), "2");
    let text = refused(directory.path(), "me");
    assert!(text.contains("format 2") && text.contains("format 1"), "{text}");
    std::fs::write(directory.path().join("backend.redb"), "no database").unwrap();
    let text = refused(directory.path(), "me");
    assert!(text.contains("cannot be read"), "{text}");
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let text = refused(&file, "me");
    assert!(text.contains("cannot be written"), "{text}");
}

proptest! {
    #[test]
    fn any_key_is_read_as_it_was_written(parts in prop::collection::vec(any::<Vec<u8>>(), 0..4), cut: prop::sample::Index) {
        let borrowed: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let key = encode_key(Table::Object, &borrowed);
        prop_assert_eq!(decode_key(&key), Some(borrowed));
        let _ = decode_key(&key[..cut.index(key.len())]);
    }
}
