/// A message of the contract, as the RPC layer sees it. Generated types conform.
public protocol WireMessage: Sendable {
  /// The full protobuf name, `hito.v1.Goal`.
  static var fullName: String { get }

  /// Decodes one whole message. `bytes` is valid during the call only.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: DecodeLimits
  ) throws(DecodeError) -> Self

  /// The size of the encoding. May cost as much as encoding: the call path does not use it.
  var encodedByteCount: Int { get }

  /// Encodes the message. Calls `reserve` exactly once, with the exact size (zero included), and
  /// fills what it returns; the memory is valid until this function returns.
  func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer)

  /// The encoding, where it is at hand and several messages share it; nil where it must be made.
  var sharedBytes: [UInt8]? { get }
}

extension WireMessage {
  public var sharedBytes: [UInt8]? { nil }

  /// Decodes one whole message out of an array.
  public static func decode(
    _ bytes: [UInt8], limits: DecodeLimits = DecodeLimits()
  ) throws(DecodeError) -> Self {
    let result: Result<Self, DecodeError> = bytes.withUnsafeBytes { raw in
      do throws(DecodeError) {
        return .success(try decode(raw, limits: limits))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// The encoding as an array: for storage and tests, not for the call path.
  public func encodedBytes() -> [UInt8] {
    var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    defer { memory.deallocate() }
    encode { count in
      memory = .allocate(byteCount: count, alignment: 16)
      return memory
    }
    return Array(memory)
  }
}

/// What a decoder accepts of one message.
public struct DecodeLimits: Sendable, Hashable {
  /// Nesting of sub-messages.
  public var depthMax: Int
  /// Memory that the decoded message may take, in bytes.
  public var memoryBudgetByteCount: Int

  public init(depthMax: Int = 32, memoryBudgetByteCount: Int = 8 << 20) {
    self.depthMax = depthMax
    self.memoryBudgetByteCount = memoryBudgetByteCount
  }
}

/// Why bytes are not a message. The caller sees it as INVALID_ARGUMENT.
public struct DecodeError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: String, Sendable, Hashable, CaseIterable {
    case malformed = "malformed"
    case truncated = "truncated"
    case tooDeep = "nested too deeply"
    case tooLarge = "too large"
    case invalidUTF8 = "text is not UTF-8"
    case containsNUL = "text contains NUL"
    case duplicateField = "a singular message field occurs twice"
  }

  public var reason: Reason
  /// Where, as a path of field names or numbers (`goal.title`, `goal.3`); empty when unknown.
  public var field: String

  public init(_ reason: Reason, field: String = "") {
    self.reason = reason
    self.field = field
  }

  public var description: String {
    field.isEmpty ? reason.rawValue : "\(reason.rawValue) (field \(field))"
  }
}
