//! One TLS connection: frames in and out, calls, credit, keepalive, drain.

mod call;
mod call_state;
mod driver;
mod sending;
mod state;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{timeout, Instant};
use tokio_rustls::client::TlsStream;

use call_state::Outgoing;
use state::{Phase, State};

use crate::compression;
use crate::error::{Code, Error};
use crate::metadata::MetadataValue;
use crate::sync::locked;
use crate::wire::{encode_call, flag, reason, CallHeader, Hello, STREAM_ID_MAX};

pub(crate) use call::{CallHandle, CallSender};
pub(crate) use state::Notice;

/// How long the end of a connection may take.
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Who is told what becomes of a connection. Told without any lock.
pub(crate) trait Owner: Send + Sync {
    fn notice(&self, connection: &Connection, notice: Notice);
}

/// A connection, from its HELLO on.
pub(crate) struct Connection {
    /// Its owner's.
    pub number: u64,
    /// The address that it is one to, of its owner's.
    pub place: usize,
    owner: Weak<dyn Owner>,
    state: Mutex<State>,
}

impl Connection {
    /// Begins to speak over a socket. `established` waits for the server's HELLO.
    pub fn start(
        tls: TlsStream<TcpStream>,
        own: Hello,
        keepalive: Duration,
        (number, place): (u64, usize),
        owner: Weak<dyn Owner>,
    ) -> Arc<Connection> {
        let state = Mutex::new(State::new(own, keepalive));
        let connection = Arc::new(Connection { number, place, owner, state });
        tokio::spawn(driver::Driver::new(connection.clone(), tls, keepalive));
        connection
    }

    /// Returns once the server said HELLO.
    pub async fn established(&self) -> Result<(), Error> {
        poll_fn(|cx| {
            let mut state = self.lock();
            if let Some(failure) = &state.failure {
                return Poll::Ready(Err(failure.clone()));
            }
            if state.has_hello {
                return Poll::Ready(Ok(()));
            }
            state.watchers.push(cx.waker().clone());
            Poll::Pending
        })
        .await
    }

    pub fn is_open(&self) -> bool {
        self.lock().is_open()
    }

    /// Whether new calls may be opened.
    pub fn takes_calls(&self) -> bool {
        let state = self.lock();
        state.is_open() && !state.is_draining
    }

    pub fn is_lost(&self) -> bool {
        self.lock().phase == Phase::Lost
    }

    /// How it ended: whether in order (closed by this side, or drained), and why.
    pub fn ending(&self) -> (bool, String) {
        let state = self.lock();
        match (&state.order, &state.failure) {
            (Some(reason), _) => (true, reason.clone()),
            (None, Some(failure)) => (false, failure.message().to_owned()),
            (None, None) => (false, String::new()),
        }
    }

    /// What the server calls itself.
    pub fn server_id(&self) -> String {
        self.lock().peer.server_id.clone()
    }

    /// How many calls the server allows.
    pub fn streams_max(&self) -> u32 {
        self.lock().peer.streams_max
    }

    /// Opens a call for which there is a place, and writes its first frame. The connection sends the rest.
    ///
    /// Where it fails the place is the caller's to give back.
    pub fn open(
        self: &Arc<Self>,
        header: &CallHeader<'_>,
        message: Option<Vec<u8>>,
        half_closes: bool,
    ) -> Result<CallHandle, Error> {
        let message = message.map(|message| self.outgoing(message, half_closes)).transpose();
        let message = message.map_err(Error::not_started)?;
        let mut state = self.lock();
        if !state.is_open() || state.is_draining || state.next_stream > STREAM_ID_MAX {
            // Between the choice of the connection and now.
            return Err(Error::unavailable("the connection takes no more calls").not_started());
        }
        let has_bytes = header
            .metadata
            .is_some_and(|metadata| metadata.iter().any(|(_, value)| matches!(value, MetadataValue::Binary(_))));
        if state.minor_version < 1 && has_bytes {
            let text = "the server is too old for metadata that is bytes";
            return Err(Error::new(Code::Unimplemented, text).not_started());
        }
        let block = encode_call(header)?;
        let stream = state.add_call(Instant::now());
        state.begin(stream, &block, message);
        self.settle(state);
        Ok(CallHandle::new(self.clone(), stream))
    }

