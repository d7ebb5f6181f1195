package endtoend

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"hito.example/hito"
	hitov1 "hito.example/hito/v1"
)

func TestAJourney(t *testing.T) {
	w := theWorld(t)
	_, api := w.connect(t, w.token)
	ctx := within(t)
	made := must[*hitov1.CreateGoalResponse](t)(api.Goal.CreateGoal(ctx, aGoal("Aprender Go", "Uno", "Dos")))
	done := must[*hitov1.CompleteTaskResponse](t)(
		api.Task.CompleteTask(ctx, &hitov1.CompleteTaskRequest{TaskId: made.Tasks[0].Id}))
	if done.Goal.ProgressPercentage != 50 {
		t.Fatalf("the goal follows its tasks: %v", done.Goal)
	}
	listed := must[*hitov1.ListGoalsResponse](t)(
		api.Goal.ListGoals(ctx, &hitov1.ListGoalsRequest{MinCursor: done.Receipt.Cursor}))
	if len(listed.Goals) == 0 {
		t.Fatal("what was just written is read")
	}
}

func TestErrorsAreTyped(t *testing.T) {
	w := theWorld(t)
	_, api := w.connect(t, w.token)
	_, err := api.Goal.CreateGoal(within(t), aGoal(""))
	var failure *hito.Error
	if !errors.As(err, &failure) || !errors.Is(err, hito.InvalidArgument) || !failure.FromServer {
		t.Fatal(err)
	}
	if violations := failure.Details.FieldViolations; len(violations) != 1 || violations[0].Field != "title" {
		t.Fatalf("violations: %v", violations)
	}
	if failure.Reason() == hitov1.ErrorReason_ERROR_REASON_UNSPECIFIED {
		t.Fatalf("a reason: %v", failure.Details)
	}
	_, err = api.Goal.GetGoal(within(t), &hitov1.GetGoalRequest{GoalId: "00000000-0000-4000-8000-000000000000"})
	if !errors.Is(err, hito.NotFound) {
		t.Fatal(err)
	}
	_, stranger := w.connect(t, "hito_nobody")
	_, err = stranger.Goal.ListGoals(within(t), &hitov1.ListGoalsRequest{})
	if !errors.Is(err, hito.Unauthenticated) || !errors.As(err, &failure) || !failure.NotStarted {
		t.Fatal(err)
	}
}

