//! What happens around every call of a client.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::Error;
use crate::metadata::ResponseInfo;
use crate::method::Method;
use crate::options::CallOptions;
use crate::stream::Opened;

/// A future whose type is not said.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Around every call of a client: one shape for unary calls and streams.
///
/// ```
/// use hito::{BoxFuture, CallOptions, Error, Interceptor, Method, Next, Reply};
///
/// struct Traced;
///
/// impl Interceptor for Traced {
///     fn intercept<'a>(
///         &'a self,
///         method: &'static Method,
///         mut options: CallOptions,
///         next: Next<'a>,
///     ) -> BoxFuture<'a, Result<Reply, Error>> {
///         Box::pin(async move {
///             options.metadata.insert("x-origin", "docs");
///             let result = next.run(options).await;
///             eprintln!("{}: {:?}", method.path(), result.as_ref().err());
///             result
///         })
///     }
/// }
/// ```
pub trait Interceptor: Send + Sync {
    /// Makes a call by awaiting `next.run`, with these options or others.
    ///
    /// It answers with the reply of a call that has one, and with the open stream where responses are a stream; or
    /// with how the call failed.
    fn intercept<'a>(
        &'a self,
        method: &'static Method,
        options: CallOptions,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Reply, Error>>;
}

/// What came of a call.
pub struct Reply(pub(crate) ReplyKind);

pub(crate) enum ReplyKind {
    Message { message: Vec<u8>, info: ResponseInfo },
    Stream(Box<Opened>),
}

impl Reply {
    /// Of a call with one response: what the server said beside it.
    pub fn info(&self) -> Option<&ResponseInfo> {
        match &self.0 {
            ReplyKind::Message { info, .. } => Some(info),
            ReplyKind::Stream(_) => None,
        }
    }
}

pub(crate) type Last<'a> = dyn Fn(CallOptions) -> BoxFuture<'a, Result<Reply, Error>> + Send + Sync + 'a;

/// The rest of a call, behind an interceptor.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    interceptors: &'a [Arc<dyn Interceptor>],
    method: &'static Method,
    last: &'a Last<'a>,
}

impl<'a> Next<'a> {
    /// The first interceptor is the outermost.
    pub(crate) fn new(interceptors: &'a [Arc<dyn Interceptor>], method: &'static Method, last: &'a Last<'a>) -> Self {
        Next { interceptors, method, last }
    }

    /// Makes the call. Run again it makes another one.
    pub fn run(self, options: CallOptions) -> BoxFuture<'a, Result<Reply, Error>> {
        match self.interceptors.split_first() {
            Some((first, rest)) => first.intercept(self.method, options, Next { interceptors: rest, ..self }),
            None => (self.last)(options),
        }
    }
}
