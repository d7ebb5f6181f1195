package hito

import (
	"math/rand/v2"
	"time"
)

// Connecting. The lock is held, except in connect.

func (p *pool) startDials() {
	for _, place := range p.machine.TakeDials() {
		p.ending.Add(1)
		go func() {
			defer p.ending.Done()
			p.connect(place)
		}()
	}
}

func (p *pool) connect(place int) {
	to, began := p.addresses[place], time.Now()
	p.settings.log.connecting(to.String())
	c, failure := p.dial(p.dialling, to)
	if failure != nil {
		if p.dialling.Err() == nil {
			p.settings.log.connectFailed(to.String(), failure.Message)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.failure = failure.Error
		p.machine.DialFailed(place, failure.isUntrusted, time.Now(), rand.Float64())
		p.serve(true)
		return
	}
	p.settings.log.connected(to.String(), c.peer.ServerID, time.Since(began))
	if p.accept(place, c) {
		c.close()
	}
}

// accept takes a new connection; true where it is to be closed.
func (p *pool) accept(place int, c *connection) (isUnwanted bool) {
	p.mu.Lock()
	p.lastNumber++
	c.number, c.place = p.lastNumber, place
	p.connections[c.number] = c
	isWanted := p.machine.Dialled(place, c.number, int(min(c.peer.CallsMax, 1<<31-1)), time.Now())
	isUnwanted = !isWanted || p.isClosed
	p.mu.Unlock()
	if !c.takesCalls() {
		// It went between its HELLO and now, when it had no number yet.
		p.retired(c)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !isUnwanted {
		p.check(place)
	}
	p.serve(true)
	p.ending.Add(1)
	go func() {
		defer p.ending.Done()
		p.watchEnd(c)
	}()
	return isUnwanted
}

// watchEnd logs the end of a connection, and forgets it where it ended before it was known.
func (p *pool) watchEnd(c *connection) {
	<-c.lost
	p.ended(c)
	reason, isInOrder := c.ending()
	p.settings.log.disconnected(p.addresses[c.place].String(), reason, isInOrder)
}

// check asks the server at an address how it is, unless it is asked already.
func (p *pool) check(place int) {
	numbers := p.machine.Connections(place)
	if !p.settings.checksHealth || p.isClosed || p.checks[place] != nil || len(numbers) == 0 {
		return
	}
	check := newHealthCheck(p, place, p.connections[numbers[0]])
	p.checks[place] = check
	p.ending.Add(1)
	go func() {
		defer p.ending.Done()
		check.run()
	}()
}

func closedError() *Error { return notStarted(Cancelled, "the client is closed") }

// orNil is the error as an interface, which is nil where there is none.
func (e *Error) orNil() error {
	if e == nil {
		return nil
	}
	return e
}
