package import Domain

/// What processes say of their pipelines: a row for each, which no commit waits for.
package struct PostgresProcessReports: ProcessReportStore {
  private static let textByteCountMax = 1000

  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func report(
    _ pipelines: [PipelineState], by process: ReportingProcess
  ) async throws(StoreError) {
    let calls = pipelines.map { pipeline in
      ProcessReportStatements.report(
        process.id, Self.cut(process.name, to: 200), pipeline.name, pipeline.position,
        pipeline.waitingCount, Self.cut(pipeline.detail), Self.cut(pipeline.lastError),
        pipeline.publication?.condition.rawValue, pipeline.publication?.since,
        pipeline.publication?.unconfirmedCount ?? 0)
    }
    let unit = StatementUnit(
      writing: [SequencerStatements.withoutFlush(), ProcessReportStatements.forget()] + calls,
      for: .housekeeping)
    _ = try await database.run(unit)
  }

  package func withdraw(_ process: ReportingProcess) async throws(StoreError) {
    _ = try await database.write(
      ProcessReportStatements.withdraw(process.id), for: .housekeeping)
  }

  package func reports(besides processID: EntityID) async throws(StoreError) -> [ProcessReport] {
    try await database.rows(
      ProcessReportStatements.others(processID), as: .system(.housekeeping)
    ).map { row throws(StoreError) in
      let publication = try PublicationStatus.read(row, at: 5)
      return ProcessReport(
        process: try row.value(0),
        pipeline: PipelineState(
          name: try row.value(1), position: try row.value(2), waitingCount: try row.value(3),
          detail: try row.value(4), lastError: try row.value(8), publication: publication),
        age: .microseconds(try row.value(9, as: Int64.self)))
    }
  }

  private static func cut(_ text: String, to maximum: Int = textByteCountMax) -> String {
    String(decoding: text.utf8.prefix(maximum), as: UTF8.self)
  }
}
