use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use super::regex_syntax::translate;

/// The longest text that a pattern is tried on; all longer ones pass. Matching costs text times pattern, and what
/// the model bounds at all it bounds far below this.
const LONGEST: usize = 100_000;

static COMPILED: LazyLock<RwLock<HashMap<&'static str, Arc<Matcher>>>> = LazyLock::new(RwLock::default);

struct Matcher {
    engine: Engine,
    /// How many characters a text must have, where that is told apart from the expression.
    length: RangeInclusive<usize>,
}

enum Engine {
    Plain(regex_lite::Regex),
    /// With look-around or Unicode categories.
    Fancy(Box<fancy_regex::Regex>),
    /// Does not compile: refuses nothing. A test keeps the tables free of these.
    Unusable,
}

/// Whether the whole text matches one of the model's patterns.
pub(super) fn matches(pattern: &'static str, text: &str) -> bool {
    if text.len() > LONGEST {
        return true;
    }
    let Matcher { engine, length } = &*matcher(pattern);
    let is_match = match engine {
        Engine::Plain(regex) => regex.is_match(text),
        // An error is a search that was given up: undecided, which is no reason to refuse.
        Engine::Fancy(regex) => regex.is_match(text).unwrap_or(true),
        Engine::Unusable => return true,
    };
    is_match && length.contains(&text.chars().count())
}

fn matcher(pattern: &'static str) -> Arc<Matcher> {
    if let Some(found) = COMPILED.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return Arc::clone(found);
    }
    let (expression, length) = without_count(pattern);
    let made = Arc::new(Matcher { engine: compile(&expression), length });
    COMPILED.write().unwrap_or_else(PoisonError::into_inner).insert(pattern, Arc::clone(&made));
    made
}

/// `[class]{0,1024}` and `.{0,1024}` as `[class]*` and the counts: engines write a class out as often as it is
/// counted, which is slow, and for Unicode categories more than they accept.
fn without_count(pattern: &str) -> (Cow<'_, str>, RangeInclusive<usize>) {
    if let Some((class, counts)) = pattern.strip_suffix('}').and_then(|front| front.rsplit_once('{')) {
        let inside = class.strip_prefix('[').and_then(|front| front.strip_suffix(']'));
        let is_one_class = class == "." || inside.is_some_and(|inside| !inside.contains(']'));
        let (least, greatest) = counts.split_once(',').unwrap_or((counts, counts));
        if let (true, Ok(least), Ok(greatest)) = (is_one_class, least.parse(), greatest.parse()) {
            return (format!("{class}*").into(), least..=greatest);
        }
    }
    (pattern.into(), 0..=usize::MAX)
}

