package hito

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"hito.example/hito/internal/wire"
	hitov1 "hito.example/hito/v1"
)

// A server that says anything at all ends calls with an error, and leaves nothing behind.
func TestAServerThatMakesNoSense(t *testing.T) {
	chance := rand.New(rand.NewPCG(7, 11))
	kinds := []wire.Kind{
		wire.MessageFrame, wire.EndFrame, wire.CreditFrame, wire.GoAwayFrame, wire.HeadFrame, wire.PongFrame,
	}
	server := serve(t, nil, func(p *peer, call peerCall) {
		for range 1 + chance.IntN(6) {
			payload := make([]byte, chance.IntN(40))
			for place := range payload {
				payload[place] = byte(chance.IntN(12))
			}
			stream := call.stream
			if chance.IntN(5) == 0 {
				stream = uint32(chance.IntN(4))
			}
			p.send(kinds[chance.IntN(len(kinds))], uint8(chance.IntN(5)), stream, payload)
		}
		_ = p.socket.NetConn().Close()
	})
	server.hello = []byte{0, 5, 1, 0, 2, 0, 1} // minor version 1
	client := server.client(WithRetryBudget(10_000, 10_000), WithCompression())
	for range 40 {
		_, err := ask(soon(t), client, CallTimeout(50*time.Millisecond))
		var failure *Error
		if err != nil && !errors.As(err, &failure) {
			t.Fatal(err)
		}
		for _, err := range listen(soon(t), client, CallTimeout(20*time.Millisecond)).All() {
			if err != nil && !errors.As(err, &failure) {
				t.Fatal(err)
			}
		}
	}
	client.Close()
	leavesNothing(t)
}

// Who waits for credit of the connection takes turns: a small grant is not always the same call's (W9.10).
func TestCallsThatWaitForCreditTakeTurns(t *testing.T) {
	server := serve(t, nil, func(p *peer, call peerCall) {
		if call.flags&wire.FlagEnd != 0 {
			p.reply(call.stream, &hitov1.CreateGoalResponse{})
		}
	})
	// 2,048 bytes of credit on the connection; the rest comes as it is taken.
	server.hello = []byte{0, 7, 7, 0, 4, 0, 0, 8, 0}
	client := server.client()
	ended := make(chan int, 2)
	for _, size := range []int{400_000, 40_000} {
		request := &hitov1.CreateGoalRequest{Description: string(make([]byte, size))}
		go func() {
			_, err := CallUnary[hitov1.CreateGoalResponse](soon(t), client, createMethod, request)
			if err != nil {
				t.Error(err)
			}
			ended <- size
		}()
	}
	if first, second := <-ended, <-ended; first > second {
		t.Fatal("the short one does not wait for the long one")
	}
}

// An address that says nothing holds up the next one for a quarter of a second, and no longer (C1.1).
func TestAnAddressThatSaysNothingIsPassedBy(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer listener.Close()
	port := listener.Addr().(*net.TCPAddr).Port
	_, portText, _ := net.SplitHostPort(listener.Addr().String())

	// A queue of one place, which is taken: further SYNs are dropped.
	deaf, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	check(t, err)
	defer syscall.Close(deaf)
	check(t, syscall.Bind(deaf, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 9}}))
	check(t, syscall.Listen(deaf, 0))
	var dialer net.Dialer
	for isFull := false; !isFull; {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		socket, err := dialer.DialContext(ctx, "tcp", "127.0.0.9:"+portText)
		cancel()
		if isFull = err != nil; !isFull {
			defer socket.Close()
		}
	}
	began := time.Now()
	socket, err := dialFirst(soon(t), []string{"127.0.0.9", "127.0.0.1"}, portText)
	check(t, err)
	defer socket.Close()
	if took := time.Since(began); took < 200*time.Millisecond || took > 5*time.Second {
		t.Fatal(took)
	}
}
