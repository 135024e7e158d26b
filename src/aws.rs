//! The AWS clients.

pub(crate) mod validation;
