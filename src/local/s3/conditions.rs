//! Conditional requests.

use s3s::dto::{ETagCondition, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

use super::errors;
use super::object::Object;

/// The conditions of a request that reads: `If-Match` and its kin, or those on the source of a copy.
#[derive(Debug, Default)]
pub(super) struct ReadConditions<'a> {
    pub(super) if_match: Option<&'a ETagCondition>,
    pub(super) if_none_match: Option<&'a ETagCondition>,
    pub(super) if_modified_since: Option<&'a Timestamp>,
    pub(super) if_unmodified_since: Option<&'a Timestamp>,
}

/// What is to be done under the conditions.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Proceed,
    /// The caller has the object already.
    NotModified,
    PreconditionFailed,
}

impl ReadConditions<'_> {
    /// An entity tag outweighs the date of the same direction, as RFC 9110 has it.
    pub(super) fn verdict(&self, object: &Object) -> Verdict {
        let unmodified = match (self.if_match, self.if_unmodified_since) {
            (Some(condition), _) => matches(condition, object),
            (None, Some(since)) => object.modified() <= *since,
            (None, None) => true,
        };
        let modified = match (self.if_none_match, self.if_modified_since) {
            (Some(condition), _) => !matches(condition, object),
            (None, Some(since)) => object.modified() > *since,
            (None, None) => true,
        };
        match (unmodified, modified) {
            (false, _) => Verdict::PreconditionFailed,
            (true, false) => Verdict::NotModified,
            (true, true) => Verdict::Proceed,
        }
    }

    /// For the source of a copy there is no "not modified": both directions fail.
    pub(super) fn check_source(&self, object: &Object) -> S3Result<()> {
        let condition = match self.verdict(object) {
            Verdict::Proceed => return Ok(()),
            Verdict::PreconditionFailed if self.if_match.is_some() => "x-amz-copy-source-If-Match",
            Verdict::PreconditionFailed => "x-amz-copy-source-If-Unmodified-Since",
            Verdict::NotModified if self.if_none_match.is_some() => "x-amz-copy-source-If-None-Match",
            Verdict::NotModified => "x-amz-copy-source-If-Modified-Since",
        };
        Err(errors::precondition_failed(condition))
    }
}

/// The error of a read that is not to proceed.
pub(super) fn refusal(conditions: &ReadConditions<'_>, object: &Object) -> Option<S3Error> {
    match conditions.verdict(object) {
        Verdict::Proceed => None,
        Verdict::PreconditionFailed => Some(errors::precondition_failed(match conditions.if_match {
            Some(_) => "If-Match",
            None => "If-Unmodified-Since",
        })),
        Verdict::NotModified => {
            let mut error = s3_error!(NotModified, "Not Modified");
            let mut headers = http::HeaderMap::new();
            if let Ok(etag) = object.etag().to_http_header() {
                headers.insert(http::header::ETAG, etag);
            }
            if let Some(date) = errors::http_date(object.modified) {
                headers.insert(http::header::LAST_MODIFIED, date);
            }
            error.set_headers(headers);
            Some(error)
        }
    }
}

/// The conditions of a request that writes, against what is there now.
pub(super) fn check_write(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
    current: Option<&Object>,
) -> S3Result<()> {
    match if_none_match {
        None => {}
        Some(ETagCondition::Any) if current.is_some() => return Err(errors::precondition_failed("If-None-Match")),
        Some(ETagCondition::Any) => {}
        Some(ETagCondition::ETag(_)) => {
            return Err(errors::not_implemented("A header you provided implies functionality that is not implemented"));
        }
    }
    match (if_match, current) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(errors::no_such_key()),
        (Some(condition), Some(object)) if matches(condition, object) => Ok(()),
        (Some(_), Some(_)) => Err(errors::precondition_failed("If-Match")),
    }
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == object.etag.text(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, UNIX_EPOCH};

    use bytes::Bytes;

    use super::*;
    use crate::local::s3::object::Content;

    #[test]
    fn an_entity_tag_outweighs_a_date() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let object = Object::new(Content::of(Bytes::new(), None), Arc::default(), at(100));
        let same = ETagCondition::ETag(object.etag());
        let other: ETagCondition = "\"other\"".parse().unwrap();
        let any = ETagCondition::Any;
        let (before, equal, after) = (at(99).into(), at(100).into(), at(101).into());
        use Verdict::{NotModified, PreconditionFailed, Proceed};
        for (if_match, if_unmodified_since, if_none_match, if_modified_since, verdict) in [
            (None, None, None, None, Proceed),
            (Some(&same), None, None, None, Proceed),
            (Some(&any), None, None, None, Proceed),
            (Some(&other), None, None, None, PreconditionFailed),
            (Some(&same), Some(&before), None, None, Proceed),
            (Some(&other), Some(&after), None, None, PreconditionFailed),
            (None, Some(&before), None, None, PreconditionFailed),
            (None, Some(&equal), None, None, Proceed),
            (None, None, Some(&same), None, NotModified),
            (None, None, Some(&any), None, NotModified),
            (None, None, Some(&other), None, Proceed),
            (None, None, Some(&other), Some(&after), Proceed),
            (None, None, None, Some(&equal), NotModified),
            (None, None, None, Some(&before), Proceed),
            (Some(&other), None, Some(&same), None, PreconditionFailed),
        ] {
            let conditions = ReadConditions { if_match, if_none_match, if_modified_since, if_unmodified_since };
            assert_eq!(conditions.verdict(&object), verdict, "{conditions:?}");
        }
    }
}
