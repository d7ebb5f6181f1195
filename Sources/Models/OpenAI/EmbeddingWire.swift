import Domain
import FoundationEssentials

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
    guard let answer = BoundedJSON.decode(Answer.self, from: bytes) else { throw .malformed }
    if let error = answer.error { throw error.failure(status: error.status ?? 500) }
    guard let entries = answer.data, entries.count == count else { throw .malformed }
    var vectors = [[Float]?](repeating: nil, count: count)
    for (position, entry) in entries.enumerated() {
      let index = entry.index ?? position
      guard vectors.indices.contains(index), vectors[index] == nil,
        entry.embedding.numbers.count == dimensionCount,
        let vector = normalised(entry.embedding.numbers)
      else { throw .malformed }
      vectors[index] = vector
    }
    let whole = vectors.compactMap { $0 }
    guard whole.count == count else { throw .malformed }
    return (whole, AttemptCounts(promptTokenCount: answer.usage?.promptTokens))
  }

  /// Nil where the vector has no direction.
  static func normalised(_ vector: [Float]) -> [Float]? {
    let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    guard length.isFinite, length > 1e-12 else { return nil }
    return vector.map { Float(Double($0) / length) }
  }

  private struct Answer: Decodable {
    struct Entry: Decodable {
      var index: Int?
      var embedding: Numbers
    }

    struct Usage: Decodable {
      var promptTokens: Int?

      private enum CodingKeys: String, CodingKey {
        case promptTokens = "prompt_tokens"
      }
    }

    var data: [Entry]?
    var usage: Usage?
    var error: ProviderErrorReply.Details?
  }

  /// Numbers in text, or little-endian 32-bit ones in base64, whichever the provider sends.
  private struct Numbers: Decodable {
    var numbers: [Float]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      guard let text = try? container.decode(String.self) else {
        numbers = try container.decode([Float].self)
        return
      }
      guard let bytes = Data(base64Encoded: text), bytes.count.isMultiple(of: 4) else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "no base64")
      }
      numbers = bytes.withUnsafeBytes { bytes in
        stride(from: 0, to: bytes.count, by: 4).map {
          Float(
            bitPattern: UInt32(
              littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
        }
      }
    }
  }
}
