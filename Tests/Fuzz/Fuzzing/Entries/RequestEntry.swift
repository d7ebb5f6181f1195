import Contract
import RPC

/// `type (2 bytes) | message`: guard, protobuf-c and the Swift values of every request of the contract.
enum RequestEntry {
  static func run(_ bytes: [UInt8]) {
    var input = FuzzInput(bytes)
    let type = RequestTypes.all[input.number16() % RequestTypes.all.count]
    check(type, input.remainder())
  }

  private static func check<Message: WireMessage>(_ type: Message.Type, _ bytes: [UInt8]) {
    let limits = DecodeLimits(depthMax: 32, memoryBudgetByteCount: 1 << 20)
    // Not in the array, so that a read beyond its end is seen.
    let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { exact.deallocate() }
    exact.copyBytes(from: bytes)
    guard let message = try? Message.decode(UnsafeRawBufferPointer(exact), limits: limits) else {
      return
    }
    let encoded = message.encodedBytes()
    require(encoded.count == message.encodedByteCount, "\(type): the size of the encoding")
    // Ours may be longer numbers, and larger for that.
    let room = DecodeLimits(depthMax: 32, memoryBudgetByteCount: 1 << 22)
    guard let again = try? Message.decode(encoded, limits: room) else {
      return require(false, "\(type): our own bytes are refused")
    }
    // Not the bytes: the members of a map come in any order.
    require(again.encodedByteCount == encoded.count, "\(type): not the same when read again")
  }
}
