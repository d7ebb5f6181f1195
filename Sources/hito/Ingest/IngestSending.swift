import HitoClient

/// Sends the documents of a folder in one stream: every one is tried, and those that are refused, here or by
/// the server, are named.
struct IngestSending {
  let folder: DocumentFolder
  let language: String
  let course: String
  let replacesAll: Bool
  let rereads: Bool

  /// Documents that never went to the server.
  private(set) var refusedCount = 0

  init(
    folder: DocumentFolder, language: String, course: String, replacesAll: Bool, rereads: Bool
  ) {
    self.folder = folder
    self.language = language
    self.course = course
    self.replacesAll = replacesAll
    self.rereads = rereads
  }

  mutating func run(
    _ courses: CourseServiceClient, _ options: CallOptions
  ) async throws -> IngestDocumentsResponse {
    let progress = IngestProgress()
    // What is stored of those that cannot be sent must not go because of that; the server has to
    // know it before the first document.
    let unsendable = replacesAll ? refusedFiles().map(\.path) : []
    let known = Set(unsendable)
    let call = try await courses.ingestDocuments(options: options)
    do {
      try await call.write(
        IngestDocumentsRequest(
          step: .start(
            IngestStart(
              courseId: course, replaceAll: replacesAll, skipRefused: true,
              keptPaths: unsendable, reread: rereads))))
      for file in folder.refused { note(file, progress) }
      var sentCount = 0
      for (index, file) in folder.files.enumerated() {
        if try await send(file, call, progress, known: known) { sentCount += 1 }
        let waitingCount = folder.files.count - index - 1
        progress.show(sentCount, of: sentCount + waitingCount, "documents sent", file.path)
      }
      let response = try await call.finish()
      for file in response.refused { progress.note(IngestText.refused(file.path, file.reason)) }
      progress.end()
      return response
    } catch {
      progress.end()
      call.cancel()
      throw error
    }
  }

  /// - Returns: whether the document could be read.
  private mutating func send(
    _ file: DocumentFile,
    _ call: ClientStreamingCall<IngestDocumentsRequest, IngestDocumentsResponse>,
    _ progress: IngestProgress, known: Set<String>
  ) async throws -> Bool {
    let text: [UInt8]
    do throws(DocumentFolder.Refusal) {
      let read = try file.read()
      if let encoding = read.encoding { progress.note(IngestText.converted(file.path, encoding)) }
      text = read.bytes
    } catch {
      note(error, progress)
      guard !replacesAll || known.contains(file.path) else {
        throw CommandFailure("\(TerminalText.clean(file.path)) cannot be read any more")
      }
      return false
    }
    try await call.write(
      IngestDocumentsRequest(
        step: .document(CourseDocument(path: file.path, content: text, language: language))))
    return true
  }

  private mutating func note(_ file: DocumentFolder.Refusal, _ progress: IngestProgress) {
    refusedCount += 1
    progress.note(IngestText.refused(file.path, file.reason))
  }

  private func refusedFiles() -> [DocumentFolder.Refusal] {
    folder.refused
      + folder.files.compactMap { file in
        do throws(DocumentFolder.Refusal) {
          _ = try file.read()
          return nil
        } catch {
          return error
        }
      }
  }
}
