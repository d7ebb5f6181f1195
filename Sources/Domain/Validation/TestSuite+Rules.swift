extension TestSuite {
  private static let testsMax = 500
  private static let commandMax = 20
  private static let textByteCount = 1024 * 1024

  /// Adds what is wrong with the suite to `validation`, each under the name of its field.
  package func validate(into validation: inout Validation) {
    if !CodeLanguage.isName(language) {
      validation.add("suite.language", "must be 1 to 32 of a-z, 0-9, '+', '#', '.', '_' and '-'")
    }
    SourceFiles.validate(files, field: "suite.files", into: &validation)
    if tests.isEmpty { validation.add("suite.tests", "must not be empty") }
    guard tests.count <= Self.testsMax else {
      return validation.add("suite.tests", "has more than \(Self.testsMax) entries")
    }
    var ids: Set<String> = []
    var byteCount = 0
    for (index, test) in tests.enumerated() {
      let field = "suite.tests[\(index)]"
      check(test, field, &validation)
      if !ids.insert(test.id).inserted { validation.add("\(field).id", "is there twice") }
      byteCount += test.input.utf8.count + test.output.utf8.count
    }
    if byteCount > Self.textByteCount {
      validation.add("suite.tests", "have inputs and outputs longer than 1 MiB in all")
    }
    checkCommand(&validation)
    limits.validate(into: &validation)
    policy.validate(into: &validation)
  }

  private func check(_ test: ExpectedTest, _ field: String, _ validation: inout Validation) {
    validation.text("\(field).id", test.id, minimum: 1, maximum: 300, singleLine: true)
    validation.text("\(field).title", test.title, maximum: 300, singleLine: true)
    if !(test.weight > 0 && test.weight <= 1000) {
      validation.add("\(field).weight", "must be above 0 and at most 1000")
    }
    if !(0...1_000_000).contains(test.points) {
      validation.add("\(field).points", "must be 0 to 1,000,000")
    }
    if kind != .stdio, !test.input.isEmpty || !test.output.isEmpty || !test.arguments.isEmpty {
      validation.add(
        field, "has input, output or arguments, which are for tests of kind stdio only")
    }
    for (name, text) in [("input", test.input), ("output", test.output)] {
      if text.utf8.count > CodeLimits.contentByteCount {
        validation.add("\(field).\(name)", "is longer than 256 KiB")
      } else if text.utf8.contains(0) {
        validation.add("\(field).\(name)", "contains a NUL character")
      }
    }
    checkArguments(test.arguments, "\(field).arguments", &validation)
  }

  private func checkCommand(_ validation: inout Validation) {
    if kind == .protocolLines, command.isEmpty {
      validation.add("suite.command", "must not be empty for tests of kind protocol")
    } else if kind != .protocolLines, !command.isEmpty {
      validation.add("suite.command", "is for tests of kind protocol only")
    }
    checkArguments(command, "suite.command", &validation)
  }

  private func checkArguments(
    _ arguments: [String], _ field: String, _ validation: inout Validation
  ) {
    guard arguments.count <= Self.commandMax else {
      return validation.add(field, "has more than \(Self.commandMax) entries")
    }
    for (index, argument) in arguments.enumerated() {
      validation.text("\(field)[\(index)]", argument, maximum: 1000)
    }
  }
}

extension RunLimits {
  fileprivate func validate(into validation: inout Validation) {
    func check(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) {
      if let value, !range.contains(value) {
        validation.add("suite.limits.\(name)", "must be \(range.lowerBound) to \(range.upperBound)")
      }
    }
    check("cpu_ms", cpuMilliseconds, 100...60_000)
    check("memory_bytes", memoryBytes, (16 << 20)...(1 << 30))
    check("process_count", processCount, 1...256)
    check("output_bytes", outputBytes, 1...(1 << 20))
    check("file_bytes", fileBytes, 1...(64 << 20))
  }
}

extension ScorePolicy {
  fileprivate func validate(into validation: inout Validation) {
    if !(0...1).contains(testShare) {
      validation.add("suite.policy.test_share", "must be 0 to 1")
    }
    if let passingScore, !(passingScore > 0 && passingScore <= 1) {
      validation.add("suite.policy.passing_score", "must be above 0 and at most 1")
    }
    guard ignoredRules.count <= 100 else {
      return validation.add("suite.policy.ignored_rules", "has more than 100 entries")
    }
    for (index, rule) in ignoredRules.enumerated() {
      validation.text(
        "suite.policy.ignored_rules[\(index)]", rule, minimum: 1, maximum: 100, singleLine: true)
    }
  }
}
