//! SelectObjectContent.

use std::sync::Arc;

use futures_util::stream;
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result};

use crate::local::s3::Inner;
use crate::local::s3::answer::Events;
use crate::local::s3::body::off_thread;
use crate::local::s3::errors;
use crate::local::s3::object::seconds;
use crate::local::s3::select;

/// How many bytes of records an event holds.
const EVENT: usize = 1 << 20;
/// How large an object may be: it is read as a whole.
const MAX_OBJECT: u64 = 256 << 20;

pub(super) async fn select(
    s3: &Arc<Inner>,
    request: S3Request<SelectObjectContentInput>,
) -> S3Result<S3Response<SelectObjectContentOutput>> {
    let input = request.input;
    let object = s3.storage.with(&input.bucket, |bucket| {
        let found = bucket.object(&input.key, None);
        found.map_err(|error| errors::with_details(error, &[("Key", &input.key)]))
    })?;
    object.attributes.check_readable(seconds(s3.now()))?;
    if object.body.len() > MAX_OBJECT {
        return Err(errors::not_implemented("The local backend selects from objects of up to 256 MiB."));
    }
    let body = object.body.clone();
    let query = move || {
        let content = body.read(0..body.len()).map_err(S3Error::internal_error)?;
        select::select(&input.request, &content)
    };
    let selected = off_thread(true, query).await??;
    let count = |bytes: usize| i64::try_from(bytes).ok();
    let records = bytes::Bytes::from(selected.records);
    let returned = records.len();
    let pieces = (0..returned).step_by(EVENT).map(move |at| {
        let payload = records.slice(at..(at + EVENT).min(returned));
        Ok(SelectObjectContentEvent::Records(RecordsEvent { payload: Some(payload) }))
    });
    let details = Stats {
        bytes_scanned: count(selected.scanned),
        bytes_processed: count(selected.processed),
        bytes_returned: count(returned),
    };
    let end = [
        Ok(SelectObjectContentEvent::Stats(StatsEvent { details: Some(details) })),
        Ok(SelectObjectContentEvent::End(EndEvent {})),
    ];
    let payload = SelectObjectContentEventStream::new(stream::iter(pieces.chain(end)));
    let mut response = S3Response::new(SelectObjectContentOutput { payload: Some(payload) });
    response.extensions.insert(Events);
    Ok(response)
}
