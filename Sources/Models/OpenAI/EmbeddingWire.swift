import Domain
import FoundationEssentials
import JSON

/// The request and the answer of an embeddings endpoint.
enum EmbeddingWire {
  private static let notNumbers: Set<String> = ["nan", "inf", "-inf", "infinity", "-infinity"]

  /// What a request is sent with that an endpoint could refuse.
  static func sent(
    _ options: EmbeddingOptions, without refused: Set<RequestParameter>
  ) -> Set<RequestParameter> {
    var sent: Set<RequestParameter> = [.encodingFormat]
    if options.sendsDimensionCount { sent.insert(.dimensions) }
    return sent.subtracting(refused)
  }

  static func request(
    _ texts: [String], model: String, _ options: EmbeddingOptions,
    without refused: Set<RequestParameter> = []
  ) -> [UInt8] {
    let sent = sent(options, without: refused)
    var members: [(key: String, value: JSONValue)] = [
      ("model", .string(model)),
      ("input", .array(texts.map { .string($0) })),
    ]
    if sent.contains(.encodingFormat) {
      members.append(("encoding_format", .string(options.asksForBase64 ? "base64" : "float")))
    }
    if sent.contains(.dimensions) {
      members.append(("dimensions", .integer(Int64(options.dimensionCount))))
    }
    return Array(JSONValue.object(members).text.utf8)
  }

  /// One vector of length 1 per text, in the order of the texts, whatever the answer's order is.
  ///
  /// - Throws: `.textsFailed` where a text has no vector, or one without a direction, and the answer is
  ///   otherwise what it should be.
  static func vectors(
    in bytes: [UInt8], count: Int, dimensionCount: Int
  ) throws(ProviderFailure) -> ([[Float]], AttemptCounts) {
    let answer = try read(bytes)
    if let error = answer.errorDetails { throw error.failure(status: error.status ?? 500) }
    guard let entries = try answer.list("data"), entries.count <= count else { throw .malformed }
    guard entries.count == count else { throw .textsFailed }
    var vectors = [[Float]?](repeating: nil, count: count)
    for (position, entry) in entries.enumerated() {
      let index = entry.count("index") ?? position
      guard vectors.indices.contains(index), vectors[index] == nil else { throw .malformed }
      let numbers = try numbers(entry["embedding"])
      guard numbers.count == dimensionCount else { throw .malformed }
      guard let vector = normalized(numbers) else { throw .textsFailed }
      vectors[index] = vector
    }
    let whole = vectors.compactMap { $0 }
    guard whole.count == count else { throw .malformed }
    let usage = try? answer.object("usage")
    return (whole, AttemptCounts(promptTokenCount: usage?.count("prompt_tokens")))
  }

  /// Some write numbers that JSON does not have.
  private static func read(_ bytes: [UInt8]) throws(ProviderFailure) -> JSONValue {
    do {
      return try JSONValue(answer: bytes)
    } catch {
      let text = String(decoding: bytes, as: UTF8.self)
      let isNumber = ["NaN", "nan", "Infinity", "inf"].contains { text.contains($0) }
      throw isNumber && text.contains("\"embedding\"") ? .textsFailed : .malformed
    }
  }

  /// Nil where the vector has no direction.
  static func normalized(_ vector: [Float]) -> [Float]? {
    let length = vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    guard length.isFinite, length > 1e-12 else { return nil }
    return vector.map { Float(Double($0) / length) }
  }

  /// Numbers in text, or little-endian 32-bit ones in base64, whichever the provider sends. What stands
  /// in the place of a number, or of the vector, because there is none, is for the text.
  private static func numbers(_ json: JSONValue?) throws(ProviderFailure) -> [Float] {
    switch json {
    case nil, .null?: throw .textsFailed
    case .array(let elements)?:
      guard !elements.isEmpty else { throw .textsFailed }
      var numbers: [Float] = []
      for element in elements {
        switch element {
        case .number(let number): numbers.append(Float(number.text) ?? .nan)
        case .null: numbers.append(.nan)
        case .string(let name) where notNumbers.contains(name.lowercased()): numbers.append(.nan)
        default: throw .malformed
        }
      }
      return numbers
    case .string(let text)?:
      guard let bytes = Data(base64Encoded: text), bytes.count.isMultiple(of: 4) else {
        throw .malformed
      }
      return bytes.withUnsafeBytes { bytes in
        stride(from: 0, to: bytes.count, by: 4).map {
          Float(
            bitPattern: UInt32(
              littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)))
        }
      }
    default: throw .malformed
    }
  }
}
