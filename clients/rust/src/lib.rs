//! A typed client of Hito, over its protocol `hito/1`.
//!
//! ```no_run
//! # async fn example() -> Result<(), hito::Error> {
//! let client = hito::Client::builder("127.0.0.1:7443").ca_file("ca.pem").token("…").connect().await?;
//! let request = hito::v1::CreateGoalRequest { title: "Aprender FastAPI".into(), ..Default::default() };
//! let made = client.goals().create_goal(request).await?;
//! # drop(made);
//! # Ok(())
//! # }
//! ```
//!
//! What every client of Hito does alike is said in `clients/BEHAVIOUR.md`; the numbers in comments (C2.3, W9.2) are
//! its clauses, and those of `Protos/PROTOCOL.md`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod builder;
mod call_log;
mod calls;
mod channel;
mod client;
mod client_log;
mod compression;
mod connection;
mod consume;
mod credit;
mod dial;
mod error;
mod health;
mod hedging;
mod interceptor;
mod metadata;
mod method;
mod options;
mod pool;
mod pool_machine;
mod random;
mod resume;
mod retry;
mod stream;
mod subject;
mod sync;
mod tls;
mod token_machine;
mod tokens;
#[rustfmt::skip]
#[path = "generated/hito/v1/mod.rs"]
pub mod v1;
#[cfg(test)]
mod vectors;
mod wire;

pub use builder::{Balancing, ClientBuilder};
pub use calls::{BidiCall, ClientStreamCall, Response, ServerStreamCall, UnaryCall};
pub use channel::Channel;
pub use client::Client;
pub use client_log::{log_to, LogEvent, LogLevel, LogRecord, LogValue};
pub use consume::{Consumer, ConsumerBuilder, Delivery};
pub use error::{Code, Error};
pub use interceptor::{BoxFuture, Interceptor, Next, Reply};
pub use metadata::{Metadata, MetadataValue, ResponseInfo};
pub use method::{Method, MethodKind};
pub use options::CallOptions;
pub use resume::{ResumingBatch, ResumingRevalidation, ResumingValidation, ResumingWatch};
pub use retry::{Hedging, RetryBudget};
pub use stream::ResponseStream;
pub use token_machine::Token;
