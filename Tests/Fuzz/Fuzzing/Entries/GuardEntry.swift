import CFuzzGuard

/// `type | message`: the guard and protobuf-c for the types of the tests.
enum GuardEntry {
  static func run(_ bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { hito_fuzz_guard($0.baseAddress, $0.count) }
  }
}