fn compile(pattern: &str) -> Engine {
    let Some(translated) = translate(pattern) else { return Engine::Unusable };
    let whole = format!(r"\A(?:{})\z", translated.text);
    if translated.needs_fancy {
        fancy_regex::Regex::new(&whole).map_or(Engine::Unusable, |regex| Engine::Fancy(Box::new(regex)))
    } else {
        regex_lite::Regex::new(&whole).map_or(Engine::Unusable, Engine::Plain)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Service;
    use super::*;

    pub(super) fn all() -> BTreeSet<&'static str> {
        let lines = Service::ALL.into_iter().flat_map(|service| service.table().text.lines());
        lines
            .filter(|line| !line.starts_with(['#', '@']))
            .filter_map(|line| line.split('\t').skip(2).find_map(|field| field.strip_prefix('p')))
            .collect()
    }

    #[test]
    fn all_patterns_of_the_model_compile() {
        let all = all();
        assert!(all.len() > 250, "{}", all.len());
        let mut fancy = 0;
        let mut unusable = Vec::new();
        for pattern in all {
            match matcher(pattern).engine {
                Engine::Plain(_) => {}
                Engine::Fancy(_) => fancy += 1,
                Engine::Unusable => unusable.push(pattern),
            }
        }
        assert_eq!(unusable, Vec::<&str>::new());
        assert!((15..60).contains(&fancy), "{fancy} patterns need the larger engine");
    }

    #[test]
    fn patterns_of_the_model_match_as_java_does() {
        for (pattern, good, bad) in [
            (
                "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
                &["a", "a-b", "a--b", "0"][..],
                &["", "-a", "a-", "a_b", "a\n", "\u{e9}"][..],
            ),
            (".*", &["", "a b", "\u{1F600}"], &["a\nb", "\r", "\u{2028}", "\u{85}"]),
            ("(?!\\s*$).+", &["a", " a"], &["", " ", "a\nb"]),
            ("[\\S\\s]*", &["", "a\nb\u{2028}"], &[]),
            ("[\\w:]+", &["a_:9"], &["\u{e9}", "a-b"]),
            ("(?!^[.-])^([a-zA-Z0-9-_.]+)", &["a.b-c", "_"], &[".a", "-a", "a/b"]),
            (
                "([\\p{L}\\p{Z}\\p{N}_.:\\/=+\\-@]*)${1,128}",
                &["", "caf\u{e9} \u{4e2d}:1/2", "a@b"],
                &["a#b", "\u{1F600}"],
            ),
            ("[\\p{L}\\p{M}\\p{Z}\\p{S}\\p{N}\\p{P}]*", &["\u{1F600} caf\u{e9}!"], &["\t", "a\nb"]),
            (
                "(?=.{1,32}$)[a-zA-Z0-9](-*[a-zA-Z0-9])*",
                &["a", "abcdefghijklmnopqrstuvwxyz012345"],
                &["", "abcdefghijklmnopqrstuvwxyz0123456", "a-"],
            ),
            (
                "[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\t]*",
                &["a\tb\u{1F600}\u{10FFFF}"],
                &["\n", "\u{1}", "\u{FFFE}"],
            ),
            ("\\A\\S[\\p{Print}]*\\z", &["a b"], &[" a", "a\tb", "a\u{e9}"]),
            ("^(?!s3:|https:)[a-zA-Z0-9!_.*'()/-]+$", &["a/b", "s3"], &["s3:x", "https:x", ""]),
            ("((25[0-5]|(2[0-4]|1\\d|[1-9]|)\\d)\\.?\\b){4}", &["10.0.0.1"], &["10.0.0", "256.1.1.1", "a.b.c.d"]),
            ("[a-zA-Z0-9\\ \\_\\.]+", &["a b_c."], &["a-b"]),
            ("[\\w-_]*", &["a-_"], &["."]),
            ("[a-z0-9]{12}", &["123456789012"], &["12345678901", "1234567890123"]),
            (
                "(arn:aws[a-z\\-]*:sagemaker:[a-z0-9\\-]*:[0-9]{12}:[a-z\\-]*\\/)?([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)",
                &["abc", "a-b", "arn:aws:sagemaker:eu-west-1:123456789012:model-package/a"],
                &["a-", "arn:aws:sagemaker:eu-west-1:1:model-package/a"],
            ),
        ] {
            assert!(all().contains(pattern), "{pattern} is not in the model");
            for text in good {
                assert!(matches(pattern, text), "{pattern} should match {text:?}");
            }
            for text in bad {
                assert!(!matches(pattern, text), "{pattern} should not match {text:?}");
            }
        }
    }

    #[test]
    fn counts_of_a_class_are_told_apart() {
        for (pattern, expression, length) in [
            ("[a]{0,1024}", "[a]*", 0..=1024),
            ("[a-z]{12}", "[a-z]*", 12..=12),
            (".{1,255}", ".*", 1..=255),
            (r"[\]]{2}", r"[\]]{2}", 0..=usize::MAX),
            ("[a]{3,}", "[a]{3,}", 0..=usize::MAX),
            ("[a]b[c]{2}", "[a]b[c]{2}", 0..=usize::MAX),
            ("[a]{2}b{3}", "[a]{2}b{3}", 0..=usize::MAX),
        ] {
            assert_eq!(without_count(pattern), (expression.into(), length));
        }
    }

    #[test]
    fn long_hostile_texts_are_decided_quickly() {
        // Nested quantifiers over texts that almost match: exponential for an engine that only backtracks.
        for length in [1_000, LONGEST] {
            let text = format!("{}_", "a".repeat(length - 1));
            for pattern in ["[a-zA-Z0-9](-*[a-zA-Z0-9])*", "(?=.{1,32}$)[a-zA-Z0-9](-*[a-zA-Z0-9])*"] {
                assert!(!matches(pattern, &text));
            }
        }
        assert!(matches("[a-z]+", &"_".repeat(LONGEST + 1)));
    }
}
