import ArgumentParser
import DescriptorJSON
import Foundation
import HitoClient

/// `hito validate`: code against its language's tools and a task's tests.
struct ValidateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Validate code, with the tests of a task or of a folder.",
    discussion: HelpText.prose(
      """
      Files and folders make one submission; their paths are those below the folder that all of them
      share. With --task it answers that task and is judged by its tests; with --tests by those in a
      folder: suite.json, pairs of NAME.in and NAME.out, test_*.py or *.test.mjs.

        hito validate sum.py
        hito validate src/ --main src/main.py --task 0197…
        hito validate sum.py --tests tests/ --watch

      Exit status: 0 passed, 2 failed, 3 inconclusive, 4 our fault (try again), 1 the call failed,
      64 wrong usage, 69 the server is not available.
      """))

  /// What the program ends with, by verdict.
  enum Status {
    static let failed: Int32 = 2
    static let inconclusive: Int32 = 3
    static let errored: Int32 = 4
  }

  @Argument(help: "Files and folders.", completion: .file())
  var files: [String]

  @OptionGroup var client: ClientOptions

  @Option(help: "UUID of the task that the code answers.")
  var task: String?

  @Option(
    help: "Folder of tests; with --task they become the task's tests.", completion: .directory)
  var tests: String?

  @Option(help: "The main file of several.", completion: .file())
  var main: String?

  @Option(help: "Language, for example python. Default: by the main file's ending.")
  var language: String?

  @Option(help: "Run the tests so often, to find those that pass and fail by chance: 1 to 5.")
  var runs: Int32 = 1

  @Flag(help: "Also have the model comment on the code, where one is configured.")
  var feedback = false

  @Flag(help: "One JSON object a line, as in the contract (ValidateCodeResponse).")
  var json = false

  @Flag(help: "Validate again whenever a file is saved, until Ctrl-C.")
  var watch = false

  func validate() throws {
    guard (1...5).contains(runs) else { throw ValidationError("--runs must be 1 to 5") }
  }

  func run() async throws {
    try await reporting(client) { server in
      let work = Task {
        var verdict = try await once(server)
        guard watch else { return verdict }
        while true {
          var changes = FileChanges(try watchedPlaces())
          Output.note("-- waiting for a file to be saved; Ctrl-C ends")
          try await changes.next()
          // A file that cannot be read or a server that is away is said, and waited out.
          do { verdict = try await once(server) } catch let error as CommandFailure {
            Output.note("error: \(error)")
          } catch let error as RPCError {
            Output.note("error: \(ErrorText.describe(error))")
          }
        }
      }
      let interrupt = Interrupt { work.cancel() }
      defer { interrupt.stop() }
      let status: Int32
      do {
        status = Self.status(try await work.value)
      } catch  where work.isCancelled {
        throw ExitCode(watch ? 0 : ExitStatus.failure)
      }
      if status != 0 { throw ExitCode(status) }
    }
  }

  private static func status(_ verdict: Verdict) -> Int32 {
    switch verdict {
    case .passed: 0
    case .failed: Status.failed
    case .inconclusive: Status.inconclusive
    default: Status.errored
    }
  }

  private func watchedPlaces() throws -> [String] {
    try SubmissionFiles(files).files.map(\.place)
      + (try tests.map { try SubmissionFiles.places(of: $0) } ?? [])
  }

  private func once(_ server: HitoClient) async throws -> Verdict {
    let submission = try submission()
    var request = ValidateCodeRequest(
      withFeedback: feedback, submission: submission, runs: runs)
    if let tests {
      let suite = try TestFolder(tests).suite(language: submission.language)
      if let task {
        _ = try await server.codeValidation.setTaskTests(
          SetTaskTestsRequest(taskIds: [task], suite: suite), options: client.callOptions)
      } else {
        request.suite = suite
      }
    }
    return try await follow(server.validate(request, options: client.watchOptions), submission)
  }

  private func submission() throws -> Submission {
    let sources = try SubmissionFiles(files)
    var mainPath = ""
    if let main {
      guard let place = try SubmissionFiles.places(of: main).first,
        let file = sources.files.first(where: { $0.place == place })
      else { throw CommandFailure("\(TerminalText.clean(main)): is not among the files") }
      mainPath = file.path
    } else if let only = sources.files.first, sources.files.count == 1 {
      mainPath = only.path
    } else if let named = sources.files.first(where: { Self.isMain($0.path) }) {
      mainPath = named.path
    } else {
      throw CommandFailure("which of the files is the main one? --main FILE says so")
    }
    return Submission(
      taskId: task ?? "", language: language ?? "", files: try sources.read(), mainPath: mainPath)
  }

  /// `main` with any ending, beside the others.
  private static func isMain(_ path: String) -> Bool {
    !path.contains("/") && path.split(separator: ".").first == "main"
  }

  private func follow(
    _ validation: ResumingValidation, _ submission: Submission
  ) async throws -> Verdict {
    let progress = ValidationProgress(schema: json ? try Schema.own() : nil, submission)
    for try await response in validation {
      if let verdict = try progress.show(response) { return verdict }
    }
    throw CommandFailure("the validation ended without a verdict")
  }
}

/// What is shown of a validation as it comes.
private final class ValidationProgress {
  private let schema: Schema?
  private let text: ValidationText
  private var attempt: Int32 = 0
  private var position: Int32 = -1

  /// - Parameter schema: steps are shown as its JSON; nil: as text.
  init(schema: Schema?, _ submission: Submission) {
    self.schema = schema
    let sources = Dictionary(
      submission.files.map { ($0.path, $0.content) }, uniquingKeysWith: { first, _ in first })
    text = ValidationText(style: .ofStandardOutput, sources: sources)
  }

  /// - Returns: the verdict, where this is the last step.
  func show(_ response: ValidateCodeResponse) throws -> Verdict? {
    if let schema {
      Output.line(try schema.json(response).shown())
    } else {
      describe(response)
    }
    attempt = max(attempt, response.attempt)
    guard case .result(let snapshot) = response.step else { return nil }
    if schema == nil { Output.text(text.describe(snapshot, response.validation)) }
    return response.validation?.verdict ?? snapshot.verdict
  }

  private func describe(_ response: ValidateCodeResponse) {
    if response.attempt > attempt, attempt > 0 {
      Output.note("-- another server began the validation anew")
    }
    if case .queued(let place) = response.step, place.position != position {
      position = place.position
      if position > 0 { Output.note("-- waiting; \(position) before this one") }
    }
    Output.text(text.describe(response))
  }
}
