//! How a client is made.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::channel::{Channel, Shared, TraceSource};
use crate::client::Client;
use crate::client_log::{Log, LogRecord};
use crate::compression;
use crate::dial::{DialSettings, Endpoint};
use crate::error::{Code, Error};
use crate::interceptor::Interceptor;
use crate::pool::{Pool, PoolSettings};
use crate::retry::{Hedging, Pacer, RetryBudget};
use crate::tls::{client_config, server_name, Trust};
use crate::token_machine::Token;
use crate::tokens::{Failure, TokenProvider, Tokens};
use crate::wire::{check_token, Hello, FRAME_PAYLOAD_MIN, MINOR_VERSION};

const ADDRESSES_MAX: usize = 256;

/// Which server a call goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balancing {
    /// The first that answers, for as long as it does.
    #[default]
    PickFirst,
    /// All in turn.
    RoundRobin,
}

/// Says how a client is to be; [`ClientBuilder::connect`] makes it.
#[must_use = "a builder makes no client by itself"]
pub struct ClientBuilder {
    addresses: String,
    token: String,
    token_provider: Option<TokenProvider>,
    token_timeout: Duration,
    trace_source: Option<TraceSource>,
    ca_file: Option<PathBuf>,
    trust: Trust,
    identity_files: Option<(PathBuf, PathBuf)>,
    server_name: Option<String>,
    timeout: Duration,
    connect_timeout: Duration,
    wait_for_ready: bool,
    wait_for_connect: bool,
    balancing: Balancing,
    connections_per_address: usize,
    health_check: bool,
    keepalive: Duration,
    hedging: Option<Hedging>,
    retry_budget: RetryBudget,
    message_max: u32,
    compression: bool,
    interceptors: Vec<Arc<dyn Interceptor>>,
    agent: String,
    log: Log,
}

impl ClientBuilder {
    pub(crate) fn new(addresses: String) -> ClientBuilder {
        ClientBuilder {
            addresses,
            token: String::new(),
            token_provider: None,
            token_timeout: Duration::from_secs(10),
            trace_source: None,
            ca_file: None,
            trust: Trust::default(),
            identity_files: None,
            server_name: None,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            wait_for_ready: true,
            wait_for_connect: false,
            balancing: Balancing::PickFirst,
            connections_per_address: 4,
            health_check: false,
            keepalive: Duration::from_secs(10),
            hedging: None,
            retry_budget: RetryBudget::default(),
            message_max: 4 << 20,
            compression: false,
            interceptors: Vec::new(),
            agent: concat!("hito-rust/", env!("CARGO_PKG_VERSION")).to_owned(),
            log: Log::default(),
        }
    }

    /// From `hito token create`. It speaks for every call that has none of its own.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// Makes tokens that end, instead of [`token`](ClientBuilder::token): it answers with a text, or with a [`Token`]
    /// that says for how long it is valid.
    ///
    /// It is asked by the first call, shortly before a token ends, and when the server refuses one; by one call at a
    /// time, for all. A call that is refused is repeated once under the next token. While it fails calls end with
    /// [`Code::Unauthenticated`], whose source is its error, and it is asked again after growing waits.
    pub fn token_provider<F, T, A>(mut self, provider: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<A, Failure>> + Send + 'static,
        A: Into<Token>,
    {
        let provider = Arc::new(provider);
        self.token_provider = Some(Arc::new(move || {
            let provider = provider.clone();
            // Its first part, too, runs where it may panic.
            Box::pin(async move { provider().await.map(Into::into) })
        }));
        self
    }

    /// What the token provider may take. 10 s.
    pub fn token_timeout(mut self, timeout: Duration) -> Self {
        self.token_timeout = timeout;
        self
    }

    /// Asked for the W3C trace context of each call that says none: `traceparent` of the span it is made in.
    pub fn trace_source(mut self, source: impl Fn() -> Option<String> + Send + Sync + 'static) -> Self {
        self.trace_source = Some(Arc::new(source));
        self
    }

    /// A PEM file of the authority that signed the server's certificate; the system's authorities where none.
    pub fn ca_file(mut self, path: impl AsRef<Path>) -> Self {
        self.ca_file = Some(path.as_ref().to_owned());
        self
    }

    /// The same as PEM.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.trust.authorities = Some(pem.into());
        self
    }

