//! One connection of a consumer: what it holds, and what it waits to hear.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::{mpsc, oneshot};

use crate::sync::locked;
use crate::v1::consume_request::Step;
use crate::v1::{ConsumeRequest, JoinGroup, Settle, SettleAction, Settled};

pub(super) struct Session(Mutex<State>);

struct State {
    /// None where no more is asked for.
    outgoing: Option<mpsc::UnboundedSender<ConsumeRequest>>,
    /// Event ids with the serial number of their delivery.
    held: HashMap<String, u64>,
    answers: HashMap<String, VecDeque<oneshot::Sender<bool>>>,
    last_serial: u64,
}

/// What a session sends.
pub(super) struct Requests(mpsc::UnboundedReceiver<ConsumeRequest>);

impl Stream for Requests {
    type Item = ConsumeRequest;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ConsumeRequest>> {
        self.0.poll_recv(cx)
    }
}

impl Session {
    pub fn new(join: JoinGroup) -> (Arc<Session>, Requests) {
        // As many as there are deliveries in the caller's hands, each of which waits for its answer.
        let (outgoing, requests) = mpsc::unbounded_channel();
        let _ = outgoing.send(ConsumeRequest { step: Some(Step::Join(join)) });
        let state = State { outgoing: Some(outgoing), held: HashMap::new(), answers: HashMap::new(), last_serial: 0 };
        (Arc::new(Session(Mutex::new(state))), Requests(requests))
    }

    /// The event is in our hands from now on; the serial number of its delivery.
    pub fn hold(&self, event_id: &str) -> u64 {
        let mut state = locked(&self.0);
        state.last_serial += 1;
        let serial = state.last_serial;
        state.held.insert(event_id.to_owned(), serial);
        serial
    }

    pub fn is_held(&self, event_id: &str, serial: u64) -> bool {
        locked(&self.0).held.get(event_id) == Some(&serial)
    }

    /// Asks for it, and answers with what the server says; false where the event is not held any more.
    pub async fn settle(
        &self,
        event_id: &str,
        serial: u64,
        action: SettleAction,
        reason: &str,
        retry_after_us: i64,
    ) -> bool {
        let Some(answer) = self.ask(event_id, serial, action, reason, retry_after_us) else { return false };
        let is_settled = answer.await.unwrap_or(false);
        if !is_settled || action != SettleAction::Extend {
            let mut state = locked(&self.0);
            if state.held.get(event_id) == Some(&serial) {
                state.held.remove(event_id);
            }
        }
        is_settled
    }

    fn ask(
        &self,
        event_id: &str,
        serial: u64,
        action: SettleAction,
        reason: &str,
        retry_after_us: i64,
    ) -> Option<oneshot::Receiver<bool>> {
        let mut state = locked(&self.0);
        if state.held.get(event_id) != Some(&serial) {
            return None;
        }
        let settle = Settle {
            event_ids: vec![event_id.to_owned()],
            action: action as i32,
            reason: reason.to_owned(),
            retry_after_us,
        };
        state.outgoing.as_ref()?.send(ConsumeRequest { step: Some(Step::Settle(settle)) }).ok()?;
        let (sender, answer) = oneshot::channel();
        state.answers.entry(event_id.to_owned()).or_default().push_back(sender);
        Some(answer)
    }

    /// Answers come in the order of what was asked for an event.
    pub fn heard(&self, settled: &Settled) {
        let mut state = locked(&self.0);
        let said = settled.event_ids.iter().map(|id| (id, true));
        for (id, outcome) in said.chain(settled.not_held.iter().map(|id| (id, false))) {
            let Some(waiting) = state.answers.get_mut(id) else { continue };
            if let Some(answer) = waiting.pop_front() {
                let _ = answer.send(outcome);
            }
            if waiting.is_empty() {
                state.answers.remove(id);
            }
        }
    }

    /// Nothing more is asked for.
    pub fn half_close(&self) {
        locked(&self.0).outgoing = None;
    }

    /// The connection is gone, and with it everything that it held.
    pub fn end(&self) {
        let mut state = locked(&self.0);
        state.outgoing = None;
        state.held.clear();
        // Dropped, they answer false.
        state.answers.clear();
    }
}
