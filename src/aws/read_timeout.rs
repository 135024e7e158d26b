use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::timeout::TimeoutConfig;

/// A read time-out for S3, where nobody sets one or turns it off.
///
/// The AWS SDK counts it from the first byte that is sent, not from the last: a large upload over a slow line takes its
/// time without being stuck, so uploads get none. The SDK's stalled-stream protection watches them.
#[derive(Debug)]
pub(super) struct ReadTimeout(pub(super) Duration);

const UPLOADS: [&str; 2] = ["PutObject", "UploadPart"];

impl Intercept for ReadTimeout {
    fn name(&self) -> &'static str {
        "ReadTimeout"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if config.load::<Metadata>().is_some_and(|operation| UPLOADS.contains(&operation.name())) {
            return Ok(());
        }
        let own = config.load::<TimeoutConfig>().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
        let ours = TimeoutConfig::builder().read_timeout(self.0);
        config.interceptor_state().store_put(own.take_unset_from(ours).build());
        Ok(())
    }
}
