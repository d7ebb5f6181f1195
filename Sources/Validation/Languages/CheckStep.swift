internal import Domain
internal import JSON

/// One tool's run over a submission's files, inside the sandbox.
struct CheckStep {
  var name: String
  var tool: Tool
  var format: DiagnosticFormat
  /// The stage that its errors belong to.
  var stage: ValidationStage
  /// The stage that everything less than an error belongs to.
  var warningStage: ValidationStage
  /// Whether code that it finds an error in has failed: nothing after it is worth running.
  var isGate: Bool
  /// A message that may show more than the submission (files of the suite) is not shown.
  var seesSuite = false
  /// What steps.py reads, besides the limits.
  var fields: [(key: String, value: JSONValue)]

  func json(_ limits: StepLimits) -> JSONValue {
    .object(
      [
        ("name", .string(name)), ("wall", .integer(limits.wallSeconds)),
        ("cpu", .integer(limits.cpuSeconds)), ("limit", .integer(limits.outputByteCount)),
        ("gates", .bool(isGate)),
      ] + fields)
  }
}

struct StepLimits {
  var wallSeconds: Int64 = 20
  var cpuSeconds: Int64 = 10
  var outputByteCount: Int64 = 256 << 10
}

/// What can be done with a submission in its language.
struct LanguagePlan {
  var language: String
  /// Tools without which nothing is decided.
  var needs: [Tool]
  /// Tools that add to it.
  var uses: [Tool]
  var steps: [CheckStep]
  /// Builds the program; nil where there is nothing to build.
  var build: CheckStep?
  /// What the build makes.
  var products: [BuildProduct] = []
  /// Files of Hito's own that the steps need, below `HiddenFolder`, or that stand in for one that is missing.
  var support: [SourceFile] = []
  /// What its tools may ask of the kernel.
  var profile = SandboxJob.Profile.compile
  /// How the program is run.
  var run: [String]
  /// Whether its syntax can only be found broken, not right.
  var isStructureOnly = false
}

/// A file that a build makes for the tests to run.
struct BuildProduct {
  /// Where the build leaves it, below `/work`.
  var path: String
  /// The file that it stands in for where tests run, and its own name there; nil: it is a program, and stays
  /// where it is.
  var replaces: (source: String, place: String)?
}

enum HiddenFolder {
  /// Where Hito puts files of its own in `/work`; a submission's files there are left out.
  static let name = ".hito"
  static let product = ".hito/product"
  /// Of JavaScript that was made of another language.
  static let scripts = ".hito/scripts"
}
