//! What code a session has sent, so that it need not cross the network again.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::types::S3Uri;

/// The latest of these many codes are remembered.
const REMEMBERED: usize = 64;

/// Where codes of a digest are.
#[derive(Default)]
pub(crate) struct SentCode(Mutex<VecDeque<(String, S3Uri)>>);

impl SentCode {
    fn all(&self) -> MutexGuard<'_, VecDeque<(String, S3Uri)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn remember(&self, digest: &str, place: &S3Uri) {
        let mut all = self.all();
        all.retain(|(known, there)| known != digest || there.bucket() != place.bucket());
        all.truncate(REMEMBERED - 1);
        all.push_front((digest.to_owned(), place.clone()));
    }

    /// The place of the same code in a bucket.
    pub(crate) fn find(&self, digest: &str, bucket: &str) -> Option<S3Uri> {
        let all = self.all();
        all.iter().find(|(known, place)| known == digest && place.bucket() == bucket).map(|(_, place)| place.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> S3Uri {
        text.parse().unwrap()
    }

    #[test]
    fn the_latest_place_in_each_bucket_is_known() {
        let sent = SentCode::default();
        sent.remember("d", &uri("s3://bucket-b/1"));
        sent.remember("d", &uri("s3://bucket-c/1"));
        sent.remember("d", &uri("s3://bucket-b/2"));
        assert_eq!(sent.find("d", "bucket-b"), Some(uri("s3://bucket-b/2")));
        assert_eq!(sent.find("d", "bucket-c"), Some(uri("s3://bucket-c/1")));
        assert_eq!((sent.find("d", "bucket-a"), sent.find("e", "bucket-b")), (None, None));
        for number in 0..REMEMBERED {
            sent.remember(&number.to_string(), &uri("s3://bucket-b/3"));
        }
        assert_eq!((sent.find("d", "bucket-b"), sent.all().len()), (None, REMEMBERED));
    }
}
