// Command conformance is the client as a program under test of Tests/Conformance/runner.py: docs/conformance.md has the
// lines that it takes and gives.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"sync"
	"time"

	"hito.example/hito"
	"hito.example/hito/services"
)

// request is a line of the runner.
type request struct {
	ID     int    `json:"id"`
	Op     string `json:"op"`
	Client string `json:"client"`

	// open
	Addresses    []string `json:"addresses"`
	CAFile       string   `json:"ca_file"`
	Token        string   `json:"token"` // of a call, too
	WaitForReady *bool    `json:"wait_for_ready"`
	Balancing    string   `json:"balancing"`
	Connections  int      `json:"connections"`
	KeepaliveMS  int      `json:"keepalive_ms"`
	MessageMax   int      `json:"message_max"`
	Health       bool     `json:"health"`
	Compression  bool     `json:"compression"`

	// call
	Method       string            `json:"method"`
	Messages     []string          `json:"messages"`
	TimeoutMS    *int              `json:"timeout_ms"`
	Metadata     map[string]string `json:"metadata"`
	Key          string            `json:"key"`
	Traceparent  string            `json:"traceparent"`
	CancelAfter  int               `json:"cancel_after"`
	PauseAfter   int               `json:"pause_after"`
	KeepOpen     bool              `json:"keep_open"`
	InTurn       bool              `json:"in_turn"`
	Resuming     bool              `json:"resuming"`
	HedgeAfterMS int               `json:"hedge_after_ms"`
	Copies       int               `json:"copies"`

	// cancel, resume
	Call int `json:"call"`
}

// reply is a line to the runner.
type reply map[string]any

// running is a call that has not ended.
type running struct {
	cancel context.CancelFunc
	resume chan struct{}
	once   sync.Once
}

// program has the clients and calls of one run.
type program struct {
	output sync.Mutex
	encode *json.Encoder

	mu      sync.Mutex
	clients map[string]*opened
	calls   map[int]*running
}

// opened is a client with its stubs.
type opened struct {
	client *hito.Client
	api    services.Services
}

func main() {
	p := &program{
		encode: json.NewEncoder(os.Stdout), clients: map[string]*opened{}, calls: map[int]*running{},
	}
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			if err != io.EOF {
				os.Exit(1)
			}
			return
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			p.answer(0, reply{"error": err.Error()})
			continue
		}
		p.take(&asked)
	}
}

// take begins what a line asks for, in the order of the lines.
func (p *program) take(asked *request) {
	switch asked.Op {
	case "open":
		p.answer(asked.ID, p.open(asked))
	case "call":
		p.begin(asked)
	case "cancel", "resume":
		p.mu.Lock()
		call := p.calls[asked.Call]
		p.mu.Unlock()
		switch {
		case call == nil:
		case asked.Op == "cancel":
			call.cancel()
		default:
			call.once.Do(func() { close(call.resume) })
		}
		p.answer(asked.ID, reply{})
	case "close":
		p.mu.Lock()
		closing := p.clients[asked.Client]
		p.mu.Unlock()
		go func() {
			if closing != nil {
				closing.client.Close()
			}
			p.answer(asked.ID, reply{})
		}()
	default:
		p.answer(asked.ID, reply{"unsupported": asked.Op})
	}
}

func (p *program) answer(id int, with reply) {
	with["id"] = id
	p.output.Lock()
	defer p.output.Unlock()
	if err := p.encode.Encode(with); err != nil {
		os.Exit(1)
	}
}

func (p *program) open(asked *request) reply {
	options := []hito.Option{
		hito.WithCAFile(asked.CAFile), hito.WithToken(asked.Token), hito.WithInterceptors(tellBegun),
	}
	add := func(is bool, option hito.Option) {
		if is {
			options = append(options, option)
		}
	}
	add(asked.WaitForReady == nil || *asked.WaitForReady, hito.WithWaitForReady())
	add(asked.Balancing == "round_robin", hito.WithBalancing(hito.RoundRobin))
	add(asked.Connections > 0, hito.WithConnectionsPerAddress(asked.Connections))
	add(asked.KeepaliveMS > 0, hito.WithKeepalive(time.Duration(asked.KeepaliveMS)*time.Millisecond))
	add(asked.MessageMax > 0, hito.WithMessageMax(asked.MessageMax))
	add(asked.Health, hito.WithHealthCheck())
	add(asked.Compression, hito.WithCompression())
	client, err := hito.New(joined(asked.Addresses), options...)
	if err != nil {
		return reply{"error": err.Error()}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients[asked.Client] = &opened{client, services.New(client)}
	return reply{"status": 0}
}

func (p *program) begin(asked *request) {
	ctx, cancel := context.WithCancel(context.Background())
	call := &running{cancel: cancel, resume: make(chan struct{})}
	p.mu.Lock()
	p.calls[asked.ID] = call
	on := p.clients[asked.Client]
	p.mu.Unlock()
	begun := make(chan struct{})
	go func() {
		defer cancel()
		answer := on.call(context.WithValue(ctx, begunKey{}, begun), asked, call.resume)
		p.mu.Lock()
		delete(p.calls, asked.ID)
		p.mu.Unlock()
		p.answer(asked.ID, answer)
	}()
	// The runner counts on the order of its lines: who comes first gets the first place.
	select {
	case <-begun:
		time.Sleep(beginning)
	case <-ctx.Done():
	}
}

// beginning is more than a call takes from its interceptors to its place.
const beginning = 500 * time.Microsecond

type begunKey struct{}

func tellBegun(ctx context.Context, _ *hito.Call, proceed hito.Proceed) error {
	if begun, has := ctx.Value(begunKey{}).(chan struct{}); has {
		select {
		case <-begun:
		default:
			close(begun)
		}
	}
	return proceed(ctx)
}

func joined(addresses []string) string {
	text := ""
	for _, address := range addresses {
		if text != "" {
			text += ","
		}
		text += address
	}
	return text
}
