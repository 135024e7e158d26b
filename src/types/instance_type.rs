use crate::{Error, Result};

/// A SageMaker instance type such as `ml.m5.xlarge`. Open: any type of the right form is accepted.
///
/// ```
/// use sagemaker::types::InstanceType;
///
/// assert_eq!(InstanceType::new("ml.g5.2xlarge")?.family(), "g5");
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceType(String);

super::checked_string!(InstanceType);

impl InstanceType {
    /// Checks the form `ml.<family>.<size>`.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let part =
            |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let fits = match name.split('.').collect::<Vec<_>>()[..] {
            ["ml", family, size] => part(family) && part(size),
            _ => false,
        };
        if fits {
            return Ok(Self(name));
        }
        let hint = match name.starts_with("ml.") {
            true => "the form is ml.<family>.<size>, such as ml.m5.xlarge".to_owned(),
            false => format!("SageMaker's types begin with \"ml.\", such as ml.{}", name.trim_start_matches("ml")),
        };
        Err(Error::invalid("", format!("{name:?} is no instance type; {hint}")))
    }

    /// The family: `m5` of `ml.m5.xlarge`.
    pub fn family(&self) -> &str {
        self.0.split('.').nth(1).unwrap_or_default()
    }

    /// Whether a storage volume is attached, whose size and key can be chosen. Types with local NVMe disks have none.
    pub fn has_volume(&self) -> bool {
        let family = self.family();
        !family.contains('d') && !["g5", "g6", "p5", "trn1"].iter().any(|f| family.starts_with(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_is_checked() {
        for good in ["ml.m5.xlarge", "ml.p4d.24xlarge", "ml.m5.4xlarge", "ml.u-6tb1.metal"] {
            assert!(InstanceType::new(good).is_ok(), "{good}");
        }
        for bad in ["m5.xlarge", "ml.m5", "ml..xlarge", "ml.M5.xlarge", "ml.m5.xlarge.x", ""] {
            assert!(InstanceType::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn types_with_local_disks_have_no_volume() {
        assert!(InstanceType::new("ml.m5.xlarge").unwrap().has_volume());
        for local in ["ml.m5d.xlarge", "ml.g5.xlarge", "ml.p4d.24xlarge", "ml.trn1.2xlarge"] {
            assert!(!InstanceType::new(local).unwrap().has_volume(), "{local}");
        }
    }
}
