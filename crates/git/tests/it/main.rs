//! The server against the stock `git` client, and our client against both.

mod client;
mod server;
mod support;
