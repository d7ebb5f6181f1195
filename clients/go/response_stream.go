package hito

import (
	"context"
	"io"
	"iter"

	"google.golang.org/protobuf/proto"
)

// ResponseStream is the responses of a call with one request. The call begins with the first Recv, or with the loop:
//
//	for response, err := range stream.All() { … }
//
// Leaving the loop ends the call at the server; who receives by Recv and leaves before the end calls Close, or cancels
// the context.
type ResponseStream[Response any] struct {
	stream  *stream
	isBegun bool
	decode  func([]byte) (*Response, error)
}

// CallServerStream makes a call with one request and many responses. Generated stubs use it; see package services.
func CallServerStream[Response any, Pointer message[Response]](
	ctx context.Context, client *Client, method Method, request proto.Message, options ...CallOption,
) *ResponseStream[Response] {
	return &ResponseStream[Response]{
		stream: newStream(ctx, client, method, request, options), decode: decoder[Response, Pointer](),
	}
}

// Recv is the next response; io.EOF at the end of a call that went well, an [*Error] of one that did not. One
// goroutine at a time receives.
func (s *ResponseStream[Response]) Recv() (*Response, error) {
	if !s.isBegun {
		s.isBegun = true
		if err := s.stream.open(); err != nil {
			return nil, err
		}
	}
	return receiveDecoded(s.stream, s.decode)
}

// All is a loop over the responses. An error is the last pair; the end of a call that went well is none.
func (s *ResponseStream[Response]) All() iter.Seq2[*Response, error] {
	return all(s.Recv, s.Close)
}

// Close cancels the call, if it has not ended.
func (s *ResponseStream[Response]) Close() { s.stream.close() }

// Metadata is what the server said before its first response; nil until that is there.
func (s *ResponseStream[Response]) Metadata() Metadata {
	metadata, _ := s.stream.said()
	return metadata
}

// Trailers are what the server said with the end of the call; nil until then.
func (s *ResponseStream[Response]) Trailers() Metadata {
	_, trailers := s.stream.said()
	return trailers
}

func decoder[Response any, Pointer message[Response]]() func([]byte) (*Response, error) {
	return func(encoded []byte) (*Response, error) {
		response := new(Response)
		if err := decode(encoded, Pointer(response)); err != nil {
			return nil, err
		}
		return response, nil
	}
}

func receiveDecoded[Response any](s *stream, decode func([]byte) (*Response, error)) (*Response, error) {
	encoded, err := s.receive()
	if err != nil {
		return nil, err
	}
	response, err := decode(encoded)
	if err != nil {
		s.finish(err)
		return nil, err
	}
	return response, nil
}

// all is a loop by Recv that closes when it is left.
func all[Response any](receive func() (*Response, error), leave func()) iter.Seq2[*Response, error] {
	return func(yield func(*Response, error) bool) {
		defer leave()
		for {
			response, err := receive()
			if err == io.EOF {
				return
			}
			if !yield(response, err) || err != nil {
				return
			}
		}
	}
}
