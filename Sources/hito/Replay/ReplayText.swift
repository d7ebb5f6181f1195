import Domain
import Replay
import Synchronization

/// Tells on standard error how far a replay is, at most once a second.
final class ReplayProgressText: Sendable {
  private let began = ContinuousClock.now
  private let last = Mutex(ContinuousClock.now)

  func tell(_ progress: Replayer.Progress) {
    let now = ContinuousClock.now
    let isDue = last.withLock { last in
      guard last.duration(to: now) >= .seconds(1) else { return false }
      last = now
      return true
    }
    guard isDue else { return }
    Output.note(Self.line(progress, after: began.duration(to: now)))
  }

  /// For example `12000 of 40000 events, 8100 a second, 4 s left`.
  static func line(_ progress: Replayer.Progress, after elapsed: Duration) -> String {
    let rate = ReplayText.rate(progress.done, elapsed)
    let left = rate > 0 ? ", \((progress.total - progress.done) / rate) s left" : ""
    return "\(progress.done) of \(progress.total) events, \(rate) a second\(left)"
  }
}

/// The words of a replay.
enum ReplayText {
  static func rate(_ count: Int64, _ elapsed: Duration) -> Int64 {
    let seconds = elapsed / .seconds(1)
    return seconds > 0 ? Int64((Double(count) / seconds).rounded()) : 0
  }

  static func summary(_ outcome: ReplayOutcome, _ plan: ReplayPlan) -> [String] {
    let rate = rate(outcome.rebuilt.eventCount, outcome.elapsed)
    let seconds = Double(Int64(outcome.elapsed / .milliseconds(100))) / 10
    var lines = [
      "\(outcome.rebuilt.eventCount) events of the \(plan.source.rawValue) applied in \(seconds) s "
        + "(\(rate) a second), up to position \(outcome.position)"
    ]
    if outcome.rebuilt.unknownTextCount > 0 {
      lines.append(
        "\(outcome.rebuilt.unknownTextCount) versions of documents have texts that older builds did "
          + "not keep (\(UnknownField.documentText.rawValue))")
    }
    if plan.isKept { lines.append("kept in the schema \(plan.schema)") }
    return lines
  }

  static func table(_ comparison: Replayer.Comparison) -> String {
    var table = TextTable(["TABLE", "ROWS", "DIFFERENCES", "REMARKS"], rightColumns: [1, 2])
    for entry in comparison.tables {
      table.add([
        entry.table, "\(entry.rowCount)", "\(entry.differenceCount)",
        entry.remarks.joined(separator: "; "),
      ])
    }
    return table.text
  }

  static func differences(_ comparison: Replayer.Comparison) -> [String] {
    comparison.tables.flatMap { entry in
      entry.differences.map { difference in
        let columns = difference.columns.joined(separator: ", ")
        let what = difference.kind == .differs ? "differs in \(columns)" : difference.kind.rawValue
        return "\(entry.table) \(difference.key) \(what)"
      }
        + (entry.differenceCount > entry.differences.count
          ? ["\(entry.table): \(entry.differenceCount - entry.differences.count) more"] : [])
    }
  }

  /// What a store or an event is, in words.
  static func failure(_ error: any Error, _ schema: String) -> any Error {
    switch error {
    case let error as StoreError:
      switch error {
      case .unavailable(let text, _), .corrupt(let text): return CommandFailure(text)
      case .archived(.notHere):
        return CommandFailure(
          "events have left the database, and the lake that has them is not here: give --lake-dir")
      case .archived(.damaged):
        return CommandFailure("a file of the lake that has events is damaged: see `hito doctor`")
      case .archived(.busy): return CommandFailure("the lake cannot be read now: try again")
      default: return error
      }
    default: return error
    }
  }
}
