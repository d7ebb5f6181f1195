/// That a text, or a batch of them, is larger than a server takes, as its refusal says it, and how
/// much it takes.
package struct InputLimit: Sendable, Hashable {
  package enum Unit: Sendable, Hashable {
    /// Tokens of a text, or of all texts of a request.
    case tokens
    /// Texts of a request.
    case texts
  }

  package var unit: Unit
  /// Nil where the refusal does not say.
  package var maximum: Int?

  private static let byteCountMax = 1 << 12
  /// Less than this no model reads; it is the number of something else.
  private static let tokenCountMin = 16
  private static let countMax = 10_000_000

  private static let tooLarge = [
    "too long", "too large", "too many", "exceed", "context length", "context size",
    "context window", "maximum context", "max context", "token limit", "maximum input length",
    "must have less than", "maximum allowed", "maximum sequence length", "longer than",
    "larger than", "more than", "at most", "maximum of", "max allowed", "reduce the length",
    "max_seq_len", "n_ctx", "overflow",
  ]
  private static let ofTexts = [
    "batch size", "batch_size", "number of inputs", "too many inputs", "array length",
    "inputs in a batch", "items", "input array", "texts",
  ]
  private static let ofTokens = [
    "token", "context", "sequence length", "input length", "max_seq_len",
  ]

  /// Nil where the text is about something else. A limit of the reply is not one of what is sent.
  init?(refusal bytes: [UInt8]) {
    let text = String(decoding: bytes.prefix(Self.byteCountMax), as: UTF8.self).lowercased()
    guard !text.contains("max_tokens"), !text.contains("max_completion_tokens"),
      Self.tooLarge.contains(where: text.contains)
    else { return nil }
    let isOfTokens = Self.ofTokens.contains(where: text.contains)
    // What llama.cpp calls a batch is the tokens of one text.
    let isOfTexts = Self.ofTexts.contains(where: text.contains) && !isOfTokens
    guard isOfTokens || isOfTexts else { return nil }
    unit = isOfTexts ? .texts : .tokens
    let minimum = isOfTexts ? 1 : Self.tokenCountMin
    // Beside the limit stands what was sent, which is more.
    maximum = Self.numbers(in: text).filter { (minimum..<Self.countMax).contains($0) }.min()
  }

  /// Whole numbers that are words of their own, and no status or code.
  private static func numbers(in text: String) -> [Int] {
    var numbers: [Int] = []
    var previous = ""
    for word in text.split(whereSeparator: { " \t\n\"'(){}[]:;=><|/`".contains($0) }) {
      let digits = word.filter { $0 != "," }.trimmingSuffix { $0 == "." }
      if !digits.isEmpty, digits.allSatisfy(\.isASCII), let number = Int(digits),
        !["code", "status", "error"].contains(previous)
      {
        numbers.append(number)
      }
      previous = String(word)
    }
    return numbers
  }
}

extension String {
  fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> Substring {
    guard let last = lastIndex(where: { !predicate($0) }) else { return "" }
    return self[...last]
  }
}
