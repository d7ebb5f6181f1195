// Command journey is the code of the client's README, which says what it shows.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"hito.example/hito"
	"hito.example/hito/services"
	hitov1 "hito.example/hito/v1"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	address, caFile, token := os.Getenv("HITO_ADDRESS"), os.Getenv("HITO_CA"), os.Getenv("HITO_TOKEN")

	client, err := hito.Connect(ctx, address, // or several: "a:7443,b:7443"
		hito.WithCAFile(caFile), // <data-dir>/tls/ca.pem of a development server
		hito.WithToken(token))   // from `hito token create`
	if err != nil {
		return err
	}
	defer client.Close()
	api := services.New(client)

	// 1. A goal with its first tasks
	made, err := api.Goal.CreateGoal(ctx, &hitov1.CreateGoalRequest{
		Title: "Aprender FastAPI",
		Tasks: []*hitov1.NewTask{{Title: "Primera API"}, {Title: "Pruebas"}},
	})
	if err != nil {
		return err
	}

	// 2. Complete a task; the goal follows
	done, err := api.Task.CompleteTask(ctx, &hitov1.CompleteTaskRequest{TaskId: made.Tasks[0].Id})
	if err != nil {
		return err
	}
	fmt.Println(done.Goal.ProgressPercentage) // 50

	// 3. Read what was just written, on any replica
	goals, err := api.Goal.ListGoals(ctx, &hitov1.ListGoalsRequest{MinCursor: done.Receipt.Cursor})
	if err != nil {
		return err
	}
	fmt.Println(len(goals.Goals))

	// 4. Watch live, for ever, through broken connections and restarted servers
	watch := client.WatchResuming(ctx, &hitov1.WatchRequest{
		Start: &hitov1.WatchRequest_FromBeginning{FromBeginning: true},
	})
	for step, err := range watch.All() {
		if err != nil {
			return err
		}
		if event := step.GetEvent(); event != nil {
			fmt.Println(event.Type, event.PayloadJson)
		} else {
			break // caught up; a program that continues hears what happens now
		}
	}
	saved := watch.Cursor() // to continue in another process, by AfterCursor
	return more(ctx, client, api, address, caFile, made.Goal, saved)
}

func more(
	ctx context.Context, client *hito.Client, api services.Services, address, caFile string,
	goal *hitov1.Goal, saved string,
) error {
	_, err := api.Goal.CreateGoal(ctx, &hitov1.CreateGoalRequest{})
	var failure *hito.Error
	switch {
	case errors.Is(err, hito.Aborted): // another client was faster: read again, decide again
		return err
	case errors.As(err, &failure) && failure.Code == hito.InvalidArgument:
		for _, violation := range failure.Details.FieldViolations {
			fmt.Println(violation.Field, violation.Description)
		}
	}

	// A stream, response by response. Who leaves before its end closes it.
	stream := api.Progress.Watch(ctx, &hitov1.WatchRequest{
		Start: &hitov1.WatchRequest_AfterCursor{AfterCursor: saved},
	})
	defer stream.Close()
	step, err := stream.Recv() // io.EOF at its end
	if err != nil {
		return err
	}
	fmt.Println(step.Cursor)

	// Requests and responses, each at their own pace
	both, err := api.Event.Consume(ctx)
	if err != nil {
		return err
	}
	defer both.Close()
	join := &hitov1.ConsumeRequest_Join{Join: &hitov1.JoinGroup{Group: "mailer"}}
	if err := both.Send(&hitov1.ConsumeRequest{Step: join}); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	both.CloseSend()
	if _, err := both.Recv(); !errors.Is(err, hito.PermissionDenied) { // a learner has no groups
		return fmt.Errorf("a learner joined: %w", err)
	}

	var info hito.ResponseInfo
	_, err = api.Goal.UpdateGoal(ctx, renamed(goal),
		hito.CallTimeout(5*time.Second), hito.CallKey("rename-1"),
		hito.CallMetadata(hito.Metadata{"hito-echo-a": "x"}), hito.CallResponseInfo(&info))
	if err != nil {
		return err
	}
	fmt.Println(info.Metadata, info.Trailers)
	return configured(ctx, address, caFile)
}

// fresh is a token from wherever tokens come.
func fresh(ctx context.Context) (hito.Token, error) {
	return hito.Token{Text: os.Getenv("HITO_TOKEN"), ValidFor: 24 * time.Hour}, ctx.Err()
}

func configured(ctx context.Context, address, caFile string) error {
	client, err := hito.New(address,
		hito.WithCAFile(caFile),
		hito.WithTokenProvider(fresh),
		hito.WithBalancing(hito.RoundRobin),                          // in turn; without it the first that answers
		hito.WithWaitForReady(),                                      // calls wait for a server within their time
		hito.WithHealthCheck(),                                       // none for a server that says that it does not serve
		hito.WithConnectionsPerAddress(4),                            // another one where those that there are have no room
		hito.WithKeepalive(10*time.Second),                           // of silence, before a sign of life is asked for
		hito.WithHedging(hito.Hedging{Delay: 50 * time.Millisecond}), // a slow read is asked again beside
		hito.WithRetryBudget(100, 200),                               // a burst, then so many a second
		hito.WithMessageMax(16<<20),                                  // bytes of an answer
		hito.WithCompression(),                                       // for slow networks
		hito.WithLog(hito.LogTo(slog.Default())),
		hito.WithInterceptors(timed),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = services.New(client).Goal.ListGoals(ctx, &hitov1.ListGoalsRequest{})
	return err
}

// timed is around every call.
func timed(ctx context.Context, call *hito.Call, proceed hito.Proceed) error {
	began := time.Now()
	call.OnEnd(func(err error) {
		slog.Info("called", "method", call.Method.Path, "took", time.Since(began), "code", hito.CodeOf(err))
	})
	return proceed(ctx)
}

func renamed(goal *hitov1.Goal) *hitov1.UpdateGoalRequest {
	return &hitov1.UpdateGoalRequest{
		GoalId: goal.Id, Goal: &hitov1.Goal{Title: "Aprender FastAPI bien"},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"title"}},
	}
}
