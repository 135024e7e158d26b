//! From the regular expressions of the model, which are Java's, to those of the engines here.
//!
//! In Java `\w`, `\d`, `\s` and the POSIX names are ASCII, `.` stops at five line ends, `_` and the like may be
//! escaped, and a `-` beside a class or a range is literal.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

const DIGIT: &[Range] = &[('0', '9')];
const WORD: &[Range] = &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')];
const SPACE: &[Range] = &[('\t', '\r'), (' ', ' ')];
const LINE_ENDS: &[Range] = &[('\n', '\n'), ('\r', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')];

type Range = (char, char);

#[derive(Debug)]
pub(super) struct Translated {
    pub(super) text: String,
    /// Uses look-around or Unicode categories.
    pub(super) needs_fancy: bool,
}

/// `None` for what the model does not use, such as possessive quantifiers and intersections of classes.
pub(super) fn translate(java: &str) -> Option<Translated> {
    let mut out = Translated { text: String::with_capacity(java.len() * 2), needs_fancy: false };
    let mut rest = java.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match escape(&mut rest)? {
                Item::Char(c) => out.literal(c),
                Item::Boundary(c) => {
                    out.text.push('\\');
                    out.text.push(c);
                }
                Item::Set(set) => out.class(&set, false),
            },
            '[' => class(&mut rest, &mut out)?,
            '.' => out.class(&Set::of(LINE_ENDS), true),
            '(' => {
                out.text.push('(');
                if rest.peek() == Some(&'?') {
                    out.needs_fancy |= group_mark(&mut rest, &mut out.text)?;
                }
            }
            '$' => {
                out.text.push('$');
                // Repeating an anchor says nothing, and the engines refuse it.
                if rest.peek() == Some(&'{') {
                    rest.by_ref().find(|c| *c == '}')?;
                }
            }
            '{' => {
                out.text.push('{');
                for c in rest.by_ref() {
                    out.text.push(c);
                    if c == '}' {
                        break;
                    }
                }
            }
            '^' | '|' | ')' | '*' | '+' | '?' => out.text.push(c),
            _ => out.literal(c),
        }
    }
    Some(out)
}

impl Translated {
    fn literal(&mut self, c: char) {
        if c.is_ascii_alphanumeric() {
            self.text.push(c);
        } else {
            // Writing to a string does not fail.
            let _ = write!(self.text, r"\x{{{:X}}}", u32::from(c));
        }
    }

    fn class(&mut self, set: &Set, negated: bool) {
        self.text.push_str(if negated { "[^" } else { "[" });
        for &(from, to) in &set.ranges {
            self.literal(from);
            if from != to {
                self.text.push('-');
                self.literal(to);
            }
        }
        for category in &set.categories {
            self.needs_fancy = true;
            let _ = write!(self.text, r"\p{{{category}}}");
        }
        self.text.push(']');
    }
}

#[derive(Default)]
struct Set {
    ranges: Vec<Range>,
    categories: Vec<String>,
}

impl Set {
    fn of(ranges: &[Range]) -> Self {
        Self { ranges: ranges.to_vec(), categories: Vec::new() }
    }

    /// Everything that sorted ranges leave out.
    fn complement(ranges: &[Range]) -> Self {
        let mut out = Vec::new();
        let mut next = Some('\0');
        for &(from, to) in ranges {
            if let Some(start) = next.filter(|start| *start < from) {
                out.push((start, before(from)));
            }
            next = after(to);
        }
        out.extend(next.map(|start| (start, char::MAX)));
        Self::of(&out)
    }
}

fn before(c: char) -> char {
    ('\0'..c).next_back().unwrap_or(c)
}

fn after(c: char) -> Option<char> {
    (c..=char::MAX).nth(1)
}

enum Item {
    Char(char),
    /// `\b`, `\B`, `\A` or `\z`, by its letter.
    Boundary(char),
    Set(Set),
}

/// What stands after a backslash.
fn escape(rest: &mut Peekable<Chars<'_>>) -> Option<Item> {
    Some(match rest.next()? {
        'd' => Item::Set(Set::of(DIGIT)),
        'D' => Item::Set(Set::complement(DIGIT)),
        'w' => Item::Set(Set::of(WORD)),
        'W' => Item::Set(Set::complement(WORD)),
        's' => Item::Set(Set::of(SPACE)),
        'S' => Item::Set(Set::complement(SPACE)),
        'p' => Item::Set(property(rest)?),
        'u' => Item::Char(utf16(rest)?),
        'x' => Item::Char(char::from_u32(hex(rest, 2)?)?),
        't' => Item::Char('\t'),
        'n' => Item::Char('\n'),
        'r' => Item::Char('\r'),
        'f' => Item::Char('\u{C}'),
        c @ ('b' | 'B' | 'A' | 'z') => Item::Boundary(c),
        c if c.is_ascii_alphanumeric() => return None,
        c => Item::Char(c),
    })
}

