//! The event-stream encoding of a streamed answer.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use serde_json::json;

/// Larger parts of a container are sent as several events.
pub(super) const MAX_PART: usize = 64 * 1024;

/// Why a stream broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// The container did not go on in time.
    TimeExceeded,
    /// The container ended the stream with an error.
    StreamBroken,
}

/// A part of the body.
pub(super) fn part(bytes: Bytes) -> Bytes {
    frame(
        &[(":event-type", "PayloadPart"), (":content-type", "application/octet-stream"), (":message-type", "event")],
        bytes,
    )
}

/// The error that ends a stream.
pub(super) fn model_stream_error(broken: Broken, message: &str) -> Bytes {
    let code = match broken {
        Broken::TimeExceeded => "ModelInvocationTimeExceeded",
        Broken::StreamBroken => "StreamBroken",
    };
    exception("ModelStreamError", &json!({"Message": message, "ErrorCode": code}))
}

fn exception(kind: &'static str, body: &serde_json::Value) -> Bytes {
    frame(
        &[(":exception-type", kind), (":content-type", "application/json"), (":message-type", "exception")],
        Bytes::from(body.to_string()),
    )
}

fn frame(headers: &[(&'static str, &'static str)], payload: Bytes) -> Bytes {
    let header =
        |(name, value): &(&'static str, &'static str)| Header::new(*name, HeaderValue::String((*value).into()));
    let message = Message::new_from_parts(headers.iter().map(header).collect(), payload);
    let mut out = Vec::new();
    match write_message_to(&message, &mut out) {
        Ok(()) => Bytes::from(out),
        // Only lengths beyond four gigabytes are refused.
        Err(error) => unreachable!("a part of at most {MAX_PART} bytes: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_eventstream::frame::read_message_from;
    use proptest::prelude::*;

    use super::*;

    fn read(frame: Bytes) -> (Vec<(String, String)>, Bytes) {
        let message = read_message_from(frame).unwrap();
        let header = |header: &Header| {
            (header.name().as_str().to_owned(), header.value().as_string().unwrap().as_str().to_owned())
        };
        (message.headers().iter().map(header).collect(), message.payload().clone())
    }

    #[test]
    fn errors_are_exceptions_with_their_code() {
        let (headers, payload) = read(model_stream_error(Broken::StreamBroken, "gone"));
        assert_eq!(headers[0], (":exception-type".to_owned(), "ModelStreamError".to_owned()));
        assert_eq!(headers[2], (":message-type".to_owned(), "exception".to_owned()));
        let body: serde_json::Value = serde_json::from_slice(&payload).unwrap();
        assert_eq!(body, json!({"Message": "gone", "ErrorCode": "StreamBroken"}));
        assert!(
            String::from_utf8_lossy(&model_stream_error(Broken::TimeExceeded, ""))
                .contains("ModelInvocationTimeExceeded")
        );
    }

    proptest! {
        #[test]
        fn parts_survive_the_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let (headers, payload) = read(part(Bytes::from(bytes.clone())));
            prop_assert_eq!(payload, bytes);
            prop_assert_eq!(&headers[0], &(":event-type".to_owned(), "PayloadPart".to_owned()));
        }
    }
}
