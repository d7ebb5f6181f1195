/// Where the folders of a job stand in its sandbox.
package enum SandboxFolder {
  /// Of the job's files: the command starts there.
  package static let work = "/work"
  /// Empty at first.
  package static let temporary = "/tmp"
}

/// A relative path below `SandboxFolder.work` that cannot lead out of it by its text: `src/main.c`.
package struct SandboxPath: Sendable, Hashable, CustomStringConvertible {
  package static let byteCountMax = 1000
  package static let nameByteCountMax = 255
  package static let depthMax = 20

  /// What is wrong with a path.
  package enum Fault: Error, Sendable, Hashable {
    case empty
    /// It begins with a slash.
    case absolute
    /// A part of it is `.`, `..` or empty.
    case notPlain
    /// It holds a control character.
    case controlCharacter
    /// More than `byteCountMax`, a part of more than `nameByteCountMax`, or more than `depthMax` parts.
    case tooLong
  }

  package let text: String

  package init(_ text: String) throws(Fault) {
    guard !text.isEmpty else { throw .empty }
    guard text.utf8.count <= Self.byteCountMax else { throw .tooLong }
    guard text.utf8.first != UInt8(ascii: "/") else { throw .absolute }
    let isPrintable = text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
    guard isPrintable else { throw .controlCharacter }
    // Bytes, not characters: a combining sign after a slash would hide it.
    let names = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard names.count <= Self.depthMax else { throw .tooLong }
    for name in names {
      guard name.count <= Self.nameByteCountMax else { throw .tooLong }
      let isDots = name.count <= 2 && name.allSatisfy { $0 == UInt8(ascii: ".") }
      guard !isDots else { throw .notPlain }
    }
    self.text = text
  }

  package var description: String { text }

  /// As the programs of the job call it.
  package var absolute: String { "\(SandboxFolder.work)/\(text)" }
}
