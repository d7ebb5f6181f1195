import Domain

/// What md4c 0.4 has to do for links: for each it walks over the lines of its paragraph from the
/// first on. A paragraph of n lines with n links takes n² steps, so such texts are refused before
/// they are read (a megabyte of such lines took 15 s).
enum MarkdownCost {
  /// Steps that take about half a second; a book chapter of 5,000 lines has some thousands.
  static let stepCountMax = 500_000_000

  /// Counts lines and closing brackets between empty lines: every paragraph is within such a block,
  /// whatever md4c makes of it.
  static func check(_ bytes: ArraySlice<UInt8>) throws(DocumentError) {
    var steps = 0
    var lines = 0
    var brackets = 0
    var isBlank = true
    var previous: UInt8 = 0
    for byte in bytes {
      defer { previous = byte }
      switch byte {
      // A carriage return and a line feed end one line, not two.
      case UInt8(ascii: "\n") where previous == UInt8(ascii: "\r"): break
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        lines += 1
        if isBlank {
          steps += lines * brackets
          (lines, brackets) = (0, 0)
        }
        isBlank = true
      case UInt8(ascii: " "), UInt8(ascii: "\t"): break
      case UInt8(ascii: "]"):
        brackets += 1
        isBlank = false
      default: isBlank = false
      }
      if steps > stepCountMax { throw tooComplex }
    }
    if steps + (lines + 1) * brackets > stepCountMax { throw tooComplex }
  }

  private static var tooComplex: DocumentError {
    .tooComplex("too many lines and links without an empty line between them")
  }
}
