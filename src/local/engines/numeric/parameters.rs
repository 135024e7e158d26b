//! Hyperparameters: which there are, how their text is read, what is refused.

use std::collections::BTreeMap;

use super::refused;
use crate::local::engines::EngineFailure;

/// One hyperparameter.
#[derive(Debug, Clone, Copy)]
pub(in crate::local::engines) struct Spec {
    pub(in crate::local::engines) name: &'static str,
    kind: Kind,
    default: Preset,
    /// Whether `auto` is a value.
    auto: bool,
}

#[derive(Debug, Clone, Copy)]
enum Preset {
    Required,
    Absent,
    Value(&'static str),
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Int {
        min: i64,
        max: i64,
    },
    /// From `min` to `max`; whether each of them is a value itself.
    Float {
        min: f64,
        max: f64,
        min_is: bool,
        max_is: bool,
    },
    Choice(&'static [&'static str]),
    /// A positive number or one of these.
    PositiveOr(&'static [&'static str]),
    Flag,
    /// A JSON list of these.
    List(&'static [&'static str]),
}

/// An integer of at least `min`.
pub(in crate::local::engines) const fn int(name: &'static str, min: i64, max: i64) -> Spec {
    Spec { name, kind: Kind::Int { min, max }, default: Preset::Absent, auto: false }
}

/// A number between two others, these included.
pub(in crate::local::engines) const fn float(name: &'static str, min: f64, max: f64) -> Spec {
    let kind = Kind::Float { min, max, min_is: true, max_is: true };
    Spec { name, kind, default: Preset::Absent, auto: false }
}

/// A number between two others, these excluded.
pub(in crate::local::engines) const fn between(name: &'static str, min: f64, max: f64) -> Spec {
    let kind = Kind::Float { min, max, min_is: false, max_is: false };
    Spec { name, kind, default: Preset::Absent, auto: false }
}

/// A number from 0 up to, but not, 1.
pub(in crate::local::engines) const fn share(name: &'static str) -> Spec {
    let kind = Kind::Float { min: 0.0, max: 1.0, min_is: true, max_is: false };
    Spec { name, kind, default: Preset::Absent, auto: false }
}

