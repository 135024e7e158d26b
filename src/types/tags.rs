use crate::error::Problems;

/// Tags of a resource: ordered, each key once.
///
/// ```
/// use sagemaker::types::Tags;
///
/// let tags = Tags::from([("team", "forecast"), ("cost-centre", "42")]);
/// assert_eq!(tags.iter().count(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(Vec<(String, String)>);

impl Tags {
    /// Sets a tag; a key that is there already gets the new value.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// Key and value of each tag, in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there is no tag.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The service's limits: 50 tags, keys of 1 to 128 characters that do not begin with `aws:`, values to 256.
    #[cfg_attr(not(feature = "control-plane"), expect(dead_code, reason = "only requests carry tags"))]
    pub(crate) fn validate(&self, problems: &mut Problems) {
        problems.require(self.0.len() <= 50, "tags", "a resource has at most 50 tags");
        for (key, value) in self.iter() {
            let field = format!("tags.{key}");
            if !(1..=128).contains(&key.chars().count()) {
                problems.push(field.as_str(), "a key has 1 to 128 characters");
            }
            if key.to_ascii_lowercase().starts_with("aws:") {
                problems.push(field.as_str(), "keys that begin with \"aws:\" are reserved");
            }
            if value.chars().count() > 256 {
                problems.push(field.as_str(), "a value has at most 256 characters");
            }
        }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Tags {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(tags: I) -> Self {
        let mut out = Self::default();
        for (key, value) in tags {
            out.insert(key, value);
        }
        out
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for Tags {
    fn from(tags: [(K, V); N]) -> Self {
        tags.into_iter().collect()
    }
}
