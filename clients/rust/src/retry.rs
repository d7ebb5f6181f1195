//! When to try again. Time and chance are arguments.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Code, Error};
use crate::random::chance;
use crate::sync::locked;

pub(crate) const BACKOFF_MIN: Duration = Duration::from_millis(50);
pub(crate) const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// The longest that a server can make a client wait.
pub(crate) const PUSHBACK_MAX: Duration = Duration::from_secs(60);

/// How many repeats the calls of a client have together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// At once.
    pub burst: u32,
    /// When that is used up: further repeats wait, and further copies are not made.
    pub per_second: f64,
}

impl Default for RetryBudget {
    fn default() -> Self {
        RetryBudget { burst: 100, per_second: 200.0 }
    }
}

/// When a call is made again beside itself: the first response counts, the other copies are cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedging {
    /// Between one copy and the next; a millisecond or more.
    pub delay: Duration,
    /// In all, 1 (not hedged) to 5.
    pub copies: u32,
}

impl Hedging {
    /// Two copies in all.
    pub fn after(delay: Duration) -> Hedging {
        Hedging { delay, copies: 2 }
    }
}

/// How long to wait after so many failures before the last: half is fixed, half is chance.
pub(crate) fn backoff(failures: u32, chance: f64) -> Duration {
    let ceiling = BACKOFF_MIN.saturating_mul(1 << failures.min(20)).min(BACKOFF_MAX);
    ceiling.mul_f64(0.5 + 0.5 * chance)
}

/// Delays that grow with each failure, from 50 ms to 5 s (W14.3).
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// How long to wait; at least what the server asked for, within reason.
    pub fn next(&mut self, pushback: Option<Duration>) -> Duration {
        let delay = backoff(self.failures, chance());
        self.failures = self.failures.saturating_add(1);
        delay.max(pushback.unwrap_or_default().min(PUSHBACK_MAX))
    }
}

/// Spreads the repeats of all calls of a client: a burst is free, then so many a second. A server that comes back
/// after an outage meets a bounded stream of them instead of all at once.
#[derive(Debug)]
pub(crate) struct Pacer {
    burst: f64,
    per_second: f64,
    state: Mutex<Option<Bucket>>,
}

/// What is left; below zero where repeats are booked for later.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Pacer {
    pub fn new(budget: RetryBudget) -> Pacer {
        let burst = f64::from(budget.burst.max(1));
        Pacer { burst, per_second: budget.per_second.max(1e-3), state: Mutex::new(None) }
    }

    /// Books a repeat; how much later than planned it should happen.
    pub fn delay(&self, now: Instant) -> Duration {
        let mut state = locked(&self.state);
        let left = self.left(*state, now) - 1.0;
        *state = Some(Bucket { left, at: now });
        Duration::try_from_secs_f64((-left).max(0.0) / self.per_second).unwrap_or(PUSHBACK_MAX)
    }

    /// Books a repeat that is of use now or not at all; false where there is none left.
    pub fn take_now(&self, now: Instant) -> bool {
        let mut state = locked(&self.state);
        // Beyond the rounding of a sum of intervals.
        let left = self.left(*state, now) - 1.0;
        if left < -1e-6 {
            return false;
        }
        *state = Some(Bucket { left, at: now });
        true
    }

    fn left(&self, state: Option<Bucket>, now: Instant) -> f64 {
        let Some(bucket) = state else { return self.burst };
        let earned = now.saturating_duration_since(bucket.at).as_secs_f64() * self.per_second;
        (bucket.left + earned).min(self.burst)
    }
}

/// Whether a call that failed is repeated, and when.
#[derive(Debug)]
pub(crate) struct Repeats {
    backoff: Backoff,
    end: Option<Instant>,
    repeat_time: Option<Duration>,
}

impl Repeats {
    /// - `repeat_time`: for how long after its first failure a call without a deadline is repeated; without end
    ///   where none.
    pub fn new(deadline: Option<Instant>, repeat_time: Option<Duration>) -> Repeats {
        Repeats { backoff: Backoff::default(), end: deadline, repeat_time }
    }

    /// How long to wait before the next attempt; `error` where there is to be none.
    pub fn delay(&mut self, pacer: &Pacer, error: Error, may_repeat: bool, now: Instant) -> Result<Duration, Error> {
        if self.end.is_none() {
            self.end = self.repeat_time.map(|time| now + time);
        }
        // With a cursor where it continues is the caller's to say: the same request might begin elsewhere.
        if !error.is(Code::Unavailable) || !may_repeat || error.is_lasting() || !error.resume_cursor().is_empty() {
            return Err(error);
        }
        let wait = self.backoff.next(error.retry_delay());
        if self.is_too_late(now + wait) {
            return Err(error);
        }
        let wait = wait + pacer.delay(now);
        if self.is_too_late(now + wait) {
            return Err(error);
        }
        Ok(wait)
    }

    fn is_too_late(&self, at: Instant) -> bool {
        self.end.is_some_and(|end| at >= end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_maximum() {
        assert_eq!(backoff(0, 0.0), Duration::from_millis(25));
        assert_eq!(backoff(0, 1.0), Duration::from_millis(50));
        assert_eq!(backoff(3, 1.0), Duration::from_millis(400));
        assert_eq!(backoff(u32::MAX, 1.0), BACKOFF_MAX);
        let pushback = Backoff::default().next(Some(Duration::from_secs(3600)));
        assert_eq!(pushback, PUSHBACK_MAX);
    }

    #[test]
    fn a_burst_is_free_and_then_repeats_come_at_a_rate() {
        let now = Instant::now();
        let pacer = Pacer::new(RetryBudget { burst: 2, per_second: 10.0 });
        let waits: Vec<u128> = (0..4).map(|_| pacer.delay(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 100, 200]);
        assert!(!pacer.take_now(now));
        assert!(pacer.take_now(now + Duration::from_millis(300)));
        assert!(!pacer.take_now(now + Duration::from_millis(300)));
    }

    #[test]
    fn a_wait_beyond_the_deadline_is_not_begun() {
        let now = Instant::now();
        let pacer = Pacer::new(RetryBudget::default());
        let failure = || Error::unavailable("gone");
        let mut repeats = Repeats::new(Some(now + Duration::from_millis(20)), None);
        assert!(repeats.delay(&pacer, failure(), true, now).is_err());
        let mut repeats = Repeats::new(None, Some(Duration::from_secs(1)));
        assert!(repeats.delay(&pacer, failure(), true, now).is_ok());
        assert!(repeats.delay(&pacer, failure(), false, now).is_err());
        assert!(repeats.delay(&pacer, failure(), true, now + Duration::from_secs(1)).is_err());
        let internal = Error::new(Code::Internal, "broken");
        assert!(Repeats::new(None, None).delay(&pacer, internal, true, now).is_err());
    }
}
