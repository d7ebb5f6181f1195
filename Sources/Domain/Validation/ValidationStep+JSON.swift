package import JSON

// How steps and reports are stored: in the events of a validation, and in its row. What is read leniently
// is what a later build may leave out; an unknown kind of step is nil.

extension Diagnostic {
  package var json: JSONValue {
    .object(
      [
        ("level", .string(level.rawValue)), ("advice", .string(advice.rawValue)),
        ("tool", .string(tool)), ("rule_id", .string(ruleID)), ("rule_url", .string(ruleURL)),
        ("message", .string(message)), ("path", .string(path)),
        ("region", region?.json ?? .null), ("fix", .array(fix.map(\.json))),
        ("fix_is_safe", .bool(isFixSafe)),
      ])
  }

  package init?(json: JSONValue) {
    guard let level = json.word("level", DiagnosticLevel.self),
      let advice = json.word("advice", Advice.self)
    else { return nil }
    self.init(
      level: level, advice: advice, tool: json.text("tool"), ruleID: json.text("rule_id"),
      ruleURL: json.text("rule_url"), message: json.text("message"), path: json.text("path"),
      region: json["region"].flatMap(SourceRegion.init(json:)),
      fix: (json["fix"]?.arrayValue ?? []).compactMap(SourceEdit.init(json:)),
      isFixSafe: json["fix_is_safe"]?.boolValue ?? false)
  }
}

extension SourceRegion {
  var json: JSONValue {
    .array([line, column, endLine, endColumn].map { .integer(Int64($0)) })
  }

  init?(json: JSONValue) {
    let numbers = (json.arrayValue ?? []).compactMap { $0.integerValue.map(Int.init(clamping:)) }
    guard numbers.count == 4 else { return nil }
    self.init(line: numbers[0], column: numbers[1], endLine: numbers[2], endColumn: numbers[3])
  }
}

extension SourceEdit {
  var json: JSONValue {
    .object([("region", region.json), ("replacement", .string(replacement))])
  }

  init?(json: JSONValue) {
    guard let region = json["region"].flatMap(SourceRegion.init(json:)) else { return nil }
    self.init(region: region, replacement: json.text("replacement"))
  }
}

extension TestOutcome {
  package var json: JSONValue {
    .object([
      ("id", .string(id)), ("title", .string(title)), ("status", .string(status.rawValue)),
      ("message", .string(message)), ("output", .string(output)), ("weight", .number(weight)),
      ("points", .integer(Int64(points))), ("hidden", .bool(isHidden)),
      ("duration_us", .integer(durationMicroseconds)), ("flaky", .bool(isFlaky)),
    ])
  }

  package init?(json: JSONValue) {
    guard let status = json.word("status", TestStatus.self) else { return nil }
    self.init(
      id: json.text("id"), title: json.text("title"), status: status,
      message: json.text("message"), output: json.text("output"),
      weight: json["weight"]?.doubleValue ?? 1, points: json.count("points"),
      isHidden: json["hidden"]?.boolValue ?? true,
      durationMicroseconds: json["duration_us"]?.integerValue ?? 0,
      isFlaky: json["flaky"]?.boolValue ?? false)
  }
}

extension RunOutcome {
  package var json: JSONValue {
    .object([
      ("status", .string(status.rawValue)), ("code", .integer(Int64(code))),
      ("cpu_us", .integer(cpuMicroseconds)), ("wall_us", .integer(wallMicroseconds)),
      ("memory_bytes", .integer(memoryBytes)),
    ])
  }

  package init?(json: JSONValue) {
    guard let status = json.word("status", RunStatus.self) else { return nil }
    self.init(
      status: status, code: Int32(clamping: json.count("code")),
      cpuMicroseconds: json["cpu_us"]?.integerValue ?? 0,
      wallMicroseconds: json["wall_us"]?.integerValue ?? 0,
      memoryBytes: json["memory_bytes"]?.integerValue ?? 0)
  }
}

extension StageReport {
  package var json: JSONValue {
    .object([
      ("stage", .string(stage.rawValue)), ("status", .string(status.rawValue)),
      ("tool", .string(tool)), ("note", .string(note)),
      ("duration_us", .integer(durationMicroseconds)),
    ])
  }

  package init?(json: JSONValue) {
    guard let stage = json.word("stage", ValidationStage.self),
      let status = json.word("status", StageStatus.self)
    else { return nil }
    self.init(
      stage: stage, status: status, tool: json.text("tool"), note: json.text("note"),
      durationMicroseconds: json["duration_us"]?.integerValue ?? 0)
  }
}

extension ValidationStep {
  /// One member, which says what kind of step it is.
  package var json: JSONValue {
    switch self {
    case .queued(let position): .object([("queued", .integer(Int64(position)))])
    case .stageStarted(let stage): .object([("started", .string(stage.rawValue))])
    case .diagnostic(let diagnostic): .object([("diagnostic", diagnostic.json)])
    case .test(let test): .object([("test", test.json)])
    case .run(let stage, let outcome):
      .object([("run", outcome.json), ("stage", .string(stage.rawValue))])
    case .stageFinished(let report): .object([("finished", report.json)])
    }
  }

  package init?(json: JSONValue) {
    if let position = json["queued"]?.integerValue {
      self = .queued(position: Int(clamping: position))
    } else if let stage = json.word("started", ValidationStage.self) {
      self = .stageStarted(stage)
    } else if let diagnostic = json["diagnostic"].flatMap(Diagnostic.init(json:)) {
      self = .diagnostic(diagnostic)
    } else if let test = json["test"].flatMap(TestOutcome.init(json:)) {
      self = .test(test)
    } else if let outcome = json["run"].flatMap(RunOutcome.init(json:)),
      let stage = json.word("stage", ValidationStage.self)
    {
      self = .run(stage, outcome)
    } else if let report = json["finished"].flatMap(StageReport.init(json:)) {
      self = .stageFinished(report)
    } else {
      return nil
    }
  }
}

extension JSONValue {
  func text(_ name: String) -> String { self[name]?.stringValue ?? "" }

  func count(_ name: String) -> Int { Int(clamping: self[name]?.integerValue ?? 0) }

  func word<Word: RawRepresentable>(_ name: String, _ type: Word.Type) -> Word?
  where Word.RawValue == String {
    self[name]?.stringValue.flatMap(Word.init(rawValue:))
  }
}
