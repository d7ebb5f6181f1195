package import Domain
import Synchronization

/// The lake as the part of the log that has left the store: whole events by position.
///
/// As many readers as there are threads are inside, and the others wait by turns of their callers.
extension ParquetEventLake: ArchivedLog {
  package func events(
    at places: [EventPlace], below floor: LogFloor, byteCountMax: Int, for caller: EntityID?
  ) async throws(StoreError) -> [StoredEvent] {
    try await inTurn(caller) { [self] () throws(LakeError) in
      try await require(floor)
      return try await rows(at: places, byteCountMax: byteCountMax).events
    }
  }

  package func position(
    of eventID: EntityID, below floor: LogFloor
  ) async throws(StoreError) -> Int64? {
    try await inTurn(nil) { [self] () throws(LakeError) in
      try await require(floor)
      let position = try await reading { (state, layout) throws(LakeScanner.Failure) in
        try LakeRows.position(of: eventID, state: state, layout: layout)
      }
      return position.flatMap { $0 <= floor.position ? $0 : nil }
    }
  }

  /// What the lake in a folder is at, which another process may have open; nil where there is none.
  package static func stand(inFolder path: String) throws(LakeError) -> Stand? {
    let layout = LakeLayout(root: path)
    let storage = PosixStorage()
    guard try storage.inspect(layout.manifest, checksum: false) != nil else { return nil }
    var writer = LakeWriter(layout: layout, storage: storage, options: EncodingOptions())
    try writer.load()
    return Stand(
      history: writer.state.history, publishedPosition: writer.state.publishedPosition)
  }

  /// What a lake has published, for who copies it.
  package struct Contents: Sendable, Hashable {
    package var publishedPosition: Int64
    /// Of its files, below its folder.
    package var paths: [String]
  }

  /// What is published in a folder, which another process may have open; nil where there is no lake.
  package static func contents(ofFolder path: String) throws(LakeError) -> Contents? {
    let layout = LakeLayout(root: path)
    let storage = PosixStorage()
    guard try storage.inspect(layout.manifest, checksum: false) != nil else { return nil }
    var writer = LakeWriter(layout: layout, storage: storage, options: EncodingOptions())
    try writer.load()
    return Contents(
      publishedPosition: writer.state.publishedPosition,
      paths: writer.state.files.map { "events/\($0.path)" })
  }

  /// Opens the lake as it is now, to read only: another process may have it open, and nothing is written
  /// or brought in order. A file that is found damaged, or that was replaced meanwhile, fails the read.
  package func openForReading() async throws(LakeError) {
    let state = try await writing.perform { [layout] () throws(LakeError) -> ManifestState in
      let storage = PosixStorage()
      guard try storage.inspect(layout.manifest, checksum: false) != nil else {
        throw .missing(path: layout.manifest, floor: 0)
      }
      var writer = LakeWriter(layout: layout, storage: storage, options: EncodingOptions())
      try writer.load()
      return writer.state
    }
    current.withLock { $0 = state }
  }

  /// Whole events, and what it took to read them.
  package struct Rows: Sendable, Hashable {
    package var events: [StoredEvent]
    /// Those that were read.
    package var files: Set<LakeFile>
    package var rowGroupCount: Int
    package var rowGroupsRead: Int
  }

  /// The events at `places`, in order, until they take `byteCountMax`. Fails rather than leave one out.
  package func rows(
    at places: [EventPlace], byteCountMax: Int
  ) async throws(LakeError) -> Rows {
    try await reading { (state, layout) throws(LakeScanner.Failure) in
      var cost = LakeRows.Cost()
      let events = try LakeRows.events(
        at: places, byteCountMax: byteCountMax, of: state, layout: layout, cost: &cost)
      return Rows(
        events: events, files: cost.files, rowGroupCount: cost.rowGroupCount,
        rowGroupsRead: cost.rowGroupsRead)
    }
  }

  /// Throws where the lake is not one that has what the floor says: an older copy, one of another
  /// log, or one that is only begun.
  package func require(_ floor: LogFloor) async throws(LakeError) {
    guard floor.position > 0, confirmedFloor.withLock({ $0 != floor }) else { return }
    let published = try openState().publishedPosition
    guard published >= floor.position else {
      throw .behindFloor(published: published, floor: floor.position)
    }
    let event = try await reading { (state, layout) throws(LakeScanner.Failure) in
      try LakeRows.event(at: floor.position, of: state, layout: layout)
    }
    if let event, event.id != floor.eventID { throw .otherLog }
    // In a file that is damaged: others can be read all the same.
    guard event != nil || !damaged.isEmpty else {
      throw .gap(expected: floor.position, found: 0)
    }
    confirmedFloor.withLock { $0 = floor }
  }

  /// Reads every byte of a published file again. One that is not what was written is set aside, and
  /// this fails with `.damaged`; with `.historyChanged` where the file was replaced meanwhile.
  package func verify(_ file: LakeFile) async throws(LakeError) {
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      try writer.verify(file)
    }
  }

  /// Takes damaged files back whose bytes are right again: see `recover`.
  package func reinstate() async throws(LakeError) {
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      try writer.reinstate()
    }
  }

  /// The events of a published file up to a position, in order.
  func events(of file: LakeFile, upTo last: Int64) async throws(LakeError) -> [StoredEvent] {
    try await reading { (state, layout) throws(LakeScanner.Failure) in
      try LakeRows.events(of: file, upTo: last, layout: layout)
    }
  }

  private func inTurn<Value: Sendable>(
    _ caller: EntityID?, _ body: () async throws(LakeError) -> Value
  ) async throws(StoreError) -> Value {
    switch await readers.enter(caller, until: CallDeadline.current) {
    case .entered: break
    case .cancelled: throw .cancelled
    case .expired: throw .timedOut(maybeCommitted: false)
    case .refused, .overdue: throw .archived(.busy)
    }
    defer { readers.leave(caller) }
    do throws(LakeError) {
      return try await body()
    } catch {
      throw error.asObstacle
    }
  }
}

extension LakeError {
  /// What a reader of events that have left the store is told.
  var asObstacle: StoreError {
    switch self {
    case .cancelled: .cancelled
    case .io, .locked, .overloaded, .historyChanged: .archived(.busy)
    case .damaged, .gap, .encoding, .invalidEvent, .tooLarge, .manifestDamaged:
      .archived(.damaged)
    case .closed, .otherLog, .ahead, .missing, .behindFloor, .belowFloor: .archived(.notHere)
    }
  }
}
