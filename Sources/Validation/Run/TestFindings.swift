internal import Domain
internal import JSON

/// What one run of a group of tests reported.
struct TestFindings {
  struct Load {
    /// `code`, `suite` or `toolchain`.
    var fault: String
    var message: String
    var place: String
  }

  var results: [String: TestOutcome] = [:]
  /// Ids of tests that passed although they were turned around.
  var forged: Set<String> = []
  /// The ids that the run found, in their order.
  var plan: [String] = []
  var hasBegun = false
  var hasEnded = false
  /// Why a file of the suite does not parse.
  var broken: String?
  var load: Load?
  var runs: [RunOutcome] = []
  /// The worst that happened to a run inside, which decides where tests are missing.
  var worst: RunStatus = .ok
  /// Whether a run's time was over while it waited for nothing but a processor.
  var isStarved = false
  /// The last words of a runner of the protocol that reported nothing.
  var tail = ""
}

extension TestFindings {
  /// Takes a line of the report; nil where it is no result.
  mutating func take(_ line: JSONValue, cpuMilliseconds: Int) -> TestOutcome? {
    if line["begin"] != nil { hasBegun = true }
    if line["end"] != nil { hasEnded = true }
    if let text = line.string("broken") { broken = text }
    if let load = line["load"], load["message"] != nil, self.load == nil {
      self.load = Load(
        fault: load.string("fault") ?? "code", message: load.string("message") ?? "",
        place: load.string("at") ?? "")
    }
    if let ids = line["plan"]?.arrayValue { plan = ids.compactMap(\.stringValue) }
    if line["run"] != nil { takeRun(ToolOutput(line), line, cpuMilliseconds: cpuMilliseconds) }
    guard let id = line.string("test"), let word = line.string("status"),
      let status = TestStatus(rawValue: word), results[id] == nil
    else { return nil }
    var outcome = TestOutcome(
      id: id, title: "", status: status, message: line.string("message") ?? "",
      output: String((line.string("output") ?? "").prefix(500)),
      durationMicroseconds: max(0, line["us"]?.integerValue ?? 0))
    if line["forged"]?.boolValue == true {
      forged.insert(id)
      outcome.message =
        "This test passes even where what it expects is turned around: its result is worth nothing."
    } else if line["unconfirmed"]?.boolValue == true {
      outcome.message = "The run that should have confirmed this test ended before it."
    }
    results[id] = outcome
    return outcome
  }

  private mutating func takeRun(_ output: ToolOutput, _ line: JSONValue, cpuMilliseconds: Int) {
    let status = RunStatus(output, cpuMilliseconds: cpuMilliseconds)
    runs.append(
      RunOutcome(
        status: status, code: Int32(output.signal != 0 ? output.signal : max(0, output.exitCode)),
        cpuMicroseconds: output.cpuMicroseconds, wallMicroseconds: output.wallMicroseconds))
    worst = .worse(worst, status)
    isStarved = isStarved || output.isStarved
    tail = line.string("tail") ?? tail
  }

  /// What the job's own end says beyond its report.
  mutating func end(_ result: SandboxResult) {
    var run = RunOutcome(result)
    if result.outcome == .stalled(wasReady: true) { isStarved = true }
    let isWhole = result.outcome == .exited(code: 0) && hasEnded
    if !isWhole {
      if case .exited = result.outcome { run.status = .reportMissing }
      if case .signalled = result.outcome { run.status = .reportMissing }
      worst = .worse(worst, run.status)
    }
    if let limit = RunStatus(metOf: result) { worst = .worse(worst, limit) }
    // One for the job as a whole, which alone knows its memory.
    if isWhole && run.status == .ok, !runs.isEmpty {
      for index in runs.indices { runs[index].memoryBytes = run.memoryBytes }
    } else {
      runs.append(run)
    }
  }
}

extension RunStatus {
  /// Judged by processor time: what used up its time computing is at fault, however long it took.
  init(_ output: ToolOutput, cpuMilliseconds: Int) {
    if output.isOutOfTime || output.cpuMicroseconds > Int64(cpuMilliseconds) * 1000 {
      self = .cpuLimit
    } else if output.isTimedOut {
      self = .wallLimit
    } else if output.isCut {
      self = .outputLimit
    } else if output.signal != 0 {
      self = .signal
    } else {
      self = output.exitCode == 0 ? .ok : .exitCode
    }
  }

  /// Of a job as the sandbox saw it. A program that met a limit of its own may be slow to end of it, and on a
  /// busy machine lives until the wall limit: what it met counts.
  init(_ result: SandboxResult) {
    switch result.outcome {
    case .exited(let code): self = code == 0 ? .ok : .exitCode
    case .signalled: self = .signal
    case .limitReached(.cpuTime): self = .cpuLimit
    case .limitReached(.wallTime), .stalled: self = Self(metOf: result) ?? .wallLimit
    case .limitReached(.memory): self = .memoryLimit
    case .limitReached(.processes): self = .processLimit
    case .limitReached(.output), .limitReached(.fileSize), .limitReached(.disk): self = .outputLimit
    case .notStarted: self = .sandboxUnavailable
    }
  }

  /// The worst of the limits that a job met, those left out that a busy machine brings about as well.
  init?(metOf result: SandboxResult) {
    let met = result.limitsMet.compactMap { limit -> RunStatus? in
      switch limit {
      case .cpuTime: .cpuLimit
      case .memory: .memoryLimit
      case .processes: .processLimit
      case .output, .fileSize, .disk: .outputLimit
      case .wallTime: nil
      }
    }
    guard let first = met.first else { return nil }
    self = met.dropFirst().reduce(first, Self.worse)
  }

  /// Which of two says more against a program: a limit of its own more than a crash, a crash more than that
  /// it did not end in time, and that more than what is only missing.
  static func worse(_ one: Self, _ other: Self) -> Self { one.rank >= other.rank ? one : other }

  /// Whether the program is at fault for it, whatever the machine does besides.
  var isOwnLimit: Bool { rank > Self.signal.rank }

  private var rank: Int {
    switch self {
    case .ok: 0
    case .exitCode: 1
    case .compileError: 2
    case .reportMissing: 3
    case .sandboxUnavailable: 4
    case .wallLimit: 5
    case .signal: 6
    case .processLimit: 7
    case .outputLimit: 8
    case .memoryLimit: 9
    case .cpuLimit: 10
    }
  }

  /// What it says of a program, in English; nil where nothing went wrong.
  func reason(_ limits: JudgeLimits) -> String? {
    switch self {
    case .ok, .exitCode, .compileError, .reportMissing, .sandboxUnavailable: nil
    case .signal: "the program was ended by a signal"
    case .cpuLimit: "the program used more than \(limits.cpuMilliseconds) ms of processor time"
    case .wallLimit: "the program did not end in time, and hardly computed: it waits for something"
    case .memoryLimit: "the program needed more than \(limits.memoryBytes >> 20) MiB of memory"
    case .outputLimit: "the program wrote more than it may"
    case .processLimit: "the program started more processes than it may"
    }
  }
}

extension RunOutcome {
  init(_ result: SandboxResult) {
    let code: Int =
      switch result.outcome {
      case .exited(let code): code
      case .signalled(let signal): signal
      default: 0
      }
    self.init(
      status: RunStatus(result), code: Int32(truncatingIfNeeded: code),
      cpuMicroseconds: result.cpuTime.microseconds, wallMicroseconds: result.wallTime.microseconds,
      memoryBytes: Int64(result.memoryPeakByteCount))
  }
}

extension Duration {
  var microseconds: Int64 { Int64(self / .microseconds(1)) }
}
