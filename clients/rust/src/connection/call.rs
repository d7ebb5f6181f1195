//! The caller's end of a call.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Connection;
use crate::compression;
use crate::error::{Code, Error};
use crate::metadata::ResponseInfo;
use crate::wire::kind;

/// A call of one reader. Dropping it cancels the call.
pub(crate) struct CallHandle {
    connection: Arc<Connection>,
    stream: u32,
}

impl CallHandle {
    pub(super) fn new(connection: Arc<Connection>, stream: u32) -> CallHandle {
        CallHandle { connection, stream }
    }

    /// Where a request stream goes.
    pub fn sender(&self) -> CallSender {
        CallSender { connection: self.connection.clone(), stream: self.stream }
    }

    /// The next message; none at the end of a call that went well.
    pub async fn receive(&mut self) -> Result<Option<Vec<u8>>, Error> {
        poll_fn(|cx| self.poll_receive(cx)).await
    }

    pub fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Vec<u8>>, Error>> {
        let mut state = self.connection.lock();
        let message_max = state.own.message_max as usize;
        let Some(call) = state.calls.get_mut(&self.stream) else { return Poll::Ready(Ok(None)) };
        let Some(arrived) = call.take_message() else {
            if let Some(error) = &call.error {
                return Poll::Ready(Err(error.clone()));
            }
            if call.is_done {
                return Poll::Ready(Ok(None));
            }
            call.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        state.consumed_of(self.stream, arrived.owed);
        self.connection.settle(state);
        if !arrived.is_compressed {
            return Poll::Ready(Ok(Some(arrived.data)));
        }
        // Here, not where it arrived: what nobody reads takes no more memory than its credit.
        Poll::Ready(match compression::unpack(&arrived.data, message_max) {
            Ok(message) => Ok(Some(message)),
            Err(why) => {
                let error = Error::new(Code::Internal, format!("the server sent {why}"));
                self.cancel(Some(error.clone()));
                Err(error)
            }
        })
    }

    /// Exactly one message, and then the end (W7.6).
    pub async fn one_reply(&mut self) -> Result<Vec<u8>, Error> {
        let wrong = || Error::new(Code::Internal, "the server did not answer with exactly one message");
        let message = self.receive().await?.ok_or_else(wrong)?;
        match self.receive().await? {
            None => Ok(message),
            Some(_) => Err(wrong()),
        }
    }

    /// Gives the call up, if it has not ended.
    pub fn cancel(&self, error: Option<Error>) {
        let mut state = self.connection.lock();
        state.cancel(self.stream, error);
        self.connection.settle(state);
    }

    /// Whether nothing more will arrive.
    pub fn is_done(&self) -> bool {
        let state = self.connection.lock();
        state.calls.get(&self.stream).map_or(true, |call| call.is_done)
    }

    /// What the server said beside its messages, so far.
    pub fn info(&self) -> ResponseInfo {
        let state = self.connection.lock();
        let info = state
            .calls
            .get(&self.stream)
            .map(|call| ResponseInfo { metadata: call.metadata.clone(), trailers: call.trailers.clone() });
        info.unwrap_or_default()
    }
}

impl Drop for CallHandle {
    fn drop(&mut self) {
        let mut state = self.connection.lock();
        state.cancel(self.stream, None);
        state.calls.remove(&self.stream);
        self.connection.settle(state);
    }
}

/// Where the messages of a request stream go.
pub(crate) struct CallSender {
    connection: Arc<Connection>,
    stream: u32,
}

impl CallSender {
    /// Sends a message; waits while there is no credit. False where the call has ended.
    pub async fn send(&self, message: Vec<u8>) -> Result<bool, Error> {
        self.put(message)?;
        Ok(poll_fn(|cx| self.poll_sent(cx)).await)
    }

    fn put(&self, message: Vec<u8>) -> Result<(), Error> {
        let message = self.connection.outgoing(message, false)?;
        let mut state = self.connection.lock();
        state.enqueue(self.stream, message);
        state.pump();
        self.connection.settle(state);
        Ok(())
    }

    fn poll_sent(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.connection.lock();
        let Some(call) = state.running(self.stream) else { return Poll::Ready(false) };
        if call.outgoing.is_none() {
            return Poll::Ready(true);
        }
        call.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Says that no more messages follow.
    pub fn half_close(&self) {
        let mut state = self.connection.lock();
        if state.running(self.stream).is_some() {
            state.write(kind::END, 0, self.stream, &[], &[]);
        }
        self.connection.settle(state);
    }

    /// Ends the call with an error of this side.
    pub fn cancel(&self, error: Error) {
        let mut state = self.connection.lock();
        state.cancel(self.stream, Some(error));
        self.connection.settle(state);
    }
}
