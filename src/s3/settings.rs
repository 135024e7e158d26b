use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::{ObjectCannedAcl, ServerSideEncryption, StorageClass};

/// How objects are to be kept.
#[derive(Debug, Clone, Default)]
pub(super) struct PutSettings {
    pub(super) encryption: Option<ServerSideEncryption>,
    pub(super) kms_key: Option<String>,
    pub(super) acl: Option<ObjectCannedAcl>,
    pub(super) storage_class: Option<StorageClass>,
    pub(super) content_type: Option<String>,
    pub(super) metadata: Vec<(String, String)>,
}

impl PutSettings {
    pub(super) fn whole(&self, request: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
        let request = self.metadata.iter().fold(request, |request, (name, value)| request.metadata(name, value));
        request
            .set_server_side_encryption(self.encryption.clone())
            .set_ssekms_key_id(self.kms_key.clone())
            .set_acl(self.acl.clone())
            .set_storage_class(self.storage_class.clone())
            .set_content_type(self.content_type.clone())
    }

    pub(super) fn parts(&self, request: CreateMultipartUploadFluentBuilder) -> CreateMultipartUploadFluentBuilder {
        let request = self.metadata.iter().fold(request, |request, (name, value)| request.metadata(name, value));
        request
            .set_server_side_encryption(self.encryption.clone())
            .set_ssekms_key_id(self.kms_key.clone())
            .set_acl(self.acl.clone())
            .set_storage_class(self.storage_class.clone())
            .set_content_type(self.content_type.clone())
    }
}