    /// Our own certificate with its chain, and its key: PEM files. For servers that ask for one (mutual TLS).
    pub fn client_certificate_files(mut self, chain: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        self.identity_files = Some((chain.as_ref().to_owned(), key.as_ref().to_owned()));
        self
    }

    /// The same as PEM.
    pub fn client_certificate_pem(mut self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.trust.identity = Some((chain.into(), key.into()));
        self
    }

    /// The name or IP address in the server's certificate, where it is not the host.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// What a unary call may take, repeats included, unless the call says otherwise. 30 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// What [`ClientBuilder::connect`] may take. 10 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Whether calls wait for a server within their time while none can be reached (they do); otherwise they fail at
    /// once.
    pub fn wait_for_ready(mut self, waits: bool) -> Self {
        self.wait_for_ready = waits;
        self
    }

    /// The same for [`ClientBuilder::connect`], within its time.
    pub fn wait_for_connect(mut self, waits: bool) -> Self {
        self.wait_for_connect = waits;
        self
    }

    /// Which server a call goes to, of several.
    pub fn balancing(mut self, balancing: Balancing) -> Self {
        self.balancing = balancing;
        self
    }

    /// Another one is opened when the calls on those that there are reach what the server allows. 4.
    pub fn connections_per_address(mut self, connections: usize) -> Self {
        self.connections_per_address = connections.max(1);
        self
    }

    /// Servers are asked how they are: one that says that it does not serve gets no new calls while others do.
    pub fn health_check(mut self, checks: bool) -> Self {
        self.health_check = checks;
        self
    }

    /// After so much silence a connection on which calls wait is asked for a sign of life, but no more often than the
    /// server wants to be. 10 s.
    pub fn keepalive(mut self, silence: Duration) -> Self {
        self.keepalive = silence.clamp(Duration::from_millis(10), Duration::from_secs(86_400));
        self
    }

    /// Unary calls that read are made again beside the first where no response comes.
    pub fn hedging(mut self, hedging: Hedging) -> Self {
        self.hedging = Some(hedging);
        self
    }

