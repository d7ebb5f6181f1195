//! Makes calls: deadlines, repeats, idempotency keys. What the generated stubs stand on.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{timeout_at, Instant};

use crate::call_log::CallLog;
use crate::client_log::Log;
use crate::connection::CallHandle;
use crate::error::{Code, Error};
use crate::hedging::{hedged, Copy};
use crate::interceptor::{BoxFuture, Interceptor, Next, Reply, ReplyKind};
use crate::metadata::ResponseInfo;
use crate::method::Method;
use crate::options::CallOptions;
use crate::pool::{Place, Pool};
use crate::random::uuid;
use crate::retry::{Hedging, Pacer, Repeats};
use crate::sync::locked;
use crate::tokens::{CallToken, Tokens};
use crate::wire::CallHeader;

/// Answers with the trace context of a call.
pub(crate) type TraceSource = Arc<dyn Fn() -> Option<String> + Send + Sync>;

/// As long as anybody waits: what a timeout beyond the clock is.
const FOREVER: Duration = Duration::from_secs(86_400 * 365);

/// Where the generated clients send their calls.
#[derive(Clone)]
pub struct Channel(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub pool: Arc<Pool>,
    /// Of a unary call.
    pub timeout: Duration,
    pub interceptors: Vec<Arc<dyn Interceptor>>,
    pub hedging: Option<Hedging>,
    pub pacer: Pacer,
    /// Where a provider makes them.
    pub tokens: Option<Arc<Tokens>>,
    pub trace_source: Option<TraceSource>,
    pub log: Log,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channel")
    }
}

/// What the attempts of a unary call have in common.
struct Unary<'a> {
    method: &'static Method,
    options: &'a CallOptions,
    message: &'a [u8],
    key: Option<String>,
    deadline: Instant,
    said: Mutex<ResponseInfo>,
    log: CallLog,
}

/// How far a call has come, for the error of one that does not end in time.
#[derive(Default)]
struct Progress {
    failure: Option<Error>,
    is_started: bool,
    /// Of an attempt that has ended.
    was_started: bool,
}

impl Channel {
    /// One request, one response; repeated while the server is unavailable, within its time.
    pub(crate) async fn unary(
        &self,
        method: &'static Method,
        message: &[u8],
        options: CallOptions,
    ) -> Result<(Vec<u8>, ResponseInfo), Error> {
        let shared = &*self.0;
        let last =
            move |options| -> BoxFuture<'_, Result<Reply, Error>> { Box::pin(shared.unary(method, message, options)) };
        match Next::new(&shared.interceptors, method, &last).run(options).await?.0 {
            ReplyKind::Message { message, info } => Ok((message, info)),
            ReplyKind::Stream(_) => Err(Error::new(Code::Internal, "an interceptor answered with a stream")),
        }
    }

    /// Waits before a stream of that method is taken up again: within the bound for the repeats of all calls, and no
    /// longer than the client is open.
    pub(crate) fn rest(&self, method: &'static Method, error: &Error, time: Duration) -> BoxFuture<'static, ()> {
        let wait = time + self.0.pacer.delay(Instant::now());
        self.0.log.watch_resumed(method.path(), error, wait);
        let shared = self.0.clone();
        Box::pin(async move { shared.pool.rest(wait).await })
    }
}

impl Shared {
    async fn unary(&self, method: &'static Method, message: &[u8], options: CallOptions) -> Result<Reply, Error> {
        let time = options.timeout.unwrap_or(self.timeout);
        let hedging = self.hedging_of(method, &options)?;
        // A key on every write: only that makes repeating it harmless (W14.2).
        let key = match &options.idempotency_key {
            None if !method.is_read_only() => Some(new_key()?),
            key => key.clone(),
        };
        let said = Mutex::new(ResponseInfo::default());
        let log = CallLog::new(&self.log, method.path());
        log.begun();
        let call = Unary { method, options: &options, message, key, deadline: deadline_after(time), said, log };
        let mut progress = Progress::default();
        let result = timeout_at(call.deadline, self.attempts(&call, hedging, &mut progress)).await;
        // The last attempt may know of itself only.
        let was_started = progress.was_started;
        let result = result.unwrap_or_else(|_| Err(self.too_late(time, progress)));
        let result = result.map_err(|error| if was_started { error.perhaps_started() } else { error });
        call.log.ended(result.as_ref().err());
        let info = std::mem::take(&mut *locked(&call.said));
        match result {
            Ok(message) => Ok(Reply(ReplyKind::Message { message, info })),
            Err(error) => Err(error.with_info(info.metadata, info.trailers)),
        }
    }

