package hito

import (
	"context"
	"io"
	"iter"
	"math/rand/v2"
	"sync"

	"google.golang.org/protobuf/proto"

	"hito.example/hito/internal/pacing"
	hitov1 "hito.example/hito/v1"
)

// What the resuming calls are made of; the generated stubs have the plain ones.
var (
	watchMethod           = Method{Path: "hito.v1.ProgressService/Watch", Kind: ServerStream, ReadOnly: true}
	validateMethod        = Method{Path: "hito.v1.CodeValidationService/ValidateCode", Kind: ServerStream}
	watchValidationMethod = Method{
		Path: "hito.v1.CodeValidationService/WatchValidation", Kind: ServerStream, ReadOnly: true,
	}
	validateBatchMethod = Method{Path: "hito.v1.CodeValidationService/ValidateBatch", Kind: ServerStream}
	revalidateMethod    = Method{Path: "hito.v1.CodeValidationService/Revalidate", Kind: ServerStream}
	consumeMethod       = Method{Path: "hito.v1.EventService/Consume", Kind: Bidi}
)

// ResumingStream opens its stream again when it breaks, and continues after what it gave: nothing is skipped or given
// twice (C3). It ends by the caller, or with an error that trying again would not mend.
type ResumingStream[Response any] struct {
	client  *Client
	ctx     context.Context
	leave   context.CancelFunc
	options CallOptions
	backoff pacing.Backoff
	open    func() *ResponseStream[Response]
	// received takes note of where it stands; true where it is the last response.
	received func(*Response) bool
	// refused takes the cursor of an error.
	refused func(cursor string)
	current *ResponseStream[Response]
	// hasGiven: the current one has; one that has not was repeated by itself under another token.
	hasGiven bool
	isEnded  bool

	mu            sync.Mutex
	cursor        string
	interruptions int
}

func newResuming[Response any](ctx context.Context, client *Client, options []CallOption) *ResumingStream[Response] {
	s := &ResumingStream[Response]{client: client, options: resolved(options)}
	s.ctx, s.leave = context.WithCancel(ctx)
	return s
}

// Recv is the next response. It fails with io.EOF where all has been said, and after Close or the end of the context
// with CANCELLED or DEADLINE_EXCEEDED. One goroutine at a time receives.
func (s *ResumingStream[Response]) Recv() (*Response, error) {
	if s.isEnded {
		return nil, io.EOF
	}
	for {
		if err := s.ctx.Err(); err != nil {
			return nil, asError(err, false)
		}
		if s.current == nil {
			s.current, s.hasGiven = s.open(), false
		}
		response, err := s.current.Recv()
		if err == nil {
			s.backoff.Reset()
			s.hasGiven = true
			if s.received(response) {
				s.isEnded = true
				s.Close()
			}
			return response, nil
		}
		if err := s.interrupted(err); err != nil {
			s.Close()
			return nil, err
		}
	}
}

// interrupted waits before the stream is opened again; the error where it is not to be.
func (s *ResumingStream[Response]) interrupted(err error) error {
	broken := s.current.stream
	broken.close()
	s.current = nil
	if err == io.EOF {
		// A server has no reason to end it; one that does is asked again.
		err = fault(Unavailable, "the server ended the stream")
	}
	failure := asError(err, false)
	if failure.ResumeCursor != "" {
		// Behind what a filter passed over since the last response, or before what was lost.
		s.stand(failure.ResumeCursor)
		s.refused(failure.ResumeCursor)
	}
	mayRenew := s.hasGiven && broken.token.isRefused(failure)
	if s.ctx.Err() != nil || !passes(failure) && !mayRenew {
		return failure
	}
	s.mu.Lock()
	s.interruptions++
	s.mu.Unlock()
	if told := s.options.OnInterruption; told != nil {
		told(failure)
	}
	return s.client.rest(s.ctx, broken.called.Method, failure, s.backoff.Next(failure.RetryDelay(), rand.Float64()))
}

// All is a loop over the responses; an error is the last pair. Leaving it ends the stream.
func (s *ResumingStream[Response]) All() iter.Seq2[*Response, error] { return all(s.Recv, s.Close) }

// Close ends it.
func (s *ResumingStream[Response]) Close() { s.leave() }

// Cursor is where it stands; empty before the first response. Keep it to continue in another process.
func (s *ResumingStream[Response]) Cursor() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor
}

// Interruptions is how often the stream broke and was taken up again.
func (s *ResumingStream[Response]) Interruptions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.interruptions
}

func (s *ResumingStream[Response]) stand(cursor string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cursor != "" {
		s.cursor = cursor
	}
}

// passes tells whether the same request can succeed later (C3.1).
func passes(failure *Error) bool {
	switch failure.Code {
	case Unavailable:
		return !failure.IsLasting()
	case ResourceExhausted, Cancelled, DeadlineExceeded, Aborted:
		return failure.FromServer
	}
	return false
}

