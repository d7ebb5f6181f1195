package hito

import (
	"context"
	"io"
	"iter"
	"math/rand/v2"
	"sync"
	"time"

	"hito.example/hito/internal/pacing"
	hitov1 "hito.example/hito/v1"
)

const (
	// unsettledMax is the most events that a server gives a consumer at a time.
	unsettledMax = 1000
	// leaveTimeout is how long a server has to answer what was settled when a consumer leaves.
	leaveTimeout = 5 * time.Second
)

// ConsumerConfig says who consumes what.
type ConsumerConfig struct {
	// Group is the name of the consumer group.
	Group string
	// Name of the consumer, which no other of the group may have; made by the server where it is empty.
	Name string
	// BufferSize is how many events it has at a time; the server's usual number where 0.
	BufferSize int
	// ManualExtension has an event go to another consumer where it is not settled in the group's time. Otherwise it is
	// kept for as long as it is worked on.
	ManualExtension bool
}

// Consumer receives the events of a group, and reconnects by itself:
//
//	for delivery, err := range consumer.All() {
//		if err != nil { return err }
//		work(delivery.Event)
//		delivery.Ack(ctx)
//	}
//
// Every event comes at least once. After a broken connection what was not settled comes again; long work should look
// at IsHeld. One goroutine receives, any settle. It ends by the caller, or with an error that trying again would not
// mend.
type Consumer struct {
	client  *Client
	config  ConsumerConfig
	options CallOptions
	ctx     context.Context
	leave   context.CancelFunc
	ended   chan struct{} // the goroutine that reads has
	arrived chan struct{} // one more delivery, or the end
	join    *hitov1.JoinGroup
	ack     time.Duration
	// isRenewed: the last session was refused, and this one is under another token.
	isRenewed bool

	mu            sync.Mutex
	isClosing     bool
	name          string
	interruptions int
	session       *session
	waiting       []*Delivery
	failure       error
}

// ConsumeResuming consumes events of a group for ever. Close ends it.
func (c *Client) ConsumeResuming(ctx context.Context, config ConsumerConfig, options ...CallOption) *Consumer {
	consumer := &Consumer{
		client: c, config: config, options: resolved(options), name: config.Name, ack: 30 * time.Second,
		ended: make(chan struct{}), arrived: make(chan struct{}, 1),
		join: &hitov1.JoinGroup{
			Group: config.Group, Consumer: config.Name, BufferSize: int32(min(config.BufferSize, unsettledMax)),
			Instance: newKey(),
		},
	}
	consumer.ctx, consumer.leave = context.WithCancel(ctx)
	// Answers have to be heard while nobody asks for the next event.
	go consumer.run(options)
	return consumer
}

// Recv is the next event to work on; io.EOF after Close.
func (c *Consumer) Recv() (*Delivery, error) {
	for {
		c.mu.Lock()
		for len(c.waiting) > 0 && !c.isClosing {
			next := c.waiting[0]
			c.waiting = c.waiting[1:]
			if next.isHeldLocked() {
				c.mu.Unlock()
				return next, nil
			}
		}
		failure, isClosing := c.failure, c.isClosing
		c.mu.Unlock()
		if isClosing {
			return nil, io.EOF
		}
		if failure != nil {
			return nil, failure
		}
		<-c.arrived
	}
}

// All is a loop over the events; an error is the last pair. Leaving it closes the consumer.
func (c *Consumer) All() iter.Seq2[*Delivery, error] { return all(c.Recv, c.Close) }

// Name is the consumer's in its group; known from the first delivery on, where the server makes one.
func (c *Consumer) Name() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.name
}

// Interruptions is how often the stream broke and was taken up again.
func (c *Consumer) Interruptions() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.interruptions
}

// Close gives back what is not settled, and returns when the consumer has left its group. It is not for the function
// of CallOnInterruption, which it waits for.
func (c *Consumer) Close() {
	c.mu.Lock()
	c.isClosing = true
	current := c.session
	c.mu.Unlock()
	wake(c.arrived)
	if current != nil {
		// The server ends the stream once it has answered everything.
		current.stream.CloseSend()
		timer := time.NewTimer(leaveTimeout)
		defer timer.Stop()
		select {
		case <-c.ended:
		case <-timer.C:
		}
	}
	c.leave()
	<-c.ended
}

