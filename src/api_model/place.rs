use std::fmt::Write as _;

/// Keys come from the request: longer ones are cut where they become part of a name.
const LONGEST_KEY: usize = 128;

/// Where the check stands in a document, as a chain to the root: written out for a violation only.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Root,
    Member(&'a Place<'a>, &'a str),
    Element(&'a Place<'a>, usize),
    Entry(&'a Place<'a>, &'a str),
}

impl Place<'_> {
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Member(parent, _) | Self::Element(parent, _) | Self::Entry(parent, _) => parent.depth() + 1,
        }
    }

    /// Whether the value is, or is inside, a map's value: such values are the user's own data, like environments.
    pub(super) fn is_in_map(&self) -> bool {
        match self {
            Self::Root => false,
            Self::Entry(..) => true,
            Self::Member(parent, _) | Self::Element(parent, _) => parent.is_in_map(),
        }
    }

    /// As a user writes it: `ProductionVariants[0].ModelName`.
    pub(super) fn field(&self) -> String {
        let mut out = String::new();
        self.write_field(&mut out);
        out
    }

    /// As the service writes it: `productionVariants.1.member.modelName`.
    pub(super) fn path(&self) -> String {
        let mut out = String::new();
        self.write_path(&mut out);
        out
    }

    fn write_field(&self, out: &mut String) {
        match self {
            Self::Root => {}
            Self::Member(parent, name) | Self::Entry(parent, name) => {
                parent.write_field(out);
                if !out.is_empty() {
                    out.push('.');
                }
                push_key(out, name);
            }
            Self::Element(parent, index) => {
                parent.write_field(out);
                // Writing to a string does not fail.
                let _ = write!(out, "[{index}]");
            }
        }
    }

    fn write_path(&self, out: &mut String) {
        match self {
            Self::Root => {}
            Self::Member(parent, name) => {
                parent.write_path(out);
                if !out.is_empty() {
                    out.push('.');
                }
                push_key(out, &lower_first(name));
            }
            Self::Element(parent, index) => {
                parent.write_path(out);
                let _ = write!(out, ".{}.member", index + 1);
            }
            Self::Entry(parent, key) => {
                parent.write_path(out);
                out.push('.');
                push_key(out, key);
                out.push_str(".member");
            }
        }
    }
}

/// A member's name as the service's own words write it.
pub(super) fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

fn push_key(out: &mut String, key: &str) {
    match key.char_indices().nth(LONGEST_KEY) {
        Some((end, _)) => {
            out.push_str(&key[..end]);
            out.push_str("...");
        }
        None => out.push_str(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_place() {
        let root = Place::Root;
        let variants = Place::Member(&root, "ProductionVariants");
        let first = Place::Element(&variants, 0);
        let model = Place::Member(&first, "ModelName");
        assert_eq!(model.field(), "ProductionVariants[0].ModelName");
        assert_eq!(model.path(), "productionVariants.1.member.modelName");
        assert_eq!(model.depth(), 3);

        let entry = Place::Entry(&variants, "Key A");
        let inside = Place::Member(&entry, "X");
        assert_eq!(inside.field(), "ProductionVariants.Key A.X");
        assert_eq!(inside.path(), "productionVariants.Key A.member.x");
        assert!(inside.is_in_map() && !model.is_in_map());
    }

    #[test]
    fn long_keys_are_cut() {
        let key = "\u{e9}".repeat(1_000);
        let place = Place::Entry(&Place::Root, &key);
        assert_eq!(place.field(), format!("{}...", "\u{e9}".repeat(LONGEST_KEY)));
        assert!(place.path().ends_with("....member"));
    }
}
