/// A follower of the log, or a part that others wait for.
package struct PipelineState: Sendable, Hashable {
  package var name: String
  /// Everything up to here is done.
  package var position: Int64
  /// How many events it is behind; nil: as many as the log has after its position.
  package var lagCount: Int64?
  /// What waits in memory, in its own unit.
  package var waitingCount: Int64
  /// Where it is and what it does, for people.
  package var detail: String
  /// Empty where nothing is wrong.
  package var lastError: String
  /// How its connection to the broker is; nil where it has none.
  package var publication: PublicationStatus?

  package init(
    name: String, position: Int64, lagCount: Int64? = nil, waitingCount: Int64 = 0,
    detail: String = "", lastError: String = "", publication: PublicationStatus? = nil
  ) {
    self.name = name
    self.position = position
    self.lagCount = lagCount
    self.waitingCount = waitingCount
    self.detail = detail
    self.lastError = lastError
    self.publication = publication
  }
}

/// A process that follows the log: a server, or a worker.
package struct ReportingProcess: Sendable, Hashable {
  /// New at each start.
  package var id: EntityID
  /// Where it runs, for people: host and process id.
  package var name: String

  package init(id: EntityID, name: String) {
    self.id = id
    self.name = name
  }
}

/// What a process said last of one of its pipelines.
package struct ProcessReport: Sendable, Hashable {
  package var process: String
  package var pipeline: PipelineState
  /// How long ago, by the database's clock.
  package var age: Duration

  package init(process: String, pipeline: PipelineState, age: Duration) {
    self.process = process
    self.pipeline = pipeline
    self.age = age
  }
}

/// What each process says of its pipelines, so that any server can tell of all of them. What is old is
/// forgotten.
package protocol ProcessReportStore: Sendable {
  /// Replaces what the process said of these pipelines.
  func report(_ pipelines: [PipelineState], by process: ReportingProcess) async throws(StoreError)
  /// Removes what a process said that ends.
  func withdraw(_ process: ReportingProcess) async throws(StoreError)
  /// What other processes said within the last minutes, by process; 200 at most.
  func reports(besides processID: EntityID) async throws(StoreError) -> [ProcessReport]
}
