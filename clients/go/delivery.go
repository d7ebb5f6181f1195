package hito

import (
	"context"
	"sync"
	"time"

	hitov1 "hito.example/hito/v1"
)

// Delivery is an event in the hands of a consumer, which has to say what becomes of it.
//
// Ack, Skip, Retry, Park and Extend return true once the server has it on disk, and false where the consumer does not
// have the event any more: it was not settled in time, or the connection broke, and the event comes again, to this or
// another consumer. They fail only where their context ends.
type Delivery struct {
	Event *hitov1.Event
	// Attempt counts from 1.
	Attempt int
	// SettleBy is when it goes to another consumer, by the database's clock, unless it is extended.
	SettleBy time.Time

	session *session
}

// IsHeld tells whether nothing was heard yet of another consumer having the event. Where it is false, work on it
// should end.
func (d *Delivery) IsHeld() bool {
	d.session.consumer.mu.Lock()
	defer d.session.consumer.mu.Unlock()
	return d.isHeldLocked()
}

func (d *Delivery) isHeldLocked() bool { return !d.session.isOver && d.session.held[d.Event.Id] == d }

// Ack says that it is done.
func (d *Delivery) Ack(ctx context.Context) (bool, error) {
	return d.settle(ctx, hitov1.SettleAction_SETTLE_ACTION_ACK, "", 0)
}

// Skip says that it is done, though not wanted.
func (d *Delivery) Skip(ctx context.Context) (bool, error) {
	return d.settle(ctx, hitov1.SettleAction_SETTLE_ACTION_SKIP, "", 0)
}

// Retry asks for it again after a while; as the group says where that is 0.
func (d *Delivery) Retry(ctx context.Context, after time.Duration, reason string) (bool, error) {
	return d.settle(ctx, hitov1.SettleAction_SETTLE_ACTION_RETRY, reason, after)
}

// Park puts it aside for a person.
func (d *Delivery) Park(ctx context.Context, reason string) (bool, error) {
	return d.settle(ctx, hitov1.SettleAction_SETTLE_ACTION_PARK, reason, 0)
}

// Extend has the time to settle it begin anew.
func (d *Delivery) Extend(ctx context.Context) (bool, error) {
	return d.settle(ctx, hitov1.SettleAction_SETTLE_ACTION_EXTEND, "", 0)
}

func (d *Delivery) settle(
	ctx context.Context, action hitov1.SettleAction, reason string, after time.Duration,
) (bool, error) {
	s, id := d.session, d.Event.Id
	settle := &hitov1.Settle{
		EventIds: []string{id}, Action: action, Reason: reason, RetryAfterUs: after.Microseconds(),
	}
	answer, err := s.ask(ctx, d, settle)
	if answer == nil || err != nil {
		return false, err
	}
	select {
	case isSettled := <-answer:
		if !isSettled || action != hitov1.SettleAction_SETTLE_ACTION_EXTEND {
			s.consumer.mu.Lock()
			if s.held[id] == d {
				delete(s.held, id)
			}
			s.consumer.mu.Unlock()
		}
		return isSettled, nil
	case <-ctx.Done():
		return false, asError(ctx.Err(), false)
	}
}

// session is one connection of a consumer: what it holds, and what it waits to hear. The consumer's lock guards it.
type session struct {
	consumer *Consumer
	stream   *BidiStream[hitov1.ConsumeRequest, hitov1.ConsumeResponse]
	ctx      context.Context
	cancel   context.CancelFunc
	sending  chan struct{} // has room while nobody sends
	helpers  sync.WaitGroup

	held    map[string]*Delivery
	answers map[string][]chan bool
	isOver  bool
}

func newSession(c *Consumer, stream *BidiStream[hitov1.ConsumeRequest, hitov1.ConsumeResponse]) *session {
	s := &session{
		consumer: c, stream: stream, sending: make(chan struct{}, 1),
		held: map[string]*Delivery{}, answers: map[string][]chan bool{},
	}
	s.ctx, s.cancel = context.WithCancel(c.ctx)
	return s
}

// ask sends a settlement; nil where the consumer does not have the event any more.
func (s *session) ask(ctx context.Context, d *Delivery, settle *hitov1.Settle) (<-chan bool, error) {
	id := d.Event.Id
	select {
	case s.sending <- struct{}{}:
	case <-ctx.Done():
		return nil, asError(ctx.Err(), false)
	case <-s.ctx.Done():
		return nil, nil
	}
	defer func() { <-s.sending }()
	s.consumer.mu.Lock()
	if !d.isHeldLocked() {
		s.consumer.mu.Unlock()
		return nil, nil
	}
	// Answers come in the order of what was sent.
	answer := make(chan bool, 1)
	s.answers[id] = append(s.answers[id], answer)
	s.consumer.mu.Unlock()
	// An error here is the end of the session, which answers, too.
	_ = s.stream.Send(&hitov1.ConsumeRequest{Step: &hitov1.ConsumeRequest_Settle{Settle: settle}})
	return answer, nil
}

func (s *session) send(ctx context.Context, request *hitov1.ConsumeRequest) error {
	select {
	case s.sending <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.sending }()
	return s.stream.Send(request)
}

func (s *session) heard(settled *hitov1.Settled) {
	s.consumer.mu.Lock()
	defer s.consumer.mu.Unlock()
	s.answer(settled.EventIds, true)
	s.answer(settled.NotHeld, false)
}

func (s *session) answer(ids []string, isSettled bool) {
	for _, id := range ids {
		if waiting := s.answers[id]; len(waiting) > 0 {
			waiting[0] <- isSettled
			if s.answers[id] = waiting[1:]; len(waiting) == 1 {
				delete(s.answers, id)
			}
		}
	}
}

// extendForEver keeps an event for as long as it is worked on.
func (s *session) extendForEver(d *Delivery, interval time.Duration) {
	s.helpers.Add(1)
	go func() {
		defer s.helpers.Done()
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-s.ctx.Done():
				return
			}
			if isHeld, err := d.Extend(s.ctx); err != nil || !isHeld {
				return
			}
		}
	}()
}

// endLocked: the connection is gone.
func (s *session) endLocked() {
	s.isOver = true
	clear(s.held)
	for id, waiting := range s.answers {
		for _, answer := range waiting {
			answer <- false
		}
		delete(s.answers, id)
	}
}

// leave ends what runs beside it.
func (s *session) leave() {
	s.cancel()
	s.helpers.Wait()
}
