//! One call on a connection: what was sent, what came, how it ended. Without locks and waits of its own.

use std::collections::VecDeque;
use std::task::Waker;

use crate::credit::{ReceiveWindow, SendWindow};
use crate::error::{Code, Error};
use crate::metadata::Metadata;
use crate::wire::{flag, End, WireError, FRAGMENT_MIN};

const EMPTY_MESSAGES_MAX: usize = 1024;

/// A message on its way out.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub data: Vec<u8>,
    pub sent: usize,
    /// Of its first frame.
    pub flags: u8,
    pub half_closes: bool,
}

impl Outgoing {
    pub fn left(&self) -> usize {
        self.data.len() - self.sent
    }

    /// The least that a fragment of it may carry (W9.2).
    pub fn fragment_min(&self) -> usize {
        self.left().min(FRAGMENT_MIN)
    }
}

/// A message that came whole, perhaps compressed.
#[derive(Debug)]
pub(super) struct Arrived {
    pub data: Vec<u8>,
    pub is_compressed: bool,
    /// The credit that goes back when it is read.
    pub owed: usize,
}

/// What a frame with message bytes makes the connection do.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Bytes that take no more room.
    pub consumed: usize,
    /// The call is given up, with this error.
    pub gives_up: Option<Error>,
}

#[derive(Debug)]
pub(super) struct CallState {
    pub send_window: SendWindow,
    pub receive_window: ReceiveWindow,
    pub outgoing: Option<Outgoing>,
    pub messages: VecDeque<Arrived>,
    pub metadata: Metadata,
    pub trailers: Metadata,
    pub error: Option<Error>,
    /// Nothing more will arrive.
    pub is_done: bool,
    pub reader: Option<Waker>,
    pub writer: Option<Waker>,
    partial: Vec<u8>,
    is_compressed: bool,
    has_message: bool,
    has_head: bool,
    empty_messages: usize,
    message_max: usize,
}

impl CallState {
    pub fn new(send_credit: u32, receive_credit: u32, message_max: u32) -> CallState {
        CallState {
            send_window: SendWindow::new(send_credit),
            receive_window: ReceiveWindow::new(receive_credit),
            outgoing: None,
            messages: VecDeque::new(),
            metadata: Metadata::new(),
            trailers: Metadata::new(),
            error: None,
            is_done: false,
            reader: None,
            writer: None,
            partial: Vec::new(),
            is_compressed: false,
            has_message: false,
            has_head: false,
            empty_messages: 0,
            message_max: message_max as usize,
        }
    }

    /// The next whole message, with the credit that is owed for it.
    pub fn take_message(&mut self) -> Option<Arrived> {
        let message = self.messages.pop_front()?;
        if message.data.is_empty() {
            self.empty_messages -= 1;
        }
        Some(message)
    }

    /// Drops what was not read; the bytes that it took.
    pub fn drop_messages(&mut self) -> usize {
        self.empty_messages = 0;
        self.messages.drain(..).map(|message| message.owed).sum()
    }

    pub fn head_received(&mut self, metadata: Metadata) -> Result<(), WireError> {
        if self.has_head || self.has_message {
            return Err(WireError::protocol("HEAD that is not before the first message"));
        }
        self.has_head = true;
        self.metadata = metadata;
        Ok(())
    }

    pub fn message_received(&mut self, payload: &[u8], flags: u8) -> Result<Outcome, WireError> {
        self.receive_window.received(payload.len())?;
        let is_compressed = flags & flag::COMPRESSED != 0;
        if self.partial.is_empty() {
            self.is_compressed = is_compressed;
        } else if is_compressed {
            return Err(WireError::protocol("COMPRESSED inside a message"));
        }
        self.has_message = true;
        let consumed = payload.len();
        if self.partial.len() + payload.len() > self.message_max {
            let error = Error::new(Code::ResourceExhausted, "the server sent a message above our limit");
            return Ok(Outcome { consumed, gives_up: Some(error) });
        }
        if flags & flag::MORE != 0 {
            self.partial.extend_from_slice(payload);
            // On arrival: a message larger than the window must not stall (W9.5).
            return Ok(Outcome { consumed, gives_up: None });
        }
        let mut data = std::mem::take(&mut self.partial);
        data.extend_from_slice(payload);
        Ok(Outcome { consumed: 0, gives_up: self.deliver(data, payload.len()) })
    }

    fn deliver(&mut self, data: Vec<u8>, owed: usize) -> Option<Error> {
        if data.is_empty() {
            self.empty_messages += 1;
        }
        self.messages.push_back(Arrived { data, is_compressed: self.is_compressed, owed });
        (self.empty_messages > EMPTY_MESSAGES_MAX)
            .then(|| Error::new(Code::ResourceExhausted, "the server floods the call with empty messages"))
    }

    /// The server's END; the caller finishes the call.
    pub fn end_received(&mut self, end: End, message: Option<&[u8]>, flags: u8) -> Result<(), WireError> {
        if let Some(message) = message {
            self.receive_window.received(message.len())?;
            if end.status != 0 || !self.partial.is_empty() {
                return Err(WireError::protocol("END with a message it may not have"));
            }
            self.is_compressed = flags & flag::COMPRESSED != 0;
            self.trailers = end.trailers;
            if message.len() > self.message_max {
                self.error = Some(Error::new(Code::ResourceExhausted, "the server sent a message above our limit"));
            } else {
                self.error = self.deliver(message.to_vec(), message.len());
            }
            return Ok(());
        }
        if end.status == 0 && !self.partial.is_empty() {
            return Err(WireError::protocol("END inside a message"));
        }
        self.trailers = end.trailers;
        if end.status != 0 {
            let error = Error::from_end(end.status, end.message, &end.details, end.resume_cursor, end.is_not_started);
            self.error = Some(error);
        }
        Ok(())
    }

    /// Nothing more will arrive or be sent. Readers hear of it when they are woken.
    pub fn finish(&mut self) -> [Option<Waker>; 2] {
        self.is_done = true;
        self.partial = Vec::new();
        self.outgoing = None;
        [self.reader.take(), self.writer.take()]
    }
}
