package hito

// Code is the status of a call; the numbers are gRPC's (W7.4). A code is an error, so that errors.Is(err,
// hito.NotFound) asks for the code of an [*Error].
type Code uint16

// The status codes of hito/1.
const (
	// OK is no error.
	OK Code = iota
	// Cancelled by the caller, by the server, or by closing the client.
	Cancelled
	// Unknown is a failure that the server does not explain.
	Unknown
	// InvalidArgument means that the request breaks a rule: see the field violations of the details.
	InvalidArgument
	// DeadlineExceeded means that the call did not end in time; a write may have happened.
	DeadlineExceeded
	// NotFound means that there is no such thing, or that it is not the caller's to see.
	NotFound
	// AlreadyExists means that something unique is taken, or a key was used for another request.
	AlreadyExists
	// PermissionDenied means that the caller's role does not allow it.
	PermissionDenied
	// ResourceExhausted means that a limit is reached: see the quota of the details, and the retry delay.
	ResourceExhausted
	// FailedPrecondition means that the state does not allow it; the text says what to do first.
	FailedPrecondition
	// Aborted means that it has changed since it was read: read again and decide again.
	Aborted
	// OutOfRange is a cursor that does not exist, or of events that the log has lost since (C3.2).
	OutOfRange
	// Unimplemented means that this server does not have the method.
	Unimplemented
	// Internal means that the server, or what it sent, is broken.
	Internal
	// Unavailable means that the server cannot be reached or cannot serve now. The library has tried again.
	Unavailable
	// DataLoss means that stored data is damaged.
	DataLoss
	// Unauthenticated means that the token is missing, unknown, expired or revoked.
	Unauthenticated
)

var codeNames = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// codeOf is the code of a number on the wire; one that is not known is UNKNOWN.
func codeOf(number uint16) Code {
	if int(number) >= len(codeNames) {
		return Unknown
	}
	return Code(number)
}

// String is the name in the specification, such as NOT_FOUND.
func (c Code) String() string {
	if int(c) >= len(codeNames) {
		return codeNames[Unknown]
	}
	return codeNames[c]
}

// Error makes a code something that errors.Is can be asked for.
func (c Code) Error() string { return c.String() }
