package hito

import (
	"context"

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

// Sending; receiving is in call_receiving.go. The lock is held unless it says otherwise.

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

// wake tells one that waits, or is about to.
func wake(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}
