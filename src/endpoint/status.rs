use std::fmt;

/// Where an endpoint stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointStatus {
    /// Instances start, the image and the model are loaded.
    Creating,
    /// A new configuration is rolled out; the old one answers meanwhile.
    Updating,
    /// The service maintains it.
    SystemUpdating,
    /// A roll-out failed and is taken back.
    RollingBack,
    /// It answers requests.
    InService,
    /// It cannot answer.
    OutOfService,
    /// It is being deleted.
    Deleting,
    /// It could not be created: delete it.
    Failed,
    /// A roll-out failed and could not be taken back.
    UpdateRollbackFailed,
    /// A status that this version of the crate does not know; counts as under way.
    Other(String),
}

impl EndpointStatus {
    const KNOWN: [Self; 9] = [
        Self::Creating,
        Self::Updating,
        Self::SystemUpdating,
        Self::RollingBack,
        Self::InService,
        Self::OutOfService,
        Self::Deleting,
        Self::Failed,
        Self::UpdateRollbackFailed,
    ];

    /// Whether the endpoint is on its way to another status.
    pub fn is_under_way(&self) -> bool {
        matches!(
            self,
            Self::Creating
                | Self::Updating
                | Self::SystemUpdating
                | Self::RollingBack
                | Self::Deleting
                | Self::Other(_)
        )
    }

    /// The service's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Creating => "Creating",
            Self::Updating => "Updating",
            Self::SystemUpdating => "SystemUpdating",
            Self::RollingBack => "RollingBack",
            Self::InService => "InService",
            Self::OutOfService => "OutOfService",
            Self::Deleting => "Deleting",
            Self::Failed => "Failed",
            Self::UpdateRollbackFailed => "UpdateRollbackFailed",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for EndpointStatus {
    fn from(word: &str) -> Self {
        Self::KNOWN.into_iter().find(|status| status.as_str() == word).unwrap_or_else(|| Self::Other(word.to_owned()))
    }
}

impl fmt::Display for EndpointStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_service_are_known_and_others_kept() {
        for status in EndpointStatus::KNOWN {
            assert_eq!(EndpointStatus::from(status.as_str()), status);
        }
        let new = EndpointStatus::from("Hibernating");
        assert_eq!((new.as_str(), new.is_under_way()), ("Hibernating", true));
        assert!(EndpointStatus::SystemUpdating.is_under_way() && !EndpointStatus::Failed.is_under_way());
    }
}
