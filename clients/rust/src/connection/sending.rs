//! Messages on their way out: fragments as credit and the socket allow, in turns (W9.2, W9.10).

use super::call_state::Outgoing;
use super::state::{Phase, State};
use crate::wire::{flag, kind, FRAME_PAYLOAD_MIN};

/// What is queued for the socket before messages wait.
const OUTPUT_HIGH: usize = 256 << 10;
/// A fragment while others wait.
const SHARE: usize = FRAME_PAYLOAD_MIN as usize;

enum Sent {
    Whole,
    Part,
    /// Its own credit is used up.
    WaitsForItself,
    /// The connection's is: nobody behind it gets what it lacks.
    WaitsForAll,
}

impl State {
    /// Writes the CALL frame with as much of the first message as fits.
    pub fn begin(&mut self, stream: u32, block: &[u8], message: Option<Outgoing>) {
        let Some(mut message) = message else {
            self.write(kind::CALL, 0, stream, block, &[]);
            return;
        };
        let stream_room = self.running(stream).map_or(0, |call| call.send_window.available());
        let mut room =
            (self.peer.frame_payload_max as usize - block.len()).min(stream_room).min(self.send_credit.available());
        if self.has_starving() {
            room = 0;
        } else if !self.sending.is_empty() || self.out.len() >= OUTPUT_HIGH {
            room = room.min(SHARE);
        }
        if room < message.fragment_min() {
            self.write(kind::CALL, 0, stream, block, &[]);
            self.enqueue(stream, message);
            return;
        }
        let size = room.min(message.left());
        let flags = flag::HAS_MESSAGE | fragment_flags(&mut message, size);
        self.take_credit(stream, size);
        self.write(kind::CALL, flags, stream, block, &message.data[..size]);
        if message.left() > 0 {
            self.enqueue(stream, message);
        }
    }

    pub fn enqueue(&mut self, stream: u32, message: Outgoing) {
        if let Some(call) = self.running(stream) {
            call.outgoing = Some(message);
            self.sending.push_back(stream);
        }
    }

    /// Sends what may be sent now. A stream that got something goes behind those that got nothing.
    pub fn pump(&mut self) {
        let mut place = 0;
        while self.phase == Phase::Open && self.out.len() < OUTPUT_HIGH {
            let Some(&stream) = self.sending.get(place) else { break };
            match self.send_fragment(stream) {
                Sent::Whole => {
                    self.sending.remove(place);
                    let writer = self.running(stream).and_then(|call| call.writer.take());
                    self.woken.extend(writer);
                }
                Sent::Part => {
                    self.sending.remove(place);
                    self.sending.push_back(stream);
                }
                Sent::WaitsForItself => place += 1,
                Sent::WaitsForAll => break,
            }
        }
    }

    fn send_fragment(&mut self, stream: u32) -> Sent {
        let mut room = (self.peer.frame_payload_max as usize).min(self.send_credit.available());
        if self.sending.len() > 1 {
            room = room.min(SHARE);
        }
        let Some(call) = self.running(stream) else { return Sent::Whole };
        let Some(mut message) = call.outgoing.take() else { return Sent::Whole };
        let stream_room = call.send_window.available();
        let least = message.fragment_min();
        if stream_room < least || room < least {
            call.outgoing = Some(message);
            return if stream_room < least { Sent::WaitsForItself } else { Sent::WaitsForAll };
        }
        let size = room.min(stream_room).min(message.left());
        let begin = message.sent;
        let flags = fragment_flags(&mut message, size);
        self.take_credit(stream, size);
        self.write(kind::MESSAGE, flags, stream, &[], &message.data[begin..begin + size]);
        if message.left() == 0 {
            return Sent::Whole;
        }
        if let Some(call) = self.running(stream) {
            call.outgoing = Some(message);
        }
        Sent::Part
    }

    /// Whether a call that could send waits for the connection's credit.
    fn has_starving(&self) -> bool {
        let available = self.send_credit.available();
        self.sending.iter().filter_map(|stream| self.calls.get(stream)).any(|call| {
            call.outgoing.as_ref().is_some_and(|message| {
                let least = message.fragment_min();
                call.send_window.available() >= least && available < least
            })
        })
    }

    fn take_credit(&mut self, stream: u32, size: usize) {
        self.send_credit.take(size);
        if let Some(call) = self.running(stream) {
            call.send_window.take(size);
        }
    }
}

/// Takes the next `size` bytes of a message; the flags of their frame.
fn fragment_flags(message: &mut Outgoing, size: usize) -> u8 {
    // Of the first fragment of a message alone.
    let mut flags = std::mem::take(&mut message.flags);
    message.sent += size;
    if message.left() > 0 {
        flags |= flag::MORE;
    } else if message.half_closes {
        flags |= flag::END;
    }
    flags
}
