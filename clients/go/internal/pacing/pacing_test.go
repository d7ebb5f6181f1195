package pacing

import (
	"testing"
	"time"
)

var start = time.Unix(1_000_000, 0)

func TestWaitsGrowFromFiftyMillisecondsToFiveSeconds(t *testing.T) {
	var backoff Backoff
	for place, expected := range []int{50, 100, 200, 400, 800, 1600, 3200, 5000, 5000} {
		if wait := backoff.Next(0, 1); wait != time.Duration(expected)*time.Millisecond {
			t.Errorf("wait %d: %v", place, wait)
		}
	}
	backoff.Reset()
	if wait := backoff.Next(0, 0); wait != 25*time.Millisecond {
		t.Errorf("half is chance: %v", wait)
	}
	if wait := backoff.Next(2*time.Second, 0); wait != 2*time.Second {
		t.Errorf("at least what the server asks: %v", wait)
	}
	if wait := backoff.Next(time.Hour, 0); wait != PushbackMax {
		t.Errorf("within reason: %v", wait)
	}
}

func TestABurstIsFreeAndThenRepeatsAreSpread(t *testing.T) {
	pacer := NewPacer(2, 10)
	for place, expected := range []time.Duration{0, 0, 100 * time.Millisecond, 200 * time.Millisecond} {
		if delay := pacer.Delay(start); delay != expected {
			t.Errorf("repeat %d: %v", place, delay)
		}
	}
	if delay := pacer.Delay(start.Add(time.Minute)); delay != 0 {
		t.Errorf("the burst comes back: %v", delay)
	}
}

func TestCopiesAreMadeFromTheSameBudget(t *testing.T) {
	pacer := NewPacer(2, 10)
	for place, expected := range []bool{true, true, false} {
		if pacer.TakeNow(start) != expected {
			t.Errorf("copy %d: expected %v", place, expected)
		}
	}
	later := start.Add(100 * time.Millisecond)
	if !pacer.TakeNow(later) || pacer.TakeNow(later) || pacer.Delay(later) != 100*time.Millisecond {
		t.Error("one more after a tenth of a second")
	}
}
