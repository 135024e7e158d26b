//! Files and folders to and from S3: [`Session::upload`](crate::Session::upload) and its kin.

mod delete;
mod download;
mod fetch;
mod group;
mod list;
mod multipart;
mod partial;
mod progress;
mod put;
mod settings;
mod stream;
mod target;
mod upload;

pub use download::Download;
pub use list::S3Object;
pub use progress::Progress;
pub(crate) use stream::{StreamPut, stream_part_size};
pub use upload::Upload;

/// Objects above this size travel in parts.
const MULTIPART_THRESHOLD: u64 = 16 * 1024 * 1024;
/// Size of a part, unless the object would have more than S3's 10,000 parts.
const PART_SIZE: u64 = 8 * 1024 * 1024;
/// Objects under way at once in one call, and parts of one object; the session bounds the parts of all together.
const CONCURRENCY: usize = 8;
