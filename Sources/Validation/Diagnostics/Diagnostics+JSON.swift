internal import Domain
internal import JSON

// Tools that write JSON.
extension Diagnostics {
  /// `[path, line, column, end line, end column, kind, message]`, 0 where there is no end. CPython and
  /// steps.py count code points from 1.
  static func places(_ text: String, tool: String, _ texts: SourceTexts) -> [Diagnostic] {
    (JSONValue(parsing: text)?.arrayValue ?? []).compactMap { item in
      guard let fields = item.arrayValue, fields.count == 7, let name = fields[0].stringValue,
        let path = texts.path(name)
      else { return nil }
      let numbers = fields[1...4].map { Int($0.integerValue ?? 0) }
      let region = texts[path]?.region(
        line: numbers[0], column: numbers[1], endLine: numbers[2], endColumn: numbers[3],
        unit: .codePoints)
      return Diagnostic(
        level: .error, advice: .essential, tool: tool, ruleID: fields[5].stringValue ?? "",
        message: fields[6].stringValue ?? "", path: path, region: region)
    }
  }

  /// ruff counts code points from 1; a syntax error is the parser's to say.
  static func ruff(_ text: String, _ texts: SourceTexts) -> [Diagnostic] {
    (JSONValue(parsing: text)?.arrayValue ?? []).compactMap { item in
      guard let rule = item.string("code"), rule != "invalid-syntax",
        let name = item.string("filename"),
        let path = texts.path(name)
      else { return nil }
      let source = texts[path]
      func region(_ start: JSONValue?, _ end: JSONValue?) -> SourceRegion? {
        guard let line = start?.int("row"), let column = start?.int("column") else { return nil }
        return source?.region(
          line: line, column: column, endLine: end?.int("row") ?? 0,
          endColumn: end?.int("column") ?? 0, unit: .codePoints)
      }
      let fix = item["fix"]
      let edits = (fix?["edits"]?.arrayValue ?? []).prefix(50).compactMap { edit -> SourceEdit? in
        // An insertion has no end: it stands between two characters.
        guard let place = region(edit["location"], edit["end_location"]) else { return nil }
        return SourceEdit(region: place, replacement: edit.string("content") ?? "")
      }
      let (level, advice) = weight(ofRuff: rule)
      return Diagnostic(
        level: level, advice: advice, tool: "ruff", ruleID: rule, ruleURL: item.string("url") ?? "",
        message: item.string("message") ?? "", path: path,
        region: region(item["location"], item["end_location"]), fix: edits,
        isFixSafe: fix?.string("applicability") == "safe")
    }
  }

  /// Rules that name a certain error weigh more than those of taste.
  private static func weight(ofRuff rule: String) -> (DiagnosticLevel, Advice) {
    let errors = ["F821", "F822", "F823", "F811", "E9", "PLE", "F63", "F7"]
    if errors.contains(where: rule.hasPrefix) { return (.error, .essential) }
    if rule.hasPrefix("E") || rule.hasPrefix("SIM") || rule.hasPrefix("RET") {
      return (.note, .informative)
    }
    return (.warning, .actionable)
  }

  /// node_syntax.cjs counts code points from 1.
  static func node(_ text: String, _ texts: SourceTexts) -> [Diagnostic] {
    (JSONValue(parsing: text)?.arrayValue ?? []).compactMap { item in
      guard let name = item.string("path"), let path = texts.path(name) else { return nil }
      return Diagnostic(
        level: .error, advice: .essential, tool: "node", ruleID: "SyntaxError",
        message: item.string("message") ?? "", path: path,
        region: texts[path]?.region(
          line: item.int("line") ?? 1, column: item.int("column") ?? 1, unit: .codePoints))
    }
  }

