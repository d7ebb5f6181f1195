package hito

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"
)

// message is a pointer to a message: what generated stubs name their types by.
type message[T any] interface {
	*T
	proto.Message
}

// CallUnary makes a call with one request and one response. Generated stubs use it; see package services.
func CallUnary[Response any, Pointer message[Response]](
	ctx context.Context, client *Client, method Method, request proto.Message, options ...CallOption,
) (*Response, error) {
	response := new(Response)
	call := &Call{Method: method, Options: resolved(options), Request: request}
	err := client.intercepted(ctx, call, func(ctx context.Context) error {
		if err := client.unary(ctx, call, Pointer(response)); err != nil {
			return err
		}
		call.Response = Pointer(response)
		return nil
	})
	call.end(err)
	if err != nil {
		return nil, err
	}
	return response, nil
}

// attempts are what the attempts of a unary call have in common.
type attempts struct {
	client  *Client
	method  Method
	options CallOptions
	request []byte
	token   string // of the attempt
	log     *callLog
}

func (c *Client) unary(ctx context.Context, call *Call, response proto.Message) error {
	a := attempts{client: c, method: call.Method, options: call.Options, log: c.settings.pool.log.call(call.Method)}
	if failure := a.prepare(ctx, call.Request); failure != nil {
		return failure
	}
	a.log.begun()
	reply, err := a.repeated(ctx)
	if err == nil {
		err = decode(reply, response)
	}
	a.log.ended(err)
	return err
}

// repeated makes the call until it ends with what is the caller's.
func (a *attempts) repeated(ctx context.Context) ([]byte, error) {
	c := a.client
	ctx, cancel := a.options.bounded(ctx, c.settings.timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return nil, asError(err, true)
	}
	again := repeats{client: c, log: a.log}
	again.end, _ = ctx.Deadline()
	token := c.callToken(&a.options)
	isStarted := false
	for {
		var failure *Error
		// Before a place is taken: it may take a while.
		if a.token, failure = token.next(ctx); failure != nil {
			return nil, c.ended(ctx, failure, !isStarted)
		}
		connection, err := c.pool.connection(ctx, c.waits(&a.options))
		if err != nil {
			return nil, c.ended(ctx, err, !isStarted)
		}
		reply, err := a.tried(ctx, connection)
		mayRenew := token.failed(err)
		if err == nil {
			return reply, nil
		}
		isStarted = isStarted || !errors.As(err, &failure) || !failure.NotStarted
		if mayRenew {
			a.log.repeated(err, 0)
			continue
		}
		if err := again.rest(ctx, err, true); err != nil {
			return nil, c.ended(ctx, err, !isStarted)
		}
	}
}

// prepare refuses what may not be sent, and makes what all attempts send.
func (a *attempts) prepare(ctx context.Context, request proto.Message) *Error {
	if failure := a.options.check(a.method); failure != nil {
		return failure
	}
	encoded, failure := encode(request)
	if failure != nil {
		return failure
	}
	a.request = encoded
	if a.options.Key == "" && !a.method.ReadOnly {
		// On every write: only that makes repeating it harmless (W14.2).
		a.options.Key = newKey()
	}
	a.client.trace(ctx, &a.options)
	return nil
}

// tried makes the call once, with copies where it is hedged.
func (a *attempts) tried(ctx context.Context, on *connection) ([]byte, error) {
	if hedging := a.hedging(); hedging != nil {
		return a.hedged(ctx, on, *hedging)
	}
	return a.attempt(ctx, on, false)
}

// attempt makes the call once, on a connection on which it has a place.
func (a *attempts) attempt(ctx context.Context, on *connection, isCopy bool) ([]byte, error) {
	if ctx.Err() != nil {
		a.client.pool.release(on)
		return nil, asError(ctx.Err(), true)
	}
	opened, failure := on.open(a.options.header(ctx, a.method.Path, a.token), a.request, true, true)
	if failure != nil {
		return nil, failure
	}
	reply, err := opened.oneReply(ctx)
	if a.options.Info != nil {
		metadata, trailers, isDone := opened.said()
		// Of a copy that another was faster than nothing is told.
		if isDone || !isCopy {
			a.options.Info.Metadata, a.options.Info.Trailers = metadata, trailers
		}
	}
	opened.cancel(nil)
	return reply, err
}

func (c *Client) trace(ctx context.Context, options *CallOptions) {
	if options.Traceparent == "" && c.settings.traceContext != nil {
		options.Traceparent = c.settings.traceContext(ctx)
	}
}

func encode(request proto.Message) ([]byte, *Error) {
	encoded, err := proto.Marshal(request)
	if err != nil {
		return nil, notStarted(InvalidArgument, "the request cannot be encoded: %v", err).because(err)
	}
	return encoded, nil
}

func decode(encoded []byte, response proto.Message) error {
	if err := proto.Unmarshal(encoded, response); err != nil {
		name := response.ProtoReflect().Descriptor().Name()
		return fault(Internal, "the server's answer is not a valid %s", name).because(err)
	}
	return nil
}

// newKey is a random UUID.
func newKey() string {
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		// Where the system has no random numbers: still no other key of this process.
		copy(random[:], time.Now().String())
	}
	random[6] = random[6]&0x0f | 0x40
	random[8] = random[8]&0x3f | 0x80
	text := hex.EncodeToString(random[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}
