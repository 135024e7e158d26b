//! The operations, by theme. What is not listed is answered `NotImplemented` with the operation's name.

mod acls;
mod attributes;
mod buckets;
mod copies;
mod listings;
mod locks;
mod objects;
mod restores;
mod selects;
mod tagging;
mod uploads;

use std::pin::Pin;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::object::Content;
use super::receive::Received;
use super::{Inner, errors};

/// The operations on one S3.
pub(super) struct Service(Arc<Inner>);

impl Service {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        Self(inner)
    }
}

/// The protocol crate's trait is asynchronous; most operations are plain functions, as memory answers at once. Those
/// behind `full` may wait for files, and give the whole answer.
macro_rules! operations {
    (
        plain { $($name:ident($input:ident) -> $output:ident = $function:path;)* }
        full { $($full_name:ident($full_input:ident) -> $full_output:ident = $full_function:path;)* }
    ) => {
        /// The input shapes of all operations, which are called like them.
        #[cfg(test)]
        pub(in crate::local) static INPUTS: &[&str] = &[$(stringify!($input),)* $(stringify!($full_input),)*];

        impl s3s::S3 for Service {
            $(fn $full_name<'service, 'answer>(
                &'service self,
                request: S3Request<$full_input>,
            ) -> Pin<Box<dyn Future<Output = S3Result<S3Response<$full_output>>> + Send + 'answer>>
            where
                'service: 'answer,
                Self: 'answer,
            {
                Box::pin(async move { $full_function(&self.0, request).await })
            })*
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
plain {
    create_bucket(CreateBucketInput) -> CreateBucketOutput = buckets::create;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = buckets::delete;
    list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = buckets::versioning;
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = buckets::set_versioning;
    get_bucket_acl(GetBucketAclInput) -> GetBucketAclOutput = acls::of_bucket;
    put_bucket_acl(PutBucketAclInput) -> PutBucketAclOutput = acls::set_of_bucket;
    get_object_acl(GetObjectAclInput) -> GetObjectAclOutput = acls::of_object;
    put_object_acl(PutObjectAclInput) -> PutObjectAclOutput = acls::set_of_object;
    get_bucket_policy_status(GetBucketPolicyStatusInput) -> GetBucketPolicyStatusOutput = locks::policy_status;
    get_object_retention(GetObjectRetentionInput) -> GetObjectRetentionOutput = locks::retention;
    put_object_retention(PutObjectRetentionInput) -> PutObjectRetentionOutput = locks::set_retention;
    get_object_legal_hold(GetObjectLegalHoldInput) -> GetObjectLegalHoldOutput = locks::legal_hold;
    put_object_legal_hold(PutObjectLegalHoldInput) -> PutObjectLegalHoldOutput = locks::set_legal_hold;

    put_object(PutObjectInput) -> PutObjectOutput = objects::put;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = objects::delete;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = objects::delete_many;

    list_objects(ListObjectsInput) -> ListObjectsOutput = listings::objects;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = listings::objects_v2;
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = listings::versions;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = listings::uploads;
    list_parts(ListPartsInput) -> ListPartsOutput = listings::parts;

    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = uploads::create;
    upload_part(UploadPartInput) -> UploadPartOutput = uploads::put_part;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = uploads::abort;

    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tagging::put;
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tagging::get;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tagging::delete;
}

full {
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = attributes::get;
    get_object(GetObjectInput) -> GetObjectOutput = objects::get;
    head_object(HeadObjectInput) -> HeadObjectOutput = objects::head;
    restore_object(RestoreObjectInput) -> RestoreObjectOutput = restores::begin;
    select_object_content(SelectObjectContentInput) -> SelectObjectContentOutput = selects::select;
    copy_object(CopyObjectInput) -> CopyObjectOutput = copies::copy;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = copies::copy_part;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = uploads::complete;
}
}

/// What [`receive`](super::receive) left for the operation.
fn received<T>(request: &mut S3Request<T>) -> S3Result<Received> {
    request.extensions.remove().ok_or_else(|| s3s::s3_error!(InternalError))
}

/// The content that [`receive`](super::receive) left for the operation.
fn content<T>(request: &mut S3Request<T>) -> S3Result<Content> {
    received(request)?.content.ok_or_else(|| s3s::s3_error!(InternalError))
}

impl Inner {
    /// The account in the form of S3's owners.
    fn owner(&self) -> Owner {
        Owner { display_name: None, id: Some(self.owner_id.clone()) }
    }

    /// What the names of the account's KMS keys begin with.
    pub(super) fn kms_arn_prefix(&self) -> String {
        format!("arn:aws:kms:{}:{}:", self.region, self.account)
    }
}
