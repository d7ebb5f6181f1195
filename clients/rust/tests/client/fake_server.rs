//! A server that speaks the bytes of PROTOCOL.md, written without the library under test.

use std::collections::HashMap;
use std::future::Future;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use hito::{BoxFuture, Client, ClientBuilder};
use rustls::{Certificate, PrivateKey, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::server::TlsStream;
use tokio_rustls::TlsAcceptor;

pub const HELLO: u8 = 1;
pub const CALL: u8 = 2;
pub const MESSAGE: u8 = 3;
pub const END: u8 = 4;

pub const UNAVAILABLE: u16 = 14;
pub const UNAUTHENTICATED: u16 = 16;

pub struct Frame {
    pub kind: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// The fields of a block by their tags.
pub struct Fields(HashMap<u8, Vec<u8>>);

impl Fields {
    fn of(payload: &[u8]) -> Fields {
        let size = usize::from(u16::from_be_bytes([payload[0], payload[1]]));
        let mut block = &payload[2..2 + size];
        let mut fields = HashMap::new();
        while let [tag, high, low, rest @ ..] = block {
            let (value, rest) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])));
            fields.insert(*tag, value.to_vec());
            block = rest;
        }
        Fields(fields)
    }

    pub fn text(&self, tag: u8) -> Option<String> {
        self.0.get(&tag).map(|value| String::from_utf8(value.clone()).expect("text"))
    }

    pub fn token(&self) -> Option<String> {
        self.text(5)
    }
}

fn block(fields: &[(u8, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (tag, value) in fields {
        body.push(*tag);
        body.extend_from_slice(&(value.len() as u16).to_be_bytes());
        body.extend_from_slice(value);
    }
    [&(body.len() as u16).to_be_bytes()[..], &body].concat()
}

/// One accepted connection.
pub struct Peer(TlsStream<TcpStream>);

impl Peer {
    /// The next frame; none at the end.
    async fn frame(&mut self) -> Option<Frame> {
        let length = self.0.read_u32().await.ok()?;
        let (kind, _flags) = (self.0.read_u8().await.ok()?, self.0.read_u8().await.ok()?);
        let stream = self.0.read_u32().await.ok()?;
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame { kind, stream, payload })
    }

    pub async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let head = [&(payload.len() as u32).to_be_bytes()[..], &[kind, flags], &stream.to_be_bytes()].concat();
        // The client may have gone.
        let _ = self.0.write_all(&[&head, payload].concat()).await;
        let _ = self.0.flush().await;
    }

    /// Exchanges HELLO; the client's fields.
    pub async fn greet(&mut self) -> Fields {
        let hello = self.frame().await.expect("HELLO");
        assert_eq!((hello.kind, hello.stream), (HELLO, 0));
        self.send(HELLO, 0, 0, &block(&[(1, &[0, 0]), (10, b"fake-1")])).await;
        Fields::of(&hello.payload)
    }

    /// The next call; none where the client has gone.
    pub async fn next_call(&mut self) -> Option<(u32, Fields)> {
        loop {
            let frame = self.frame().await?;
            if frame.kind == CALL {
                return Some((frame.stream, Fields::of(&frame.payload)));
            }
        }
    }

    pub async fn call(&mut self) -> (u32, Fields) {
        self.next_call().await.expect("a call")
    }

    pub async fn reply(&mut self, stream: u32) {
        self.send(END, 0x04, stream, &block(&[])).await;
    }

    pub async fn end(&mut self, stream: u32) {
        self.send(END, 0, stream, &block(&[])).await;
    }

    pub async fn fail(&mut self, stream: u32, status: u16, text: &str) {
        self.send(END, 0, stream, &block(&[(1, &status.to_be_bytes()), (2, text.as_bytes())])).await;
    }

    /// Reads until the client closes.
    pub async fn at_end(&mut self) {
        while self.frame().await.is_some() {}
    }
}

type Script = Box<dyn Fn(Peer) -> BoxFuture<'static, ()> + Send + Sync>;

/// Plays one script for each connection.
pub struct FakeServer {
    pub address: String,
    accepting: JoinHandle<()>,
    playing: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl FakeServer {
    /// All connections have the same script.
    pub async fn play<F, T>(script: F) -> FakeServer
    where
        F: Fn(Peer) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        FakeServer::start(Box::new(move |peer| Box::pin(script(peer)))).await
    }

    async fn start(script: Script) -> FakeServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let acceptor = TlsAcceptor::from(server_config());
        let playing: Arc<Mutex<Vec<JoinHandle<()>>>> = Arc::default();
        let tasks = playing.clone();
        let script = Arc::new(script);
        let accepting = tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let (acceptor, script) = (acceptor.clone(), script.clone());
                let task = tokio::spawn(async move { script(Peer(acceptor.accept(tcp).await.unwrap())).await });
                tasks.lock().unwrap().push(task);
            }
        });
        FakeServer { address, accepting, playing }
    }

    pub fn builder(&self) -> ClientBuilder {
        Client::builder(&self.address).ca_file(certificate())
    }

    /// Fails where a script has failed.
    pub async fn finish(self) {
        self.accepting.abort();
        let playing = std::mem::take(&mut *self.playing.lock().unwrap());
        for task in playing {
            tokio::time::timeout(Duration::from_secs(10), task)
                .await
                .expect("an end")
                .expect("a script that went well");
        }
    }
}

fn server_config() -> Arc<ServerConfig> {
    let read = |path: &Path| std::fs::read(path).unwrap();
    let chain = rustls_pemfile::certs(&mut Cursor::new(read(&certificate()))).unwrap();
    let keys = rustls_pemfile::pkcs8_private_keys(&mut Cursor::new(read(&folder().join("key.pem")))).unwrap();
    let key = PrivateKey(keys.into_iter().next().unwrap());
    let mut config = ServerConfig::builder()
        .with_safe_defaults()
        .with_no_client_auth()
        .with_single_cert(chain.into_iter().map(Certificate).collect(), key)
        .unwrap();
    config.alpn_protocols = vec![b"hito/1".to_vec()];
    Arc::new(config)
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// A certificate that signs itself, made by `openssl`.
pub fn certificate() -> PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(make_certificate).clone()
}

fn make_certificate() -> PathBuf {
    let (settings, key, made) = (folder().join("openssl.cnf"), folder().join("key.pem"), folder().join("cert.pem"));
    let text = "[req]\ndistinguished_name = name\nx509_extensions = own\nprompt = no\n[name]\nCN = fake\n\
        [own]\nbasicConstraints = critical, CA:FALSE\nsubjectAltName = IP:127.0.0.1\n";
    std::fs::write(&settings, text).unwrap();
    let output = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args([Path::new("-config"), &settings, Path::new("-keyout"), &key, Path::new("-out"), &made])
        .output()
        .expect("openssl");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    made
}
