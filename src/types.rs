//! Values with no I/O: names, URIs, ARNs, instance types, compute, tags. Each is checked when it is made.

mod arn;
mod compute;
mod content_type;
#[cfg(feature = "control-plane")]
mod environment;
mod image_uri;
mod instance_groups;
mod instance_type;
mod name;
#[cfg(feature = "control-plane")]
mod partition;
#[cfg(feature = "control-plane")]
mod role;
mod s3_uri;
mod spot;
mod tags;
mod vpc;

pub use arn::Arn;
pub use compute::Compute;
pub use content_type::ContentType;
#[cfg(feature = "control-plane")]
pub(crate) use environment::Environment;
pub use image_uri::ImageUri;
pub use instance_groups::{InstanceGroup, InstanceGroups, TrainingCompute};
pub use instance_type::InstanceType;
pub use name::ResourceName;
#[cfg(feature = "control-plane")]
pub(crate) use name::{base_of_name, name_from_base};
#[cfg(feature = "control-plane")]
pub(crate) use partition::Partition;
#[cfg(feature = "control-plane")]
pub(crate) use role::GivenRole;
pub use s3_uri::S3Uri;
pub use spot::Spot;
pub use tags::Tags;
pub use vpc::VpcConfig;

/// The conversions that every checked string type offers.
macro_rules! checked_string {
    ($type:ident) => {
        impl $type {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::Error;
            fn from_str(text: &str) -> $crate::Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $type {
            type Error = $crate::Error;
            fn try_from(text: &str) -> $crate::Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = $crate::Error;
            fn try_from(text: String) -> $crate::Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<&String> for $type {
            type Error = $crate::Error;
            fn try_from(text: &String) -> $crate::Result<Self> {
                Self::new(text.as_str())
            }
        }

        impl From<&$type> for $type {
            fn from(value: &$type) -> Self {
                value.clone()
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.0
            }
        }
    };
}
pub(crate) use checked_string;
