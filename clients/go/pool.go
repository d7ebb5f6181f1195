package hito

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"sync"
	"time"

	"hito.example/hito/internal/choice"
	"hito.example/hito/internal/wire"
)

// poolSettings are what every connection of a client has in common.
type poolSettings struct {
	tls            *tls.Config
	own            wire.Hello
	keepalive      time.Duration
	connectionsMax int
	isRoundRobin   bool
	checksHealth   bool
	log            *clientLog
}

// pool gives each call a connection, makes them as they are needed, and has calls wait for room. The machine decides;
// this dials, wakes and keeps time. Its lock may be taken while a connection's is held, not the other way round.
type pool struct {
	addresses []address
	settings  poolSettings
	closing   chan struct{}
	dialling  context.Context // of all attempts
	cancel    context.CancelFunc
	ending    sync.WaitGroup // goroutines that end with the pool

	mu          sync.Mutex
	machine     *choice.Machine
	connections map[int]*connection
	checks      map[int]*healthCheck // by address
	lastNumber  int
	waiters     []*waiter
	failure     *Error // why the last attempt found no server
	timer       *time.Timer
	timerAt     time.Time
	isClosed    bool
}

// waiter is a call that waits for its connection.
type waiter struct {
	want   choice.Want
	result chan placed
}

// placed is a connection on which there is a place for one call.
type placed struct {
	connection *connection
	failure    *Error
}

func newPool(addresses []address, settings poolSettings) *pool {
	p := &pool{
		addresses: addresses, settings: settings, closing: make(chan struct{}),
		machine:     choice.NewMachine(len(addresses), settings.isRoundRobin, settings.connectionsMax),
		connections: map[int]*connection{}, checks: map[int]*healthCheck{},
	}
	p.dialling, p.cancel = context.WithCancel(context.Background())
	return p
}

// connection gives the caller a place for one call, which connection.open uses and release gives back. It fails with
// UNAVAILABLE when no address answers and the call does not wait for one.
func (p *pool) connection(ctx context.Context, waits bool) (*connection, error) {
	waiting := &waiter{choice.Want{Waits: waits}, make(chan placed, 1)}
	p.mu.Lock()
	found, until := p.place(waiting)
	if found == nil {
		p.waiters = append(p.waiters, waiting)
	}
	p.startDials()
	p.arm(until)
	p.mu.Unlock()
	if found != nil {
		return found.connection, found.failure.orNil()
	}
	select {
	case got := <-waiting.result:
		return got.connection, got.failure.orNil()
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for place, other := range p.waiters {
		if other == waiting {
			p.waiters = append(p.waiters[:place], p.waiters[place+1:]...)
			return nil, ctx.Err()
		}
	}
	// It was served at the same time.
	if got := <-waiting.result; got.connection != nil {
		p.giveBack(got.connection)
	}
	return nil, ctx.Err()
}

// connectionBeside is one for a copy of a call that has those; nil where none has room.
func (p *pool) connectionBeside(used []int) *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isClosed {
		return nil
	}
	if number, found := p.machine.PlaceBeside(used); found {
		return p.connections[number]
	}
	return nil
}

// release: the caller opens no call on it after all.
func (p *pool) release(c *connection) { p.callEnded(c) }

// rest waits before another attempt; no longer than the client is open.
func (p *pool) rest(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.closing:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (p *pool) close() {
	p.mu.Lock()
	if !p.isClosed {
		p.isClosed = true
		close(p.closing)
		if p.timer != nil {
			p.timer.Stop()
		}
		for _, waiting := range p.waiters {
			waiting.result <- placed{failure: closedError()}
		}
		p.waiters = nil
		for _, check := range p.checks {
			check.cancel()
		}
		p.checks = map[int]*healthCheck{}
		p.cancel()
	}
	open := make([]*connection, 0, len(p.connections))
	for _, c := range p.connections {
		open = append(open, c)
	}
	p.mu.Unlock()
	var closed sync.WaitGroup
	for _, c := range open {
		closed.Add(1)
		go func() {
			defer closed.Done()
			c.close()
		}()
	}
	closed.Wait()
	p.ending.Wait()
}

// What connections tell, with their lock held.

func (p *pool) callEnded(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.giveBack(c)
}

func (p *pool) served(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.machine.Served(c.number)
}

func (p *pool) retired(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.machine.Retired(c.number, time.Now(), rand.Float64())
	if check := p.checks[c.place]; check != nil && check.connection == c {
		// A draining server waits for its calls to end.
		delete(p.checks, c.place)
		check.cancel()
		p.check(c.place)
	}
	p.serve(true)
}

func (p *pool) ended(c *connection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.connections, c.number)
}

// Waiting. The lock is held.

func (p *pool) giveBack(c *connection) {
	p.machine.CallEnded(c.number)
	p.serve(false)
}

// place asks the machine; nil and a time where the call has to wait.
func (p *pool) place(waiting *waiter) (*placed, time.Time) {
	if p.isClosed {
		return &placed{failure: closedError()}, time.Time{}
	}
	step := p.machine.Place(&waiting.want, time.Now())
	switch step.Verdict {
	case choice.Use:
		return &placed{connection: p.connections[step.Connection]}, time.Time{}
	case choice.Fail:
		return &placed{failure: p.unreachable()}, time.Time{}
	}
	return nil, step.Until
}

// serve: something has changed. In the order in which they came, each waiter gets what there is. Where there is more
// room and nothing else has changed, the first that must wait on is the last that is asked.
func (p *pool) serve(all bool) {
	var left []*waiter
	var until time.Time
	for place, waiting := range p.waiters {
		if !all && len(left) > 0 {
			left = append(left, p.waiters[place:]...)
			break
		}
		found, again := p.place(waiting)
		if found != nil {
			waiting.result <- *found
			continue
		}
		left = append(left, waiting)
		if !again.IsZero() && (until.IsZero() || again.Before(until)) {
			until = again
		}
	}
	p.waiters = left
	p.startDials()
	p.arm(until)
}

// arm has waiters asked again at a time, unless that is to happen before anyway.
func (p *pool) arm(until time.Time) {
	if until.IsZero() || p.isClosed || !p.timerAt.IsZero() && !until.Before(p.timerAt) {
		return
	}
	if p.timer != nil {
		p.timer.Stop()
	}
	p.timerAt = until
	p.timer = time.AfterFunc(time.Until(until), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.timerAt.Equal(until) {
			p.timerAt = time.Time{}
		}
		if !p.isClosed {
			p.serve(true)
		}
	})
}

func (p *pool) unreachable() *Error {
	if p.failure == nil {
		return notStarted(Unavailable, "no server answers")
	}
	return p.failure
}

// lastFailure is why the last attempt found no server; nil where all did.
func (p *pool) lastFailure() *Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failure
}