pub(in crate::local::engines) const fn choice(name: &'static str, values: &'static [&'static str]) -> Spec {
    Spec { name, kind: Kind::Choice(values), default: Preset::Absent, auto: false }
}

pub(in crate::local::engines) const fn flag(name: &'static str) -> Spec {
    Spec { name, kind: Kind::Flag, default: Preset::Absent, auto: false }
}

pub(in crate::local::engines) const fn list(name: &'static str, values: &'static [&'static str]) -> Spec {
    Spec { name, kind: Kind::List(values), default: Preset::Absent, auto: false }
}

impl Spec {
    /// A positive number or one of some words.
    pub(in crate::local::engines) const fn positive_or(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, kind: Kind::PositiveOr(values), default: Preset::Absent, auto: false }
    }

    pub(in crate::local::engines) const fn required(mut self) -> Self {
        self.default = Preset::Required;
        self
    }

    pub(in crate::local::engines) const fn or(mut self, default: &'static str) -> Self {
        self.default = Preset::Value(default);
        self
    }

    /// `auto` is a value, and the default.
    pub(in crate::local::engines) const fn or_auto(mut self) -> Self {
        (self.default, self.auto) = (Preset::Value("auto"), true);
        self
    }

    fn takes(&self, text: &str) -> bool {
        if self.auto && text == "auto" {
            return true;
        }
        match self.kind {
            Kind::Int { min, max } => text.parse::<i64>().is_ok_and(|value| (min..=max).contains(&value)),
            Kind::Float { min, max, min_is, max_is } => text.parse::<f64>().is_ok_and(|value| {
                let above = value > min || (min_is && value == min);
                let below = value < max || (max_is && value == max);
                value.is_finite() && above && below
            }),
            Kind::Choice(values) => values.contains(&text),
            Kind::PositiveOr(values) => {
                values.contains(&text) || text.parse::<f64>().is_ok_and(|value| value.is_finite() && value > 0.0)
            }
            Kind::Flag => flag_of(text).is_some(),
            Kind::List(values) => serde_json::from_str::<Vec<String>>(text)
                .is_ok_and(|items| items.iter().all(|item| values.contains(&item.as_str()))),
        }
    }

    /// What is taken, for a refusal.
    fn expects(&self) -> String {
        let quoted = |values: &[&str]| {
            let names: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
            names.join(", ")
        };
        let auto = if self.auto { "'auto' or " } else { "" };
        let what = match self.kind {
            Kind::Int { min, max: i64::MAX } => format!("an integer of at least {min}"),
            Kind::Int { min, max } => format!("an integer from {min} to {max}"),
            Kind::Float { min, max, min_is, max_is } => {
                let open = if min_is { '[' } else { '(' };
                let close = if max_is && max.is_finite() { ']' } else { ')' };
                format!("a number in {open}{min}, {max}{close}")
            }
            Kind::Choice(values) => {
                return format!("one of the following: {}{}", if self.auto { "'auto', " } else { "" }, quoted(values));
            }
            Kind::PositiveOr(values) => format!("a positive number or one of the following: {}", quoted(values)),
            Kind::Flag => "one of the following: 'true', 'false'".to_owned(),
            Kind::List(values) => format!("a JSON list of: {}", quoted(values)),
        };
        format!("{auto}{what}")
    }
}

fn flag_of(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// The validated hyperparameters of one job, those with a default included.
#[derive(Debug, Clone)]
pub(in crate::local::engines) struct Parameters {
    values: BTreeMap<&'static str, String>,
}

impl Parameters {
    /// Reads and checks what a request carries. Names that begin with `_` are the service's own.
    pub(in crate::local::engines) fn parse(
        wire: &BTreeMap<String, String>,
        specs: &[Spec],
    ) -> Result<Self, EngineFailure> {
        let is_known = |name: &str| name.starts_with('_') || specs.iter().any(|spec| spec.name == name);
        let unknown: Vec<String> = wire.keys().filter(|name| !is_known(name)).map(|name| format!("'{name}'")).collect();
        if !unknown.is_empty() {
            let were = if unknown.len() == 1 { "was" } else { "were" };
            let what = format!("({} {were} unexpected)", unknown.join(", "));
            return Err(refused(format!(
                "Additional hyperparameters are not allowed {what} (caused by ValidationError)\n\nCaused by: Additional \
                 properties are not allowed {what}"
            )));
        }
        let mut values = BTreeMap::new();
        for spec in specs {
            let value = match (wire.get(spec.name), spec.default) {
                (Some(text), _) => text.trim().to_owned(),
                (None, Preset::Value(default)) => default.to_owned(),
                (None, Preset::Absent) => continue,
                (None, Preset::Required) => {
                    let name = spec.name;
                    return Err(refused(format!(
                        "No value(s) were specified for '{name}' which are required hyperparameter(s) (caused by \
                         ValidationError)\n\nCaused by: '{name}' is a required property"
                    )));
                }
            };
            if !spec.takes(&value) {
                return Err(refused(format!(
                    "The value '{value}' is not valid for the '{}' hyperparameter which expects {} (caused by \
                     ValidationError)",
                    spec.name,
                    spec.expects()
                )));
            }
            values.insert(spec.name, value);
        }
        Ok(Self { values })
    }

    /// The text of a value; `None` if it is `auto` or not given.
    pub(in crate::local::engines) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|text| *text != "auto")
    }

    pub(in crate::local::engines) fn float(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok()
    }

    /// A count; what does not fit is taken for the largest.
    pub(in crate::local::engines) fn count(&self, name: &str) -> Option<usize> {
        let value: i64 = self.text(name)?.parse().ok()?;
        usize::try_from(value).ok()
    }

    pub(in crate::local::engines) fn flag(&self, name: &str) -> Option<bool> {
        flag_of(self.text(name)?)
    }

    pub(in crate::local::engines) fn list(&self, name: &str) -> Vec<String> {
        self.text(name).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// As the containers print a configuration: a Python dictionary of strings.
    pub(in crate::local::engines) fn shown(&self) -> String {
        python_dictionary(self.values.iter().map(|(name, value)| (*name, value.as_str())))
    }
}

/// The defaults of a table, as a Python dictionary of strings.
pub(in crate::local::engines) fn defaults(specs: &[Spec]) -> String {
    python_dictionary(specs.iter().filter_map(|spec| match spec.default {
        Preset::Value(value) => Some((spec.name, value)),
        _ => None,
    }))
}

pub(in crate::local::engines) fn python_dictionary<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("'{name}': '{value}'")).collect();
    format!("{{{}}}", pairs.join(", "))
}
