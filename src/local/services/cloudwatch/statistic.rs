//! Statistics by their names: `Average`, `p99.9`, `tm90`, `WM(10%:90%)`, `PR(:300)`.

use super::store::Summary;

/// A statistic of the values of a period.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Statistic {
    SampleCount,
    Sum,
    Minimum,
    Maximum,
    Average,
    /// The value that this share of all values, in percent, does not exceed.
    Percentile(f64),
    /// Something of the values within bounds.
    Within(Within, Bounds),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Within {
    /// Their mean.
    TrimmedMean,
    TrimmedCount,
    TrimmedSum,
    /// The mean of all, with those out of bounds moved to the bounds.
    WinsorizedMean,
    /// The share of all, in percent.
    PercentileRank,
}

/// Bounds; the lower one is excluded, the upper one included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bounds {
    /// Shares of all values in percent.
    Percent(f64, f64),
    Values(Option<f64>, Option<f64>),
}

impl Statistic {
    /// One of the five plain statistics.
    pub(super) fn plain(name: &str) -> Option<Self> {
        Some(match name {
            "SampleCount" => Self::SampleCount,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "Average" => Self::Average,
            _ => return None,
        })
    }

    /// One of those that need the values themselves.
    pub(super) fn extended(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("iqm") {
            return Some(Self::Within(Within::TrimmedMean, Bounds::Percent(25.0, 75.0)));
        }
        if let Some(percent) = name.strip_prefix('p').and_then(percent) {
            return Some(Self::Percentile(percent));
        }
        let (kind, rest) = name.split_at_checked(2)?;
        let kind_of = |kind: &str| match kind {
            "tm" => Some(Within::TrimmedMean),
            "tc" => Some(Within::TrimmedCount),
            "ts" => Some(Within::TrimmedSum),
            "wm" => Some(Within::WinsorizedMean),
            "pr" => Some(Within::PercentileRank),
            _ => None,
        };
        let kind_found = kind_of(&kind.to_ascii_lowercase())?;
        if let Some(bounds) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            let bounds = Bounds::parse(bounds)?;
            let by_percent = matches!(bounds, Bounds::Percent(..));
            return (kind_found != Within::PercentileRank || !by_percent).then_some(Self::Within(kind_found, bounds));
        }
        // The short form: `tm90` is `TM(:90%)`.
        let short = kind.bytes().all(|byte| byte.is_ascii_lowercase()) && kind_found != Within::PercentileRank;
        short.then(|| percent(rest).map(|up_to| Self::Within(kind_found, Bounds::Percent(0.0, up_to))))?
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::plain(name).or_else(|| Self::extended(name))
    }

    /// The statistic of these values, if it can be known.
    pub(super) fn of(&self, summary: &Summary) -> Option<f64> {
        match self {
            Self::SampleCount => Some(summary.count),
            Self::Sum => Some(summary.sum),
            Self::Minimum => Some(summary.minimum),
            Self::Maximum => Some(summary.maximum),
            Self::Average => Some(summary.sum / summary.count),
            Self::Percentile(percent) => at(summary.distribution()?, *percent),
            Self::Within(kind, bounds) => kind.of(summary.distribution()?, *bounds),
        }
    }
}

impl Within {
    fn of(self, values: &[(f64, f64)], bounds: Bounds) -> Option<f64> {
        let total: f64 = values.iter().map(|(_, count)| count).sum();
        if self == Self::WinsorizedMean {
            let (low, high) = match bounds {
                Bounds::Percent(low, high) => (at(values, low)?, at(values, high)?),
                Bounds::Values(low, high) => (low.unwrap_or(f64::MIN), high.unwrap_or(f64::MAX)),
            };
            let sum: f64 = values.iter().map(|(value, count)| value.max(low).min(high) * count).sum();
            return Some(sum / total);
        }
        let (mut count_within, mut sum_within, mut seen) = (0.0, 0.0, 0.0);
        for (value, count) in values {
            let within = match bounds {
                Bounds::Values(low, high) => {
                    let inside = low.is_none_or(|low| *value > low) && high.is_none_or(|high| *value <= high);
                    if inside { *count } else { 0.0 }
                }
                Bounds::Percent(low, high) => {
                    let (from, to) = (total * low / 100.0, total * high / 100.0);
                    ((seen + count).min(to) - f64::max(seen, from)).max(0.0)
                }
            };
            seen += count;
            count_within += within;
            sum_within += within * value;
        }
        match self {
            Self::TrimmedCount => Some(count_within),
            Self::TrimmedSum => Some(sum_within),
            Self::PercentileRank => Some(count_within / total * 100.0),
            _ => (count_within > 0.0).then(|| sum_within / count_within),
        }
    }
}

