//! Copies of archived objects that can be read for a while.

use s3s::S3Result;
use serde::{Deserialize, Serialize};

use super::errors;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A copy outside the archive, or one on its way; times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Restored {
    /// When it can be read.
    from: u64,
    /// When it goes.
    until: u64,
}

impl Restored {
    /// Begins a restoration. The longest time is taken that S3 gives for the tier.
    pub(super) fn begin(storage_class: &str, tier: Option<&str>, days: u64, now: u64) -> S3Result<Self> {
        let takes = match (storage_class, tier.unwrap_or("Standard")) {
            ("DEEP_ARCHIVE", "Standard") => 12 * HOUR,
            ("DEEP_ARCHIVE", "Bulk") => 48 * HOUR,
            ("DEEP_ARCHIVE", "Expedited") => {
                return Err(errors::argument(
                    "Retrieval option is not supported by this storage class",
                    "Tier",
                    "Expedited",
                ));
            }
            (_, "Standard") => 5 * HOUR,
            (_, "Bulk") => 12 * HOUR,
            (_, "Expedited") => 5 * MINUTE,
            _ => return Err(errors::malformed_xml()),
        };
        let from = now.saturating_add(takes);
        Ok(Self { from, until: end(from, days) })
    }

    /// Keeps a copy that is there for longer, counted from now.
    pub(super) fn extend(&mut self, days: u64, now: u64) {
        self.until = end(now, days);
    }

    pub(super) fn is_under_way(&self, now: u64) -> bool {
        now < self.from
    }

    pub(super) fn is_there(&self, now: u64) -> bool {
        (self.from..self.until).contains(&now)
    }

    /// The header `x-amz-restore`; none when the copy is gone.
    pub(super) fn header(&self, now: u64) -> Option<String> {
        if self.is_under_way(now) {
            return Some("ongoing-request=\"true\"".to_owned());
        }
        let date = errors::http_date(self.until).filter(|_| self.is_there(now))?;
        Some(format!("ongoing-request=\"false\", expiry-date=\"{}\"", date.to_str().ok()?))
    }
}

/// S3 rounds the end up to the next midnight.
fn end(from: u64, days: u64) -> u64 {
    from.saturating_add(days.saturating_mul(DAY)).div_ceil(DAY).saturating_mul(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_take_their_time() {
        for (class, tier, hours) in [
            ("GLACIER", None, Some(5)),
            ("GLACIER", Some("Bulk"), Some(12)),
            ("DEEP_ARCHIVE", None, Some(12)),
            ("DEEP_ARCHIVE", Some("Bulk"), Some(48)),
            ("DEEP_ARCHIVE", Some("Expedited"), None),
            ("GLACIER", Some("Tomorrow"), None),
        ] {
            let from = Restored::begin(class, tier, 1, 0).ok().map(|restored| restored.from / HOUR);
            assert_eq!(from, hours, "{class} {tier:?}");
        }
        let restored = Restored::begin("GLACIER", Some("Expedited"), 1, 0).unwrap();
        assert_eq!((restored.from, restored.until), (300, 2 * DAY));
        assert_eq!(restored.header(299).as_deref(), Some("ongoing-request=\"true\""));
        let there = "ongoing-request=\"false\", expiry-date=\"Sat, 03 Jan 1970 00:00:00 GMT\"";
        assert_eq!(restored.header(300).as_deref(), Some(there));
        assert_eq!(restored.header(2 * DAY), None);
    }
}
