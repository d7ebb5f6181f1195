import ArgumentParser
import Foundation
import HitoClient

/// Metadata as it is written on a command line, and as it is shown.
struct CallMetadata {
  var entries: [(String, String)] = []
  var binaryEntries: [(String, [UInt8])] = []

  /// - Parameter words: `KEY=VALUE` each.
  init(_ words: [String]) throws(ValidationError) {
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw ValidationError(
          "--metadata wants KEY=VALUE, and not '\(TerminalText.clean(word, maximum: 60))'")
      }
      let (key, value) = (String(parts[0]), String(parts[1]))
      guard key.hasSuffix("-bin") else {
        entries.append((key, value))
        continue
      }
      guard let bytes = Data(base64Encoded: value) else {
        throw ValidationError(
          "--metadata \(TerminalText.clean(key, maximum: 64)): the value of a key that ends with -bin is base64"
        )
      }
      binaryEntries.append((key, Array(bytes)))
    }
  }

  /// Says on standard error what came beside the answers, what came first before the rest.
  static func show(_ said: ResponseMetadata) {
    for (texts, bytes) in [
      (said.metadata, said.binaryMetadata), (said.trailers, said.binaryTrailers),
    ] {
      let shown = texts + bytes.map { ($0.0, Data($0.1).base64EncodedString()) }
      for (name, value) in shown {
        Output.note("\(TerminalText.clean(name)): \(TerminalText.clean(value))")
      }
    }
  }
}
