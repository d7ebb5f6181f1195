import RPC
import Testing
import Wire

@testable import Transport

/// Which token a call has, and when the provider is asked (BEHAVIOUR.md, C5.8).
struct TokenMachineTests {
  private static let now = Moment.now

  /// Asks a machine, and answers for its provider.
  private struct Asked {
    var machine = TokenMachine()

    mutating func next(_ time: Duration = .zero) -> TokenMachine.Step {
      machine.next(now: now + time)
    }

    @discardableResult
    mutating func gives(
      _ text: String, validFor: Duration? = nil, at time: Duration = .zero
    ) -> TokenMachine.Outcome {
      _ = next(time)
      return machine.answered(
        .token(ClientToken(text, validFor: validFor)), now: now + time, jitter: 1)
    }

    @discardableResult
    mutating func fails(at time: Duration = .zero) -> TokenMachine.Outcome {
      _ = next(time)
      return machine.answered(.failed(reason: "broken"), now: now + time, jitter: 1)
    }

    @discardableResult
    mutating func refused(
      _ text: String, at time: Duration = .zero
    ) -> TokenMachine.Outcome? {
      machine.refused(text, now: now + time, jitter: 1)
    }
  }

  @Test func `C5.8.2 the first call asks, and the others wait for its answer`() {
    var asked = Asked()
    #expect(asked.next() == .wait(isNew: true))
    #expect(asked.next() == .wait(isNew: false))
    #expect(asked.machine.afterQuestion(now: Self.now) == .fail)
    asked.gives("one")
    #expect(asked.machine.afterQuestion(now: Self.now) == .use("one"))
    #expect(asked.next(.seconds(1_000_000)) == .use("one"))
  }

  @Test(arguments: [(Duration.seconds(3600), Duration.seconds(10)), (.seconds(20), .seconds(2))])
  func `C5.8.2 a token is renewed in its margin`(_ validFor: Duration, _ margin: Duration) {
    var asked = Asked()
    #expect(asked.gives("one", validFor: validFor) == .refreshed(validFor: validFor))
    #expect(asked.next(validFor - margin - .milliseconds(1)) == .use("one"))
    #expect(asked.next(validFor - margin) == .wait(isNew: true))
    asked.gives("two", at: validFor - margin)
    #expect(asked.next(validFor) == .use("two"))
  }

  @Test func `C5.8.5 where the provider fails in the margin the call goes with what is valid`() {
    var asked = Asked()
    asked.gives("one", validFor: .seconds(100))
    asked.fails(at: .seconds(90))
    // It rests.
    #expect(asked.next(.seconds(90)) == .use("one"))
    #expect(asked.next(.seconds(90) + .milliseconds(50)) == .wait(isNew: true))
    asked.fails(at: .seconds(100))
    #expect(asked.next(.seconds(100)) == .fail)
  }

  @Test func `C5.8.3 a refused token is not used again, and an older one does not matter`() {
    var asked = Asked()
    asked.gives("one")
    asked.refused("one")
    #expect(asked.next() == .wait(isNew: true))
    asked.gives("two")
    asked.refused("one")
    #expect(asked.next() == .use("two"))
  }

  @Test func `C5.8.4 waits grow while the provider fails, until a token has proven itself`() {
    var asked = Asked()
    var time = Duration.zero
    for millisecondCount in [50, 100, 200, 400] {
      let rest = Duration.milliseconds(millisecondCount)
      #expect(asked.fails(at: time) == .rests(reason: "broken", time: rest))
      #expect(asked.next(time + rest - .milliseconds(1)) == .fail)
      time += rest
    }
    asked.gives("one", at: time)
    asked.refused("one")
    #expect(asked.fails(at: time) == .rests(reason: "broken", time: .milliseconds(800)))
    time += .seconds(1)
    asked.gives("two", at: time)
    asked.machine.taken("two")
    asked.refused("two")
    #expect(asked.fails(at: time) == .rests(reason: "broken", time: .milliseconds(50)))
  }

  @Test func `C5.8.4 the second token in a row that is refused makes the provider rest`() {
    var asked = Asked()
    asked.gives("one")
    #expect(asked.refused("one") == nil)
    asked.gives("two")
    let reason = "the server refuses the tokens of the provider"
    #expect(asked.refused("two") == .rests(reason: reason, time: .milliseconds(50)))
    #expect(asked.next() == .fail)
    // One that was good does not count.
    var other = Asked()
    for text in ["one", "two", "three"] {
      other.gives(text)
      other.machine.taken(text)
      #expect(other.refused(text) == nil)
    }
  }

  @Test(arguments: ["", "refused", "a\0b", String(repeating: "é", count: 129)])
  func `C5.8.4 what is no token is a failure`(_ text: String) {
    var asked = Asked()
    asked.gives("refused")
    asked.refused("refused")
    guard case .rests(let reason, _) = asked.gives(text) else {
      Issue.record("was taken")
      return
    }
    #expect(text.isEmpty || !reason.contains(text) || text == "refused")
    #expect(asked.next() == .fail)
  }

  @Test func `a token that is not valid any more is none`() {
    var asked = Asked()
    guard case .rests = asked.gives("late", validFor: .zero) else {
      Issue.record("was taken")
      return
    }
  }
}
