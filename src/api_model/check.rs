use serde_json::{Map, Value};

use super::place::Place;
use super::table::{Kind, Number, Shape, Table};
use super::violation::{Constraint, Measure, Violation};
use super::{Strictness, echo, pattern};

/// A document may repeat one mistake a million times: the list of violations ends here.
const MOST_VIOLATIONS: usize = 1_000;

/// Each bad element's message repeats its whole list or map: the rest of them is passed over.
const MOST_BAD_ELEMENTS: usize = 10;

/// Recursive shapes end here. JSON is read to a depth of 128 at most, and nothing useful comes near this one.
const DEEPEST: usize = 64;

/// Up to how many bytes a text of a wrong length is held against its pattern too.
const LONGEST_REFUSED: usize = 4_096;

/// How much of a value the text for people repeats, in characters.
const SHOWN: usize = 80;

pub(super) fn document(table: Table, shape: &str, value: &Value, strictness: Strictness) -> Vec<Violation> {
    let mut check = Check { table, strictness, unreadable: Vec::new(), violations: Vec::new() };
    match table.shape(shape) {
        Some(shape) => check.value(&shape, value, &Place::Root),
        // No shape: nothing is declared.
        None if !value.is_object() => check.wrong_type(Kind::Structure, false, value, &Place::Root),
        None => {
            #[cfg(test)]
            check.unknown_members(value, |_| false, &Place::Root);
        }
    }
    if check.unreadable.is_empty() { check.violations } else { check.unreadable }
}

struct Check {
    table: Table,
    strictness: Strictness,
    /// Wrong types, which hide all else.
    unreadable: Vec<Violation>,
    violations: Vec<Violation>,
}

impl Check {
    /// A value at a place of its own: its constraints and what is inside.
    fn value(&mut self, shape: &Shape, value: &Value, place: &Place<'_>) {
        if self.has_type(shape, value, place) {
            self.constraints(shape, value, place);
            self.inside(shape, value, place);
        }
    }

    fn has_type(&mut self, shape: &Shape, value: &Value, place: &Place<'_>) -> bool {
        let fits = match shape.kind {
            Kind::String => value.is_string(),
            Kind::Integer | Kind::Long => whole(value).is_some(),
            Kind::Float => real(value).is_some(),
            Kind::Boolean => value.is_boolean(),
            Kind::Timestamp => value.is_number(),
            Kind::Blob => value.as_str().is_some_and(|text| decoded_length(text).is_some()),
            Kind::List => value.is_array(),
            Kind::Map | Kind::Structure | Kind::Union => value.is_object(),
            Kind::EventStream => true,
        };
        if !fits {
            self.wrong_type(shape.kind, shape.sensitive, value, place);
        }
        fits
    }

    fn constraints(&mut self, shape: &Shape, value: &Value, place: &Place<'_>) {
        for constraint in self.broken(shape, value) {
            let said = match echo::echo(self.table, shape, value) {
                Some(text) => format!("Value '{text}' at"),
                None => "Value at".to_owned(),
            };
            let path = place.path();
            let message = format!("{said} '{path}' failed to satisfy constraint: {}", words(&constraint));
            self.add(shape, value, place, path, message, constraint);
        }
    }

    /// The value's own constraints that are not kept.
    fn broken(&self, shape: &Shape, value: &Value) -> Vec<Constraint> {
        let mut broken = Vec::new();
        if let Some((number, measure)) = measured(shape, value) {
            if let Some(limit) = shape.greatest().filter(|limit| limit.is_below(number)) {
                broken.push(Constraint::AtMost { limit, measure, found: number.to_string() });
            }
            if let Some(limit) = shape.least().filter(|limit| limit.is_above(number)) {
                broken.push(Constraint::AtLeast { limit, measure, found: number.to_string() });
            }
        }
        if let Some(text) = value.as_str().filter(|_| shape.kind == Kind::String) {
            // A text that is refused for its length already, and is far from any name, is not searched as well.
            let is_hopeless = !broken.is_empty() && text.len() > LONGEST_REFUSED;
            let pattern = shape.pattern().filter(|_| !is_hopeless);
            if let Some(pattern) = pattern.filter(|pattern| !pattern::matches(pattern, text)) {
                broken.push(Constraint::Pattern(pattern));
            }
            let values = shape.values().filter(|_| self.strictness != Strictness::Client);
            if let Some(values) = values.filter(|values| !values.iter().any(|value| value == text)) {
                broken.push(Constraint::OneOf(values));
            }
        }
        broken
    }

