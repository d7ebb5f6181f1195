package hito

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	hitov1 "hito.example/hito/v1"
)

// provider gives one text after the other, the last for ever.
type provider struct {
	delay time.Duration
	mu    sync.Mutex
	texts []string
	err   error // instead
	asked int
}

func (p *provider) get(ctx context.Context) (Token, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.delay > 0 {
		select {
		case <-time.After(p.delay):
		case <-ctx.Done():
			return Token{}, ctx.Err()
		}
	}
	text := p.texts[0]
	if len(p.texts) > 1 {
		p.texts = p.texts[1:]
	}
	return Token{Text: text}, p.err
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *provider) set(err error, texts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.texts, p.err = texts, err
}

func giving(texts ...string) *provider { return &provider{texts: texts} }

// gate answers calls under one token and refuses all others; seen are the tokens and keys that came.
type gate struct {
	good string
	mu   sync.Mutex
	seen []string
	keys []string
}

func (g *gate) answer(p *peer, call peerCall) {
	if call.path == "" {
		return
	}
	token := string(call.fields[5])
	g.mu.Lock()
	g.seen, g.keys = append(g.seen, token), append(g.keys, string(call.fields[3]))
	g.mu.Unlock()
	if token == g.good {
		p.reply(call.stream, serving)
	} else {
		p.fail(call.stream, Unauthenticated)
	}
}

func (g *gate) saw(t *testing.T, tokens ...string) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.Equal(g.seen, tokens) {
		t.Fatalf("%q came", g.seen)
	}
}

func gated(t *testing.T, g *gate, p *provider, options ...Option) *Client {
	return serve(t, nil, g.answer).client(append(options, WithTokenProvider(p.get))...)
}

// failed is the error of a call that has to fail so.
func failed(t *testing.T, err error, code Code) *Error {
	t.Helper()
	var failure *Error
	if !errors.As(err, &failure) || failure.Code != code {
		t.Fatalf("%v, not %v", err, code)
	}
	return failure
}

// together makes twenty calls at the same time.
func together(t *testing.T, client *Client) {
	var calls sync.WaitGroup
	for range 20 {
		calls.Add(1)
		go func() {
			defer calls.Done()
			if _, err := ask(soon(t), client); err != nil {
				t.Error(err)
			}
		}()
	}
	calls.Wait()
}

func TestTheFirstCallsShareOneQuestion(t *testing.T) {
	p := &provider{texts: []string{"a"}, delay: 100 * time.Millisecond}
	server := serve(t, nil, (&gate{good: "a"}).answer)
	client, err := Connect(soon(t), server.address, WithCAFile(server.caFile), WithTokenProvider(p.get))
	check(t, err)
	if p.count() != 0 {
		t.Fatal("connecting needs none")
	}
	together(t, client)
	if p.count() != 1 {
		t.Fatal(p.count())
	}
	if hello := <-server.peer(0).hellos; len(hello[8]) != 0 || len(hello[3]) == 0 {
		t.Fatal("HELLO has no token")
	}
	client.Close()
	leavesNothing(t)
}

func TestARefusedTokenIsReplacedAndTheCallRepeatedUnderTheSameKey(t *testing.T) {
	p, g := giving("old", "new"), &gate{good: "new"}
	client := gated(t, g, p)
	_, err := CallUnary[hitov1.CreateGoalResponse](soon(t), client, createMethod, &hitov1.CreateGoalRequest{})
	check(t, err)
	g.saw(t, "old", "new")
	if g.keys[0] == "" || g.keys[0] != g.keys[1] {
		t.Fatal(g.keys)
	}
	_, err = ask(soon(t), client)
	check(t, err)
	if p.count() != 2 {
		t.Fatal(p.count())
	}
}

func TestCallsThatAreRefusedTogetherShareTheQuestion(t *testing.T) {
	p := &provider{texts: []string{"old", "new"}, delay: 50 * time.Millisecond}
	together(t, gated(t, &gate{good: "new"}, p))
	if p.count() != 2 {
		t.Fatal(p.count())
	}
}

func TestASecondRefusalIsTheCallersAndProvidersAreNotStormed(t *testing.T) {
	var bad []string
	for number := range 1000 {
		bad = append(bad, fmt.Sprint("bad-", number))
	}
	p, g := giving(bad...), &gate{}
	client := gated(t, g, p)
	_, err := ask(soon(t), client)
	if !failed(t, err, Unauthenticated).FromServer {
		t.Fatal(err)
	}
	g.saw(t, "bad-0", "bad-1")
	for range 200 {
		_, err := ask(soon(t), client)
		failed(t, err, Unauthenticated)
	}
	if p.count() >= 30 || len(g.seen) >= 30 {
		t.Fatal(p.count(), len(g.seen))
	}
}

func TestTheSameTokenAgainIsTheServersError(t *testing.T) {
	g := &gate{good: "good"}
	_, err := ask(soon(t), gated(t, g, giving("bad")))
	if !failed(t, err, Unauthenticated).FromServer {
		t.Fatal(err)
	}
	g.saw(t, "bad")
}

func TestAProviderThatFailsEndsTheCallBeforeItBegins(t *testing.T) {
	g, secret := &gate{good: "good"}, errors.New("the secret is s3cret")
	p := giving("")
	p.set(secret, "")
	client := gated(t, g, p)
	_, err := CallUnary[hitov1.CreateGoalResponse](soon(t), client, createMethod, &hitov1.CreateGoalRequest{})
	failure := failed(t, err, Unauthenticated)
	if !failure.NotStarted || failure.FromServer || !errors.Is(err, secret) || strings.Contains(err.Error(), "s3cret") {
		t.Fatalf("%+v", failure)
	}
	asked := p.count()
	for range 50 {
		_, err := ask(soon(t), client)
		failed(t, err, Unauthenticated)
	}
	if p.count()-asked >= 15 {
		t.Fatal("it rests")
	}
	g.saw(t)
	p.set(nil, "good")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := ask(soon(t), client); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("it is asked again")
		}
	}
}

