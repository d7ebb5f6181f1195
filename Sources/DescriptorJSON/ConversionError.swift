import JSON

/// Why a JSON value is not a message of its type, or bytes are not.
package struct ConversionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Where, for example `goal.tasks[2].title`; empty for the message itself.
  package let path: String
  package let message: String

  package var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

/// The way from a message to one of its values.
struct FieldPath {
  var text = ""

  func appending(_ name: String) -> FieldPath {
    FieldPath(text: text.isEmpty ? name : "\(text).\(name)")
  }

  func appending(index: Int) -> FieldPath { FieldPath(text: "\(text)[\(index)]") }

  func appending(key: String) -> FieldPath {
    FieldPath(text: "\(text)[\(JSONValue.string(key).shown())]")
  }

  func error(_ message: String) -> ConversionError {
    ConversionError(path: text, message: message)
  }
}
