//! The server against the stock `git` client, and our client against both.

mod client;
mod crash;
mod hostile;
mod server;
mod stock_server;
mod support;
mod tls;
