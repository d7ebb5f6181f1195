package hito

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"hito.example/hito/internal/renewal"
)

const tokenTimeout = 10 * time.Second

// Token is what a [TokenProvider] answers with.
type Token struct {
	// Text is the token itself.
	Text string
	// ValidFor is for how long it is valid from now on; 0 where that is not known.
	ValidFor time.Duration
}

// String does not say the token, so that nobody prints it by mistake.
func (t Token) String() string { return fmt.Sprintf("a token (valid for %v)", t.ValidFor) }

// GoString is String.
func (t Token) GoString() string { return t.String() }

// TokenProvider makes a token. It runs in a goroutine of its own, one at a time, and its context ends with its time and
// with the client. A call that it makes with the same client needs a [CallToken]: others wait for its answer.
type TokenProvider func(context.Context) (Token, error)

// tokens has the current token of a client, and the one question for the next. The machine decides; this asks the
// provider, and has calls wait for the answer.
type tokens struct {
	provider TokenProvider
	timeout  time.Duration
	log      *clientLog
	asking   context.Context // of all questions
	cancel   context.CancelFunc

	mu       sync.Mutex
	machine  renewal.Machine
	question *question
	cause    error // what the provider failed with last
	isClosed bool
}

// question is one, for all calls that wait for its answer.
type question struct{ ended chan struct{} }

func newTokens(provider TokenProvider, timeout time.Duration, log *clientLog) *tokens {
	t := &tokens{provider: provider, timeout: timeout, log: log}
	t.asking, t.cancel = context.WithCancel(context.Background())
	return t
}

// get is the token for an attempt, for which it may have to wait.
func (t *tokens) get(ctx context.Context) (string, *Error) {
	step, asked, failure := t.next()
	if failure != nil {
		return "", failure
	}
	if step.Verdict == renewal.Use {
		return step.Text, nil
	}
	if asked != nil {
		select {
		case <-asked.ended:
		case <-ctx.Done():
			// It leaves the question to the others.
			return "", asError(ctx.Err(), true)
		}
	}
	return t.afterQuestion()
}

func (t *tokens) next() (renewal.Step, *question, *Error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isClosed {
		return renewal.Step{}, nil, closedError()
	}
	step := t.machine.Next(time.Now())
	if step.Verdict == renewal.Ask {
		t.question = &question{make(chan struct{})}
		go t.ask(t.question)
	}
	return step, t.question, nil
}

func (t *tokens) afterQuestion() (string, *Error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.isClosed {
		return "", closedError()
	}
	step := t.machine.AfterQuestion(time.Now())
	if step.Verdict == renewal.Use {
		return step.Text, nil
	}
	return "", notStarted(Unauthenticated, "%s", t.machine.Reason()).because(t.cause)
}

// ask runs in a goroutine of its own, which a provider that does not look at its context keeps beyond its time.
func (t *tokens) ask(asked *question) {
	ctx, cancel := context.WithTimeout(t.asking, t.timeout)
	defer cancel()
	late := func(m *renewal.Machine, now time.Time, chance float64) renewal.Outcome {
		return m.Failed("the token provider did not answer in time", now, chance)
	}
	// Also where the provider ends its goroutine.
	context.AfterFunc(ctx, func() { t.ended(asked, nil, late) })
	token, err := t.answer(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		t.ended(asked, nil, late)
	case err != nil:
		t.ended(asked, err, func(m *renewal.Machine, now time.Time, chance float64) renewal.Outcome {
			// Its text is the provider's own, and may say what nobody should read.
			return m.Failed(fmt.Sprintf("the token provider failed with %T", err), now, chance)
		})
	default:
		t.ended(asked, nil, func(m *renewal.Machine, now time.Time, chance float64) renewal.Outcome {
			return m.Answered(token.Text, token.ValidFor, now, chance)
		})
	}
}

// answer is the provider's; one that panics has failed.
func (t *tokens) answer(ctx context.Context) (token Token, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("the token provider panicked: %v", thrown)
		}
	}()
	return t.provider(ctx)
}

// ended takes what came of a question; nothing where it has ended before.
func (t *tokens) ended(
	asked *question, cause error, take func(m *renewal.Machine, now time.Time, chance float64) renewal.Outcome,
) {
	t.mu.Lock()
	if t.question != asked {
		t.mu.Unlock()
		return
	}
	t.question, t.cause = nil, cause
	outcome := take(&t.machine, time.Now(), rand.Float64())
	t.mu.Unlock()
	defer close(asked.ended)
	t.log.tokenOutcome(outcome)
}

// refused: a server did not take a token.
func (t *tokens) refused(text string) {
	t.mu.Lock()
	outcome, rests := t.machine.Refused(text, time.Now(), rand.Float64())
	if rests {
		t.cause = nil
	}
	t.mu.Unlock()
	if rests {
		t.log.tokenOutcome(outcome)
	}
}

// taken: a server answered a call under a token.
func (t *tokens) taken(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.machine.Taken(text)
}

// close ends the question; who waits gets an error.
func (t *tokens) close() {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.isClosed = true
	asked := t.question
	t.question = nil
	t.mu.Unlock()
	if asked != nil {
		close(asked.ended)
	}
	t.cancel()
}
