//! Chooses the connection of a call, and says when which address is dialled (clients/BEHAVIOUR.md, C1).
//!
//! Pure: it neither dials nor waits, and time and chance are arguments.

use std::time::Duration;

use tokio::time::Instant;

use crate::retry::backoff;

/// For which an address that says nothing holds up the next one.
pub(crate) const HOLD_UP: Duration = Duration::from_millis(250);
/// A connection that lasted so long was none of a server that falls over at once.
const STEADY_AFTER: Duration = Duration::from_secs(5);

/// What is to become of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It goes to this connection; its place is taken, and given back by `call_ended`.
    Use(u64),
    /// Ask again when something has changed, at the latest then.
    Wait(Option<Instant>),
    /// No server can be reached.
    Fail,
}

/// What a call wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Want {
    /// Whether it waits where no server can be reached.
    pub waits: bool,
    /// Its place in the round.
    turn: Option<usize>,
}

impl Want {
    pub fn new(waits: bool) -> Want {
        Want { waits, turn: None }
    }
}

#[derive(Debug)]
struct Link {
    number: u64,
    calls_max: u32,
    since: Instant,
    calls: u32,
    has_served: bool,
}

impl Link {
    fn has_room(&self) -> bool {
        self.calls < self.calls_max
    }

    fn take(&mut self) -> u64 {
        self.calls += 1;
        self.number
    }
}

#[derive(Debug, Default)]
struct Address {
    links: Vec<Link>,
    dialling_since: Option<Instant>,
    rests_until: Option<Instant>,
    /// In a row.
    failures: u32,
    /// Whether the last attempt found no server.
    is_unreachable: bool,
    /// Whether it showed a certificate that is not trusted.
    is_untrusted: bool,
    /// Whether it says of itself that it does not serve.
    is_not_serving: bool,
}

impl Address {
    fn is_resting(&self, now: Instant) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    fn with_room(&mut self) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.has_room())
    }

    fn rest(&mut self, now: Instant, chance: f64) {
        self.rests_until = Some(now + backoff(self.failures, chance));
        self.failures = self.failures.saturating_add(1);
    }
}

/// The addresses of a client, and its connections to them.
#[derive(Debug)]
pub(crate) struct PoolMachine {
    addresses: Vec<Address>,
    in_turn: bool,
    connections_max: usize,
    preferred: usize,
    turn: usize,
    to_dial: Vec<usize>,
}

impl PoolMachine {
    pub fn new(addresses: usize, in_turn: bool, connections_max: usize) -> PoolMachine {
        PoolMachine {
            addresses: (0..addresses.max(1)).map(|_| Address::default()).collect(),
            in_turn,
            connections_max,
            preferred: 0,
            turn: 0,
            to_dial: Vec::new(),
        }
    }

    // Calls

    /// Where a call goes; the addresses of `take_dials` are to be dialled after it.
    pub fn place(&mut self, want: &mut Want, now: Instant) -> Step {
        let order = self.order(want);
        for not_serving in [false, true] {
            let is_in = |place: &&usize| self.addresses[**place].is_not_serving == not_serving;
            let group: Vec<usize> = order.iter().filter(is_in).copied().collect();
            let step = if self.in_turn { self.next(&group, now) } else { self.first(&group, now) };
            if let Some(step) = step {
                return step;
            }
        }
        self.unreachable(want)
    }

    /// A connection for a copy of a call that has those; none where none has room.
    ///
    /// To another address if there is one, else another connection, else the same. Nothing is dialled for it.
    pub fn place_beside(&mut self, used: &[u64]) -> Option<u64> {
        let mut best: Option<(u8, &mut Link)> = None;
        for address in self.addresses.iter_mut().filter(|address| !address.is_not_serving) {
            let is_used = address.links.iter().any(|link| used.contains(&link.number));
            for link in address.links.iter_mut().filter(|link| link.has_room()) {
                let rank = match (is_used, used.contains(&link.number)) {
                    (false, _) => 0,
                    (true, false) => 1,
                    (true, true) => 2,
                };
                if best.as_ref().map_or(true, |(least, _)| rank < *least) {
                    best = Some((rank, link));
                }
            }
        }
        best.map(|(_, link)| link.take())
    }

    /// Takes a place on one connection, if it has one.
    pub fn take(&mut self, number: u64) -> bool {
        match self.find(number) {
            Some((address, link)) if self.addresses[address].links[link].has_room() => {
                self.addresses[address].links[link].take();
                true
            }
            _ => false,
        }
    }

    pub fn call_ended(&mut self, number: u64) {
        if let Some((address, link)) = self.find(number) {
            let link = &mut self.addresses[address].links[link];
            link.calls = link.calls.saturating_sub(1);
        }
    }

    /// The server has answered a call there.
    pub fn served(&mut self, number: u64) {
        if let Some((address, link)) = self.find(number) {
            self.addresses[address].links[link].has_served = true;
            self.addresses[address].failures = 0;
        }
    }

