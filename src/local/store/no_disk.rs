//! What stands for a data directory where the crate is built without one.

use super::{Change, Corrupt, NotKept};

/// There is none.
#[derive(Debug)]
pub(super) enum Disk {}

impl Disk {
    pub(super) fn runs(&self) -> u64 {
        match *self {}
    }

    pub(super) fn queue(&self, _: Change) {
        match *self {}
    }

    pub(super) async fn committed(&self) -> Result<(), NotKept> {
        match *self {}
    }

    pub(super) fn each(&self, _: u8, _: impl FnMut(&[u8], &[u8]) -> Result<(), Corrupt>) -> Result<(), Corrupt> {
        match *self {}
    }

    pub(super) fn next_blob(&self) -> u64 {
        match *self {}
    }

    pub(super) fn blob_path(&self, _: u64) -> std::path::PathBuf {
        match *self {}
    }

    pub(super) fn blob_dropped(&self, _: u64) {
        match *self {}
    }

    pub(super) fn sweep(&self, _: &std::collections::BTreeSet<u64>) {
        match *self {}
    }

    pub(super) fn close(&self) {
        match *self {}
    }
}
