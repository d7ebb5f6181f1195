package hito

import (
	"context"

	"hito.example/hito/internal/deflate"
	"hito.example/hito/internal/wire"
)

const emptyMessagesMax = 1024

// call is a stream on a connection, whose lock guards it. It has one reader and one writer.
type call struct {
	connection *connection
	stream     uint32

	sendWindow    wire.SendWindow
	receiveWindow wire.ReceiveWindow
	metadata      Metadata // before the first message
	trailers      Metadata // with the end

	unsent       []byte
	isSending    bool
	halfCloses   bool
	messageFlags uint8 // of the first fragment of a message alone

	arrived       []arrival
	partial       []byte
	isCompressed  bool // the message that arrives
	hasHead       bool
	hasMessage    bool
	emptyMessages int

	failure  *Error
	isDone   bool
	changed  chan struct{} // for the reader
	sendable chan struct{} // for the writer
}

// arrival is a whole message with the credit that is owed for it.
type arrival struct {
	message      []byte
	owed         int
	isCompressed bool
}

func newCall(c *connection, stream uint32) *call {
	return &call{
		connection: c, stream: stream,
		sendWindow:    wire.SendWindow{Available: c.peer.StreamCredit},
		receiveWindow: wire.NewReceiveWindow(c.own.StreamCredit),
		changed:       make(chan struct{}, 1), sendable: make(chan struct{}, 1),
	}
}

// Sending. The lock is held unless it says otherwise.

// begin writes the CALL frame with as much of the first message as fits.
func (c *call) begin(block, message []byte, isPacked, hasMessage, halfCloses bool) {
	if !hasMessage {
		c.connection.write(wire.CallFrame, 0, c.stream, block)
		return
	}
	c.put(message, isPacked, halfCloses)
	room := 0
	if c.connection.isWritable() {
		room = c.room(int(c.connection.peer.FramePayloadMax) - len(block))
	}
	if len(message) > 0 && room == 0 {
		c.connection.write(wire.CallFrame, 0, c.stream, block)
	} else {
		c.writeFragment(wire.CallFrame, wire.FlagHasMessage, block, room)
	}
	if c.isSending {
		c.connection.enqueue(c)
	}
}

func (c *call) put(message []byte, isPacked, halfCloses bool) {
	c.messageFlags = 0
	if isPacked {
		c.messageFlags = wire.FlagCompressed
	}
	c.unsent, c.isSending, c.halfCloses = message, true, halfCloses
}

// room is what a fragment may carry now; 0 where that is too little for one (W9.2).
func (c *call) room(frameRoom int) int {
	credit := int(min(c.sendWindow.Available, c.connection.sendCredit.Available))
	room := min(frameRoom, credit, len(c.unsent))
	if room < min(len(c.unsent), wire.FragmentMin) {
		return 0
	}
	return room
}

func (c *call) writeFragment(kind wire.Kind, flags uint8, block []byte, room int) {
	flags |= c.messageFlags
	c.messageFlags = 0
	fragment := c.unsent[:room]
	c.unsent = c.unsent[room:]
	c.sendWindow.Available -= uint32(room)
	c.connection.sendCredit.Available -= uint32(room)
	c.isSending = len(c.unsent) > 0
	switch {
	case c.isSending:
		flags |= wire.FlagMore
	case c.halfCloses:
		flags |= wire.FlagEnd
	}
	if !c.isSending {
		wake(c.sendable)
	}
	c.connection.write(kind, flags, c.stream, block, fragment)
}

// send sends a message of a request stream, and waits until all of it is handed over; without the lock. It returns
// early, and without an error, when the call has ended.
func (c *call) send(ctx context.Context, message []byte) error {
	connection := c.connection
	packed, isPacked := connection.packed(message)
	connection.mu.Lock()
	if failure := connection.checkSize(len(message)); failure != nil {
		connection.mu.Unlock()
		return failure
	}
	if !c.isDone {
		c.put(packed, isPacked, false)
		connection.enqueue(c)
	}
	connection.mu.Unlock()
	return c.flush(ctx)
}

// flush waits until the message is handed over, or the call has ended; without the lock.
func (c *call) flush(ctx context.Context) error {
	for {
		c.connection.mu.Lock()
		isSending := c.isSending && !c.isDone
		c.connection.mu.Unlock()
		if !isSending {
			return nil
		}
		select {
		case <-c.sendable:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// halfClose says that no more messages follow; without the lock.
func (c *call) halfClose() {
	c.connection.mu.Lock()
	defer c.connection.mu.Unlock()
	if !c.isDone {
		c.connection.write(wire.EndFrame, 0, c.stream)
	}
}

// Receiving.

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

// wake tells one that waits, or is about to.
func wake(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}
