use std::fmt;
use std::sync::Arc;

use aws_sdk_s3::operation::put_object::builders::PutObjectInputBuilder;

/// How objects are to be kept: what is done to each request, in the order in which it was asked for.
#[derive(Clone, Default)]
pub(super) struct PutSettings(Vec<Arc<Change>>);

type Change = dyn Fn(PutObjectInputBuilder) -> PutObjectInputBuilder + Send + Sync;

impl PutSettings {
    pub(super) fn push(
        &mut self,
        change: impl Fn(PutObjectInputBuilder) -> PutObjectInputBuilder + Send + Sync + 'static,
    ) {
        self.0.push(Arc::new(change));
    }

    pub(super) fn apply(&self, request: PutObjectInputBuilder) -> PutObjectInputBuilder {
        self.0.iter().fold(request, |request, change| change(request))
    }
}

/// Shows the request that comes of them; the SDK leaves its secrets out.
impl fmt::Debug for PutSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.apply(PutObjectInputBuilder::default()).fmt(f)
    }
}
