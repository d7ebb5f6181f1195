import Domain
import FoundationEssentials
import JSON

/// The request and the answer of an embeddings endpoint.
enum EmbeddingWire {
  static func request(_ texts: [String], model: String, _ options: EmbeddingOptions) -> [UInt8] {
    var members: [(key: String, value: JSONValue)] = [
      ("model", .string(model)),
      ("input", .array(texts.map { .string($0) })),
      ("encoding_format", .string(options.asksForBase64 ? "base64" : "float")),
    ]
    if options.sendsDimensionCount {
      members.append(("dimensions", .integer(Int64(options.dimensionCount))))
    }
    return Array(JSONValue.object(members).text.utf8)
  }

  /// One vector of length 1 per text, in the order of the texts, whatever the answer's order is.
  static func vectors(
    in bytes: [UInt8], count: Int, dimensionCount: Int
  ) throws(ProviderFailure) -> ([[Float]], AttemptCounts) {
    let answer = try JSONValue(answer: bytes)
    if let error = answer.errorDetails { throw error.failure(status: error.status ?? 500) }
    guard let entries = try answer.list("data"), entries.count == count else { throw .malformed }
    var vectors = [[Float]?](repeating: nil, count: count)
    for (position, entry) in entries.enumerated() {
      let index = try entry.count("index") ?? position
      guard vectors.indices.contains(index), vectors[index] == nil,
        let numbers = entry["embedding"].flatMap(numbers), numbers.count == dimensionCount,
        let vector = normalized(numbers)
      else { throw .malformed }
      vectors[index] = vector
    }
    let whole = vectors.compactMap { $0 }
    guard whole.count == count else { throw .malformed }
    let usage = try answer.object("usage")
    return (whole, AttemptCounts(promptTokenCount: try usage?.count("prompt_tokens")))
  }

  /// Nil where the vector has no direction.
  static func normalized(_ vector: [Float]) -> [Float]? {
    let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    guard length.isFinite, length > 1e-12 else { return nil }
    return vector.map { Float(Double($0) / length) }
  }

  /// Numbers in text, or little-endian 32-bit ones in base64, whichever the provider sends; nil for
  /// anything else.
  private static func numbers(_ json: JSONValue) -> [Float]? {
    switch json {
    case .array(let elements):
      let numbers = elements.compactMap { element -> Float? in
        guard case .number(let number) = element else { return nil }
        return Float(number.text)
      }
      return numbers.count == elements.count ? numbers : nil
    case .string(let text):
      guard let bytes = Data(base64Encoded: text), bytes.count.isMultiple(of: 4) else { return nil }
      return bytes.withUnsafeBytes { bytes in
        stride(from: 0, to: bytes.count, by: 4).map {
          Float(
            bitPattern: UInt32(
              littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
        }
      }
    default: return nil
    }
  }
}
