package import Domain
package import JSON

extension Sarif {
  /// Why a log was not taken.
  package enum ReadingError: Error, Sendable, Hashable {
    /// It is not an object with `version` 2.1.0 and `runs`.
    case notALog
    /// More results than `resultCountMax`.
    case tooMany
  }

  package static let resultCountMax = 5000
  private static let textMax = 2000

  /// Diagnostics of a log. A result that names no level has the one that its rule has, or `warning`; results
  /// of level `none`, suppressed ones, and those in files that no submission could have are left out. Where a
  /// run's columns are UTF-16 units, `files` says what stands in the lines.
  ///
  /// - Parameter files: of the submission, to count columns in; empty: columns stay as they are.
  package static func diagnostics(
    _ log: JSONValue, files: [SourceFile] = []
  ) throws(ReadingError) -> [Diagnostic] {
    guard log["version"]?.stringValue == version, let runs = log["runs"]?.arrayValue else {
      throw .notALog
    }
    let texts = SourceTexts(files)
    var found: [Diagnostic] = []
    for run in runs {
      let results = run["results"]?.arrayValue ?? []
      guard found.count + results.count <= resultCountMax else { throw .tooMany }
      let driver = run["tool"]?["driver"]
      let tool = cut(driver?["name"]?.stringValue ?? "unknown", 100)
      let rules = Rules(driver?["rules"]?.arrayValue ?? [])
      // SARIF's default is UTF-16.
      let unit: SourceText.Unit =
        run["columnKind"]?.stringValue == "unicodeCodePoints" ? .codePoints : .utf16
      for result in results {
        if let diagnostic = diagnostic(result, tool: tool, rules, unit, texts) {
          found.append(diagnostic)
        }
      }
    }
    return found
  }

  private struct Rules {
    private let list: [JSONValue]
    private let byID: [String: JSONValue]

    init(_ rules: [JSONValue]) {
      list = Array(rules.prefix(resultCountMax))
      byID = Dictionary(list.compactMap { rule in rule["id"]?.stringValue.map { ($0, rule) } }) {
        first, _ in first
      }
    }

    func rule(of result: JSONValue) -> JSONValue? {
      let index = (result["ruleIndex"] ?? result["rule"]?["index"])?.integerValue
      if let index, let place = Int(exactly: index), list.indices.contains(place) {
        return list[place]
      }
      return (result["ruleId"] ?? result["rule"]?["id"])?.stringValue.flatMap { byID[$0] }
    }
  }

  private static func diagnostic(
    _ result: JSONValue, tool: String, _ rules: Rules, _ unit: SourceText.Unit, _ texts: SourceTexts
  ) -> Diagnostic? {
    let rule = rules.rule(of: result)
    let word =
      result["level"]?.stringValue ?? rule?["defaultConfiguration"]?["level"]?.stringValue
      ?? "warning"
    guard let level = DiagnosticLevel(rawValue: word),
      result["suppressions"]?.arrayValue?.isEmpty ?? true
    else { return nil }
    let physical = result["locations"]?.arrayValue?.first?["physicalLocation"]
    var path = ""
    if let uri = physical?["artifactLocation"]?["uri"]?.stringValue {
      guard let read = SarifPath.path(uri) else { return nil }
      path = read
    }
    let properties = result["properties"]
    return Diagnostic(
      level: level,
      advice: properties?["advice"]?.stringValue.flatMap(Advice.init) ?? Diagnostics.advice(level),
      tool: tool,
      ruleID: cut(result["ruleId"]?.stringValue ?? rule?["id"]?.stringValue ?? "", 200),
      ruleURL: webAddress(rule?["helpUri"]?.stringValue),
      message: message(result["message"], rule), path: path,
      region: physical?["region"].flatMap { region($0, unit, texts[path]) },
      fix: fix(result, path: path, unit, texts[path]),
      isFixSafe: properties?["isFixSafe"]?.boolValue ?? false)
  }

  private static func message(_ message: JSONValue?, _ rule: JSONValue?) -> String {
    if let text = message?["text"]?.stringValue { return cut(text, textMax) }
    let id = message?["id"]?.stringValue ?? ""
    var text = rule?["messageStrings"]?[id]?["text"]?.stringValue ?? id
    for (index, argument) in (message?["arguments"]?.arrayValue ?? []).prefix(10).enumerated() {
      text = text.replacing("{\(index)}", with: cut(argument.stringValue ?? "", 200))
    }
    return cut(text, textMax)
  }

  /// Links that lead anywhere else than to the web are left out.
  private static func webAddress(_ text: String?) -> String {
    guard let text, text.hasPrefix("https://") || text.hasPrefix("http://"), text.utf8.count <= 500
    else {
      return ""
    }
    return text
  }

  private static func fix(
    _ result: JSONValue, path: String, _ unit: SourceText.Unit, _ text: SourceText?
  ) -> [SourceEdit] {
    guard let change = result["fixes"]?.arrayValue?.first?["artifactChanges"]?.arrayValue,
      change.count == 1,
      let uri = change[0]["artifactLocation"]?["uri"]?.stringValue, SarifPath.path(uri) == path
    else { return [] }
    return (change[0]["replacements"]?.arrayValue ?? []).prefix(50).compactMap { replacement in
      guard let deleted = replacement["deletedRegion"], let region = region(deleted, unit, text)
      else {
        return nil
      }
      return SourceEdit(
        region: region,
        replacement: cut(replacement["insertedContent"]?["text"]?.stringValue ?? "", textMax))
    }
  }

  private static func region(
    _ region: JSONValue, _ unit: SourceText.Unit, _ text: SourceText?
  ) -> SourceRegion? {
    let limit = 10_000_000
    guard let line = region.int("startLine"), (1...limit).contains(line) else { return nil }
    let column = min(max(region.int("startColumn") ?? 1, 1), limit)
    let endLine = min(max(region.int("endLine") ?? line, 0), limit)
    let endColumn = min(max(region.int("endColumn") ?? 0, 0), limit)
    if let text {
      return text.region(
        line: line, column: column, endLine: endLine, endColumn: endColumn, unit: unit)
    }
    let isEmpty = endColumn == 0 || endLine < line || (endLine == line && endColumn <= column)
    return SourceRegion(
      line: line, column: column, endLine: isEmpty ? 0 : endLine, endColumn: isEmpty ? 0 : endColumn
    )
  }

  private static func cut(_ text: String, _ limit: Int) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit)))
  }
}
