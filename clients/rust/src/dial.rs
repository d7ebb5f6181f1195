//! Reaches a server: the addresses of a name, TCP, TLS, HELLO.

use std::collections::VecDeque;
use std::fmt;
use std::future::{poll_fn, Future};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::client::ServerName;
use rustls::ClientConfig;
use tokio::net::{lookup_host, TcpStream};
use tokio::time::{sleep, timeout, Sleep};
use tokio_rustls::client::TlsStream;
use tokio_rustls::TlsConnector;

use crate::connection::{Connection, Owner};
use crate::error::Error;
use crate::pool_machine::HOLD_UP;
use crate::tls::{is_certificate_refused, ALPN};
use crate::wire::Hello;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 16;

/// What every connection of a client has in common.
pub(crate) struct DialSettings {
    pub tls: Arc<ClientConfig>,
    pub own: Hello,
    pub keepalive: Duration,
}

/// Where a server listens.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub host: String,
    pub port: u16,
    /// Whom its certificate must name.
    pub name: ServerName,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Connects, checks the certificate and the protocol, and exchanges HELLO. UNAVAILABLE, not started, where that
/// does not work.
pub(crate) async fn dial(
    endpoint: &Endpoint,
    settings: &DialSettings,
    number: u64,
    place: usize,
    owner: Weak<dyn Owner>,
) -> Result<Arc<Connection>, Error> {
    let attempt = async {
        let tls = reach(endpoint, settings).await?;
        let connection = Connection::start(tls, settings.own.clone(), settings.keepalive, (number, place), owner);
        let guard = AbortOnDrop(Some(connection));
        if let Some(connection) = &guard.0 {
            connection.established().await.map_err(|error| Failure::new(error.message().to_owned()))?;
        }
        Ok::<_, Failure>(guard)
    };
    let failure = match timeout(CONNECT_TIMEOUT, attempt).await {
        Ok(Ok(mut guard)) => match guard.0.take() {
            Some(connection) => return Ok(connection),
            None => Failure::new("no connection"),
        },
        Ok(Err(failure)) => failure,
        Err(_) => Failure::new("no answer in time"),
    };
    let text = format!("cannot connect to {endpoint}: {}", failure.why);
    let error = Error::unavailable(text).not_started();
    Err(if failure.is_certificate { error.certificate() } else { error })
}

struct Failure {
    why: String,
    is_certificate: bool,
}

impl Failure {
    fn new(why: impl Into<String>) -> Failure {
        Failure { why: why.into(), is_certificate: false }
    }
}

/// A connection that nobody has yet.
struct AbortOnDrop(Option<Arc<Connection>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(connection) = &self.0 {
            connection.abort();
        }
    }
}

async fn reach(endpoint: &Endpoint, settings: &DialSettings) -> Result<TlsStream<TcpStream>, Failure> {
    let found = lookup_host((endpoint.host.as_str(), endpoint.port)).await;
    let addresses: Vec<SocketAddr> = found.map_err(|error| Failure::new(error.to_string()))?.collect();
    let tcp = Race::new(in_turns(addresses)).run().await.map_err(|error| Failure::new(error.to_string()))?;
    // Frames are small and wait for answers.
    tcp.set_nodelay(true).map_err(|error| Failure::new(error.to_string()))?;
    let connector = TlsConnector::from(settings.tls.clone());
    let tls = connector.connect(endpoint.name.clone(), tcp).await.map_err(|error| {
        let is_certificate = is_certificate_refused(&error);
        let what = if is_certificate { "certificate refused" } else { "TLS" };
        Failure { why: format!("{what}: {error}"), is_certificate }
    })?;
    if tls.get_ref().1.alpn_protocol() != Some(ALPN) {
        return Err(Failure::new("the peer does not speak hito/1"));
    }
    Ok(tls)
}

/// The families one after the other, beginning with that of the first address (RFC 8305).
fn in_turns(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (ours, others): (Vec<SocketAddr>, Vec<SocketAddr>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut ours, mut others) = (ours.into_iter(), others.into_iter());
    let mut ordered = VecDeque::new();
    loop {
        let pair = (ours.next(), others.next());
        if pair == (None, None) || ordered.len() >= ADDRESSES_MAX {
            return ordered;
        }
        ordered.extend(pair.0.into_iter().chain(pair.1));
    }
}

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// Several addresses of which the first that answers is taken. One that refuses does not hold up the next, one that
/// says nothing does for a quarter of a second.
struct Race {
    left: VecDeque<SocketAddr>,
    attempts: Vec<Attempt>,
    next: Pin<Box<Sleep>>,
    failure: io::Error,
}

impl Race {
    fn new(left: VecDeque<SocketAddr>) -> Race {
        let failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        Race { left, attempts: Vec::new(), next: Box::pin(sleep(HOLD_UP)), failure }
    }

    async fn run(mut self) -> io::Result<TcpStream> {
        self.begin_next();
        poll_fn(|cx| self.poll(cx)).await
    }

    fn begin_next(&mut self) {
        if let Some(address) = self.left.pop_front() {
            self.attempts.push(Box::pin(TcpStream::connect(address)));
            self.next.set(sleep(HOLD_UP));
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let mut place = 0;
        while place < self.attempts.len() {
            match self.attempts[place].as_mut().poll(cx) {
                Poll::Ready(Ok(tcp)) => return Poll::Ready(Ok(tcp)),
                Poll::Ready(Err(error)) => {
                    drop(self.attempts.remove(place));
                    self.failure = error;
                    self.begin_next();
                }
                Poll::Pending => place += 1,
            }
        }
        while !self.left.is_empty() && self.next.as_mut().poll(cx).is_ready() {
            self.begin_next();
            cx.waker().wake_by_ref();
        }
        if self.attempts.is_empty() {
            let failure = std::mem::replace(&mut self.failure, io::ErrorKind::NotFound.into());
            return Poll::Ready(Err(failure));
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns() {
        let texts = ["[::1]:1", "[::2]:1", "127.0.0.1:1", "127.0.0.2:1", "[::3]:1"];
        let addresses = texts.iter().map(|text| text.parse().unwrap()).collect();
        let ordered: Vec<String> = in_turns(addresses).iter().map(ToString::to_string).collect();
        assert_eq!(ordered, ["[::1]:1", "127.0.0.1:1", "[::2]:1", "127.0.0.2:1", "[::3]:1"]);
    }
}
