import Domain
import EventLog
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct `The log's history` {
  private static let logID = EntityID(high: 7, low: 9)

  private func history(_ epochs: (UInt32, Int64)...) -> LogHistory {
    LogHistory(
      logID: Self.logID, epochs: epochs.map { LogEpoch(id: $0.0, beganAfter: $0.1) }) ?? .unnamed
  }

  @Test func `says of which epoch a position is, and where an epoch ended`() {
    let log = history((1, 0), (2, 50), (3, 80))
    #expect([0, 1, 50, 51, 80, 81, 900].map { log.epoch(of: $0).id } == [1, 1, 1, 2, 2, 3, 3])
    #expect(log.end(of: 1) == 50)
    #expect(log.end(of: 2) == 80)
    #expect(log.end(of: 3) == .max)
    #expect(log.end(of: 4) == nil)
    #expect(log.firstCut == 50 && history((1, 0)).firstCut == nil)
    // Two failovers without an event between them.
    #expect(history((1, 0), (2, 50), (3, 50)).epoch(of: 51).id == 3)
  }

  @Test func `shares with another what was before the first epoch that differs`() {
    let log = history((1, 0), (2, 50), (3, 80))
    #expect(log.shared(with: log) == .max)
    #expect(log.shared(with: history((1, 0), (2, 50))) == 80)
    #expect(log.shared(with: history((1, 0), (4, 60))) == 50)
    #expect(history((1, 0), (4, 60)).shared(with: log) == 50)
    // The number and the place of an epoch say nothing: two restores of one backup.
    #expect(log.shared(with: history((1, 0), (5, 50))) == 50)
    let other = LogHistory(logID: EntityID(high: 1, low: 1), epochs: log.epochs)
    #expect(other.map(log.shared) == 0)
    #expect(log.continues(history((1, 0))) && !history((1, 0)).continues(log))
  }

  @Test func `gets an epoch for a loss once, and only for one`() {
    let log = history((1, 0), (2, 50))
    let loss = LogLoss(epoch: 2, seen: 100, witness: "")
    #expect(log.losing(loss, last: 100) == log)
    let cut = log.losing(loss, last: 70)
    #expect(cut.epochs.map(\.beganAfter) == [0, 50, 70])
    #expect(cut.losing(loss, last: 70) == cut)
    // What was lost in an earlier epoch is settled.
    #expect(log.losing(LogLoss(epoch: 2, seen: 40, witness: ""), last: 10) == log)
    // Other events are there already.
    let replaced = LogLoss(epoch: 2, seen: 60, shared: 55, witness: "")
    #expect(log.losing(replaced, last: 90).current.beganAfter == 55)
  }

  @Test func `survives being written and read`() throws {
    let log = history((1, 0), (4_294_967_295, 50))
    #expect(try JSONDecoder().decode(LogHistory.self, from: JSONEncoder().encode(log)) == log)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(LogHistory.self, from: Data(#"{"log":"x","epochs":[]}"#.utf8))
    }
  }
}
