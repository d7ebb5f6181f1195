//! What a client tells of itself (clients/BEHAVIOUR.md, C5.9).

use std::fmt;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;

/// Characters of a text in a record.
const TEXT_MAX: usize = 256;

/// How much a record matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Every step of every call.
    Debug,
    /// What is worth knowing later.
    Info,
    /// What an operator should look at where it is frequent.
    Warning,
}

/// What happened to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogEvent {
    /// A connection is being made: `address`.
    Connecting,
    /// A server answered: `address`, `server_id`, `duration_ms`.
    Connected,
    /// A server did not answer, or is not trusted: `address`, `reason`.
    ConnectFailed,
    /// A connection has ended: `address`, `reason`.
    Disconnected,
    /// `call` (a number of the client's calls, from 1), `method`.
    CallStarted,
    /// A call that failed is made again: `call`, `method`, `attempt` (2 is the first repeat), `status`, `delay_ms`.
    CallRepeated,
    /// A call is made again beside itself: `call`, `method`, `copy` (2 is the first copy).
    CallHedged,
    /// `call`, `method`, `status`, `duration_ms`, `attempts`.
    CallEnded,
    /// A stream is taken up again: `method`, `status`, `delay_ms`.
    WatchResumed,
    /// The token provider has given a token: `valid_ms` (-1: not said).
    TokenRefreshed,
    /// It has not, or its tokens are refused: `reason`, `rest_ms`.
    TokenFailed,
}

impl LogEvent {
    /// As all clients call it, for example `call_ended`.
    pub fn name(self) -> &'static str {
        match self {
            LogEvent::Connecting => "connecting",
            LogEvent::Connected => "connected",
            LogEvent::ConnectFailed => "connect_failed",
            LogEvent::Disconnected => "disconnected",
            LogEvent::CallStarted => "call_started",
            LogEvent::CallRepeated => "call_repeated",
            LogEvent::CallHedged => "call_hedged",
            LogEvent::CallEnded => "call_ended",
            LogEvent::WatchResumed => "watch_resumed",
            LogEvent::TokenRefreshed => "token_refreshed",
            LogEvent::TokenFailed => "token_failed",
        }
    }
}

impl fmt::Display for LogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogValue {
    /// At most 256 characters, none of which writes lines or commands to a terminal.
    Text(String),
    /// A count, or milliseconds.
    Number(i64),
}

impl LogValue {
    /// The text, where it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            LogValue::Text(text) => Some(text),
            LogValue::Number(_) => None,
        }
    }

    /// The number, where it is one.
    pub fn as_number(&self) -> Option<i64> {
        match self {
            LogValue::Number(number) => Some(*number),
            LogValue::Text(_) => None,
        }
    }
}

impl fmt::Display for LogValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogValue::Text(text) => write!(f, "{text:?}"),
            LogValue::Number(number) => write!(f, "{number}"),
        }
    }
}

impl From<&str> for LogValue {
    fn from(text: &str) -> Self {
        LogValue::Text(shown(text))
    }
}

impl From<Duration> for LogValue {
    fn from(time: Duration) -> Self {
        LogValue::Number(millis(time))
    }
}

/// Something that happened to a client. It never has tokens, metadata, messages or keys.
///
/// Shown (`{}`) it is the sentence with event and fields.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogRecord {
    /// How much it matters.
    pub level: LogLevel,
    /// What it is.
    pub event: LogEvent,
    /// A sentence for people.
    pub text: String,
    /// Which fields there are says [`LogEvent`].
    pub fields: Vec<(&'static str, LogValue)>,
}

impl LogRecord {
    /// A field.
    pub fn get(&self, name: &str) -> Option<&LogValue> {
        self.fields.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }
}

impl fmt::Display for LogRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.text, self.event)?;
        for (name, value) in &self.fields {
            write!(f, " {name}={value}")?;
        }
        f.write_str(")")
    }
}

/// A function for [`ClientBuilder::log`](crate::ClientBuilder::log) that hands records to the logger of the crate
/// `log`, under a target such as `hito`.
pub fn log_to(target: impl Into<String>) -> impl Fn(&LogRecord) + Send + Sync + 'static {
    let target = target.into();
    move |record| {
        let level = match record.level {
            LogLevel::Debug => ::log::Level::Debug,
            LogLevel::Info => ::log::Level::Info,
            LogLevel::Warning => ::log::Level::Warn,
        };
        ::log::log!(target: target.as_str(), level, "{record}");
    }
}

