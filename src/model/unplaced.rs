//! Models whose code is not in its place yet.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use super::{CreateModel, ModelData};
use crate::{Result, Session};

/// What becomes a model of an image once its code is in its place.
pub(crate) trait Unplaced: Debug + Send + Sync {
    /// Puts the code in its place. What was set wins over what it has itself.
    fn placed<'a>(self: Box<Self>, session: &'a Session, set: SetOnModel) -> Placing<'a>;
}

/// Code on its way.
pub(crate) type Placing<'a> = Pin<Box<dyn Future<Output = Result<CreateModel>> + Send + 'a>>;

/// What was set on a model before its code is in its place, and matters to that. Without `Debug`, as the environment may hold tokens.
pub(crate) struct SetOnModel {
    pub(crate) name: Option<String>,
    pub(crate) base_name: Option<String>,
    pub(crate) data: Option<ModelData>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) network_isolation: bool,
    pub(crate) instance_type: Option<String>,
}
