import Domain
import Validation

/// What this machine can judge code in.
enum LanguageChecks {
  /// One line a language: which tools, in which versions, or what is missing and how it gets here. Languages
  /// that the set-up does not bring are no fault where they are missing. Those whose structure alone can be
  /// looked at share a line.
  static func findings(_ languages: [LanguageSupport]) -> [HealthReport.Finding] {
    var findings: [HealthReport.Finding] = []
    var structureCount = 0
    for support in languages {
      if let language = Language(support.language) {
        findings.append(finding(support, language))
      } else {
        structureCount += 1
      }
    }
    if structureCount > 0 {
      findings.append(
        .ok("languages", "broken structure is found in \(structureCount) others (tree-sitter)"))
    }
    return findings
  }

  private static func finding(
    _ support: LanguageSupport, _ language: Language
  ) -> HealthReport.Finding {
    let subject = support.language
    let tools = support.toolVersions.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    let kinds = support.testKinds.map(\.rawValue)
    let missing = support.missingTools.compactMap(Tool.init(rawValue:))
    var seen: Set<String> = []
    let installations = missing.map(\.installation).filter { seen.insert($0).inserted }
    let advice = installations.joined(separator: "; ")
    let lacks = "without \(missing.map(\.rawValue).joined(separator: ", "))"
    guard !support.stages.isEmpty else {
      let text = "is not judged here, \(lacks)"
      return language.isOfSetUp
        ? .warn(subject, text, advice) : .ok(subject, "\(text); if it is wanted: \(advice)")
    }
    let judged = kinds.isEmpty ? "no tests" : "tests: \(kinds.joined(separator: ", "))"
    let text = (tools + [judged]).joined(separator: "; ")
    return missing.isEmpty ? .ok(subject, text) : .warn(subject, "\(text); \(lacks)", advice)
  }
}
