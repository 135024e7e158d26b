use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use aws_sdk_sagemakerruntime::error::SdkError;
use aws_sdk_sagemakerruntime::operation::invoke_endpoint::{InvokeEndpointError, InvokeEndpointOutput};
use aws_sdk_sagemakerruntime::primitives::Blob;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bytes::Bytes;

use super::Predictor;
use crate::aws::ServiceCall;
use crate::codec::{Deserializer, Serializer};
use crate::types::ContentType;
use crate::{Error, ErrorKind, Result};

/// A request that is about to be sent; `.await` it.
#[must_use = "nothing is sent until it is awaited"]
pub struct Predict<'a, S, D, T: ?Sized> {
    predictor: &'a Predictor<S, D>,
    input: &'a T,
    target_variant: Option<String>,
    target_model: Option<String>,
    inference_id: Option<String>,
    custom_attributes: Option<String>,
}

/// An answer with what came beside it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer<T> {
    /// What the deserializer made of the body.
    pub output: T,
    /// The production variant that answered.
    pub variant: Option<String>,
    /// What the container said beside the body.
    pub custom_attributes: Option<String>,
}

impl<'a, S, D, T: ?Sized> Predict<'a, S, D, T> {
    pub(super) fn new(predictor: &'a Predictor<S, D>, input: &'a T) -> Self {
        Self { predictor, input, target_variant: None, target_model: None, inference_id: None, custom_attributes: None }
    }

    /// Asks this production variant, instead of one chosen by weight.
    pub fn target_variant(mut self, name: impl Into<String>) -> Self {
        self.target_variant = Some(name.into());
        self
    }

    /// Asks this model of a multi-model endpoint.
    pub fn target_model(mut self, name: impl Into<String>) -> Self {
        self.target_model = Some(name.into());
        self
    }

    /// Marks the request in captured data.
    pub fn inference_id(mut self, id: impl Into<String>) -> Self {
        self.inference_id = Some(id.into());
        self
    }

    /// Passed to the container as it is; at most 1,024 visible ASCII characters.
    pub fn custom_attributes(mut self, text: impl Into<String>) -> Self {
        self.custom_attributes = Some(text.into());
        self
    }

    /// Sends it, and gives the answer with what came beside it.
    pub async fn answer(self) -> Result<Answer<D::Output>>
    where
        S: Serializer<T>,
        D: Deserializer,
    {
        let predictor = self.predictor;
        let body = predictor.serializer.serialize(self.input)?;
        if body.len() > predictor.max_body {
            let text = format!(
                "the request has {} bytes, the endpoint takes at most {}; send fewer rows at a time, or use a batch transform",
                body.len(),
                predictor.max_body
            );
            return Err(Error::new(ErrorKind::PayloadTooLarge, text));
        }
        let sent = predictor
            .client
            .invoke_endpoint()
            .endpoint_name(predictor.endpoint_name.as_str())
            .content_type(predictor.serializer.content_type().as_str())
            .accept(predictor.deserializer.accept().as_str())
            // A vector that nobody shares is taken over without a copy.
            .body(Blob::new(Vec::from(body)))
            .set_target_variant(self.target_variant)
            .set_target_model(self.target_model)
            .set_inference_id(self.inference_id)
            .set_custom_attributes(self.custom_attributes)
            .send()
            .await;
        let answer = sorted(sent)?;
        let content_type = answer.content_type.map_or(ContentType::OCTET_STREAM, ContentType::from);
        let body = Bytes::from(answer.body.map(Blob::into_inner).unwrap_or_default());
        Ok(Answer {
            output: predictor.deserializer.deserialize(body, &content_type)?,
            variant: answer.invoked_production_variant,
            custom_attributes: answer.custom_attributes,
        })
    }
}

/// A model's error carries the container's own status and message.
fn sorted(
    sent: Result<InvokeEndpointOutput, SdkError<InvokeEndpointError, HttpResponse>>,
) -> Result<InvokeEndpointOutput> {
    let own = match &sent {
        Err(SdkError::ServiceError(context)) => match context.err() {
            InvokeEndpointError::ModelError(error) => {
                let status = error.original_status_code().and_then(|status| u16::try_from(status).ok());
                let said = error.original_message().unwrap_or_default().trim();
                let logs = error.log_stream_arn().map(|arn| format!("; its log stream: {arn}")).unwrap_or_default();
                let answered = status.map_or_else(|| "an error".to_owned(), |status| format!("HTTP {status}"));
                let text = format!("the container answered with {answered}: {said}{logs}");
                Some((text, status))
            }
            _ => None,
        },
        _ => None,
    };
    let sent = sent.of("InvokeEndpoint");
    match (sent, own) {
        (Err(error), Some((text, status))) => {
            let (code, id) = (error.code().map(str::to_owned), error.request_id().map(str::to_owned));
            Err(Error::new(ErrorKind::Model, text)
                .with_operation("InvokeEndpoint")
                .with_service_answer(code.as_deref(), id.as_deref(), status)
                .with_source(error))
        }
        (sent, _) => sent,
    }
}

impl<'a, S, D, T> IntoFuture for Predict<'a, S, D, T>
where
    S: Serializer<T> + Sync,
    D: Deserializer + Sync,
    T: ?Sized + Sync,
{
    type Output = Result<D::Output>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.answer().await.map(|answer| answer.output) })
    }
}

impl<S, D, T: ?Sized> fmt::Debug for Predict<'_, S, D, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Predict").field("endpoint_name", &self.predictor.endpoint_name).finish_non_exhaustive()
    }
}
