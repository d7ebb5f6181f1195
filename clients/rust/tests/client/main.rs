//! The client against a server that plays scripts.

mod fake_server;
mod log;
mod token;
