//! Which images an engine of the user's stands in for.

/// An image, or many of them: see [`matches`](Self::matches).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImagePattern(String);

impl ImagePattern {
    pub(super) fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether an image is meant. `*` stands for any text; otherwise the pattern is the image's whole URI, or its end
    /// after a slash, with or without the tag: `my-image` means `123.dkr.ecr.eu-west-1.amazonaws.com/my-image:3`.
    pub(super) fn matches(&self, image: &str) -> bool {
        let pattern = self.0.as_str();
        if pattern.contains('*') {
            return glob(pattern, image);
        }
        let ends_so = |name: &str| {
            let before = name.strip_suffix(pattern);
            !pattern.is_empty() && before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        ends_so(image) || ends_so(without_tag(image))
    }
}

/// An image without tag and digest. A colon before the last slash belongs to the registry's port.
fn without_tag(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

/// The repository of an image: no registry, tag or digest.
#[cfg(unix)]
pub(super) fn repository(image: &str) -> &str {
    let name = without_tag(image);
    name.rsplit_once('/').map_or(name, |(_, repository)| repository)
}

/// Whether a text is what a pattern with `*` describes. Takes each piece at its first place, which is enough: pieces
/// never overlap, and the last one is tied to the end.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const IMAGE: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/my-image:3";

    #[test]
    fn names_with_and_without_registry_and_tag() {
        for pattern in [IMAGE, "my-image", "my-image:3", "team/my-image", "team/my-image:3", "*/my-image:*", "*image*"]
        {
            assert!(ImagePattern::new(pattern).matches(IMAGE), "{pattern}");
        }
        for pattern in ["image", "my-image:4", "my", "", "other/my-image", "my-*", "*:4"] {
            assert!(!ImagePattern::new(pattern).matches(IMAGE), "{pattern}");
        }
        assert!(ImagePattern::new("my-image").matches("my-image"));
        assert!(ImagePattern::new("my-image").matches("localhost:5000/my-image"));
        assert!(ImagePattern::new("my-image").matches("host/my-image@sha256:abc"));
        #[cfg(unix)]
        assert_eq!(repository(IMAGE), "my-image");
    }

    proptest! {
        #[test]
        fn a_pattern_means_what_it_was_made_from(parts in proptest::collection::vec("[a-b]{0,3}", 1..5), fill in "[a-c]{0,4}") {
            prop_assert!(glob(&parts.join("*"), &parts.join(&fill)));
        }

        #[test]
        fn any_text_is_safe(pattern in "\\PC{0,12}", image in "\\PC{0,20}") {
            let _ = ImagePattern::new(pattern).matches(&image);
        }
    }
}
