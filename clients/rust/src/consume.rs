//! Consumers of groups that outlive connections and servers.

mod session;

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use session::Session;

use crate::channel::{new_key, Channel};
use crate::error::{Code, Error};
use crate::resume::passes;
use crate::retry::Backoff;
use crate::stream::ResponseStream;
use crate::sync::locked;
use crate::v1::{ConsumeResponse, ErrorReason, Event, EventServiceClient, JoinGroup, SettleAction};

/// More than a group may hand out; a server that sends more waits.
const ARRIVED_MAX: usize = 2_048;
/// How long the end waits for answers.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
const EXTEND_INTERVAL_MIN: Duration = Duration::from_millis(100);

type Hook = Box<dyn FnMut(&Error) + Send>;

/// A consumer of a group, which reconnects by itself.
///
/// Every event comes at least once. After a broken connection what was not settled comes again; work on it should
/// look at [`Delivery::is_held`]. Settle in any task. It ends by the caller only, or by an error that trying again
/// would not mend. Dropped it gives back what is not settled; [`Consumer::close`] waits for the answers before.
pub struct Consumer {
    arrived: mpsc::Receiver<Result<Delivery, Error>>,
    shared: Arc<Shared>,
    reader: JoinHandle<()>,
}

struct Shared {
    channel: Channel,
    auto_extend: bool,
    join: Mutex<JoinGroup>,
    session: Mutex<Option<Arc<Session>>>,
    interruptions: AtomicU64,
    is_closing: AtomicBool,
    hook: Mutex<Option<Hook>>,
}

/// How a [`Consumer`] is to be.
#[must_use = "a builder consumes nothing by itself"]
pub struct ConsumerBuilder {
    channel: Channel,
    join: JoinGroup,
    auto_extend: bool,
    hook: Option<Hook>,
}

impl ConsumerBuilder {
    pub(crate) fn new(channel: &Channel, group: String) -> ConsumerBuilder {
        let join = JoinGroup { group, ..JoinGroup::default() };
        ConsumerBuilder { channel: channel.clone(), join, auto_extend: true, hook: None }
    }

    /// Its name, which no other consumer of the group may have; made by the server where none is given.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.join.consumer = name.into();
        self
    }

    /// How many events it has at a time; the server's usual number where none is given.
    pub fn buffer_size(mut self, events: u16) -> Self {
        self.join.buffer_size = events.into();
        self
    }

    /// Whether an event is kept for as long as its delivery is there (it is). Without, what is not settled in the
    /// group's time goes to another consumer.
    pub fn auto_extend(mut self, extends: bool) -> Self {
        self.auto_extend = extends;
        self
    }

    /// Hears of every break, before the group is joined again.
    pub fn on_interruption(mut self, hook: impl FnMut(&Error) + Send + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// Begins to consume.
    pub fn start(mut self) -> Result<Consumer, Error> {
        // Tells this process from others of its name after a broken connection.
        self.join.instance = new_key()?;
        let runtime = self.channel.0.pool.runtime().clone();
        let shared = Arc::new(Shared {
            channel: self.channel,
            auto_extend: self.auto_extend,
            join: Mutex::new(self.join),
            session: Mutex::new(None),
            interruptions: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
            hook: Mutex::new(self.hook),
        });
        let (sender, arrived) = mpsc::channel(ARRIVED_MAX);
        // A task of its own: answers have to be heard while nobody asks for the next event.
        let reader = runtime.spawn(shared.clone().read(sender));
        Ok(Consumer { arrived, shared, reader })
    }
}

impl Consumer {
    /// The next event; none after the end.
    pub async fn delivery(&mut self) -> Result<Option<Delivery>, Error> {
        std::future::poll_fn(|cx| self.poll_delivery(cx)).await.transpose()
    }

    /// Its name in the group; empty until the server has made one.
    pub fn name(&self) -> String {
        locked(&self.shared.join).consumer.clone()
    }

    /// How often the stream broke and was taken up again.
    pub fn interruptions(&self) -> u64 {
        self.shared.interruptions.load(Ordering::Relaxed)
    }

    /// Gives back what is not settled, and ends when the server has answered everything.
    pub async fn close(mut self) {
        self.shared.is_closing.store(true, Ordering::SeqCst);
        self.arrived.close();
        let session = locked(&self.shared.session).clone();
        if let Some(session) = session {
            session.half_close();
            // The server ends the stream once it has answered everything.
            let _ = timeout(CLOSE_TIMEOUT, &mut self.reader).await;
        }
    }

