//! Moves the bytes of a connection between its socket and its state.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{sleep, Instant, Sleep};
use tokio_rustls::client::TlsStream;

use super::state::Phase;
use super::{Connection, CLOSE_TIMEOUT};

const READ_SIZE: usize = 32 << 10;

#[derive(PartialEq, Eq)]
enum Stage {
    Speaking,
    /// All is written: close_notify goes out.
    ShuttingDown,
    /// What the peer still sends is thrown away until it ends, so that what it has not read yet reaches it.
    Lingering,
}

/// A task of a connection, which ends with it.
pub(super) struct Driver {
    connection: Arc<Connection>,
    tls: TlsStream<TcpStream>,
    writing: Vec<u8>,
    written: usize,
    is_flushed: bool,
    is_broken: bool,
    read_buffer: Box<[u8]>,
    stage: Stage,
    timer: Pin<Box<Sleep>>,
}

impl Driver {
    pub fn new(connection: Arc<Connection>, tls: TlsStream<TcpStream>, keepalive: Duration) -> Driver {
        Driver {
            connection,
            tls,
            writing: Vec::new(),
            written: 0,
            is_flushed: true,
            is_broken: false,
            read_buffer: vec![0; READ_SIZE].into_boxed_slice(),
            stage: Stage::Speaking,
            timer: Box::pin(sleep(keepalive)),
        }
    }

    /// Ready where the connection is gone, and why.
    fn poll_io(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let (phase, is_all_written) = self.write_all(cx);
            match phase {
                Phase::Aborting | Phase::Lost => return Poll::Ready(Ok(())),
                Phase::Closing if self.stage == Stage::Speaking => self.begin_end(),
                _ => {}
            }
            if is_all_written && self.stage == Stage::ShuttingDown {
                // Also where it fails: the peer may have gone before.
                if Pin::new(&mut self.tls).poll_shutdown(cx).is_ready() {
                    self.stage = Stage::Lingering;
                }
            }
            match self.poll_read(cx) {
                // Answers may have been queued.
                Poll::Ready(result) => result?,
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Writes what there is as far as the socket takes it; how the connection is, and whether all is written.
    fn write_all(&mut self, cx: &mut Context<'_>) -> (Phase, bool) {
        loop {
            let is_ready = match self.poll_write(cx) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(_)) => {
                    // What the peer said before it went is still to be read, and reading tells the end.
                    self.is_broken = true;
                    self.writing.clear();
                    self.written = 0;
                    true
                }
                Poll::Pending => false,
            };
            if !is_ready {
                return (self.connection.poll_output(cx, None), false);
            }
            self.writing.clear();
            self.written = 0;
            let phase = self.connection.poll_output(cx, Some(&mut self.writing));
            if self.writing.is_empty() || self.is_broken {
                return (phase, true);
            }
        }
    }

    fn begin_end(&mut self) {
        self.stage = Stage::ShuttingDown;
        self.timer.as_mut().reset(Instant::now() + CLOSE_TIMEOUT);
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_broken {
            return Poll::Ready(Ok(()));
        }
        while self.written < self.writing.len() {
            let tls = Pin::new(&mut self.tls);
            match tls.poll_write(cx, &self.writing[self.written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(size)) => {
                    self.written += size;
                    self.is_flushed = false;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        if !self.is_flushed {
            match Pin::new(&mut self.tls).poll_flush(cx) {
                Poll::Ready(result) => result?,
                Poll::Pending => return Poll::Pending,
            }
            self.is_flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffer = ReadBuf::new(&mut self.read_buffer);
        match Pin::new(&mut self.tls).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server ended it")))
            }
            Poll::Ready(Ok(())) => {
                if self.stage == Stage::Speaking {
                    self.connection.received(buffer.filled());
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// True where the end has taken too long.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> bool {
        while self.timer.as_mut().poll(cx).is_ready() {
            if self.stage != Stage::Speaking {
                return true;
            }
            let next = self.connection.watch_over();
            self.timer.as_mut().reset(next.max(Instant::now() + Duration::from_millis(1)));
        }
        false
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let is_late = this.poll_timer(cx);
        let why = match this.poll_io(cx) {
            Poll::Ready(Ok(())) => String::new(),
            Poll::Ready(Err(error)) => error.to_string(),
            Poll::Pending if is_late => "it did not end in time".to_owned(),
            Poll::Pending => return Poll::Pending,
        };
        this.connection.lost(&why);
        Poll::Ready(())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The runtime ends before the connection does.
        self.connection.lost("the runtime has ended");
    }
}
