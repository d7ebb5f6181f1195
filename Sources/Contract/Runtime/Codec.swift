internal import CProtobufC
internal import RPC

/// What the generated code calls to decode and encode.
enum Codec {
  /// Checks the bytes, lets protobuf-c unpack them into an arena and copies the result out.
  static func decode<Message: CodedMessage>(
    _ bytes: UnsafeRawBufferPointer, _ limits: DecodeLimits
  ) throws(DecodeError) -> Message {
    let budget = max(limits.memoryBudgetByteCount, 0)
    var arena = hito_arena()
    hito_arena_begin(&arena, budget)
    defer { hito_arena_end(&arena) }
    var report = hito_decode_report()
    let message = hito_unpack(
      descriptor(of: Message.self), bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count,
      hito_decode_limits(depth_max: max(limits.depthMax, 0), memory_max: budget), &arena, &report)
    guard let message else { throw DecodeError(report) }
    return message.withMemoryRebound(to: Message.Raw.self, capacity: 1) {
      Message(reading: UnsafePointer($0))
    }
  }

  static func encodedByteCount(_ message: some CodedMessage) -> Int {
    withRaw(message) { protobuf_c_message_get_packed_size($0) }
  }

  static func encode(
    _ message: some CodedMessage, into reserve: (Int) -> UnsafeMutableRawBufferPointer
  ) {
    withRaw(message) { raw in
      let byteCount = protobuf_c_message_get_packed_size(raw)
      let output = reserve(byteCount)
      guard byteCount > 0, let start = output.baseAddress else { return }
      // Packing writes exactly the size that was asked for; a shorter reservation would be overrun.
      precondition(output.count >= byteCount, "the output has less room than was reserved")
      protobuf_c_message_pack(raw, start.assumingMemoryBound(to: UInt8.self))
    }
  }

  /// The descriptor that protoc-gen-c made for a message type.
  ///
  /// Taken from a fresh struct: Swift would import the constant itself as a value and copy it.
  static func descriptor<Message: CodedMessage>(
    of type: Message.Type
  ) -> UnsafePointer<ProtobufCMessageDescriptor>? {
    withUnsafeTemporaryAllocation(of: Message.Raw.self, capacity: 1) { buffer in
      guard let raw = buffer.baseAddress else { return nil }
      Message.initialize(raw)
      return UnsafeRawPointer(raw).assumingMemoryBound(to: ProtobufCMessage.self)
        .pointee.descriptor
    }
  }

  private static func withRaw<Message: CodedMessage, Result>(
    _ message: Message, _ body: (UnsafePointer<ProtobufCMessage>) -> Result
  ) -> Result {
    EncodingArena.with { arena in
      let raw = UnsafeRawPointer(arena.message(message))
      return body(raw.assumingMemoryBound(to: ProtobufCMessage.self))
    }
  }
}

// MARK: - Reading

extension Codec {
  static func string(_ text: UnsafeMutablePointer<CChar>?) -> String {
    guard let text else { return "" }
    return String(cString: text)
  }

  static func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
    Array(UnsafeBufferPointer(start: data.data, count: data.len))
  }

  static func message<Message: CodedMessage>(
    _ raw: UnsafeMutablePointer<Message.Raw>?
  ) -> Message? {
    raw.map { Message(reading: UnsafePointer($0)) }
  }

  static func array<Element>(
    _ count: Int, _ elements: UnsafeMutablePointer<Element>?
  ) -> [Element] {
    Array(UnsafeBufferPointer(start: elements, count: count))
  }

  static func list<Element, Value>(
    _ count: Int, _ elements: UnsafeMutablePointer<Element>?, _ read: (Element) -> Value
  ) -> [Value] {
    UnsafeBufferPointer(start: elements, count: count).map(read)
  }

  static func messages<Message: CodedMessage>(
    _ count: Int, _ elements: UnsafeMutablePointer<UnsafeMutablePointer<Message.Raw>?>?
  ) -> [Message] {
    // protobuf-c leaves no hole in an array of messages.
    UnsafeBufferPointer(start: elements, count: count).compactMap { message($0) }
  }

  /// The last of several pairs with one key wins, as the specification says.
  static func dictionary<Entry, Key: Hashable, Value>(
    _ count: Int, _ entries: UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>?,
    _ read: (UnsafePointer<Entry>) -> (Key, Value)
  ) -> [Key: Value] {
    var result = [Key: Value](minimumCapacity: count)
    for case let entry? in UnsafeBufferPointer(start: entries, count: count) {
      let (key, value) = read(UnsafePointer(entry))
      result[key] = value
    }
    return result
  }
}
