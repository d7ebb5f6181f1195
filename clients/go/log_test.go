package hito

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hito.example/hito/internal/wire"
	hitov1 "hito.example/hito/v1"
)

// journal keeps what a client tells.
type journal struct {
	mu      sync.Mutex
	records []LogRecord
}

func (j *journal) log(record LogRecord) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, record)
}

// events are levels and names, in their order.
func (j *journal) events() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var events []string
	for _, record := range j.records {
		events = append(events, fmt.Sprint(record.Level, " ", record.Event))
	}
	return events
}

// of has the fields of each record of an event.
func (j *journal) of(event LogEvent) []map[string]any {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []map[string]any
	for _, record := range j.records {
		if record.Event == event {
			fields := map[string]any{}
			for _, field := range record.Fields {
				fields[field.Key] = field.Value.Any()
			}
			all = append(all, fields)
		}
	}
	return all
}

func (j *journal) hides(t *testing.T, secrets ...string) {
	t.Helper()
	everything := fmt.Sprintf("%q", j.records)
	for _, secret := range secrets {
		if strings.Contains(everything, secret) {
			t.Errorf("%q is in %s", secret, everything)
		}
	}
}

func expect(t *testing.T, got, expected any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(expected) {
		t.Errorf("got      %v\nexpected %v", got, expected)
	}
}

// failing ends a call with a text of the server's.
func failing(p *peer, stream uint32, code Code, text string) {
	block := []byte{1, 0, 2, 0, byte(code), 2, 0, byte(len(text))}
	block = append(block, text...)
	p.send(wire.EndFrame, 0, stream, append([]byte{0, byte(len(block))}, block...))
}

func TestACallIsToldFromBeginningToEnd(t *testing.T) {
	count := 0
	server := serve(t, nil, func(p *peer, call peerCall) {
		if count++; count == 1 {
			failing(p, call.stream, Unavailable, "busy\n\x1b[31mnow")
			return
		}
		p.reply(call.stream, serving)
	})
	var j journal
	client := server.client(WithToken("s3cret"), WithLog(j.log))
	request := &hitov1.CreateGoalRequest{Title: "h1dden"}
	_, err := CallUnary[hitov1.CreateGoalResponse](soon(t), client, createMethod, request,
		CallMetadata(Metadata{"k": "pr1vate"}), CallKey("k3y"))
	check(t, err)
	client.Close()
	expect(t, j.events(), []string{
		"DEBUG call_started", "DEBUG connecting", "INFO connected", "INFO call_repeated", "DEBUG call_ended",
		"INFO disconnected",
	})
	connected := j.of(LogConnected)[0]
	if connected["address"] != server.address || connected["duration_ms"].(int64) < 0 || connected["server_id"] != "" {
		t.Error(connected)
	}
	repeated := j.of(LogCallRepeated)[0]
	if repeated["delay_ms"].(int64) <= 0 {
		t.Error(repeated)
	}
	delete(repeated, "delay_ms")
	method := createMethod.Path
	expect(t, repeated, map[string]any{"call": 1, "method": method, "attempt": 2, "status": "UNAVAILABLE"})
	ended := j.of(LogCallEnded)[0]
	delete(ended, "duration_ms")
	expect(t, ended, map[string]any{"call": 1, "method": method, "attempts": 2, "status": "OK"})
	expect(t, j.of(LogDisconnected), []map[string]any{{"address": server.address, "reason": "closed"}})
	j.hides(t, "s3cret", "h1dden", "pr1vate", "k3y", `\n`, `\x1b`)
	if !strings.Contains(fmt.Sprint(j.records), "busy\uFFFD") {
		t.Error("the server's text is there", j.records)
	}
}

func TestFailuresStreamsAndLostServersAreTold(t *testing.T) {
	var server *fakeServer
	watches := 0
	server = serve(t, nil, func(p *peer, call peerCall) {
		if call.path != watchMethod.Path {
			failing(p, call.stream, NotFound, strings.Repeat("n", 200)+strings.Repeat("o", 30))
			return
		}
		watches++
		p.message(call.stream, &hitov1.WatchResponse{Cursor: fmt.Sprint(watches)})
	})
	var j journal
	client := server.client(WithLog(j.log))
	_, err := ask(soon(t), client)
	failed(t, err, NotFound)
	watch := client.WatchResuming(soon(t), &hitov1.WatchRequest{})
	cursors(t, "1", watch.Recv)
	_ = server.peer(0).socket.NetConn().Close()
	cursors(t, "2", watch.Recv)
	watch.Close()
	for len(j.of(LogCallEnded)) < 3 {
		time.Sleep(time.Millisecond)
	}
	client.Close()
	var ended []string
	for _, fields := range j.of(LogCallEnded) {
		ended = append(ended, fmt.Sprint(fields["call"], fields["status"]))
	}
	expect(t, ended, []string{"1NOT_FOUND", "2UNAVAILABLE", "3CANCELLED"})
	resumed := j.of(LogWatchResumed)
	if len(resumed) != 1 || resumed[0]["method"] != watchMethod.Path || resumed[0]["status"] != "UNAVAILABLE" {
		t.Error(resumed)
	}
	var levels []string
	for _, record := range j.records {
		if record.Event == LogDisconnected || record.Event == LogCallEnded {
			levels = append(levels, record.Level.String())
		}
		if size := len([]rune(record.Text)); size > logTextMax {
			t.Error(size)
		}
	}
	slices.Sort(levels)
	expect(t, levels, []string{"DEBUG", "INFO", "INFO", "INFO", "WARN"})
}

