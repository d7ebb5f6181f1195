package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"hito.example/hito"
	hitov1 "hito.example/hito/v1"
)

// errLeft: the runner wanted the stream to be left.
var errLeft = errors.New("left")

// made is a call as the runner asked for it, and what came of it so far.
type made struct {
	ctx       context.Context
	asked     *request
	resume    <-chan struct{}
	options   []hito.CallOption
	info      hito.ResponseInfo
	responses []string
}

// call makes a call to its end.
func (o *opened) call(ctx context.Context, asked *request, resume <-chan struct{}) reply {
	m := &made{ctx: ctx, asked: asked, resume: resume, responses: []string{}}
	m.options = m.chosen()
	err := o.make(m)
	answer := reply{
		"status": int(hito.CodeOf(err)), "messages": m.responses,
		"metadata": entries(m.info.Metadata), "trailers": entries(m.info.Trailers),
	}
	var failure *hito.Error
	switch {
	case errors.Is(err, errLeft):
		answer["status"] = int(hito.Cancelled)
	case errors.As(err, &failure):
		details, _ := proto.MarshalOptions{Deterministic: true}.Marshal(failure.Details)
		answer["text"], answer["details"] = failure.Message, hex.EncodeToString(details)
		answer["cursor"], answer["not_started"] = failure.ResumeCursor, failure.NotStarted
	case err != nil:
		return reply{"error": err.Error()}
	}
	return answer
}

func (o *opened) make(m *made) error {
	api := o.api
	switch strings.TrimPrefix(m.asked.Method, "hito.v1.") {
	case "HealthService/Check":
		return unary(m, api.Health.Check)
	case "HealthService/Watch":
		return serverStream(m, api.Health.Watch)
	case "GoalService/GetGoal":
		return unary(m, api.Goal.GetGoal)
	case "GoalService/CreateGoal":
		return unary(m, api.Goal.CreateGoal)
	case "GoalService/GenerateGoal":
		return serverStream(m, api.Goal.GenerateGoal)
	case "CourseService/IngestDocuments":
		return clientStream(m, api.Course.IngestDocuments)
	case "EventService/Consume":
		return bidi(m, api.Event.Consume)
	case "ProgressService/Watch":
		if m.asked.Resuming {
			return m.watchResuming(o.client)
		}
		return serverStream(m, api.Progress.Watch)
	}
	return errors.New("no such method here: " + m.asked.Method)
}

func (m *made) chosen() []hito.CallOption {
	asked := m.asked
	var options []hito.CallOption
	add := func(is bool, option hito.CallOption) {
		if is {
			options = append(options, option)
		}
	}
	metadata := hito.Metadata{}
	for key, value := range asked.Metadata {
		if strings.HasSuffix(key, "-bin") {
			raw, _ := hex.DecodeString(value)
			value = string(raw)
		}
		metadata[key] = value
	}
	if asked.TimeoutMS != nil {
		add(true, hito.CallTimeout(time.Duration(*asked.TimeoutMS)*time.Millisecond))
	}
	if asked.WaitForReady != nil {
		add(true, hito.CallWaitForReady(*asked.WaitForReady))
	}
	add(len(metadata) > 0, hito.CallMetadata(metadata))
	add(asked.Key != "", hito.CallKey(asked.Key))
	add(asked.Token != "", hito.CallToken(asked.Token))
	add(asked.Traceparent != "", hito.CallTraceparent(asked.Traceparent))
	hedging := hito.Hedging{Delay: time.Duration(asked.HedgeAfterMS) * time.Millisecond, Copies: asked.Copies}
	add(asked.HedgeAfterMS > 0, hito.CallHedging(hedging))
	add(!asked.Resuming, hito.CallResponseInfo(&m.info))
	return options
}

