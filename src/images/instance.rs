//! What an instance type says of the image that it needs.

/// The families with Arm processors for which there are images.
const GRAVITON: [&str; 8] = ["m6g", "m6gd", "c6g", "c6gd", "c6gn", "c7g", "r6g", "r6gd"];

/// The family of `ml.<family>.<size>`, or of `ml_<family>` as compilation jobs write it.
pub(super) fn family(instance: &str) -> Option<&str> {
    let rest = instance.strip_prefix("ml.").or_else(|| instance.strip_prefix("ml_"))?;
    let (family, size) = rest.split_once('.').unwrap_or((rest, ""));
    let in_family = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let in_size = |c: char| c.is_alphanumeric() || c == '_';
    let fits = !family.is_empty() && family.chars().all(in_family) && size.chars().all(in_size);
    fits.then_some(family)
}

pub(super) fn is_graviton(family: &str) -> bool {
    GRAVITON.contains(&family)
}

/// Inferentia and Trainium.
pub(super) fn is_neuron(family: &str) -> bool {
    family.starts_with("inf") || family.starts_with("trn")
}

/// The processor that a family has, as the tables name it; some images are for one family alone.
pub(super) fn processor<'a>(family: &'a str, available: &[&str]) -> &'a str {
    match family {
        _ if available.contains(&family) => family,
        _ if family.starts_with("inf") => "inf",
        _ if family.starts_with("trn") => "trn",
        _ if family.starts_with(['g', 'p']) => "gpu",
        _ => "cpu",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families() {
        for (instance, expected) in [
            ("ml.m5.xlarge", Some("m5")),
            ("ml.u-6tb1.112xlarge", Some("u-6tb1")),
            ("ml_c5", Some("c5")),
            ("m5.xlarge", None),
            ("ml.M5.xlarge", None),
            ("ml..x", None),
            ("ml.m5.x.y", None),
        ] {
            assert_eq!(family(instance), expected, "{instance}");
        }
        assert_eq!(processor("inf2", &["inf2"]), "inf2");
        assert_eq!(processor("inf2", &["inf"]), "inf");
        assert_eq!(processor("p4d", &["cpu", "gpu"]), "gpu");
    }
}
