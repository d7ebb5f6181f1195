internal import CoreMetrics
internal import Synchronization

/// A span that has ended.
struct EndedSpan: Sendable {
  var context: SpanContext
  /// What led to it; nil at the beginning of a trace.
  var parentSpanID: UInt64?
  var name: String
  /// OTLP's number.
  var kind: Int64
  var startNanoseconds: UInt64
  var endNanoseconds: UInt64
  var attributes: [(name: String, value: AttributeValue)]
  var events: [Event]
  var isError: Bool

  struct Event: Sendable {
    var name: String
    var nanoseconds: UInt64
  }
}

/// Ended spans that have not been sent. Bounded: what does not fit is dropped and counted, so that nothing ever
/// waits for a collector.
package final class SpanQueue: Sendable {
  package static let countMax = 4096

  private let spans = Mutex<[EndedSpan]>([])
  private let dropped = Atomic(0)

  package init() {}

  /// Spans that nobody will see.
  package var droppedCount: Int { dropped.load(ordering: .relaxed) }
  package var count: Int { spans.withLock { $0.count } }

  func add(_ span: EndedSpan) {
    let isTaken = spans.withLock { spans in
      guard spans.count < Self.countMax else { return false }
      spans.append(span)
      return true
    }
    if !isTaken { drop(1) }
  }

  /// The oldest ones.
  func take(_ countMax: Int) -> [EndedSpan] {
    spans.withLock { spans in
      let taken = Array(spans.prefix(countMax))
      spans.removeFirst(taken.count)
      return taken
    }
  }

  /// Those that were not sent after all, before all others.
  func putBack(_ unsent: [EndedSpan]) {
    let overflow = spans.withLock { spans in
      let room = max(0, Self.countMax - spans.count)
      spans = unsent.suffix(room) + spans
      return unsent.count - min(room, unsent.count)
    }
    if overflow > 0 { drop(overflow) }
  }

  func drop(_ count: Int) {
    dropped.add(count, ordering: .relaxed)
    Counter(label: "hito_otlp_dropped_spans_total").increment(by: count)
  }
}
