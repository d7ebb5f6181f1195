//! A provider of tokens, and a server that holds calls to one.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hito::{BoxFuture, Client, Token};
use tokio::time::sleep;

use crate::fake_server::{FakeServer, UNAUTHENTICATED};

pub type Failure = Box<dyn StdError + Send + Sync>;
pub type Answer = Result<Token, &'static str>;

/// Gives one answer after the other, the last for ever.
#[derive(Clone)]
pub struct Provider(Arc<State>);

struct State {
    answers: Mutex<VecDeque<Answer>>,
    asked: AtomicUsize,
    delay: Duration,
}

impl Provider {
    pub fn new<const N: usize>(texts: [&str; N]) -> Provider {
        Provider::answering(texts.map(|text| Ok(Token::new(text))), 0)
    }

    pub fn answering(answers: impl IntoIterator<Item = Answer>, delay_ms: u64) -> Provider {
        let answers = Mutex::new(answers.into_iter().collect());
        Provider(Arc::new(State { answers, asked: AtomicUsize::new(0), delay: Duration::from_millis(delay_ms) }))
    }

    pub fn slow<const N: usize>(texts: [&str; N], delay_ms: u64) -> Provider {
        Provider::answering(texts.map(|text| Ok(Token::new(text))), delay_ms)
    }

    pub fn function(&self) -> impl Fn() -> BoxFuture<'static, Result<Token, Failure>> + Send + Sync + 'static {
        let state = self.0.clone();
        move || {
            let state = state.clone();
            Box::pin(async move {
                state.asked.fetch_add(1, Ordering::Relaxed);
                sleep(state.delay).await;
                let mut answers = state.answers.lock().unwrap();
                let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
                answer.unwrap().map_err(Failure::from)
            })
        }
    }

    pub fn asked(&self) -> usize {
        self.0.asked.load(Ordering::Relaxed)
    }
}

/// Tokens with keys, of all calls.
pub type Seen = Arc<Mutex<Vec<(String, Option<String>)>>>;

pub fn tokens(seen: &Seen) -> Vec<String> {
    seen.lock().unwrap().iter().map(|(token, _)| token.clone()).collect()
}

/// A server that answers calls under this token and refuses all others.
pub async fn gate(good: &'static str) -> (FakeServer, Seen) {
    let seen = Seen::default();
    let calls = seen.clone();
    let server = FakeServer::play(move |mut peer| {
        let calls = calls.clone();
        async move {
            assert_eq!(peer.greet().await.text(8), None, "HELLO has no token");
            while let Some((stream, fields)) = peer.next_call().await {
                let token = fields.token().unwrap_or_default();
                let is_good = token == good;
                calls.lock().unwrap().push((token, fields.text(3)));
                if is_good {
                    peer.reply(stream).await;
                } else {
                    peer.fail(stream, UNAUTHENTICATED, "no such token").await;
                }
            }
        }
    })
    .await;
    (server, seen)
}

pub async fn connect(server: &FakeServer, provider: &Provider) -> Client {
    server.builder().token_provider(provider.function()).connect().await.unwrap()
}
