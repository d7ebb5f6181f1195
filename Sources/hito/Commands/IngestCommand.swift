import ArgumentParser
import Foundation
import HitoClient

/// `hito ingest`: a folder of documents into a course.
struct IngestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ingest",
    abstract: "Take a folder of documents into a course.",
    discussion: """
      Markdown, HTML and plain text (.md, .markdown, .mdx, .html, .htm, .xhtml, .txt), named by their
      paths inside the folder. Each is stored as soon as it arrives: a repeat after a broken
      connection continues where it stopped, and touches only what changed.

        hito ingest 0197… docs/es --language es
        hito ingest 0197… docs/es --replace-all
      """)

  @OptionGroup var client: ClientOptions

  @Argument(help: "UUID of the course.")
  var course: String

  @Argument(help: "Folder of the documents.", completion: .directory)
  var directory: String

  @Option(help: "Language of the documents: es or en. Default: the course's.")
  var language: String?

  @Flag(help: "Take out the documents of the course that are not in the folder.")
  var replaceAll = false

  @Flag(help: "End when everything is stored, without waiting until it can be found by meaning.")
  var noWait = false

  func run() async throws {
    try await reporting(client) { server in
      let folder = try DocumentFolder(directory)
      if folder.files.isEmpty, !replaceAll {
        throw CommandFailure("\(directory): no documents (.md, .html or .txt)")
      }
      let courses = server.courses
      let response = try await send(folder, courses)
      if !noWait { try await waitForMeaning(response, courses) }
      Output.text(IngestText.summary(response))
    }
  }

  private func send(
    _ folder: DocumentFolder, _ courses: CourseServiceClient
  ) async throws -> IngestDocumentsResponse {
    let progress = Progress()
    let call = try await courses.ingestDocuments(options: client.callOptions)
    do {
      try await call.write(
        IngestDocumentsRequest(step: .start(IngestStart(courseId: course, replaceAll: replaceAll))))
      for (index, file) in folder.files.enumerated() {
        let document = CourseDocument(
          path: file.path, content: try file.read(), language: language ?? "")
        try await call.write(IngestDocumentsRequest(step: .document(document)))
        progress.show(index + 1, of: folder.files.count, "documents sent", file.path)
      }
      let response = try await call.finish()
      progress.end()
      return response
    } catch {
      progress.end()
      call.cancel()
      throw error
    }
  }

  /// Shows how many sections have their vectors, until all have.
  private func waitForMeaning(
    _ response: IngestDocumentsResponse, _ courses: CourseServiceClient
  ) async throws {
    let progress = Progress()
    defer { progress.end() }
    var best = -1
    var lastMove = ContinuousClock.now
    while true {
      let (done, total) = try await sections(response.receipt?.cursor ?? "", courses)
      progress.show(done, of: total, "sections can be found by meaning")
      if done >= total { return }
      if done > best { (best, lastMove) = (done, .now) }
      guard lastMove.duration(to: .now) < .seconds(30) else {
        progress.end()
        return Output.note(
          "the rest is found by its words, and by meaning once the server has its vectors")
      }
      try await Task.sleep(for: .milliseconds(300))
    }
  }

  private func sections(
    _ cursor: String, _ courses: CourseServiceClient
  ) async throws -> (done: Int, total: Int) {
    var (done, total) = (0, 0)
    var token = ""
    repeat {
      let page = try await courses.listDocuments(
        ListDocumentsRequest(
          courseId: course, page: PageRequest(pageSize: 200, pageToken: token),
          minCursor: cursor),
        options: client.callOptions)
      for document in page.documents {
        done += Int(document.embeddedSectionCount)
        total += Int(document.sectionCount)
      }
      token = page.page?.nextPageToken ?? ""
    } while !token.isEmpty
    return (done, total)
  }
}

/// Progress on standard error: one line that is written over on a terminal, else a line now and then.
private final class Progress {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var isOpen = false
  private var last = ""
  private var lastTime = ContinuousClock.now - .seconds(60)

  func show(_ done: Int, of total: Int, _ what: String, _ detail: String = "") {
    if isTerminal {
      isOpen = true
      // Back to the beginning of the line, and away with what is longer than this.
      return Output.error("\r\(IngestText.bar(done, of: total, what, detail))\u{1b}[K")
    }
    let line = IngestText.line(done, of: total, what)
    let isDue = done >= total || lastTime.duration(to: .now) > .seconds(1)
    guard isDue, line != last else { return }
    (last, lastTime) = (line, .now)
    Output.note(line)
  }

  func end() {
    if isOpen { Output.error("\n") }
    isOpen = false
  }
}
