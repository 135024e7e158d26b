//! [`Predictor`]: typed requests to an endpoint. Needs only the runtime client.

mod predict;

use aws_sdk_sagemakerruntime::Client;

pub use predict::{Answer, Predict};

/// Sends values to an endpoint through a serializer, and gives answers through a deserializer.
///
/// Works without the feature `control-plane`, as in a Lambda function that only predicts:
///
/// ```no_run
/// # async fn run(client: aws_sdk_sagemakerruntime::Client) -> sagemaker::Result<()> {
/// use sagemaker::codec::Csv;
/// use sagemaker::predictor::Predictor;
///
/// let predictor = Predictor::new(client, "bike-demand", Csv::rows(), Csv::floats());
/// let demand: Vec<f64> = predictor.predict(&[[1.0, 0.5], [2.0, 0.25]]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Predictor<S, D> {
    client: Client,
    endpoint_name: String,
    serializer: S,
    deserializer: D,
    max_body: usize,
}

/// What a real-time endpoint takes at most, by the published API.
const MAX_BODY: usize = 6 * 1024 * 1024;

impl<S, D> Predictor<S, D> {
    /// A predictor on any runtime client.
    pub fn new(client: Client, endpoint_name: impl Into<String>, serializer: S, deserializer: D) -> Self {
        Self { client, endpoint_name: endpoint_name.into(), serializer, deserializer, max_body: MAX_BODY }
    }

    /// The largest body that is sent, in bytes. Default: 6 MiB, the limit of real-time endpoints; serverless ones take 4.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// The endpoint's name.
    pub fn endpoint_name(&self) -> &str {
        &self.endpoint_name
    }

    /// Sends one value: `.await` it for the answer. The value may be one row or many, as the serializer takes it.
    ///
    /// # Errors
    /// [`ErrorKind::Serialization`](crate::ErrorKind::Serialization) before anything is sent,
    /// [`ErrorKind::PayloadTooLarge`](crate::ErrorKind::PayloadTooLarge) above [`max_body`](Self::max_body),
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if the endpoint is gone,
    /// [`ErrorKind::Model`](crate::ErrorKind::Model) with the container's status and message,
    /// [`ErrorKind::Deserialization`](crate::ErrorKind::Deserialization) if the answer is not what was expected.
    pub fn predict<'a, T: ?Sized>(&'a self, input: &'a T) -> Predict<'a, S, D, T> {
        Predict::new(self, input)
    }
}
