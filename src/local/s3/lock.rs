//! Object lock: versions that must stay for a time, or until they are released.

use http::StatusCode;
use s3s::dto::{ObjectLockConfiguration, ObjectLockRetention, Timestamp};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::documents::{OBJECT_LOCK, parse};
use super::errors;
use super::object::timestamp;
use super::storage::Bucket;

/// What keeps a version from being deleted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Lock {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retention: Option<Retention>,
    /// Whether a legal hold is on, if that was ever said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hold: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Retention {
    pub(super) mode: Mode,
    /// Seconds since 1970.
    pub(super) until: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mode {
    /// Who may do so can end it early.
    Governance,
    /// Nobody can end it early.
    Compliance,
}

impl Mode {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "GOVERNANCE" => Some(Self::Governance),
            "COMPLIANCE" => Some(Self::Compliance),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Governance => "GOVERNANCE",
            Self::Compliance => "COMPLIANCE",
        }
    }
}

/// What a request's headers say of the lock of a new version.
pub(super) struct Asked<'a> {
    pub(super) mode: Option<&'a str>,
    pub(super) until: Option<&'a Timestamp>,
    pub(super) hold: Option<&'a str>,
}

const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";
const DAY: u64 = 86_400;

impl Asked<'_> {
    /// The lock of a version that is made now, in seconds since 1970: what is asked for, or the bucket's default.
    pub(super) fn lock(&self, bucket: &Bucket, now: u64) -> S3Result<Lock> {
        let nothing = self.mode.is_none() && self.until.is_none() && self.hold.is_none();
        let Some(configuration) = configuration(bucket) else {
            return if nothing { Ok(Lock::default()) } else { Err(no_lock()) };
        };
        let both = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
        let retention = match (self.mode, self.until) {
            (None, None) => default_retention(&configuration, now),
            (Some(_), None) => return Err(named_argument(both, UNTIL)),
            (None, Some(_)) => return Err(named_argument(both, MODE)),
            (Some(mode), Some(until)) => {
                let mode =
                    Mode::parse(mode).ok_or_else(|| errors::argument("Unknown wormMode directive.", MODE, mode))?;
                let until = seconds_of(until);
                if until <= now {
                    return Err(errors::argument("The retain until date must be in the future!", UNTIL, &date(until)));
                }
                Some(Retention { mode, until })
            }
        };
        let hold = match self.hold {
            None => None,
            Some("ON") => Some(true),
            Some("OFF") => Some(false),
            Some(other) => {
                let message = "Legal Hold must be either of 'ON' or 'OFF'";
                return Err(errors::argument(message, "x-amz-object-lock-legal-hold", other));
            }
        };
        Ok(Lock { retention, hold })
    }
}

impl Lock {
    pub(super) fn is_none(&self) -> bool {
        self.retention.is_none() && self.hold.is_none()
    }

    /// Refuses to delete what must stay at a time in seconds since 1970.
    pub(super) fn check_delete(&self, now: u64, bypass: bool) -> S3Result<()> {
        let kept = self
            .retention
            .is_some_and(|retention| retention.until > now && !(bypass && retention.mode == Mode::Governance));
        if kept || self.hold == Some(true) { Err(locked()) } else { Ok(()) }
    }

    /// Refuses a retention that says less than the one that is there.
    pub(super) fn check_change(&self, new: Option<Retention>, now: u64, bypass: bool) -> S3Result<()> {
        let Some(current) = self.retention.filter(|current| current.until > now) else { return Ok(()) };
        let longer = new.is_some_and(|new| new.until >= current.until);
        let allowed = match current.mode {
            Mode::Compliance => longer && new.is_some_and(|new| new.mode == Mode::Compliance),
            Mode::Governance => longer || bypass,
        };
        if allowed { Ok(()) } else { Err(locked()) }
    }
}

impl Retention {
    /// What a request's document says; `None` takes the retention away.
    pub(super) fn of(document: &ObjectLockRetention, now: u64) -> S3Result<Option<Self>> {
        let (mode, until) = match (&document.mode, &document.retain_until_date) {
            (None, None) => return Ok(None),
            (Some(mode), Some(until)) => (mode, until),
            _ => return Err(errors::malformed_xml()),
        };
        let mode = Mode::parse(mode.as_str()).ok_or_else(errors::malformed_xml)?;
        let until = seconds_of(until);
        if until <= now {
            let message = "The retain until date must be in the future!";
            return Err(errors::argument(message, "RetainUntilDate", &date(until)));
        }
        Ok(Some(Self { mode, until }))
    }

    pub(super) fn until(self) -> Timestamp {
        timestamp(self.until)
    }
}

fn seconds_of(time: &Timestamp) -> u64 {
    u64::try_from(OffsetDateTime::from(time.clone()).unix_timestamp()).unwrap_or(0)
}

fn date(seconds: u64) -> String {
    crate::local::time::date_time_of(i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX))
}

/// The bucket's configuration, if it has object lock.
pub(super) fn configuration(bucket: &Bucket) -> Option<ObjectLockConfiguration> {
    bucket.documents.get(OBJECT_LOCK).and_then(|text| parse(text).ok())
}

fn default_retention(configuration: &ObjectLockConfiguration, now: u64) -> Option<Retention> {
    let default = configuration.rule.as_ref()?.default_retention.as_ref()?;
    let mode = Mode::parse(default.mode.as_ref()?.as_str())?;
    let days = default.days.map(i64::from).or(default.years.map(|years| i64::from(years) * 365))?;
    Some(Retention { mode, until: now.saturating_add(u64::try_from(days).ok()?.saturating_mul(DAY)) })
}

/// Refuses a header of object lock where there is none.
pub(super) fn check_bypass(bucket: &Bucket, bypass: Option<bool>) -> S3Result<bool> {
    if bypass.is_some() && configuration(bucket).is_none() {
        let message = "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.";
        return Err(named_argument(message, "x-amz-bypass-governance-retention"));
    }
    Ok(bypass == Some(true))
}

pub(super) fn no_lock() -> S3Error {
    errors::invalid_request("Bucket is missing Object Lock Configuration")
}

fn locked() -> S3Error {
    s3_error!(AccessDenied, "Access Denied because object protected by object lock.")
}

fn named_argument(message: &str, name: &str) -> S3Error {
    errors::with_details(errors::invalid_argument(message), &[("ArgumentName", name)])
}

/// An object that has no retention or no legal hold.
pub(super) fn not_set() -> S3Error {
    errors::custom(
        "NoSuchObjectLockConfiguration",
        StatusCode::NOT_FOUND,
        "The specified object does not have a ObjectLock configuration",
    )
}
