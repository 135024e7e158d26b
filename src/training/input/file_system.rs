use aws_sdk_sagemaker::types as sdk;

use super::JobOfChannels;
use crate::Result;
use crate::error::Problems;
use crate::types::ContentType;

/// The data of one training channel on Amazon EFS or FSx for Lustre.
///
/// The job needs a network that reaches the file system: `.vpc(..)` of the estimator.
///
/// ```
/// use sagemaker::training::FileSystemInput;
///
/// let images = FileSystemInput::fsx_lustre("fs-0123456789abcdef0", "/fsx/images").read_write();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSystemInput {
    id: String,
    kind: Kind,
    directory: String,
    writable: bool,
    content_type: Option<ContentType>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Efs,
    FsxLustre,
}

impl FileSystemInput {
    /// A folder of an Amazon EFS file system such as `fs-0123456789abcdef0`. Read only unless said otherwise.
    pub fn efs(id: impl Into<String>, directory: impl Into<String>) -> Self {
        Self::new(Kind::Efs, id.into(), directory.into())
    }

    /// A folder of an Amazon FSx for Lustre file system; the directory begins with the mount name, such as `/fsx/images`.
    pub fn fsx_lustre(id: impl Into<String>, directory: impl Into<String>) -> Self {
        Self::new(Kind::FsxLustre, id.into(), directory.into())
    }

    fn new(kind: Kind, id: String, directory: String) -> Self {
        Self { id, kind, directory, writable: false, content_type: None }
    }

    /// The container may write there, too. Default: it may read.
    #[must_use]
    pub fn read_write(mut self) -> Self {
        self.writable = true;
        self
    }

    /// The content type that the container is told. Default: none.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<ContentType>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    pub(super) fn own_content_type(&self) -> Option<&ContentType> {
        self.content_type.as_ref()
    }

    pub(super) fn to_request(&self, name: &str, job: &JobOfChannels<'_>) -> Result<sdk::Channel> {
        let mut problems = Problems::default();
        let known = self.id.strip_prefix("fs-").is_some_and(|digits| {
            (8..=18).contains(&digits.len()) && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
        });
        problems.require(known, "file_system_id", "is \"fs-\" and 8 to 18 hexadecimal digits");
        problems.require(self.directory.starts_with('/'), "directory", "begins with a slash");
        let text = "a file system is reached through the job's network only: .vpc(..), or that of a defaults file";
        problems.require(job.has_network, "", text);
        problems.into_result()?;
        let source = sdk::FileSystemDataSource::builder()
            .file_system_id(&self.id)
            .file_system_type(match self.kind {
                Kind::Efs => sdk::FileSystemType::Efs,
                Kind::FsxLustre => sdk::FileSystemType::Fsxlustre,
            })
            .file_system_access_mode(match self.writable {
                true => sdk::FileSystemAccessMode::Rw,
                false => sdk::FileSystemAccessMode::Ro,
            })
            .directory_path(&self.directory);
        let channel = sdk::Channel::builder()
            .channel_name(name)
            .data_source(sdk::DataSource::builder().file_system_data_source(source.build()).build())
            .set_content_type(self.content_type.as_ref().map(ToString::to_string));
        Ok(channel.build())
    }
}
