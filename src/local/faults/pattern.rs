//! Names with `*` for any text.

/// Whether a name is like a pattern. Takes time in proportion to the product of their lengths at most.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, name) in [
            ("a", "a"),
            ("*", ""),
            ("*", "abc"),
            ("a*", "a"),
            ("a*c", "abc"),
            ("*b*", "abc"),
            ("a*b*c", "a-b-b-c"),
            ("**", "x"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a", "ab"), ("a", "b"), ("a*a", "a"), ("*b", "bc"), ("a*b*c", "acb"), ("", "a")] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn parts_with_anything_between_match(parts in proptest::collection::vec("[a-z]{0,4}", 1..5), gap in "[a-z]{0,4}") {
            prop_assert!(matches(&parts.join("*"), &parts.join(&gap)));
        }

        #[test]
        fn a_pattern_without_a_star_is_itself(name in "\\PC{0,20}", other in "\\PC{0,20}") {
            let name = name.replace('*', "");
            prop_assert_eq!(matches(&name, &other), name == other);
        }
    }
}
