package hito

import (
	"context"
	"time"

	"hito.example/hito/internal/wire"
)

// Metadata is what goes beside messages, both ways. Keys are of a-z 0-9 _ . -; values are text, or bytes where the key
// ends with -bin (W5.3).
type Metadata = map[string]string

// ResponseInfo is what the server says beside its reply. Given to a call by [CallResponseInfo], it has it afterwards,
// also of a call that failed.
type ResponseInfo struct {
	// Metadata came before the first response, Trailers with the end.
	Metadata, Trailers Metadata
}

// Hedging says when a call is made again beside itself (C2.4): the first response counts, the other copies are
// cancelled.
type Hedging struct {
	// Delay between one copy and the next; a millisecond or more.
	Delay time.Duration
	// Copies in all, of 5 at most; 2 where it is 0. One is no hedging.
	Copies int
}

// CallOptions are what a call has beside its request. Programs say them by functions such as [CallTimeout];
// interceptors see and change them.
type CallOptions struct {
	// Timeout bounds the call beside its context; 0 for none of its own.
	Timeout time.Duration
	// Metadata goes with the call.
	Metadata Metadata
	// Token stands in for the client's.
	Token string
	// Traceparent is a W3C trace context.
	Traceparent string
	// WaitForReady is whether the call waits for a server while none can be reached; nil: as the client says.
	WaitForReady *bool
	// Key is the idempotency key of a write; the library makes one for unary calls.
	Key string
	// Info has afterwards what the server said beside the reply.
	Info *ResponseInfo
	// Hedging of a unary call; nil: as the client says of calls that read.
	Hedging *Hedging
	// OnInterruption is told each time a resuming stream broke and is taken up again.
	OnInterruption func(error)
}

// CallOption changes the options of one call.
type CallOption func(*CallOptions)

// CallTimeout bounds a call; a deadline of its context holds as well, whichever is earlier. Without either a unary
// call has the client's (30 s), and a stream none.
func CallTimeout(timeout time.Duration) CallOption {
	// What has passed already is no absence of a limit.
	return func(o *CallOptions) { o.Timeout = max(timeout, 1) }
}

// CallMetadata sends metadata with a call, beside what other options of it add.
func CallMetadata(metadata Metadata) CallOption {
	return func(o *CallOptions) {
		merged := make(Metadata, len(o.Metadata)+len(metadata))
		for _, part := range []Metadata{o.Metadata, metadata} {
			for key, value := range part {
				merged[key] = value
			}
		}
		o.Metadata = merged
	}
}

// CallToken makes a call as somebody else.
func CallToken(token string) CallOption {
	return func(o *CallOptions) { o.Token = token }
}

// CallTraceparent sends a W3C trace context with a call.
func CallTraceparent(traceparent string) CallOption {
	return func(o *CallOptions) { o.Traceparent = traceparent }
}

// CallWaitForReady says whether a call waits for a server, within its time, while none can be reached (C1.5).
func CallWaitForReady(waits bool) CallOption {
	return func(o *CallOptions) { o.WaitForReady = &waits }
}

// CallKey names the idempotency key of a write, so that the caller can repeat it (W14.4).
func CallKey(key string) CallOption {
	return func(o *CallOptions) { o.Key = key }
}

// CallResponseInfo has the metadata of a call's response put there.
func CallResponseInfo(info *ResponseInfo) CallOption {
	return func(o *CallOptions) { o.Info = info }
}

// CallHedging makes a unary call again beside itself. A call of a method that writes needs a [CallKey] for it.
func CallHedging(hedging Hedging) CallOption {
	return func(o *CallOptions) { o.Hedging = &hedging }
}

// CallOnInterruption is told each time a resuming stream broke and is taken up again, and why.
func CallOnInterruption(told func(error)) CallOption {
	return func(o *CallOptions) { o.OnInterruption = told }
}

func resolved(options []CallOption) CallOptions {
	var result CallOptions
	for _, option := range options {
		option(&result)
	}
	return result
}

// bounded gives a context the deadline of a call. byDefault is for a call that has none at all, where it is not 0.
func (o *CallOptions) bounded(ctx context.Context, byDefault time.Duration) (context.Context, context.CancelFunc) {
	timeout := o.Timeout
	if _, has := ctx.Deadline(); timeout == 0 && !has {
		timeout = byDefault
	}
	if timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}

// header is what CALL says; the timeout is what is left until the deadline of the context.
func (o *CallOptions) header(ctx context.Context, path, token string) wire.Call {
	header := wire.Call{
		Path: path, Key: o.Key, Traceparent: o.Traceparent, Token: token, Metadata: o.Metadata,
	}
	if deadline, has := ctx.Deadline(); has {
		header.HasTimeout = true
		header.TimeoutMicros = uint64(max(0, time.Until(deadline).Microseconds()))
	}
	return header
}

// check refuses what may not be sent before anything is (C5.3).
func (o *CallOptions) check(method Method) *Error {
	if _, err := (wire.Call{
		Path: method.Path, Key: o.Key, Traceparent: o.Traceparent, Token: o.Token, Metadata: o.Metadata,
	}).Encode(); err != nil {
		return notStarted(InvalidArgument, "%v", err)
	}
	if o.Hedging == nil {
		return nil
	}
	if method.Kind != Unary {
		return notStarted(InvalidArgument, "only calls with one request and one response are hedged")
	}
	if o.Hedging.Copies != 1 && !method.ReadOnly && o.Key == "" {
		return notStarted(InvalidArgument, "a call that writes is hedged only under a key of its caller's")
	}
	return nil
}
