package wire

// SendWindow is what we may still send (W9).
type SendWindow struct {
	Available uint32
}

// Grant takes what the peer grants.
func (w *SendWindow) Grant(amount uint32) error {
	if uint64(w.Available)+uint64(amount) > CreditMax {
		return &Error{Reason: FlowControl, Text: "credit above its maximum"}
	}
	w.Available += amount
	return nil
}

// ReceiveWindow is what the peer may still send, and what we owe it for bytes that were consumed.
type ReceiveWindow struct {
	available, owed, step uint32
}

// NewReceiveWindow makes the window of an initial grant.
func NewReceiveWindow(initial uint32) ReceiveWindow {
	// In large steps: a CREDIT frame for each message would double the frames (W9.5). A small window goes
	// back at once, so that the server never lacks the credit for a fragment.
	step := uint32(1)
	if initial >= 2*FragmentMin {
		step = max(initial/4, FragmentMin)
	}
	return ReceiveWindow{available: initial, step: step}
}

// Received takes note of bytes that came.
func (w *ReceiveWindow) Received(amount int) error {
	if uint64(amount) > uint64(w.available) {
		return &Error{Reason: FlowControl, Text: "more bytes than were granted"}
	}
	w.available -= uint32(amount)
	return nil
}

// Consumed takes note of bytes that no longer take room; returns what to grant now, or 0.
func (w *ReceiveWindow) Consumed(amount int) uint32 {
	w.owed += uint32(amount)
	if w.owed < w.step {
		return 0
	}
	granted := w.owed
	w.owed = 0
	w.available += granted
	return granted
}
