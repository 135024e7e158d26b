//! Models: an image with trained artifacts, ready to be deployed or to transform in batches.

mod create;
mod data;
mod handle;
mod package;
mod unplaced;

pub use create::CreateModel;
pub(crate) use data::ModelData;
pub use handle::{Model, ModelDescription};
pub(crate) use unplaced::{Placing, SetOnModel, Unplaced};
