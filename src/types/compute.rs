use super::InstanceType;
use crate::Result;
use crate::error::Problems;

/// The machines that a job or an endpoint runs on.
///
/// ```
/// use sagemaker::types::Compute;
///
/// let four = Compute::instances("ml.m5.xlarge", 4).volume_gb(100);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compute {
    instance_type: String,
    count: u32,
    volume_gb: Option<u32>,
}

/// What [`Compute`] says, checked.
#[cfg_attr(not(feature = "control-plane"), expect(dead_code, reason = "only jobs and endpoints read it"))]
pub(crate) struct CheckedCompute {
    pub(crate) instance_type: InstanceType,
    pub(crate) count: i32,
    pub(crate) volume_gb: Option<i32>,
}

impl Compute {
    /// `count` instances of a type such as `ml.m5.xlarge`; both are checked where they are used.
    pub fn instances(instance_type: impl Into<String>, count: u32) -> Self {
        Self { instance_type: instance_type.into(), count, volume_gb: None }
    }

    /// Size of the storage volume of each instance, in GB. Default for training: 30. Not for endpoints and transforms.
    #[must_use]
    pub fn volume_gb(mut self, gb: u32) -> Self {
        self.volume_gb = Some(gb);
        self
    }

    pub(crate) fn instance_type(&self) -> &str {
        &self.instance_type
    }

    pub(crate) fn instance_count(&self) -> u32 {
        self.count
    }

    #[cfg_attr(not(feature = "control-plane"), expect(dead_code, reason = "only jobs and endpoints read it"))]
    pub(crate) fn checked(&self) -> Result<CheckedCompute> {
        let mut problems = Problems::default();
        let instance_type = problems.check("instance_type", InstanceType::new(self.instance_type.as_str()));
        problems.require(self.count >= 1, "instance_count", "must be at least 1, is 0");
        let count = i32::try_from(self.count);
        problems.require(count.is_ok(), "instance_count", "is too large");
        let volume_gb = self.volume_gb.map(i32::try_from).transpose();
        let fits = matches!(volume_gb, Ok(gb) if gb.is_none_or(|gb| gb >= 1));
        problems.require(fits, "volume_gb", "must be at least 1 GB");
        problems.into_result()?;
        match (instance_type, count, volume_gb) {
            (Some(instance_type), Ok(count), Ok(volume_gb)) => Ok(CheckedCompute { instance_type, count, volume_gb }),
            _ => unreachable!("each missing part is a problem above"),
        }
    }
}