func TestADrainIsNoWarning(t *testing.T) {
	server := serve(t, nil, func(p *peer, call peerCall) {
		p.send(wire.GoAwayFrame, 0, 0, wire.GoAway{LastStream: call.stream, Text: "update"}.Encode())
		p.reply(call.stream, serving)
	})
	var j journal
	client := server.client(WithLog(j.log))
	_, err := ask(soon(t), client)
	check(t, err)
	client.Close()
	for _, record := range j.records {
		if record.Event == LogDisconnected && record.Level != slog.LevelInfo {
			t.Error(record)
		}
	}
	expect(t, j.of(LogDisconnected)[0]["reason"], "the server is going away: update")
}

func TestAConnectionThatTheServerEndsWithAnErrorIsAWarning(t *testing.T) {
	server := serve(t, nil, func(p *peer, call peerCall) {
		p.send(wire.GoAwayFrame, 0, 0, wire.GoAway{Reason: wire.ProtocolError, Text: "no\nsense"}.Encode())
	})
	var j journal
	client := server.client(WithLog(j.log))
	_, err := CallUnary[hitov1.CreateGoalResponse](
		soon(t), client, createMethod, &hitov1.CreateGoalRequest{}, CallTimeout(time.Second))
	failed(t, err, Unavailable)
	client.Close()
	for _, record := range j.records {
		if record.Event == LogDisconnected && record.Level != slog.LevelWarn {
			t.Error(record)
		}
	}
	if reason := fmt.Sprint(j.of(LogDisconnected)[0]["reason"]); !strings.HasSuffix(reason, "no\uFFFDsense") {
		t.Error(reason)
	}
}

func TestServersThatCannotBeReachedAndTokensAreTold(t *testing.T) {
	var j journal
	_, err := Connect(soon(t), "127.0.0.1:1", WithLog(j.log))
	failed(t, err, Unavailable)
	reasons := j.of(LogConnectFailed)
	if len(reasons) != 1 || reasons[0]["address"] != "127.0.0.1:1" ||
		!strings.Contains(reasons[0]["reason"].(string), "cannot connect") {
		t.Error(reasons)
	}
	var tokens journal
	texts := []string{"t0ken-1", "t0ken-2"}
	client := serve(t, nil, (&gate{good: "t0ken-2"}).answer).client(WithLog(tokens.log),
		WithTokenProvider(func(context.Context) (Token, error) {
			if len(texts) == 0 {
				return Token{}, errors.New("t0ken-3")
			}
			text := texts[0]
			texts = texts[1:]
			return Token{text, time.Hour}, nil
		}))
	_, err = ask(soon(t), client)
	check(t, err)
	expect(t, tokens.of(LogTokenRefreshed), []map[string]any{{"valid_ms": 3600000}, {"valid_ms": 3600000}})
	repeated := tokens.of(LogCallRepeated)
	if len(repeated) != 1 || repeated[0]["status"] != "UNAUTHENTICATED" || repeated[0]["delay_ms"] != int64(0) {
		t.Error(repeated)
	}
	client.tokens.refused("t0ken-2")
	_, err = ask(soon(t), client)
	failed(t, err, Unauthenticated)
	refused := tokens.of(LogTokenFailed)
	if len(refused) != 1 || refused[0]["reason"] == "" || refused[0]["rest_ms"].(int64) < 25 {
		t.Error(refused)
	}
	tokens.hides(t, "t0ken")
}

func TestCopiesAreTold(t *testing.T) {
	server := serve(t, nil, func(p *peer, call peerCall) {
		if call.stream > 1 {
			p.reply(call.stream, serving)
		}
	})
	var j journal
	client := server.client(WithLog(j.log), WithHedging(Hedging{Delay: 10 * time.Millisecond}))
	_, err := ask(soon(t), client)
	check(t, err)
	expect(t, j.of(LogCallHedged), []map[string]any{{"call": 1, "method": checkHealth.Path, "copy": 2}})
	expect(t, j.of(LogCallEnded)[0]["attempts"], 1)
}

func TestWhatAListenerThrowsChangesNothing(t *testing.T) {
	client := serve(t, nil, always).client(WithLog(func(LogRecord) { panic("the disk is full") }))
	_, err := ask(soon(t), client)
	check(t, err)
	stream := listen(soon(t), client)
	_, err = stream.Recv()
	check(t, err)
	client.Close()
	leavesNothing(t)
}

func TestAStandardLoggerGetsTextAndFields(t *testing.T) {
	var out bytes.Buffer
	log := LogTo(slog.New(slog.NewTextHandler(&out, nil)))
	log(LogRecord{slog.LevelDebug, LogConnecting, "no", nil})
	log(LogRecord{slog.LevelWarn, LogConnectFailed, "100% wrong", []slog.Attr{slog.String("address", "a:1")}})
	_, line, _ := strings.Cut(out.String(), " ")
	expect(t, line, "level=WARN msg=\"100% wrong\" event=connect_failed address=a:1\n")
}

func TestTextOfOthersIsShort(t *testing.T) {
	if text := shown(strings.Repeat("ä", 300)); len([]rune(text)) != logTextMax {
		t.Fatal(text)
	}
	expect(t, shown("a b\tc\u202e\xff"), "a b\uFFFDc\uFFFD\uFFFD")
}
