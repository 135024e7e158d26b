//! The `Authorization` header of Signature Version 4:
//! `AWS4-HMAC-SHA256 Credential=.., SignedHeaders=.., Signature=..`.

/// What a header says; a part that it does not have is `None`, and so is one without a value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) algorithm: &'a str,
    pub(super) credential: Option<&'a str>,
    pub(super) signed_headers: Option<&'a str>,
    pub(super) signature: Option<&'a str>,
    /// Whether there is a part that is no pair of a name and a value.
    pub(super) has_strange_part: bool,
}

impl<'a> Header<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let (algorithm, parts) = text.split_once(' ').unwrap_or((text, ""));
        let mut header = Self { algorithm, ..Self::default() };
        for part in parts.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                header.has_strange_part = true;
                continue;
            };
            let value = Some(value).filter(|value| !value.is_empty());
            match name {
                "Credential" => header.credential = value,
                "SignedHeaders" => header.signed_headers = value,
                "Signature" => header.signature = value,
                _ => {}
            }
        }
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_in_any_order_with_or_without_blanks() {
        let expected = Header {
            algorithm: "AWS4-HMAC-SHA256",
            credential: Some("a/b"),
            signed_headers: Some("host;x-amz-date"),
            signature: Some("0f"),
            has_strange_part: false,
        };
        for text in [
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host;x-amz-date, Signature=0f",
            "AWS4-HMAC-SHA256 Signature=0f,Credential=a/b,SignedHeaders=host;x-amz-date",
            "AWS4-HMAC-SHA256  Credential=a/b SignedHeaders=host;x-amz-date,Signature=0f,",
        ] {
            assert_eq!(Header::parse(text), expected, "{text}");
        }
        assert!(Header::parse("Bearer token").has_strange_part);
        assert_eq!(Header::parse("AWS4-HMAC-SHA256 Credential=").credential, None);
    }
}