func TestWhatIsNoTokenEndsTheCall(t *testing.T) {
	for _, text := range []string{"", "a\x00b", "\xff", strings.Repeat("x", 257)} {
		_, err := ask(soon(t), gated(t, &gate{}, giving(text)))
		if failure := failed(t, err, Unauthenticated); !failure.NotStarted || failure.FromServer {
			t.Fatalf("%q: %v", text, err)
		}
	}
	for _, broken := range []TokenProvider{
		func(context.Context) (Token, error) { panic("s3cret") },
		func(context.Context) (Token, error) { runtime.Goexit(); return Token{}, nil },
		func(context.Context) (Token, error) { return Token{Text: "a", ValidFor: -1}, nil },
	} {
		client := serve(t, nil, (&gate{}).answer).client(WithTokenProvider(broken))
		_, err := ask(soon(t), client)
		if failed(t, err, Unauthenticated); strings.Contains(err.Error(), "s3cret") {
			t.Fatal(err)
		}
	}
}

func TestAProviderThatFailsBehindARefusalLeavesTheServersError(t *testing.T) {
	gone := errors.New("gone")
	var asked atomic.Int32
	client := serve(t, nil, (&gate{}).answer).client(WithTokenProvider(func(context.Context) (Token, error) {
		if asked.Add(1) == 1 {
			return Token{Text: "bad"}, nil
		}
		return Token{}, gone
	}))
	_, err := ask(soon(t), client)
	if !failed(t, err, Unauthenticated).FromServer || !errors.Is(err, gone) || asked.Load() != 2 {
		t.Fatal(err)
	}
}

func TestAProviderHasItsTime(t *testing.T) {
	p := &provider{texts: []string{"late"}, delay: time.Minute}
	_, err := ask(soon(t), gated(t, &gate{}, p, WithTokenTimeout(50*time.Millisecond)))
	if failed(t, err, Unauthenticated); !strings.Contains(err.Error(), "did not answer in time") {
		t.Fatal(err)
	}
}

func TestACallWaitsForATokenWithinItsOwnTimeAndLeavesTheQuestion(t *testing.T) {
	var asked atomic.Int32
	release := make(chan struct{})
	client := serve(t, nil, (&gate{good: "a"}).answer).client(WithTokenProvider(func(context.Context) (Token, error) {
		asked.Add(1)
		<-release
		return Token{Text: "a"}, nil
	}))
	_, err := ask(soon(t), client, CallTimeout(50*time.Millisecond))
	if !failed(t, err, DeadlineExceeded).NotStarted {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(soon(t))
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = ask(ctx, client)
	if !failed(t, err, Cancelled).NotStarted {
		t.Fatal(err)
	}
	close(release)
	_, err = ask(soon(t), client)
	check(t, err)
	if asked.Load() != 1 {
		t.Fatal(asked.Load())
	}
}

// giveAgo has the client's provider have given a token a while ago.
func giveAgo(client *Client, text string, validFor, ago time.Duration) {
	client.tokens.mu.Lock()
	defer client.tokens.mu.Unlock()
	client.tokens.machine.Answered(text, validFor, time.Now().Add(-ago), 1)
}

func TestATokenIsRenewedBeforeItExpires(t *testing.T) {
	p, g := giving("new"), &gate{good: "old"}
	p.set(errors.New("gone"), "")
	client := gated(t, g, p)
	// In the margin: asked in vain, and the token is still valid.
	giveAgo(client, "old", 100_000*time.Second, 99_991*time.Second)
	_, err := ask(soon(t), client)
	check(t, err)
	if p.count() != 1 {
		t.Fatal(p.count())
	}
	giveAgo(client, "old", time.Second, time.Second)
	_, err = ask(soon(t), client)
	failed(t, err, Unauthenticated)
	g.saw(t, "old")
}

func TestATokenOfACallIsItsOwn(t *testing.T) {
	p, g := giving("good"), &gate{good: "good"}
	client := gated(t, g, p)
	_, err := ask(soon(t), client, CallToken("mine"))
	if !failed(t, err, Unauthenticated).FromServer || p.count() != 0 {
		t.Fatal(err)
	}
	g.saw(t, "mine")
}

func TestATokenAndAProviderAreOneTooMany(t *testing.T) {
	_, err := New("127.0.0.1:1", WithToken("a"), WithTokenProvider(giving("b").get))
	if !errors.Is(err, InvalidArgument) {
		t.Fatal(err)
	}
}

func TestClosingEndsTheQuestion(t *testing.T) {
	p := &provider{texts: []string{"a"}, delay: time.Minute}
	begun := make(chan struct{})
	client := serve(t, nil, (&gate{}).answer).client(WithTokenProvider(func(ctx context.Context) (Token, error) {
		close(begun)
		return p.get(ctx)
	}))
	ended := make(chan error)
	go func() {
		_, err := ask(soon(t), client)
		ended <- err
	}()
	<-begun
	client.Close()
	if !failed(t, <-ended, Cancelled).NotStarted {
		t.Fatal("it was not started")
	}
	_, err := ask(soon(t), client)
	failed(t, err, Cancelled)
	leavesNothing(t)
}

func TestATokenIsNotPrintedByMistake(t *testing.T) {
	token := Token{Text: "s3cret", ValidFor: time.Second}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format, token); strings.Contains(text, "s3cret") {
			t.Fatal(text)
		}
	}
}
