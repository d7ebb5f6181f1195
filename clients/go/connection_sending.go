package hito

import (
	"runtime"
	"slices"
	"time"

	"hito.example/hito/internal/wire"
)

// write queues a frame. The lock is held.
func (c *connection) write(kind wire.Kind, flags uint8, stream uint32, parts ...[]byte) {
	if c.isClosing || c.isLost {
		return
	}
	c.out = wire.AppendFrame(c.out, kind, flags, stream, parts...)
	if len(c.out)+c.inFlight > queuedMax {
		c.isClosing = true
		c.fail(fault(Unavailable, "the server does not read"))
		c.abort()
	}
	c.outgoing.Signal()
}

// isWritable tells whether more of messages is to be queued.
func (c *connection) isWritable() bool { return len(c.out)+c.inFlight < writableMax }

// runWriter hands to the socket what is queued, as it takes it (C6.4).
func (c *connection) runWriter() {
	var spare []byte
	for {
		c.mu.Lock()
		for len(c.out) == 0 && !c.isClosing && !c.isLost {
			c.outgoing.Wait()
		}
		c.gather()
		if c.isLost {
			c.mu.Unlock()
			return
		}
		buffer := c.out
		c.out, c.inFlight = spare[:0], len(buffer)
		isLast := c.isClosing
		c.mu.Unlock()

		_, err := c.socket.Write(buffer)
		if err != nil {
			// The reader meets the same, and says what it is.
			c.abort()
			return
		}
		if isLast {
			c.finishWriting()
			return
		}
		// What was made for a burst is not kept.
		if spare = buffer; cap(spare) > writableMax {
			spare = nil
		}
		c.mu.Lock()
		c.inFlight = 0
		c.pump()
		c.mu.Unlock()
	}
}

// gather lets other calls that are ready to run queue theirs, too: a write to the socket costs more than a call. The lock
// is held, and not meanwhile.
func (c *connection) gather() {
	if len(c.calls) < 2 {
		return
	}
	c.mu.Unlock()
	runtime.Gosched()
	c.mu.Lock()
}

// finishWriting says that nothing more comes; the other side has a while to do the same.
func (c *connection) finishWriting() {
	_ = c.socket.CloseWrite()
	_ = c.socket.SetReadDeadline(time.Now().Add(closeTimeout))
}

// consumed returns credit of the connection.
func (c *connection) consumed(amount int) {
	if granted := c.receiveCredit.Consumed(amount); granted > 0 {
		c.write(wire.CreditFrame, 0, 0, wire.EncodeCredit(granted))
	}
}

// enqueue has a call wait for its turn to send.
func (c *connection) enqueue(sender *call) {
	c.senders = append(c.senders, sender)
	c.pump()
}

func (c *connection) leaveQueue(sender *call) {
	c.senders = slices.DeleteFunc(c.senders, func(other *call) bool { return other == sender })
}

// pump writes what there is credit and room for: one fragment of each call in turn (W9.10). A call that got something
// goes behind those that did not.
func (c *connection) pump() {
	for isMoving := true; isMoving; {
		isMoving = false
		for _, sender := range slices.Clone(c.senders) {
			if !c.isWritable() || !c.isOpen() {
				return
			}
			room := sender.room(c.fragmentMax())
			if room == 0 && len(sender.unsent) > 0 {
				continue
			}
			c.leaveQueue(sender)
			sender.writeFragment(wire.MessageFrame, 0, nil, room)
			isMoving = true
			if sender.isSending {
				c.senders = append(c.senders, sender)
			}
		}
	}
}

// fragmentMax is the most that one call sends at a time: less where others wait.
func (c *connection) fragmentMax() int {
	if len(c.senders) > 1 {
		return wire.FramePayloadMin
	}
	return int(c.peer.FramePayloadMax)
}
