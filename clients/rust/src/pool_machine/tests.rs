//! Where calls go, as lines of events and answers (clients/BEHAVIOUR.md, C1).

use super::*;

struct Pool {
    machine: PoolMachine,
    begin: Instant,
    now: Instant,
}

impl Pool {
    fn new(addresses: usize, in_turn: bool, connections_max: usize) -> Pool {
        let begin = Instant::now();
        Pool { machine: PoolMachine::new(addresses, in_turn, connections_max), begin, now: begin }
    }

    fn at(&mut self, millis: u64) {
        self.now = self.begin + Duration::from_millis(millis);
    }

    /// Where a call goes, and what is dialled for it.
    fn call(&mut self, waits: bool) -> (Step, Vec<usize>) {
        let step = self.machine.place(&mut Want::new(waits), self.now);
        (step, self.machine.take_dials())
    }

    fn dialled(&mut self, place: usize, number: u64, calls_max: u32) -> bool {
        self.machine.dialled(place, number, calls_max, self.now)
    }

    fn failed(&mut self, place: usize) {
        self.machine.dial_failed(place, false, self.now, 1.0);
    }

    fn until(&self, millis: u64) -> Step {
        Step::Wait(Some(self.begin + Duration::from_millis(millis)))
    }
}

#[test]
fn the_first_that_answers_is_kept() {
    let mut pool = Pool::new(2, false, 4);
    assert_eq!(pool.call(false), (pool.until(250), vec![0]));
    // One attempt at a time, for all calls.
    assert_eq!(pool.call(false), (pool.until(250), vec![]));
    pool.at(250);
    assert_eq!(pool.call(false), (pool.until(500), vec![1]));
    assert!(pool.dialled(1, 7, 10));
    assert_eq!(pool.call(false), (Step::Use(7), vec![]));
    // Too late.
    assert!(!pool.dialled(0, 8, 10));
    assert_eq!(pool.call(false), (Step::Use(7), vec![]));
}

#[test]
fn a_refusal_does_not_hold_up_the_next() {
    let mut pool = Pool::new(2, false, 4);
    assert_eq!(pool.call(false).1, [0]);
    pool.failed(0);
    assert_eq!(pool.call(false), (pool.until(250), vec![1]));
    pool.failed(1);
    assert_eq!(pool.call(false), (Step::Fail, vec![]));
    // One that waits does so until the first address has rested.
    assert_eq!(pool.call(true), (pool.until(50), vec![]));
    pool.at(50);
    assert_eq!(pool.call(false), (pool.until(300), vec![0]));
}

#[test]
fn an_untrusted_certificate_is_not_waited_for() {
    let mut pool = Pool::new(1, false, 4);
    assert_eq!(pool.call(true).1, [0]);
    pool.machine.dial_failed(0, true, pool.now, 1.0);
    assert_eq!(pool.call(true), (Step::Fail, vec![]));
}

#[test]
fn calls_without_room_go_to_another_connection() {
    let mut pool = Pool::new(1, false, 2);
    pool.call(false);
    assert!(pool.dialled(0, 1, 1));
    assert_eq!(pool.call(false), (Step::Use(1), vec![]));
    assert_eq!(pool.call(false), (Step::Wait(None), vec![0]));
    assert!(pool.dialled(0, 2, 1));
    assert_eq!(pool.call(false), (Step::Use(2), vec![]));
    // There is a maximum.
    assert_eq!(pool.call(false), (Step::Wait(None), vec![]));
    pool.machine.call_ended(1);
    assert_eq!(pool.call(false), (Step::Use(1), vec![]));
}

#[test]
fn a_server_that_drops_connections_is_not_stormed() {
    let mut pool = Pool::new(1, false, 4);
    pool.call(false);
    assert!(pool.dialled(0, 1, 10));
    pool.machine.retired(1, pool.now, 1.0);
    assert_eq!(pool.call(false), (pool.until(50), vec![]));
    pool.at(50);
    assert_eq!(pool.call(false).1, [0]);
    assert!(pool.dialled(0, 2, 10));
    pool.machine.served(2);
    pool.machine.retired(2, pool.now, 1.0);
    // One that answered ends the row of failures.
    assert_eq!(pool.call(false).1, [0]);
}

#[test]
fn all_servers_are_called_in_turn() {
    let mut pool = Pool::new(3, true, 4);
    assert_eq!(pool.call(false), (pool.until(250), vec![0, 1, 2]));
    for place in 0..3 {
        assert!(pool.dialled(place, place as u64 + 1, 10));
    }
    let turns: Vec<Step> = (0..4).map(|_| pool.call(false).0).collect();
    assert_eq!(turns, [Step::Use(2), Step::Use(3), Step::Use(1), Step::Use(2)]);
    pool.machine.retired(3, pool.now, 1.0);
    assert_eq!(pool.call(false), (Step::Use(1), vec![]));
}

#[test]
fn a_server_that_does_not_serve_gets_no_calls_while_others_do() {
    let mut pool = Pool::new(2, true, 4);
    pool.call(false);
    assert!(pool.dialled(0, 1, 10) && pool.dialled(1, 2, 10));
    pool.machine.says(0, false);
    let turns: Vec<Step> = (0..3).map(|_| pool.call(false).0).collect();
    assert_eq!(turns, [Step::Use(2); 3]);
    pool.machine.says(1, false);
    assert!(matches!(pool.call(false).0, Step::Use(_)));
    pool.machine.says(0, true);
    assert_eq!(pool.call(false).0, Step::Use(1));
}

#[test]
fn copies_go_elsewhere_where_there_is_room() {
    let mut pool = Pool::new(2, true, 4);
    pool.call(false);
    assert!(pool.dialled(0, 1, 2) && pool.dialled(0, 2, 2) && pool.dialled(1, 3, 1));
    assert_eq!(pool.machine.place_beside(&[1]), Some(3));
    assert_eq!(pool.machine.place_beside(&[1, 3]), Some(2));
    assert!(pool.machine.take(1) && pool.machine.take(2));
    assert_eq!(pool.machine.place_beside(&[1, 2, 3]), Some(1));
    assert_eq!(pool.machine.place_beside(&[1, 2, 3]), None);
    assert!(!pool.machine.take(9));
}
