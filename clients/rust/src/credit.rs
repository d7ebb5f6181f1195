//! The two ends of a credit window (W9). Pure values.

use crate::wire::{reason, WireError, CREDIT_MAX, FRAGMENT_MIN};

/// What we may still send.
#[derive(Debug)]
pub(crate) struct SendWindow {
    available: u32,
}

impl SendWindow {
    pub fn new(granted: u32) -> SendWindow {
        SendWindow { available: granted }
    }

    pub fn available(&self) -> usize {
        self.available as usize
    }

    pub fn grant(&mut self, amount: u32) -> Result<(), WireError> {
        match self.available.checked_add(amount) {
            Some(sum) if sum <= CREDIT_MAX => self.available = sum,
            _ => return Err(WireError::new(reason::FLOW_CONTROL, "credit above its maximum")),
        }
        Ok(())
    }

    /// Not more than what is available.
    pub fn take(&mut self, amount: usize) {
        debug_assert!(amount <= self.available());
        self.available -= amount as u32;
    }
}

/// What the peer may still send, and what we owe it for bytes that were consumed.
#[derive(Debug)]
pub(crate) struct ReceiveWindow {
    available: usize,
    owed: usize,
    step: usize,
}

impl ReceiveWindow {
    pub fn new(initial: u32) -> ReceiveWindow {
        let initial = initial as usize;
        // In large steps: a CREDIT frame per message would double the frames (W9.5). A small window goes back at
        // once, so that the server never lacks the credit for a fragment.
        let step = if initial >= 2 * FRAGMENT_MIN { (initial / 4).max(FRAGMENT_MIN) } else { 1 };
        ReceiveWindow { available: initial, owed: 0, step }
    }

    pub fn received(&mut self, amount: usize) -> Result<(), WireError> {
        match self.available.checked_sub(amount) {
            Some(left) => self.available = left,
            None => return Err(WireError::new(reason::FLOW_CONTROL, "more bytes than were granted")),
        }
        Ok(())
    }

    /// Takes note of bytes that no longer take room; the credit to grant now, if any.
    pub fn consumed(&mut self, amount: usize) -> Option<u32> {
        self.owed += amount;
        if self.owed < self.step {
            return None;
        }
        let granted = std::mem::take(&mut self.owed);
        self.available += granted;
        // Never more than the window, which is a u32.
        Some(granted as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_above_its_maximum_is_refused() {
        let mut window = SendWindow::new(CREDIT_MAX - 1);
        assert!(window.grant(1).is_ok());
        assert_eq!(window.grant(1).unwrap_err().reason, reason::FLOW_CONTROL);
        window.take(CREDIT_MAX as usize);
        assert!(window.grant(u32::MAX).is_err());
    }

    #[test]
    fn consumed_bytes_are_granted_in_steps() {
        let mut window = ReceiveWindow::new(8192);
        assert!(window.received(8192).is_ok());
        assert_eq!(window.received(1).unwrap_err().reason, reason::FLOW_CONTROL);
        assert_eq!(window.consumed(2047), None);
        assert_eq!(window.consumed(1), Some(2048));
        assert!(window.received(2048).is_ok());
    }

    #[test]
    fn a_small_window_goes_back_at_once() {
        let mut window = ReceiveWindow::new(1500);
        assert!(window.received(10).is_ok());
        assert_eq!(window.consumed(0), None);
        assert_eq!(window.consumed(10), Some(10));
    }
}
