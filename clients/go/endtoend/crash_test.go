package endtoend

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"hito.example/hito"
	"hito.example/hito/services"
	hitov1 "hito.example/hito/v1"
)

func fromBeginning() *hitov1.WatchRequest {
	return &hitov1.WatchRequest{Start: &hitov1.WatchRequest_FromBeginning{FromBeginning: true}}
}

func TestAWatchGoesOnOverKill9WithoutLossOrDoubles(t *testing.T) {
	w := theWorld(t)
	client, api := w.connect(t, w.token, hito.WithWaitForReady())
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	watch := client.WatchResuming(ctx, fromBeginning())
	seen := make(chan string, 1000)
	go func() {
		defer close(seen)
		for step, err := range watch.All() {
			if err != nil {
				return
			}
			if event := step.GetEvent(); event != nil {
				seen <- event.Id
			}
		}
	}()
	var last *hitov1.WriteReceipt
	create := func(number int) {
		made := must[*hitov1.CreateGoalResponse](t)(
			api.Goal.CreateGoal(ctx, aGoal(fmt.Sprintf("Meta %d", number), "Tarea"), hito.CallTimeout(120*time.Second)))
		last = made.Receipt
	}
	for number := range 3 {
		create(number)
	}
	for range 2 {
		control(t, "kill")
		// Asked while nobody is there: the client waits, and repeats under its key.
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			create(99)
		}()
		control(t, "start")
		<-asked
		create(100)
	}
	logged := readAll(ctx, t, api, last.Cursor)
	var got []string
	for len(got) < len(logged) {
		select {
		case id := <-seen:
			got = append(got, id)
		case <-ctx.Done():
			t.Fatalf("%d of %d events", len(got), len(logged))
		}
	}
	if !slices.Equal(got, logged) {
		t.Fatalf("watched %v, logged %v", got, logged)
	}
	if watch.Interruptions() < 2 {
		t.Fatalf("%d interruptions", watch.Interruptions())
	}
}

// readAll has the ids of all events up to a write.
func readAll(ctx context.Context, t *testing.T, api services.Services, upTo string) []string {
	t.Helper()
	var ids []string
	after := ""
	for {
		page := must[*hitov1.ReadEventsResponse](t)(api.Event.ReadEvents(ctx, &hitov1.ReadEventsRequest{
			AfterCursor: after, PageSize: 200, MinCursor: upTo,
		}))
		for _, event := range page.Events {
			ids = append(ids, event.Id)
		}
		if after = page.NextCursor; page.AtEnd {
			return ids
		}
	}
}

func TestAConsumerGroupGoesOnOverKill9(t *testing.T) {
	w := theWorld(t)
	client, api := w.connect(t, w.admin, hito.WithWaitForReady())
	ctx := within(t)
	group := &hitov1.ConsumerGroup{Name: "go-mailer", Filter: &hitov1.EventFilter{Types: []string{"goal.created"}}}
	must[*hitov1.CreateConsumerGroupResponse](t)(
		api.Event.CreateConsumerGroup(ctx, &hitov1.CreateConsumerGroupRequest{Group: group}))
	consumer := client.ConsumeResuming(ctx, hito.ConsumerConfig{Group: group.Name})
	var made []string
	for number := range 4 {
		reply := must[*hitov1.CreateGoalResponse](t)(
			api.Goal.CreateGoal(ctx, aGoal(fmt.Sprintf("Correo %d", number)), hito.CallTimeout(120*time.Second)))
		made = append(made, reply.Goal.Id)
		if number == 1 {
			control(t, "kill")
			control(t, "start")
		}
	}
	settled := map[string]bool{}
	for delivery, err := range consumer.All() {
		if err != nil {
			t.Fatal(err)
		}
		isDone := must[bool](t)(delivery.Ack(ctx))
		if isDone {
			settled[delivery.Event.EntityId] = true
		}
		if !slices.ContainsFunc(made, func(id string) bool { return !settled[id] }) {
			break
		}
	}
	if consumer.Name() == "" {
		t.Fatal("it has a name")
	}
}

// strangersCertificate is that of an authority which has signed nothing.
func strangersCertificate(t *testing.T) []byte {
	t.Helper()
	key := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	certificate := must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
}
