//! Which token a call has, and when the provider is asked for another (clients/BEHAVIOUR.md, C5.8). Pure: it asks
//! nobody and waits for nothing; time and chance are arguments.
//!
//! ```text
//! none --asked--> current --refused--> none --asked--> current
//!                   +--margin: asked again, current until then
//! asked in vain, or two tokens in a row refused: rests, and nobody asks
//! ```

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::retry::backoff;
use crate::wire::check_token;

const MARGIN_MAX: Duration = Duration::from_secs(10);

/// What a token provider answers with: the token, and for how long it is valid, where it knows.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    valid_for: Option<Duration>,
}

impl Token {
    /// A token that is used until the server refuses it.
    pub fn new(text: impl Into<String>) -> Token {
        Token { text: text.into(), valid_for: None }
    }

    /// For how long it is valid, from now; another one is asked for a little before.
    pub fn valid_for(mut self, time: Duration) -> Token {
        self.valid_for = Some(time);
        self
    }
}

impl From<String> for Token {
    fn from(text: String) -> Self {
        Token::new(text)
    }
}

impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Token::new(text)
    }
}

impl fmt::Debug for Token {
    // Without the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("valid_for", &self.valid_for).finish_non_exhaustive()
    }
}

#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(crate) enum Step {
    Use(String),
    /// Begin the question where that is new, and look again with `after_question` when it has ended.
    Wait {
        is_new: bool,
    },
    Fail,
}

/// What came of an answer that is worth a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Refreshed(Option<Duration>),
    Rests { reason: &'static str, time: Duration },
}

struct Current {
    text: String,
    /// None: until it is refused.
    valid_until: Option<Instant>,
    renew_at: Option<Instant>,
    /// Whether a call under it had another answer than that it is refused.
    is_proven: bool,
}

pub(crate) struct TokenMachine {
    current: Option<Current>,
    refused_text: Option<String>,
    /// Tokens in a row that were refused unproven.
    refusals: u32,
    rests: u32,
    rests_until: Option<Instant>,
    is_asking: bool,
    reason: &'static str,
}

impl TokenMachine {
    pub fn new() -> TokenMachine {
        TokenMachine {
            current: None,
            refused_text: None,
            refusals: 0,
            rests: 0,
            rests_until: None,
            is_asking: false,
            reason: "the token provider has no token",
        }
    }

    /// Why there is no token.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// A call needs a token.
    pub fn next(&mut self, now: Instant) -> Step {
        if let Some(current) = self.current.as_ref().filter(|current| is_before(now, current.renew_at)) {
            return Step::Use(current.text.clone());
        }
        if self.is_asking {
            return Step::Wait { is_new: false };
        }
        if self.rests_until.is_some_and(|until| now < until) {
            return self.after_question(now);
        }
        self.is_asking = true;
        Step::Wait { is_new: true }
    }

    /// A call has waited for a question, and does not wait for another.
    pub fn after_question(&self, now: Instant) -> Step {
        match &self.current {
            Some(current) if is_before(now, current.valid_until) => Step::Use(current.text.clone()),
            _ => Step::Fail,
        }
    }

    /// A question has ended: with a token, or why there is none.
    pub fn answered(&mut self, answer: Result<Token, &'static str>, now: Instant, chance: f64) -> Outcome {
        self.is_asking = false;
        let token = match answer.and_then(|token| self.useful(token)) {
            Ok(token) => token,
            Err(reason) => return self.rest(reason, now, chance),
        };
        let Token { text, valid_for } = token;
        // Beyond the clock it is valid for ever.
        let valid_until = valid_for.and_then(|time| now.checked_add(time));
        let renew_at = valid_until.and_then(|until| until.checked_sub(MARGIN_MAX.min(valid_for? / 10)));
        self.current = Some(Current { text, valid_until, renew_at, is_proven: false });
        Outcome::Refreshed(valid_for)
    }

    /// The server did not take a token. An older one than the current does not matter.
    pub fn refused(&mut self, text: &str, now: Instant, chance: f64) -> Option<Outcome> {
        if self.current.as_ref()?.text != text {
            return None;
        }
        let current = self.current.take()?;
        self.refused_text = Some(current.text);
        self.refusals = if current.is_proven { 0 } else { self.refusals + 1 };
        if self.refusals < 2 {
            return None;
        }
        Some(self.rest("the server refuses the tokens of the provider", now, chance))
    }

    /// The server answered a call under a token.
    pub fn taken(&mut self, text: &str) {
        if let Some(current) = self.current.as_mut().filter(|current| current.text == text) {
            if !current.is_proven {
                current.is_proven = true;
                self.refusals = 0;
                self.rests = 0;
            }
        }
    }

    fn useful(&self, token: Token) -> Result<Token, &'static str> {
        if check_token(&token.text).is_err() {
            return Err("the token provider gave what may not be sent");
        }
        if self.refused_text.as_ref() == Some(&token.text) {
            return Err("the token provider gave the token that was refused");
        }
        if token.valid_for == Some(Duration::ZERO) {
            return Err("the token provider gave a token that is not valid any more");
        }
        Ok(token)
    }

    fn rest(&mut self, reason: &'static str, now: Instant, chance: f64) -> Outcome {
        let time = backoff(self.rests, chance);
        self.reason = reason;
        self.rests = self.rests.saturating_add(1);
        self.rests_until = Some(now + time);
        Outcome::Rests { reason, time }
    }
}

fn is_before(now: Instant, end: Option<Instant>) -> bool {
    end.map_or(true, |end| now < end)
}

#[cfg(test)]
mod tests;
