/// A finding about the input, as a value: the pipeline collects them all before it gives up.
package struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
  /// Where: `file.proto:line:column`, or only the file when the line is unknown.
  package var place: String
  /// What is wrong and what to do instead.
  package var message: String

  package init(place: String, message: String) {
    self.place = place
    self.message = message
  }

  package var description: String { "\(place): \(message)" }
}

/// The findings that stopped a run.
package struct Diagnostics: Error, Sendable, CustomStringConvertible {
  package var all: [Diagnostic]

  package init(_ all: [Diagnostic]) {
    self.all = all
  }

  package var description: String { all.map(\.description).joined(separator: "\n") }
}