    async fn attempts(
        &self,
        call: &Unary<'_>,
        hedging: Option<Hedging>,
        progress: &mut Progress,
    ) -> Result<Vec<u8>, Error> {
        let mut repeats = Repeats::new(Some(call.deadline), None);
        let mut tokens = CallToken::new(&self.tokens, &call.options.token);
        loop {
            let token = tokens.next(progress.was_started).await?;
            let place = self.pool.place(call.options.wait_for_ready).await?;
            progress.is_started = true;
            let result = match hedging {
                None => self.attempt(call, token, place, false).await,
                Some(hedging) => self.hedged(call, token, place, hedging).await,
            };
            let error = match result {
                Ok(message) => {
                    tokens.answered();
                    return Ok(message);
                }
                Err(error) => error,
            };
            progress.was_started = progress.was_started || !error.is_not_started();
            progress.is_started = progress.was_started;
            progress.failure = Some(error.clone());
            if tokens.failed(&error) {
                call.log.repeated(&error, Duration::ZERO);
                continue;
            }
            let wait = repeats.delay(&self.pacer, error.clone(), true, Instant::now())?;
            call.log.repeated(&error, wait);
            self.pool.rest(wait).await;
        }
    }

    async fn hedged(
        &self,
        call: &Unary<'_>,
        token: Option<String>,
        place: Place,
        hedging: Hedging,
    ) -> Result<Vec<u8>, Error> {
        let mut used = vec![place.number()];
        let first: Copy<'_> = Box::pin(self.attempt(call, token.clone(), place, true));
        let beside = || {
            let place = self.pool.place_beside(&used)?;
            if !self.pacer.take_now(Instant::now()) {
                return None;
            }
            used.push(place.number());
            call.log.hedged(used.len());
            let copy: Copy<'_> = Box::pin(self.attempt(call, token.clone(), place, true));
            Some(copy)
        };
        hedged(hedging, first, beside).await
    }

    async fn attempt(
        &self,
        call: &Unary<'_>,
        token: Option<String>,
        place: Place,
        is_copy: bool,
    ) -> Result<Vec<u8>, Error> {
        let trace = self.trace(call.options);
        let header = header(call.method, call.options, Some(call.deadline), &call.key, &token, &trace);
        let handle = place.open(&header, Some(call.message.to_vec()), true)?;
        let mut attempt = Attempt { handle, said: &call.said, is_copy };
        attempt.handle.one_reply().await
    }

    fn hedging_of(&self, method: &Method, options: &CallOptions) -> Result<Option<Hedging>, Error> {
        let general = if method.is_read_only() { self.hedging } else { None };
        let hedging = options.hedging.or(general).filter(|hedging| hedging.copies > 1);
        if hedging.is_some() && !method.is_read_only() && options.idempotency_key.is_none() {
            let text = "a call that writes is hedged only under an idempotency_key of its own";
            return Err(Error::new(Code::InvalidArgument, text).not_started());
        }
        Ok(hedging)
    }

    // What all calls need

    pub(crate) fn trace(&self, options: &CallOptions) -> Option<String> {
        options.traceparent.clone().or_else(|| self.trace_source.as_ref().and_then(|source| source()))
    }

    fn too_late(&self, time: Duration, progress: Progress) -> Error {
        let failure = progress.failure.or_else(|| self.pool.failure());
        let why = failure.map(|error| format!(" (last failure: {})", error.message())).unwrap_or_default();
        let error = Error::new(Code::DeadlineExceeded, format!("no answer within {time:?}{why}"));
        if progress.is_started {
            error
        } else {
            error.not_started()
        }
    }
}

/// An attempt that tells what the server said, however it ends.
struct Attempt<'a> {
    handle: CallHandle,
    said: &'a Mutex<ResponseInfo>,
    is_copy: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        // Of a copy that another was faster than nothing is told.
        if !self.is_copy || self.handle.is_done() {
            *locked(self.said) = self.handle.info();
        }
    }
}

pub(crate) fn header<'a>(
    method: &'static Method,
    options: &'a CallOptions,
    deadline: Option<Instant>,
    key: &'a Option<String>,
    token: &'a Option<String>,
    trace: &'a Option<String>,
) -> CallHeader<'a> {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    CallHeader {
        path: method.path(),
        timeout_us: left.map(|left| u64::try_from(left.as_micros()).unwrap_or(u64::MAX)),
        key: key.as_deref(),
        traceparent: trace.as_deref(),
        token: token.as_deref(),
        metadata: Some(&options.metadata),
    }
}

pub(crate) fn deadline_after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or_else(|| now + FOREVER)
}

pub(crate) fn new_key() -> Result<String, Error> {
    uuid().map_err(|error| {
        let text = format!("the system has no random numbers for an idempotency key: {error}");
        Error::new(Code::Internal, text).not_started()
    })
}
