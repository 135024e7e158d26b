use super::table::{Kind, Shape, Table};
use super::{Service, ends};

/// A shape of the model: to walk along with a document whose protocol does not say what its values are.
#[derive(Clone, Copy)]
pub(crate) struct Node {
    table: Table,
    shape: Shape,
}

impl Node {
    /// An operation's input; `None` if it has none.
    pub(crate) fn input(service: Service, operation: &str) -> Option<Self> {
        Self::of(service.table(), ends(service, operation).ok()?.0)
    }

    /// An operation's output; `None` if it has none.
    pub(crate) fn output(service: Service, operation: &str) -> Option<Self> {
        Self::of(service.table(), ends(service, operation).ok()?.1)
    }

    fn of(table: Table, shape: &str) -> Option<Self> {
        table.shape(shape).map(|shape| Self { table, shape })
    }

    pub(crate) fn kind(self) -> Kind {
        self.shape.kind
    }

    /// The member of a structure.
    pub(crate) fn member(self, name: &str) -> Option<Self> {
        let member = self.shape.members().find(|member| member.name == name)?;
        Self::of(self.table, member.shape)
    }

    /// What a list or a map holds.
    pub(crate) fn element(self) -> Option<Self> {
        Self::of(self.table, self.shape.element()?)
    }
}
