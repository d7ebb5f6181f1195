package hito

import (
	"context"
	"io"
	"iter"

	"google.golang.org/protobuf/proto"
)

// RequestStream is a call with many requests and one response. One goroutine uses it; any may Close it.
type RequestStream[Request, Response any] struct {
	stream *stream
	cast   func(*Request) proto.Message
	decode func([]byte) (*Response, error)
}

// CallClientStream makes a call with many requests and one response. Generated stubs use it; see package services.
func CallClientStream[Request, Response any, Sent message[Request], Received message[Response]](
	ctx context.Context, client *Client, method Method, options ...CallOption,
) (*RequestStream[Request, Response], error) {
	s := newStream(ctx, client, method, nil, options)
	if err := s.open(); err != nil {
		return nil, err
	}
	return &RequestStream[Request, Response]{s, caster[Request, Sent](), decoder[Response, Received]()}, nil
}

// Send sends a request, and waits while the server does not take it. Where the call has ended it says how: io.EOF for
// one that has a response already.
func (s *RequestStream[Request, Response]) Send(request *Request) error {
	return s.stream.send(s.cast(request))
}

// CloseSend says that no more requests follow.
func (s *RequestStream[Request, Response]) CloseSend() { s.stream.current().halfClose() }

// CloseAndRecv says that no more requests follow, and waits for the response.
func (s *RequestStream[Request, Response]) CloseAndRecv() (*Response, error) {
	s.CloseSend()
	return s.Recv()
}

// Recv waits for the response, which ends the call; most callers want CloseAndRecv.
func (s *RequestStream[Request, Response]) Recv() (*Response, error) {
	call, isOver, finished := s.stream.state()
	if isOver {
		return nil, finished
	}
	encoded, err := call.oneReply(s.stream.ctx)
	s.stream.token.heard(err)
	if err != nil {
		failure := asError(err, false)
		s.stream.finish(failure)
		return nil, failure
	}
	response, err := s.decode(encoded)
	if err != nil {
		s.stream.finish(err)
		return nil, err
	}
	s.stream.called.Response, _ = any(response).(proto.Message)
	s.stream.finish(io.EOF)
	return response, nil
}

// Close cancels the call, if it has not ended.
func (s *RequestStream[Request, Response]) Close() { s.stream.close() }

// BidiStream is a call with requests and responses, each at their own pace. One goroutine may send while another
// receives; any may Close it.
type BidiStream[Request, Response any] struct {
	stream *stream
	cast   func(*Request) proto.Message
	decode func([]byte) (*Response, error)
}

// CallBidi makes a call with many requests and many responses. Generated stubs use it; see package services.
func CallBidi[Request, Response any, Sent message[Request], Received message[Response]](
	ctx context.Context, client *Client, method Method, options ...CallOption,
) (*BidiStream[Request, Response], error) {
	s := newStream(ctx, client, method, nil, options)
	if err := s.open(); err != nil {
		return nil, err
	}
	return &BidiStream[Request, Response]{s, caster[Request, Sent](), decoder[Response, Received]()}, nil
}

// Send sends a request, and waits while the server does not take it. Where the call has ended it says how: io.EOF for
// one that went well.
func (s *BidiStream[Request, Response]) Send(request *Request) error {
	return s.stream.send(s.cast(request))
}

// CloseSend says that no more requests follow.
func (s *BidiStream[Request, Response]) CloseSend() { s.stream.current().halfClose() }

// Recv is the next response; io.EOF at the end of a call that went well, an [*Error] of one that did not.
func (s *BidiStream[Request, Response]) Recv() (*Response, error) {
	return receiveDecoded(s.stream, s.decode)
}

// All is a loop over the responses. Leaving it cancels the call, if it has not ended.
func (s *BidiStream[Request, Response]) All() iter.Seq2[*Response, error] {
	return all(s.Recv, s.Close)
}

// Close cancels the call, if it has not ended.
func (s *BidiStream[Request, Response]) Close() { s.stream.close() }

// Metadata is what the server said before its first response; nil until that is there.
func (s *BidiStream[Request, Response]) Metadata() Metadata {
	metadata, _ := s.stream.said()
	return metadata
}

// Trailers are what the server said with the end of the call; nil until then.
func (s *BidiStream[Request, Response]) Trailers() Metadata {
	_, trailers := s.stream.said()
	return trailers
}

func caster[Request any, Sent message[Request]]() func(*Request) proto.Message {
	return func(request *Request) proto.Message { return Sent(request) }
}

// ending is how a call has ended, as those who send on it see it: nil while it has not.
func (c *call) ending() error {
	c.connection.mu.Lock()
	defer c.connection.mu.Unlock()
	switch {
	case !c.isDone:
		return nil
	case c.failure != nil:
		return c.failure
	}
	return io.EOF
}
