internal import Contract
internal import Digits
internal import Domain
internal import OpenSSL

extension Contract.SourceFile {
  init(_ file: Domain.SourceFile) { self.init(path: file.path, content: file.content) }
}

extension Domain.SourceFile {
  init(_ file: Contract.SourceFile) { self.init(path: file.path, content: file.content) }
}

extension Contract.TestKind {
  init(_ kind: Domain.TestKind) {
    self =
      switch kind {
      case .unittest: .unittest
      case .pytest: .pytest
      case .nodeTest: .nodeTest
      case .stdio: .stdio
      case .protocolLines: .protocol
      }
  }
}

extension Contract.TestSuite {
  init(_ suite: Domain.TestSuite, id: EntityID, hash: [UInt8]) {
    self.init(
      id: id.description, language: suite.language, kind: Contract.TestKind(suite.kind),
      files: suite.files.map(Contract.SourceFile.init),
      tests: suite.tests.map(Contract.ExpectedTest.init), command: suite.command,
      limits: Contract.RunLimits(suite.limits), policy: Contract.ScorePolicy(suite.policy),
      completesTask: suite.completesTask, hash: hash)
  }
}

extension Contract.ExpectedTest {
  init(_ test: Domain.ExpectedTest) {
    self.init(
      id: test.id, title: test.title, weight: test.weight, points: Int32(clamping: test.points),
      hidden: test.isHidden, input: test.input, output: test.output, arguments: test.arguments)
  }
}

extension Contract.RunLimits {
  init(_ limits: Domain.RunLimits) {
    self.init(
      cpuMs: Int32(clamping: limits.cpuMilliseconds ?? 0),
      memoryBytes: Int64(limits.memoryBytes ?? 0),
      processCount: Int32(clamping: limits.processCount ?? 0),
      outputBytes: Int32(clamping: limits.outputBytes ?? 0),
      fileBytes: Int64(limits.fileBytes ?? 0))
  }
}

extension Contract.ScorePolicy {
  init(_ policy: Domain.ScorePolicy) {
    self.init(
      name: policy.name, testShare: policy.testShare, passingScore: policy.passingScore,
      ignoredRules: policy.ignoredRules)
  }
}

extension Domain.TestSuite {
  /// A suite as a request brings it, checked.
  init(checking message: Contract.TestSuite?) throws(DomainError) {
    guard let message else { throw .invalid("suite", "must not be missing") }
    var validation = Validation()
    let kind = Domain.TestKind.allCases.first { Contract.TestKind($0) == message.kind }
    if kind == nil { validation.add("suite.kind", "is no kind that this server knows") }
    if !message.id.isEmpty || !message.hash.isEmpty {
      validation.add("suite.id", "and the hash are made by the server")
    }
    self.init(
      language: message.language.lowercased(), kind: kind ?? .stdio,
      files: message.files.map(Domain.SourceFile.init),
      tests: message.tests.map(Domain.ExpectedTest.init), command: message.command,
      limits: Domain.RunLimits(message.limits), completesTask: message.completesTask)
    policy = Domain.ScorePolicy(message.policy, into: &validation)
    validate(into: &validation)
    try validation.check()
  }
}

extension Domain.ExpectedTest {
  fileprivate init(_ message: Contract.ExpectedTest) {
    self.init(
      id: message.id, title: message.title, weight: message.weight == 0 ? 1 : message.weight,
      points: Int(message.points), isHidden: message.hidden, input: message.input,
      output: message.output, arguments: message.arguments)
  }
}

extension Domain.RunLimits {
  fileprivate init(_ message: Contract.RunLimits?) {
    func number(_ value: Int64?) -> Int? { value.flatMap { $0 == 0 ? nil : Int($0) } }
    self.init(
      cpuMilliseconds: number(message.map { Int64($0.cpuMs) }),
      memoryBytes: number(message?.memoryBytes),
      processCount: number(message.map { Int64($0.processCount) }),
      outputBytes: number(message.map { Int64($0.outputBytes) }),
      fileBytes: number(message?.fileBytes))
  }
}

extension Domain.ScorePolicy {
  /// What is said of a policy makes it a custom one, which is named by what it says.
  fileprivate init(_ message: Contract.ScorePolicy?, into validation: inout Validation) {
    self.init()
    guard let message else { return }
    var custom = Self.standard
    custom.testShare = message.testShare ?? custom.testShare
    custom.passingScore = message.passingScore
    custom.ignoredRules = message.ignoredRules
    if custom == .standard {
      // The name of another one says nothing of what it is.
      if !message.name.isEmpty, message.name != name {
        validation.add("suite.policy.name", "must be empty or \(name)")
      }
      return
    }
    let text = "\(custom.testShare) \(custom.passingScore ?? -1) \(custom.ignoredRules)"
    custom.name = "custom@" + Digits.hexadecimal(SHA256.hash(text)).prefix(12)
    self = custom
  }
}
