//! The one integration binary: linking the AWS crates is slow, so it is done once.

mod architecture;