    /// The parts of a value whose own constraints are checked already.
    fn inside(&mut self, shape: &Shape, value: &Value, place: &Place<'_>) {
        if self.is_full() {
            return;
        }
        if place.depth() >= DEEPEST {
            if matches!(value, Value::Array(_) | Value::Object(_)) {
                let message = "The request is nested too deeply".to_owned();
                self.add(shape, value, place, place.path(), message, Constraint::TooDeep);
            }
            return;
        }
        match (shape.kind, value) {
            (Kind::Structure | Kind::Union, Value::Object(members)) => {
                self.structure(shape, members, place);
                #[cfg(test)]
                self.unknown_members(value, |name| shape.members().any(|member| member.name == name), place);
            }
            (Kind::List, Value::Array(values)) => {
                let places = values.iter().enumerate().map(|(index, value)| (Place::Element(place, index), value));
                self.elements(shape, value, places, place);
            }
            (Kind::Map, Value::Object(entries)) => {
                self.keys(shape, value, entries, place);
                let places = entries.iter().map(|(key, value)| (Place::Entry(place, key), value));
                self.elements(shape, value, places, place);
            }
            _ => {}
        }
    }

    fn structure(&mut self, shape: &Shape, members: &Map<String, Value>, place: &Place<'_>) {
        for member in shape.members() {
            let place = Place::Member(place, member.name);
            match members.get(member.name).filter(|value| !value.is_null()) {
                Some(value) => {
                    if let Some(shape) = self.table.shape(member.shape) {
                        self.value(&shape, value, &place);
                    }
                }
                None if member.required => {
                    let path = place.path();
                    let constraint = Constraint::Required;
                    let message =
                        format!("Value null at '{path}' failed to satisfy constraint: {}", words(&constraint));
                    self.add(shape, &Value::Null, &place, path, message, constraint);
                }
                None => {}
            }
        }
        let is_one = members.values().filter(|value| !value.is_null()).count() == 1;
        if shape.kind == Kind::Union && self.strictness != Strictness::Client && !is_one {
            let path = place.path();
            let constraint = Constraint::OneMember;
            let message = format!("Value at '{path}' failed to satisfy constraint: {}", words(&constraint));
            self.add(shape, &Value::Null, place, path, message, constraint);
        }
    }

    #[cfg(test)]
    fn unknown_members(&mut self, value: &Value, is_declared: impl Fn(&str) -> bool, place: &Place<'_>) {
        let Some(members) = value.as_object().filter(|_| self.strictness == Strictness::Exact) else { return };
        for name in members.keys().filter(|name| !is_declared(name)) {
            if self.is_full() {
                return;
            }
            let place = Place::Member(place, name);
            let (field, path, constraint) = (place.field(), place.path(), Constraint::UnknownMember);
            let message = format!("Value at '{path}' failed to satisfy constraint: {}", words(&constraint));
            self.violations.push(Violation { field, path, message, constraint, value: None });
        }
    }

