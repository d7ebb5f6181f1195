package import Domain
package import JSON

/// Diagnostics as SARIF 2.1.0 (OASIS), both ways. Columns are Unicode code points, as `columnKind` says.
package enum Sarif {
  package static let version = "2.1.0"
  private static let schema =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

  /// A log with one run for each tool, in the order of their first diagnostics.
  package static func log(
    _ diagnostics: [Diagnostic], toolVersions: [String: String] = [:]
  ) -> JSONValue {
    var tools: [String] = []
    for diagnostic in diagnostics where !tools.contains(diagnostic.tool) {
      tools.append(diagnostic.tool)
    }
    let runs = tools.map { tool in
      run(tool, toolVersions[tool], diagnostics.filter { $0.tool == tool })
    }
    return .object([
      ("$schema", .string(schema)), ("version", .string(version)), ("runs", .array(runs)),
    ])
  }

  private static func run(
    _ tool: String, _ version: String?, _ diagnostics: [Diagnostic]
  ) -> JSONValue {
    var rules: [(id: String, url: String)] = []
    for diagnostic in diagnostics where !diagnostic.ruleID.isEmpty {
      if !rules.contains(where: { $0.id == diagnostic.ruleID }) {
        rules.append((diagnostic.ruleID, diagnostic.ruleURL))
      }
    }
    var driver: [(key: String, value: JSONValue)] = [("name", .string(tool))]
    if let version { driver.append(("version", .string(version))) }
    driver.append(
      (
        "rules",
        .array(
          rules.map { rule in
            .object(
              [("id", .string(rule.id))]
                + (rule.url.isEmpty ? [] : [("helpUri", .string(rule.url))]))
          })
      ))
    return .object([
      ("tool", .object([("driver", .object(driver))])),
      ("columnKind", .string("unicodeCodePoints")),
      ("results", .array(diagnostics.map { result($0, rules.map(\.id)) })),
    ])
  }

  private static func result(_ diagnostic: Diagnostic, _ rules: [String]) -> JSONValue {
    var fields: [(key: String, value: JSONValue)] = []
    if let index = rules.firstIndex(of: diagnostic.ruleID) {
      fields += [
        ("ruleId", .string(diagnostic.ruleID)), ("ruleIndex", .integer(Int64(index))),
      ]
    }
    fields += [
      ("level", .string(diagnostic.level.rawValue)),
      ("message", .object([("text", .string(diagnostic.message))])),
    ]
    if !diagnostic.path.isEmpty {
      var physical: [(key: String, value: JSONValue)] = [
        ("artifactLocation", artifact(diagnostic.path))
      ]
      if let region = diagnostic.region { physical.append(("region", json(region))) }
      fields.append(
        ("locations", .array([.object([("physicalLocation", .object(physical))])])))
    }
    if !diagnostic.fix.isEmpty, !diagnostic.path.isEmpty {
      let replacements = diagnostic.fix.map { edit in
        JSONValue.object([
          ("deletedRegion", json(edit.region)),
          ("insertedContent", .object([("text", .string(edit.replacement))])),
        ])
      }
      let change = JSONValue.object([
        ("artifactLocation", artifact(diagnostic.path)), ("replacements", .array(replacements)),
      ])
      fields.append(("fixes", .array([.object([("artifactChanges", .array([change]))])])))
    }
    fields.append(
      (
        "properties",
        .object([
          ("advice", .string(diagnostic.advice.rawValue)),
          ("isFixSafe", .bool(diagnostic.isFixSafe)),
        ])
      ))
    return .object(fields)
  }

  private static func artifact(_ path: String) -> JSONValue {
    .object([("uri", .string(SarifPath.uri(path)))])
  }

  /// A region without an end is one place, which SARIF calls an end at its beginning.
  private static func json(_ region: SourceRegion) -> JSONValue {
    .object([
      ("startLine", .integer(Int64(region.line))), ("startColumn", .integer(Int64(region.column))),
      ("endLine", .integer(Int64(region.endLine == 0 ? region.line : region.endLine))),
      ("endColumn", .integer(Int64(region.endColumn == 0 ? region.column : region.endColumn))),
    ])
  }
}

/// Paths as relative references of RFC 3986.
enum SarifPath {
  private static let plain = Set(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/".utf8)

  static func uri(_ path: String) -> String {
    var text = ""
    for byte in path.utf8 {
      if plain.contains(byte) {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        text += "%" + (digits.count == 1 ? "0" : "") + digits
      }
    }
    return text
  }

  /// Nil where it is no relative path that a submission could have.
  static func path(_ uri: String) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(uri.utf8)[...]
    if rest.starts(with: Array("./".utf8)) { rest = rest.dropFirst(2) }
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    guard let path = String(validating: bytes, as: UTF8.self),
      SourceFiles.problem(ofPath: path) == nil
    else { return nil }
    return path
  }
}
