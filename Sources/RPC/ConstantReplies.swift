internal import Synchronization

/// Encodes the replies of methods that always answer the same once, and shares the bytes between all
/// calls: what waits for a client's credit is no copy.
package struct ConstantReplies: ServerInterceptor {
  private final class Memory: Sendable {
    let reply = Mutex<EncodedReply?>(nil)
  }

  private let paths: Set<String>

  /// - Parameter methods: unary ones whose reply depends on nothing.
  package init(of methods: [MethodDescriptor]) {
    paths = Set(methods.map(\.path))
  }

  package func intercept(
    _ method: MethodDescriptor, _ rule: MethodRule, _ next: @escaping CallHandler
  ) -> CallHandler {
    guard paths.contains(method.path) else { return next }
    let memory = Memory()
    return { context, call in
      if let reply = memory.reply.withLock({ $0 }) { return reply }
      guard let reply = try await next(context, call) else { return nil }
      let encoded = EncodedReply(reply.encodedBytes())
      memory.reply.withLock { $0 = encoded }
      return encoded
    }
  }
}

/// A reply that is there in its encoding only.
struct EncodedReply: WireMessage {
  static let fullName = "hito.EncodedReply"

  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func decode(
    _ bytes: UnsafeRawBufferPointer, limits: DecodeLimits
  ) throws(DecodeError) -> EncodedReply { EncodedReply(Array(bytes)) }

  var encodedByteCount: Int { bytes.count }

  var sharedBytes: [UInt8]? { bytes }

  func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer) {
    let room = reserve(bytes.count)
    bytes.withUnsafeBytes { room.copyMemory(from: $0) }
  }
}
