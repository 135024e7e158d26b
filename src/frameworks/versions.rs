//! Comparisons of version numbers such as `1.13.1` and `1.7-1`.

/// The numbers of a version, as far as they are numbers.
pub(super) fn numbers(version: &str) -> Vec<u32> {
    version.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
}

/// Whether a version is another or a later one; missing numbers count as zero.
pub(super) fn is_at_least(version: &str, least: &str) -> bool {
    let (mut version, mut least) = (numbers(version), numbers(least));
    let length = version.len().max(least.len());
    version.resize(length, 0);
    least.resize(length, 0);
    version >= least
}

/// Whether a list of full versions has one, or one that a short form such as `2.1` means.
pub(super) fn has(list: &[&str], version: &str) -> bool {
    list.iter().any(|known| *known == version || known.strip_prefix(version).is_some_and(|rest| rest.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_numbers() {
        assert!(is_at_least("1.13", "1.3") && is_at_least("2.0", "2") && is_at_least("1.15.0", "1.15"));
        assert!(!is_at_least("1.2.9", "1.3") && !is_at_least("1", "1.0.1"));
        assert!(has(&["2.1.0"], "2.1") && has(&["2.1.0"], "2.1.0") && !has(&["2.10.0"], "2.1"));
    }
}
