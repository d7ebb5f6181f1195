internal import CZlib

/// The zlib format (RFC 1950), whole messages at once, by zlib.
package enum Deflate {
  /// Fast rather than small: messages are compressed while a caller waits.
  private static let level: Int32 = 1

  /// Compresses `bytes`.
  ///
  /// - Returns: nil where less than an eighth is gained, which is not worth the receiver's time, or no memory is
  ///   left.
  package static func compressed(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
    let byteCountMax = bytes.count - bytes.count / 8
    guard byteCountMax > 0 else { return nil }
    var isDone = false
    let result = [UInt8](unsafeUninitializedCapacity: byteCountMax) { buffer, count in
      var filled = uLongf(byteCountMax)
      let status = compress2(
        buffer.baseAddress, &filled, bytes.baseAddress?.assumingMemoryBound(to: Bytef.self),
        uLong(bytes.count), level)
      isDone = status == Z_OK
      count = isDone ? Int(filled) : 0
    }
    return isDone ? result : nil
  }

  /// Expands `data` to exactly `byteCount` bytes.
  ///
  /// - Returns: nil where it is not the compression of so many bytes, and of nothing else. No more memory than
  ///   `byteCount` is ever taken for what comes out.
  package static func expanded(_ data: UnsafeRawBufferPointer, byteCount: Int) -> [UInt8]? {
    guard byteCount > 0 else { return nil }
    var isWhole = false
    let result = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      var filled = uLongf(byteCount)
      var read = uLong(data.count)
      let status = uncompress2(
        buffer.baseAddress, &filled, data.baseAddress?.assumingMemoryBound(to: Bytef.self), &read)
      isWhole = status == Z_OK && filled == uLongf(byteCount) && read == uLong(data.count)
      count = isWhole ? byteCount : 0
    }
    return isWhole ? result : nil
  }
}