/// `{Name}` after `\p`.
fn property(rest: &mut Peekable<Chars<'_>>) -> Option<Set> {
    if rest.next()? != '{' {
        return None;
    }
    let name: String = rest.by_ref().take_while(|c| *c != '}').collect();
    Some(match name.as_str() {
        "ASCII" => Set::of(&[('\0', '\x7F')]),
        "Alnum" => Set::of(&[('0', '9'), ('A', 'Z'), ('a', 'z')]),
        "Alpha" => Set::of(&[('A', 'Z'), ('a', 'z')]),
        "Digit" => Set::of(DIGIT),
        "Graph" => Set::of(&[('!', '~')]),
        "Lower" => Set::of(&[('a', 'z')]),
        "Print" => Set::of(&[(' ', '~')]),
        "Space" => Set::of(SPACE),
        "Upper" => Set::of(&[('A', 'Z')]),
        // A general category, such as L or Lu.
        _ if name.len() <= 2 => Set { ranges: Vec::new(), categories: vec![name] },
        _ => return None,
    })
}

/// The digits after `\u`; a high surrogate takes the low one that must follow.
fn utf16(rest: &mut Peekable<Chars<'_>>) -> Option<char> {
    let high = u16::try_from(hex(rest, 4)?).ok()?;
    let units = if (0xD800..0xDC00).contains(&high) {
        if (rest.next()?, rest.next()?) != ('\\', 'u') {
            return None;
        }
        vec![high, u16::try_from(hex(rest, 4)?).ok()?]
    } else {
        vec![high]
    };
    char::decode_utf16(units).next()?.ok()
}

fn hex(rest: &mut Peekable<Chars<'_>>, digits: usize) -> Option<u32> {
    let text: String = rest.take(digits).collect();
    if text.len() == digits { u32::from_str_radix(&text, 16).ok() } else { None }
}

/// What stands after `[`, with the `]`.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut Translated) -> Option<()> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut set = Set::default();
    let mut first = true;
    loop {
        let c = rest.next()?;
        if c == ']' && !first {
            break;
        }
        first = false;
        match class_item(c, rest)? {
            Item::Set(inner) => {
                set.ranges.extend(inner.ranges);
                set.categories.extend(inner.categories);
            }
            Item::Char(from) => {
                let to = range_end(rest)?.unwrap_or(from);
                if to < from {
                    return None;
                }
                set.ranges.push((from, to));
            }
            Item::Boundary(_) => return None,
        }
    }
    out.class(&set, negated);
    Some(())
}

fn class_item(c: char, rest: &mut Peekable<Chars<'_>>) -> Option<Item> {
    match c {
        '\\' => escape(rest),
        // A union or an intersection of classes.
        '[' => None,
        '&' if rest.peek() == Some(&'&') => None,
        c => Some(Item::Char(c)),
    }
}

/// The end of a range, if a `-` and a single character follow; the outer `None` is a syntax that is not known.
fn range_end(rest: &mut Peekable<Chars<'_>>) -> Option<Option<char>> {
    let mut ahead = rest.clone();
    if ahead.next() != Some('-') {
        return Some(None);
    }
    match ahead.next()? {
        ']' => Some(None),
        c => match class_item(c, &mut ahead)? {
            Item::Char(end) => {
                *rest = ahead;
                Some(Some(end))
            }
            _ => Some(None),
        },
    }
}

/// Copies the mark after `(`; true for look-around.
fn group_mark(rest: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<bool> {
    for mark in ["?:", "?=", "?!", "?<=", "?<!"] {
        let mut ahead = rest.clone();
        if mark.chars().all(|c| ahead.next() == Some(c)) {
            out.push_str(mark);
            *rest = ahead;
            return Some(mark != "?:");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn syntax_is_translated() {
        for (java, rust) in [
            ("a-b", r"a\x{2D}b"),
            (r"[a-z-_.]\/", r"[a-z\x{2D}\x{5F}\x{2E}]\x{2F}"),
            (r"[\d-x]", r"[0-9\x{2D}x]"),
            (r"\D", r"[\x{0}-\x{2F}\x{3A}-\x{10FFFF}]"),
            (r"[]a]", r"[\x{5D}a]"),
            (r"[^-a]{1,3}", r"[^\x{2D}a]{1,3}"),
            (r"(?:a|b)*$", "(?:a|b)*$"),
            (r"\uD83D\uDE00", r"\x{1F600}"),
        ] {
            let translated = translate(java).unwrap();
            assert_eq!((translated.text.as_str(), translated.needs_fancy), (rust, false), "{java}");
        }
        for java in [r"(?!a)b", r"a(?<!b)", r"\p{L}", r"[\p{Lu}a]"] {
            assert!(translate(java).unwrap().needs_fancy, "{java}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for java in [r"[a&&[b]]", r"[a", "\\", r"\k", r"(?i)a", r"\p{InGreek}", r"\uD83D", r"\u12", r"[z-a]"] {
            assert!(translate(java).is_none(), "{java}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(java in any::<String>()) {
            translate(&java);
        }

        #[test]
        fn pieces_of_syntax_do_not_panic(java in r"([\[\]\\^$.()?!<{}&u0-9Dx\-]|\\p|\\u){0,24}") {
            translate(&java);
        }
    }
}