    /// The elements of a list or the values of a map. Services read a null among them as nothing.
    fn elements<'a>(
        &mut self,
        container: &Shape,
        whole: &Value,
        elements: impl Iterator<Item = (Place<'a>, &'a Value)>,
        place: &Place<'_>,
    ) {
        let Some(shape) = container.element().and_then(|name| self.table.shape(name)) else { return };
        let mut bad = 0;
        for (at, value) in elements.filter(|(_, value)| !value.is_null()) {
            if self.is_full() {
                return;
            }
            if !self.has_type(&shape, value, &at) {
                continue;
            }
            if bad < MOST_BAD_ELEMENTS {
                let broken = self.broken(&shape, value);
                bad += broken.len();
                let intro = if container.kind == Kind::Map { "Map value" } else { "Member" };
                self.bad_elements(intro, (container, whole, place), (&shape, value, &at), broken);
            }
            self.inside(&shape, value, &at);
        }
    }

    fn keys(&mut self, container: &Shape, whole: &Value, entries: &Map<String, Value>, place: &Place<'_>) {
        let Some(shape) = container.key().and_then(|name| self.table.shape(name)) else { return };
        let mut bad = 0;
        for key in entries.keys() {
            if bad >= MOST_BAD_ELEMENTS || self.is_full() {
                return;
            }
            let at = Place::Entry(place, key);
            let key = Value::String(key.clone());
            let broken = self.broken(&shape, &key);
            bad += broken.len();
            self.bad_elements("Map keys", (container, whole, place), (&shape, &key, &at), broken);
        }
    }

    /// Services report a bad element at its list or map, with everything that an element has to keep.
    fn bad_elements(
        &mut self,
        intro: &str,
        (container, whole, place): (&Shape, &Value, &Place<'_>),
        (shape, value, at): (&Shape, &Value, &Place<'_>),
        broken: Vec<Constraint>,
    ) {
        if broken.is_empty() {
            return;
        }
        let echoed = echo::echo(self.table, container, whole).unwrap_or_default();
        let path = place.path();
        let all = all_words(shape).join(", ");
        let message = format!(
            "Value '{echoed}' at '{path}' failed to satisfy constraint: {intro} must satisfy constraint: [{all}]"
        );
        for constraint in broken {
            self.add(shape, value, at, path.clone(), message.clone(), constraint);
        }
    }

    fn wrong_type(&mut self, kind: Kind, sensitive: bool, value: &Value, place: &Place<'_>) {
        if self.unreadable.len() >= MOST_VIOLATIONS {
            return;
        }
        let value_shown = if sensitive { None } else { shown(value, place) };
        self.unreadable.push(Violation {
            field: place.field(),
            path: place.path(),
            message: unreadable_words(kind, value),
            constraint: Constraint::Type(kind),
            value: value_shown,
        });
    }

    fn add(
        &mut self,
        shape: &Shape,
        value: &Value,
        place: &Place<'_>,
        path: String,
        message: String,
        constraint: Constraint,
    ) {
        if self.is_full() {
            return;
        }
        let value = if shape.sensitive || shape.kind == Kind::Blob { None } else { shown(value, place) };
        let violation = Violation { field: place.field(), path, message, constraint, value };
        if violation.constraint.is_serialization() {
            self.unreadable.push(violation);
        } else {
            self.violations.push(violation);
        }
    }

    fn is_full(&self) -> bool {
        self.violations.len() >= MOST_VIOLATIONS || self.unreadable.len() >= MOST_VIOLATIONS
    }
}

/// The one number that a shape's limits are about.
fn measured(shape: &Shape, value: &Value) -> Option<(Number, Measure)> {
    let counted = match (shape.kind, value) {
        (Kind::Integer | Kind::Long, value) => {
            return whole(value).map(|number| (Number::Whole(number), Measure::Value));
        }
        (Kind::Float, value) => return real(value).map(|number| (Number::Real(number), Measure::Value)),
        (Kind::String, Value::String(text)) => (text.chars().count(), Measure::Characters),
        (Kind::Blob, Value::String(text)) => (decoded_length(text)?, Measure::Bytes),
        (Kind::List, Value::Array(values)) => {
            (values.iter().filter(|value| !value.is_null()).count(), Measure::Elements)
        }
        (Kind::Map, Value::Object(map)) => (map.values().filter(|value| !value.is_null()).count(), Measure::Entries),
        _ => return None,
    };
    Some((Number::length(counted.0), counted.1))
}

fn whole(value: &Value) -> Option<i128> {
    let number = value.as_number()?;
    number.as_i128().or_else(|| number.as_f64().filter(|real| real.fract() == 0.0).map(|real| real as i128))
}

fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// How many bytes a base64 text stands for, or `None` for another text.
fn decoded_length(text: &str) -> Option<usize> {
    let digits = text.trim_end_matches('=');
    let is_base64 = digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    (is_base64 && text.len().is_multiple_of(4) && text.len() - digits.len() <= 2).then_some(digits.len() * 3 / 4)
}

fn shown(value: &Value, place: &Place<'_>) -> Option<String> {
    if place.is_in_map() {
        return None;
    }
    let text = match value {
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
        // Cut before it is written, as it may be of any length.
        Value::String(text) => Value::String(text.chars().take(SHOWN + 1).collect()).to_string(),
        scalar => scalar.to_string(),
    };
    let is_long = value.as_str().is_some_and(|text| text.chars().nth(SHOWN).is_some());
    Some(if is_long { format!("{}...\"", text.chars().take(SHOWN).collect::<String>()) } else { text })
}

/// The service's words for one constraint.
fn words(constraint: &Constraint) -> String {
    match constraint {
        Constraint::Required => "Member must not be null".to_owned(),
        Constraint::AtLeast { limit, measure, .. } => {
            format!("Member must have {} greater than or equal to {limit}", dimension(*measure))
        }
        Constraint::AtMost { limit, measure, .. } => {
            format!("Member must have {} less than or equal to {limit}", dimension(*measure))
        }
        Constraint::Pattern(pattern) => format!("Member must satisfy regular expression pattern: {pattern}"),
        Constraint::OneOf(values) => {
            format!("Member must satisfy enum value set: [{}]", values.iter().collect::<Vec<_>>().join(", "))
        }
        #[cfg(test)]
        Constraint::UnknownMember => "Member is not declared".to_owned(),
        Constraint::OneMember => "Member must have exactly one member set".to_owned(),
        Constraint::Type(kind) => format!("Member must be {}", kind.noun()),
        Constraint::TooDeep => "Member is nested too deeply".to_owned(),
    }
}

fn dimension(measure: Measure) -> &'static str {
    if measure == Measure::Value { "value" } else { "length" }
}

