//! The one integration binary: linking the AWS crates is slow, so it is done once.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unreachable_pub, reason = "nothing is reachable in a test binary")]

mod architecture;
mod attach;
mod bad_input;
mod defaults;
mod engines;
mod failures;
mod faults;
mod faults_on_demand;
mod fixture;
mod following;
mod hosting;
mod logs;
mod lost_answers;
mod main_job;
mod metric_series;
mod moto;
mod parity;
mod plans;
mod record_sets;
mod s3;
mod server;
mod session;
mod sockets;
mod source;
mod teardown;
mod training_options;
mod waiting;
mod wire;
