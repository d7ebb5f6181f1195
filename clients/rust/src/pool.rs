//! The connections of a client: gives each call one, makes them as they are needed, and has calls wait for room.
//! `PoolMachine` decides; this dials, wakes and keeps time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout, Instant};

use crate::client_log::Log;
use crate::connection::{CallHandle, Connection, Notice, Owner};
use crate::dial::{dial, DialSettings, Endpoint};
use crate::error::{Code, Error};
use crate::health;
use crate::pool_machine::{PoolMachine, Step, Want};
use crate::random::chance;
use crate::sync::locked;
use crate::wire::CallHeader;

pub(crate) struct PoolSettings {
    pub dial: DialSettings,
    /// To one address.
    pub connections_max: usize,
    pub round_robin: bool,
    pub health_check: bool,
    /// For calls that do not say it.
    pub wait_for_ready: bool,
    pub log: Log,
}

pub(crate) struct Pool {
    me: Weak<Pool>,
    runtime: Handle,
    endpoints: Arc<Vec<Endpoint>>,
    settings: Arc<PoolSettings>,
    closed: watch::Sender<bool>,
    state: Mutex<State>,
}

struct State {
    machine: PoolMachine,
    connections: HashMap<u64, Arc<Connection>>,
    waiters: Vec<Waiter>,
    /// By address.
    checks: HashMap<usize, Check>,
    dials: HashMap<usize, JoinHandle<()>>,
    timer: Option<(Instant, JoinHandle<()>)>,
    last_number: u64,
    /// Why the last attempt found no server.
    failure: Option<Error>,
    is_closed: bool,
}

/// A call that waits for its connection.
struct Waiter {
    want: Want,
    answer: oneshot::Sender<Result<Place, Error>>,
}

struct Check {
    number: u64,
    task: JoinHandle<()>,
}

/// Something that was decided under the lock, and is done without it.
type Answers = Vec<(oneshot::Sender<Result<Place, Error>>, Result<Place, Error>)>;

impl Pool {
    pub fn new(endpoints: Vec<Endpoint>, settings: PoolSettings) -> Arc<Pool> {
        let machine = PoolMachine::new(endpoints.len(), settings.round_robin, settings.connections_max);
        let state = State {
            machine,
            connections: HashMap::new(),
            waiters: Vec::new(),
            checks: HashMap::new(),
            dials: HashMap::new(),
            timer: None,
            last_number: 0,
            failure: None,
            is_closed: false,
        };
        Arc::new_cyclic(|me| Pool {
            me: me.clone(),
            runtime: Handle::current(),
            endpoints: Arc::new(endpoints),
            settings: Arc::new(settings),
            closed: watch::channel(false).0,
            state: Mutex::new(state),
        })
    }

    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub fn waits(&self, wait_for_ready: Option<bool>) -> bool {
        wait_for_ready.unwrap_or(self.settings.wait_for_ready)
    }

    // Calls

    /// A place for one call on a connection. The caller bounds the time.
    ///
    /// UNAVAILABLE when no address answers and the call does not wait for one.
    pub async fn place(self: &Arc<Self>, wait_for_ready: Option<bool>) -> Result<Place, Error> {
        let answer = {
            let mut state = self.lock();
            if state.is_closed {
                return Err(closed());
            }
            let mut want = Want::new(self.waits(wait_for_ready));
            let step = state.machine.place(&mut want, Instant::now());
            self.dial(&mut state);
            match step {
                Step::Use(number) => return self.place_on(&state, number),
                Step::Fail => return Err(state.unreachable()),
                Step::Wait(until) => {
                    let (answer, answered) = oneshot::channel();
                    state.waiters.push(Waiter { want, answer });
                    self.arm(&mut state, until);
                    answered
                }
            }
        };
        answer.await.unwrap_or_else(|_| Err(closed()))
    }

    /// A place for a copy of a call that has those connections; none where none has room.
    pub fn place_beside(self: &Arc<Self>, used: &[u64]) -> Option<Place> {
        let mut state = self.lock();
        if state.is_closed {
            return None;
        }
        let number = state.machine.place_beside(used)?;
        self.place_on(&state, number).ok()
    }

    /// A place on one connection, if it has one.
    pub fn place_at(self: &Arc<Self>, number: u64) -> Option<Place> {
        let mut state = self.lock();
        if state.is_closed || !state.machine.take(number) {
            return None;
        }
        self.place_on(&state, number).ok()
    }

