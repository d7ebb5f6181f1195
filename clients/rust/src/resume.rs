//! Subscriptions and validations that outlive connections and servers (clients/BEHAVIOUR.md, C3).

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use prost::Message;

use crate::channel::Channel;
use crate::error::{Code, Error};
use crate::interceptor::BoxFuture;
use crate::method::Method;
use crate::retry::Backoff;
use crate::stream::ResponseStream;
use crate::v1::{
    self, revalidate_response, validate_batch_response, validate_code_response, watch_request, RevalidateRequest,
    RevalidateResponse, ValidateBatchRequest, ValidateBatchResponse, ValidateCodeRequest, ValidateCodeResponse,
    WatchRequest, WatchResponse, WatchValidationRequest,
};

/// Where a stream continues.
pub(crate) trait Place: Send {
    type Response: Message + Default + 'static;

    fn open(&self) -> ResponseStream<Self::Response>;

    /// Takes note of a response; true where it is the last one.
    fn received(&mut self, response: &Self::Response) -> bool;

    /// The stream broke with an error.
    fn refused(&mut self, _error: &Error) {}
}

/// A stream that is opened again when it breaks.
pub(crate) struct Resuming<P: Place> {
    pub place: P,
    channel: Channel,
    stage: Stage<P::Response>,
    backoff: Backoff,
    /// Since it was opened last.
    has_given: bool,
    interruptions: u64,
    on_interruption: Option<Hook>,
}

type Hook = Box<dyn FnMut(&Error) + Send>;

enum Stage<R> {
    Reading(Box<ResponseStream<R>>),
    Resting(BoxFuture<'static, ()>),
    Ended,
}

impl<P: Place> Resuming<P> {
    fn new(channel: &Channel, place: P) -> Resuming<P> {
        let stage = Stage::Reading(Box::new(place.open()));
        Resuming {
            place,
            channel: channel.clone(),
            stage,
            backoff: Backoff::default(),
            has_given: false,
            interruptions: 0,
            on_interruption: None,
        }
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<P::Response>, Error>> {
        loop {
            let (method, error) = match &mut self.stage {
                Stage::Ended => return Poll::Ready(Ok(None)),
                Stage::Resting(rest) => {
                    if rest.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    self.stage = Stage::Reading(Box::new(self.place.open()));
                    self.has_given = false;
                    continue;
                }
                Stage::Reading(stream) => match Pin::new(&mut **stream).poll_next(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Some(Ok(response))) => {
                        self.backoff.reset();
                        self.has_given = true;
                        if self.place.received(&response) {
                            self.stage = Stage::Ended;
                        }
                        return Poll::Ready(Ok(Some(response)));
                    }
                    // A server has no reason to end it; one that does is asked again.
                    Poll::Ready(None) => (stream.method(), Error::unavailable("the server ended the stream")),
                    Poll::Ready(Some(Err(error))) => {
                        self.place.refused(&error);
                        // One that gave nothing was repeated by itself, under another token.
                        let is_renewed = self.has_given && stream.is_token_refused();
                        let method = stream.method();
                        if !passes(&error) && !is_renewed {
                            self.stage = Stage::Ended;
                            return Poll::Ready(Err(error));
                        }
                        (method, error)
                    }
                },
            };
            self.interrupted(method, &error);
        }
    }

