//! Calls whose responses or requests are a stream.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use prost::Message;
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout_at, Instant, Sleep};

use crate::call_log::CallLog;
use crate::channel::{deadline_after, header, Channel};
use crate::connection::{CallHandle, CallSender};
use crate::error::{Code, Error};
use crate::interceptor::{BoxFuture, Next, Reply, ReplyKind};
use crate::metadata::{Metadata, ResponseInfo};
use crate::method::Method;
use crate::options::CallOptions;
use crate::retry::Repeats;
use crate::sync::locked;
use crate::tokens::CallToken;

/// Encoded requests.
type Requests = Pin<Box<dyn Stream<Item = Vec<u8>> + Send>>;

/// What a call sends.
pub(crate) enum Outgoing {
    One(Vec<u8>),
    /// Read once: none where they are.
    Many(Mutex<Option<Requests>>),
}

impl Outgoing {
    pub fn many<S, M>(requests: S) -> Outgoing
    where
        S: Stream<Item = M> + Send + 'static,
        M: Message + 'static,
    {
        let requests: Requests = Box::pin(Encoded(Box::pin(requests)));
        Outgoing::Many(Mutex::new(Some(requests)))
    }
}

struct Encoded<S>(Pin<Box<S>>);

impl<S: Stream> Stream for Encoded<S>
where
    S::Item: Message,
{
    type Item = Vec<u8>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        self.0.as_mut().poll_next(cx).map(|request| request.map(|request| request.encode_to_vec()))
    }
}

/// What the attempts of a call have in common.
pub(crate) struct Streaming {
    pub channel: Channel,
    pub method: &'static Method,
    outgoing: Outgoing,
    log: CallLog,
}

/// A call that has begun.
pub(crate) struct Opened {
    handle: CallHandle,
    /// Sends the requests; none where there is one.
    sender: Option<Sender>,
    plan: Plan,
}

/// How a call is made, and made again.
struct Plan {
    options: CallOptions,
    deadline: Option<Instant>,
    repeats: Repeats,
    token: CallToken,
    /// Whether the server perhaps began an attempt that has ended.
    was_started: bool,
}

struct Sender(JoinHandle<()>);

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Streaming {
    pub fn new(channel: &Channel, method: &'static Method, outgoing: Outgoing) -> Streaming {
        let log = CallLog::new(&channel.0.log, method.path());
        Streaming { channel: channel.clone(), method, outgoing, log }
    }

    /// Opens the call for the first time, with the client's interceptors around that.
    pub async fn begin(self: Arc<Self>, options: CallOptions) -> Result<Box<Opened>, Error> {
        let this = &self;
        let last = move |options| -> BoxFuture<'_, Result<Reply, Error>> {
            Box::pin(async move {
                let opened = this.clone().first(options).await?;
                Ok(Reply(ReplyKind::Stream(Box::new(opened))))
            })
        };
        let shared = &self.channel.0;
        match Next::new(&shared.interceptors, self.method, &last).run(options).await?.0 {
            ReplyKind::Stream(opened) => Ok(opened),
            ReplyKind::Message { .. } => Err(Error::new(Code::Internal, "an interceptor answered with a message")),
        }
    }

    async fn first(self: Arc<Self>, options: CallOptions) -> Result<Opened, Error> {
        let deadline = options.timeout.map(deadline_after);
        let shared = &self.channel.0;
        let repeat_time = if shared.pool.waits(options.wait_for_ready) { None } else { Some(shared.timeout) };
        let token = CallToken::new(&shared.tokens, &options.token);
        let plan = Plan { options, deadline, repeats: Repeats::new(deadline, repeat_time), token, was_started: false };
        self.log.begun();
        in_time(deadline, self.open(plan), || {
            Error::new(Code::DeadlineExceeded, "the stream did not begin in time").not_started()
        })
        .await
    }

    /// One request stream, one response. Not repeated once a request was read.
    pub async fn one_reply(self: Arc<Self>, options: CallOptions) -> Result<(Vec<u8>, ResponseInfo), Error> {
        let this = &self;
        let last = move |options: CallOptions| -> BoxFuture<'_, Result<Reply, Error>> {
            Box::pin(async move {
                let mut opened = this.clone().first(options).await?;
                let result = in_time(opened.plan.deadline, opened.handle.one_reply(), || {
                    Error::new(Code::DeadlineExceeded, "the call did not end in time")
                })
                .await;
                let info = opened.handle.info();
                match result {
                    Ok(message) => {
                        opened.plan.token.answered();
                        Ok(Reply(ReplyKind::Message { message, info }))
                    }
                    Err(error) => {
                        // Its requests were read once: the caller repeats it, under another token.
                        opened.plan.token.failed(&error);
                        Err(error.with_info(info.metadata, info.trailers))
                    }
                }
            })
        };
        let shared = &self.channel.0;
        let result = Next::new(&shared.interceptors, self.method, &last).run(options).await;
        self.log.ended(result.as_ref().err());
        match result?.0 {
            ReplyKind::Message { message, info } => Ok((message, info)),
            ReplyKind::Stream(_) => Err(Error::new(Code::Internal, "an interceptor answered with a stream")),
        }
    }

    /// Opens the call on a connection, as often as it takes to find one that takes it.
    async fn open(&self, mut plan: Plan) -> Result<Opened, Error> {
        let shared = &self.channel.0;
        loop {
            let token = plan.token.next(plan.was_started).await?;
            let trace = shared.trace(&plan.options);
            let place = shared.pool.place(plan.options.wait_for_ready).await?;
            let key = &plan.options.idempotency_key;
            let header = header(self.method, &plan.options, plan.deadline, key, &token, &trace);
            let message = match &self.outgoing {
                Outgoing::One(message) => Some(message.clone()),
                Outgoing::Many(_) => None,
            };
            match place.open(&header, message, true) {
                Ok(handle) => {
                    let sender = self.send_requests(&handle)?;
                    return Ok(Opened { handle, sender, plan });
                }
                Err(error) => {
                    let wait = plan.repeats.delay(&shared.pacer, error.clone(), true, Instant::now())?;
                    self.log.repeated(&error, wait);
                    shared.pool.rest(wait).await;
                }
            }
        }
    }

    async fn reopen(self: Arc<Self>, plan: Plan, wait: Duration) -> Result<Box<Opened>, Error> {
        let deadline = plan.deadline;
        let again = async {
            if !wait.is_zero() {
                self.channel.0.pool.rest(wait).await;
            }
            self.open(plan).await.map(Box::new)
        };
        in_time(deadline, again, too_late).await
    }

    fn send_requests(&self, handle: &CallHandle) -> Result<Option<Sender>, Error> {
        let Outgoing::Many(requests) = &self.outgoing else { return Ok(None) };
        let requests = locked(requests).take();
        let requests = requests.ok_or_else(|| {
            Error::new(Code::FailedPrecondition, "the requests of this call were read before").not_started()
        })?;
        let task = self.channel.0.pool.runtime().spawn(send_all(handle.sender(), requests));
        Ok(Some(Sender(task)))
    }
}

