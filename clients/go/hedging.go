package hito

import (
	"context"
	"errors"
	"sync"
	"time"

	"hito.example/hito/internal/pacing"
)

const (
	copiesMax       = 5
	hedgingDelayMin = time.Millisecond
)

// hedging is what holds for the call; nil where it is made once at a time.
func (a *attempts) hedging() *Hedging {
	asked := a.options.Hedging
	if asked == nil && a.method.ReadOnly {
		asked = a.client.settings.hedging
	}
	if asked == nil || asked.Copies == 1 {
		return nil
	}
	hedging := Hedging{Delay: max(asked.Delay, hedgingDelayMin), Copies: min(max(asked.Copies, 0), copiesMax)}
	if hedging.Copies == 0 {
		hedging.Copies = 2
	}
	return &hedging
}

// outcome is that of one copy.
type outcome struct {
	reply []byte
	err   error
	info  *ResponseInfo
}

// hedged makes copies of the call beside each other (C2.4): the first counts that has a reply, or fails with anything
// but UNAVAILABLE. The others are cancelled, and have ended, when it returns.
func (a *attempts) hedged(ctx context.Context, on *connection, hedging Hedging) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()

	outcomes := make(chan outcome, hedging.Copies)
	var used []int
	begin := func(on *connection) {
		used = append(used, on.number)
		copied := *a
		if a.options.Info != nil {
			// One of its own: copies end at the same time.
			copied.options.Info = &ResponseInfo{}
		}
		running.Add(1)
		go func() {
			defer running.Done()
			reply, err := copied.attempt(ctx, on, true)
			outcomes <- outcome{reply, err, copied.options.Info}
		}()
	}
	begin(on)
	open := 1
	// By one of the copies; what decides may know of itself only.
	isStarted := false
	nextAt := time.Now().Add(hedging.Delay)
	timer := time.NewTimer(hedging.Delay)
	defer timer.Stop()
	for {
		select {
		case one := <-outcomes:
			open--
			if one.info != nil {
				*a.options.Info = *one.info
			}
			var failure *Error
			isError := errors.As(one.err, &failure)
			isStarted = isStarted || !isError || !failure.NotStarted
			if isError && (isStarted || open > 0) {
				failure = failure.perhapsStarted()
				one.err = failure
			}
			if !isError || failure.Code != Unavailable || open == 0 {
				return one.reply, one.err
			}
			// A server that asks for time is not asked again before.
			pushback := min(failure.RetryDelay(), pacing.PushbackMax)
			if after := time.Now().Add(pushback); after.After(nextAt) {
				nextAt = after
				timer.Reset(pushback)
			}
		case <-timer.C:
			if len(used) == hedging.Copies {
				continue
			}
			nextAt = time.Now().Add(hedging.Delay)
			timer.Reset(hedging.Delay)
			if another := a.beside(used); another != nil {
				a.log.hedged(len(used) + 1)
				begin(another)
				open++
			}
		}
	}
}

// beside is a place for another copy, within the budget of all repeats; nil where there is none.
func (a *attempts) beside(used []int) *connection {
	another := a.client.pool.connectionBeside(used)
	if another != nil && !a.client.takeNow() {
		a.client.pool.release(another)
		return nil
	}
	return another
}
