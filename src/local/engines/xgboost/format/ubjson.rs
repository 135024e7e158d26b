//! UBJSON as XGBoost writes it, read without loss of types, so that parts of a document can be moved and the rest stays
//! as it was: XGBoost insists on the types of some arrays.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ubjson {
    /// A marker with its bytes: a number, `T`, `F` or `Z`.
    Scalar(u8, Vec<u8>),
    Text(String),
    Array(Vec<Ubjson>),
    /// Numbers of one type: its marker, how many, their bytes.
    Typed(u8, usize, Vec<u8>),
    Object(Vec<(String, Ubjson)>),
}

/// Deeper documents are refused; models nest seven deep.
const MAX_DEPTH: usize = 64;

impl Ubjson {
    /// Reads a document.
    ///
    /// # Errors
    /// What is wrong and at which byte.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut reader = Reader { bytes, at: 0 };
        reader.marked(0).map_err(|what| format!("UBJSON at byte {}: {what}", reader.at))
    }

    /// Writes a document.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// A member of an object.
    pub(super) fn member_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Object(members) = self else { return None };
        members.iter_mut().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Takes a member out of an object.
    pub(super) fn take(&mut self, name: &str) -> Option<Self> {
        let Self::Object(members) = self else { return None };
        let at = members.iter().position(|(key, _)| key == name)?;
        Some(members.remove(at).1)
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Scalar(marker, bytes) => {
                out.push(*marker);
                out.extend_from_slice(bytes);
            }
            Self::Text(text) => {
                out.push(b'S');
                write_text(out, text);
            }
            Self::Array(items) => {
                out.extend_from_slice(b"[#");
                write_length(out, items.len());
                for item in items {
                    item.write(out);
                }
            }
            Self::Typed(marker, count, bytes) => {
                out.extend_from_slice(&[b'[', b'$', *marker, b'#']);
                write_length(out, *count);
                out.extend_from_slice(bytes);
            }
            Self::Object(members) => {
                out.push(b'{');
                for (name, value) in members {
                    write_text(out, name);
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    write_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn write_length(out: &mut Vec<u8>, length: usize) {
    out.push(b'L');
    out.extend_from_slice(&(length as u64).to_be_bytes());
}

/// The bytes of a number of a type.
fn width(marker: u8) -> Option<usize> {
    Some(match marker {
        b'i' | b'U' | b'C' => 1,
        b'I' => 2,
        b'l' | b'd' => 4,
        b'L' | b'D' => 8,
        _ => return None,
    })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn marked(&mut self, depth: usize) -> Result<Ubjson, String> {
        if depth > MAX_DEPTH {
            return Err(format!("nested more than {MAX_DEPTH} deep"));
        }
        let marker = self.significant()?;
        match marker {
            b'Z' | b'T' | b'F' => Ok(Ubjson::Scalar(marker, Vec::new())),
            b'S' => self.text().map(Ubjson::Text),
            b'[' => self.array(depth),
            b'{' => self.object(depth),
            _ => match width(marker) {
                Some(width) => Ok(Ubjson::Scalar(marker, self.bytes(width)?.to_vec())),
                None => Err(format!("unknown marker {marker:#04x}")),
            },
        }
    }

    fn array(&mut self, depth: usize) -> Result<Ubjson, String> {
        if self.accept(b'$') {
            let marker = self.byte()?;
            let width = width(marker).ok_or_else(|| format!("arrays of type {marker:#04x} are not supported"))?;
            if !self.accept(b'#') {
                return Err("an array with a type needs a count".to_owned());
            }
            let count = self.length()?;
            let size = count.checked_mul(width).ok_or("a count is too large")?;
            return Ok(Ubjson::Typed(marker, count, self.bytes(size)?.to_vec()));
        }
        let mut items = Vec::new();
        if self.accept(b'#') {
            for _ in 0..self.length()? {
                items.push(self.marked(depth + 1)?);
            }
        } else {
            while !self.accept(b']') {
                items.push(self.marked(depth + 1)?);
            }
        }
        Ok(Ubjson::Array(items))
    }

    fn object(&mut self, depth: usize) -> Result<Ubjson, String> {
        let mut members = Vec::new();
        if self.accept(b'$') {
            return Err("objects with a type are not supported".to_owned());
        }
        if self.accept(b'#') {
            for _ in 0..self.length()? {
                members.push((self.text()?, self.marked(depth + 1)?));
            }
        } else {
            while !self.accept(b'}') {
                members.push((self.text()?, self.marked(depth + 1)?));
            }
        }
        Ok(Ubjson::Object(members))
    }

    fn text(&mut self) -> Result<String, String> {
        let length = self.length()?;
        let bytes = self.bytes(length)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "text that is not UTF-8".to_owned())
    }

    fn length(&mut self) -> Result<usize, String> {
        let marker = self.significant()?;
        let length = match marker {
            b'i' => i64::from(self.byte()?.cast_signed()),
            b'U' => i64::from(self.byte()?),
            b'I' => i64::from(i16::from_be_bytes(self.fixed()?)),
            b'l' => i64::from(i32::from_be_bytes(self.fixed()?)),
            b'L' => i64::from_be_bytes(self.fixed()?),
            _ => return Err(format!("{marker:#04x} where a length should be")),
        };
        usize::try_from(length).map_err(|_| "a negative length".to_owned())
    }

    /// The next byte that is no `N`, the no-operation.
    fn significant(&mut self) -> Result<u8, String> {
        loop {
            match self.byte()? {
                b'N' => {}
                byte => return Ok(byte),
            }
        }
    }

    fn accept(&mut self, expected: u8) -> bool {
        while self.bytes.get(self.at) == Some(&b'N') {
            self.at += 1;
        }
        let found = self.bytes.get(self.at) == Some(&expected);
        self.at += usize::from(found);
        found
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.fixed().map(|[byte]| byte)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut out = [0; N];
        out.copy_from_slice(self.bytes(N)?);
        Ok(out)
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("the file ends {count} bytes too soon"))?;
        let found = &self.bytes[self.at..end];
        self.at = end;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Ubjson> {
        let leaf = prop_oneof![
            any::<u8>().prop_map(|byte| Ubjson::Scalar(b'U', vec![byte])),
            any::<f32>().prop_map(|number| Ubjson::Scalar(b'd', number.to_be_bytes().to_vec())),
            Just(Ubjson::Scalar(b'T', Vec::new())),
            ".{0,12}".prop_map(Ubjson::Text),
            proptest::collection::vec(any::<[u8; 4]>(), 0..6).prop_map(|items| Ubjson::Typed(
                b'l',
                items.len(),
                items.concat()
            )),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Ubjson::Array),
                proptest::collection::vec((".{0,6}", inner), 0..6).prop_map(Ubjson::Object),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(document in value()) {
            prop_assert_eq!(Ubjson::decode(&document.encode()), Ok(document));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Ubjson::decode(&bytes);
        }
    }

    #[test]
    fn hostile_documents_are_refused() {
        assert!(Ubjson::decode(&[b'['; 100_000]).is_err());
        assert!(Ubjson::decode(b"[$D#L\x7f\xff\xff\xff\xff\xff\xff\xff").is_err());
        assert!(Ubjson::decode(b"[#L\x7f\xff\xff\xff\xff\xff\xff\xff").is_err());
    }
}
