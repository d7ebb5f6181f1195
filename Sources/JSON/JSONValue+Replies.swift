extension JSONValue {
  /// Deeper than any reply that we ask for.
  package static let replyDepthMax = 16
  /// Objects of a text that are looked at: the last of them.
  private static let candidateCountMax = 16
  /// Beginnings of objects that are none.
  private static let failureCountMax = 5000

  /// The JSON value that a language model's reply is, or the object that it holds: in a fence of
  /// Markdown, after what the model says first, before what it adds. Nil where there is none.
  ///
  /// A reply that is JSON as a whole is that value, whatever it is. Of several objects in prose it is
  /// the last one that is wanted, or else the last one.
  package init?(
    reply text: String, depthMax: Int = JSONValue.replyDepthMax,
    where isWanted: (JSONValue) -> Bool = { _ in true }
  ) {
    if let whole = JSONValue(parsing: text, depthMax: depthMax) {
      self = whole
      return
    }
    let objects = Self.objects(in: text, depthMax: depthMax)
    guard let chosen = objects.last(where: isWanted) ?? objects.last else { return nil }
    self = chosen
  }

  /// The objects that stand in a text, in its order and none inside of another; of many the last ones.
  ///
  /// Takes time in proportion to the text: what beginnings of objects without an end cost is limited,
  /// and behind that nothing is found.
  package static func objects(
    in text: String, depthMax: Int = JSONValue.replyDepthMax
  ) -> [JSONValue] {
    var text = text
    return text.withUTF8 { bytes in
      var found: [JSONValue] = []
      var place = 0
      var work = bytes.count * 3 + (1 << 20)
      var failureCount = 0
      while work > 0, failureCount < failureCountMax,
        let start = bytes[place...].firstIndex(of: UInt8(ascii: "{"))
      {
        place = start + 1
        guard mayBegin(bytes[place...]) else { continue }
        let rest = UnsafeBufferPointer(rebasing: bytes[start...])
        guard var reader = try? JSONReader(rest, .received, depthMax: depthMax) else { break }
        if let value = try? reader.value() {
          found.append(value)
          if found.count > candidateCountMax { found.removeFirst() }
          place = start + reader.at
        } else {
          failureCount += 1
        }
        work -= reader.at
      }
      return found
    }
  }

  /// Whether an object may continue so behind its brace.
  private static func mayBegin(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
    let next = bytes.first { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x09 }
    return next == UInt8(ascii: "\"") || next == UInt8(ascii: "}")
  }
}
