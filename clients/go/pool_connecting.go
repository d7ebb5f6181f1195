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
	to := p.addresses[place]
	c, failure := p.dial(p.dialling, to)
	if failure != nil {
		p.settings.log.Warn("hito: no connection", "address", to.String(), "error", failure.Message)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.failure = failure.Error
		p.machine.DialFailed(place, failure.isUntrusted, time.Now(), rand.Float64())
		p.serve(true)
		return
	}
	p.settings.log.Debug("hito: connected", "address", to.String(), "server", c.peer.ServerID)
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
	c.mu.Lock()
	failure, goAway := c.failure, c.goAway
	c.mu.Unlock()
	p.settings.log.Debug("hito: connection ended", "address", c.String(), "why", failure.Message, "said", goAway)
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
