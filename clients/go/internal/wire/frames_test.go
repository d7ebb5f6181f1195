package wire

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"maps"
	"os"
	"strings"
	"testing"
)

// golden has the frames of Tests/Vectors/wire/frames.txt by their names.
func golden(t testing.TB) map[string][]byte {
	t.Helper()
	file, err := os.Open("../../../../Tests/Vectors/wire/frames.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	frames := map[string][]byte{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if parts := strings.Fields(lines.Text()); len(parts) == 3 && parts[0] != "#" {
			frames[parts[0]], err = hex.DecodeString(parts[2])
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return frames
}

func frame(kind Kind, flags uint8, stream uint32, parts ...[]byte) []byte {
	return AppendFrame(nil, kind, flags, stream, parts...)
}

func encoded(t *testing.T, call Call) []byte {
	t.Helper()
	block, err := call.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return block
}

func TestWhatAClientSendsIsAsTheGoldenFrames(t *testing.T) {
	hello := DefaultHello()
	hello.Agent, hello.Token = "test", "secret"
	helloPayload, err := hello.Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := "hito.v1.GoalService/CreateGoal"
	unary := Call{Path: path, TimeoutMicros: 30_000_000, HasTimeout: true, Key: "key-1"}
	all := Call{
		Path: path, TimeoutMicros: 1, HasTimeout: true, Key: "k", Token: "token",
		Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		Metadata:    map[string]string{"b": "ñ", "a": "1"},
	}
	made := map[string][]byte{
		"hello-client":        frame(HelloFrame, 0, 0, helloPayload),
		"call-unary":          frame(CallFrame, FlagHasMessage|FlagEnd, 1, encoded(t, unary), []byte("\n\x03abc")),
		"call-all-fields":     frame(CallFrame, FlagHasMessage, 3, encoded(t, all), []byte("x")),
		"call-no-message":     frame(CallFrame, 0, 5, encoded(t, Call{Path: path})),
		"call-first-fragment": frame(CallFrame, FlagHasMessage|FlagMore, 7, encoded(t, Call{Path: path}), []byte("abc")),
		"message-fragment":    frame(MessageFrame, FlagMore, 7, []byte("def")),
		"message-last":        frame(MessageFrame, FlagEnd, 7, []byte("ghi")),
		"half-close":          frame(EndFrame, 0, 3),
		"cancel":              frame(CancelFrame, 0, 5),
		"credit-connection":   frame(CreditFrame, 0, 0, EncodeCredit(262144)),
		"ping":                frame(PingFrame, 0, 0, []byte{1, 2, 3, 4, 5, 6, 7, 8}),
		"goaway-fault":        frame(GoAwayFrame, 0, 0, GoAway{7, FlowControl, "more message bytes than credit"}.Encode()),
		"goaway-first":        frame(GoAwayFrame, 0, 0, GoAway{StreamMax, NoError, "draining"}.Encode()),
	}
	vectors := golden(t)
	for name, bytes := range made {
		if got, expected := hex.EncodeToString(bytes), hex.EncodeToString(vectors[name]); got != expected {
			t.Errorf("%s: %s, expected %s", name, got, expected)
		}
	}
}

func TestWhatAServerSendsIsReadAsTheGoldenFramesSay(t *testing.T) {
	vectors := golden(t)
	payload := func(name string) []byte {
		t.Helper()
		header := ParseHeader([HeaderSize]byte(vectors[name]))
		if err := (Receiver{PayloadMax: 16384, Minor: 1}).Check(header); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return vectors[name][HeaderSize:]
	}
	hello, err := ParseHello(payload("hello-server"))
	if err != nil || hello.Agent != "test" || hello.ServerID != "hito" || hello.CallsMax != 100 {
		t.Errorf("%+v %v", hello, err)
	}
	end, rest, err := ParseEnd(payload("end-ok"), 1)
	if err != nil || end.Status != 0 || end.ServerMicros != 1234 || string(rest) != "\n\x03abc" {
		t.Errorf("%+v %q %v", end, rest, err)
	}
	end, rest, err = ParseEnd(payload("end-error"), 1)
	if err != nil || end.Status != 5 || end.Message != "no such goal" || !bytes.Equal(end.Details, []byte{8, 1}) ||
		end.ResumeCursor != "cursor-9" || end.Trailers["retry"] != "no" || end.ServerMicros != 7 || len(rest) != 0 {
		t.Errorf("%+v %q %v", end, rest, err)
	}
	if amount, err := ParseCredit(payload("credit-stream")); amount != 65536 || err != nil {
		t.Errorf("%d %v", amount, err)
	}
	goAway, err := ParseGoAway(payload("goaway-first"))
	if err != nil || goAway.LastStream != StreamMax || !goAway.IsDrain() || goAway.Text != "draining" {
		t.Errorf("%+v %v", goAway, err)
	}
	payload("message-empty")
	payload("pong")
}

func TestTextOfAnEndNeverHidesItsStatus(t *testing.T) {
	var out block
	out.u16(1, 5)
	out.bytes(2, []byte("a\xffb\x00"))
	out.bytes(6, []byte("\x01k\xff"))
	out.bytes(99, nil)
	end, _, err := ParseEnd(out.encoded(), 1)
	if err != nil || end.Status != 5 || end.Message != "a\uFFFDb\uFFFD" || end.Trailers["k"] != "\uFFFD" {
		t.Errorf("%+v %v", end, err)
	}
}

func TestBytesAndTextOfMetadata(t *testing.T) {
	var out block
	given := map[string]string{"raw-bin": "\x00\xff", "text": "ñ"}
	if err := out.metadata(given); err != nil {
		t.Fatal(err)
	}
	read, err := ParseHead(out.encoded())
	if err != nil || !maps.Equal(given, read) {
		t.Errorf("%q %v", read, err)
	}
	for _, refused := range []map[string]string{{"": "v"}, {"Key": "v"}, {"k": "\x00"}, {"k": "\xff"}} {
		if (&block{}).metadata(refused) == nil {
			t.Errorf("expected a refusal of %q", refused)
		}
	}
}

// What a hostile server sends never ends the process, and is refused by a reason of the protocol.
func FuzzWhatAServerSends(f *testing.F) {
	for _, bytes := range golden(f) {
		f.Add(bytes)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < HeaderSize {
			return
		}
		payload := data[HeaderSize:]
		_ = Receiver{PayloadMax: 16384, Minor: 1}.Check(ParseHeader([HeaderSize]byte(data)))
		_, hello := ParseHello(payload)
		_, _, end := ParseEnd(payload, 1)
		_, head := ParseHead(payload)
		_, goAway := ParseGoAway(payload)
		for _, err := range []error{hello, end, head, goAway} {
			var breach *Error
			if err != nil && !errors.As(err, &breach) {
				t.Fatal(err)
			}
		}
	})
}

func TestCreditComesBackInLargeSteps(t *testing.T) {
	window := NewReceiveWindow(262144)
	if window.Received(262145) == nil {
		t.Fatal("more than was granted is refused")
	}
	if err := window.Received(262144); err != nil {
		t.Fatal(err)
	}
	if granted := window.Consumed(65535); granted != 0 {
		t.Fatal(granted)
	}
	if granted := window.Consumed(1); granted != 65536 {
		t.Fatal(granted)
	}
	small := NewReceiveWindow(2047)
	if granted := small.Consumed(1); granted != 1 {
		t.Fatal("a small window goes back at once")
	}
	sending := SendWindow{Available: CreditMax}
	if sending.Grant(1) == nil {
		t.Fatal("credit has a maximum")
	}
}
