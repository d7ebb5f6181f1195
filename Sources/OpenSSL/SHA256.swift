internal import COpenSSL

/// SHA-256 (FIPS 180-4) by the system's libcrypto. A value: a copy continues by itself.
package struct SHA256: Sendable {
  package static let byteCount = Int(HITO_SHA256_SIZE)

  private var state: State

  package init() {
    state = State(Self.allocated(hito_sha256_take()))
  }

  package mutating func update(_ bytes: some Sequence<UInt8>) {
    makeUnique()
    let state = state
    let isDone: Void? = bytes.withContiguousStorageIfAvailable { state.update(.init($0)) }
    if isDone == nil { Array(bytes).withUnsafeBytes { state.update($0) } }
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    makeUnique()
    state.update(bytes)
  }

  /// The digest of what came so far, 32 bytes. Nothing may follow it.
  package consuming func finalize() -> [UInt8] {
    makeUnique()
    return [UInt8](unsafeUninitializedCapacity: Self.byteCount) { buffer, count in
      Self.check(hito_sha256_finish(state.handle, buffer.baseAddress))
      count = Self.byteCount
    }
  }

  /// The digest of `bytes`, 32 bytes.
  package static func hash(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    let digest: [UInt8]? = bytes.withContiguousStorageIfAvailable { hash(.init($0)) }
    return digest ?? Array(bytes).withUnsafeBytes { hash($0) }
  }

  /// The digest of the text's UTF-8, 32 bytes.
  package static func hash(_ text: String) -> [UInt8] {
    var text = text
    return text.withUTF8 { hash(.init($0)) }
  }

  /// The digest of `bytes`, 32 bytes.
  package static func hash(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      check(hito_sha256(bytes.baseAddress, bytes.count, buffer.baseAddress))
      count = byteCount
    }
  }

  private mutating func makeUnique() {
    guard !isKnownUniquelyReferenced(&state) else { return }
    state = State(Self.allocated(hito_sha256_copy_take(state.handle)))
  }

  /// Without its memory libcrypto has no other way to fail at a digest.
  private static func check(_ code: Int32) {
    guard code == 1 else { fatalError("out of memory for a digest") }
  }

  private static func allocated(_ handle: OpaquePointer?) -> OpaquePointer {
    guard let handle else { fatalError("out of memory for a digest") }
    return handle
  }

  // Unchecked: only the one value that holds it changes it (`makeUnique`); copying only reads.
  private final class State: @unchecked Sendable {
    let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { hito_sha256_free(handle) }

    func update(_ bytes: UnsafeRawBufferPointer) {
      check(hito_sha256_update(handle, bytes.baseAddress, bytes.count))
    }
  }
}

/// Random bytes that cannot be guessed; nil when the library cannot.
package func randomBytes(_ count: Int) -> [UInt8]? {
  var bytes = [UInt8](repeating: 0, count: count)
  return hito_random(&bytes, count) == 1 ? bytes : nil
}
