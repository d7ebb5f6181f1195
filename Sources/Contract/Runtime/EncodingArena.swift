internal import CProtobufC

/// Where the C structs of one message live while it is packed.
///
/// Memory that the machine does not have ends the process, as with every allocation in Swift.
struct EncodingArena {
  private let storage: UnsafeMutablePointer<hito_arena>

  private init(_ storage: UnsafeMutablePointer<hito_arena>) {
    self.storage = storage
  }

  /// An arena that is gone when `body` returns. There is no budget: the message is our own.
  static func with<Result>(_ body: (EncodingArena) -> Result) -> Result {
    var storage = hito_arena()
    hito_arena_begin(&storage, .max)
    defer { hito_arena_end(&storage) }
    return withUnsafeMutablePointer(to: &storage) { body(EncodingArena($0)) }
  }

  private func allocate<Value>(_ type: Value.Type, count: Int = 1) -> UnsafeMutablePointer<Value> {
    guard let memory = hito_arena_allocate(storage, MemoryLayout<Value>.stride * count) else {
      fatalError("out of memory while encoding a message")
    }
    return memory.bindMemory(to: Value.self, capacity: count)
  }

  func message<Message: CodedMessage>(_ message: Message) -> UnsafeMutablePointer<Message.Raw> {
    let raw = allocate(Message.Raw.self)
    Message.initialize(raw)
    message.write(to: raw, self)
    return raw
  }

  /// A pair of a map.
  func entry<Raw>(
    _ type: Raw.Type, _ initialize: (UnsafeMutablePointer<Raw>) -> Void,
    _ fill: (UnsafeMutablePointer<Raw>) -> Void
  ) -> UnsafeMutablePointer<Raw> {
    let raw = allocate(type)
    initialize(raw)
    fill(raw)
    return raw
  }

  /// The text with a final 0.
  ///
  /// A C string cannot hold U+0000, and no Hito peer accepts one in text: it goes out as U+FFFD, so
  /// that the rest of the text is not silently lost.
  func string(_ text: String) -> UnsafeMutablePointer<CChar> {
    var text = text.utf8.contains(0) ? text.replacingNUL() : text
    return text.withUTF8 { utf8 in
      let copy = allocate(CChar.self, count: utf8.count + 1)
      UnsafeMutableRawPointer(copy).copyMemory(from: UnsafeRawBufferPointer(utf8))
      copy[utf8.count] = 0
      return copy
    }
  }

  func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
    guard !bytes.isEmpty else { return ProtobufCBinaryData(len: 0, data: nil) }
    let copy = array(bytes)
    return ProtobufCBinaryData(len: bytes.count, data: copy)
  }

  func array<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeMutablePointer<Element>? {
    guard !elements.isEmpty else { return nil }
    let copy = allocate(Element.self, count: elements.count)
    elements.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress else { return }
      copy.initialize(from: start, count: source.count)
    }
    return copy
  }

  func list<Element, Raw>(
    _ elements: [Element], _ write: (Element) -> Raw
  ) -> UnsafeMutablePointer<Raw>? {
    guard !elements.isEmpty else { return nil }
    let copy = allocate(Raw.self, count: elements.count)
    for (index, element) in elements.enumerated() {
      copy.advanced(by: index).initialize(to: write(element))
    }
    return copy
  }
}

extension UnsafeMutableRawPointer {
  fileprivate func copyMemory(from source: UnsafeRawBufferPointer) {
    guard let start = source.baseAddress else { return }
    copyMemory(from: start, byteCount: source.count)
  }
}

extension String {
  fileprivate func replacingNUL() -> String {
    var scalars = UnicodeScalarView()
    scalars.append(contentsOf: unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 })
    return String(scalars)
  }
}
