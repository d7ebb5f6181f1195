//! Calls that are made again beside themselves (clients/BEHAVIOUR.md, C2.4).

use std::future::{poll_fn, Future};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{sleep_until, Instant};

use crate::error::{Code, Error};
use crate::interceptor::BoxFuture;
use crate::retry::{Hedging, PUSHBACK_MAX};

const COPIES_MAX: u32 = 5;
const DELAY_MIN: Duration = Duration::from_millis(1);

pub(crate) type Copy<'a> = BoxFuture<'a, Result<Vec<u8>, Error>>;

/// The result of the first copy that has one, or fails with anything but UNAVAILABLE; the others are dropped then,
/// which cancels them.
///
/// `beside` makes another copy; none where there is none to be made now.
pub(crate) async fn hedged<'a>(
    hedging: Hedging,
    first: Copy<'a>,
    mut beside: impl FnMut() -> Option<Copy<'a>>,
) -> Result<Vec<u8>, Error> {
    let delay = hedging.delay.max(DELAY_MIN);
    let most = hedging.copies.clamp(1, COPIES_MAX);
    let mut copies = vec![first];
    let mut made = 1;
    let mut is_started = false;
    let mut next_at = Instant::now() + delay;
    let mut timer = Box::pin(sleep_until(next_at));
    poll_fn(|cx| loop {
        if let Some(result) = poll_copies(&mut copies, &mut next_at, &mut is_started, cx) {
            return Poll::Ready(result);
        }
        if made >= most {
            return Poll::Pending;
        }
        timer.as_mut().reset(next_at);
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        next_at = Instant::now() + delay;
        if let Some(copy) = beside() {
            made += 1;
            copies.push(copy);
        }
    })
    .await
}

/// The result, if there is one. A copy that ends with UNAVAILABLE leaves the others.
fn poll_copies(
    copies: &mut Vec<Copy<'_>>,
    next_at: &mut Instant,
    is_started: &mut bool,
    cx: &mut Context<'_>,
) -> Option<Result<Vec<u8>, Error>> {
    let mut failures = Vec::new();
    let mut place = 0;
    while place < copies.len() {
        match copies[place].as_mut().poll(cx) {
            Poll::Ready(Ok(message)) => return Some(Ok(message)),
            Poll::Ready(Err(error)) => {
                drop(copies.remove(place));
                failures.push(error);
            }
            Poll::Pending => place += 1,
        }
    }
    // Where copies end together, what is not UNAVAILABLE decides.
    failures.sort_by_key(|failure: &Error| failure.is(Code::Unavailable));
    *is_started = *is_started || failures.iter().any(|failure| !failure.is_not_started());
    for failure in failures {
        if copies.is_empty() || !failure.is(Code::Unavailable) {
            // What decides may know of itself only.
            let is_certain = !*is_started && copies.is_empty();
            return Some(Err(if is_certain { failure } else { failure.perhaps_started() }));
        }
        // A server that asks for time is not asked again before.
        let pushback = failure.retry_delay().unwrap_or_default().min(PUSHBACK_MAX);
        *next_at = (*next_at).max(Instant::now() + pushback);
    }
    None
}
