package hito

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	hitov1 "hito.example/hito/v1"
)

// turn is how a stream under a token goes.
type turn struct {
	token     string
	responses int
	code      Code
}

// streaming answers each call by what its turn says.
func streaming(t *testing.T, turns ...turn) *fakeServer {
	return serve(t, nil, func(p *peer, call peerCall) {
		if call.path == "" {
			return
		}
		now := turns[0]
		turns = turns[1:]
		if token := string(call.fields[5]); token != now.token {
			t.Errorf("%q, not %q", token, now.token)
		}
		for number := range now.responses {
			p.message(call.stream, &hitov1.WatchResponse{Cursor: fmt.Sprint(now.token, number)})
		}
		if now.code == OK {
			p.send(4, 0, call.stream, emptyBlock)
		} else {
			p.fail(call.stream, now.code)
		}
	})
}

func watched(t *testing.T, client *Client) *ResponseStream[hitov1.WatchResponse] {
	return CallServerStream[hitov1.WatchResponse](soon(t), client, watchMethod, &hitov1.WatchRequest{})
}

func cursors(t *testing.T, expected string, receive func() (*hitov1.WatchResponse, error)) {
	t.Helper()
	response, err := receive()
	check(t, err)
	if response.Cursor != expected {
		t.Fatalf("%q, not %q", response.Cursor, expected)
	}
}

func TestAStreamIsRepeatedBeforeItsFirstResponseAndNotAfterIt(t *testing.T) {
	server := streaming(t, turn{"a", 0, Unauthenticated}, turn{"b", 2, Unauthenticated}, turn{"c", 1, OK},
		turn{"c", 0, Unauthenticated}, turn{"d", 0, Unauthenticated})
	client := server.client(WithTokenProvider(giving("a", "b", "c", "d").get))
	stream := watched(t, client)
	cursors(t, "b0", stream.Recv)
	cursors(t, "b1", stream.Recv)
	_, err := stream.Recv()
	failed(t, err, Unauthenticated)
	stream = watched(t, client)
	cursors(t, "c0", stream.Recv)
	if _, err := stream.Recv(); err != io.EOF {
		t.Fatal(err)
	}
	_, err = watched(t, client).Recv()
	failed(t, err, Unauthenticated)
}

func TestAWatchIsTakenUpUnderANewToken(t *testing.T) {
	server := streaming(t, turn{"a", 1, Unauthenticated}, turn{"b", 1, Unauthenticated},
		turn{"c", 0, Unauthenticated}, turn{"d", 0, Unauthenticated})
	client := server.client(WithTokenProvider(giving("a", "b", "c", "d").get))
	watch := client.WatchResuming(soon(t), &hitov1.WatchRequest{})
	cursors(t, "a0", watch.Recv)
	cursors(t, "b0", watch.Recv)
	_, err := watch.Recv()
	failed(t, err, Unauthenticated)
	if watch.Interruptions() != 2 {
		t.Fatal(watch.Interruptions())
	}
}

func TestAWatchThatWasRepeatedEndsWithWhatLasts(t *testing.T) {
	server := streaming(t, turn{"a", 0, Unauthenticated}, turn{"b", 1, PermissionDenied})
	client := server.client(WithTokenProvider(giving("a", "b").get))
	watch := client.WatchResuming(soon(t), &hitov1.WatchRequest{})
	cursors(t, "b0", watch.Recv)
	_, err := watch.Recv()
	failed(t, err, PermissionDenied)
}

func TestARequestStreamThatIsRefusedIsTheCallersAndTheNextHasANewToken(t *testing.T) {
	g := &gate{good: "c"}
	client := gated(t, g, giving("a", "b", "c"))
	ingest := func() *RequestStream[hitov1.IngestDocumentsRequest, hitov1.IngestDocumentsResponse] {
		stream, err := CallClientStream[hitov1.IngestDocumentsRequest, hitov1.IngestDocumentsResponse](
			soon(t), client, ingestMethod)
		check(t, err)
		return stream
	}
	_, err := ingest().CloseAndRecv()
	failed(t, err, Unauthenticated)
	// Who only sends learns of it, too; the rest after two in a row passes.
	stream := ingest()
	for err = nil; err == nil; {
		err = stream.Send(&hitov1.IngestDocumentsRequest{})
	}
	failed(t, err, Unauthenticated)
	stream.Close()
	time.Sleep(60 * time.Millisecond)
	_, err = ingest().CloseAndRecv()
	check(t, err)
	g.saw(t, "a", "b", "c")
}

func TestAConsumerComesAgainOnceUnderANewToken(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	server := serve(t, nil, func(p *peer, call peerCall) {
		mu.Lock()
		defer mu.Unlock()
		if call.path == consumeMethod.Path {
			seen = append(seen, string(call.fields[5]))
		}
		switch {
		case len(seen) == 2:
			aGroup(p, call)
		case call.path == consumeMethod.Path:
			p.fail(call.stream, Unauthenticated)
		}
	})
	client := server.client(WithTokenProvider(giving("a", "b", "c", "d").get))
	consumer := client.ConsumeResuming(soon(t), ConsumerConfig{Group: "g"})
	_, err := consumer.Recv()
	check(t, err)
	mu.Lock()
	_ = server.peer(0).socket.NetConn().Close()
	mu.Unlock()
	for err == nil {
		_, err = consumer.Recv()
	}
	failed(t, err, Unauthenticated)
	client.Close()
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(seen, []string{"a", "b", "b", "c"}) {
		t.Fatalf("%q", seen)
	}
	leavesNothing(t)
}
