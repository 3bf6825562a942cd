//! The server against the stock `git` client, and our client against both.

mod server;
mod support;
