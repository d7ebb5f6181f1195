import ArgumentParser
import Domain
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

      A document that cannot be taken in is named with its reason, the others are stored, and the
      command ends with 65; what was stored of a refused document before stays. Texts that are not
      UTF-8 are converted where their encoding is known by a byte order mark or by what a page
      declares, or looks like Windows-1252 (Latin-1). Links that lead out of the folder, and links to
      folders, are named and not followed.

        hito ingest 0197… docs/es --language es
        hito ingest 0197… docs/es --replace-all --dry-run
      """)

  @OptionGroup var client: ClientOptions

  @Argument(help: "UUID of the course.")
  var course: String

  @Argument(help: "Folder of the documents.", completion: .directory)
  var directory: String

  @Option(
    help: "Language of the documents: es or en. Default: the course's.",
    completion: .list(UserLimits.languages))
  var language: String?

  @Flag(help: "Take out the documents of the course that are not in the folder.")
  var replaceAll = false

  @Flag(help: "With --replace-all: also where nothing that is stored would remain.")
  var yes = false

  @Flag(help: "Store nothing unless every document can be taken in.")
  var strict = false

  @Flag(
    help: "Take documents apart again whose text is the same, after a new version of the server.")
  var reread = false

  @Flag(help: "Say what would be stored and taken out, and do nothing.")
  var dryRun = false

  @Flag(help: "End when everything is stored, without waiting until it can be found by meaning.")
  var noWait = false

  func validate() throws {
    // Every document would be refused for it, one by one.
    guard let language, !UserLimits.languages.contains(language) else { return }
    let known = UserLimits.languages.joined(separator: " or ")
    throw ValidationError(
      "--language must be \(known), and not '\(TerminalText.clean(language, maximum: 40))'")
  }

  func run() async throws {
    try await reporting(client) { server in
      let folder = try DocumentFolder(directory)
      for link in folder.skipped { Output.note(IngestText.skipped(link.path, link.reason)) }
      for place in folder.unread { Output.note(IngestText.refused(place.path, place.reason)) }
      if replaceAll, !folder.unread.isEmpty, !dryRun {
        throw CommandFailure("--replace-all needs to know all that is in \(directory)")
      }
      let courses = server.courses
      if dryRun { return try await show(folder, courses) }
      if strict { try checkAll(folder) }
      if folder.files.isEmpty, !replaceAll {
        for file in folder.refused { Output.note(IngestText.refused(file.path, file.reason)) }
        throw CommandFailure("\(directory): no documents (.md, .html or .txt)")
      }
      if replaceAll, !yes { try await checkRemains(folder, courses) }
      try await store(folder, courses)
    }
  }

  private func store(_ folder: DocumentFolder, _ courses: CourseServiceClient) async throws {
    var sending = IngestSending(
      folder: folder, language: language ?? "", course: course, replacesAll: replaceAll,
      rereads: reread)
    let response = try await sending.run(courses, client.callOptions)
    if !noWait { try await waitForMeaning(response, courses) }
    let refusedCount = sending.refusedCount + response.refused.count
    Output.text(IngestText.summary(response, refusedCount: refusedCount))
    try fail(refusedCount, folder)
  }

  /// Ends with an error where documents were refused, or may have been.
  private func fail(_ refusedCount: Int, _ folder: DocumentFolder) throws {
    guard refusedCount > 0 || !folder.unread.isEmpty else { return }
    let total = folder.files.count + folder.refused.count
    throw CommandFailure(
      refusedCount > 0
        ? IngestText.refusedCount(refusedCount, of: total) : "not every folder could be read",
      exitStatus: ExitStatus.data)
  }

  // MARK: Before anything is stored

  private func show(_ folder: DocumentFolder, _ courses: CourseServiceClient) async throws {
    let stored = try await documents(courses)
    let plan = IngestPlan(folder, stored: stored, replacingAll: replaceAll)
    for note in plan.notes { Output.note(note) }
    for file in plan.refused { Output.note(IngestText.refused(file.path, file.reason)) }
    Output.text(IngestText.plan(plan))
    try fail(plan.refused.count, folder)
  }

  private func checkAll(_ folder: DocumentFolder) throws {
    var refused = folder.refused + folder.skipped
    for file in folder.files {
      do throws(DocumentFolder.Refusal) {
        _ = try file.check()
      } catch {
        refused.append(error)
      }
    }
    if folder.files.count > DocumentLimits.documentsOfStream {
      let reason = "more than \(DocumentLimits.documentsOfStream) documents"
      refused.append(DocumentFolder.Refusal(path: directory, reason: reason))
    }
    guard !refused.isEmpty || !folder.unread.isEmpty else { return }
    for file in refused { Output.note(IngestText.refused(file.path, file.reason)) }
    throw CommandFailure("nothing was stored, as --strict says", exitStatus: ExitStatus.data)
  }

  /// Asks for `--yes` where all that is stored would go: more often than not it is the wrong folder.
  private func checkRemains(
    _ folder: DocumentFolder, _ courses: CourseServiceClient
  ) async throws {
    let stored = try await documents(courses).map(\.path)
    let brought = Set(folder.files.map(\.path) + folder.refused.map(\.path))
    guard !stored.isEmpty, !stored.contains(where: brought.contains) else { return }
    let shown = stored.prefix(20).map { "\n  \(TerminalText.clean($0))" }.joined()
    let more = stored.count > 20 ? "\n  … and \(stored.count - 20) more" : ""
    throw CommandFailure(
      "\(directory) has none of the \(stored.count) documents of the course, and --replace-all would "
        + "remove them all:\(shown)\(more)\n"
        + "hint: --dry-run shows what would be stored and removed, --yes does it")
  }

  // MARK: What the course has

  /// Shows how many sections have their vectors, until all have.
  private func waitForMeaning(
    _ response: IngestDocumentsResponse, _ courses: CourseServiceClient
  ) async throws {
    let progress = IngestProgress()
    defer { progress.end() }
    var best = -1
    var lastMove = ContinuousClock.now
    while true {
      let stored = try await documents(courses, minCursor: response.receipt?.cursor ?? "")
      let done = stored.reduce(0) { $0 + Int($1.embeddedSectionCount) }
      let total = stored.reduce(0) { $0 + Int($1.sectionCount) }
      progress.show(done, of: total, "sections can be found by meaning")
      if done >= total { return }
      if done > best { (best, lastMove) = (done, .now) }
      guard lastMove.duration(to: .now) < .seconds(30) else {
        return progress.note(
          "the rest is found by its words, and by meaning once the server has its vectors")
      }
      try await Task.sleep(for: .milliseconds(300))
    }
  }

  private func documents(
    _ courses: CourseServiceClient, minCursor: String = ""
  ) async throws -> [DocumentInfo] {
    var documents: [DocumentInfo] = []
    var token = ""
    repeat {
      let page = try await courses.listDocuments(
        ListDocumentsRequest(
          courseId: course, page: PageRequest(pageSize: 200, pageToken: token),
          minCursor: minCursor),
        options: client.callOptions)
      documents += page.documents
      token = page.page?.nextPageToken ?? ""
    } while !token.isEmpty
    return documents
  }
}