/// Says why a call ends whose requests are not all sent.
struct EndOfRequests {
    sender: CallSender,
    is_said: bool,
}

impl Drop for EndOfRequests {
    fn drop(&mut self) {
        if !self.is_said {
            self.sender.cancel(Error::new(Code::Cancelled, "the stream of requests was given up"));
        }
    }
}

async fn send_all(sender: CallSender, mut requests: Requests) {
    // Also where the stream panics.
    let mut end = EndOfRequests { sender, is_said: false };
    while let Some(request) = std::future::poll_fn(|cx| requests.as_mut().poll_next(cx)).await {
        match end.sender.send(request).await {
            Ok(true) => {}
            Ok(false) => {
                end.is_said = true;
                return;
            }
            Err(error) => {
                end.sender.cancel(error);
                end.is_said = true;
                return;
            }
        }
    }
    end.sender.half_close();
    end.is_said = true;
}

async fn in_time<T>(
    deadline: Option<Instant>,
    future: impl Future<Output = Result<T, Error>>,
    late: impl FnOnce() -> Error,
) -> Result<T, Error> {
    match deadline {
        None => future.await,
        Some(deadline) => timeout_at(deadline, future).await.unwrap_or_else(|_| Err(late())),
    }
}

fn too_late() -> Error {
    Error::new(Code::DeadlineExceeded, "the stream did not end in time")
}

enum Stage {
    Opening(BoxFuture<'static, Result<Box<Opened>, Error>>),
    Reading(Box<Opened>, Option<Pin<Box<Sleep>>>),
    Ended,
}

/// The responses of one call. It begins with the first one that is asked for; dropping the stream cancels it.
///
/// It is a [`Stream`], and [`ResponseStream::message`] needs no further crate.
pub struct ResponseStream<R> {
    streaming: Arc<Streaming>,
    stage: Stage,
    is_begun: bool,
    /// By an attempt that has ended.
    was_started: bool,
    is_token_refused: bool,
    info: ResponseInfo,
    response: PhantomData<fn() -> R>,
}

impl<R> fmt::Debug for ResponseStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseStream").field("method", &self.streaming.method.path()).finish_non_exhaustive()
    }
}

