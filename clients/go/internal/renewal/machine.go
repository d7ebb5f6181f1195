// Package renewal decides which token calls have, and when a provider is asked for another (C5.8). It asks nobody and
// waits for nothing; time and chance are arguments.
//
//	none --asked--> current --refused--> none --asked--> current
//	                  +--margin: asked again, current until then
//	asked in vain, or two tokens in a row refused: rests, and nobody asks
package renewal

import (
	"time"

	"hito.example/hito/internal/pacing"
	"hito.example/hito/internal/wire"
)

// marginMax is how long before its end a token is replaced, at most; a tenth of its time where that is less.
const marginMax = 10 * time.Second

// Verdict is what a call that needs a token does.
type Verdict int

const (
	// Use the token of the step.
	Use Verdict = iota
	// Ask the provider, and look again with AfterQuestion.
	Ask
	// Wait for the question that is under way, and look again with AfterQuestion.
	Wait
	// Fail: there is no token.
	Fail
)

// Step is a verdict with its token.
type Step struct {
	Verdict Verdict
	Text    string
}

// Outcome is what happened that is worth a record: a new token, or a rest where Reason says why.
type Outcome struct {
	// ValidFor is the time of the new token; 0 where the provider does not know.
	ValidFor time.Duration
	Reason   string
	Rest     time.Duration
}

// Machine has the token of a client. The zero value has none.
type Machine struct {
	text       string // empty where there is none
	validUntil time.Time
	renewAt    time.Time
	// isProven: a call under it had another answer than that it is refused.
	isProven    bool
	refusedText string
	refusals    int // of unproven tokens, in a row
	backoff     pacing.Backoff
	restsUntil  time.Time
	isAsking    bool
	reason      string
}

// Reason is why there is no token.
func (m *Machine) Reason() string {
	if m.reason == "" {
		return "the token provider has no token"
	}
	return m.reason
}

// Next is for a call that needs a token.
func (m *Machine) Next(now time.Time) Step {
	switch {
	case m.text != "" && isBefore(now, m.renewAt):
		return Step{Use, m.text}
	case m.isAsking:
		return Step{Verdict: Wait}
	case now.Before(m.restsUntil):
		return m.AfterQuestion(now)
	}
	m.isAsking = true
	return Step{Verdict: Ask}
}

// AfterQuestion is for a call that has waited for a question; it does not wait for another.
func (m *Machine) AfterQuestion(now time.Time) Step {
	if m.text != "" && isBefore(now, m.validUntil) {
		return Step{Use, m.text}
	}
	return Step{Verdict: Fail}
}

// Answered ends a question with a token, and the time for which it is valid; 0 where that is not known.
func (m *Machine) Answered(text string, validFor time.Duration, now time.Time, chance float64) Outcome {
	if reason := m.useless(text, validFor); reason != "" {
		return m.Failed(reason, now, chance)
	}
	m.isAsking = false
	m.text, m.isProven = text, false
	m.validUntil, m.renewAt = time.Time{}, time.Time{}
	if validFor > 0 {
		m.validUntil = now.Add(validFor)
		m.renewAt = now.Add(validFor - min(marginMax, validFor/10))
	}
	return Outcome{ValidFor: validFor}
}

// Failed ends a question without a token.
func (m *Machine) Failed(reason string, now time.Time, chance float64) Outcome {
	m.isAsking = false
	return m.rest(reason, now, chance)
}

// Refused says that a server did not take a token; whether that is worth a record. One that is not the current any more
// does not matter.
func (m *Machine) Refused(text string, now time.Time, chance float64) (outcome Outcome, rests bool) {
	if text == "" || text != m.text {
		return Outcome{}, false
	}
	m.refusals++
	if m.isProven {
		m.refusals = 0
	}
	m.text, m.refusedText = "", text
	if m.refusals < 2 {
		return Outcome{}, false
	}
	return m.rest("the server refuses the tokens of the provider", now, chance), true
}

// Taken says that a server answered a call under a token.
func (m *Machine) Taken(text string) {
	if text == m.text && !m.isProven {
		m.isProven = true
		m.refusals = 0
		m.backoff.Reset()
	}
}

func (m *Machine) useless(text string, validFor time.Duration) string {
	switch {
	case wire.CheckText("token", text, wire.TokenMax) != nil:
		return "the token provider gave what may not be sent"
	case text == m.refusedText:
		return "the token provider gave the token that was refused"
	case validFor < 0:
		return "the token provider gave a token that is not valid any more"
	}
	return ""
}

func (m *Machine) rest(reason string, now time.Time, chance float64) Outcome {
	m.reason = reason
	wait := m.backoff.Next(0, chance)
	m.restsUntil = now.Add(wait)
	return Outcome{Reason: reason, Rest: wait}
}

// isBefore tells whether a time is still to come; the zero time never comes.
func isBefore(now, at time.Time) bool { return at.IsZero() || now.Before(at) }
