use std::cell::Cell;
use std::future::Future;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

tokio::task_local! {
    // An interceptor of the call itself would do, but an input that is sent by itself (`send_with`) takes none.
    static SENT: Cell<u32>;
}

/// Counts how often the client sends the request of a [`counted`] call.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountAttempts;

impl Intercept for CountAttempts {
    fn name(&self) -> &'static str {
        "CountAttempts"
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Most calls are not counted.
        let _ = SENT.try_with(|sent| sent.set(sent.get() + 1));
        Ok(())
    }
}

/// The call's result, and how often the client sent it: more than once if an earlier answer was an error that may pass,
/// or did not come.
pub(crate) async fn counted<F: Future>(call: F) -> (F::Output, u32) {
    let count = async {
        let result = call.await;
        (result, SENT.with(Cell::get))
    };
    SENT.scope(Cell::new(0), count).await
}
