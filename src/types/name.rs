use crate::{Error, Result};

const MAX: usize = 63;

/// The name of a job, model, endpoint or endpoint configuration: 1 to 63 letters, digits and hyphens,
/// beginning and ending with a letter or digit.
///
/// ```
/// use sagemaker::types::ResourceName;
///
/// assert!(ResourceName::new("bike-sharing-1").is_ok());
/// assert!(ResourceName::new("bike_sharing").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceName(String);

super::checked_string!(ResourceName);

impl ResourceName {
    /// Checks the name.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let refused = if name.is_empty() {
            Some("a name cannot be empty".to_owned())
        } else if name.chars().count() > MAX {
            Some(format!("a name has at most {MAX} characters, this one has {}", name.chars().count()))
        } else if let Some(bad) = name.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
            Some(format!("a name has letters, digits and hyphens only, not {bad:?}"))
        } else if name.starts_with('-') || name.ends_with('-') {
            Some("a name begins and ends with a letter or digit".to_owned())
        } else {
            None
        };
        match refused {
            None => Ok(Self(name)),
            Some(message) => Err(Error::invalid("", format!("{message} ({name:?})"))),
        }
    }
}

/// `<base>-<UTC yyyy-mm-dd-HH-MM-SS-mmm>`, the base made valid and cut so that the whole has at most 63 characters.
#[cfg(feature = "control-plane")]
pub(crate) fn name_from_base(base: &str, now: std::time::SystemTime) -> ResourceName {
    let at = time::OffsetDateTime::from(now);
    let (date, clock) = ((at.year(), u8::from(at.month()), at.day()), (at.hour(), at.minute(), at.second()));
    let suffix = format!(
        "-{:04}-{:02}-{:02}-{:02}-{:02}-{:02}-{:03}",
        date.0,
        date.1,
        date.2,
        clock.0,
        clock.1,
        clock.2,
        at.millisecond()
    );

    let mut clean = String::with_capacity(base.len());
    for c in base.chars() {
        if c.is_ascii_alphanumeric() {
            clean.push(c);
        } else if !clean.is_empty() && !clean.ends_with('-') {
            clean.push('-');
        }
    }
    clean.truncate(MAX.saturating_sub(suffix.len()));
    let clean = clean.trim_end_matches('-');
    ResourceName(format!("{}{suffix}", if clean.is_empty() { "sagemaker" } else { clean }))
}

/// The base of a generated name: without the time at its end, if there is one.
#[cfg(feature = "control-plane")]
pub(crate) fn base_of_name(name: &str) -> &str {
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let mut base = name;
    // From the end: milliseconds (the Python SDK leaves zeros at their end out), seconds, minutes, hours, day, month, year.
    for (index, count) in [3, 2, 2, 2, 2, 2, 4].into_iter().enumerate() {
        let Some((rest, part)) = base.rsplit_once('-') else { return name };
        let fits = digits(part, count) || (index == 0 && (digits(part, 1) || digits(part, 2)));
        if !fits || rest.is_empty() {
            return name;
        }
        base = rest;
    }
    base
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "control-plane")]
    #[test]
    fn the_time_at_the_end_of_a_name_is_no_part_of_its_base() {
        assert_eq!(base_of_name("my-job-2024-01-31-10-00-00-123"), "my-job");
        assert_eq!(base_of_name("my-job-2024-01-31-10-00-00-1"), "my-job");
        for own in ["my-job", "2024-01-31-10-00-00-123", "my-job-2024-01-31", "a-12345-01-31-10-00-00-123", ""] {
            assert_eq!(base_of_name(own), own);
        }
        let made = name_from_base("some-base", std::time::SystemTime::UNIX_EPOCH);
        assert_eq!(base_of_name(made.as_str()), "some-base");
    }

    #[test]
    fn names_are_checked() {
        for good in ["a", "A1", "a--b", &"x".repeat(63)] {
            assert!(ResourceName::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a_b", "a b", "é", &"x".repeat(64)] {
            assert!(ResourceName::new(bad).is_err(), "{bad}");
        }
    }

    #[cfg(feature = "control-plane")]
    #[test]
    fn generated_names_are_valid_and_cut() {
        use std::time::{Duration, SystemTime};
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_704_164_645_678);
        assert_eq!(name_from_base("bike", at).as_str(), "bike-2024-01-02-03-04-05-678");
        let long = name_from_base(&"x".repeat(60), at);
        assert_eq!(long.as_str(), format!("{}-2024-01-02-03-04-05-678", "x".repeat(39)));
        let whole_second = SystemTime::UNIX_EPOCH + Duration::from_secs(1_704_164_645);
        assert!(name_from_base("b", whole_second).as_str().ends_with("-05-000"));
        for base in ["my_repo@sha256", "--", "", "é_é", &format!("{}-b", "a".repeat(38))] {
            let name = name_from_base(base, at);
            assert!(ResourceName::new(name.as_str()).is_ok(), "{name}");
        }
    }
}
