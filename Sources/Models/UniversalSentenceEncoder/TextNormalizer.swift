/// Brings a text into the form in which the model knows words: compatibility forms folded, control
/// characters dropped, runs of white space made one mark (SentencePiece's `nmt_nfkc`).
///
/// The rules are a trie in a "double array": a state is an index into `units`, the next state is the
/// present one XOR the unit's offset XOR the byte, and a unit whose label is not that byte means
/// that there is no such transition. Whatever the tables hold, every index is checked.
struct TextNormalizer: Sendable {
  /// The mark of a word's beginning, "▁".
  static let space: [UInt8] = [0xE2, 0x96, 0x81]

  struct Output {
    var bytes: [UInt8]
    /// The text continued where the limit was reached.
    var isTruncated: Bool
  }

  private let units: Numbers<UInt32>
  private let texts: Numbers<UInt8>

  init(_ file: ModelFile) throws(ModelFileError) {
    units = try file.integers("rule_units")
    texts = try file.bytes("rule_texts")
  }

  /// Normalizes `text` up to about `byteCountMax` bytes of output. White space at both ends is left
  /// out; the result is empty where nothing remains.
  func normalize(_ text: UnsafeBufferPointer<UInt8>, byteCountMax: Int) -> Output {
    units.withBuffer { units in
      texts.withBuffer { texts in
        Self.normalize(text, Rules(units: units, texts: texts), byteCountMax: byteCountMax)
      }
    }
  }

  private static func normalize(
    _ text: UnsafeBufferPointer<UInt8>, _ rules: Rules, byteCountMax: Int
  ) -> Output {
    var output: [UInt8] = []
    var position = 0
    var isAfterSpace = true
    while position < text.count {
      if output.count >= byteCountMax {
        // White space alone is not text that is missing.
        return Output(bytes: trimmed(output), isTruncated: hasText(text, from: position, rules))
      }
      let step = rules.longestMatch(in: text, at: position)
      position += step.byteCount
      let source = step.isReplaced ? rules.texts : text
      var range = step.range
      if isAfterSpace {
        while let first = range.first, source[first] == 0x20 { range = range.dropFirst() }
      }
      guard let last = range.last else { continue }
      if output.isEmpty { output += space }
      for byte in source[range] {
        if byte == 0x20 { output += space } else { output.append(byte) }
      }
      isAfterSpace = source[last] == 0x20
    }
    return Output(bytes: trimmed(output), isTruncated: false)
  }

  private static func hasText(
    _ text: UnsafeBufferPointer<UInt8>, from start: Int, _ rules: Rules
  ) -> Bool {
    var position = start
    while position < text.count {
      let step = rules.longestMatch(in: text, at: position)
      let source = step.isReplaced ? rules.texts : text
      if source[step.range].contains(where: { $0 != 0x20 }) { return true }
      position += step.byteCount
    }
    return false
  }

  private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
    var end = bytes.count
    while end >= space.count, bytes[(end - space.count)..<end].elementsEqual(space) {
      end -= space.count
    }
    return Array(bytes[..<end])
  }
}

/// One rule applied, or one character taken as it is.
private struct Step {
  /// How much of the text it covers; at least 1.
  var byteCount: Int
  /// What stands in its place: in the rules' texts, or in the text itself.
  var range: Range<Int>
  var isReplaced: Bool
}

private struct Rules {
  let units: UnsafeBufferPointer<UInt32>
  let texts: UnsafeBufferPointer<UInt8>

  /// The longest rule that matches at `position`, which is inside of `text`.
  func longestMatch(in text: UnsafeBufferPointer<UInt8>, at position: Int) -> Step {
    var matchEnd = position
    var value = 0
    var node = units.isEmpty ? 0 : offset(units[0])
    var index = position
    while index < text.count {
      let byte = text[index]
      node ^= Int(byte)
      guard node < units.count else { break }
      let unit = units[node]
      guard unit & 0x8000_00FF == UInt32(byte) else { break }
      node ^= offset(unit)
      index += 1
      if unit & 0x100 != 0, node < units.count {
        matchEnd = index
        value = Int(units[node] & 0x7FFF_FFFF)
      }
    }
    if matchEnd > position, value < texts.count {
      let end = texts[value...].firstIndex(of: 0) ?? texts.count
      return Step(byteCount: matchEnd - position, range: value..<end, isReplaced: true)
    }
    let end = min(position + utf8Length(text[position]), text.count)
    return Step(byteCount: end - position, range: position..<end, isReplaced: false)
  }

  private func offset(_ unit: UInt32) -> Int {
    Int((unit >> 10) << ((unit & 0x200) >> 6))
  }
}

/// How many bytes a character has that starts with `byte`; 1 for a byte that starts none.
func utf8Length(_ byte: UInt8) -> Int {
  switch byte {
  case 0xC2...0xDF: 2
  case 0xE0...0xEF: 3
  case 0xF0...0xF4: 4
  default: 1
  }
}
