//! Files and folders to and from S3: [`Session::upload`](crate::Session::upload) and its kin.

mod delete;
mod download;
mod list;
mod multipart;
mod target;
mod upload;

pub use list::S3Object;

/// Objects above this size travel in parts.
const MULTIPART_THRESHOLD: u64 = 16 * 1024 * 1024;
/// Size of a part, unless the object would have more than S3's 10,000 parts.
const PART_SIZE: u64 = 8 * 1024 * 1024;
/// Parts or objects under way at once: bounds memory to this many parts.
const CONCURRENCY: usize = 8;
