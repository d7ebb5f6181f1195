import Digits
package import JSON

extension ValidationReport {
  package var json: JSONValue {
    .object([
      ("verdict", .string(verdict.rawValue)), ("score", score.map(JSONValue.number) ?? .null),
      ("reason", .string(reason)), ("stages", .array(stages.map(\.json))),
      ("diagnostics", .array(diagnostics.map(\.json))),
      ("dropped_diagnostic_count", .integer(Int64(droppedDiagnosticCount))),
      ("tests", .array(tests.map(\.json))), ("runs", .array(runs.map(\.json))),
      ("tool_versions", Self.json(toolVersions)), ("limits", Self.json(limits)),
      ("policy", .string(policy)),
      ("submission_hash", .string(Digits.hexadecimal(submissionHash))),
      ("suite_hash", .string(Digits.hexadecimal(suiteHash))), ("seed", .integer(Int64(seed))),
    ])
  }

  /// Reads what `json` wrote; nil for anything else.
  package init?(json: JSONValue) {
    guard let verdict = json.word("verdict", Verdict.self) else { return nil }
    self.init(
      verdict: verdict, score: json["score"]?.doubleValue, reason: json.text("reason"),
      stages: json.list("stages", StageReport.init(json:)),
      diagnostics: json.list("diagnostics", Diagnostic.init(json:)),
      droppedDiagnosticCount: json.count("dropped_diagnostic_count"),
      tests: json.list("tests", TestOutcome.init(json:)),
      runs: json.list("runs", RunOutcome.init(json:)),
      toolVersions: json.table("tool_versions"), limits: json.table("limits"),
      policy: json.text("policy"), submissionHash: json.bytes("submission_hash"),
      suiteHash: json.bytes("suite_hash"), seed: UInt32(clamping: json.count("seed")))
  }

  private static func json(_ table: [String: String]) -> JSONValue {
    .object(table.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
  }
}

extension JSONValue {
  func list<Item>(_ name: String, _ item: (JSONValue) -> Item?) -> [Item] {
    (self[name]?.arrayValue ?? []).compactMap(item)
  }

  func texts(_ name: String) -> [String] { list(name, \.stringValue) }

  func table(_ name: String) -> [String: String] {
    guard case .object(let members)? = self[name] else { return [:] }
    return Dictionary(members.map { ($0.key, $0.value.stringValue ?? "") }) { first, _ in first }
  }

  fileprivate func bytes(_ name: String) -> [UInt8] {
    let digits = Array(text(name).utf8)
    return stride(from: 0, to: digits.count - digits.count % 2, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
  }
}