// came keeps a response.
func (m *made) came(response proto.Message) error {
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(response)
	if err != nil {
		return err
	}
	m.responses = append(m.responses, hex.EncodeToString(encoded))
	if len(m.responses) == m.asked.CancelAfter {
		return errLeft
	}
	if len(m.responses) == m.asked.PauseAfter {
		select {
		case <-m.resume:
		case <-m.ctx.Done():
		}
	}
	return nil
}

// message is a pointer to a message.
type message[T any] interface {
	*T
	proto.Message
}

// sent are the requests that the runner gave.
func sent[T any, P message[T]](m *made) ([]*T, error) {
	var requests []*T
	for _, text := range m.asked.Messages {
		encoded, err := hex.DecodeString(text)
		if err != nil {
			return nil, err
		}
		request := new(T)
		if err := proto.Unmarshal(encoded, P(request)); err != nil {
			return nil, err
		}
		requests = append(requests, request)
	}
	return requests, nil
}

func unary[Q, R any, PQ message[Q], PR message[R]](
	m *made, method func(context.Context, *Q, ...hito.CallOption) (*R, error),
) error {
	requests, err := sent[Q, PQ](m)
	if err != nil {
		return err
	}
	response, err := method(m.ctx, requests[0], m.options...)
	if err == nil {
		err = m.came(PR(response))
	}
	return err
}

func serverStream[Q, R any, PQ message[Q], PR message[R]](
	m *made, method func(context.Context, *Q, ...hito.CallOption) *hito.ResponseStream[R],
) error {
	requests, err := sent[Q, PQ](m)
	if err != nil {
		return err
	}
	for response, err := range method(m.ctx, requests[0], m.options...).All() {
		if err != nil {
			return err
		}
		if err := m.came(PR(response)); err != nil {
			return err
		}
	}
	return nil
}

func clientStream[Q, R any, PQ message[Q], PR message[R]](
	m *made, method func(context.Context, ...hito.CallOption) (*hito.RequestStream[Q, R], error),
) error {
	requests, err := sent[Q, PQ](m)
	if err != nil {
		return err
	}
	stream, err := method(m.ctx, m.options...)
	if err != nil {
		return err
	}
	for _, request := range requests {
		if stream.Send(request) != nil {
			// Recv says why.
			break
		}
	}
	if !m.asked.KeepOpen {
		stream.CloseSend()
	}
	response, err := stream.Recv()
	if err == nil {
		err = m.came(PR(response))
	}
	return err
}

func bidi[Q, R any, PQ message[Q], PR message[R]](
	m *made, method func(context.Context, ...hito.CallOption) (*hito.BidiStream[Q, R], error),
) error {
	requests, err := sent[Q, PQ](m)
	if err != nil {
		return err
	}
	stream, err := method(m.ctx, m.options...)
	if err != nil {
		return err
	}
	turns := make(chan struct{}, len(requests)+1)
	go func() {
		for _, request := range requests {
			if stream.Send(request) != nil {
				return
			}
			if m.asked.InTurn {
				<-turns
			}
		}
		if !m.asked.KeepOpen {
			stream.CloseSend()
		}
	}()
	defer close(turns)
	for response, err := range stream.All() {
		if err != nil {
			return err
		}
		select {
		case turns <- struct{}{}:
		default:
		}
		if err := m.came(PR(response)); err != nil {
			return err
		}
	}
	return nil
}

func (m *made) watchResuming(client *hito.Client) error {
	requests, err := sent[hitov1.WatchRequest](m)
	if err != nil {
		return err
	}
	for response, err := range client.WatchResuming(m.ctx, requests[0], m.options...).All() {
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err := m.came(response); err != nil {
			return err
		}
	}
	return nil
}

func entries(metadata hito.Metadata) [][2]string {
	listed := [][2]string{}
	for key, value := range metadata {
		if strings.HasSuffix(key, "-bin") {
			value = hex.EncodeToString([]byte(value))
		}
		listed = append(listed, [2]string{key, value})
	}
	return listed
}
