//! The operations, by theme. What is not listed is answered `NotImplemented` with the operation's name.

mod buckets;
mod copies;
mod listings;
mod objects;
mod tagging;
mod uploads;

use std::pin::Pin;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::receive::Received;
use super::{Inner, errors};

/// The operations on one S3.
pub(super) struct Service(Arc<Inner>);

impl Service {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self(inner)
    }
}

/// The protocol crate's trait is asynchronous; memory answers at once, so the operations are plain functions.
macro_rules! operations {
    ($($name:ident($input:ident) -> $output:ident = $function:path;)*) => {
        /// The input shapes of all operations, which are called like them.
        #[cfg(test)]
        pub(in crate::local) static INPUTS: &[&str] = &[$(stringify!($input)),*];

        impl s3s::S3 for Service {
            $(fn $name<'service, 'answer>(
                &'service self,
                request: S3Request<$input>,
            ) -> Pin<Box<dyn Future<Output = S3Result<S3Response<$output>>> + Send + 'answer>>
            where
                'service: 'answer,
                Self: 'answer,
            {
                Box::pin(async move { $function(&self.0, request).map(S3Response::new) })
            })*
        }
    };
}

operations! {
    create_bucket(CreateBucketInput) -> CreateBucketOutput = buckets::create;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = buckets::delete;
    list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = buckets::versioning;

    put_object(PutObjectInput) -> PutObjectOutput = objects::put;
    get_object(GetObjectInput) -> GetObjectOutput = objects::get;
    head_object(HeadObjectInput) -> HeadObjectOutput = objects::head;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = objects::delete;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = objects::delete_many;
    copy_object(CopyObjectInput) -> CopyObjectOutput = copies::copy;

    list_objects(ListObjectsInput) -> ListObjectsOutput = listings::objects;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = listings::objects_v2;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = listings::uploads;
    list_parts(ListPartsInput) -> ListPartsOutput = listings::parts;

    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = uploads::create;
    upload_part(UploadPartInput) -> UploadPartOutput = uploads::put_part;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = copies::copy_part;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = uploads::complete;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = uploads::abort;

    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tagging::put;
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tagging::get;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tagging::delete;
}

/// What [`receive`](super::receive) left for the operation.
fn received<T>(request: &mut S3Request<T>) -> S3Result<Received> {
    request.extensions.remove().ok_or_else(|| s3s::s3_error!(InternalError))
}

/// Buckets have no versions: only the version `null` is there.
fn check_version(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(errors::invalid_argument("Invalid version id specified")),
    }
}

impl Inner {
    /// The account in the form of S3's owners.
    fn owner(&self) -> Owner {
        let id = super::checksum::sha256_hex(self.account.as_bytes());
        Owner { display_name: None, id: Some(id) }
    }

    /// What the names of the account's KMS keys begin with.
    fn kms_arn_prefix(&self) -> String {
        format!("arn:aws:kms:{}:{}:", self.region, self.account)
    }
}