    /// How many repeats and copies all calls have together.
    pub fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.retry_budget = budget;
        self
    }

    /// Bytes of a message that is accepted, 16 KiB at least. 4 MiB.
    pub fn message_max(mut self, bytes: u32) -> Self {
        self.message_max = bytes.max(FRAME_PAYLOAD_MIN);
        self
    }

    /// Messages of 4 KiB and more go compressed, both ways, where the server reads that. It costs both sides
    /// processor time, and pays where the network is slow.
    pub fn compression(mut self, compresses: bool) -> Self {
        self.compression = compresses;
        self
    }

    /// Around each call. The first one is the outermost.
    pub fn interceptor(mut self, interceptor: impl Interceptor + 'static) -> Self {
        self.interceptors.push(Arc::new(interceptor));
        self
    }

    /// How the client calls itself in the server's logs.
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.agent = agent.into();
        self
    }

    /// Hears what happens to the client and its calls, as records without secrets. It is called where that happens,
    /// and must be quick. [`log_to`](crate::log_to) makes such a function for the crate `log`.
    pub fn log(mut self, function: impl Fn(&LogRecord) + Send + Sync + 'static) -> Self {
        self.log = Log::new(function);
        self
    }

    /// Makes the client, with its first connection, so that mistakes show at once.
    ///
    /// [`Code::Unavailable`] when no server answers, [`Code::InvalidArgument`] where an address, a token, a name or a
    /// certificate cannot be used. It belongs to the tokio runtime that it is called in.
    pub async fn connect(self) -> Result<Client, Error> {
        let (time, waits) = (self.connect_timeout, self.wait_for_connect);
        let channel = self.channel()?;
        let place = timeout(time, channel.0.pool.place(Some(waits))).await;
        match place {
            Ok(Ok(_)) => Ok(Client::new(channel)),
            Ok(Err(error)) => {
                channel.0.pool.close().await;
                Err(error)
            }
            Err(_) => {
                channel.0.pool.close().await;
                Err(Error::unavailable(format!("no server answered within {time:?}")).not_started())
            }
        }
    }

    fn channel(mut self) -> Result<Channel, Error> {
        if !self.token.is_empty() {
            check_token(&self.token)?;
            if self.token_provider.is_some() {
                return Err(refused("a token or a token provider, not both".to_owned()));
            }
        }
        if let Some(path) = &self.ca_file {
            self.trust.authorities = Some(read(path)?);
        }
        if let Some((chain, key)) = &self.identity_files {
            self.trust.identity = Some((read(chain)?, read(key)?));
        }
        let name = self.server_name.as_deref();
        let endpoints: Vec<Endpoint> =
            self.addresses.split(',').map(|text| endpoint(text.trim(), name)).collect::<Result<_, _>>()?;
        if endpoints.len() > ADDRESSES_MAX {
            return Err(refused(format!("more than {ADDRESSES_MAX} addresses")));
        }
        let own = Hello {
            minor_version: MINOR_VERSION,
            agent: self.agent.replace('\0', ""),
            token: self.token,
            message_max: self.message_max,
            encodings: if self.compression { vec![compression::DEFLATE] } else { Vec::new() },
            ..Hello::default()
        };
        let settings = PoolSettings {
            dial: DialSettings { tls: client_config(&self.trust)?, own, keepalive: self.keepalive },
            connections_max: self.connections_per_address,
            round_robin: self.balancing == Balancing::RoundRobin,
            health_check: self.health_check,
            wait_for_ready: self.wait_for_ready,
            log: self.log.clone(),
        };
        Ok(Channel(Arc::new(Shared {
            pool: Pool::new(endpoints, settings),
            timeout: self.timeout,
            interceptors: self.interceptors,
            hedging: self.hedging,
            pacer: Pacer::new(self.retry_budget),
            tokens: self.token_provider.map(|provider| Tokens::new(provider, self.token_timeout, self.log.clone())),
            trace_source: self.trace_source,
            log: self.log,
        })))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| refused(format!("{}: {error}", path.display())))
}

/// `host:port` or `[2001:db8::1]:port`.
fn endpoint(text: &str, name: Option<&str>) -> Result<Endpoint, Error> {
    let wrong = || refused(format!("{text:?} is not an address: say host:port, or [IPv6]:port"));
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address,
        None if host.contains(':') => return Err(wrong()),
        None => host,
    };
    let port: u16 = port.parse().map_err(|_| wrong())?;
    if host.is_empty() || port == 0 {
        return Err(wrong());
    }
    Ok(Endpoint { host: host.to_owned(), port, name: server_name(name.unwrap_or(host))? })
}

fn refused(text: String) -> Error {
    Error::new(Code::InvalidArgument, text).not_started()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_hosts_with_ports() {
        let known = endpoint("[2001:db8::1]:7443", None).unwrap();
        assert_eq!((known.host.as_str(), known.port), ("2001:db8::1", 7443));
        assert_eq!(endpoint("hito.example:1", None).unwrap().host, "hito.example");
        for wrong in ["", "hito", "hito:", ":1", "hito:0", "hito:65536", "::1:7443", "hito:x"] {
            assert_eq!(endpoint(wrong, None).unwrap_err().code(), Code::InvalidArgument, "{wrong}");
        }
    }
}