/// Everything that a value of the shape has to keep, in the service's order.
fn all_words(shape: &Shape) -> Vec<String> {
    let measure = match shape.kind {
        Kind::Integer | Kind::Long | Kind::Float => Measure::Value,
        _ => Measure::Characters,
    };
    let found = String::new;
    let all = [
        shape.greatest().map(|limit| Constraint::AtMost { limit, measure, found: found() }),
        shape.least().map(|limit| Constraint::AtLeast { limit, measure, found: found() }),
        shape.pattern().map(Constraint::Pattern),
        shape.values().map(Constraint::OneOf),
    ];
    all.iter().flatten().map(words).collect()
}

/// The service's words for a JSON type that it does not expect.
fn unreadable_words(kind: Kind, value: &Value) -> String {
    let token = match (kind, value) {
        (Kind::List, Value::Object(_)) => return "Start of structure or map found where not expected.".to_owned(),
        (Kind::List, _) => return "Expected list or null".to_owned(),
        (_, Value::Array(_)) => return "Start of list found where not expected".to_owned(),
        (Kind::Map | Kind::Structure | Kind::Union, _) => return "Expected null".to_owned(),
        (_, Value::Object(_)) => return "Start of structure or map found where not expected.".to_owned(),
        (_, Value::Null) => return "Expected a value".to_owned(),
        (_, Value::Bool(true)) => "TRUE_VALUE",
        (_, Value::Bool(false)) => "FALSE_VALUE",
        (_, Value::Number(_)) => "NUMBER_VALUE",
        (_, Value::String(_)) => "STRING_VALUE",
    };
    let due = match kind {
        Kind::Integer => "an Integer",
        Kind::Long => "a Long",
        Kind::Float => "a Float",
        Kind::Boolean => "a Boolean",
        Kind::Timestamp => "milliseconds since epoch",
        Kind::Blob => "a Blob",
        _ => "a String",
    };
    format!("{token} can not be converted to {due}")
}
