package hito

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"hito.example/hito/internal/renewal"
)

// LogEvent is what a record is of.
type LogEvent string

// The events of C5.9, with their fields: numbers are int64, everything else is text.
const (
	// LogConnecting has address.
	LogConnecting LogEvent = "connecting"
	// LogConnected has address, server_id and duration_ms.
	LogConnected LogEvent = "connected"
	// LogConnectFailed has address and reason.
	LogConnectFailed LogEvent = "connect_failed"
	// LogDisconnected has address and reason; it is a warning unless this side closes, or the server drains.
	LogDisconnected LogEvent = "disconnected"
	// LogCallStarted has call, a number of the client's calls from 1, and method.
	LogCallStarted LogEvent = "call_started"
	// LogCallRepeated has call, method, attempt (2 is the first repeat), status (of the failure) and delay_ms.
	LogCallRepeated LogEvent = "call_repeated"
	// LogCallHedged has call, method and copy (2 is the first copy).
	LogCallHedged LogEvent = "call_hedged"
	// LogCallEnded has call, method, status, duration_ms and attempts.
	LogCallEnded LogEvent = "call_ended"
	// LogWatchResumed has method, status and delay_ms.
	LogWatchResumed LogEvent = "watch_resumed"
	// LogTokenRefreshed has valid_ms, -1 where the provider did not say.
	LogTokenRefreshed LogEvent = "token_refreshed"
	// LogTokenFailed has reason and rest_ms.
	LogTokenFailed LogEvent = "token_failed"
)

// LogRecord is something that happened to a client. It never has tokens, metadata, messages or keys.
type LogRecord struct {
	// Level is slog.LevelDebug, slog.LevelInfo or slog.LevelWarn.
	Level slog.Level
	Event LogEvent
	// Text is a sentence for people.
	Text   string
	Fields []slog.Attr
}

// LogFunc is told what happens to a client, by several goroutines. It must be quick, and must not close the client,
// which waits for those who log.
type LogFunc func(LogRecord)

// LogTo is a [LogFunc] over a logger of the standard library: the text is its message, and the event comes before the
// fields as the attribute event.
func LogTo(logger *slog.Logger) LogFunc {
	return func(record LogRecord) {
		ctx := context.Background()
		if !logger.Enabled(ctx, record.Level) {
			return
		}
		fields := make([]slog.Attr, 0, 1+len(record.Fields))
		fields = append(fields, slog.String("event", string(record.Event)))
		logger.LogAttrs(ctx, record.Level, record.Text, append(fields, record.Fields...)...)
	}
}

// logTextMax is the most characters of a text in a record.
const logTextMax = 256

// clientLog makes the records of a client. It is nil where nobody listens, and then nothing is formatted.
type clientLog struct {
	function LogFunc
	calls    atomic.Int64
}

func newClientLog(function LogFunc) *clientLog {
	if function == nil {
		return nil
	}
	return &clientLog{function: function}
}

func (l *clientLog) tell(level slog.Level, event LogEvent, text string, fields ...slog.Attr) {
	for place, field := range fields {
		if field.Value.Kind() == slog.KindString {
			fields[place].Value = slog.StringValue(shown(field.Value.String()))
		}
	}
	// Nothing that a listener does changes what happens.
	defer func() { _ = recover() }()
	l.function(LogRecord{level, event, shown(text), fields})
}

// shown is text of others as it may be shown: it does not write lines or terminal commands into a log.
func shown(text string) string {
	count := 0
	return strings.Map(func(char rune) rune {
		count++
		switch {
		case count > logTextMax:
			return -1
		case !unicode.IsPrint(char):
			return unicode.ReplacementChar
		}
		return char
	}, text)
}

// summary is how a call failed, without what the server says of the fields of its request.
func summary(err error) string {
	var failure *Error
	if !errors.As(err, &failure) || failure.Message == "" {
		return CodeOf(err).String()
	}
	return failure.Code.String() + ": " + failure.Message
}

func (l *clientLog) connecting(address string) {
	if l != nil {
		l.tell(slog.LevelDebug, LogConnecting, "connecting to "+address, slog.String("address", address))
	}
}

func (l *clientLog) connected(address, serverID string, took time.Duration) {
	if l != nil {
		l.tell(slog.LevelInfo, LogConnected, fmt.Sprintf("connected to %s in %d ms", address, took.Milliseconds()),
			slog.String("address", address), slog.String("server_id", serverID),
			slog.Int64("duration_ms", took.Milliseconds()))
	}
}

func (l *clientLog) connectFailed(address, reason string) {
	if l != nil {
		l.tell(slog.LevelWarn, LogConnectFailed, fmt.Sprintf("no connection to %s: %s", address, reason),
			slog.String("address", address), slog.String("reason", reason))
	}
}

func (l *clientLog) disconnected(address, reason string, isInOrder bool) {
	if l == nil {
		return
	}
	level := slog.LevelWarn
	if isInOrder {
		level = slog.LevelInfo
	}
	l.tell(level, LogDisconnected, fmt.Sprintf("the connection to %s has ended: %s", address, reason),
		slog.String("address", address), slog.String("reason", reason))
}

// watchResumed: a stream is about to be taken up again.
func (l *clientLog) watchResumed(method Method, failure *Error, delay time.Duration) {
	if l != nil {
		l.tell(slog.LevelInfo, LogWatchResumed,
			fmt.Sprintf("%s is taken up again in %d ms after %s", method.Path, delay.Milliseconds(), summary(failure)),
			slog.String("method", method.Path), slog.String("status", failure.Code.String()),
			slog.Int64("delay_ms", delay.Milliseconds()))
	}
}

func (l *clientLog) tokenOutcome(outcome renewal.Outcome) {
	switch {
	case l == nil:
	case outcome.Reason != "":
		l.tell(slog.LevelWarn, LogTokenFailed, "no new token: "+outcome.Reason,
			slog.String("reason", outcome.Reason), slog.Int64("rest_ms", outcome.Rest.Milliseconds()))
	default:
		valid := int64(-1)
		if outcome.ValidFor > 0 {
			valid = outcome.ValidFor.Milliseconds()
		}
		l.tell(slog.LevelInfo, LogTokenRefreshed, "there is a new token", slog.Int64("valid_ms", valid))
	}
}
