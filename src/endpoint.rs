//! Endpoints: models that answer requests, until they are deleted.

mod delete;
mod deploy;
mod guard;
mod handle;
mod removal;
mod status;
mod wait;

pub use delete::{DeleteEndpoint, Deleted, Deletion, DeletionReport};
pub use deploy::Deploy;
pub use guard::EndpointGuard;
pub use handle::{Endpoint, EndpointDescription};
pub use status::EndpointStatus;
pub use wait::WaitInService;
