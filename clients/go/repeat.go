package hito

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"hito.example/hito/internal/pacing"
)

// repeats says whether a call that failed is repeated, and when (C2).
type repeats struct {
	client  *Client
	log     *callLog
	backoff pacing.Backoff
	end     time.Time // the zero time for none
	// time is for how long after its first failure a call without a deadline is repeated; without end where it is 0.
	time time.Duration
}

// rest waits before another attempt, or returns the error where there is to be none.
func (r *repeats) rest(ctx context.Context, err error, mayRepeat bool) error {
	var failure *Error
	if !errors.As(err, &failure) || failure.Code != Unavailable {
		return err
	}
	now := time.Now()
	if r.end.IsZero() && r.time > 0 {
		r.end = now.Add(r.time)
	}
	// With a cursor where it continues is the caller's to say: the same request might begin elsewhere.
	if !mayRepeat || failure.IsLasting() || failure.ResumeCursor != "" {
		return err
	}
	wait := r.backoff.Next(failure.RetryDelay(), rand.Float64())
	// A wait that would not end before the deadline is not begun (W14.3).
	if r.endsBefore(now.Add(wait)) {
		return err
	}
	wait += r.client.pace()
	if r.endsBefore(now.Add(wait)) {
		return err
	}
	r.log.repeated(err, wait)
	return r.client.pool.rest(ctx, wait)
}

func (r *repeats) endsBefore(at time.Time) bool { return !r.end.IsZero() && !at.Before(r.end) }