func TestAServerThatIsNotTrustedIsRefused(t *testing.T) {
	w := theWorld(t)
	another := filepath.Join(t.TempDir(), "another.pem")
	if err := os.WriteFile(another, strangersCertificate(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string][]hito.Option{
		"another authority": {hito.WithCAFile(another)},
		"another name":      {hito.WithCAFile(w.ca), hito.WithServerName("other.example")},
		"the system's":      {},
	} {
		// Waiting for a server does not help: it will not be trusted later.
		client, err := hito.Connect(within(t), w.address, append(options, hito.WithWaitForReady())...)
		if err == nil {
			client.Close()
		}
		if !errors.Is(err, hito.Unavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheFourKindsOfCalls(t *testing.T) {
	w := theWorld(t)
	_, api := w.connect(t, w.admin)
	ctx := within(t)

	course := must[*hitov1.CreateCourseResponse](t)(
		api.Course.CreateCourse(ctx, &hitov1.CreateCourseRequest{Title: "Git"}))
	upload, err := api.Course.IngestDocuments(ctx)
	if err != nil {
		t.Fatal(err)
	}
	start := &hitov1.IngestStart{CourseId: course.Course.Id}
	document := &hitov1.CourseDocument{Path: "uno.md", Content: []byte("# Uno\n\nEl primer documento.")}
	for _, step := range []*hitov1.IngestDocumentsRequest{
		{Step: &hitov1.IngestDocumentsRequest_Start{Start: start}},
		{Step: &hitov1.IngestDocumentsRequest_Document{Document: document}},
	} {
		if err := upload.Send(step); err != nil {
			t.Fatal(err)
		}
	}
	taken := must[*hitov1.IngestDocumentsResponse](t)(upload.CloseAndRecv())
	if taken.DocumentsReceived != 1 || taken.DocumentsChanged != 1 {
		t.Fatal(taken)
	}

	for step, err := range api.Progress.Watch(ctx, fromBeginning()).All() {
		if err != nil {
			t.Fatal(err)
		}
		// What was just written may come behind the mark.
		if step.GetEvent() != nil {
			break
		}
	}

	group := &hitov1.ConsumerGroup{Name: "go-kinds", Filter: &hitov1.EventFilter{Types: []string{"course.*"}}}
	must[*hitov1.CreateConsumerGroupResponse](t)(
		api.Event.CreateConsumerGroup(ctx, &hitov1.CreateConsumerGroupRequest{Group: group}))
	both, err := api.Event.Consume(ctx)
	if err != nil {
		t.Fatal(err)
	}
	join := &hitov1.ConsumeRequest_Join{Join: &hitov1.JoinGroup{Group: group.Name}}
	if err := both.Send(&hitov1.ConsumeRequest{Step: join}); err != nil {
		t.Fatal(err)
	}
	if joined := must[*hitov1.ConsumeResponse](t)(both.Recv()); joined.Joined == nil {
		t.Fatal(joined)
	}
	both.CloseSend()
	for _, err := range both.All() {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeadlinesAndCancellation(t *testing.T) {
	w := theWorld(t)
	_, api := w.connect(t, w.token)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	for _, err := range api.Progress.Watch(ctx, &hitov1.WatchRequest{}).All() {
		if err != nil && (!errors.Is(err, hito.DeadlineExceeded) || !errors.Is(err, context.DeadlineExceeded)) {
			t.Fatal(err)
		}
	}
	ctx, cancel = context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	_, api = w.connect(t, w.token)
	var last error
	for _, err := range api.Health.Watch(ctx, &hitov1.HealthWatchRequest{}).All() {
		last = err
	}
	if !errors.Is(last, hito.Cancelled) || !errors.Is(last, context.Canceled) {
		t.Fatal(last)
	}
	_, err := api.Goal.ListGoals(within(t), &hitov1.ListGoalsRequest{}, hito.CallTimeout(0))
	if !errors.Is(err, hito.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestARepeatUnderTheSameKeyHasNoSecondEffect(t *testing.T) {
	w := theWorld(t)
	_, api := w.connect(t, w.token)
	request := aGoal("Una vez")
	first := must[*hitov1.CreateGoalResponse](t)(api.Goal.CreateGoal(within(t), request, hito.CallKey("go-once")))
	again := must[*hitov1.CreateGoalResponse](t)(api.Goal.CreateGoal(within(t), request, hito.CallKey("go-once")))
	if first.Goal.Id != again.Goal.Id || first.Receipt.Replayed || !again.Receipt.Replayed {
		t.Fatalf("%v, then %v", first, again)
	}
	_, err := api.Goal.CreateGoal(within(t), aGoal("Otra"), hito.CallKey("go-once"))
	if !errors.Is(err, hito.AlreadyExists) {
		t.Fatal(err)
	}
}

func TestMetadataCompressionAndATokenThatIsReplaced(t *testing.T) {
	w := theWorld(t)
	var asked atomic.Int32
	provider := hito.WithTokenProvider(func(context.Context) (hito.Token, error) {
		// The first has expired.
		if asked.Add(1) == 1 {
			return hito.Token{Text: "hito_expired"}, nil
		}
		return hito.Token{Text: w.token, ValidFor: time.Hour}, nil
	})
	_, api := w.connect(t, "", provider, hito.WithCompression())
	for range 3 {
		must[*hitov1.ListGoalsResponse](t)(api.Goal.ListGoals(within(t), &hitov1.ListGoalsRequest{}))
	}
	if asked.Load() != 2 {
		t.Fatalf("asked %d times", asked.Load())
	}
	var info hito.ResponseInfo
	long := make([]byte, 9000)
	for place := range long {
		long[place] = "abcdefg "[place%8]
	}
	request := aGoal("Comprimido")
	request.Description = string(long)
	sent := hito.Metadata{"hito-echo-a": "ñ", "hito-echo-trailer-b-bin": "\x00\xff"}
	made := must[*hitov1.CreateGoalResponse](t)(
		api.Goal.CreateGoal(within(t), request, hito.CallMetadata(sent), hito.CallResponseInfo(&info)))
	if made.Goal.Description != request.Description {
		t.Fatal("what was compressed comes back")
	}
	if info.Metadata["hito-echo-a"] != "ñ" || info.Trailers["hito-echo-trailer-b-bin"] != "\x00\xff" {
		t.Fatalf("%q", info)
	}
}
