package hito

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// callLog makes the records of one call, from its first attempt to what its caller has of it. It is nil where nobody
// listens.
type callLog struct {
	log    *clientLog
	method Method

	mu       sync.Mutex
	number   int64 // 0 until it has begun
	began    time.Time
	attempts int64
	isEnded  bool
}

func (l *clientLog) call(method Method) *callLog {
	if l == nil {
		return nil
	}
	return &callLog{log: l, method: method, attempts: 1}
}

func (l *callLog) begun() {
	if l == nil {
		return
	}
	l.mu.Lock()
	// A stream may be closed before it begins.
	isNew := l.number == 0 && !l.isEnded
	if isNew {
		l.number, l.began = l.log.calls.Add(1), time.Now()
	}
	l.mu.Unlock()
	if isNew {
		l.tell(slog.LevelDebug, LogCallStarted, l.method.Path+" begins")
	}
}

// repeated: another attempt follows after a delay.
func (l *callLog) repeated(err error, delay time.Duration) {
	if l == nil {
		return
	}
	l.mu.Lock()
	l.attempts++
	attempt := l.attempts
	l.mu.Unlock()
	l.tell(slog.LevelInfo, LogCallRepeated,
		fmt.Sprintf("%s is repeated in %d ms after %s", l.method.Path, delay.Milliseconds(), summary(err)),
		slog.Int64("attempt", attempt), slog.String("status", CodeOf(err).String()),
		slog.Int64("delay_ms", delay.Milliseconds()))
}

func (l *callLog) hedged(copied int) {
	if l != nil {
		l.tell(slog.LevelDebug, LogCallHedged, l.method.Path+" is asked again beside", slog.Int64("copy", int64(copied)))
	}
}

// ended: with nil where it went well. Only the first end counts.
func (l *callLog) ended(err error) {
	if l == nil {
		return
	}
	l.mu.Lock()
	isTold := l.number != 0 && !l.isEnded
	l.isEnded = true
	attempts := l.attempts
	l.mu.Unlock()
	if !isTold {
		return
	}
	var failure *Error
	isCancelled := errors.As(err, &failure) && failure.Code == Cancelled && !failure.FromServer
	level := slog.LevelInfo
	if err == nil || isCancelled {
		level = slog.LevelDebug
	}
	took := time.Since(l.began).Milliseconds()
	l.tell(level, LogCallEnded, fmt.Sprintf("%s ended after %d ms with %s", l.method.Path, took, summary(err)),
		slog.String("status", CodeOf(err).String()), slog.Int64("duration_ms", took), slog.Int64("attempts", attempts))
}

func (l *callLog) tell(level slog.Level, event LogEvent, text string, fields ...slog.Attr) {
	own := make([]slog.Attr, 0, 2+len(fields))
	own = append(own, slog.Int64("call", l.number), slog.String("method", l.method.Path))
	l.log.tell(level, event, text, append(own, fields...)...)
}
