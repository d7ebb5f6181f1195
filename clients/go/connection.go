package hito

import (
	"crypto/tls"
	"sync"
	"sync/atomic"
	"time"

	"hito.example/hito/internal/deflate"
	"hito.example/hito/internal/wire"
)

const (
	// writableMax is up to where messages are queued behind what the socket has not taken.
	writableMax = 256 << 10
	// queuedMax is up to where anything is: only control frames pass the former, and a peer that asks for this
	// many never reads.
	queuedMax = 8 << 20
	// closeTimeout is how long the other side has to close after us.
	closeTimeout = 2 * time.Second
)

// connectionOwner is told what becomes of a connection, with the lock of the connection held. So it may take its own
// lock, and must not call the connection.
type connectionOwner interface {
	// retired: it takes no more calls, whether it was established or not.
	retired(*connection)
	// served: the server has answered, for the first time.
	served(*connection)
	// callEnded: one of its calls has ended, or was not opened after all.
	callEnded(*connection)
	// ended: it is no more.
	ended(*connection)
}

// connection is one TLS connection. One goroutine reads and one writes; calls are made by any.
type connection struct {
	// Its owner's, under the owner's lock.
	number, place int

	owner    connectionOwner
	socket   *tls.Conn
	own      wire.Hello
	hello    chan struct{} // closed when the server's HELLO came, or will not come
	lost     chan struct{} // closed when both goroutines have ended
	began    time.Time
	lastRead atomic.Int64 // since began

	mu sync.Mutex
	// Set by HELLO, and not changed after it.
	peer       wire.Hello
	minor      uint16
	compresses bool

	hasHello, isRetired, hasServed bool
	isDraining, isClosing, isLost  bool
	isInOrder                      bool // it ends because this side closes, or the server drains
	failure                        *Error
	calls                          map[uint32]*call
	nextStream                     uint32
	sendCredit                     wire.SendWindow
	receiveCredit                  wire.ReceiveWindow
	senders                        []*call // wait for credit, or for the socket; in their turns
	out                            []byte
	inFlight                       int
	outgoing                       *sync.Cond
	keepalive                      time.Duration
	timer                          *time.Timer
	isPinged                       bool
	pingedAt                       time.Duration
	goAway                         string
}

// startConnection begins to exchange HELLO over a socket whose handshake is done.
func startConnection(socket *tls.Conn, own wire.Hello, keepalive time.Duration, owner connectionOwner) *connection {
	c := &connection{
		owner: owner, socket: socket, own: own, hello: make(chan struct{}), lost: make(chan struct{}),
		began: time.Now(), peer: wire.DefaultHello(), calls: map[uint32]*call{}, nextStream: 1,
		receiveCredit: wire.NewReceiveWindow(own.ConnectionCredit), keepalive: keepalive,
	}
	c.outgoing = sync.NewCond(&c.mu)
	payload, err := own.Encode()
	if err != nil {
		// The client has checked its token when it was made.
		c.failure = notStarted(InvalidArgument, "%v", err)
	}
	c.write(wire.HelloFrame, 0, 0, payload)
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.runWriter()
	}()
	go c.runReader(written)
	return c
}

// isOpen: the lock is held.
func (c *connection) isOpen() bool { return !c.isLost && c.failure == nil }

// takesCalls tells whether it still does.
func (c *connection) takesCalls() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.isRetired
}

// open opens a call for which there is a place, and writes its first frame; `flush` the call for the rest. Where it
// fails the place is given back.
func (c *connection) open(header wire.Call, message []byte, hasMessage, halfCloses bool) (*call, *Error) {
	block, err := header.Encode()
	packed, isPacked := message, false
	if hasMessage {
		packed, isPacked = c.packed(message)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.owner.callEnded(c)
		return nil, notStarted(InvalidArgument, "%v", err)
	}
	if failure := c.mayOpen(header, len(message)); failure != nil {
		c.owner.callEnded(c)
		return nil, failure
	}
	opened := newCall(c, c.nextStream)
	c.calls[opened.stream] = opened
	opened.begin(block, packed, isPacked, hasMessage, halfCloses)
	if c.nextStream += 2; c.nextStream > wire.StreamMax {
		c.retire()
	}
	return opened, nil
}

