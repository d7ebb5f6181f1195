package hito

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"hito.example/hito/internal/wire"
	hitov1 "hito.example/hito/v1"
)

// Error is how a call failed. It is not to be changed: calls that failed together share one.
//
//	var failure *hito.Error
//	if errors.As(err, &failure) && failure.Code == hito.InvalidArgument {
//		for _, violation := range failure.Details.FieldViolations { … }
//	}
type Error struct {
	Code Code
	// Message is what went wrong, for developers.
	Message string
	// Details are the server's: field violations, reason, resource, quota, retry delay. Never nil.
	Details *hitov1.ErrorDetails
	// ResumeCursor is where a subscription that was ended continues, or a read of a lost place; empty where
	// nothing is said.
	ResumeCursor string
	// FromServer tells whether the server said it; otherwise this library found it.
	FromServer bool
	// NotStarted tells whether it is certain that the server did not begin the call (C5.2).
	NotStarted bool

	cause error
}

// Error is the code, the message and the violations of fields.
func (e *Error) Error() string {
	parts := make([]string, 0, 2)
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	for _, violation := range e.Details.GetFieldViolations() {
		parts = append(parts, violation.GetField()+": "+violation.GetDescription())
	}
	if len(parts) == 0 {
		return e.Code.String()
	}
	return e.Code.String() + ": " + strings.Join(parts, "; ")
}

// Is tells errors.Is that an error is one of its code.
func (e *Error) Is(target error) bool {
	code, isCode := target.(Code)
	return isCode && code == e.Code
}

// Unwrap is what this side found, where it did: context.Canceled, an error of the network.
func (e *Error) Unwrap() error { return e.cause }

// Reason is the stable name of the reason.
func (e *Error) Reason() hitov1.ErrorReason { return e.Details.GetReason() }

// RetryDelay is how long the server wants us to wait before another try; 0 where it does not say.
func (e *Error) RetryDelay() time.Duration {
	micros := e.Details.GetRetryDelayUs()
	if micros <= 0 {
		return 0
	}
	return time.Duration(min(int64(micros), int64(time.Hour/time.Microsecond))) * time.Microsecond
}

// WriteOutcome says of a write that failed whether the server says that it may have been committed all the same.
// Nothing was done either where NotStarted is true.
func (e *Error) WriteOutcome() hitov1.WriteOutcome { return e.Details.GetWriteOutcome() }

// IsLasting tells whether it stays so until the server is configured differently: nobody has tried again.
func (e *Error) IsLasting() bool {
	return e.Code == Unavailable && e.Reason() == hitov1.ErrorReason_ERROR_REASON_NO_MODEL
}

// CodeOf is the code of any error: OK for nil, UNKNOWN for one that is not of this package.
func CodeOf(err error) Code {
	if err == nil {
		return OK
	}
	var failure *Error
	if errors.As(err, &failure) {
		return failure.Code
	}
	return Unknown
}

// ReasonOf is the reason of any error; unspecified where there is none.
func ReasonOf(err error) hitov1.ErrorReason {
	var failure *Error
	if errors.As(err, &failure) {
		return failure.Reason()
	}
	return hitov1.ErrorReason_ERROR_REASON_UNSPECIFIED
}

// fault is an error that this side found.
func fault(code Code, format string, arguments ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, arguments...), Details: &hitov1.ErrorDetails{}}
}

// notStarted is one of a call of which nothing was written.
func notStarted(code Code, format string, arguments ...any) *Error {
	failure := fault(code, format, arguments...)
	failure.NotStarted = true
	return failure
}

// perhapsStarted is the same error of a call of which another attempt may have been started.
func (e *Error) perhapsStarted() *Error {
	copied := *e
	copied.NotStarted = false
	return &copied
}

// because keeps what it came of; not io.EOF, which to those who read a stream is its end in order.
func (e *Error) because(cause error) *Error {
	if !errors.Is(cause, io.EOF) {
		e.cause = cause
	}
	return e
}

// serverError is what the server's END says.
func serverError(end wire.End) *Error {
	details := &hitov1.ErrorDetails{}
	if proto.Unmarshal(end.Details, details) != nil {
		// The status is the answer; details that cannot be read must not hide it.
		details = &hitov1.ErrorDetails{}
	}
	failure := &Error{
		Code: codeOf(end.Status), Message: end.Message, Details: details, ResumeCursor: end.ResumeCursor,
		FromServer: true, NotStarted: end.NotStarted,
	}
	if failure.Code == DeadlineExceeded {
		// The same deadline by the server's clock, which may be a little faster.
		failure.cause = context.DeadlineExceeded
	}
	return failure
}

// asError makes what a wait ended with the error of a call: the context's end is CANCELLED or DEADLINE_EXCEEDED.
func asError(err error, isNotStarted bool) *Error {
	var failure *Error
	if errors.As(err, &failure) {
		return failure
	}
	code, text := Cancelled, "the caller cancelled the call"
	if errors.Is(err, context.DeadlineExceeded) {
		code, text = DeadlineExceeded, "the call did not end in time"
	}
	failure = fault(code, "%s", text).because(err)
	failure.NotStarted = isNotStarted
	return failure
}
