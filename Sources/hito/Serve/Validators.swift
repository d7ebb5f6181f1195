import Domain
import JSON
import Logging
import PostgresStore
import Sandbox
import Service
import Validation

/// What validates code in this process: one sandbox, and the judge over it.
struct Validators: Sendable {
  /// Nil: no code runs here.
  let sandbox: BubblewrapSandbox?
  private let validator: (any CodeValidator)?

  /// - Parameters:
  ///   - runsHere: false: what validates is a worker elsewhere.
  ///   - slotCount: how many programs run at a time.
  init(runsHere: Bool, slotCount: Int) {
    #if DEBUG
      if let scripted = Validators.scriptedForTests() {
        (sandbox, validator) = (nil, runsHere ? scripted : nil)
        return
      }
    #endif
    guard runsHere else {
      (sandbox, validator) = (nil, nil)
      return
    }
    let sandbox = BubblewrapSandbox(SandboxConfiguration(slotCount: slotCount))
    self.sandbox = sandbox
    validator = CodeJudge(
      sandbox: sandbox, toolchain: .found(), logger: Logger(label: "hito.validation"))
  }

  func ports(_ database: PostgresDatabase) -> ValidationPorts {
    let store = PostgresValidationStore(database)
    return ValidationPorts(
      validations: store, queue: store, tests: PostgresTaskTestsStore(database),
      validator: validator, unavailableReason: "workers elsewhere validate, and know with what",
      feedback: TemplateFeedback(), exchange: SarifExchange())
  }
}

/// What learners read of a report, by templates.
struct TemplateFeedback: ValidationFeedback {
  func text(on report: ValidationReport, files: [SourceFile], language: String) -> String {
    FeedbackText.make(report, files: files, in: FeedbackText.Language(tag: language))
  }
}

/// Diagnostics as SARIF 2.1.0.
struct SarifExchange: DiagnosticExchange {
  func text(of report: ValidationReport) -> String {
    Sarif.log(report.diagnostics, toolVersions: report.toolVersions).text
  }

  func diagnostics(in text: String, of files: [SourceFile]) -> [Diagnostic]? {
    JSONValue(parsing: text).flatMap { try? Sarif.diagnostics($0, files: files) }
  }
}
