// Package endtoend tests the client against a real server, which drive.py starts. Without it there is nothing to test.
package endtoend

import (
	"bufio"
	"context"
	"net"
	"os"
	"testing"
	"time"

	"hito.example/hito"
	"hito.example/hito/services"
	hitov1 "hito.example/hito/v1"
)

// world is the server, as its clients see it.
type world struct {
	address, ca, token, admin string
}

func theWorld(t *testing.T) world {
	t.Helper()
	w := world{
		os.Getenv("HITO_ADDRESS"), os.Getenv("HITO_CA"), os.Getenv("HITO_TOKEN"), os.Getenv("HITO_ADMIN_TOKEN"),
	}
	if w.address == "" {
		t.Skip("HITO_ADDRESS names no server: drive.py starts one")
	}
	return w
}

// connect makes a client with a token, which ends with the test.
func (w world) connect(t *testing.T, token string, options ...hito.Option) (*hito.Client, services.Services) {
	t.Helper()
	options = append([]hito.Option{hito.WithCAFile(w.ca), hito.WithToken(token)}, options...)
	client, err := hito.Connect(within(t), w.address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client, services.New(client)
}

// control has drive.py do something with the server.
func control(t *testing.T, what string) {
	t.Helper()
	socket, err := net.Dial("unix", os.Getenv("HITO_CONTROL"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if _, err := socket.Write([]byte(what + "\n")); err != nil {
		t.Fatal(err)
	}
	if answer, err := bufio.NewReader(socket).ReadString('\n'); answer != "done\n" {
		t.Fatalf("%s: %q %v", what, answer, err)
	}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 180*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// must is the reply of a call that has to work.
func must[T any](t *testing.T) func(reply T, err error) T {
	return func(reply T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return reply
	}
}

func aGoal(title string, tasks ...string) *hitov1.CreateGoalRequest {
	request := &hitov1.CreateGoalRequest{Title: title}
	for _, task := range tasks {
		request.Tasks = append(request.Tasks, &hitov1.NewTask{Title: task})
	}
	return request
}