    /// What is to be dialled, once.
    pub fn take_dials(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.to_dial)
    }

    // Connections

    /// A server has answered; false where it is not wanted, as another one was faster.
    pub fn dialled(&mut self, place: usize, number: u64, calls_max: u32, now: Instant) -> bool {
        let is_overtaken = (0..self.addresses.len()).any(|other| {
            let address = &self.addresses[other];
            other != place && !address.links.is_empty() && !address.is_not_serving
        });
        let address = &mut self.addresses[place];
        address.dialling_since = None;
        address.rests_until = None;
        address.is_unreachable = false;
        address.is_untrusted = false;
        if !self.in_turn && is_overtaken && address.links.is_empty() {
            return false;
        }
        address.links.push(Link { number, calls_max, since: now, calls: 0, has_served: false });
        true
    }

    pub fn dial_failed(&mut self, place: usize, is_untrusted: bool, now: Instant, chance: f64) {
        let address = &mut self.addresses[place];
        address.dialling_since = None;
        address.is_unreachable = true;
        address.is_untrusted = is_untrusted;
        address.rest(now, chance);
    }

    /// A connection takes no more calls.
    pub fn retired(&mut self, number: u64, now: Instant, chance: f64) {
        let Some((address, link)) = self.find(number) else { return };
        let address = &mut self.addresses[address];
        let link = address.links.remove(link);
        if address.links.is_empty() {
            address.is_not_serving = false;
        }
        // A server that takes connections and drops them must not be stormed with them.
        if link.has_served || link.since + STEADY_AFTER <= now {
            address.failures = 0;
        } else {
            address.rest(now, chance);
        }
    }

    /// What the server at an address says of itself.
    pub fn says(&mut self, place: usize, is_serving: bool) {
        let address = &mut self.addresses[place];
        address.is_not_serving = !is_serving && !address.links.is_empty();
    }

    /// The first of those to an address that take calls.
    pub fn connection(&self, place: usize) -> Option<u64> {
        self.addresses[place].links.first().map(|link| link.number)
    }

    // Choosing

    fn order(&mut self, want: &mut Want) -> Vec<usize> {
        let count = self.addresses.len();
        let mut first = self.preferred;
        if self.in_turn {
            first = *want.turn.get_or_insert_with(|| {
                let turn = self.turn;
                self.turn = (turn + 1) % count;
                turn
            });
        }
        (0..count).map(|place| (place + first) % count).collect()
    }

    /// The first server that answers, and as long as it does.
    fn first(&mut self, group: &[usize], now: Instant) -> Option<Step> {
        if let Some(&live) = group.iter().find(|place| !self.addresses[**place].links.is_empty()) {
            self.preferred = live;
            if let Some(link) = self.addresses[live].with_room() {
                return Some(Step::Use(link.take()));
            }
            return Some(Step::Wait(self.dial_more(live, now)));
        }
        for &place in group {
            let address = &self.addresses[place];
            if let Some(since) = address.dialling_since {
                if now < since + HOLD_UP {
                    return Some(Step::Wait(Some(since + HOLD_UP)));
                }
            } else if !address.is_resting(now) {
                self.dial(place, now);
                return Some(Step::Wait(Some(now + HOLD_UP)));
            }
        }
        None
    }

    /// One server after the other. Those that do not answer are dialled beside.
    fn next(&mut self, group: &[usize], now: Instant) -> Option<Step> {
        for &place in group {
            let address = &self.addresses[place];
            if address.links.is_empty() && address.dialling_since.is_none() && !address.is_resting(now) {
                self.dial(place, now);
            }
        }
        for &place in group {
            let address = &mut self.addresses[place];
            if let Some(link) = address.with_room() {
                return Some(Step::Use(link.take()));
            }
            if let (true, false, Some(since)) =
                (address.links.is_empty(), address.is_unreachable, address.dialling_since)
            {
                if now < since + HOLD_UP {
                    return Some(Step::Wait(Some(since + HOLD_UP)));
                }
            }
        }
        let full: Vec<usize> =
            group.iter().filter(|place| !self.addresses[**place].links.is_empty()).copied().collect();
        if full.is_empty() {
            return None;
        }
        Some(Step::Wait(full.into_iter().filter_map(|place| self.dial_more(place, now)).min()))
    }

    /// Another connection to an address whose connections are full, where it may have one; otherwise when to look
    /// again.
    fn dial_more(&mut self, place: usize, now: Instant) -> Option<Instant> {
        let address = &self.addresses[place];
        if address.links.len() >= self.connections_max || address.dialling_since.is_some() {
            return None;
        }
        if address.is_resting(now) {
            return address.rests_until;
        }
        self.dial(place, now);
        None
    }

    fn unreachable(&self, want: &Want) -> Step {
        // A connection that was lost is made again by the call; a server that was not found is not waited for
        // unless that is asked for.
        let is_to_come = self.addresses.iter().any(|address| {
            address.dialling_since.is_some() || !address.is_unreachable || (want.waits && !address.is_untrusted)
        });
        if !is_to_come {
            return Step::Fail;
        }
        let idle = self.addresses.iter().filter(|address| address.dialling_since.is_none());
        Step::Wait(idle.filter_map(|address| address.rests_until).min())
    }

    fn dial(&mut self, place: usize, now: Instant) {
        self.addresses[place].dialling_since = Some(now);
        self.to_dial.push(place);
    }

    fn find(&self, number: u64) -> Option<(usize, usize)> {
        self.addresses.iter().enumerate().find_map(|(place, address)| {
            let link = address.links.iter().position(|link| link.number == number)?;
            Some((place, link))
        })
    }
}

#[cfg(test)]
mod tests;
