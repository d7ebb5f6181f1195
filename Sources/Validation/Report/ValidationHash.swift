package import Domain
internal import OpenSSL

/// SHA-256 of what was judged, so that a verdict can be made again and compared.
///
/// The bytes that are hashed are a sequence of fields, each written as the decimal count of its bytes in
/// UTF-8, a colon and those bytes; a list is its count as a field, followed by its items. Every field is
/// there in every case, so that no two values have the same bytes.
package enum ValidationHash {
  /// Of language, main path and files, in the order of their paths.
  package static func submission(_ submission: Submission) -> [UInt8] {
    var encoder = CanonicalEncoder("hito submission 1")
    encoder.add(submission.language)
    encoder.add(submission.mainPath)
    encoder.add(submission.files.sorted { $0.path < $1.path })
    return encoder.finish()
  }

  /// Of everything in a suite: files, tests, command, limits, policy, and whether it completes the task.
  package static func suite(_ suite: TestSuite) -> [UInt8] {
    var encoder = CanonicalEncoder("hito suite 1")
    encoder.add(suite.language)
    encoder.add(suite.kind.rawValue)
    encoder.add(suite.files.sorted { $0.path < $1.path })
    encoder.add("\(suite.tests.count)")
    for test in suite.tests {
      for text in [test.id, test.title, "\(test.weight)", "\(test.points)", "\(test.isHidden)"] {
        encoder.add(text)
      }
      encoder.add(test.input)
      encoder.add(test.output)
      encoder.add(test.arguments)
    }
    encoder.add(suite.command)
    let limits = suite.limits
    for limit in [
      limits.cpuMilliseconds, limits.memoryBytes, limits.processCount, limits.outputBytes,
      limits.fileBytes,
    ] {
      encoder.add(limit.map(String.init) ?? "default")
    }
    encoder.add(suite.policy.name)
    encoder.add("\(suite.policy.testShare)")
    encoder.add(suite.policy.passingScore.map { "\($0)" } ?? "none")
    encoder.add(suite.policy.ignoredRules.sorted())
    encoder.add("\(suite.completesTask)")
    return encoder.finish()
  }
}

private struct CanonicalEncoder {
  private var hash = SHA256()

  init(_ kind: String) { add(kind) }

  mutating func add(_ text: String) {
    hash.update(Array("\(text.utf8.count):".utf8))
    hash.update(Array(text.utf8))
  }

  mutating func add(_ texts: [String]) {
    add("\(texts.count)")
    for text in texts { add(text) }
  }

  mutating func add(_ files: [SourceFile]) {
    add("\(files.count)")
    for file in files {
      add(file.path)
      add(file.content)
    }
  }

  consuming func finish() -> [UInt8] { hash.finalize() }
}
