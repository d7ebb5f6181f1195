package import Domain
import Synchronization
import Threads

/// The lake: hive-partitioned Parquet files of every event, written once, crash-safe.
///
/// One process writes to a folder at a time. Every call may be made from any task; what blocks runs
/// on threads of the lake's own. `recover` comes first; until then all else throws `.closed`.
package final class ParquetEventLake: Sendable {
  package let layout: LakeLayout
  private let writer: Mutex<LakeWriter>
  /// The last state that a call on `writer` left; read without waiting for one that runs.
  let current = Mutex<ManifestState?>(nil)
  /// Why it is not open.
  private let obstacle = Mutex<LakeError?>(nil)
  let writing = WorkerThreads(count: 1, waitingMax: 256)
  private let readingThreads: WorkerThreads<Void>
  /// Those who read whole events.
  let readers: FairQueue<EntityID?>
  /// The floor of the log that the lake was found to have everything below of.
  let confirmedFloor = Mutex<LogFloor?>(nil)

  /// - Parameters:
  ///   - directory: the lake's folder; made if it is not there.
  ///   - scanThreadCount: how many scans run at once.
  package init(
    directory: String, options: EncodingOptions = .init(),
    storage: any LakeStorage = PosixStorage(), scanThreadCount: Int = 2
  ) {
    layout = LakeLayout(root: directory)
    writer = Mutex(LakeWriter(layout: layout, storage: storage, options: options))
    readingThreads = WorkerThreads(count: max(1, scanThreadCount), waitingMax: 1024)
    readers = FairQueue(insideMax: max(1, scanThreadCount), waitingMax: 10_000)
  }

  /// Opens the lake and brings it in order after whatever ended the last process.
  ///
  /// - Parameter floor: the log's. Where it says that a lake must be there and none is, none is begun.
  @discardableResult
  package func recover(
    verify: Verification = .checksums, below floor: LogFloor = .none
  ) async throws(LakeError) -> RecoveryReport {
    do throws(LakeError) {
      let report = try await write { (writer) throws(LakeError) in
        try writer.recover(verify: verify, below: floor)
      }
      obstacle.withLock { $0 = nil }
      return report
    } catch {
      obstacle.withLock { $0 = error }
      throw error
    }
  }

  /// What tells this lake from others; nil until it is open.
  package var id: EntityID? { current.withLock { $0?.lakeID } }

  /// Lets go of the folder, so that another process may open it; nothing is left to write.
  package func close() async throws(LakeError) {
    try await write { (writer) throws(LakeError) in
      writer.isOpen = false
      writer.lock = nil
    }
  }

  /// The last position of which every event before it is durable; 0 for an empty lake.
  package var publishedPosition: Int64 {
    current.withLock { $0?.publishedPosition ?? 0 }
  }

  /// Files set aside and not restored yet.
  package var damaged: [DamagedFile] {
    current.withLock { $0?.damaged ?? [] }
  }

  /// Publishes the events after `publishedPosition`; durable when it returns.
  ///
  /// Positions must follow without gaps; those already published are passed over, so the same call
  /// may be repeated after any failure. After an error the lake holds whole batches only.
  package func append(_ events: [StoredEvent]) async throws(LakeError) {
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      try writer.append(events)
    }
  }

  /// Writes a damaged file again from the log's events.
  ///
  /// - Parameter events: every event of the log from the file's first through its last position.
  package func restore(
    _ damaged: DamagedFile, from events: [StoredEvent]
  ) async throws(LakeError) {
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      try writer.restore(damaged, from: events)
    }
  }

  /// The learner's rows. Fails with `.damaged` rather than leave out a file that cannot be read.
  package func scan(_ query: LakeQuery) async throws(LakeError) -> LakeScan {
    let days = LakeScanner.days(of: query)
    let cancelled = CancellationFlag()
    let result = await withTaskCancellationHandler { () -> Result<LakeScan, LakeError> in
      do throws(LakeError) {
        return .success(
          try await reading { (state, layout) throws(LakeScanner.Failure) in
            let known = state.damaged(fromDay: days.first, throughDay: days.last)
            guard known.isEmpty else {
              throw LakeScanner.Failure(error: .damaged(known), file: nil, reason: nil)
            }
            return try LakeScanner.scan(query, of: state, layout: layout) { cancelled.isSet }
          })
      } catch {
        return .failure(error)
      }
    } onCancel: {
      cancelled.set()
    }
    return try result.get()
  }

  /// Reads published files on one of the threads for that. What is found damaged is set aside, and a
  /// file that a compaction replaced meanwhile is found in the next state.
  func reading<Value: Sendable>(
    _ body: @escaping @Sendable (ManifestState, LakeLayout) throws(LakeScanner.Failure) -> Value
  ) async throws(LakeError) -> Value {
    for _ in 0..<3 {
      let state = try openState()
      let layout = layout
      let result = try await readingThreads.perform {
        () throws(LakeError) -> Result<Value, LakeScanner.Failure> in
        do throws(LakeScanner.Failure) {
          return .success(try body(state, layout))
        } catch {
          return .failure(error)
        }
      }
      switch result {
      case .success(let value): return value
      case .failure(let failure):
        if let error = try await afterFailure(failure) { throw error }
      }
    }
    throw .overloaded
  }

  /// Makes one file a kind of every day before the one of `moment` that has more, a learner's rows
  /// together: reports then read an order of magnitude less.
  @discardableResult
  package func compact(before moment: Timestamp) async throws(LakeError) -> CompactionReport {
    let day = CivilTime(moment).dayNumber
    return try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      return try writer.compact(before: day) { false }
    }
  }

  /// A file that turned out unreadable is set aside at once, so that it is known from now on.
  ///
  /// - Returns: nil where the file was replaced meanwhile, so that the scan can be made again.
  private func afterFailure(
    _ failure: LakeScanner.Failure
  ) async throws(LakeError) -> LakeError? {
    guard let file = failure.file, let reason = failure.reason else { return failure.error }
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      try writer.quarantine(file, reason: reason)
    }
    let found = damaged.filter { $0.file == file }
    return found.isEmpty ? nil : .damaged(found)
  }

  /// The state as of now; holds no lock while it is used.
  package func openState() throws(LakeError) -> ManifestState {
    guard let state = current.withLock({ $0 }) else {
      throw obstacle.withLock { $0 } ?? .closed
    }
    return state
  }

  func write<Value: Sendable>(
    _ body: @escaping @Sendable (inout LakeWriter) throws(LakeError) -> Value
  ) async throws(LakeError) -> Value {
    try await writing.perform { [self] () throws(LakeError) in
      let result: Result<Value, LakeError> = writer.withLock { writer in
        let result: Result<Value, LakeError>
        do throws(LakeError) { result = .success(try body(&writer)) } catch {
          result = .failure(error)
        }
        let state = writer.isOpen ? writer.state : nil
        current.withLock { $0 = state }
        return result
      }
      return try result.get()
    }
  }
}

/// Set by the handler of a cancelled task, read between files.
private final class CancellationFlag: Sendable {
  private let value = Atomic(false)
  var isSet: Bool { value.load(ordering: .relaxed) }
  func set() { value.store(true, ordering: .relaxed) }
}

extension LakeWriter {
  func requireOpen() throws(LakeError) {
    guard isOpen else { throw .closed }
  }

  mutating func restore(
    _ damaged: DamagedFile, from events: [StoredEvent]
  ) throws(LakeError) {
    try settle()
    guard state.damaged.contains(damaged) else { return }
    let file = damaged.file
    let wanted = events.filter { file.holds($0) }
    var plan = try BatchPlan(wanted, options: options)
    guard plan.intent.files.count == 1, let again = plan.intent.files.first,
      again.path == file.path, again.rowCount == file.rowCount
    else { throw .gap(expected: file.firstPosition, found: wanted.first?.position ?? 0) }
    // The cursor stays where it is: nothing new is published.
    plan.intent.firstPosition = state.publishedPosition
    plan.intent.lastPosition = state.publishedPosition
    try publish(plan)
  }
}
