use std::fmt;
use std::sync::OnceLock;

/// One service's table (written by `tools/api_model.py`, which describes the form): sorted lines, searched in place, so
/// that nothing is unpacked before the first request. That one notes where the lines begin.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub(super) text: &'static str,
    pub(super) starts: &'static OnceLock<Box<[u32]>>,
}

impl Table {
    /// The shape names of an operation's input and output; a name is empty where there is no shape.
    pub(super) fn operation(self, name: &str) -> Option<(&'static str, &'static str)> {
        self.line(&format!("@{name}"))?.split_once('\t')
    }

    #[cfg(test)]
    pub(super) fn operations(self) -> impl Iterator<Item = &'static str> {
        self.text.lines().filter_map(|line| line.strip_prefix('@')?.split('\t').next())
    }

    pub(super) fn shape(self, name: &str) -> Option<Shape> {
        let (kind, parts) = match self.line(name)?.split_once('\t') {
            Some(split) => split,
            None => (self.line(name)?, ""),
        };
        Some(Shape { kind: Kind::of(kind.chars().next()?)?, sensitive: kind.ends_with('!'), parts })
    }

    /// What follows the key on its line.
    fn line(self, key: &str) -> Option<&'static str> {
        let starts = self.starts.get_or_init(|| {
            let lines = self.text.split_inclusive('\n');
            lines.scan(0, |next, line| Some(std::mem::replace(next, *next + line.len() as u32))).collect()
        });
        let key_at = |start: u32| self.text[start as usize..].split(['\t', '\n']).next().unwrap_or_default();
        let start = starts[starts.binary_search_by(|&start| key_at(start).cmp(key)).ok()?] as usize;
        let line = self.text[start..].lines().next()?;
        Some(line.split_once('\t').map_or("", |(_, parts)| parts))
    }
}

/// What a value of a shape is in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    String,
    Integer,
    Long,
    Float,
    Boolean,
    /// Seconds since 1970 as a number.
    Timestamp,
    /// Base64 text.
    Blob,
    List,
    Map,
    Structure,
    Union,
    /// Travels as events, never as one JSON value.
    EventStream,
}

impl Kind {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            's' => Self::String,
            'i' => Self::Integer,
            'l' => Self::Long,
            'f' => Self::Float,
            'b' => Self::Boolean,
            't' => Self::Timestamp,
            'B' => Self::Blob,
            'L' => Self::List,
            'M' => Self::Map,
            'S' => Self::Structure,
            'U' => Self::Union,
            'E' => Self::EventStream,
            _ => return None,
        })
    }

    /// With its article, as in "must be a string".
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Integer | Self::Long => "a whole number",
            Self::Float => "a number",
            Self::Boolean => "a boolean",
            Self::Timestamp => "a number of seconds since 1970",
            Self::Blob => "a base64 string",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Structure | Self::Union => "an object",
            Self::EventStream => "an event stream",
        }
    }
}

/// A shape's line, read field by field when asked.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) kind: Kind,
    pub(super) sensitive: bool,
    parts: &'static str,
}

impl Shape {
    fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.parts.split('\t')
    }

    fn field(&self, mark: char) -> Option<&'static str> {
        self.fields().find_map(|field| field.strip_prefix(mark))
    }

    pub(super) fn least(&self) -> Option<Limit> {
        self.field('n').map(Limit)
    }

    pub(super) fn greatest(&self) -> Option<Limit> {
        self.field('x').map(Limit)
    }

    pub(super) fn pattern(&self) -> Option<&'static str> {
        self.field('p')
    }

    pub(super) fn values(&self) -> Option<EnumValues> {
        self.field('e').map(EnumValues)
    }

    /// The shape of a map's keys.
    pub(super) fn key(&self) -> Option<&'static str> {
        self.field('k')
    }

    /// The shape of a list's elements or of a map's values.
    pub(super) fn element(&self) -> Option<&'static str> {
        self.field('v')
    }

    pub(super) fn members(&self) -> impl Iterator<Item = Member> {
        self.fields().filter_map(|field| Some(Member::read(field.strip_prefix('m')?)))
    }
}

/// The bound of a length, a size or a number, as the model writes it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(&'static str);

impl Limit {
    #[cfg(test)]
    pub(super) fn value(self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    pub(super) fn is_above(self, number: Number) -> bool {
        match (number, self.0.parse::<i128>()) {
            (Number::Whole(number), Ok(limit)) => number < limit,
            _ => self.0.parse::<f64>().is_ok_and(|limit| number.as_f64() < limit),
        }
    }

    pub(super) fn is_below(self, number: Number) -> bool {
        match (number, self.0.parse::<i128>()) {
            (Number::Whole(number), Ok(limit)) => number > limit,
            _ => self.0.parse::<f64>().is_ok_and(|limit| number.as_f64() > limit),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A measured length, or a number from JSON: whole numbers are compared without rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    pub(super) fn length(length: usize) -> Self {
        Self::Whole(length as i128)
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number:?}"),
        }
    }
}

/// The values that an enum accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct EnumValues(&'static str);

impl EnumValues {
    pub(crate) fn iter(self) -> impl Iterator<Item = &'static str> {
        self.0.split('|')
    }
}

