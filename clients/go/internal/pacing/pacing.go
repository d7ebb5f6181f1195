// Package pacing says when to try again. Time and chance are arguments.
package pacing

import (
	"math"
	"time"
)

const (
	backoffMin = 50 * time.Millisecond
	backoffMax = 5 * time.Second
	// PushbackMax is the longest that a server can make a client wait.
	PushbackMax = 60 * time.Second
)

// Wait is how long to wait after so many failures before the last: half is fixed, half is chance (0 to 1).
func Wait(failures int, chance float64) time.Duration {
	ceiling := float64(backoffMin) * math.Exp2(float64(min(failures, 20)))
	ceiling = math.Min(float64(backoffMax), ceiling)
	return time.Duration(ceiling * (0.5 + 0.5*chance))
}

// Backoff has delays that grow by half to double with each failure, from 50 ms to 5 s (W14.3).
type Backoff struct {
	failures int
}

// Reset says that it worked.
func (b *Backoff) Reset() { b.failures = 0 }

// Next is how long to wait; at least what the server asked for, within reason.
func (b *Backoff) Next(pushback time.Duration, chance float64) time.Duration {
	wait := Wait(b.failures, chance)
	b.failures++
	return max(min(pushback, PushbackMax), wait)
}

// Pacer spreads the repeats of all calls of a client: a burst is free, then so many a second. A server that comes
// back after an outage meets a bounded stream of them instead of all at once.
type Pacer struct {
	burst    time.Duration
	interval time.Duration
	nextAt   time.Time
}

// NewPacer makes a pacer whose burst is unused.
func NewPacer(burst int, perSecond float64) *Pacer {
	interval := time.Duration(float64(time.Second) / math.Max(perSecond, 1e-3))
	return &Pacer{burst: time.Duration(max(1, burst)) * interval, interval: interval}
}

// Delay books a repeat; how much later than planned it should happen.
func (p *Pacer) Delay(now time.Time) time.Duration {
	p.nextAt = p.start(now).Add(p.interval)
	return max(0, p.nextAt.Sub(now))
}

// TakeNow books a repeat that is of use now or not at all; false where there is none left.
func (p *Pacer) TakeNow(now time.Time) bool {
	next := p.start(now).Add(p.interval)
	if next.After(now) {
		return false
	}
	p.nextAt = next
	return true
}

func (p *Pacer) start(now time.Time) time.Time {
	if earliest := now.Add(-p.burst); p.nextAt.Before(earliest) {
		return earliest
	}
	return p.nextAt
}
