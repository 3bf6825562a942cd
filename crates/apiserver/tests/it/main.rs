//! The API server from outside.

mod client;
mod crash;
mod kubectl;
mod replay;
mod server;
mod watches;
