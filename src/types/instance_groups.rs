use super::InstanceType;
use crate::Result;
use crate::error::Problems;

/// One group of a heterogeneous cluster: instances of one type under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceGroup {
    pub(crate) name: String,
    pub(crate) instance_type: String,
    pub(crate) count: u32,
}

impl InstanceGroup {
    /// A group of a name (1 to 64 characters), with `count` instances of a type.
    pub fn new(name: impl Into<String>, instance_type: impl Into<String>, count: u32) -> Self {
        Self { name: name.into(), instance_type: instance_type.into(), count }
    }
}

/// The machines of a heterogeneous cluster: up to five groups of different types that train together.
///
/// ```
/// use sagemaker::types::{InstanceGroup, InstanceGroups};
///
/// let cluster = InstanceGroups::new([
///     InstanceGroup::new("data", "ml.c5.4xlarge", 1),
///     InstanceGroup::new("compute", "ml.p3.2xlarge", 2),
/// ])
/// .volume_gb(50);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceGroups {
    pub(crate) groups: Vec<InstanceGroup>,
    pub(crate) volume_gb: Option<u32>,
}

impl InstanceGroups {
    /// A cluster of these groups.
    pub fn new(groups: impl IntoIterator<Item = InstanceGroup>) -> Self {
        Self { groups: groups.into_iter().collect(), volume_gb: None }
    }

    /// Size of the storage volume of each instance, in GB. Default: 30.
    #[must_use]
    pub fn volume_gb(mut self, gb: u32) -> Self {
        self.volume_gb = Some(gb);
        self
    }

    #[cfg_attr(not(feature = "control-plane"), expect(dead_code, reason = "only training jobs read it"))]
    pub(crate) fn validate(&self) -> Result<()> {
        let mut problems = Problems::default();
        let count = self.groups.len();
        problems.require((1..=5).contains(&count), "instance_groups", "1 to 5 groups are needed");
        for (at, group) in self.groups.iter().enumerate() {
            let field = format!("instance_groups.{}", group.name);
            if !(1..=64).contains(&group.name.chars().count()) {
                problems.push(field.as_str(), "a name has 1 to 64 characters");
            }
            if self.groups[..at].iter().any(|other| other.name == group.name) {
                problems.push(field.as_str(), "two groups have this name");
            }
            problems.check(&field, InstanceType::new(group.instance_type.as_str()));
            let fits = group.count >= 1 && i32::try_from(group.count).is_ok();
            problems.require(fits, &field, "a group has at least 1 instance");
        }
        let fits = self.volume_gb.is_none_or(|gb| gb >= 1 && i32::try_from(gb).is_ok());
        problems.require(fits, "volume_gb", "must be at least 1 GB");
        problems.into_result()
    }
}

/// The machines of a training job: all alike, or in groups.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrainingCompute {
    /// Instances of one type.
    Instances(super::Compute),
    /// A heterogeneous cluster.
    Groups(InstanceGroups),
}

impl TrainingCompute {
    /// The type that an image is chosen for: of groups, the first with GPUs, else the first.
    #[cfg_attr(not(feature = "control-plane"), expect(dead_code, reason = "only training jobs read it"))]
    pub(crate) fn instance_type(&self) -> &str {
        match self {
            Self::Instances(compute) => compute.instance_type(),
            Self::Groups(cluster) => {
                let family =
                    |group: &&InstanceGroup| group.instance_type.split('.').nth(1).unwrap_or_default().to_owned();
                let gpu = cluster.groups.iter().find(|group| family(group).starts_with(['p', 'g']));
                gpu.or(cluster.groups.first()).map_or("", |group| group.instance_type.as_str())
            }
        }
    }

    /// The number of instances in all.
    #[cfg_attr(not(feature = "control-plane"), expect(dead_code, reason = "only training jobs read it"))]
    pub(crate) fn instance_count(&self) -> u32 {
        match self {
            Self::Instances(compute) => compute.instance_count(),
            Self::Groups(cluster) => cluster.groups.iter().map(|group| group.count).fold(0, u32::saturating_add),
        }
    }
}

impl From<super::Compute> for TrainingCompute {
    fn from(compute: super::Compute) -> Self {
        Self::Instances(compute)
    }
}

impl From<InstanceGroups> for TrainingCompute {
    fn from(groups: InstanceGroups) -> Self {
        Self::Groups(groups)
    }
}