  /// GCC's JSON: one array a run of the compiler, columns in bytes from 1, ends within the region.
  static func gcc(_ text: String, tool: String, _ texts: SourceTexts) -> [Diagnostic] {
    text.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("[") }.flatMap { line in
      (JSONValue(parsing: String(line), depthMax: 64)?.arrayValue ?? []).compactMap { item in
        let place = item["locations"]?.arrayValue?.first
        guard let caret = place?["caret"], let name = caret.string("file"),
          let path = texts.path(name), let source = texts[path]
        else { return nil }
        let level = level(item.string("kind") ?? "")
        let finish = place?["finish"]
        let option = item.string("option") ?? ""
        return Diagnostic(
          level: level, advice: advice(level), tool: tool, ruleID: option,
          ruleURL: item.string("option_url") ?? "", message: item.string("message") ?? "",
          path: path,
          region: source.region(
            line: caret.int("line") ?? 1, column: caret.int("byte-column") ?? 1,
            endLine: finish?.int("line") ?? 0, endColumn: (finish?.int("byte-column") ?? -1) + 1,
            unit: .utf8),
          fix: fixes(ofGCC: item, path: path, source))
      }
    }
  }

  private static func fixes(
    ofGCC item: JSONValue, path: String, _ source: SourceText
  ) -> [SourceEdit] {
    (item["fixits"]?.arrayValue ?? []).prefix(50).compactMap { fix in
      guard let start = fix["start"], let next = fix["next"], let text = fix.string("string") else {
        return nil
      }
      return SourceEdit(
        region: source.region(
          line: start.int("line") ?? 1, column: start.int("byte-column") ?? 1,
          endLine: next.int("line") ?? 0, endColumn: next.int("byte-column") ?? 0, unit: .utf8),
        replacement: text)
    }
  }

  /// shellcheck's `json1`: code points from 1, a tab is one.
  static func shellcheck(_ text: String, _ texts: SourceTexts) -> [Diagnostic] {
    (JSONValue(parsing: text)?["comments"]?.arrayValue ?? []).compactMap { item in
      guard let name = item.string("file"), let path = texts.path(name), let source = texts[path]
      else { return nil }
      func region(_ item: JSONValue) -> SourceRegion {
        source.region(
          line: item.int("line") ?? 1, column: item.int("column") ?? 1,
          endLine: item.int("endLine") ?? 0, endColumn: item.int("endColumn") ?? 0,
          unit: .codePoints)
      }
      let code = item.int("code") ?? 0
      let level = level(item.string("level") ?? "")
      let edits = (item["fix"]?["replacements"]?.arrayValue ?? []).prefix(50).map {
        SourceEdit(region: region($0), replacement: $0.string("replacement") ?? "")
      }
      return Diagnostic(
        level: level, advice: advice(level), tool: "shellcheck", ruleID: "SC\(code)",
        ruleURL: "https://www.shellcheck.net/wiki/SC\(code)", message: item.string("message") ?? "",
        path: path, region: region(item), fix: edits)
    }
  }

  /// rustc writes one object a line: code points from 1.
  static func rustc(_ text: String, _ texts: SourceTexts) -> [Diagnostic] {
    text.split(whereSeparator: \.isNewline).compactMap { line in
      guard let item = JSONValue(parsing: String(line), depthMax: 64),
        let span = item["spans"]?.arrayValue?.first(where: { $0["is_primary"]?.boolValue == true }),
        let path = texts.path(span.string("file_name") ?? "")
      else { return nil }
      let level = level(item.string("level") ?? "")
      let rule = item["code"]?.string("code") ?? ""
      return Diagnostic(
        level: level, advice: advice(level), tool: "rustc", ruleID: rule,
        ruleURL: rule.hasPrefix("E") ? "https://doc.rust-lang.org/error_codes/\(rule).html" : "",
        message: item.string("message") ?? "", path: path,
        region: texts[path]?.region(
          line: span.int("line_start") ?? 1, column: span.int("column_start") ?? 1,
          endLine: span.int("line_end") ?? 0, endColumn: span.int("column_end") ?? 0,
          unit: .codePoints))
    }
  }
}
