import SeededRandom
import Testing

@testable import Broker

/// What is confirmed counts once everything before it is.
@Suite struct ConfirmWindowTests {
  private static func window(_ positions: ClosedRange<Int64>) -> ConfirmWindow {
    var window = ConfirmWindow()
    for position in positions { window.published(position: position, byteCount: 100) }
    return window
  }

  @Test func confirmsInOrderMoveThePositionOneByOne() {
    var window = Self.window(11...13)
    #expect(window.confirmed(tag: 1, isMultiple: false) == .advance(to: 11))
    #expect(window.confirmed(tag: 2, isMultiple: false) == .advance(to: 12))
    #expect(window.unsettledCount == 1)
    #expect(window.confirmed(tag: 3, isMultiple: false) == .advance(to: 13))
    #expect(window.isEmpty && window.byteCount == 0)
  }

  @Test func confirmsOutOfOrderWaitForThoseBefore() {
    var window = Self.window(11...14)
    #expect(window.confirmed(tag: 3, isMultiple: false) == .none)
    #expect(window.confirmed(tag: 2, isMultiple: false) == .none)
    #expect(window.confirmed(tag: 1, isMultiple: false) == .advance(to: 13))
    #expect(window.confirmed(tag: 3, isMultiple: false) == .none, "a confirm that comes twice")
    #expect(window.unsettledCount == 1 && window.byteCount == 100)
  }

  @Test func oneConfirmMayBeForAllBefore() {
    var window = Self.window(1...100)
    #expect(window.confirmed(tag: 60, isMultiple: true) == .advance(to: 60))
    #expect(window.confirmed(tag: 0, isMultiple: true) == .advance(to: 100), "all that there is")
    #expect(window.isEmpty)
  }

  @Test func whatIsRefusedHasToBeSentAgainFromThere() {
    var window = Self.window(1...10)
    _ = window.confirmed(tag: 2, isMultiple: true)
    _ = window.confirmed(tag: 4, isMultiple: false)
    #expect(window.rejected(tag: 5, isMultiple: true) == .resend(from: 3))
    #expect(window.rejected(tag: 4, isMultiple: false) == .none, "it is stored")
    #expect(window.rejected(tag: 7, isMultiple: false) == .resend(from: 7))
  }

  @Test func tagsThatWereNeverGivenAreTheBrokersError() {
    var window = Self.window(1...3)
    #expect(window.confirmed(tag: 4, isMultiple: false) == .misuse)
    #expect(window.confirmed(tag: 0, isMultiple: false) == .misuse)
    #expect(window.confirmed(tag: .max, isMultiple: true) == .misuse)
    #expect(window.rejected(tag: 4, isMultiple: false) == .misuse)
    #expect(window.unsettledCount == 3)
  }

  @Test func itHasRoomUpToItsLimitsAndAlwaysForOne() {
    var window = ConfirmWindow(limits: .init(count: 3, byteCount: 1000))
    window.published(position: 1, byteCount: 5000)
    #expect(!window.hasRoom)
    _ = window.confirmed(tag: 1, isMultiple: false)
    #expect(window.hasRoom)
    for position in 2...4 as ClosedRange<Int64> {
      #expect(window.hasRoom)
      window.published(position: position, byteCount: 10)
    }
    #expect(!window.hasRoom && window.largestByteCount == 10)
  }

  /// Against a plain model: any order of single and multiple confirms of many messages.
  @Test(arguments: 1...20)
  func anyOrderOfConfirmsEndsWithEverythingStored(seed: UInt64) {
    var random = SeededGenerator(state: seed)
    var window = ConfirmWindow()
    var published: UInt64 = 0
    var settled: Set<UInt64> = []
    var reached: Int64 = 0
    while published < 10_000 || settled.count < 10_000 {
      if published < 10_000, Bool.random(using: &random) {
        for _ in 0..<Int.random(in: 1...50, using: &random) where published < 10_000 {
          published += 1
          window.published(position: Int64(published) + 7, byteCount: 1)
        }
        continue
      }
      guard published > 0 else { continue }
      let low = UInt64(max(0, reached - 7))
      let tag = UInt64.random(in: min(low + 1, published)...published, using: &random)
      let isMultiple = Int.random(in: 0..<10, using: &random) == 0
      if isMultiple { settled.formUnion(1...tag) } else { settled.insert(tag) }
      var prefix = low
      while settled.contains(prefix + 1) { prefix += 1 }
      let expected = prefix > low ? ConfirmWindow.Action.advance(to: Int64(prefix) + 7) : .none
      #expect(window.confirmed(tag: tag, isMultiple: isMultiple) == expected)
      reached = Int64(prefix) + 7
      #expect(window.unsettledCount == Int(published) - settled.count)
    }
    #expect(window.isEmpty && window.byteCount == 0)
  }
}
