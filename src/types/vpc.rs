/// The private network that a job's or model's containers join. Both halves are needed, so neither can be left out.
///
/// ```
/// use sagemaker::types::VpcConfig;
///
/// let vpc = VpcConfig::new(["subnet-0a1b2c3d"], ["sg-01234567"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcConfig {
    pub(crate) subnets: Vec<String>,
    pub(crate) security_group_ids: Vec<String>,
}

impl VpcConfig {
    /// Subnets (1 to 16) and security groups (1 to 5).
    pub fn new<S: Into<String>, G: Into<String>>(
        subnets: impl IntoIterator<Item = S>,
        security_group_ids: impl IntoIterator<Item = G>,
    ) -> Self {
        Self {
            subnets: subnets.into_iter().map(Into::into).collect(),
            security_group_ids: security_group_ids.into_iter().map(Into::into).collect(),
        }
    }

    #[cfg_attr(not(feature = "control-plane"), expect(dead_code, reason = "only requests carry it"))]
    pub(crate) fn validate(&self, problems: &mut crate::error::Problems) {
        let sizes = (self.subnets.len(), self.security_group_ids.len());
        problems.require((1..=16).contains(&sizes.0), "vpc.subnets", "1 to 16 subnets are needed");
        problems.require((1..=5).contains(&sizes.1), "vpc.security_group_ids", "1 to 5 security groups are needed");
    }
}
