//! The server over loopback: raw sockets for what a proper client never does, and the AWS clients for what they do.

mod clients;
mod crowd;
mod hostile;
mod http;
mod raw;
mod signatures;
