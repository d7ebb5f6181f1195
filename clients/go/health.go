package hito

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/proto"

	"hito.example/hito/internal/pacing"
	"hito.example/hito/internal/wire"
	hitov1 "hito.example/hito/v1"
)

const healthPath = "hito.v1.HealthService/Watch"

// healthCheck listens to what the server of one connection says of itself (C1.8). A server counts as one that serves
// until it says otherwise, and again when it says no more.
type healthCheck struct {
	pool       *pool
	place      int
	connection *connection
	ctx        context.Context
	cancel     context.CancelFunc
}

func newHealthCheck(p *pool, place int, c *connection) *healthCheck {
	check := &healthCheck{pool: p, place: place, connection: c}
	check.ctx, check.cancel = context.WithCancel(context.Background())
	return check
}

func (h *healthCheck) run() {
	defer h.cancel()
	var backoff pacing.Backoff
	for h.connection.takesCalls() {
		if h.take() {
			err := h.listen(&backoff)
			passes := errors.Is(err, Unavailable) || errors.Is(err, ResourceExhausted)
			if err != nil && !passes {
				// A server that does not have the method is not asked again.
				return
			}
		}
		timer := time.NewTimer(backoff.Next(0, rand.Float64()))
		select {
		case <-timer.C:
		case <-h.ctx.Done():
			timer.Stop()
			return
		}
	}
}

// take has a place for a call on the connection, if there is one.
func (h *healthCheck) take() bool {
	h.pool.mu.Lock()
	defer h.pool.mu.Unlock()
	return h.pool.machine.Take(h.connection.number)
}

func (h *healthCheck) listen(backoff *pacing.Backoff) error {
	call, failure := h.connection.open(wire.Call{Path: healthPath}, nil, true, true)
	if failure != nil {
		return failure
	}
	defer h.tell(true)
	defer call.cancel(nil)
	for {
		message, has, err := call.receive(h.ctx)
		if err != nil || !has {
			return err
		}
		var said hitov1.HealthCheckResponse
		if err := proto.Unmarshal(message, &said); err != nil {
			return err
		}
		backoff.Reset()
		isNotServing := said.Status == hitov1.HealthStatus_HEALTH_STATUS_NOT_SERVING ||
			said.Status == hitov1.HealthStatus_HEALTH_STATUS_DRAINING
		h.tell(!isNotServing)
	}
}

func (h *healthCheck) tell(isServing bool) {
	h.pool.mu.Lock()
	defer h.pool.mu.Unlock()
	// Who asks next says how the server is.
	if h.pool.checks[h.place] == h {
		h.pool.machine.Says(h.place, isServing)
		h.pool.serve(true)
	}
}
