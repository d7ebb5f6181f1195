import Domain
import EventLake
import Replay

/// The events of a lake after a position and up to the one that it had reached at first, day by day and
/// in a day kind by kind; what was compacted meanwhile is read again.
struct LakeSource: EventSource {
  private struct Part: Hashable {
    var dayNumber: Int64
    var kind: EventKind
  }

  private let reader: LakeReader
  private let after: Int64
  let last: Int64
  private var state: ManifestState
  private var done: Set<Part> = []
  /// The part that is being read, its files that are left, and the next row group of the first.
  private var part: Part?
  private var files: [LakeFile] = []
  private var group = 0
  private var isFinished = false

  init(_ reader: LakeReader, after position: Int64) async throws {
    self.reader = reader
    after = position
    state = try await reader.state()
    last = state.publishedPosition
    // Each position once, from 1 on.
    let rowCount = state.files.reduce(0) { $0 + $1.rowCount }
    guard rowCount == last else { throw LakeError.gap(expected: last, found: rowCount) }
  }

  mutating func next() async throws -> SourcePage? {
    while true {
      guard let file = files.first else {
        if let part { done.insert(part) }
        part = nil
        guard beginPart() else { break }
        continue
      }
      guard let events = try await read(file) else { continue }
      return SourcePage(
        events: events.filter { $0.position > after && $0.position <= last }, position: nil)
    }
    guard !isFinished else { return nil }
    isFinished = true
    return SourcePage(events: [], position: last)
  }

  private mutating func beginPart() -> Bool {
    let next = state.files.first { file in
      file.firstPosition <= last && file.lastPosition > after && !done.contains(Self.part(file))
    }
    guard let next else { return false }
    let part = Self.part(next)
    self.part = part
    files = state.files(ofDay: part.dayNumber).filter {
      $0.kind == part.kind && $0.lastPosition > after && $0.firstPosition <= last
    }
    group = 0
    return true
  }

  private static func part(_ file: LakeFile) -> Part {
    Part(dayNumber: file.dayNumber, kind: file.kind)
  }

  /// Nil where the file is at its end, or was replaced: then its part begins anew.
  private mutating func read(_ file: LakeFile) async throws -> [StoredEvent]? {
    do {
      if group == 0, try await !reader.verify(file) { return try await beginAgain() }
      if let events = try await reader.events(of: file, group: group) {
        group += 1
        return events
      }
    } catch LakeError.io(_, _, code: 2) {
      return try await beginAgain()
    }
    files.removeFirst()
    group = 0
    return nil
  }

  private mutating func beginAgain() async throws -> [StoredEvent]? {
    state = try await reader.state()
    (part, files, group) = (nil, [], 0)
    return nil
  }
}
