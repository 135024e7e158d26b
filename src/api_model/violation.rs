#[cfg(feature = "local")]
use std::collections::HashSet;
use std::fmt;

use super::table::{EnumValues, Kind, Limit};

/// How many enum values the text for people lists; instance types alone are hundreds.
const LISTED_VALUES: usize = 12;

/// A value that the model does not allow.
///
/// [`Display`](fmt::Display) is the text for people on the client side: `TrainingJobName: "a_b" must match ..`.
/// `Debug` does not show [`message`](Self::message), which can repeat a whole map.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// As a user writes it: `ProductionVariants[0].ModelName`. Empty for the document itself.
    pub(crate) field: String,
    /// As the service writes it: `productionVariants.1.member.modelName`. It ends at the list or map where the
    /// service reports a bad element there.
    pub(crate) path: String,
    /// The service's words for this one violation; see [`message`](message()) for an answer.
    pub(crate) message: String,
    /// What was not kept.
    pub(crate) constraint: Constraint,
    /// The value as JSON, shortened; `None` for what is not repeated.
    pub(super) value: Option<String>,
}

/// What a value has to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Constraint {
    /// The member must be there.
    Required,
    /// At least so long, so many or so much.
    AtLeast { limit: Limit, measure: Measure, found: String },
    /// At most so long, so many or so much.
    AtMost { limit: Limit, measure: Measure, found: String },
    /// The whole text must match.
    Pattern(&'static str),
    /// One of these values. Counts for [`Strictness::Server`](super::Strictness::Server) only.
    OneOf(EnumValues),
    /// The model has no such member. The real services ignore such members, and so does everything but the tests.
    #[cfg(test)]
    UnknownMember,
    /// A union must have exactly one member. Counts for [`Strictness::Server`](super::Strictness::Server) only.
    OneMember,
    /// Another JSON type is due: the services answer `SerializationException`.
    Type(Kind),
    /// Nested deeper than anything in the model, which answers `SerializationException` too.
    TooDeep,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Characters,
    Bytes,
    Elements,
    Entries,
    /// The number itself.
    Value,
}

impl Constraint {
    /// Whether the request cannot even be read: `SerializationException` instead of `ValidationException`.
    pub(crate) fn is_serialization(&self) -> bool {
        matches!(self, Self::Type(_) | Self::TooDeep)
    }

    /// Whether it is about the form or the length of a value that is there, and not about its worth.
    #[cfg(feature = "local")]
    pub(crate) fn is_of_form(&self) -> bool {
        match self {
            Self::Pattern(_) => true,
            Self::AtLeast { measure, .. } | Self::AtMost { measure, .. } => *measure != Measure::Value,
            _ => false,
        }
    }
}

impl Violation {
    /// Takes the value out of the service's words, as services do with some members.
    #[cfg(feature = "local")]
    pub(crate) fn mute(&mut self) {
        let end = format!("at '{}' failed to satisfy", self.path);
        if let Some(at) = self.message.rfind(&end)
            && self.message.starts_with("Value ")
        {
            self.message.replace_range(.."Value ".len().max(at), "Value ");
        }
    }

    /// What is wrong and what is accepted, without the field: `"a_b" must match ..`.
    pub(crate) fn advice(&self) -> String {
        let value = self.value.as_deref().map_or_else(String::new, |value| format!("{value} "));
        match &self.constraint {
            Constraint::Required => "is required".to_owned(),
            Constraint::AtLeast { limit, measure, found } => {
                format!("{value}{}", must("at least", *limit, *measure, found))
            }
            Constraint::AtMost { limit, measure, found } => {
                format!("{value}{}", must("at most", *limit, *measure, found))
            }
            Constraint::Pattern(pattern) => format!("{value}must match {pattern}"),
            Constraint::OneOf(values) => {
                let listed: Vec<&str> = values.iter().take(LISTED_VALUES).collect();
                let more = values.iter().count() - listed.len();
                let rest = if more > 0 { format!(" or {more} others") } else { String::new() };
                format!("{value}must be one of {}{rest}", listed.join(", "))
            }
            #[cfg(test)]
            Constraint::UnknownMember => "is not a member of the request".to_owned(),
            Constraint::OneMember => "must have exactly one member".to_owned(),
            Constraint::Type(kind) => format!("{value}must be {}", kind.noun()),
            Constraint::TooDeep => "is nested too deeply".to_owned(),
        }
    }
}

fn must(bound: &str, limit: Limit, measure: Measure, found: &str) -> String {
    let counted = match measure {
        Measure::Characters => "characters",
        Measure::Bytes => "bytes",
        Measure::Elements => "elements",
        Measure::Entries => "entries",
        Measure::Value => return format!("must be {bound} {limit}"),
    };
    format!("must have {bound} {limit} {counted}, has {found}")
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.advice())
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Violation")
            .field("field", &self.field)
            .field("constraint", &self.constraint)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

/// The text of a service's answer: `2 validation errors detected: A; B`. A request that cannot be read is answered
/// with the words for its first wrong type alone.
///
/// The services report a list's or map's bad elements once, so equal messages count as one.
#[cfg(feature = "local")]
pub(crate) fn message(violations: &[Violation]) -> String {
    if let Some(first) = violations.iter().find(|violation| violation.constraint.is_serialization()) {
        return first.message.clone();
    }
    let mut seen = HashSet::new();
    let distinct: Vec<&str> =
        violations.iter().map(|violation| violation.message.as_str()).filter(|text| seen.insert(*text)).collect();
    let errors = if distinct.len() == 1 { "error" } else { "errors" };
    format!("{} validation {errors} detected: {}", distinct.len(), distinct.join("; "))
}
