package hito

import (
	"context"

	"hito.example/hito/internal/deflate"
	"hito.example/hito/internal/wire"
)

// receive waits for the next message, without the lock; false at the end of a call that went well.
func (c *call) receive(ctx context.Context) (message []byte, has bool, err error) {
	for {
		c.connection.mu.Lock()
		if len(c.arrived) > 0 {
			next := c.arrived[0]
			c.arrived = c.arrived[1:]
			if len(next.message) == 0 {
				c.emptyMessages--
			}
			c.returnCredit(next.owed)
			c.connection.mu.Unlock()
			return c.expanded(next)
		}
		failure, isDone := c.failure, c.isDone
		c.connection.mu.Unlock()
		if failure != nil {
			return nil, false, failure
		}
		if isDone {
			return nil, false, nil
		}
		select {
		case <-c.changed:
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
}

// expanded takes its time, and so not the lock.
func (c *call) expanded(next arrival) ([]byte, bool, error) {
	if !next.isCompressed {
		return next.message, true, nil
	}
	message, err := deflate.Unpack(next.message, int(c.connection.own.MessageMax))
	if err != nil {
		failure := fault(Internal, "the server sent %v", err).because(err)
		c.cancel(failure)
		return nil, false, failure
	}
	return message, true, nil
}

// cancel gives the call up, if it has not ended; a reader that waits gets the error. Without the lock.
func (c *call) cancel(failure *Error) {
	c.connection.mu.Lock()
	defer c.connection.mu.Unlock()
	c.cancelLocked(failure)
}

func (c *call) cancelLocked(failure *Error) {
	if !c.isDone {
		c.failure = failure
		c.connection.write(wire.CancelFrame, 0, c.stream)
		c.finish()
	}
	for _, dropped := range c.arrived {
		c.connection.consumed(dropped.owed)
	}
	c.arrived = nil
}

func (c *call) headReceived(metadata Metadata) error {
	if c.hasHead || c.hasMessage {
		return &wire.Error{Reason: wire.ProtocolError, Text: "HEAD that is not before the first message"}
	}
	c.hasHead = true
	c.metadata = metadata
	return nil
}

func (c *call) messageReceived(flags uint8, payload []byte) error {
	if err := c.receiveWindow.Received(len(payload)); err != nil {
		return err
	}
	isCompressed := flags&wire.FlagCompressed != 0
	if isCompressed && len(c.partial) > 0 {
		return &wire.Error{Reason: wire.ProtocolError, Text: "COMPRESSED inside a message"}
	}
	if len(c.partial) == 0 {
		c.isCompressed = isCompressed
	}
	c.hasMessage = true
	if uint64(len(c.partial))+uint64(len(payload)) > uint64(c.connection.own.MessageMax) {
		c.connection.consumed(len(payload))
		c.cancelLocked(fault(ResourceExhausted, "the server sent a message above our limit"))
		return nil
	}
	if flags&wire.FlagMore != 0 {
		c.partial = append(c.partial, payload...)
		// On arrival: a message larger than the window must not stall (W9.5).
		c.returnCredit(len(payload))
		return nil
	}
	message := payload
	if len(c.partial) > 0 {
		message = append(c.partial, payload...)
		c.partial = nil
	}
	c.deliver(message, len(payload))
	if c.emptyMessages > emptyMessagesMax {
		c.cancelLocked(fault(ResourceExhausted, "the server floods the call with empty messages"))
	}
	return nil
}

func (c *call) deliver(message []byte, owed int) {
	if len(message) == 0 {
		c.emptyMessages++
	}
	c.arrived = append(c.arrived, arrival{message, owed, c.isCompressed})
	wake(c.changed)
}

func (c *call) endReceived(end wire.End, flags uint8, message []byte) error {
	if flags&wire.FlagHasMessage != 0 {
		if err := c.receiveWindow.Received(len(message)); err != nil {
			return err
		}
		if end.Status != 0 || len(c.partial) > 0 {
			return &wire.Error{Reason: wire.ProtocolError, Text: "END with a message it may not have"}
		}
		c.isCompressed = flags&wire.FlagCompressed != 0
		c.deliver(message, len(message))
	} else if end.Status == 0 && len(c.partial) > 0 {
		return &wire.Error{Reason: wire.ProtocolError, Text: "END inside a message"}
	}
	c.trailers = end.Trailers
	if end.Status != 0 {
		c.failure = serverError(end)
	}
	c.finish()
	return nil
}

// fail is the connection's end.
func (c *call) fail(failure *Error) {
	if !c.isDone {
		c.failure = failure
		c.finish()
	}
}

func (c *call) finish() {
	c.isDone = true
	c.partial, c.unsent = nil, nil
	c.connection.forget(c)
	wake(c.changed)
	wake(c.sendable)
}

func (c *call) returnCredit(amount int) {
	c.connection.consumed(amount)
	if c.isDone {
		return
	}
	if granted := c.receiveWindow.Consumed(amount); granted > 0 {
		c.connection.write(wire.CreditFrame, 0, c.stream, wire.EncodeCredit(granted))
	}
}

// said is what the server said beside its messages so far; without the lock.
func (c *call) said() (metadata, trailers Metadata, isDone bool) {
	c.connection.mu.Lock()
	defer c.connection.mu.Unlock()
	return c.metadata, c.trailers, c.isDone
}

// oneReply is the one message of a call that has one (W7.6); without the lock.
func (c *call) oneReply(ctx context.Context) ([]byte, error) {
	message, has, err := c.receive(ctx)
	if err != nil {
		return nil, err
	}
	if has {
		_, hasAnother, err := c.receive(ctx)
		if err != nil {
			return nil, err
		}
		if !hasAnother {
			return message, nil
		}
	}
	return nil, fault(Internal, "the server did not answer with exactly one message")
}