// run reads one stream after the other.
func (c *Consumer) run(options []CallOption) {
	defer close(c.ended)
	defer c.leave()
	var backoff pacing.Backoff
	for {
		mayRenew, err := c.runSession(options, &backoff)
		if isClosing := c.endSession(); isClosing {
			return
		}
		if err == io.EOF {
			err = fault(Unavailable, "the server ended the stream")
		}
		failure := asError(err, false)
		isLasting := !passes(failure) && !c.mayJoinLater(failure) && !mayRenew
		if c.ctx.Err() != nil || isLasting {
			c.fail(failure)
			return
		}
		c.mu.Lock()
		c.interruptions++
		c.mu.Unlock()
		if told := c.options.OnInterruption; told != nil {
			told(failure)
		}
		delay := backoff.Next(failure.RetryDelay(), rand.Float64())
		if err := c.client.rest(c.ctx, consumeMethod, failure, delay); err != nil {
			c.fail(asError(err, false))
			return
		}
	}
}

func (c *Consumer) fail(failure *Error) {
	c.mu.Lock()
	c.failure = failure
	c.mu.Unlock()
	wake(c.arrived)
}

// mayJoinLater: the name is still that of this consumer's last connection, or of a process that died.
func (c *Consumer) mayJoinLater(failure *Error) bool {
	return failure.Code == AlreadyExists && c.Interruptions() > 0 &&
		failure.Reason() == hitov1.ErrorReason_ERROR_REASON_CONSUMER_NAME_TAKEN
}

// runSession is one stream from its beginning to its end; whether another may begin at once because the token was
// refused, which is once before a response.
func (c *Consumer) runSession(options []CallOption, backoff *pacing.Backoff) (mayRenew bool, err error) {
	stream, err := CallBidi[hitov1.ConsumeRequest, hitov1.ConsumeResponse](c.ctx, c.client, consumeMethod, options...)
	if err != nil {
		return false, err
	}
	defer stream.Close()
	err = c.consume(stream, backoff)
	wasRenewed := c.isRenewed
	c.isRenewed = stream.stream.token.isRefused(err)
	return c.isRenewed && !wasRenewed, err
}

func (c *Consumer) consume(
	stream *BidiStream[hitov1.ConsumeRequest, hitov1.ConsumeResponse], backoff *pacing.Backoff,
) error {
	current := newSession(c, stream)
	defer current.leave()
	c.mu.Lock()
	c.session = current
	isClosing := c.isClosing
	c.mu.Unlock()
	if isClosing {
		return io.EOF
	}
	join := &hitov1.ConsumeRequest{Step: &hitov1.ConsumeRequest_Join{Join: c.join}}
	if err := current.send(c.ctx, join); err != nil && err != io.EOF {
		// Where the call has ended Recv says more.
		if _, ended := stream.Recv(); ended != nil {
			return ended
		}
		return err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		backoff.Reset()
		c.isRenewed = false
		if err := c.received(current, response); err != nil {
			return err
		}
	}
}

func (c *Consumer) received(current *session, response *hitov1.ConsumeResponse) error {
	if joined := response.Joined; joined != nil {
		// After a broken connection it comes again under the name that it had.
		c.join.Consumer = joined.Consumer
		c.ack = time.Duration(joined.AckTimeoutUs) * time.Microsecond
		c.mu.Lock()
		c.name = joined.Consumer
		c.mu.Unlock()
	}
	if response.Settled != nil {
		current.heard(response.Settled)
	}
	if response.Event == nil {
		return nil
	}
	delivery := &Delivery{
		Event: response.Event, Attempt: int(response.Attempt), SettleBy: response.SettleBy.AsTime(), session: current,
	}
	c.mu.Lock()
	current.held[response.Event.Id] = delivery
	c.waiting = append(c.waiting, delivery)
	isTooMuch := len(c.waiting) > unsettledMax || len(current.held) > unsettledMax
	c.mu.Unlock()
	if isTooMuch {
		return fault(ResourceExhausted, "the server gave a consumer more than %d events at a time", unsettledMax)
	}
	if !c.config.ManualExtension && c.ack > 0 {
		current.extendForEver(delivery, c.ack/3)
	}
	wake(c.arrived)
	return nil
}

// endSession forgets the connection that is gone, and everything that it held; whether the consumer is closing.
func (c *Consumer) endSession() (isClosing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != nil {
		c.session.endLocked()
		c.session = nil
	}
	c.waiting = nil
	return c.isClosing
}