func (c *connection) mayOpen(header wire.Call, messageSize int) *Error {
	if !c.isOpen() || c.isDraining || c.nextStream > wire.StreamMax {
		// Between the choice of the connection and now.
		return notStarted(Unavailable, "the connection takes no more calls")
	}
	if c.minor < 1 {
		for key := range header.Metadata {
			if wire.HasBytes(key) {
				return notStarted(Unimplemented, "the server is too old for metadata that is bytes")
			}
		}
	}
	return c.checkSize(messageSize)
}

// checkSize holds a message to the server's maximum, which has come with its HELLO.
func (c *connection) checkSize(size int) *Error {
	if uint64(size) > uint64(c.peer.MessageMax) {
		return notStarted(ResourceExhausted, "the request has %d bytes, the server accepts %d", size, c.peer.MessageMax)
	}
	return nil
}

// packed compresses a message where both sides want that. Without the lock: it takes time.
func (c *connection) packed(message []byte) ([]byte, bool) {
	if !c.compresses {
		return message, false
	}
	if packed, isWorthIt := deflate.Pack(message); isWorthIt {
		return packed, true
	}
	return message, false
}

// close ends the calls and the connection; returns when it is gone.
func (c *connection) close() {
	c.mu.Lock()
	for _, call := range c.openCalls() {
		call.cancelLocked(fault(Cancelled, "the client was closed"))
	}
	if c.isOpen() {
		c.sayGoodbye(wire.NoError, "")
	}
	c.mu.Unlock()
	timeout := time.NewTimer(closeTimeout)
	defer timeout.Stop()
	select {
	case <-c.lost:
	case <-timeout.C:
		c.abort()
		<-c.lost
	}
}

// abort ends the connection without a word: its reader and its writer fail.
func (c *connection) abort() {
	// The socket below: closing TLS waits for its writer.
	_ = c.socket.NetConn().Close()
}

func (c *connection) openCalls() []*call {
	calls := make([]*call, 0, len(c.calls))
	for _, call := range c.calls {
		calls = append(calls, call)
	}
	return calls
}

// forget: a call has ended.
func (c *connection) forget(ended *call) {
	if _, known := c.calls[ended.stream]; !known {
		return
	}
	delete(c.calls, ended.stream)
	c.leaveQueue(ended)
	if c.isDraining && len(c.calls) == 0 && c.isOpen() {
		c.sayGoodbye(wire.NoError, "")
	}
	c.owner.callEnded(c)
}

// fail: no more calls; those under way end with the error.
func (c *connection) fail(failure *Error) {
	if c.failure == nil {
		c.failure = failure
	}
	c.retire()
	if !c.hasHello {
		c.hasHello = true
		close(c.hello)
	}
	for _, call := range c.openCalls() {
		call.fail(c.failure)
	}
}

func (c *connection) retire() {
	if !c.isRetired {
		c.isRetired = true
		c.owner.retired(c)
	}
}

// sayGoodbye sends GOAWAY and closes when it is written.
func (c *connection) sayGoodbye(reason wire.Reason, text string) {
	if c.isClosing || c.isLost {
		return
	}
	c.write(wire.GoAwayFrame, 0, 0, wire.GoAway{Reason: reason, Text: text}.Encode())
	c.isInOrder = c.failure == nil
	c.isClosing, c.isDraining = true, true
	_ = c.socket.SetWriteDeadline(time.Now().Add(closeTimeout))
	c.retire()
	c.outgoing.Signal()
}

// ending is why the connection has ended.
func (c *connection) ending() (reason string, isInOrder bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.isInOrder:
		return c.failure.Message, false
	case c.goAway != "":
		return c.goAway, true
	}
	return "closed", true
}

// watchOver asks whether the server is still there when calls wait and nothing arrives (C4.1, W10).
func (c *connection) watchOver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.isOpen() {
		return
	}
	read := time.Duration(c.lastRead.Load())
	if c.isPinged && read < c.pingedAt {
		c.fail(fault(Unavailable, "the server does not answer any more"))
		c.abort()
		return
	}
	c.isPinged = false
	now := time.Since(c.began)
	// A tenth of the time is for a timer that is late.
	if len(c.calls) > 0 && now-read >= c.keepalive*9/10 {
		c.isPinged, c.pingedAt = true, now
		c.write(wire.PingFrame, 0, 0, []byte("hitoping"))
	}
	c.timer.Reset(c.keepalive)
}

// lossOf is the error of calls whose connection is gone.
func lossOf(err error) *Error {
	return fault(Unavailable, "connection lost: %v", err).because(err)
}
