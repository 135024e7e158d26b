use super::Arn;
use crate::Result;

/// An IAM role as callers give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GivenRole {
    Arn(Arn),
    /// Its name alone, which takes a call to IAM to look up.
    Name(String),
}

impl GivenRole {
    pub(crate) fn new(role: impl Into<String>) -> Result<Self> {
        let role = role.into();
        let legal = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if (1..=64).contains(&role.len()) && role.chars().all(legal) {
            return Ok(Self::Name(role));
        }
        Arn::role(role).map(Self::Arn)
    }

    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Arn(_) => None,
        }
    }

    pub(crate) fn arn(&self) -> Option<&Arn> {
        match self {
            Self::Arn(arn) => Some(arn),
            Self::Name(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns() {
        assert_eq!(GivenRole::new("Trainer").unwrap().name(), Some("Trainer"));
        let arn = "arn:aws:iam::123456789012:role/team/Trainer";
        assert_eq!(GivenRole::new(arn).unwrap().arn().map(Arn::as_str), Some(arn));
        for bad in ["", "team/Trainer", "arn:aws:s3:::bucket", &"x".repeat(65)] {
            assert!(GivenRole::new(bad).is_err(), "{bad}");
        }
    }
}
