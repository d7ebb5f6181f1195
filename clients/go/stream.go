package hito

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/protobuf/proto"
)

// stream is a call of any kind but unary: what the typed ones have in common. One goroutine receives and one sends;
// any may close it.
type stream struct {
	client *Client
	called *Call
	log    *callLog
	// outer ends when the caller's context does, or the stream is closed.
	outer context.Context
	leave context.CancelFunc

	// Those who open and receive.
	ctx        context.Context // with the deadline of the call
	request    []byte
	hasRequest bool
	mayRepeat  bool // also where it perhaps began
	again      repeats
	token      callToken
	isBegun    bool // a response has come
	isStarted  bool // perhaps, by an attempt before

	mu       sync.Mutex
	call     *call
	isOver   bool
	finished error // how it ended, once it is over
	release  []func()
}

func newStream(ctx context.Context, client *Client, method Method, request proto.Message, options []CallOption) *stream {
	s := &stream{
		client: client, called: &Call{Method: method, Options: resolved(options), Request: request},
		mayRepeat: method.ReadOnly && method.Kind == ServerStream, log: client.settings.pool.log.call(method),
	}
	s.outer, s.leave = context.WithCancel(ctx)
	return s
}

// open opens the call for the first time, with the client's interceptors around that.
func (s *stream) open() error {
	err := s.client.intercepted(s.outer, s.called, s.opened)
	if err != nil {
		s.finish(err)
	}
	return err
}

func (s *stream) opened(ctx context.Context) error {
	options := &s.called.Options
	if failure := options.check(s.called.Method); failure != nil {
		return failure
	}
	if s.called.Request != nil {
		encoded, failure := encode(s.called.Request)
		if failure != nil {
			return failure
		}
		s.request, s.hasRequest = encoded, true
	}
	s.client.trace(ctx, options)
	bounded, cancel := options.bounded(ctx, 0)
	s.ctx = bounded
	// Interceptors may have given it a context that does not end with ours.
	unlink := context.AfterFunc(s.outer, cancel)
	s.whenOver(func() { unlink(); cancel() })
	s.again = repeats{client: s.client, log: s.log}
	s.again.end, _ = bounded.Deadline()
	if !s.client.waits(options) {
		s.again.time = s.client.settings.timeout
	}
	s.token = s.client.callToken(options)
	s.log.begun()
	return s.begin()
}

// begin opens the call on a connection, again where that took no more calls.
func (s *stream) begin() error {
	for {
		err := s.tryBegin()
		if err == nil {
			return nil
		}
		var failure *Error
		isElsewhere := errors.As(err, &failure) && failure.Code == Unavailable && failure.NotStarted
		if errors.Is(err, errNoServer) || !isElsewhere {
			return s.client.ended(s.ctx, unwrapNoServer(err), !s.isStarted)
		}
		if err := s.again.rest(s.ctx, err, true); err != nil {
			return s.client.ended(s.ctx, err, !s.isStarted)
		}
	}
}

func (s *stream) tryBegin() error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	options := &s.called.Options
	// Before a place is taken: it may take a while.
	token, failure := s.token.next(s.ctx)
	if failure != nil {
		return failure
	}
	on, err := s.client.pool.connection(s.ctx, s.client.waits(options))
	if err != nil {
		return noServer{err}
	}
	header := options.header(s.ctx, s.called.Method.Path, token)
	call, failure := on.open(header, s.request, s.hasRequest, s.hasRequest)
	if failure != nil {
		return failure
	}
	s.mu.Lock()
	isOver := s.isOver
	s.call = call
	s.mu.Unlock()
	if isOver {
		call.cancel(nil)
		return context.Canceled
	}
	// The server hears of the end of the context also while nobody receives.
	unwatch := context.AfterFunc(s.ctx, func() { s.finish(asError(s.ctx.Err(), false)) })
	s.whenOver(func() { unwatch() })
	return nil
}

// whenOver runs a function at the end, or now where it is over.
func (s *stream) whenOver(release func()) {
	s.mu.Lock()
	isOver := s.isOver
	if !isOver {
		s.release = append(s.release, release)
	}
	s.mu.Unlock()
	if isOver {
		release()
	}
}

// receive is the next response; io.EOF at the end of a call that went well.
func (s *stream) receive() ([]byte, error) {
	for {
		call, isOver, finished := s.state()
		if isOver {
			return nil, finished
		}
		message, has, err := call.receive(s.ctx)
		switch {
		case has:
			if !s.isBegun {
				s.isBegun = true
				s.token.heard(nil)
			}
			return message, nil
		case err == nil:
			s.token.heard(nil)
			s.finish(io.EOF)
			return nil, io.EOF
		}
		if err = s.recover(err); err != nil {
			s.finish(err)
			return nil, err
		}
	}
}

// recover opens the call again where that is the library's to do (C2.1), and returns the error where it is not.
func (s *stream) recover(err error) error {
	var failure *Error
	isError := errors.As(err, &failure)
	// Where messages were read from the caller they were read once.
	isRepeatable := s.hasRequest && !s.isBegun
	s.isStarted = s.isStarted || !isError || !failure.NotStarted
	if s.token.failed(err) && isRepeatable {
		s.log.repeated(err, 0)
		return s.begin()
	}
	mayRepeat := isError && isRepeatable && (s.mayRepeat || failure.NotStarted)
	if err := s.again.rest(s.ctx, err, mayRepeat); err != nil {
		return s.client.ended(s.ctx, err, !s.isStarted)
	}
	return s.begin()
}

func (s *stream) current() *call {
	call, _, _ := s.state()
	return call
}

func (s *stream) state() (call *call, isOver bool, finished error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.call, s.isOver, s.finished
}

// finish ends the stream, once; the call is cancelled if it has not ended.
func (s *stream) finish(err error) {
	s.mu.Lock()
	if s.isOver {
		s.mu.Unlock()
		return
	}
	s.isOver, s.finished = true, err
	call, release := s.call, s.release
	s.release = nil
	if info := s.called.Options.Info; info != nil && call != nil {
		// Before anybody sees that it is over.
		info.Metadata, info.Trailers, _ = call.said()
	}
	s.mu.Unlock()
	if call != nil {
		call.cancel(asError(err, false))
	}
	for _, release := range release {
		release()
	}
	s.leave()
	if err == io.EOF {
		err = nil
	}
	s.log.ended(err)
	s.called.end(err)
}

func (s *stream) close() { s.finish(fault(Cancelled, "the stream was closed")) }

func (s *stream) said() (metadata, trailers Metadata) {
	call := s.current()
	if call == nil {
		return nil, nil
	}
	metadata, trailers, _ = call.said()
	return metadata, trailers
}

// send sends a message of a request stream. Where the call has ended it returns io.EOF, or how it failed.
func (s *stream) send(request proto.Message) error {
	encoded, failure := encode(request)
	if failure != nil {
		return failure
	}
	call := s.current()
	if err := call.send(s.ctx, encoded); err != nil {
		return asError(err, false)
	}
	ended := call.ending()
	var said *Error
	if errors.As(ended, &said) {
		// Perhaps nobody receives any more.
		s.token.heard(ended)
	}
	return ended
}

// noServer marks the error of a call that found no server: it is not repeated (C2.2).
type noServer struct{ error }

var errNoServer = errors.New("no server")

func (n noServer) Is(target error) bool { return target == errNoServer }
func (n noServer) Unwrap() error        { return n.error }

func unwrapNoServer(err error) error {
	var none noServer
	if errors.As(err, &none) {
		return none.error
	}
	return err
}
