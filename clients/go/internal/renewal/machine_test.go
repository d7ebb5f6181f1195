package renewal

import (
	"strings"
	"testing"
	"time"
)

// machine is one on a clock of the test's own; chance is 1, so that the rests are 50, 100, 200 ms …
type machine struct {
	*testing.T
	Machine
	began, now time.Time
}

func newMachine(t *testing.T) *machine {
	began := time.Unix(1_000_000, 0)
	return &machine{T: t, began: began, now: began}
}

func (m *machine) at(after time.Duration) { m.now = m.began.Add(after) }

// wants holds what a call gets to what is expected: a token, or one of ask, wait, fail.
func (m *machine) wants(expected string) {
	m.Helper()
	m.compare(expected, m.Next(m.now))
}

func (m *machine) thenWants(expected string) {
	m.Helper()
	m.compare(expected, m.AfterQuestion(m.now))
}

func (m *machine) compare(expected string, step Step) {
	m.Helper()
	got := map[Verdict]string{Use: step.Text, Ask: "ask", Wait: "wait", Fail: "fail"}[step.Verdict]
	if got != expected {
		m.Fatalf("%s, not %s", got, expected)
	}
}

func (m *machine) answer(text string, validFor time.Duration) Outcome {
	return m.Answered(text, validFor, m.now, 1)
}

func (m *machine) fail() Outcome { return m.Failed("gone", m.now, 1) }

// refuse has a server refuse a token; how long nobody asks then.
func (m *machine) refuse(text string) time.Duration {
	outcome, _ := m.Refused(text, m.now, 1)
	return outcome.Rest
}

// takes has the provider asked, and answer.
func (m *machine) takes(text string, validFor time.Duration) {
	m.Helper()
	m.wants("ask")
	if outcome := m.answer(text, validFor); outcome.Reason != "" {
		m.Fatal(outcome.Reason)
	}
	m.wants(text)
}

func TestThereIsOneQuestionForAll(t *testing.T) {
	m := newMachine(t)
	m.wants("ask")
	m.wants("wait")
	m.wants("wait")
	m.answer("a", 0)
	m.thenWants("a")
	m.at(1e6 * time.Hour)
	m.wants("a")
}

func TestATokenIsRenewedInItsMarginAndUsedOnWhereThatFails(t *testing.T) {
	m := newMachine(t)
	m.takes("a", 1000*time.Second)
	m.at(989 * time.Second)
	m.wants("a")
	m.at(990 * time.Second) // Ten seconds are left.
	m.wants("ask")
	m.wants("wait")
	if outcome := m.fail(); outcome.Rest != 50*time.Millisecond || outcome.Reason != "gone" {
		t.Fatal(outcome)
	}
	m.thenWants("a")
	m.wants("a")
	m.at(990*time.Second + 50*time.Millisecond)
	m.takes("b", 50*time.Second)
	m.at(1035 * time.Second)
	m.wants("b")
	m.at(1036 * time.Second) // A tenth is left.
	m.takes("c", 0)
}

func TestATokenThatHasExpiredIsNotUsed(t *testing.T) {
	m := newMachine(t)
	m.takes("a", time.Second)
	m.at(time.Second)
	m.wants("ask")
	m.fail()
	m.thenWants("fail")
	m.wants("fail")
	if m.Reason() != "gone" {
		t.Fatal(m.Reason())
	}
}

func TestARefusedTokenIsReplacedAndAnOlderOneDoesNotMatter(t *testing.T) {
	m := newMachine(t)
	m.takes("a", 0)
	if m.refuse("a") != 0 {
		t.Fatal("the first costs no rest")
	}
	m.takes("b", 0)
	m.refuse("a")
	m.refuse("")
	m.wants("b")
}

func TestTwoUnprovenTokensInARowThatAreRefusedCostARest(t *testing.T) {
	m := newMachine(t)
	m.takes("a", 0)
	m.refuse("a")
	m.takes("b", 0)
	if rest := m.refuse("b"); rest != 50*time.Millisecond {
		t.Fatal(rest)
	}
	m.wants("fail")
	m.at(50 * time.Millisecond)
	m.takes("c", 0)
	if rest := m.refuse("c"); rest != 100*time.Millisecond {
		t.Fatal("rests grow", rest)
	}
	m.at(150 * time.Millisecond)
	m.takes("d", 0)
	m.Taken("c") // That of another token says nothing of this one.
	m.Taken("d")
	m.refuse("d")
	m.takes("e", 0)
	if rest := m.refuse("e"); rest != 0 {
		t.Fatal("the row began anew", rest)
	}
	m.takes("f", 0)
	if rest := m.refuse("f"); rest != 50*time.Millisecond {
		t.Fatal("so did the rests", rest)
	}
}

func TestAProvenTokenThatIsRevokedCostsNoRest(t *testing.T) {
	m := newMachine(t)
	for _, text := range []string{"a", "b", "c", "d"} {
		m.takes(text, 0)
		m.Taken(text)
		if m.refuse(text) != 0 {
			t.Fatal(text)
		}
	}
}

func TestWhatIsNoTokenIsAFailure(t *testing.T) {
	for name, one := range map[string]given{
		"empty": {"", 0}, "long": {strings.Repeat("x", 257), 0}, "a NUL": {"a\x00b", 0}, "no text": {"\xff", 0},
		"too late": {"b", -1}, "the refused one": {"a", 0},
	} {
		m := newMachine(t)
		m.takes("a", 0)
		m.refuse("a")
		m.wants("ask")
		if outcome := m.answer(one.text, one.validFor); outcome.Rest != 50*time.Millisecond {
			t.Errorf("%s: %+v", name, outcome)
		}
		m.wants("fail")
		m.at(50 * time.Millisecond)
		m.takes(strings.Repeat("x", 256), 0)
	}
}

// given is what a provider gives.
type given struct {
	text     string
	validFor time.Duration
}

func TestATokenThatIsRefusedWhileTheNextIsAskedFor(t *testing.T) {
	m := newMachine(t)
	m.takes("a", 100*time.Second)
	m.at(95 * time.Second)
	m.wants("ask")
	m.refuse("a")
	m.wants("wait")
	m.thenWants("fail")
	m.answer("b", 0)
	m.wants("b")
}
