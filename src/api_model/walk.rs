//! A way through the model's shapes, for who reads more from it than whether a document is valid.

use serde_json::{Map, Value};

pub(crate) use super::table::{EnumValues, Kind, Member};

use super::Service;
use super::table::Table;
#[cfg(test)]
use super::{
    pattern::matches,
    table::{Limit, Number},
};

/// A shape of a service's model, by its name.
#[derive(Clone, Copy)]
pub(crate) struct ModelShape {
    table: Table,
    name: &'static str,
}

impl ModelShape {
    /// What an operation takes.
    pub(crate) fn input(service: Service, operation: &str) -> Option<Self> {
        let table = service.table();
        table.operation(operation).map(|(name, _)| Self { table, name })
    }

    /// What an operation answers. An operation without output has a shape without members.
    pub(crate) fn output(service: Service, operation: &str) -> Option<Self> {
        let table = service.table();
        table.operation(operation).map(|(_, name)| Self { table, name })
    }

    pub(crate) fn kind(self) -> Kind {
        self.table.shape(self.name).map_or(Kind::Structure, |shape| shape.kind)
    }

    /// The declared members, in the model's order.
    pub(crate) fn members(self) -> impl Iterator<Item = (Member, Self)> {
        let members: Vec<Member> =
            self.table.shape(self.name).into_iter().flat_map(|shape| shape.members().collect::<Vec<_>>()).collect();
        members.into_iter().map(move |member| (member, Self { table: self.table, name: member.shape }))
    }

    pub(crate) fn member(self, name: &str) -> Option<Self> {
        self.members().find(|(member, _)| member.name == name).map(|(_, shape)| shape)
    }

    /// The shape of a list's elements or of a map's values.
    pub(crate) fn element(self) -> Option<Self> {
        let name = self.table.shape(self.name)?.element()?;
        Some(Self { table: self.table, name })
    }

    /// The least length or value, where there is one above zero.
    #[cfg(test)]
    pub(crate) fn least(self) -> f64 {
        let least = self.table.shape(self.name).and_then(|shape| shape.least());
        least.map_or(0.0, Limit::value).max(0.0)
    }

    /// Whether a text fits length, pattern and values.
    #[cfg(test)]
    pub(crate) fn accepts(self, text: &str) -> bool {
        let Some(shape) = self.table.shape(self.name) else { return true };
        let length = Number::length(text.chars().count());
        !shape.least().is_some_and(|limit| limit.is_above(length))
            && !shape.greatest().is_some_and(|limit| limit.is_below(length))
            && shape.pattern().is_none_or(|pattern| matches(pattern, text))
            && shape.values().is_none_or(|values| values.iter().any(|value| value == text))
    }

    /// The values of an enum.
    pub(crate) fn values(self) -> Option<EnumValues> {
        self.table.shape(self.name)?.values()
    }

    /// The shape of a map's keys.
    #[cfg(test)]
    pub(crate) fn key(self) -> Option<Self> {
        let name = self.table.shape(self.name)?.key()?;
        Some(Self { table: self.table, name })
    }

    #[cfg(test)]
    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    /// The part of a document that the shape declares: a service gives nothing back that it does not know.
    pub(crate) fn project(self, value: &Value) -> Value {
        match (self.kind(), value) {
            (Kind::Structure | Kind::Union, Value::Object(found)) => Value::Object(self.project_members(found)),
            (Kind::List, Value::Array(items)) => match self.element() {
                Some(element) => items.iter().map(|item| element.project(item)).collect(),
                None => value.clone(),
            },
            (Kind::Map, Value::Object(entries)) => match self.element() {
                Some(element) => {
                    Value::Object(entries.iter().map(|(key, value)| (key.clone(), element.project(value))).collect())
                }
                None => value.clone(),
            },
            _ => value.clone(),
        }
    }

    /// [`project`](Self::project) for the members of a structure.
    pub(crate) fn project_members(self, found: &Map<String, Value>) -> Map<String, Value> {
        let present = self.members().filter_map(|(member, shape)| {
            let value = found.get(member.name).filter(|value| !value.is_null())?;
            Some((member.name.to_owned(), shape.project(value)))
        });
        present.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_shape_does_not_declare_is_left_out() {
        let output = ModelShape::output(Service::SageMaker, "DescribeModel").unwrap();
        let document = json!({
            "ModelName": "m",
            "Other": 1,
            "VpcConfig": null,
            "Containers": [{"Image": "i", "Environment": {"A": "b"}, "New": {}}],
        });
        let expected = json!({"ModelName": "m", "Containers": [{"Image": "i", "Environment": {"A": "b"}}]});
        assert_eq!(output.project(&document), expected);
        let nothing = ModelShape::output(Service::SageMaker, "DeleteModel").unwrap();
        assert_eq!(nothing.project(&document), json!({}));
        assert!(ModelShape::input(Service::SageMaker, "CreateNothing").is_none());
    }
}
