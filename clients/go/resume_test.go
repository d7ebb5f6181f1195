package hito

import (
	"errors"
	"io"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	hitov1 "hito.example/hito/v1"
)

// breaking plays a server that answers the first call and breaks, and says how the second goes on.
func breaking(t *testing.T, calls *[]peerCall, first, second proto.Message) *fakeServer {
	return serve(t, nil, func(p *peer, call peerCall) {
		*calls = append(*calls, call)
		if len(*calls) == 1 {
			p.message(call.stream, first)
			// After the message: a lost connection drops nothing that has come.
			p.fail(call.stream, Unavailable)
			return
		}
		p.message(call.stream, second)
	})
}

func TestAValidationIsFollowedByItsRun(t *testing.T) {
	var calls []peerCall
	server := breaking(t, &calls,
		&hitov1.ValidateCodeResponse{RunId: "run", Cursor: "c1", Step: &hitov1.ValidateCodeResponse_Started{}},
		&hitov1.ValidateCodeResponse{Step: &hitov1.ValidateCodeResponse_Result{Result: &hitov1.CodeSnapshot{}}})
	stream := server.client().ValidateResuming(soon(t), &hitov1.ValidateCodeRequest{}, CallKey("mine"))
	count := 0
	for _, err := range stream.All() {
		check(t, err)
		count++
	}
	var follow hitov1.WatchValidationRequest
	check(t, proto.Unmarshal(calls[1].rest, &follow))
	if count != 2 || follow.RunId != "run" || follow.Cursor != "c1" || string(calls[0].fields[3]) != "mine" {
		t.Fatalf("%d %v %q", count, &follow, calls[0].fields[3])
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) || stream.Interruptions() != 1 || stream.Cursor() != "c1" {
		t.Fatal(err)
	}
	if !strings.HasSuffix(calls[0].path, "/ValidateCode") || !strings.HasSuffix(calls[1].path, "/WatchValidation") {
		t.Fatal(calls[1].path)
	}
}

func TestABatchIsAskedForAgainUnderItsKeyAndCursor(t *testing.T) {
	var calls []peerCall
	server := breaking(t, &calls,
		&hitov1.ValidateBatchResponse{Cursor: "c1", Step: &hitov1.ValidateBatchResponse_Refused{
			Refused: &hitov1.SubmissionRefusal{}}},
		&hitov1.ValidateBatchResponse{Cursor: "c2", Step: &hitov1.ValidateBatchResponse_Finished{
			Finished: &hitov1.ValidationRun{}}})
	request := &hitov1.ValidateBatchRequest{Submissions: []*hitov1.Submission{{}, {}}}
	count := 0
	for _, err := range server.client().ValidateBatchResuming(soon(t), request).All() {
		check(t, err)
		count++
	}
	var again hitov1.ValidateBatchRequest
	check(t, proto.Unmarshal(calls[1].rest, &again))
	key := string(calls[0].fields[3])
	if count != 2 || again.Cursor != "c1" || key == "" || key != string(calls[1].fields[3]) || request.Cursor != "" {
		t.Fatalf("%d %v %q", count, &again, key)
	}
}

func TestARevalidationEndsWithItsSummary(t *testing.T) {
	var calls []peerCall
	server := breaking(t, &calls, &hitov1.RevalidateResponse{Cursor: "c1"},
		&hitov1.RevalidateResponse{Step: &hitov1.RevalidateResponse_Summary{Summary: &hitov1.RevalidationSummary{}}})
	interruptions := 0
	stream := server.client().RevalidateResuming(soon(t), &hitov1.RevalidateRequest{},
		CallOnInterruption(func(error) { interruptions++ }))
	for _, err := range stream.All() {
		check(t, err)
	}
	var again hitov1.RevalidateRequest
	check(t, proto.Unmarshal(calls[1].rest, &again))
	if again.Cursor != "c1" || interruptions != 1 {
		t.Fatal(&again, interruptions)
	}
}