    /// A message as it goes out: compressed where that is agreed. RESOURCE_EXHAUSTED above the server's maximum.
    fn outgoing(&self, message: Vec<u8>, half_closes: bool) -> Result<Outgoing, Error> {
        let (maximum, compresses) = {
            let state = self.lock();
            (state.peer.message_max, state.compresses)
        };
        if message.len() > maximum as usize {
            let text = format!("the request has {} bytes, the server accepts {maximum}", message.len());
            return Err(Error::new(Code::ResourceExhausted, text));
        }
        let packed = if compresses { compression::pack(&message) } else { None };
        let flags = if packed.is_some() { flag::COMPRESSED } else { 0 };
        Ok(Outgoing { data: packed.unwrap_or(message), sent: 0, flags, half_closes })
    }

    /// Ends the calls and the connection; returns when it is gone.
    pub async fn close(&self) {
        self.begin_close();
        if timeout(CLOSE_TIMEOUT, self.gone()).await.is_err() {
            self.abort();
            self.gone().await;
        }
    }

    /// Ends the calls and says goodbye.
    pub fn begin_close(&self) {
        let mut state = self.lock();
        // Those that have ended are still to be read.
        for stream in state.running_above(0) {
            state.cancel(stream, Some(Error::new(Code::Cancelled, "the client was closed")));
        }
        if state.is_open() {
            state.say_goodbye(reason::NO_ERROR, "");
        }
        self.settle(state);
    }

    /// Ends the connection without a word.
    pub fn abort(&self) {
        let mut state = self.lock();
        state.fail(Error::unavailable("the connection was given up"));
        state.abort();
        self.settle(state);
    }

    async fn gone(&self) {
        poll_fn(|cx| {
            let mut state = self.lock();
            if state.phase == Phase::Lost {
                return Poll::Ready(());
            }
            state.watchers.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    // What the driver tells

    fn received(&self, data: &[u8]) {
        let mut state = self.lock();
        state.received(data, Instant::now());
        self.settle(state);
    }

    fn lost(&self, why: &str) {
        let mut state = self.lock();
        state.lost(why);
        self.settle(state);
    }

    fn watch_over(&self) -> Instant {
        let mut state = self.lock();
        let next = state.watch_over(Instant::now());
        self.settle(state);
        next
    }

    /// What is to be written next, into `buffer`, which is empty; and how the connection is.
    fn poll_output(&self, cx: &mut Context<'_>, buffer: Option<&mut Vec<u8>>) -> Phase {
        let mut state = self.lock();
        if let Some(buffer) = buffer {
            std::mem::swap(&mut state.out, buffer);
            // What made room may be used.
            state.pump();
        }
        state.driver = Some(cx.waker().clone());
        let phase = state.phase;
        let woken = std::mem::take(&mut state.woken);
        drop(state);
        woken.into_iter().for_each(|waker| waker.wake());
        phase
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Lets go of the lock, and then tells everybody what became of what was done under it.
    fn settle(&self, mut state: MutexGuard<'_, State>) {
        let has_output = !state.out.is_empty() || state.phase != Phase::Open;
        let driver = if has_output { state.driver.take() } else { None };
        if state.phase == Phase::Lost {
            let state = &mut *state;
            state.woken.append(&mut state.watchers);
        }
        let woken = std::mem::take(&mut state.woken);
        let notices = std::mem::take(&mut state.notices);
        drop(state);
        driver.into_iter().chain(woken).for_each(|waker| waker.wake());
        if notices.is_empty() {
            return;
        }
        if let Some(owner) = self.owner.upgrade() {
            notices.into_iter().for_each(|notice| owner.notice(self, notice));
        }
    }
}
