import Documents
import Domain
import EventLake
import PostgresStore
import Replay

/// What a replay is to do.
struct ReplayPlan: Sendable {
  enum Source: String, Sendable {
    case log
    case lake
  }

  var source: Source
  var schema: String
  /// Nil: up to the end.
  var through: Int64?
  var isCompared: Bool
  var isKept: Bool
  var isContinued: Bool
  var conclusion: Replayer.Conclusion
  /// How many differences of each table are told.
  var limit: Int
  var lakeDirectory: String?

  func lake() throws(CommandFailure) -> LakeReader {
    guard let lakeDirectory else {
      throw CommandFailure(
        "there is no lake: give --lake-dir or --data-dir", exitStatus: ExitStatus.usage)
    }
    return LakeReader(directory: lakeDirectory)
  }
}

/// What a replay came to.
struct ReplayOutcome: Sendable {
  var rebuilt: Replayer.Rebuilt
  /// Up to where the schema has everything.
  var position: Int64
  var elapsed: Duration
  var comparison: Replayer.Comparison?
}

/// Runs a plan on an open database.
struct ReplayRun: Sendable {
  let plan: ReplayPlan
  let owner: ConnectionSettings

  func run(_ database: PostgresDatabase) async throws -> ReplayOutcome {
    let store = try await PostgresRebuildStore(owner, schema: plan.schema)
    // A schema that is not one of a replay stops it here, and is left as it is.
    let position = try await store.begin(
      continuing: plan.isContinued, withEvents: plan.source == .lake)
    do {
      return try await run(store, after: position, database)
    } catch {
      // What learners wrote is not left behind where nobody asked for it.
      if !plan.isKept { try? await store.drop() }
      throw error
    }
  }

  private func run(
    _ store: PostgresRebuildStore, after position: Int64, _ database: PostgresDatabase
  ) async throws -> ReplayOutcome {
    let withEvents = plan.source == .lake
    let log = PostgresEventLog(database, archive: try? plan.lake())
    let blobs = PostgresEventBlobs(database)
    let (source, last): (any EventSource, Int64)
    let sourceBlobs: any EventBlobs
    switch plan.source {
    case .log:
      let head = min(try await log.head(), plan.through ?? .max)
      (source, last) = (LogSource(log, after: position, through: head), max(head, position))
      sourceBlobs = blobs
    case .lake:
      let reader = try plan.lake()
      let lake = try await LakeSource(reader, after: position)
      (source, last, sourceBlobs) = (lake, max(lake.last, position), reader)
    }
    let began = ContinuousClock.now
    let rebuilder = replayer(store, log, sourceBlobs, withEvents)
    let rebuilt = try await rebuilder.rebuild(source, total: last - position)
    var outcome = ReplayOutcome(
      rebuilt: rebuilt, position: last, elapsed: began.duration(to: .now))
    if plan.isKept, rebuilt.leftOut.count > 0 {
      try await store.drop()
      throw ReplayError.nothingKept(rebuilt.leftOut)
    }
    if plan.isKept { try await store.takeOverVectors() }
    if plan.isCompared {
      // What came after the end of a lake is in the log alone, and so is what it names.
      outcome.comparison = try await replayer(store, log, blobs, withEvents).compare(
        after: last, limit: plan.limit, then: plan.conclusion, leftOut: rebuilt.leftOut)
    }
    if !plan.isKept { try await store.drop() }
    return outcome
  }

  private func replayer(
    _ store: PostgresRebuildStore, _ log: PostgresEventLog, _ blobs: any EventBlobs,
    _ withEvents: Bool
  ) -> Replayer {
    let text = ReplayProgressText()
    return Replayer(
      store: store, log: log, fold: EventFold(blobs: blobs, keepsEvents: withEvents),
      passages: PassageFold(blobs: blobs, reader: StandardDocumentReader()),
      progress: { text.tell($0) })
  }
}
