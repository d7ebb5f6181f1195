package import Domain
package import Logging
internal import Logs

/// Says again and again how far this process is, so that any server can tell of it (`GetPipelines`).
package struct PipelineReporter: Sendable {
  package static let interval = Duration.seconds(5)
  /// What has said nothing for so long is not well.
  package static let silenceMax = interval * 4

  private let store: any ProcessReportStore
  private let process: ReportingProcess
  private let outage: OutageLog
  private let pipelines: @Sendable () async -> [PipelineState]

  package init(
    store: any ProcessReportStore, process: ReportingProcess, logger: Logger,
    pipelines: @escaping @Sendable () async -> [PipelineState]
  ) {
    self.store = store
    self.process = process
    self.pipelines = pipelines
    outage = OutageLog(logger, "telling how far this process is")
  }

  /// Runs until the task is cancelled. Its owner withdraws what was said then.
  package func run() async throws {
    while true {
      do throws(StoreError) {
        try await store.report(await pipelines(), by: process)
        outage.worked()
      } catch {
        try Task.checkCancellation()
        outage.failed("\(error)")
      }
      try await Task.sleep(for: Self.interval)
    }
  }

  /// At an orderly end: nobody is missed then.
  package func withdraw() async {
    // What cannot be removed is forgotten by itself.
    try? await store.withdraw(process)
  }
}

extension ProcessReport {
  /// As the pipeline of another process is shown.
  package var shown: PipelineState {
    var state = pipeline
    state.name += "@\(process)"
    if age > PipelineReporter.silenceMax {
      let silence = "has said nothing for \(age.components.seconds) s"
      state.lastError = state.lastError.isEmpty ? silence : "\(silence); \(state.lastError)"
    }
    return state
  }
}
