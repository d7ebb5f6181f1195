package hito

import (
	"errors"
	"io"
	"testing"

	"google.golang.org/protobuf/proto"

	hitov1 "hito.example/hito/v1"
)

// aGroup plays the server of a consumer group: it gives one event on each connection, and answers what is settled.
func aGroup(p *peer, call peerCall) {
	if call.path == consumeMethod.Path {
		return
	}
	var request hitov1.ConsumeRequest
	if proto.Unmarshal(call.rest, &request) != nil {
		return
	}
	switch {
	case request.GetJoin() != nil:
		joined := &hitov1.JoinedGroup{Consumer: "c1", AckTimeoutUs: 3_000}
		p.message(call.stream, &hitov1.ConsumeResponse{Joined: joined})
		p.message(call.stream, &hitov1.ConsumeResponse{Event: &hitov1.Event{Id: "e1"}, Attempt: 1})
	case request.GetSettle() != nil:
		settled := &hitov1.Settled{EventIds: request.GetSettle().EventIds}
		p.message(call.stream, &hitov1.ConsumeResponse{Settled: settled})
	case len(call.rest) == 0:
		p.send(4, 0, call.stream, emptyBlock)
	}
}

func TestAConsumerSettlesAndReconnects(t *testing.T) {
	server := serve(t, nil, aGroup)
	interruptions := 0
	client := server.client()
	consumer := client.ConsumeResuming(soon(t), ConsumerConfig{Group: "g"}, CallOnInterruption(func(err error) {
		if errors.Is(err, Unavailable) {
			interruptions++
		}
	}))
	lost, err := consumer.Recv()
	check(t, err)
	check(t, server.peer(0).socket.NetConn().Close())
	again, err := consumer.Recv()
	check(t, err)
	if lost.IsHeld() || !again.IsHeld() || interruptions != 1 || consumer.Interruptions() != 1 {
		t.Fatalf("%v %v %d", lost.IsHeld(), again.IsHeld(), interruptions)
	}
	if isSettled, err := lost.Ack(soon(t)); isSettled || err != nil {
		t.Fatal("what was lost is not this consumer's")
	}
	if isSettled, err := again.Ack(soon(t)); !isSettled || err != nil {
		t.Fatal(err)
	}
	if again.IsHeld() || consumer.Name() != "c1" {
		t.Fatal(consumer.Name())
	}
	consumer.Close()
	if _, err := consumer.Recv(); !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	client.Close()
	leavesNothing(t)
}

func TestAConsumerThatMayNotJoinSaysSo(t *testing.T) {
	server := serve(t, nil, func(p *peer, call peerCall) { p.fail(call.stream, PermissionDenied) })
	client := server.client()
	consumer := client.ConsumeResuming(soon(t), ConsumerConfig{Group: "g"})
	for _, err := range consumer.All() {
		if !errors.Is(err, PermissionDenied) {
			t.Fatal(err)
		}
	}
	client.Close()
	leavesNothing(t)
}
