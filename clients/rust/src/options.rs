//! What a caller may say about one call, beside its request.

use std::time::Duration;

use crate::metadata::Metadata;
use crate::retry::Hedging;

/// The same for calls of any kind, as interceptors see them.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct CallOptions {
    /// How long the call may take, repeats included. Of a unary call the client's where none; a stream has none then.
    pub timeout: Option<Duration>,
    /// Goes with the call.
    pub metadata: Metadata,
    /// Instead of the client's.
    pub token: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// Whether the call waits for a server within its time while none can be reached; as the client says where none.
    pub wait_for_ready: Option<bool>,
    /// Under which the caller may repeat the call (W14).
    pub idempotency_key: Option<String>,
    /// Of unary calls: makes the call again beside the first where no response comes. A call that writes needs an
    /// `idempotency_key` for it.
    pub hedging: Option<Hedging>,
}

impl std::fmt::Debug for CallOptions {
    // Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallOptions")
            .field("timeout", &self.timeout)
            .field("metadata", &self.metadata)
            .field("traceparent", &self.traceparent)
            .field("wait_for_ready", &self.wait_for_ready)
            .field("idempotency_key", &self.idempotency_key)
            .field("hedging", &self.hedging)
            .finish_non_exhaustive()
    }
}
