//! What the caller gets instead of the answer, in the service's own form.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::Response;
use hyper::body::{Body, Frame, SizeHint};

use super::Fault;
use crate::local::aws_error::AwsError;
use crate::local::router::Service;

/// The error that a service answers; `None` if the fault is of another kind.
pub(super) fn error(fault: &Fault, service: &Service) -> Option<AwsError> {
    Some(match (fault, service) {
        (Fault::Throttle, Service::S3) => AwsError::new(503, "SlowDown", "Please reduce your request rate."),
        (Fault::Throttle, Service::Sts | Service::Iam) => AwsError::new(400, "Throttling", "Rate exceeded"),
        (Fault::Throttle, _) => AwsError::new(400, "ThrottlingException", "Rate exceeded"),
        (Fault::InternalError | Fault::SpoilAnswer, Service::S3) => {
            AwsError::new(500, "InternalError", "We encountered an internal error. Please try again.")
        }
        (Fault::InternalError | Fault::SpoilAnswer, _) => {
            let message = "The request processing has failed because of an unknown error, exception or failure.";
            AwsError::new(500, "InternalFailure", message)
        }
        (Fault::Refuse { status, code, message }, _) => AwsError::new(*status, code.clone(), message.clone()),
        _ => return None,
    })
}

/// The answer with a body that ends in an error after so many bytes; its length is announced as before.
pub(super) fn break_off(answer: Response<SdkBody>, after: u64) -> Response<SdkBody> {
    answer.map(|body| SdkBody::from_body_1_x(Cut { body, left: after, sent: false }))
}

/// A body that breaks off.
struct Cut {
    body: SdkBody,
    left: u64,
    /// Whether what came before the break had its time to be sent.
    sent: bool,
}

impl Body for Cut {
    type Data = Bytes;
    type Error = aws_smithy_types::body::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        if this.left > 0
            && let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(cx)?)
            && let Ok(data) = frame.into_data()
        {
            let part = data.slice(..data.len().min(usize::try_from(this.left).unwrap_or(usize::MAX)));
            this.left -= part.len() as u64;
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        this.left = 0;
        if !this.sent {
            this.sent = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionReset).into())))
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.body)
    }
}