impl Bounds {
    /// Reads `10%:90%`, `:90%`, `150:1000` or `100:`.
    fn parse(text: &str) -> Option<Self> {
        let (low, high) = text.split_once(':')?;
        let (low, high) = (low.trim(), high.trim());
        if low.is_empty() && high.is_empty() {
            return None;
        }
        if low.ends_with('%') || high.ends_with('%') {
            let side = |text: &str, open: f64| match text {
                "" => Some(open),
                text => percent(text.strip_suffix('%')?),
            };
            let (low, high) = (side(low, 0.0)?, side(high, 100.0)?);
            return (low < high).then_some(Self::Percent(low, high));
        }
        let side = |text: &str| match text {
            "" => Some(None),
            text => text.parse().ok().filter(|bound: &f64| bound.is_finite()).map(Some),
        };
        let (low, high) = (side(low)?, side(high)?);
        (low.is_none() || high.is_none() || low < high).then_some(Self::Values(low, high))
    }
}

/// A number from 0 to 100.
fn percent(digits: &str) -> Option<f64> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    digits.parse().ok().filter(|percent| plain && (0.0..=100.0).contains(percent))
}

/// The value that a share of all values, in percent, does not exceed.
fn at(values: &[(f64, f64)], percent: f64) -> Option<f64> {
    let total: f64 = values.iter().map(|(_, count)| count).sum();
    let mut seen = 0.0;
    let reached = values.iter().find(|(_, count)| {
        seen += count;
        seen >= total * percent / 100.0
    });
    reached.or(values.last()).map(|(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(name: &str, values: &[f64]) -> Option<f64> {
        let mut summaries = values.iter().map(|value| Summary::of(*value, 1.0));
        let mut all = summaries.next().unwrap();
        summaries.for_each(|summary| all.merge(&summary));
        Statistic::parse(name).unwrap().of(&all)
    }

    #[test]
    fn all_statistics_of_a_hundred_values() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        for (name, expected) in [
            ("SampleCount", 100.0),
            ("Sum", 5050.0),
            ("Average", 50.5),
            ("Minimum", 1.0),
            ("Maximum", 100.0),
            ("p50", 50.0),
            ("p99.9", 100.0),
            ("tm90", 45.5),
            ("TM(10%:90%)", 50.5),
            ("TM(90:)", 95.5),
            ("IQM", 50.5),
            ("tc90", 90.0),
            ("TC(:10)", 10.0),
            ("ts10", 55.0),
            ("TS(98:100)", 199.0),
            ("wm98", 50.47),
            ("WM(:98)", 50.47),
            ("PR(:30)", 30.0),
            ("PR(10:30)", 20.0),
        ] {
            let found = of(name, &values).unwrap();
            assert!((found - expected).abs() < 1e-9, "{name}: {found}");
        }
    }

    #[test]
    fn a_distribution_must_be_known() {
        assert_eq!(of("p50", &[-1.0, 2.0]), None, "the service has none of negative values");
        let set = Summary::set(3.0, 6.0, 1.0, 3.0);
        assert_eq!(Statistic::parse("p50").unwrap().of(&set), None);
        assert_eq!(Statistic::parse("p50").unwrap().of(&Summary::set(3.0, 6.0, 2.0, 2.0)), Some(2.0));
        assert_eq!(of("TM(5:9)", &[1.0]), None, "nothing is within");
    }

    #[test]
    fn what_is_no_statistic_is_refused() {
        for bad in
            ["", "p", "p101", "p-1", "pNaN", "90", "tm", "TM90", "tm()", "TM(:)", "TM(9:1)", "PR(1%:9%)", "pr9", "é9"]
        {
            assert_eq!(Statistic::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_name_makes_it_panic(name in "(p|tm|TM|WM|PR|\\(|\\)|:|%|[0-9.]|\\PC){0,8}") {
            if let Some(statistic) = Statistic::parse(&name) {
                statistic.of(&Summary::of(1.0, 2.0));
            }
        }
    }
}