    fn interrupted(&mut self, method: &'static Method, error: &Error) {
        self.interruptions += 1;
        if let Some(hook) = &mut self.on_interruption {
            hook(error);
        }
        let wait = self.backoff.next(error.retry_delay());
        self.stage = Stage::Resting(self.channel.rest(method, error, wait));
    }
}

/// Whether the same request can succeed later.
pub(crate) fn passes(error: &Error) -> bool {
    match error.code() {
        Code::Unavailable => !error.is_lasting(),
        Code::ResourceExhausted | Code::Cancelled | Code::DeadlineExceeded | Code::Aborted => error.is_from_server(),
        _ => false,
    }
}

/// What all resuming streams offer.
macro_rules! resuming {
    ($name:ident, $place:ident, $response:ty) => {
        impl $name {
            /// The next response. Nothing is lost where the future is dropped.
            pub async fn message(&mut self) -> Result<Option<$response>, Error> {
                std::future::poll_fn(|cx| self.0.poll_message(cx)).await
            }

            /// How often the stream broke and was taken up again.
            pub fn interruptions(&self) -> u64 {
                self.0.interruptions
            }

            /// Hears of every break, before the stream is taken up again.
            pub fn on_interruption(mut self, hook: impl FnMut(&Error) + Send + 'static) -> Self {
                self.0.on_interruption = Some(Box::new(hook));
                self
            }

            /// Ends it.
            pub fn cancel(&mut self) {
                self.0.stage = Stage::Ended;
            }
        }

        impl Stream for $name {
            type Item = Result<$response, Error>;

            fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                self.0.poll_message(cx).map(Result::transpose)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

/// A watch that reconnects and continues after what it gave: nothing is skipped or given twice.
///
/// It ends by the caller only, or by an error that trying again would not mend (a revoked token that no provider
/// replaces, a bad filter, a log that lost events which were given: [`Code::OutOfRange`] with the reason
/// [`LogForked`](v1::ErrorReason::LogForked), after which [`ResumingWatch::cursor`] is the last place that holds).
/// A watch that starts live begins with its first response, the `CAUGHT_UP` mark.
pub struct ResumingWatch(Resuming<WatchPlace>);

resuming!(ResumingWatch, WatchPlace, WatchResponse);

struct WatchPlace {
    client: v1::ProgressServiceClient,
    request: WatchRequest,
}

impl ResumingWatch {
    pub(crate) fn new(channel: &Channel, request: WatchRequest) -> ResumingWatch {
        let client = v1::ProgressServiceClient::new(channel.clone());
        ResumingWatch(Resuming::new(channel, WatchPlace { client, request }))
    }

    /// Where it stands; keep it to continue in another process (`after_cursor`). Empty before the first response,
    /// unless it began at a cursor.
    pub fn cursor(&self) -> &str {
        match &self.0.place.request.start {
            Some(watch_request::Start::AfterCursor(cursor)) => cursor,
            _ => "",
        }
    }
}

impl WatchPlace {
    fn continue_after(&mut self, cursor: &str) {
        if !cursor.is_empty() {
            self.request.start = Some(watch_request::Start::AfterCursor(cursor.to_owned()));
        }
    }
}

impl Place for WatchPlace {
    type Response = WatchResponse;

    fn open(&self) -> ResponseStream<WatchResponse> {
        self.client.watch(self.request.clone()).stream()
    }

    fn received(&mut self, response: &WatchResponse) -> bool {
        self.continue_after(&response.cursor);
        false
    }

    fn refused(&mut self, error: &Error) {
        // Behind what a filter passed over since the last response, or before what was lost.
        self.continue_after(error.resume_cursor());
    }
}

/// A validation that is begun once, and watched on when the connection or the server is gone for a while. It ends
/// after the response with `result`. Where another server had to begin anew, `attempt` goes up, and what was given
/// of the attempt before is void.
pub struct ResumingValidation(Resuming<ValidationPlace>);

resuming!(ResumingValidation, ValidationPlace, ValidateCodeResponse);

struct ValidationPlace {
    client: v1::CodeValidationServiceClient,
    request: ValidateCodeRequest,
    key: String,
    begun: WatchValidationRequest,
}

impl ResumingValidation {
    pub(crate) fn new(channel: &Channel, request: ValidateCodeRequest, key: String) -> ResumingValidation {
        let client = v1::CodeValidationServiceClient::new(channel.clone());
        let begun = WatchValidationRequest::default();
        ResumingValidation(Resuming::new(channel, ValidationPlace { client, request, key, begun }))
    }

    /// UUID of the validation; empty before the first response.
    pub fn run_id(&self) -> &str {
        &self.0.place.begun.run_id
    }
}

impl Place for ValidationPlace {
    type Response = ValidateCodeResponse;

    fn open(&self) -> ResponseStream<ValidateCodeResponse> {
        if self.begun.run_id.is_empty() {
            // The same key for each attempt to begin: a lost reply begins no second validation.
            self.client.validate_code(self.request.clone()).idempotency_key(self.key.clone()).stream()
        } else {
            self.client.watch_validation(self.begun.clone()).stream()
        }
    }

    fn received(&mut self, response: &ValidateCodeResponse) -> bool {
        keep(&mut self.begun.run_id, &response.run_id);
        keep(&mut self.begun.cursor, &response.cursor);
        matches!(response.step, Some(validate_code_response::Step::Result(_)))
    }
}

/// A batch that is asked for once, and continues after what it gave when the connection or the server is gone for a
/// while. It ends when each submission was refused or has finished.
pub struct ResumingBatch(Resuming<BatchPlace>);

resuming!(ResumingBatch, BatchPlace, ValidateBatchResponse);

struct BatchPlace {
    client: v1::CodeValidationServiceClient,
    request: ValidateBatchRequest,
    key: String,
    left: usize,
}

impl ResumingBatch {
    pub(crate) fn new(channel: &Channel, request: ValidateBatchRequest, key: String) -> ResumingBatch {
        let client = v1::CodeValidationServiceClient::new(channel.clone());
        let left = request.submissions.len();
        ResumingBatch(Resuming::new(channel, BatchPlace { client, request, key, left }))
    }
}

impl Place for BatchPlace {
    type Response = ValidateBatchResponse;

    fn open(&self) -> ResponseStream<ValidateBatchResponse> {
        self.client.validate_batch(self.request.clone()).idempotency_key(self.key.clone()).stream()
    }

    fn received(&mut self, response: &ValidateBatchResponse) -> bool {
        use validate_batch_response::Step;
        keep(&mut self.request.cursor, &response.cursor);
        if matches!(response.step, Some(Step::Finished(_) | Step::Refused(_))) {
            self.left = self.left.saturating_sub(1);
        }
        self.left == 0
    }
}

/// A revalidation that is asked for once, and continues after what it gave when the connection or the server is gone
/// for a while. It ends after the response with `summary`.
pub struct ResumingRevalidation(Resuming<RevalidationPlace>);

resuming!(ResumingRevalidation, RevalidationPlace, RevalidateResponse);

struct RevalidationPlace {
    client: v1::CodeValidationServiceClient,
    request: RevalidateRequest,
    key: String,
}

impl ResumingRevalidation {
    pub(crate) fn new(channel: &Channel, request: RevalidateRequest, key: String) -> ResumingRevalidation {
        let client = v1::CodeValidationServiceClient::new(channel.clone());
        ResumingRevalidation(Resuming::new(channel, RevalidationPlace { client, request, key }))
    }
}

impl Place for RevalidationPlace {
    type Response = RevalidateResponse;

    fn open(&self) -> ResponseStream<RevalidateResponse> {
        self.client.revalidate(self.request.clone()).idempotency_key(self.key.clone()).stream()
    }

    fn received(&mut self, response: &RevalidateResponse) -> bool {
        keep(&mut self.request.cursor, &response.cursor);
        matches!(response.step, Some(revalidate_response::Step::Summary(_)))
    }
}

fn keep(place: &mut String, said: &str) {
    if !said.is_empty() {
        said.clone_into(place);
    }
}
