package hito

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"hito.example/hito/internal/wire"
	hitov1 "hito.example/hito/v1"
)

var (
	checkHealth  = Method{Path: "hito.v1.HealthService/Check", Kind: Unary, ReadOnly: true}
	watchHealth  = Method{Path: "hito.v1.HealthService/Watch", Kind: ServerStream, ReadOnly: true}
	ingestMethod = Method{Path: "hito.v1.CourseService/IngestDocuments", Kind: ClientStream}
	createMethod = Method{Path: "hito.v1.GoalService/CreateGoal", Kind: Unary}
)

var serving = &hitov1.HealthCheckResponse{Status: hitov1.HealthStatus_HEALTH_STATUS_SERVING}

func ask(ctx context.Context, client *Client, options ...CallOption) (*hitov1.HealthCheckResponse, error) {
	return CallUnary[hitov1.HealthCheckResponse](ctx, client, checkHealth, &hitov1.HealthCheckRequest{}, options...)
}

func listen(ctx context.Context, client *Client, options ...CallOption) *ResponseStream[hitov1.HealthCheckResponse] {
	return CallServerStream[hitov1.HealthCheckResponse](ctx, client, watchHealth, &hitov1.HealthWatchRequest{}, options...)
}

// always answers unary calls, and begins streams that it does not end.
func always(p *peer, call peerCall) {
	switch call.path {
	case checkHealth.Path, createMethod.Path:
		p.reply(call.stream, serving)
	case watchHealth.Path:
		p.message(call.stream, serving)
	}
}

func TestManyGoroutinesShareAClientAndNothingIsLeft(t *testing.T) {
	server := serve(t, nil, always)
	client := server.client()
	var calls sync.WaitGroup
	for range 50 {
		calls.Add(1)
		go func() {
			defer calls.Done()
			for range 20 {
				if _, err := ask(soon(t), client); err != nil {
					t.Error(err)
				}
			}
			ctx, cancel := context.WithCancel(soon(t))
			for _, err := range listen(ctx, client).All() {
				if err != nil {
					t.Error(err)
				}
				break
			}
			stream := listen(ctx, client)
			if _, err := stream.Recv(); err != nil {
				t.Error(err)
			}
			// Nobody reads it, and nobody closes it: its context does.
			cancel()
		}()
	}
	calls.Wait()
	client.Close()
	leavesNothing(t)
}

func TestAStreamIsClosedWhileSomebodyWaitsForIt(t *testing.T) {
	server := serve(t, nil, always)
	client := server.client()
	ended := make(chan error, 2)
	stream := listen(soon(t), client, CallOnInterruption(nil))
	_, err := stream.Recv()
	check(t, err)
	go func() {
		_, err := stream.Recv()
		ended <- err
	}()
	time.Sleep(20 * time.Millisecond)
	stream.Close()
	if err := <-ended; !errors.Is(err, Cancelled) {
		t.Fatal(err)
	}
	if id := <-server.peer(0).cancelled; id != 1 {
		t.Fatal("the server hears of it")
	}
	if _, err := stream.Recv(); !errors.Is(err, Cancelled) {
		t.Fatal(err)
	}
}

