package import JSON

extension SourceFile {
  package var json: JSONValue {
    .object([("path", .string(path)), ("content", .string(content))])
  }

  package init?(json: JSONValue) {
    guard let path = json["path"]?.stringValue, let content = json["content"]?.stringValue else {
      return nil
    }
    self.init(path: path, content: content)
  }
}

extension ExpectedTest {
  var json: JSONValue {
    .object([
      ("id", .string(id)), ("title", .string(title)), ("weight", .number(weight)),
      ("points", .integer(Int64(points))), ("hidden", .bool(isHidden)),
      ("input", .string(input)), ("output", .string(output)),
      ("arguments", .array(arguments.map(JSONValue.string))),
    ])
  }

  init?(json: JSONValue) {
    guard let id = json["id"]?.stringValue else { return nil }
    self.init(
      id: id, title: json.text("title"), weight: json["weight"]?.doubleValue ?? 1,
      points: json.count("points"), isHidden: json["hidden"]?.boolValue ?? true,
      input: json.text("input"), output: json.text("output"), arguments: json.texts("arguments"))
  }
}

extension RunLimits {
  var json: JSONValue {
    func number(_ value: Int?) -> JSONValue { value.map { .integer(Int64($0)) } ?? .null }
    return .object([
      ("cpu_ms", number(cpuMilliseconds)), ("memory_bytes", number(memoryBytes)),
      ("process_count", number(processCount)), ("output_bytes", number(outputBytes)),
      ("file_bytes", number(fileBytes)),
    ])
  }

  init(json: JSONValue) {
    func number(_ name: String) -> Int? { json[name]?.integerValue.map(Int.init(clamping:)) }
    self.init(
      cpuMilliseconds: number("cpu_ms"), memoryBytes: number("memory_bytes"),
      processCount: number("process_count"), outputBytes: number("output_bytes"),
      fileBytes: number("file_bytes"))
  }
}

extension ScorePolicy {
  var json: JSONValue {
    .object([
      ("name", .string(name)), ("test_share", .number(testShare)),
      ("passing_score", passingScore.map(JSONValue.number) ?? .null),
      ("ignored_rules", .array(ignoredRules.map(JSONValue.string))),
    ])
  }

  init?(json: JSONValue) {
    guard let name = json["name"]?.stringValue, let share = json["test_share"]?.doubleValue else {
      return nil
    }
    self.init(
      name: name, testShare: share, passingScore: json["passing_score"]?.doubleValue,
      ignoredRules: json.texts("ignored_rules"))
  }
}

extension TestSuite {
  /// Of one order: two suites of the same text are the same.
  package var json: JSONValue {
    .object([
      ("language", .string(language)), ("kind", .string(kind.rawValue)),
      ("files", .array(files.map(\.json))), ("tests", .array(tests.map(\.json))),
      ("command", .array(command.map(JSONValue.string))), ("limits", limits.json),
      ("policy", policy.json), ("completes_task", .bool(completesTask)),
    ])
  }

  /// Reads what `json` wrote; nil for anything else.
  package init?(json: JSONValue) {
    guard let kind = json.word("kind", TestKind.self),
      let policy = json["policy"].flatMap(ScorePolicy.init(json:))
    else { return nil }
    self.init(
      language: json.text("language"), kind: kind,
      files: json.list("files", SourceFile.init(json:)),
      tests: json.list("tests", ExpectedTest.init(json:)), command: json.texts("command"),
      limits: RunLimits(json: json["limits"] ?? .null), policy: policy,
      completesTask: json["completes_task"]?.boolValue ?? false)
  }
}
