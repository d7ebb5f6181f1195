//! Calls before they are made: what the stubs return, to say more about a call and then await it.

use std::future::IntoFuture;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use prost::Message;

use crate::channel::Channel;
use crate::error::{Code, Error};
use crate::interceptor::BoxFuture;
use crate::metadata::{Metadata, MetadataValue, ResponseInfo};
use crate::method::Method;
use crate::options::CallOptions;
use crate::retry::Hedging;
use crate::stream::{Outgoing, ResponseStream, Streaming};

/// A response with what the server said beside it.
#[derive(Clone, Debug)]
pub struct Response<R> {
    /// The response itself.
    pub message: R,
    /// What the server said before its response.
    pub metadata: Metadata,
    /// What it said with the end of the call.
    pub trailers: Metadata,
}

/// The options that calls of all kinds have.
macro_rules! options {
    () => {
        /// How long the call may take, repeats included.
        pub fn timeout(mut self, timeout: Duration) -> Self {
            self.options.timeout = Some(timeout);
            self
        }

        /// Adds metadata: text, or bytes under keys that end with `-bin`.
        pub fn metadata(mut self, key: impl Into<String>, value: impl Into<MetadataValue>) -> Self {
            self.options.metadata.insert(key, value);
            self
        }

        /// A token instead of the client's.
        pub fn token(mut self, token: impl Into<String>) -> Self {
            self.options.token = Some(token.into());
            self
        }

        /// W3C trace context.
        pub fn traceparent(mut self, traceparent: impl Into<String>) -> Self {
            self.options.traceparent = Some(traceparent.into());
            self
        }

        /// Whether the call waits for a server within its time while none can be reached.
        pub fn wait_for_ready(mut self, waits: bool) -> Self {
            self.options.wait_for_ready = Some(waits);
            self
        }

        /// All options at once.
        pub fn options(mut self, options: CallOptions) -> Self {
            self.options = options;
            self
        }
    };
}

macro_rules! idempotency_key {
    () => {
        /// Under which the caller may repeat the call (W14). A unary call that writes has a random one otherwise.
        pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
            self.options.idempotency_key = Some(key.into());
            self
        }
    };
}

/// A call with one request and one response: await it.
#[must_use = "a call does nothing unless it is awaited"]
pub struct UnaryCall<R> {
    channel: Channel,
    method: &'static Method,
    request: Vec<u8>,
    options: CallOptions,
    response: PhantomData<fn() -> R>,
}

impl<R: Message + Default + 'static> UnaryCall<R> {
    pub(crate) fn new<Q: Message>(channel: &Channel, method: &'static Method, request: &Q) -> Self {
        UnaryCall {
            channel: channel.clone(),
            method,
            request: request.encode_to_vec(),
            options: CallOptions::default(),
            response: PhantomData,
        }
    }

    options!();
    idempotency_key!();

    /// Makes the call again beside the first where no response comes. A call that writes needs an
    /// `idempotency_key` for it.
    pub fn hedging(mut self, hedging: Hedging) -> Self {
        self.options.hedging = Some(hedging);
        self
    }

    /// Makes the call; with what the server says beside its response. Dropping the future cancels the call.
    pub async fn response(self) -> Result<Response<R>, Error> {
        let (message, info) = self.channel.unary(self.method, &self.request, self.options).await?;
        response(&message, info)
    }
}

impl<R: Message + Default + 'static> IntoFuture for UnaryCall<R> {
    type Output = Result<R, Error>;
    type IntoFuture = BoxFuture<'static, Result<R, Error>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.response().await.map(|response| response.message) })
    }
}

/// A call with one request and many responses.
#[must_use = "a call does nothing unless its stream is read"]
pub struct ServerStreamCall<R> {
    channel: Channel,
    method: &'static Method,
    request: Vec<u8>,
    options: CallOptions,
    response: PhantomData<fn() -> R>,
}

impl<R: Message + Default + 'static> ServerStreamCall<R> {
    pub(crate) fn new<Q: Message>(channel: &Channel, method: &'static Method, request: &Q) -> Self {
        ServerStreamCall {
            channel: channel.clone(),
            method,
            request: request.encode_to_vec(),
            options: CallOptions::default(),
            response: PhantomData,
        }
    }

    options!();
    idempotency_key!();

    /// The responses. The call begins with the first one that is asked for.
    pub fn stream(self) -> ResponseStream<R> {
        let outgoing = Outgoing::One(self.request);
        ResponseStream::new(Streaming::new(&self.channel, self.method, outgoing), self.options)
    }
}

/// A call with many requests and one response: await it.
#[must_use = "a call does nothing unless it is awaited"]
pub struct ClientStreamCall<R> {
    streaming: Streaming,
    options: CallOptions,
    response: PhantomData<fn() -> R>,
}

impl<R: Message + Default + 'static> ClientStreamCall<R> {
    pub(crate) fn new<S>(channel: &Channel, method: &'static Method, requests: S) -> Self
    where
        S: Stream + Send + 'static,
        S::Item: Message + 'static,
    {
        let streaming = Streaming::new(channel, method, Outgoing::many(requests));
        ClientStreamCall { streaming, options: CallOptions::default(), response: PhantomData }
    }

    options!();
    idempotency_key!();

    /// Makes the call; with what the server says beside its response. Dropping the future cancels the call.
    pub async fn response(self) -> Result<Response<R>, Error> {
        let (message, info) = Arc::new(self.streaming).one_reply(self.options).await?;
        response(&message, info)
    }
}

impl<R: Message + Default + 'static> IntoFuture for ClientStreamCall<R> {
    type Output = Result<R, Error>;
    type IntoFuture = BoxFuture<'static, Result<R, Error>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.response().await.map(|response| response.message) })
    }
}

/// A call with many requests and many responses, each at their own pace.
#[must_use = "a call does nothing unless its stream is read"]
pub struct BidiCall<R> {
    streaming: Streaming,
    options: CallOptions,
    response: PhantomData<fn() -> R>,
}

impl<R: Message + Default + 'static> BidiCall<R> {
    pub(crate) fn new<S>(channel: &Channel, method: &'static Method, requests: S) -> Self
    where
        S: Stream + Send + 'static,
        S::Item: Message + 'static,
    {
        let streaming = Streaming::new(channel, method, Outgoing::many(requests));
        BidiCall { streaming, options: CallOptions::default(), response: PhantomData }
    }

    options!();

    /// The responses. The call begins with the first one that is asked for, and its requests are read then.
    pub fn stream(self) -> ResponseStream<R> {
        ResponseStream::new(self.streaming, self.options)
    }
}

fn response<R: Message + Default>(message: &[u8], info: ResponseInfo) -> Result<Response<R>, Error> {
    let ResponseInfo { metadata, trailers } = info;
    match R::decode(message) {
        Ok(message) => Ok(Response { message, metadata, trailers }),
        Err(error) => {
            let text = format!("the server's answer is not valid: {error}");
            Err(Error::new(Code::Internal, text).with_info(metadata, trailers))
        }
    }
}
