//! Percent-encoding, and the form bodies of the query protocol.

use std::collections::BTreeMap;

/// The members of a form body such as `Action=GetCallerIdentity&Version=2011-06-15`.
pub(super) fn form(body: &[u8]) -> BTreeMap<String, String> {
    let pairs = body.split(|&b| b == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let mut halves = pair.splitn(2, |&b| b == b'=');
            let mut text = || decode(&spaces(halves.next().unwrap_or_default()));
            (text(), text())
        })
        .collect()
}

/// Undoes percent-encoding; what is not valid stays as it is.
pub(super) fn decode(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        match (first, hex_pair(tail)) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &tail[2..];
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex_pair(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| text.get(at).and_then(|&b| char::from(b).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn spaces(text: &[u8]) -> Vec<u8> {
    text.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_forms() {
        let form = form(b"Action=GetRole&RoleName=a%2Bb+c&Empty=&=&flag&bad=%zz%4");
        let expected =
            [("Action", "GetRole"), ("RoleName", "a+b c"), ("Empty", ""), ("", ""), ("flag", ""), ("bad", "%zz%4")];
        for (name, value) in expected {
            assert_eq!(form[name], value, "{name}");
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(text in "\\PC{0,60}") {
            let encoded: String = text.bytes().map(|b| format!("%{b:02X}")).collect();
            prop_assert_eq!(decode(encoded.as_bytes()), text);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            form(&bytes);
        }
    }
}
