//! Pages of keys: prefix, delimiter, common prefixes, where to go on.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;

use aws_smithy_types::base64;
use s3s::S3Result;

use super::errors;

/// The most entries of a page; more may be asked for but are not given.
pub(super) const MAX_PAGE: usize = 1000;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Query<'a> {
    pub(super) prefix: &'a str,
    /// Empty for none.
    pub(super) delimiter: &'a str,
    /// The key or common prefix behind which the page starts; empty for the beginning.
    pub(super) after: &'a str,
    pub(super) limit: usize,
}

/// A page of entries and common prefixes, each in the order of keys.
#[derive(Debug)]
pub(super) struct Page<'a, T> {
    pub(super) entries: Vec<(&'a str, T)>,
    pub(super) prefixes: Vec<&'a str>,
    pub(super) truncated: bool,
    /// The last entry or common prefix of a truncated page: the next one starts behind it.
    pub(super) last: Option<&'a str>,
}

/// The keys of a map from where the query starts.
pub(super) fn start<'a, K: Borrow<str> + Ord, T>(
    map: &'a BTreeMap<K, T>,
    query: Query<'_>,
) -> impl Iterator<Item = (&'a str, &'a T)> {
    let from = if query.after >= query.prefix && !query.after.is_empty() {
        Bound::Excluded(query.after)
    } else {
        Bound::Included(query.prefix)
    };
    map.range::<str, _>((from, Bound::Unbounded)).map(|(key, value)| (key.borrow(), value))
}

/// Takes a page from sorted items that start at or behind the query's `after`.
pub(super) fn page<'a, T>(items: impl Iterator<Item = (&'a str, T)>, query: Query<'_>) -> Page<'a, T> {
    let mut page = Page { entries: Vec::new(), prefixes: Vec::new(), truncated: false, last: None };
    let items = items.skip_while(|(key, _)| *key < query.prefix).take_while(|(key, _)| key.starts_with(query.prefix));
    for (key, item) in items {
        let common = common_prefix(key, query);
        // Keys behind a common prefix that this page or the one before has named already.
        if common.is_some_and(|common| common == query.after || page.prefixes.last() == Some(&common)) {
            continue;
        }
        if page.entries.len() + page.prefixes.len() >= query.limit {
            // S3 answers a page of no entries as a complete one.
            page.truncated = query.limit > 0;
            return page;
        }
        match common {
            Some(common) => page.prefixes.push(common),
            None => page.entries.push((key, item)),
        }
        page.last = Some(common.unwrap_or(key));
    }
    page.last = None;
    page
}

fn common_prefix<'a>(key: &'a str, query: Query<'_>) -> Option<&'a str> {
    if query.delimiter.is_empty() {
        return None;
    }
    let end = key[query.prefix.len()..].find(query.delimiter)?;
    Some(&key[..query.prefix.len() + end + query.delimiter.len()])
}

/// The number of entries that a request asks for; `argument` names its parameter in errors.
pub(super) fn limit(asked: Option<i32>, argument: &str) -> S3Result<usize> {
    let Some(asked) = asked else { return Ok(MAX_PAGE) };
    let limit = usize::try_from(asked).map_err(|_| {
        let message = format!("Argument {argument} must be an integer between 0 and 2147483647");
        errors::argument(message, argument, &asked.to_string())
    })?;
    Ok(limit.min(MAX_PAGE))
}

/// An opaque token for the page behind a key.
pub(super) fn token(last: &str) -> String {
    base64::encode(format!("1/{last}"))
}

/// The key behind which the page of a token starts.
pub(super) fn of_token(token: &str) -> S3Result<String> {
    base64::decode(token)
        .ok()
        .and_then(|raw| String::from_utf8(raw).ok())
        .and_then(|text| text.strip_prefix("1/").map(str::to_owned))
        .ok_or_else(|| errors::argument("The continuation token provided is incorrect", "continuation-token", token))
}

/// Whether names are to be encoded; any other encoding than `url` is refused.
pub(super) fn url_encoded(encoding: Option<&str>) -> S3Result<bool> {
    match encoding {
        None => Ok(false),
        Some("url") => Ok(true),
        Some(_) => Err(errors::invalid_argument("Invalid Encoding Method specified in Request")),
    }
}

/// Encodes a name as S3 does for `encoding-type=url`: slashes stay, a blank becomes a plus sign.
pub(super) fn url_encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' | b'/' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::local::query::decode;

    fn map(keys: &[&str]) -> BTreeMap<String, ()> {
        keys.iter().map(|key| ((*key).to_owned(), ())).collect()
    }

    fn keys<'a, T>(page: &Page<'a, T>) -> Vec<&'a str> {
        page.entries.iter().map(|(key, _)| *key).collect()
    }

    #[test]
    fn a_delimiter_rolls_keys_up() {
        let map = map(&["a", "b/1", "b/2", "b/c/3", "d", "e/"]);
        let query = Query { delimiter: "/", limit: 10, ..Query::default() };
        let all = page(start(&map, query), query);
        assert_eq!((keys(&all), all.prefixes.clone(), all.truncated), (vec!["a", "d"], vec!["b/", "e/"], false));
        let query = Query { prefix: "b/", ..query };
        let below = page(start(&map, query), query);
        assert_eq!((keys(&below), below.prefixes), (vec!["b/1", "b/2"], vec!["b/c/"]));
    }

    #[test]
    fn a_page_ends_before_what_is_too_much() {
        let map = map(&["a/1", "a/2", "b"]);
        let query = Query { delimiter: "/", limit: 1, ..Query::default() };
        let first = page(start(&map, query), query);
        assert_eq!((first.prefixes.as_slice(), first.truncated, first.last), (["a/"].as_slice(), true, Some("a/")));
        let query = Query { after: "a/", ..query };
        let second = page(start(&map, query), query);
        assert_eq!((keys(&second), second.truncated, second.last), (vec!["b"], false, None));
        let none = page(start(&map, query), Query { limit: 0, ..query });
        assert!(none.entries.is_empty() && !none.truncated);
    }

    proptest! {
        /// Whatever the page size, going through the pages gives what one page without a limit gives.
        #[test]
        fn pages_add_up(
            keys in prop::collection::btree_set("[ab/é]{1,6}", 0..30),
            prefix in "[ab/]{0,2}",
            delimiter in prop::sample::select(vec!["", "/", "a", "b/", "é"]),
            limit in 1_usize..5,
        ) {
            let map: BTreeMap<String, ()> = keys.into_iter().map(|key| (key, ())).collect();
            let query = Query { prefix: &prefix, delimiter, after: "", limit: usize::MAX };
            let whole = page(start(&map, query), query);

            let (mut entries, mut prefixes, mut after) = (Vec::new(), Vec::new(), String::new());
            loop {
                let query = Query { after: &after, limit, ..query };
                let next = page(start(&map, query), query);
                prop_assert!(next.entries.len() + next.prefixes.len() <= limit);
                entries.extend(next.entries.iter().map(|(key, ())| *key));
                prefixes.extend(next.prefixes.iter().copied());
                match next.last {
                    Some(last) => after = of_token(&token(last)).unwrap(),
                    None => break,
                }
            }
            prop_assert_eq!(entries, super::tests::keys(&whole));
            prop_assert_eq!(prefixes, whole.prefixes);
        }

        #[test]
        fn encoded_names_decode(name in "\\PC{0,20}") {
            prop_assert_eq!(decode(url_encode(&name).replace('+', " ").as_bytes()), name);
        }

        #[test]
        fn any_token_is_read_without_a_panic(token in "\\PC{0,20}") {
            let _ = of_token(&token);
        }
    }
}
