//! Times as the JSON protocols write them.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// Milliseconds since 1970, as CloudWatch Logs counts.
pub(super) fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Whole seconds since 1970.
pub(super) fn epoch(time: SystemTime) -> i64 {
    millis(time) / 1000
}

/// Seconds since 1970 with three decimals, as SageMaker writes timestamps.
pub(super) fn timestamp(time: SystemTime) -> Value {
    Value::from(millis(time) as f64 / 1000.0)
}

/// Reads such a timestamp as milliseconds.
pub(super) fn millis_of(timestamp: &Value) -> Option<f64> {
    timestamp.as_f64().map(|seconds| seconds * 1000.0)
}

/// The whole seconds from such a timestamp to a time, rounded up.
pub(super) fn seconds_since(timestamp: &Value, end: SystemTime) -> Option<u64> {
    let start = millis_of(timestamp)?.round() as i64;
    Some(u64::try_from(millis(end) - start).unwrap_or(0).div_ceil(1000))
}

/// A date and time such as `2025-01-31T08:05:09.042`, as SageMaker writes it into data logs.
pub(super) fn date_time(time: SystemTime) -> String {
    date_time_of(millis(time))
}

/// The same of milliseconds since 1970.
pub(super) fn date_time_of(millis: i64) -> String {
    let seconds = millis.div_euclid(1000);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let (second, milli) = (seconds.rem_euclid(86_400), millis.rem_euclid(1000));
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{milli:03}")
}

/// A date and time such as `01/31/2025 08:05:09`, as the containers of built-in algorithms write it into their logs.
#[cfg(feature = "algorithms")]
pub(super) fn log_time(time: SystemTime) -> String {
    let seconds = epoch(time);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{month:02}/{day:02}/{year:04} {h:02}:{m:02}:{s:02}")
}

/// The date of a day counted from 1970, in the Gregorian calendar.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years that begin in March put the leap day at the end; 400 years are 146,097 days.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_gregorian() {
        let at = |seconds: u64| date_time(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00.000");
        #[cfg(feature = "algorithms")]
        assert_eq!(log_time(UNIX_EPOCH + Duration::from_secs(1_709_251_199)), "02/29/2024 23:59:59");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000");
        assert_eq!(at(1_709_251_199), "2024-02-29T23:59:59.000");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00.000");
    }

    #[test]
    fn agrees_with_the_sdk_on_many_days() {
        use aws_smithy_types::date_time::{DateTime, Format};
        for day in (0..200_000).step_by(17) {
            let seconds = day * 86_400 + 3661;
            let ours = date_time(UNIX_EPOCH + Duration::from_secs(seconds));
            let theirs = DateTime::from_secs(seconds as i64).fmt(Format::DateTime).unwrap();
            assert_eq!(ours, theirs.replace('Z', ".000"));
        }
    }
}
