//! The errors of calls: one type with a code, and the server's typed details.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;

use crate::metadata::Metadata;
use crate::v1::{ErrorDetails, ErrorReason, WriteOutcome};

/// The status codes of `hito/1`; the numbers are gRPC's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
#[non_exhaustive]
pub enum Code {
    /// The call went well.
    Ok = 0,
    /// The call was cancelled by the server or by closing the client.
    Cancelled = 1,
    /// The server failed in a way that it does not explain.
    Unknown = 2,
    /// The request breaks a rule: see [`ErrorDetails::field_violations`].
    InvalidArgument = 3,
    /// The call did not end in time; a write may have happened.
    DeadlineExceeded = 4,
    /// There is no such thing, or it is not the caller's to see.
    NotFound = 5,
    /// Something unique is taken, or an idempotency key was used for another request.
    AlreadyExists = 6,
    /// The caller's role does not allow it.
    PermissionDenied = 7,
    /// A limit is reached: see [`ErrorDetails::quota`] and [`Error::retry_delay`].
    ResourceExhausted = 8,
    /// The state does not allow it; the text says what to do first.
    FailedPrecondition = 9,
    /// It has changed since it was read (stale version): read again and decide again.
    Aborted = 10,
    /// A cursor that does not exist, or of events that the log has lost since. The latter has the reason
    /// [`ErrorReason::LogForked`]: what came after [`Error::resume_cursor`] never happened.
    OutOfRange = 11,
    /// This server does not have the method.
    Unimplemented = 12,
    /// The server, or what it sent, is broken.
    Internal = 13,
    /// The server cannot be reached or cannot serve now; this library has tried again already, unless
    /// [`Error::is_lasting`].
    Unavailable = 14,
    /// Stored data is damaged.
    DataLoss = 15,
    /// The token is missing, unknown, expired or revoked.
    Unauthenticated = 16,
}

impl Code {
    /// The code of a number; one that is not known is [`Code::Unknown`].
    pub fn of(number: u16) -> Code {
        const CODES: [Code; 17] = [
            Code::Ok,
            Code::Cancelled,
            Code::Unknown,
            Code::InvalidArgument,
            Code::DeadlineExceeded,
            Code::NotFound,
            Code::AlreadyExists,
            Code::PermissionDenied,
            Code::ResourceExhausted,
            Code::FailedPrecondition,
            Code::Aborted,
            Code::OutOfRange,
            Code::Unimplemented,
            Code::Internal,
            Code::Unavailable,
            Code::DataLoss,
            Code::Unauthenticated,
        ];
        CODES.get(usize::from(number)).copied().unwrap_or(Code::Unknown)
    }

    /// The number on the wire.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The name as the protocol writes it, for example `NOT_FOUND`.
    pub fn name(self) -> &'static str {
        match self {
            Code::Ok => "OK",
            Code::Cancelled => "CANCELLED",
            Code::Unknown => "UNKNOWN",
            Code::InvalidArgument => "INVALID_ARGUMENT",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Code::NotFound => "NOT_FOUND",
            Code::AlreadyExists => "ALREADY_EXISTS",
            Code::PermissionDenied => "PERMISSION_DENIED",
            Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Code::FailedPrecondition => "FAILED_PRECONDITION",
            Code::Aborted => "ABORTED",
            Code::OutOfRange => "OUT_OF_RANGE",
            Code::Unimplemented => "UNIMPLEMENTED",
            Code::Internal => "INTERNAL",
            Code::Unavailable => "UNAVAILABLE",
            Code::DataLoss => "DATA_LOSS",
            Code::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A call that failed. `match error.code()` tells the kinds apart.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    code: Code,
    message: String,
    details: ErrorDetails,
    resume_cursor: String,
    is_from_server: bool,
    is_not_started: bool,
    is_certificate: bool,
    metadata: Metadata,
    trailers: Metadata,
    cause: Option<Cause>,
}

/// An error of a token provider.
#[derive(Clone)]
struct Cause(Arc<dyn StdError + Send + Sync>);

impl fmt::Debug for Cause {
    // Its text is the provider's own, and may have a token. Who wants it asks for the source.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cause(..)")
    }
}

