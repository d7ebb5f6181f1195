package hito

import (
	"context"

	"google.golang.org/protobuf/proto"
)

// Call is what interceptors see of a call.
type Call struct {
	Method Method
	// Options of the call. What is changed before it proceeds holds.
	Options CallOptions
	// Request is the message of a call that has one; not to be changed.
	Request proto.Message
	// Response is there, after the call has proceeded well, where it has one.
	Response proto.Message

	ended []func(error)
}

// OnEnd has a function told when the call has ended: with nil where it went well. That is when Proceed returns for a
// unary call, and later for a stream, perhaps in another goroutine.
func (c *Call) OnEnd(told func(error)) { c.ended = append(c.ended, told) }

func (c *Call) end(err error) {
	for _, told := range c.ended {
		told(err)
	}
}

// Proceed makes the call, or goes on to the next interceptor. It returns when a unary call has ended, and when the
// stream of another is open.
type Proceed func(ctx context.Context) error

// Interceptor runs around every call of a client: one shape for all kinds.
//
//	func traced(ctx context.Context, call *hito.Call, proceed hito.Proceed) error {
//		ctx, span := start(ctx, call.Method.Path)
//		call.Options.Traceparent = span.Header()
//		call.OnEnd(func(err error) { span.End(err) })
//		return proceed(ctx)
//	}
type Interceptor func(ctx context.Context, call *Call, proceed Proceed) error

// intercepted runs last with the interceptors around it; the first is the outermost.
func (c *Client) intercepted(ctx context.Context, call *Call, last Proceed) error {
	proceed := last
	for place := len(c.settings.interceptors) - 1; place >= 0; place-- {
		interceptor, next := c.settings.interceptors[place], proceed
		proceed = func(ctx context.Context) error { return interceptor(ctx, call, next) }
	}
	return proceed(ctx)
}
