// Command main is the Go client in the matrix (Tests/Matrix/README.md): it writes, and watches what all write.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"hito.example/hito"
	"hito.example/hito/services"
	hitov1 "hito.example/hito/v1"
)

type line map[string]any

var output sync.Mutex

func say(said line) {
	output.Lock()
	defer output.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		os.Exit(1)
	}
}

// writer makes goals and does their tasks, so many writes a second at most.
type writer struct {
	api   services.Services
	pause time.Duration
	next  time.Time
}

func (w *writer) goal(ctx context.Context, key string) {
	w.wait()
	made, err := w.api.Goal.CreateGoal(ctx, &hitov1.CreateGoalRequest{
		Title: key, Tasks: []*hitov1.NewTask{{Title: key}},
	}, hito.CallKey(key))
	if !wrote(err, made.GetReceipt(), made.GetGoal().GetId(), "goal.created", key) {
		return
	}
	task := made.Tasks[0].Id
	w.wait()
	started, err := w.api.Task.StartTask(ctx, &hitov1.StartTaskRequest{TaskId: task}, hito.CallKey(key+"-start"))
	if !wrote(err, started.GetReceipt(), task, "task.started", key+"-start") {
		return
	}
	w.wait()
	done, err := w.api.Task.CompleteTask(
		ctx, &hitov1.CompleteTaskRequest{TaskId: task}, hito.CallKey(key+"-complete"))
	wrote(err, done.GetReceipt(), task, "task.completed", key+"-complete")
}

func (w *writer) wait() {
	if now := time.Now(); w.next.Before(now) {
		w.next = now
	}
	time.Sleep(time.Until(w.next))
	w.next = w.next.Add(w.pause)
}

func wrote(err error, receipt *hitov1.WriteReceipt, entity, kind, key string) bool {
	if err != nil {
		code := err.Error()
		var failure *hito.Error
		if errors.As(err, &failure) {
			code = failure.Code.String()
		}
		say(line{"failed": code, "key": key})
		return false
	}
	say(line{"wrote": line{
		"entity": entity, "kind": kind, "key": key, "cursor": receipt.Cursor, "replayed": receipt.Replayed,
	}})
	return true
}

// watched is what the watch has given.
type watched struct {
	mu   sync.Mutex
	more *sync.Cond
	seen map[string]bool
	err  error
}

func (w *watched) follow(watch *hito.ResumingStream[hitov1.WatchResponse]) {
	for step, err := range watch.All() {
		event := step.GetEvent()
		if err == nil && event != nil {
			say(line{"saw": line{
				"cursor": step.Cursor, "event": event.Id, "entity": event.EntityId, "version": event.Version,
				"type": event.Type,
			}})
		}
		w.mu.Lock()
		w.seen[step.GetCursor()] = w.seen[step.GetCursor()] || event != nil
		w.err = err
		w.mu.Unlock()
		w.more.Broadcast()
	}
}

func (w *watched) has(cursor string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.seen[cursor] && w.err == nil {
		w.more.Wait()
	}
	return w.err
}

func run() error {
	if len(os.Args) != 8 {
		return errors.New("ADDRESSES CA_FILE TOKEN_FILE SECONDS NAME BALANCING RATE")
	}
	token, err := os.ReadFile(os.Args[3])
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(os.Args[4], 64)
	if err != nil {
		return err
	}
	rate, err := strconv.ParseFloat(os.Args[7], 64)
	if err != nil {
		return err
	}
	options := []hito.Option{
		hito.WithCAFile(os.Args[2]), hito.WithToken(strings.TrimSpace(string(token))), hito.WithWaitForReady(),
	}
	if os.Args[6] == "round_robin" {
		options = append(options, hito.WithBalancing(hito.RoundRobin))
	}
	client, err := hito.New(os.Args[1], options...)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx := context.Background()
	start := &hitov1.WatchRequest_FromBeginning{FromBeginning: true}
	watch := client.WatchResuming(ctx, &hitov1.WatchRequest{Start: start})
	seen := watched{seen: map[string]bool{}}
	seen.more = sync.NewCond(&seen.mu)
	go seen.follow(watch)
	w := writer{api: services.New(client), pause: time.Duration(float64(time.Second) / rate)}
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	for number := 1; time.Now().Before(end); number++ {
		w.goal(ctx, fmt.Sprintf("%s-%d", os.Args[5], number))
	}
	say(line{"written": true})
	cursor, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return err
	}
	if err := seen.has(strings.TrimSpace(cursor)); err != nil {
		return err
	}
	say(line{"done": true, "interruptions": watch.Interruptions()})
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
