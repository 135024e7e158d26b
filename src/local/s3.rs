//! Stands in for the S3 service until it is merged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

pub(super) struct ObjectInfo {
    pub(super) key: String,
    #[expect(dead_code, reason = "part of the contract")]
    pub(super) size: u64,
}

pub(super) struct S3(Mutex<BTreeMap<String, BTreeMap<String, Bytes>>>);

impl S3 {
    pub(super) fn new(_region: &str, _account: &str, _now: Arc<dyn Fn() -> SystemTime + Send + Sync>) -> Self {
        Self(Mutex::default())
    }

    pub(super) async fn handle(&self, _request: http::Request<SdkBody>) -> http::Response<SdkBody> {
        let mut response = http::Response::new(SdkBody::empty());
        *response.status_mut() = http::StatusCode::NOT_IMPLEMENTED;
        response
    }

    pub(super) fn bucket_exists(&self, bucket: &str) -> bool {
        self.0.lock().is_ok_and(|buckets| buckets.contains_key(bucket))
    }

    #[cfg(test)]
    pub(super) fn create_bucket(&self, bucket: &str) {
        self.0.lock().unwrap().entry(bucket.to_owned()).or_default();
    }

    pub(super) fn get(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.0.lock().ok()?.get(bucket)?.get(key).cloned()
    }

    pub(super) fn put(&self, bucket: &str, key: &str, body: Bytes, _content_type: Option<&str>) -> bool {
        let Ok(mut buckets) = self.0.lock() else { return false };
        buckets.get_mut(bucket).map(|objects| objects.insert(key.to_owned(), body)).is_some()
    }

    pub(super) fn list(&self, bucket: &str, prefix: &str) -> Vec<ObjectInfo> {
        let Ok(buckets) = self.0.lock() else { return Vec::new() };
        let objects = buckets.get(bucket).into_iter().flatten().filter(|(key, _)| key.starts_with(prefix));
        objects.map(|(key, body)| ObjectInfo { key: key.clone(), size: body.len() as u64 }).collect()
    }

    pub(super) fn reset(&self) {
        if let Ok(mut buckets) = self.0.lock() {
            buckets.clear();
        }
    }
}
