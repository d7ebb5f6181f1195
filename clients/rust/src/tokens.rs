//! The tokens of a client that has a provider of them (clients/BEHAVIOUR.md, C5.8): asks it, one question at a time,
//! and has calls wait for the answer. `TokenMachine` decides.

use std::error::Error as StdError;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{timeout, Instant};

use crate::client_log::Log;
use crate::error::{Code, Error};
use crate::interceptor::BoxFuture;
use crate::random::chance;
use crate::sync::locked;
use crate::token_machine::{Outcome, Step, Token, TokenMachine};

/// Of the provider.
pub(crate) type Failure = Box<dyn StdError + Send + Sync>;
/// Makes a token.
pub(crate) type TokenProvider = Arc<dyn Fn() -> BoxFuture<'static, Result<Token, Failure>> + Send + Sync>;

pub(crate) struct Tokens {
    me: Weak<Tokens>,
    runtime: Handle,
    provider: TokenProvider,
    /// Of a question.
    timeout: Duration,
    log: Log,
    state: Mutex<State>,
}

struct State {
    machine: TokenMachine,
    question: Option<Question>,
    /// What the provider failed with last.
    cause: Option<Arc<dyn StdError + Send + Sync>>,
    is_closed: bool,
}

/// One question, for all calls that wait for its answer. Dropped it has ended.
struct Question {
    waiting: watch::Sender<()>,
    _task: AbortOnDrop<()>,
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the provider failed with, where it says so.
type Answer = Result<Token, (&'static str, Option<Failure>)>;

impl Tokens {
    pub fn new(provider: TokenProvider, timeout: Duration, log: Log) -> Arc<Tokens> {
        let state = State { machine: TokenMachine::new(), question: None, cause: None, is_closed: false };
        Arc::new_cyclic(|me| Tokens {
            me: me.clone(),
            runtime: Handle::current(),
            provider,
            timeout,
            log,
            state: Mutex::new(state),
        })
    }

    /// The token for an attempt. The caller bounds the time.
    ///
    /// UNAUTHENTICATED where there is none; errors say that the attempt was not started.
    pub async fn get(&self) -> Result<String, Error> {
        let mut question = {
            let mut state = locked(&self.state);
            state.check_open()?;
            match state.machine.next(Instant::now()) {
                Step::Wait { is_new } => {
                    if is_new {
                        state.question = Some(self.ask());
                    }
                    state.question.as_ref().map(|question| question.waiting.subscribe())
                }
                step => return state.text(step),
            }
        };
        if let Some(question) = &mut question {
            // Fails when the question has ended, which is all that is to be heard of it.
            let _ = question.changed().await;
        }
        let state = locked(&self.state);
        state.check_open()?;
        state.text(state.machine.after_question(Instant::now()))
    }

    /// The server did not take it.
    pub fn refused(&self, text: &str) {
        let outcome = {
            let mut state = locked(&self.state);
            let outcome = state.machine.refused(text, Instant::now(), chance());
            if outcome.is_some() {
                state.cause = None;
            }
            outcome
        };
        if let Some(outcome) = outcome {
            self.tell(outcome);
        }
    }

    /// The server answered a call that had it.
    pub fn taken(&self, text: &str) {
        locked(&self.state).machine.taken(text);
    }

    /// Ends the question; who waits gets an error.
    pub fn close(&self) {
        let question = {
            let mut state = locked(&self.state);
            state.is_closed = true;
            state.question.take()
        };
        drop(question);
    }

    /// A task of its own: a call that is given up leaves the question to the others.
    fn ask(&self) -> Question {
        let (me, provider, time) = (self.me.clone(), self.provider.clone(), self.timeout);
        let task = self.runtime.spawn(async move {
            let answer = asked(provider, time).await;
            if let Some(tokens) = me.upgrade() {
                tokens.answered(answer);
            }
        });
        Question { waiting: watch::channel(()).0, _task: AbortOnDrop(task) }
    }

    fn answered(&self, answer: Answer) {
        let (outcome, question) = {
            let mut state = locked(&self.state);
            if state.is_closed {
                return;
            }
            let (answer, cause) = match answer {
                Ok(token) => (Ok(token), None),
                Err((reason, cause)) => (Err(reason), cause),
            };
            state.cause = cause.map(Arc::from);
            (state.machine.answered(answer, Instant::now(), chance()), state.question.take())
        };
        self.tell(outcome);
        // Wakes those who wait.
        drop(question);
    }

    fn tell(&self, outcome: Outcome) {
        match outcome {
            Outcome::Refreshed(valid_for) => self.log.token_refreshed(valid_for),
            Outcome::Rests { reason, time } => self.log.token_failed(reason, time),
        }
    }
}

impl State {
    fn check_open(&self) -> Result<(), Error> {
        if self.is_closed {
            return Err(Error::new(Code::Cancelled, "the client is closed").not_started());
        }
        Ok(())
    }

    fn text(&self, step: Step) -> Result<String, Error> {
        if let Step::Use(text) = step {
            return Ok(text);
        }
        let error = Error::new(Code::Unauthenticated, self.machine.reason()).not_started();
        Err(error.caused_by(self.cause.clone()))
    }
}

/// The answer of the provider, in its time.
async fn asked(provider: TokenProvider, time: Duration) -> Answer {
    // A task within the task: a provider that panics has failed, and nothing more.
    let mut asking = AbortOnDrop(tokio::spawn(async move { provider().await }));
    match timeout(time, &mut asking.0).await {
        Ok(Ok(Ok(token))) => Ok(token),
        // Its text is the provider's own, and may name what nobody should read.
        Ok(Ok(Err(error))) => Err(("the token provider failed", Some(error))),
        Ok(Err(_)) => Err(("the token provider panicked", None)),
        Err(_) => Err(("the token provider did not answer in time", None)),
    }
}

/// The token of one call, for each of its attempts: the caller's own, or the provider's.
pub(crate) struct CallToken {
    own: Option<String>,
    /// None where the call has its own.
    tokens: Option<Arc<Tokens>>,
    /// Of the attempt, from the provider.
    text: String,
    is_answered: bool,
    /// How the server refused one of the provider's.
    refusal: Option<Error>,
}

impl CallToken {
    pub fn new(tokens: &Option<Arc<Tokens>>, own: &Option<String>) -> CallToken {
        let tokens = if own.is_none() { tokens.clone() } else { None };
        CallToken { own: own.clone(), tokens, text: String::new(), is_answered: false, refusal: None }
    }

    /// For the next attempt; none where HELLO's speaks for the call. `was_started`: whether the server perhaps began
    /// an attempt before.
    pub async fn next(&mut self, was_started: bool) -> Result<Option<String>, Error> {
        let Some(tokens) = &self.tokens else { return Ok(self.own.clone()) };
        match tokens.get().await {
            Ok(text) => {
                self.text.clone_from(&text);
                self.is_answered = false;
                Ok(Some(text))
            }
            Err(error) if !error.is(Code::Unauthenticated) => Err(error),
            Err(error) => Err(match &self.refusal {
                Some(refusal) => refusal.clone().caused_by(error.cause()),
                None if was_started => error.perhaps_started(),
                None => error,
            }),
        }
    }

    /// The server answered under it.
    pub fn answered(&mut self) {
        if let Some(tokens) = self.tokens.as_ref().filter(|_| !self.is_answered) {
            self.is_answered = true;
            tokens.taken(&self.text);
        }
    }

    /// An attempt failed; whether it is to be repeated under another token, which is once.
    pub fn failed(&mut self, error: &Error) -> bool {
        if !error.is_from_server() {
            return false;
        }
        if !self.is_refused_by(error) {
            self.answered();
            return false;
        }
        if let Some(tokens) = &self.tokens {
            tokens.refused(&self.text);
        }
        self.refusal.replace(error.clone()).is_none()
    }

    /// Whether an error of a call is that the server does not take a token of the provider.
    pub fn is_refused_by(&self, error: &Error) -> bool {
        self.tokens.is_some() && error.is_from_server() && error.is(Code::Unauthenticated)
    }
}