impl fmt::Debug for EnumValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A declared member of a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) location: Location,
    pub(super) shape: &'static str,
}

/// Where a member travels in a request or response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    /// In the JSON document.
    Body,
    /// It is the body itself.
    Payload,
    /// The header of this name.
    Header(&'static str),
    /// The label of this name in the path.
    Uri(&'static str),
    /// The query parameter of this name.
    Query(&'static str),
}

impl Member {
    fn read(field: &'static str) -> Self {
        let (front, location) = match field.split_once('@') {
            None => (field, Location::Body),
            Some((front, place)) => (
                front,
                match place.split_once('=') {
                    Some(("h", name)) => Location::Header(name),
                    Some(("u", name)) => Location::Uri(name),
                    Some((_, name)) => Location::Query(name),
                    None => Location::Payload,
                },
            ),
        };
        let (name, shape) = front.split_once(':').unwrap_or((front, ""));
        let (name, required) = name.strip_suffix('*').map_or((name, false), |name| (name, true));
        Self { name, required, location, shape: if shape.is_empty() { name } else { shape } }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Service;
    use super::*;

    #[test]
    fn every_line_is_found_and_nothing_else() {
        for service in Service::ALL {
            let table = service.table();
            assert!(table.text.is_ascii() && table.text.ends_with('\n'));
            for line in table.text.lines() {
                let (key, parts) = line.split_once('\t').unwrap_or((line, ""));
                assert_eq!(table.line(key), Some(parts), "{key}");
                assert_eq!(table.line(&format!("{key}~")), None);
            }
            assert_eq!(table.line(""), None);
            assert_eq!(table.line("zzz"), None);
        }
    }

    #[test]
    fn every_reference_of_every_operation_resolves() {
        for (service, operations, shapes) in
            [(Service::SageMaker, 425, 3_000), (Service::SageMakerRuntime, 3, 30), (Service::Logs, 118, 600)]
        {
            let table = service.table();
            assert!(table.operations().count() >= operations);
            for operation in table.operations() {
                let (input, output) = table.operation(operation).unwrap();
                for name in [input, output].into_iter().filter(|name| !name.is_empty()) {
                    assert_eq!(table.shape(name).unwrap().kind, Kind::Structure, "{name}");
                }
            }
            let mut count = 0;
            for line in table.text.lines().filter(|line| !line.starts_with(['#', '@'])) {
                let shape = table.shape(line.split('\t').next().unwrap()).unwrap();
                count += 1;
                assert_eq!(shape.key().is_some(), shape.kind == Kind::Map, "{line}");
                assert_eq!(shape.element().is_some(), matches!(shape.kind, Kind::List | Kind::Map), "{line}");
                for name in shape.key().into_iter().chain(shape.element()) {
                    assert!(table.shape(name).is_some(), "{line}");
                }
                for member in shape.members() {
                    assert!(table.shape(member.shape).is_some(), "{line}");
                }
                for limit in shape.least().into_iter().chain(shape.greatest()) {
                    assert!(limit.value().is_finite(), "{line}");
                }
            }
            assert!(count >= shapes, "{count} shapes of {service:?}");
        }
    }

    #[test]
    fn members_are_read_with_their_places() {
        for (field, name, required, shape, location) in [
            ("Name", "Name", false, "Name", Location::Body),
            ("Name*", "Name", true, "Name", Location::Body),
            ("Tags:TagList", "Tags", false, "TagList", Location::Body),
            ("Body*:BodyBlob@p", "Body", true, "BodyBlob", Location::Payload),
            ("Accept:Header@h=X-Accept", "Accept", false, "Header", Location::Header("X-Accept")),
            ("EndpointName*@u=Endpoint", "EndpointName", true, "EndpointName", Location::Uri("Endpoint")),
            ("Max@q=max", "Max", false, "Max", Location::Query("max")),
        ] {
            assert_eq!(Member::read(field), Member { name, required, location, shape });
        }
    }

    #[test]
    fn limits_compare_whole_numbers_exactly() {
        let largest = Limit("9223372036854775807");
        assert!(!largest.is_below(Number::Whole(i128::from(i64::MAX))));
        assert!(largest.is_below(Number::Whole(i128::from(i64::MAX) + 1)));
        assert!(Limit("0.25").is_above(Number::Whole(0)) && Limit("0.25").is_below(Number::Real(0.5)));
    }
}
