//! The records of one call (clients/BEHAVIOUR.md, C5.9).

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::client_log::{millis, Fields, Log, LogEvent, LogLevel, LogValue};
use crate::error::{Code, Error};
use crate::sync::locked;

/// From the first attempt of a call to what its caller has of it. Dropped before, its caller has left it.
pub(crate) struct CallLog {
    log: Log,
    method: &'static str,
    state: Mutex<Option<State>>,
}

/// Of a call that has begun, and has not ended.
struct State {
    number: i64,
    began: Instant,
    attempts: i64,
}

impl CallLog {
    pub fn new(log: &Log, method: &'static str) -> CallLog {
        CallLog { log: log.clone(), method, state: Mutex::new(None) }
    }

    /// Its first attempt begins.
    pub fn begun(&self) {
        if !self.log.is_heard() || locked(&self.state).is_some() {
            return;
        }
        let number = self.log.next_call();
        *locked(&self.state) = Some(State { number, began: Instant::now(), attempts: 1 });
        self.tell(LogLevel::Debug, LogEvent::CallStarted, number, || (format!("{} begins", self.method), Vec::new()));
    }

    /// It is made again, after a wait.
    pub fn repeated(&self, error: &Error, wait: Duration) {
        let counted = locked(&self.state).as_mut().map(|state| {
            state.attempts += 1;
            (state.number, state.attempts)
        });
        let Some((number, attempt)) = counted else { return };
        self.tell(LogLevel::Info, LogEvent::CallRepeated, number, || {
            let (status, method) = (error.code().name(), self.method);
            let text = format!("{method} is repeated in {} ms after {status}: {}", millis(wait), error.message());
            let attempt = LogValue::Number(attempt);
            (text, vec![("attempt", attempt), ("status", status.into()), ("delay_ms", wait.into())])
        });
    }

    /// It is made again beside itself.
    pub fn hedged(&self, copy: usize) {
        let Some(number) = locked(&self.state).as_ref().map(|state| state.number) else { return };
        self.tell(LogLevel::Debug, LogEvent::CallHedged, number, || {
            let copy = LogValue::Number(i64::try_from(copy).unwrap_or(i64::MAX));
            (format!("{} is asked again beside", self.method), vec![("copy", copy)])
        });
    }

    /// Its caller has its end. Only the first one counts.
    pub fn ended(&self, error: Option<&Error>) {
        let is_own = error.map_or(true, |error| error.is(Code::Cancelled) && !error.is_from_server());
        let level = if is_own { LogLevel::Debug } else { LogLevel::Info };
        self.end(level, error.map_or(Code::Ok, Error::code), error.map_or("", Error::message));
    }

    /// Its caller has left it.
    pub fn left(&self) {
        self.end(LogLevel::Debug, Code::Cancelled, "");
    }

    fn end(&self, level: LogLevel, code: Code, why: &str) {
        let Some(state) = locked(&self.state).take() else { return };
        self.tell(level, LogEvent::CallEnded, state.number, || {
            let (took, status) = (state.began.elapsed(), code.name());
            let separator = if why.is_empty() { "" } else { ": " };
            let text = format!("{} ended with {status} after {} ms{separator}{why}", self.method, millis(took));
            let attempts = LogValue::Number(state.attempts);
            (text, vec![("status", status.into()), ("duration_ms", took.into()), ("attempts", attempts)])
        });
    }

    fn tell(&self, level: LogLevel, event: LogEvent, number: i64, make: impl FnOnce() -> (String, Fields)) {
        self.log.tell(level, event, || {
            let (text, more) = make();
            let mut fields = vec![("call", LogValue::Number(number)), ("method", self.method.into())];
            fields.extend(more);
            (text, fields)
        });
    }
}

impl Drop for CallLog {
    fn drop(&mut self) {
        self.left();
    }
}