impl<R: Message + Default> ResponseStream<R> {
    pub(crate) fn new(streaming: Streaming, options: CallOptions) -> ResponseStream<R> {
        let streaming = Arc::new(streaming);
        let begin = streaming.clone().begin(options);
        let stage = Stage::Opening(Box::pin(begin));
        ResponseStream {
            streaming,
            stage,
            is_begun: false,
            was_started: false,
            is_token_refused: false,
            info: ResponseInfo::default(),
            response: PhantomData,
        }
    }

    /// The next response; none at the end of a call that went well. Nothing is lost where the future is dropped.
    pub async fn message(&mut self) -> Result<Option<R>, Error> {
        std::future::poll_fn(|cx| self.poll_message(cx)).await
    }

    /// Cancels the call, if it has not ended.
    pub fn cancel(&mut self) {
        self.end();
        self.streaming.log.left();
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<R>, Error>> {
        let result = match self.poll_bytes(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(Some(bytes))) => R::decode(bytes.as_slice())
                .map(Some)
                .map_err(|error| Error::new(Code::Internal, format!("the server's answer is not valid: {error}"))),
            Poll::Ready(Ok(None)) => Ok(None),
            Poll::Ready(Err(error)) => Err(error),
        };
        match result {
            Ok(Some(response)) => {
                self.is_begun = true;
                Poll::Ready(Ok(Some(response)))
            }
            Ok(None) => {
                self.end();
                self.streaming.log.ended(None);
                Poll::Ready(Ok(None))
            }
            Err(error) => {
                // The last attempt may know of itself only.
                let error = if self.was_started { error.perhaps_started() } else { error };
                self.end();
                self.streaming.log.ended(Some(&error));
                Poll::Ready(Err(error.with_info(self.info.metadata.clone(), self.info.trailers.clone())))
            }
        }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>, Error>> {
        loop {
            match &mut self.stage {
                Stage::Ended => return Poll::Ready(Ok(None)),
                Stage::Opening(future) => match future.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Ready(Ok(opened)) => {
                        let timer = opened.plan.deadline.map(|deadline| Box::pin(sleep_until(deadline)));
                        self.stage = Stage::Reading(opened, timer);
                    }
                },
                Stage::Reading(opened, timer) => {
                    // First: a server that sends without end does not hold it up.
                    if timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
                        return Poll::Ready(Err(too_late()));
                    }
                    match opened.handle.poll_receive(cx) {
                        Poll::Ready(Err(error)) => self.repeat(error)?,
                        Poll::Pending => return Poll::Pending,
                        answer => {
                            opened.plan.token.answered();
                            return answer;
                        }
                    }
                }
            }
        }
    }

    /// Begins another attempt; `error` where there should be none.
    fn repeat(&mut self, error: Error) -> Result<(), Error> {
        let Stage::Reading(opened, _) = &mut self.stage else { return Err(error) };
        self.info = opened.handle.info();
        self.was_started = self.was_started || !error.is_not_started();
        let plan = &mut opened.plan;
        // Requests are read once.
        let is_repeatable = !self.is_begun && opened.sender.is_none();
        let wait = if plan.token.failed(&error) && is_repeatable {
            Duration::ZERO
        } else {
            self.is_token_refused = plan.token.is_refused_by(&error);
            let may_repeat = is_repeatable && (self.streaming.method.is_read_only() || error.is_not_started());
            plan.repeats.delay(&self.streaming.channel.0.pacer, error.clone(), may_repeat, Instant::now())?
        };
        plan.was_started = plan.was_started || !error.is_not_started();
        self.streaming.log.repeated(&error, wait);
        if let Stage::Reading(opened, _) = std::mem::replace(&mut self.stage, Stage::Ended) {
            let Opened { handle, plan, .. } = *opened;
            drop(handle);
            self.stage = Stage::Opening(Box::pin(self.streaming.clone().reopen(plan, wait)));
        }
        Ok(())
    }
}

impl<R> ResponseStream<R> {
    pub(crate) fn method(&self) -> &'static Method {
        self.streaming.method
    }

    /// Whether it ended because the server does not take a token that the client can replace.
    pub(crate) fn is_token_refused(&self) -> bool {
        self.is_token_refused
    }

    /// What the server said before its first response; empty until that is there.
    pub fn metadata(&self) -> Metadata {
        self.info().metadata
    }

    /// What the server said with the end of the call; empty until then.
    pub fn trailers(&self) -> Metadata {
        self.info().trailers
    }

    fn info(&self) -> ResponseInfo {
        match &self.stage {
            Stage::Reading(opened, _) => opened.handle.info(),
            _ => self.info.clone(),
        }
    }

    fn end(&mut self) {
        self.info = self.info();
        self.stage = Stage::Ended;
    }
}

impl<R: Message + Default> Stream for ResponseStream<R> {
    type Item = Result<R, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<R, Error>>> {
        self.poll_message(cx).map(Result::transpose)
    }
}