pub(crate) type Fields = Vec<(&'static str, LogValue)>;

/// Makes the records of a client; none where nobody listens.
#[derive(Clone, Default)]
pub(crate) struct Log(Option<Arc<Listener>>);

struct Listener {
    function: Box<dyn Fn(&LogRecord) + Send + Sync>,
    calls: AtomicU64,
}

impl Log {
    pub fn new(function: impl Fn(&LogRecord) + Send + Sync + 'static) -> Log {
        Log(Some(Arc::new(Listener { function: Box::new(function), calls: AtomicU64::new(0) })))
    }

    /// Whether there is a listener.
    pub fn is_heard(&self) -> bool {
        self.0.is_some()
    }

    /// The number of the next call.
    pub fn next_call(&self) -> i64 {
        let last = self.0.as_ref().map_or(0, |listener| listener.calls.fetch_add(1, Ordering::Relaxed));
        i64::try_from(last).unwrap_or(i64::MAX).saturating_add(1)
    }

    /// `make` makes the sentence and the fields. Called without any lock: the listener may use the client.
    pub fn tell(&self, level: LogLevel, event: LogEvent, make: impl FnOnce() -> (String, Fields)) {
        let Some(listener) = &self.0 else { return };
        let (text, fields) = make();
        let record = LogRecord { level, event, text: shown(&text), fields };
        // Nothing that a listener does changes what happens.
        let _ = catch_unwind(AssertUnwindSafe(|| (listener.function)(&record)));
    }

    pub fn connecting(&self, address: &dyn fmt::Display) {
        self.tell(LogLevel::Debug, LogEvent::Connecting, || {
            let address = address.to_string();
            (format!("connecting to {address}"), vec![("address", address.as_str().into())])
        });
    }

    pub fn connected(&self, address: &dyn fmt::Display, server_id: &str, took: Duration) {
        self.tell(LogLevel::Info, LogEvent::Connected, || {
            let address = address.to_string();
            let text = format!("connected to {address} in {} ms", millis(took));
            let server_id = server_id.into();
            (text, vec![("address", address.as_str().into()), ("server_id", server_id), ("duration_ms", took.into())])
        });
    }

    pub fn connect_failed(&self, address: &dyn fmt::Display, error: &Error) {
        self.tell(LogLevel::Warning, LogEvent::ConnectFailed, || {
            let address = address.to_string();
            let reason = error.message();
            (reason.to_owned(), vec![("address", address.as_str().into()), ("reason", reason.into())])
        });
    }

    /// `is_in_order`: closed by this side, or drained.
    pub fn disconnected(&self, address: &dyn fmt::Display, is_in_order: bool, reason: &str) {
        let level = if is_in_order { LogLevel::Info } else { LogLevel::Warning };
        self.tell(level, LogEvent::Disconnected, || {
            let address = address.to_string();
            let text = format!("the connection to {address} has ended: {reason}");
            (text, vec![("address", address.as_str().into()), ("reason", reason.into())])
        });
    }

    pub fn watch_resumed(&self, method: &'static str, error: &Error, wait: Duration) {
        self.tell(LogLevel::Info, LogEvent::WatchResumed, || {
            let status = error.code().name();
            let text = format!("{method} is taken up again in {} ms after {status}: {}", millis(wait), error.message());
            (text, vec![("method", method.into()), ("status", status.into()), ("delay_ms", wait.into())])
        });
    }

    pub fn token_refreshed(&self, valid_for: Option<Duration>) {
        self.tell(LogLevel::Info, LogEvent::TokenRefreshed, || {
            let valid = valid_for.map_or(LogValue::Number(-1), LogValue::from);
            ("there is a new token".to_owned(), vec![("valid_ms", valid)])
        });
    }

    pub fn token_failed(&self, reason: &'static str, rest: Duration) {
        self.tell(LogLevel::Warning, LogEvent::TokenFailed, || {
            (format!("no new token: {reason}"), vec![("reason", reason.into()), ("rest_ms", rest.into())])
        });
    }
}

pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// What a peer says does not write lines or terminal commands into a log, and does not reorder what stands there.
fn shown(text: &str) -> String {
    let is_plain = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().take(TEXT_MAX).map(|c| if is_plain(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_listener_throws_changes_nothing() {
        // Without the usual print of a panic, which is meant here.
        let log = Log::new(|_| std::panic::resume_unwind(Box::new("the disk is full")));
        log.connecting(&"a:1");
    }

    #[test]
    fn nothing_is_made_where_nobody_listens() {
        Log::default().tell(LogLevel::Info, LogEvent::Connected, || unreachable!());
        assert!(!Log::default().is_heard());
    }

    #[test]
    fn texts_of_others_are_short_and_plain() {
        assert_eq!(shown("a\n\u{1b}[31mb\u{202e}ñ"), "a\u{fffd}\u{fffd}[31mb\u{fffd}ñ");
        assert_eq!(shown(&"ñ".repeat(300)).chars().count(), 256);
    }

    #[test]
    fn a_record_is_shown_with_its_fields() {
        let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
        let records = seen.clone();
        let log = Log::new(move |record| records.lock().unwrap().push(record.clone()));
        log.disconnected(&"a:1", false, "gone");
        log.token_refreshed(None);
        let records = seen.lock().unwrap();
        let text = r#"the connection to a:1 has ended: gone (disconnected address="a:1" reason="gone")"#;
        assert_eq!((records[0].to_string().as_str(), records[0].level), (text, LogLevel::Warning));
        assert_eq!(records[1].get("valid_ms").and_then(LogValue::as_number), Some(-1));
    }
}
