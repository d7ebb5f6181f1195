/// The markers by which chat templates of models tell the roles apart. A server that finds one inside
/// a text may take it for the real thing, so that none may reach a model from outside.
enum TemplateTokens {
  /// The longest that is looked for, so that each `<` costs a bounded time.
  private static let lengthMax = 48

  private static let bracketed = ["[inst]", "[/inst]", "[system]", "[/system]", "[tool_calls]"]
  private static let tags = [
    "<s>", "</s>", "<<sys>>", "<</sys>>", "<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>",
    "<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>",
    "<function_call>", "</function_call>", "<system>", "</system>",
  ]

  /// Whether the text has any of them. `<s>` alone is also a tag of HTML and counts only for
  /// `neutralised`.
  static func isPresent(in text: String) -> Bool {
    let scalars = Array(text.unicodeScalars)
    return scalars.indices.contains { index in
      let length = length(at: index, in: scalars)
      return length > 4
    }
  }

  /// The text with a space inside each of them: readable as before, and no token any more.
  static func neutralised(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var output = String.UnicodeScalarView()
    for (index, scalar) in scalars.enumerated() {
      output.append(scalar)
      if length(at: index, in: scalars) > 0 { output.append(" ") }
    }
    return String(output)
  }

  /// How long the marker is that begins here; 0 where none does.
  private static func length(at index: Int, in scalars: [Unicode.Scalar]) -> Int {
    switch scalars[index] {
    case "<":
      if index + 1 < scalars.count, scalars[index + 1] == "|" || scalars[index + 1] == "\u{ff5c}" {
        return pipedLength(at: index, in: scalars)
      }
      return length(of: tags, at: index, in: scalars)
    case "[": return length(of: bracketed, at: index, in: scalars)
    default: return 0
    }
  }

  /// `<|name|>`, also with the wide bar that some models use.
  private static func pipedLength(at index: Int, in scalars: [Unicode.Scalar]) -> Int {
    var end = index + 2
    let last = min(scalars.count, index + lengthMax)
    while end < last {
      let scalar = scalars[end]
      if scalar == "|" || scalar == "\u{ff5c}" {
        let closes = end + 1 < scalars.count && scalars[end + 1] == ">"
        return closes && end > index + 2 ? end + 2 - index : 0
      }
      guard
        scalar.properties.isAlphabetic || scalar == "_" || scalar == "\u{2581}"
          || ("0"..."9").contains(scalar)
      else { return 0 }
      end += 1
    }
    return 0
  }

  private static func length(
    of markers: [String], at index: Int, in scalars: [Unicode.Scalar]
  ) -> Int {
    let marker = markers.first { marker in
      let expected = marker.unicodeScalars
      return index + expected.count <= scalars.count
        && zip(expected, scalars[index...]).allSatisfy { $0 == $1.asciiLowercased }
    }
    return marker?.unicodeScalars.count ?? 0
  }
}

extension Unicode.Scalar {
  /// A–Z as a–z; every other scalar as it is.
  var asciiLowercased: Unicode.Scalar {
    ("A"..."Z").contains(self) ? Unicode.Scalar(UInt8(value) + 32) : self
  }
}