func TestADeadlineIsHeardByTheServerAlsoWhereNobodyReads(t *testing.T) {
	server := serve(t, nil, always)
	client := server.client()
	_, err := ask(soon(t), client)
	check(t, err)
	stream := listen(soon(t), client, CallTimeout(time.Second))
	_, err = stream.Recv()
	check(t, err)
	<-server.peer(0).cancelled
	if _, err := stream.Recv(); !errors.Is(err, DeadlineExceeded) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestInterceptorsSeeEveryCallAndWhatCameOfIt(t *testing.T) {
	server := serve(t, nil, func(p *peer, call peerCall) {
		switch {
		case call.path == checkHealth.Path && string(call.fields[4]) == "trace":
			p.reply(call.stream, serving)
		case call.path == checkHealth.Path:
			p.fail(call.stream, NotFound)
		default:
			always(p, call)
		}
	})
	var said []string
	named := func(name string) Interceptor {
		return func(ctx context.Context, call *Call, proceed Proceed) error {
			said = append(said, name+" "+call.Method.Kind.String())
			call.OnEnd(func(err error) { said = append(said, fmt.Sprint(name, " ends ", CodeOf(err))) })
			if name == "inner" {
				call.Options.Traceparent += "ce"
			} else {
				call.Options.Traceparent = "tra"
			}
			err := proceed(ctx)
			if call.Method.Kind == Unary && call.Response == nil {
				said = append(said, name+" has no response")
			}
			return err
		}
	}
	client := server.client(WithInterceptors(named("outer"), named("inner")))
	_, err := ask(soon(t), client)
	check(t, err)
	stream := listen(soon(t), client)
	_, err = stream.Recv()
	check(t, err)
	stream.Close()
	expected := "outer unary;inner unary;outer ends OK;inner ends OK;" +
		"outer server_stream;inner server_stream;outer ends CANCELLED;inner ends CANCELLED"
	if got := strings.Join(said, ";"); got != expected {
		t.Fatal(got)
	}
}

func TestNoLockIsHeldWhereTheProgramIsCalled(t *testing.T) {
	server := serve(t, nil, always)
	var client *Client
	var inner bool
	// Each of them makes a call of its own.
	again := func(ctx context.Context) error {
		if inner {
			return nil
		}
		inner = true
		defer func() { inner = false }()
		_, err := ask(ctx, client, CallTimeout(5*time.Second))
		return err
	}
	client = server.client(
		WithTokenProvider(func(ctx context.Context) (Token, error) {
			_, err := ask(ctx, client, CallToken("own"))
			return Token{Text: "hito_token"}, err
		}),
		WithTraceContext(func(ctx context.Context) string { check(t, again(ctx)); return "" }),
		WithInterceptors(func(ctx context.Context, call *Call, proceed Proceed) error {
			call.OnEnd(func(error) { check(t, again(ctx)) })
			check(t, again(ctx))
			return proceed(ctx)
		}),
	)
	_, err := ask(soon(t), client)
	check(t, err)
}

func TestACertificateIsShownToAServerThatAsks(t *testing.T) {
	clients := newAuthority(t)
	pool := x509.NewCertPool()
	pool.AddCert(clients.certificate)
	var shown string
	server := serve(t, func(config *tls.Config) {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, pool
		config.VerifyConnection = func(state tls.ConnectionState) error {
			shown = state.PeerCertificates[0].SerialNumber.String()
			return nil
		}
	}, always)
	_, err := ask(soon(t), server.client())
	if !errors.Is(err, Unavailable) {
		t.Fatal(err)
	}
	certificateFile, keyFile := clients.sign("client")
	_, err = ask(soon(t), server.client(WithClientCertificate(certificateFile, keyFile)))
	check(t, err)
	if shown != "2" {
		t.Fatal("the certificate came")
	}
}

func TestAnotherAddressOfANameIsTriedWhereOneRefuses(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	// Nobody listens at the first two.
	socket, err := dialFirst(soon(t), []string{"127.0.0.3", "127.0.0.2", "127.0.0.1"}, port)
	check(t, err)
	check(t, socket.Close())
	if _, err := dialFirst(soon(t), []string{"127.0.0.3", "127.0.0.2"}, port); err == nil {
		t.Fatal("nobody answers")
	}
	leavesNothing(t)
}

func TestALargeRequestGoesAsItIsTaken(t *testing.T) {
	server := serve(t, nil, func(p *peer, call peerCall) {
		if call.flags&wire.FlagEnd != 0 {
			p.reply(call.stream, &hitov1.CreateGoalResponse{})
		}
	})
	request := &hitov1.CreateGoalRequest{Description: strings.Repeat("a", 3<<20)}
	_, err := CallUnary[hitov1.CreateGoalResponse](soon(t), server.client(), createMethod, request)
	check(t, err)
}

func TestSendSaysHowACallHasEnded(t *testing.T) {
	server := serve(t, nil, func(p *peer, call peerCall) {
		if call.path == ingestMethod.Path {
			p.fail(call.stream, PermissionDenied)
		}
	})
	stream, err := CallClientStream[hitov1.IngestDocumentsRequest, hitov1.IngestDocumentsResponse](
		soon(t), server.client(), ingestMethod)
	check(t, err)
	for err == nil {
		err = stream.Send(&hitov1.IngestDocumentsRequest{})
	}
	if !errors.Is(err, PermissionDenied) {
		t.Fatal(err)
	}
	if _, err := stream.CloseAndRecv(); !errors.Is(err, PermissionDenied) {
		t.Fatal(err)
	}
}

func TestTokensAreNotLogged(t *testing.T) {
	server := serve(t, nil, always)
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	client := server.client(WithToken("hito_secret"), WithLog(LogTo(logger)))
	_, err := ask(soon(t), client, CallToken("hito_other"))
	check(t, err)
	client.Close()
	if text := out.String(); strings.Contains(text, "hito_") || !strings.Contains(text, "connected") {
		t.Fatal(text)
	}
}

func TestALostConnectionIsNotTheEndOfAStream(t *testing.T) {
	server := serve(t, nil, always)
	client := server.client()
	stream := listen(soon(t), client)
	_, err := stream.Recv()
	check(t, err)
	check(t, server.peer(0).socket.NetConn().Close())
	if _, err := stream.Recv(); errors.Is(err, io.EOF) || !errors.Is(err, Unavailable) {
		t.Fatal(err)
	}
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	empty := t.TempDir() + "/empty.pem"
	check(t, os.WriteFile(empty, nil, 0o600))
	for name, option := range map[string]Option{
		"a token": WithToken("a\x00"), "a file": WithCAFile(empty), "a maximum": WithMessageMax(1),
		"no time": WithTimeout(0), "no time for a token": WithTokenTimeout(0),
		"nothing verified": WithTLS(&tls.Config{InsecureSkipVerify: true}),
	} {
		if _, err := New("127.0.0.1:1", option); err == nil {
			t.Errorf("expected a refusal of %s", name)
		}
	}
	for _, address := range []string{"", "localhost", "a:0", "a:99999", "::1:7", "a:1,"} {
		if _, err := New(address); err == nil {
			t.Errorf("expected a refusal of %q", address)
		}
	}
	leavesNothing(t)
}

func TestACallThatWasPerhapsStartedDoesNotSayThatItWasNot(t *testing.T) {
	for name, begin := range map[string]func(*Client) error{
		"unary":  func(client *Client) error { _, err := ask(soon(t), client); return err },
		"stream": func(client *Client) error { _, err := listen(soon(t), client).Recv(); return err },
	} {
		server := serve(t, nil, func(p *peer, call peerCall) {
			// The call came; what is tried after it finds nobody.
			_ = p.server.listener.Close()
			_ = p.socket.NetConn().Close()
		})
		var failure *Error
		if err := begin(server.client()); !errors.As(err, &failure) || failure.Code != Unavailable || failure.NotStarted {
			t.Errorf("%s: %+v", name, failure)
		}
	}
}
