//! What a misspelt name was probably meant to be.

/// More edits than this, or than a third of the name, make another word rather than a misspelling.
const MOST_EDITS: usize = 2;

/// The candidate that `given` begins and has most of, else the one with the fewest edits; the first one of several.
pub(super) fn nearest<'a>(given: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_ascii_lowercase();
    let allowed = MOST_EDITS.min(given.chars().count() / 3);
    candidates
        .filter_map(|candidate| {
            let begun = candidate.starts_with(&given) && given.len() * 2 >= candidate.len();
            let edits = if begun { 0 } else { edits(&given, candidate) };
            (begun || edits <= allowed).then_some((edits, candidate))
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, distance) in [("", "", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 2), ("é", "e", 1)]
        {
            assert_eq!(edits(a, b), distance, "{a} {b}");
            assert_eq!(edits(b, a), distance, "{b} {a}");
        }
    }

    #[test]
    fn only_what_is_near() {
        let names = ["eu-west-1", "eu-west-2", "us-east-1"];
        for (given, expected) in [
            ("eu-west-11", Some("eu-west-1")),
            ("EU-WEST-2", Some("eu-west-2")),
            ("us-esat-1", Some("us-east-1")),
            ("eu-west", Some("eu-west-1")),
            ("eu", None),
            ("mars", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, names.into_iter()), expected, "{given}");
        }
    }
}