// WatchResuming watches the log for ever: it reconnects by itself and continues after the last response that it gave,
// over broken connections and restarted servers. It ends by the caller, or with an error that trying again would not
// mend: a token that is revoked and not replaced, a bad filter, or OUT_OF_RANGE with the reason LOG_FORKED, where the log lost events that were
// given; Cursor is the last place that holds then.
func (c *Client) WatchResuming(
	ctx context.Context, request *hitov1.WatchRequest, options ...CallOption,
) *ResumingStream[hitov1.WatchResponse] {
	s := newResuming[hitov1.WatchResponse](ctx, c, options)
	from := cloned(request)
	s.stand(from.GetAfterCursor())
	s.refused = func(cursor string) { from.Start = &hitov1.WatchRequest_AfterCursor{AfterCursor: cursor} }
	s.open = func() *ResponseStream[hitov1.WatchResponse] {
		return CallServerStream[hitov1.WatchResponse](s.ctx, c, watchMethod, cloned(from), options...)
	}
	s.received = func(response *hitov1.WatchResponse) bool {
		if response.Cursor != "" {
			s.stand(response.Cursor)
			s.refused(response.Cursor)
		}
		return false
	}
	return s
}

// keyed gives the options of a call that writes a key, the same for each attempt to begin: a lost reply begins no
// second one.
func keyed(options []CallOption) []CallOption {
	if resolved(options).Key != "" {
		return options
	}
	return append(options[:len(options):len(options)], CallKey(newKey()))
}

// ValidateResuming validates code once, and follows it to its end, which is the response with the result. Where
// another server had to begin anew, `attempt` goes up, and what was given of the attempt before is void.
func (c *Client) ValidateResuming(
	ctx context.Context, request *hitov1.ValidateCodeRequest, options ...CallOption,
) *ResumingStream[hitov1.ValidateCodeResponse] {
	s := newResuming[hitov1.ValidateCodeResponse](ctx, c, options)
	begins := keyed(options)
	follow := &hitov1.WatchValidationRequest{}
	s.refused = func(string) {}
	s.open = func() *ResponseStream[hitov1.ValidateCodeResponse] {
		if follow.RunId == "" {
			return CallServerStream[hitov1.ValidateCodeResponse](s.ctx, c, validateMethod, request, begins...)
		}
		return CallServerStream[hitov1.ValidateCodeResponse](
			s.ctx, c, watchValidationMethod, cloned(follow), withoutKey(options)...)
	}
	s.received = func(response *hitov1.ValidateCodeResponse) bool {
		if response.RunId != "" {
			follow.RunId = response.RunId
		}
		if response.Cursor != "" {
			s.stand(response.Cursor)
			follow.Cursor = response.Cursor
		}
		return response.GetResult() != nil
	}
	return s
}

// ValidateBatchResuming validates a batch once, and follows it until each submission was refused or has finished.
func (c *Client) ValidateBatchResuming(
	ctx context.Context, request *hitov1.ValidateBatchRequest, options ...CallOption,
) *ResumingStream[hitov1.ValidateBatchResponse] {
	s := newResuming[hitov1.ValidateBatchResponse](ctx, c, options)
	begins := keyed(options)
	from := cloned(request)
	left := len(from.Submissions)
	s.refused = func(string) {}
	s.open = func() *ResponseStream[hitov1.ValidateBatchResponse] {
		return CallServerStream[hitov1.ValidateBatchResponse](
			s.ctx, c, validateBatchMethod, cloned(from), begins...)
	}
	s.received = func(response *hitov1.ValidateBatchResponse) bool {
		if response.Cursor != "" {
			s.stand(response.Cursor)
			from.Cursor = response.Cursor
		}
		if response.GetFinished() != nil || response.GetRefused() != nil {
			left--
		}
		return left <= 0
	}
	return s
}

// RevalidateResuming validates again once, and follows it to its end, which is the response with the summary.
func (c *Client) RevalidateResuming(
	ctx context.Context, request *hitov1.RevalidateRequest, options ...CallOption,
) *ResumingStream[hitov1.RevalidateResponse] {
	s := newResuming[hitov1.RevalidateResponse](ctx, c, options)
	begins := keyed(options)
	from := cloned(request)
	s.refused = func(string) {}
	s.open = func() *ResponseStream[hitov1.RevalidateResponse] {
		return CallServerStream[hitov1.RevalidateResponse](s.ctx, c, revalidateMethod, cloned(from), begins...)
	}
	s.received = func(response *hitov1.RevalidateResponse) bool {
		if response.Cursor != "" {
			s.stand(response.Cursor)
			from.Cursor = response.Cursor
		}
		return response.GetSummary() != nil
	}
	return s
}

func withoutKey(options []CallOption) []CallOption {
	return append(options[:len(options):len(options)], CallKey(""))
}

// cloned is a copy of the same type; an empty message for nil. (protobuf's own way is of a later version.)
func cloned[M proto.Message](original M) M {
	if !original.ProtoReflect().IsValid() {
		empty, _ := original.ProtoReflect().Type().New().Interface().(M)
		return empty
	}
	copied, _ := proto.Clone(original).(M)
	return copied
}