    fn poll_delivery(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Delivery, Error>>> {
        loop {
            match self.arrived.poll_recv(cx) {
                // Lost while it waited here: it comes again.
                Poll::Ready(Some(Ok(delivery))) if !delivery.is_held() => drop(delivery),
                other => return other,
            }
        }
    }
}

impl Stream for Consumer {
    type Item = Result<Delivery, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_delivery(cx)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.reader.abort();
        if let Some(session) = locked(&self.shared.session).take() {
            session.end();
        }
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// What one stream leaves to the next.
#[derive(Default)]
struct Progress {
    backoff: Backoff,
    /// Whether the last stream ended because of its token, without a response.
    is_renewed: bool,
}

impl Progress {
    /// The server refused the token: once after a response another one is tried.
    fn may_renew_token(&mut self, is_token_refused: bool) -> bool {
        let was_renewed = std::mem::replace(&mut self.is_renewed, is_token_refused);
        is_token_refused && !was_renewed
    }
}

impl Shared {
    async fn read(self: Arc<Self>, arrived: mpsc::Sender<Result<Delivery, Error>>) {
        let mut progress = Progress::default();
        loop {
            let (session, requests) = Session::new(locked(&self.join).clone());
            *locked(&self.session) = Some(session.clone());
            let mut stream = EventServiceClient::new(self.channel.clone()).consume(requests).stream();
            let result = self.read_one_stream(&mut stream, &session, &arrived, &mut progress).await;
            if let Some(session) = locked(&self.session).take() {
                session.end();
            }
            if self.is_closing.load(Ordering::SeqCst) {
                return;
            }
            let error = result.err().unwrap_or_else(|| Error::unavailable("the server ended the stream"));
            let is_renewed = progress.may_renew_token(stream.is_token_refused());
            if !passes(&error) && !self.may_join_later(&error) && !is_renewed {
                let _ = arrived.send(Err(error)).await;
                return;
            }
            self.interruptions.fetch_add(1, Ordering::Relaxed);
            if let Some(hook) = &mut *locked(&self.hook) {
                hook(&error);
            }
            let wait = progress.backoff.next(error.retry_delay());
            self.channel.rest(stream.method(), &error, wait).await;
        }
    }

    async fn read_one_stream(
        &self,
        stream: &mut ResponseStream<ConsumeResponse>,
        session: &Arc<Session>,
        arrived: &mpsc::Sender<Result<Delivery, Error>>,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        let mut extend_every = Duration::from_secs(10);
        while let Some(response) = stream.message().await? {
            progress.backoff.reset();
            progress.is_renewed = false;
            if let Some(joined) = &response.joined {
                // After a broken connection it comes again under the name that it had.
                locked(&self.join).consumer.clone_from(&joined.consumer);
                let micros = u64::try_from(joined.ack_timeout_us).unwrap_or(0);
                extend_every = (Duration::from_micros(micros) / 3).max(EXTEND_INTERVAL_MIN);
            }
            if let Some(settled) = &response.settled {
                session.heard(settled);
            }
            if let Some(delivery) = self.delivery(session, response, extend_every) {
                let _ = arrived.send(Ok(delivery)).await;
            }
        }
        Ok(())
    }

    fn delivery(&self, session: &Arc<Session>, response: ConsumeResponse, extend_every: Duration) -> Option<Delivery> {
        let event = response.event?;
        let serial = session.hold(&event.id);
        let extending = self.auto_extend.then(|| {
            let (session, id) = (session.clone(), event.id.clone());
            self.channel.0.pool.runtime().spawn(async move {
                loop {
                    sleep(extend_every).await;
                    if !session.settle(&id, serial, SettleAction::Extend, "", 0).await {
                        return;
                    }
                }
            })
        });
        let (attempt, settle_by) = (response.attempt, response.settle_by);
        Some(Delivery { event, attempt, settle_by, session: session.clone(), serial, extending })
    }

    /// The name is still that of this consumer's last connection, or of a process that died.
    fn may_join_later(&self, error: &Error) -> bool {
        error.code() == Code::AlreadyExists
            && error.reason() == ErrorReason::ConsumerNameTaken
            && self.interruptions.load(Ordering::Relaxed) > 0
    }
}

/// An event in the hands of a consumer, which has to say what becomes of it.
///
/// Each of `ack`, `retry`, `park`, `skip` and `extend` answers true once the server has it on disk, and false where
/// the consumer does not have the event any more: it was not settled in time, or the connection broke, and the event
/// comes again, to this or another consumer. A delivery that is dropped is not settled: its event comes again, too.
pub struct Delivery {
    /// The event.
    pub event: Event,
    /// From 1.
    pub attempt: i32,
    /// When it goes to another consumer, unless it is extended.
    pub settle_by: Option<prost_types::Timestamp>,
    session: Arc<Session>,
    serial: u64,
    extending: Option<JoinHandle<()>>,
}

impl Delivery {
    /// Whether nothing was heard yet of another consumer having the event. Where it is false, work on it should end.
    pub fn is_held(&self) -> bool {
        self.session.is_held(&self.event.id, self.serial)
    }

    /// Done.
    pub async fn ack(&mut self) -> bool {
        self.settle(SettleAction::Ack, "", 0).await
    }

    /// Done, though not wanted.
    pub async fn skip(&mut self) -> bool {
        self.settle(SettleAction::Skip, "", 0).await
    }

    /// Again after some time; as the group says where none is given.
    pub async fn retry(&mut self, after: Option<Duration>, reason: &str) -> bool {
        let micros = after.map_or(0, |after| i64::try_from(after.as_micros()).unwrap_or(i64::MAX).max(1));
        self.settle(SettleAction::Retry, reason, micros).await
    }

    /// Put aside for a person.
    pub async fn park(&mut self, reason: &str) -> bool {
        self.settle(SettleAction::Park, reason, 0).await
    }

    /// The time to settle it begins anew.
    pub async fn extend(&self) -> bool {
        self.session.settle(&self.event.id, self.serial, SettleAction::Extend, "", 0).await
    }

    async fn settle(&mut self, action: SettleAction, reason: &str, retry_after_us: i64) -> bool {
        if let Some(extending) = self.extending.take() {
            extending.abort();
        }
        self.session.settle(&self.event.id, self.serial, action, reason, retry_after_us).await
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(extending) = &self.extending {
            extending.abort();
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.event.id;
        f.debug_struct("Delivery").field("id", id).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}