impl Error {
    /// An error of the caller's own, as an interceptor or a token provider may answer with.
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            code,
            message: message.into(),
            details: ErrorDetails::default(),
            resume_cursor: String::new(),
            is_from_server: false,
            is_not_started: false,
            is_certificate: false,
            metadata: Metadata::new(),
            trailers: Metadata::new(),
            cause: None,
        }))
    }

    /// What a server's END says. Details that cannot be read do not hide the status.
    pub(crate) fn from_end(
        status: u16,
        message: String,
        details: &[u8],
        resume_cursor: String,
        is_not_started: bool,
    ) -> Error {
        let mut error = Error::new(Code::of(status), message);
        error.0.details = ErrorDetails::decode(details).unwrap_or_default();
        error.0.resume_cursor = resume_cursor;
        error.0.is_not_started = is_not_started;
        error.0.is_from_server = true;
        error
    }

    pub(crate) fn not_started(mut self) -> Error {
        self.0.is_not_started = true;
        self
    }

    /// Where an earlier attempt of the call perhaps was.
    pub(crate) fn perhaps_started(mut self) -> Error {
        self.0.is_not_started = false;
        self
    }

    pub(crate) fn certificate(mut self) -> Error {
        self.0.is_certificate = true;
        self
    }

    pub(crate) fn caused_by(mut self, cause: Option<Arc<dyn StdError + Send + Sync>>) -> Error {
        self.0.cause = cause.map(Cause);
        self
    }

    pub(crate) fn cause(&self) -> Option<Arc<dyn StdError + Send + Sync>> {
        self.0.cause.as_ref().map(|cause| cause.0.clone())
    }

    pub(crate) fn with_info(mut self, metadata: Metadata, trailers: Metadata) -> Error {
        self.0.metadata = metadata;
        self.0.trailers = trailers;
        self
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Error {
        Error::new(Code::Unavailable, message)
    }

    pub(crate) fn is(&self, code: Code) -> bool {
        self.0.code == code
    }

    /// The status code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What went wrong, for developers.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Field violations, reason, resource, quota, retry delay; empty where nothing is said.
    pub fn details(&self) -> &ErrorDetails {
        &self.0.details
    }

    /// The stable name of the reason; one that this version does not know is `Unspecified`.
    pub fn reason(&self) -> ErrorReason {
        self.0.details.reason()
    }

    /// Of a write that failed: whether the server says that it may have been committed all the same.
    /// Nothing was done either where [`Error::is_not_started`].
    pub fn write_outcome(&self) -> WriteOutcome {
        self.0.details.write_outcome()
    }

    /// Where a subscription that was ended continues, or a read of a lost place; empty where nothing is said.
    pub fn resume_cursor(&self) -> &str {
        &self.0.resume_cursor
    }

    /// Whether the server said it; false where this library found it.
    pub fn is_from_server(&self) -> bool {
        self.0.is_from_server
    }

    /// Whether it is certain that the server did not begin the call.
    pub fn is_not_started(&self) -> bool {
        self.0.is_not_started
    }

    /// Whether the server's certificate is not trusted, or names another host.
    pub fn is_certificate_refused(&self) -> bool {
        self.0.is_certificate
    }

    /// How long the server wants us to wait before another try.
    pub fn retry_delay(&self) -> Option<Duration> {
        let micros = u64::try_from(self.0.details.retry_delay_us).unwrap_or(0);
        (micros > 0).then(|| Duration::from_micros(micros))
    }

    /// Of [`Code::Unavailable`]: whether it stays so until the server is configured differently.
    pub fn is_lasting(&self) -> bool {
        self.is(Code::Unavailable) && self.reason() == ErrorReason::NoModel
    }

    /// What the server said before its first response, of a call that failed later.
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// What the server said with the end of the call.
    pub fn trailers(&self) -> &Metadata {
        &self.0.trailers
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code.name())?;
        let mut separator = ": ";
        if !self.0.message.is_empty() {
            write!(f, "{separator}{}", self.0.message)?;
            separator = " - ";
        }
        for violation in &self.0.details.field_violations {
            write!(f, "{separator}{}: {}", violation.field, violation.description)?;
            separator = "; ";
        }
        Ok(())
    }
}

impl StdError for Error {
    /// Of [`Code::Unauthenticated`]: what the token provider failed with.
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.cause {
            Some(cause) => Some(&*cause.0),
            None => None,
        }
    }
}
