use crate::{Error, Result};

/// An Amazon Resource Name: `arn:partition:service:region:account:resource`.
///
/// ```
/// use sagemaker::types::Arn;
///
/// let role = Arn::new("arn:aws:iam::123456789012:role/service-role/SageMaker")?;
/// assert_eq!((role.service(), role.account()), ("iam", "123456789012"));
/// # Ok::<(), sagemaker::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn(String);

super::checked_string!(Arn);

impl Arn {
    /// Checks the form: six parts, the first `arn`, with a partition, a service and a resource.
    pub fn new(arn: impl Into<String>) -> Result<Self> {
        let arn = arn.into();
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match parts[..] {
            ["arn", partition, service, _, _, resource]
                if !partition.is_empty() && !service.is_empty() && !resource.is_empty() =>
            {
                Ok(Self(arn))
            }
            _ => Err(Error::invalid(
                "",
                format!("{arn:?} is no ARN; the form is arn:partition:service:region:account:resource"),
            )),
        }
    }

    fn part(&self, index: usize) -> &str {
        self.0.splitn(6, ':').nth(index).unwrap_or_default()
    }

    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// The service, such as `sagemaker` or `iam`.
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// The region; empty for global services.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The account's number.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// What follows the account, such as `training-job/my-job`.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    /// An ARN that must name an IAM role.
    #[cfg(feature = "control-plane")]
    pub(crate) fn role(arn: impl Into<String>) -> Result<Self> {
        let arn = Self::new(arn)?;
        if arn.service() == "iam" && arn.resource().starts_with("role/") {
            return Ok(arn);
        }
        Err(Error::invalid("", format!("{arn} names no IAM role; the form is arn:aws:iam::123456789012:role/NAME")))
    }
}
