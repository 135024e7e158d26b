//! Finds heads of requests that say in two ways how long their body is.
//!
//! The HTTP crate takes `Transfer-Encoding` for right then and drops `Content-Length`, as it may. A proxy in front may
//! have believed the other one, and what it took for a body would be a request here. So such a request is refused.

/// Reads along with the connection, one head after the other.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// The line that has not ended yet, as far as it matters.
    line: Vec<u8>,
    length: bool,
    encoding: bool,
    /// Whether there was a line; empty ones may precede a head.
    begun: bool,
    /// Whether the head is over, and all that follows is none of it.
    over: bool,
}

/// The longer of the two names.
const LONGEST: usize = "transfer-encoding".len();

impl Heads {
    /// The next bytes are the beginning of a head.
    pub(super) fn begin(&mut self) {
        if self.over {
            *self = Self::default();
        }
    }

    /// Takes note of bytes that came; whether they complete a head that says both.
    pub(super) fn read(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            if self.over {
                return false;
            }
            match byte {
                b'\n' => self.end_line(),
                b'\r' => {}
                _ if self.line.len() <= LONGEST => self.line.push(byte.to_ascii_lowercase()),
                _ => {}
            }
            if self.over && self.length && self.encoding {
                return true;
            }
        }
        false
    }

    fn end_line(&mut self) {
        let name = self.line.split(|byte| *byte == b':').next().unwrap_or_default();
        self.length |= name == b"content-length";
        self.encoding |= name == b"transfer-encoding";
        self.over = self.begun && self.line.is_empty();
        self.begun |= !self.line.is_empty();
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LENGTH: &str = "Content-Length: 5\r\n";
    const ENCODING: &str = "transfer-ENCODING: chunked\r\n";

    fn head(lines: &str) -> String {
        format!("PUT /content-length: HTTP/1.1\r\nhost: a\r\n{lines}\r\n")
    }

    #[test]
    fn both_in_one_head_are_found() {
        let ambiguous = |text: &str| Heads::default().read(text.as_bytes());
        assert!(ambiguous(&head(&format!("{LENGTH}{ENCODING}"))));
        assert!(ambiguous(&head(&format!("{ENCODING}x: y\r\n{LENGTH}"))));
        assert!(ambiguous(&format!("\r\n\n{}", head(&format!("{LENGTH}{ENCODING}")))));
        assert!(!ambiguous(&head(LENGTH)));
        assert!(!ambiguous(&head(ENCODING)));
        assert!(!ambiguous(&format!("{}{ENCODING}\r\n", head(LENGTH))), "it is in the body");
        assert!(!ambiguous(&format!("PUT / HTTP/1.1\r\n{LENGTH}{ENCODING}")), "the head may still be refused");
    }

    #[test]
    fn each_head_is_one_of_its_own() {
        let mut heads = Heads::default();
        assert!(!heads.read(head(LENGTH).as_bytes()));
        heads.begin();
        assert!(!heads.read(head(ENCODING).as_bytes()));
        heads.begin();
        assert!(heads.read(head(&format!("{LENGTH}{ENCODING}")).as_bytes()));
        // A head that comes in parts begins once.
        heads.begin();
        assert!(!heads.read(b"PUT / HTTP/1.1\r\nContent-Length: 5\r\n"));
        heads.begin();
        assert!(heads.read(b"Transfer-Encoding: chunked\r\n\r\n"));
    }

    proptest! {
        #[test]
        fn parts_are_read_like_the_whole(cuts in prop::collection::vec(0usize..90, 0..5), both: bool) {
            let text = head(&format!("{LENGTH}{}", if both { ENCODING } else { "" }));
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut heads = Heads::default();
            let found = cuts.windows(2).any(|pair| heads.read(&text.as_bytes()[pair[0]..pair[1]]));
            prop_assert_eq!(found, both);
        }
    }
}
