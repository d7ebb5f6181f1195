use super::*;

/// A machine with a clock of seconds.
struct World {
    machine: TokenMachine,
    began: Instant,
}

impl World {
    fn new() -> World {
        World { machine: TokenMachine::new(), began: Instant::now() }
    }

    fn at(&self, seconds: f64) -> Instant {
        self.began + Duration::from_secs_f64(seconds)
    }

    fn next(&mut self, seconds: f64) -> Step {
        let now = self.at(seconds);
        self.machine.next(now)
    }

    fn answered(&mut self, seconds: f64, answer: Result<Token, &'static str>) -> Outcome {
        let now = self.at(seconds);
        self.machine.answered(answer, now, 1.0)
    }

    /// Asks, and gives this.
    fn given(&mut self, seconds: f64, token: Token) {
        assert_eq!(self.next(seconds), ASK);
        assert!(matches!(self.answered(seconds, Ok(token)), Outcome::Refreshed(_)));
    }

    fn refused(&mut self, seconds: f64, text: &str) -> Option<Outcome> {
        let now = self.at(seconds);
        self.machine.refused(text, now, 1.0)
    }

    /// Asks in vain; for how long it rests.
    fn failed(&mut self, seconds: f64) -> u128 {
        assert_eq!(self.next(seconds), ASK);
        match self.answered(seconds, Err("gone")) {
            Outcome::Rests { time, .. } => time.as_millis(),
            other => panic!("{other:?}"),
        }
    }
}

const ASK: Step = Step::Wait { is_new: true };

fn used(text: &str) -> Step {
    Step::Use(text.to_owned())
}

fn valid(text: &str, seconds: u64) -> Token {
    Token::new(text).valid_for(Duration::from_secs(seconds))
}

#[test]
fn there_is_one_question_at_a_time() {
    let mut world = World::new();
    assert_eq!(world.next(0.0), ASK);
    assert_eq!(world.next(0.1), Step::Wait { is_new: false });
    assert_eq!(world.answered(0.2, Ok("a".into())), Outcome::Refreshed(None));
    assert_eq!((world.next(0.2), world.next(1e6)), (used("a"), used("a")));
}

#[test]
fn a_token_is_renewed_in_its_margin_and_used_until_its_end() {
    let mut world = World::new();
    world.given(0.0, valid("a", 1000));
    assert_eq!(world.next(989.9), used("a"));
    // Ten seconds are left; it fails, and rests.
    assert_eq!(world.failed(990.5), 50);
    assert_eq!(world.machine.after_question(world.at(990.5)), used("a"));
    assert_eq!(world.next(990.54), used("a"));
    world.given(990.6, valid("b", 50));
    // A tenth is left.
    assert_eq!(world.next(1035.5), used("b"));
    assert_eq!(world.next(1035.7), ASK);
    assert_eq!(world.machine.after_question(world.at(1040.5)), used("b"));
    assert_eq!(world.machine.after_question(world.at(1040.7)), Step::Fail);
}

#[test]
fn a_token_that_is_valid_beyond_the_clock_is_not_renewed() {
    let mut world = World::new();
    world.given(0.0, Token::new("a").valid_for(Duration::MAX));
    assert_eq!(world.next(1e9), used("a"));
}

#[test]
fn a_refused_token_is_not_used_again() {
    let mut world = World::new();
    world.given(0.0, "a".into());
    assert_eq!(world.refused(1.0, "a"), None);
    assert_eq!(world.refused(1.0, "a"), None, "another call that had it");
    assert_eq!(world.next(1.0), ASK);
    let reason = "the token provider gave the token that was refused";
    let rests = Outcome::Rests { reason, time: Duration::from_millis(50) };
    assert_eq!(world.answered(1.0, Ok("a".into())), rests);
    assert_eq!((world.next(1.01), world.machine.reason()), (Step::Fail, reason));
}

#[test]
fn a_refusal_of_an_older_token_does_not_matter() {
    let mut world = World::new();
    world.given(0.0, "a".into());
    world.refused(0.0, "a");
    world.given(0.0, "b".into());
    assert_eq!((world.refused(0.1, "a"), world.next(0.1)), (None, used("b")));
}

#[test]
fn a_token_that_is_refused_while_the_next_is_asked_for_is_gone() {
    let mut world = World::new();
    world.given(0.0, valid("a", 100));
    assert_eq!(world.next(95.0), ASK);
    world.refused(95.0, "a");
    assert_eq!(world.answered(95.1, Err("gone")), Outcome::Rests { reason: "gone", time: Duration::from_millis(50) });
    assert_eq!(world.machine.after_question(world.at(95.1)), Step::Fail);
}

#[test]
fn rests_grow_and_begin_anew_after_a_token_that_was_taken() {
    let mut world = World::new();
    let rests: Vec<u128> = (0..9).map(|number| world.failed(f64::from(number) * 10.0)).collect();
    assert_eq!(rests, [50, 100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    assert_eq!(world.next(84.9), Step::Fail);
    world.given(90.0, "a".into());
    world.machine.taken("a");
    world.refused(90.0, "a");
    assert_eq!(world.failed(90.0), 50);
}

#[test]
fn two_refused_tokens_in_a_row_make_it_rest() {
    let mut world = World::new();
    world.given(0.0, "a".into());
    assert_eq!(world.refused(0.0, "a"), None);
    world.given(0.0, "b".into());
    assert!(matches!(world.refused(0.0, "b"), Some(Outcome::Rests { .. })));
    assert_eq!(world.next(0.04), Step::Fail);
    // And again, as long as none is taken.
    world.given(0.1, "c".into());
    let rests =
        Outcome::Rests { reason: "the server refuses the tokens of the provider", time: Duration::from_millis(100) };
    assert_eq!(world.refused(0.1, "c"), Some(rests));
}

#[test]
fn a_proven_token_that_is_revoked_costs_no_rest() {
    let mut world = World::new();
    for text in ["a", "b", "c"] {
        world.given(0.0, text.into());
        world.machine.taken(text);
        assert_eq!(world.refused(0.0, text), None);
    }
    world.given(0.0, "d".into());
}

#[test]
fn what_may_not_be_sent_is_no_token() {
    let long = "x".repeat(257);
    for wrong in [Token::new(""), Token::new(long), Token::new("a\0b"), valid("a", 0)] {
        let mut world = World::new();
        assert_eq!(world.next(0.0), ASK);
        assert!(matches!(world.answered(0.0, Ok(wrong)), Outcome::Rests { .. }));
        assert_eq!(world.next(0.0), Step::Fail);
    }
}

#[test]
fn a_token_does_not_show_its_text() {
    assert_eq!(format!("{:?}", Token::new("s3cret")), "Token { valid_for: None, .. }");
}
