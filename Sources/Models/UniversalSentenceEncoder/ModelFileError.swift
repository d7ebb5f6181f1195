/// Why the weights of the embedded model cannot be used. Nothing here heals by waiting.
package enum ModelFileError: Error, Sendable, Hashable {
  /// There is no model in any of these places.
  case missing(searched: [String])
  /// The system refused to open or map the file.
  case unreadable(path: String, reason: String)
  /// The file is not what `make setup` installs.
  case damaged(path: String, reason: String)
  /// A file of another version of Hito.
  case otherFormat(path: String, found: UInt32, expected: UInt32)
  /// The system has no thread left to compute on.
  case noThread
}

extension ModelFileError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missing(let searched):
      "the sentence encoder is not installed (looked at \(searched.joined(separator: ", "))): "
        + "run `make setup`, or name its folder in HITO_EMBEDDER"
    case .unreadable(let path, let reason):
      "cannot read the sentence encoder \(path): \(reason)"
    case .damaged(let path, let reason):
      "the sentence encoder \(path) is damaged (\(reason)): remove its folder and run `make setup`"
    case .otherFormat(let path, let found, let expected):
      "the sentence encoder \(path) has format \(found), this Hito reads \(expected): "
        + "run `make setup`"
    case .noThread:
      "the system refused a thread for the sentence encoder"
    }
  }
}
