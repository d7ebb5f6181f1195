//! The client against a server that plays scripts.

mod fake_server;
mod log;
mod provider;
mod token;
mod token_streams;
