package hito

import (
	"bufio"
	"errors"
	"io"
	"time"

	"hito.example/hito/internal/deflate"
	"hito.example/hito/internal/wire"
)

const readBufferSize = 32 << 10

// runReader takes frames until the connection ends, and is the last to leave it.
func (c *connection) runReader(written <-chan struct{}) {
	err := c.readFrames()
	var breach *wire.Error
	if errors.As(err, &breach) {
		c.mu.Lock()
		c.fail(fault(Internal, "the server broke the protocol: %s", breach.Text).because(err))
		c.sayGoodbye(breach.Reason, breach.Text)
		c.mu.Unlock()
		c.discardRest()
	}
	c.mu.Lock()
	c.isLost = true
	if c.timer != nil {
		c.timer.Stop()
	}
	c.fail(lossOf(err))
	c.owner.ended(c)
	c.outgoing.Broadcast()
	c.mu.Unlock()
	c.abort()
	<-written
	close(c.lost)
}

// discardRest reads what comes until the other side closes, so that it gets to read our GOAWAY.
func (c *connection) discardRest() {
	_ = c.socket.SetReadDeadline(time.Now().Add(closeTimeout))
	_, _ = io.Copy(io.Discard, c.socket)
}

// timedReader notes when something came.
type timedReader struct{ *connection }

func (r timedReader) Read(buffer []byte) (int, error) {
	n, err := r.socket.Read(buffer)
	if n > 0 {
		r.lastRead.Store(int64(time.Since(r.began)))
	}
	return n, err
}

func (c *connection) readFrames() error {
	reader := bufio.NewReaderSize(timedReader{c}, readBufferSize)
	receiver := wire.Receiver{PayloadMax: c.own.FramePayloadMax}
	for {
		var head [wire.HeaderSize]byte
		if _, err := io.ReadFull(reader, head[:]); err != nil {
			return err
		}
		header := wire.ParseHeader(head)
		// Before the payload is waited for: nothing that is too long is ever buffered (W2.2).
		if err := receiver.Check(header); err != nil {
			return err
		}
		payload := make([]byte, header.Length)
		if _, err := io.ReadFull(reader, payload); err != nil {
			return err
		}
		minor, err := c.frameReceived(header, payload)
		if err != nil {
			return err
		}
		receiver.Minor = minor
	}
}

// frameReceived returns the minor version that both sides speak.
func (c *connection) frameReceived(header wire.Header, payload []byte) (uint16, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failure != nil {
		// Nothing that arrives after an error is looked at (W11.6).
		return c.minor, nil
	}
	return c.minor, c.take(header, payload)
}

func (c *connection) take(header wire.Header, payload []byte) error {
	if !c.hasHello {
		return c.firstFrame(header, payload)
	}
	switch header.Kind {
	case wire.MessageFrame, wire.EndFrame:
		return c.callFrame(header, payload)
	case wire.HeadFrame:
		metadata, err := wire.ParseHead(payload)
		if err != nil {
			return err
		}
		if call := c.calls[header.Stream]; call != nil {
			return call.headReceived(metadata)
		}
		return c.checkOpened(header.Stream)
	case wire.CreditFrame:
		return c.creditReceived(header.Stream, payload)
	case wire.PingFrame:
		c.write(wire.PongFrame, 0, 0, payload)
	case wire.GoAwayFrame:
		goAway, err := wire.ParseGoAway(payload)
		if err != nil {
			return err
		}
		c.goAwayReceived(goAway)
	case wire.HelloFrame:
		return &wire.Error{Reason: wire.ProtocolError, Text: "a second HELLO"}
	}
	return nil
}

func (c *connection) firstFrame(header wire.Header, payload []byte) error {
	switch header.Kind {
	case wire.GoAwayFrame:
		refusal, err := wire.ParseGoAway(payload)
		if err != nil {
			return err
		}
		text := refusal.Text
		if text == "" {
			text = "the server refuses the connection"
		}
		c.fail(notStarted(Unavailable, "%s", text))
		return errors.New(text)
	case wire.HelloFrame:
		return c.helloReceived(payload)
	}
	return &wire.Error{Reason: wire.ProtocolError, Text: "the first frame is not HELLO"}
}

func (c *connection) helloReceived(payload []byte) error {
	peer, err := wire.ParseHello(payload)
	if err != nil {
		return err
	}
	c.peer = peer
	c.minor = min(c.own.Minor, peer.Minor)
	for _, encoding := range peer.Encodings {
		if c.minor >= 1 && encoding == deflate.Encoding && len(c.own.Encodings) > 0 {
			c.compresses = true
		}
	}
	c.sendCredit.Available = peer.ConnectionCredit
	// Above the server's least interval: sooner counts as abuse (W10.2).
	interval := time.Duration(peer.PingIntervalMS) * time.Millisecond
	c.keepalive = max(c.keepalive, interval*11/10)
	c.timer = time.AfterFunc(c.keepalive, c.watchOver)
	c.hasHello = true
	close(c.hello)
	return nil
}

func (c *connection) callFrame(header wire.Header, payload []byte) error {
	message := payload
	var end wire.End
	if header.Kind == wire.EndFrame {
		parsed, rest, err := wire.ParseEnd(payload, c.minor)
		if err != nil {
			return err
		}
		if len(rest) > 0 && header.Flags&wire.FlagHasMessage == 0 {
			return &wire.Error{Reason: wire.ProtocolError, Text: "bytes after the block of END"}
		}
		end, message = parsed, rest
	}
	if err := c.receiveCredit.Received(len(message)); err != nil {
		return err
	}
	call := c.calls[header.Stream]
	if call == nil {
		// Crossed with our CANCEL: only the connection's credit is owed (W9.6).
		c.consumed(len(message))
		return c.checkOpened(header.Stream)
	}
	if !c.hasServed {
		c.hasServed = true
		c.owner.served(c)
	}
	if header.Kind == wire.EndFrame {
		return call.endReceived(end, header.Flags, message)
	}
	return call.messageReceived(header.Flags, message)
}

func (c *connection) creditReceived(stream uint32, payload []byte) error {
	call := c.calls[stream]
	if stream != 0 && call == nil {
		// Ended, and then anything goes, also nothing (W5.9).
		return c.checkOpened(stream)
	}
	amount, err := wire.ParseCredit(payload)
	if err != nil {
		return err
	}
	window := &c.sendCredit
	if call != nil {
		window = &call.sendWindow
	}
	if err := window.Grant(amount); err != nil {
		return err
	}
	c.pump()
	return nil
}

func (c *connection) goAwayReceived(goAway wire.GoAway) {
	wasClosing := c.isClosing
	c.isDraining = true
	// First: what ends here must not be given to a call that waits for room.
	c.retire()
	c.goAway = "the server is going away: " + goAway.Text
	for _, call := range c.openCalls() {
		if call.stream > goAway.LastStream {
			call.fail(notStarted(Unavailable, "%s", c.goAway))
		}
	}
	if !goAway.IsDrain() {
		c.fail(fault(Unavailable, "the server ended the connection with reason %d: %s", goAway.Reason, goAway.Text))
		// The last call may have said goodbye above.
		c.isInOrder = wasClosing && c.isInOrder
	}
	if len(c.calls) == 0 {
		c.sayGoodbye(wire.NoError, "")
	}
}

func (c *connection) checkOpened(stream uint32) error {
	if stream >= c.nextStream {
		return &wire.Error{Reason: wire.ProtocolError, Text: "a stream that was never opened"}
	}
	return nil
}
