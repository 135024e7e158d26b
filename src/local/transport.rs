//! The backend as the HTTP client of the AWS SDK's clients: no socket, no serialisation of its own.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::backend::LocalBackend;

pub(super) fn http_client(backend: LocalBackend) -> SharedHttpClient {
    SharedHttpClient::new(InProcess(backend))
}

#[derive(Debug, Clone)]
struct InProcess(LocalBackend);

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let backend = self.0.clone();
        HttpConnectorFuture::new(async move {
            let failed = |error| ConnectorError::other(Box::new(error), None);
            let request = request.try_into_http1x().map_err(failed)?;
            let broken = |broken| ConnectorError::io(Box::new(broken));
            let answer = backend.exchange(request).await.map_err(broken)?;
            HttpResponse::try_from(answer).map_err(failed)
        })
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
