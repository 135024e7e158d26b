use super::Session;
use crate::aws::ServiceCall;
use crate::types::Arn;
use crate::{Error, ErrorKind, Result};

/// Who calls, as STS says; asked once.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) account: String,
    pub(super) arn: Arn,
}

impl Session {
    /// The account that the credentials belong to. Asks STS the first time.
    pub async fn account_id(&self) -> Result<&str> {
        Ok(&self.identity().await?.account)
    }

    pub(super) async fn identity(&self) -> Result<&Identity> {
        self.0.identity.get_or_try_init(|| self.ask_identity()).await
    }

    async fn ask_identity(&self) -> Result<Identity> {
        let answer = self.aws().sts().get_caller_identity().send().await.of("GetCallerIdentity")?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok(Identity { account, arn: Arn::new(arn)? }),
            _ => Err(Error::new(ErrorKind::Service, "STS named no account").with_operation("GetCallerIdentity")),
        }
    }
}