    /// The machine has taken a place there.
    fn place_on(self: &Arc<Self>, state: &State, number: u64) -> Result<Place, Error> {
        let connection = state.connections.get(&number).cloned();
        let connection = connection.ok_or_else(|| Error::unavailable("the connection is gone").not_started())?;
        Ok(Place { pool: self.clone(), connection, is_used: false })
    }

    /// Waits before another attempt; no longer than the client is open.
    pub async fn rest(&self, time: Duration) {
        let mut closed = self.closed.subscribe();
        let is_closed = async {
            while !*closed.borrow_and_update() {
                if closed.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = timeout(time, is_closed).await;
    }

    /// Why the last attempt found no server.
    pub fn failure(&self) -> Option<Error> {
        self.lock().failure.clone()
    }

    pub async fn close(&self) {
        for connection in self.shut() {
            connection.close().await;
        }
    }

    /// Ends everything but the connections, which are returned.
    fn shut(&self) -> Vec<Arc<Connection>> {
        self.closed.send_replace(true);
        let (waiters, connections) = {
            let mut state = self.lock();
            state.is_closed = true;
            state.dials.drain().for_each(|(_, dial)| dial.abort());
            state.checks.drain().for_each(|(_, check)| check.task.abort());
            if let Some((_, timer)) = state.timer.take() {
                timer.abort();
            }
            let connections: Vec<Arc<Connection>> = state.connections.values().cloned().collect();
            (std::mem::take(&mut state.waiters), connections)
        };
        for waiter in waiters {
            let _ = waiter.answer.send(Err(closed()));
        }
        // All at once: one that does not answer does not hold up the others.
        connections.iter().for_each(|connection| connection.begin_close());
        connections
    }

    // Waiting

    /// Something has changed: in the order in which they came, each waiter gets what there is.
    ///
    /// Where there is more room and nothing else has changed (`all` is false), the first that must wait on is the
    /// last that is asked.
    fn serve(&self, all: bool) {
        let Some(me) = self.me.upgrade() else { return };
        let answers = {
            let mut state = self.lock();
            me.serve_waiters(&mut state, all)
        };
        for (answer, result) in answers {
            // One that is not wanted any more gives its place back here, where nothing is locked.
            drop(answer.send(result));
        }
    }

    fn serve_waiters(self: &Arc<Self>, state: &mut State, all: bool) -> Answers {
        if state.waiters.is_empty() {
            return Vec::new();
        }
        let now = Instant::now();
        let mut answers = Answers::new();
        let mut until: Option<Instant> = None;
        for mut waiter in std::mem::take(&mut state.waiters) {
            if !all && !state.waiters.is_empty() {
                state.waiters.push(waiter);
                continue;
            }
            if waiter.answer.is_closed() {
                continue;
            }
            match state.machine.place(&mut waiter.want, now) {
                Step::Use(number) => answers.push((waiter.answer, self.place_on(state, number))),
                Step::Fail => answers.push((waiter.answer, Err(state.unreachable()))),
                Step::Wait(at) => {
                    until = [until, at].into_iter().flatten().min();
                    state.waiters.push(waiter);
                }
            }
        }
        self.dial(state);
        self.arm(state, until);
        answers
    }

    fn arm(&self, state: &mut State, until: Option<Instant>) {
        let Some(until) = until.filter(|_| !state.is_closed) else { return };
        if let Some((at, timer)) = &state.timer {
            if *at <= until {
                return;
            }
            timer.abort();
        }
        let me = self.me.clone();
        let timer = self.runtime.spawn(async move {
            sleep_until(until).await;
            if let Some(pool) = me.upgrade() {
                pool.lock().timer = None;
                pool.serve(true);
            }
        });
        state.timer = Some((until, timer));
    }

    // Connecting

    fn dial(&self, state: &mut State) {
        for place in state.machine.take_dials() {
            state.last_number += 1;
            let number = state.last_number;
            let (me, endpoints, settings) = (self.me.clone(), self.endpoints.clone(), self.settings.clone());
            let task = self.runtime.spawn(async move {
                let owner: Weak<dyn Owner> = me.clone();
                let began = Instant::now();
                settings.log.connecting(&endpoints[place]);
                let result = dial(&endpoints[place], &settings.dial, number, place, owner).await;
                match (me.upgrade(), result) {
                    (Some(pool), Ok(connection)) => pool.dialled(connection, began.elapsed()).await,
                    (Some(pool), Err(error)) => pool.dial_failed(place, error),
                    (None, Ok(connection)) => connection.abort(),
                    (None, Err(_)) => {}
                }
            });
            state.dials.insert(place, task);
        }
    }

    async fn dialled(&self, connection: Arc<Connection>, took: Duration) {
        self.settings.log.connected(&self.endpoints[connection.place], &connection.server_id(), took);
        let is_wanted = {
            let mut state = self.lock();
            state.dials.remove(&connection.place);
            let is_wanted = !state.is_closed
                && state.machine.dialled(connection.place, connection.number, connection.streams_max(), Instant::now());
            if is_wanted {
                state.connections.insert(connection.number, connection.clone());
            }
            is_wanted
        };
        if !is_wanted {
            self.serve(true);
            connection.close().await;
            self.tell_end(&connection);
            return;
        }
        if connection.takes_calls() {
            self.check(&mut self.lock(), connection.place);
            self.serve(true);
            return;
        }
        // It went between its HELLO and now.
        self.notice(&connection, Notice::Retired);
        if connection.is_lost() {
            self.notice(&connection, Notice::Ended);
        }
    }

    fn dial_failed(&self, place: usize, error: Error) {
        self.settings.log.connect_failed(&self.endpoints[place], &error);
        {
            let mut state = self.lock();
            state.dials.remove(&place);
            state.machine.dial_failed(place, error.is_certificate_refused(), Instant::now(), chance());
            state.failure = Some(error);
        }
        self.serve(true);
    }

    fn tell_end(&self, connection: &Connection) {
        if self.settings.log.is_heard() {
            let (is_in_order, reason) = connection.ending();
            self.settings.log.disconnected(&self.endpoints[connection.place], is_in_order, &reason);
        }
    }

    // Health

    /// Asks the server at an address how it is, unless it is asked already.
    fn check(&self, state: &mut State, place: usize) {
        if !self.settings.health_check || state.is_closed || state.checks.contains_key(&place) {
            return;
        }
        let connection = state.machine.connection(place).and_then(|number| state.connections.get(&number));
        if let Some(connection) = connection {
            let number = connection.number;
            let task = self.runtime.spawn(health::watch(self.me.clone(), connection.clone()));
            state.checks.insert(place, Check { number, task });
        }
    }

    /// What the server of a connection says of itself.
    pub fn says(&self, connection: &Connection, is_serving: bool) {
        {
            let mut state = self.lock();
            // Another question may be under way by now: who asks last says how the server is.
            if state.checks.get(&connection.place).map(|check| check.number) != Some(connection.number) {
                return;
            }
            state.machine.says(connection.place, is_serving);
        }
        self.serve(true);
    }

    fn retired(&self, connection: &Connection) {
        let check = {
            let mut state = self.lock();
            state.machine.retired(connection.number, Instant::now(), chance());
            let is_asked = state.checks.get(&connection.place).is_some_and(|check| check.number == connection.number);
            let check = if is_asked { state.checks.remove(&connection.place) } else { None };
            if check.is_some() {
                self.check(&mut state, connection.place);
            }
            check
        };
        // A draining server waits for its calls to end.
        if let Some(check) = check {
            check.task.abort();
        }
        self.serve(true);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

impl State {
    fn unreachable(&self) -> Error {
        self.failure.clone().unwrap_or_else(|| Error::unavailable("no server answers").not_started())
    }
}

impl Owner for Pool {
    fn notice(&self, connection: &Connection, notice: Notice) {
        match notice {
            Notice::Retired => self.retired(connection),
            Notice::Served => self.lock().machine.served(connection.number),
            Notice::CallEnded => {
                self.lock().machine.call_ended(connection.number);
                self.serve(false);
            }
            Notice::Ended => {
                let was_there = self.lock().connections.remove(&connection.number).is_some();
                if was_there {
                    self.tell_end(connection);
                }
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // The connections end by themselves, and tell nobody.
        for connection in self.shut() {
            self.tell_end(&connection);
        }
    }
}

/// A place for one call on a connection. Given back where no call is opened on it.
pub(crate) struct Place {
    pool: Arc<Pool>,
    connection: Arc<Connection>,
    is_used: bool,
}

impl Place {
    /// The connection's.
    pub fn number(&self) -> u64 {
        self.connection.number
    }

    /// Opens the call. Its connection gives the place back when it ends.
    pub fn open(
        mut self,
        header: &CallHeader<'_>,
        message: Option<Vec<u8>>,
        half_closes: bool,
    ) -> Result<CallHandle, Error> {
        let call = self.connection.open(header, message, half_closes)?;
        self.is_used = true;
        Ok(call)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_used {
            self.pool.notice(&self.connection, Notice::CallEnded);
        }
    }
}

fn closed() -> Error {
    Error::new(Code::Cancelled, "the client is closed").not_started()
}
