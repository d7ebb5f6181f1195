import BenchmarkSupport
import Foundation
import HitoClient

/// A folder of documents into a course, until every section can be found by meaning.
struct Ingestion {
  private static let limit = Duration.seconds(900)

  let server: BenchServer
  let folder: String

  func measure(_ report: inout Report) async throws {
    let files = try documents()
    let client = try await server.connect(token: try server.adminToken())
    defer { client.close() }
    let course = try await client.courses.createCourse(CreateCourseRequest(title: "FastAPI"))
    let id = course.course?.id ?? ""
    let before = try server.usage()
    let began = ContinuousClock.now
    let call = try await client.courses.ingestDocuments()
    try await call.write(IngestDocumentsRequest(step: .start(IngestStart(courseId: id))))
    for (path, content) in files {
      try await call.write(
        IngestDocumentsRequest(
          step: .document(CourseDocument(path: path, content: content))))
    }
    let done = try await call.finish()
    let stored = (ContinuousClock.now - began).inSeconds
    let end = ContinuousClock.now + Self.limit
    while ContinuousClock.now < end {
      let status = try await client.retrieval.getEmbeddingStatus(GetEmbeddingStatusRequest())
      if status.pending == 0 { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    let all = (ContinuousClock.now - began).inSeconds
    let used = try server.usage() - before
    say(
      "\(done.documentsReceived) documents, \(done.sectionsChanged) sections: stored after "
        + "\(number(stored)) s, embedded after \(number(all)) s; CPU of the server "
        + "\(number(used.server)) s, of PostgreSQL \(number(used.database)) s")
    report.figures += [
      Figure(
        "retrieval.ingest_docs_per_second", Double(files.count) / all,
        unit: "documents/s, found by meaning"),
      Figure(
        "retrieval.ingest_stored_docs_per_second", Double(files.count) / stored,
        unit: "documents/s, found by words"),
      Figure(
        "retrieval.ingest_server_cpu_share", used.server / (used.server + used.database),
        unit: "of the CPU is the server's: the encoder bounds it"),
    ]
  }

  private func documents() throws -> [(path: String, content: [UInt8])] {
    guard let walker = FileManager.default.enumerator(atPath: folder) else {
      throw BenchmarkError("\(folder) cannot be read")
    }
    var files: [(String, [UInt8])] = []
    for case let path as String in walker where path.hasSuffix(".md") {
      let data = try Data(contentsOf: URL(filePath: "\(folder)/\(path)"))
      files.append((path, Array(data)))
    }
    return files.sorted { $0.0 < $1.0 }
  }
}
