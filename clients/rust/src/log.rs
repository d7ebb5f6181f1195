//! What a client does by itself, for logs.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;

/// Something that a client did or met by itself. No event carries a token or a message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A server answered.
    Connected {
        /// `host:port`.
        address: String,
    },
    /// A server did not answer, or is not trusted.
    Unreachable {
        /// `host:port`.
        address: String,
        /// Why.
        error: Error,
    },
    /// A connection takes no more calls: it drains, or is lost.
    Retired {
        /// `host:port`.
        address: String,
        /// Why, where it is lost.
        error: Option<Error>,
    },
    /// A call that failed is made again after a wait.
    Repeating {
        /// For example `hito.v1.GoalService/GetGoal`.
        method: &'static str,
        /// What came of it.
        error: Error,
        /// How long it waits.
        wait: Duration,
    },
}

/// Hears of events. It is called where they happen, and must not block.
pub(crate) type Log = Option<Arc<dyn Fn(&Event) + Send + Sync>>;

pub(crate) fn tell(log: &Log, event: impl FnOnce() -> Event) {
    if let Some(log) = log {
        log(&event());
    }
}
