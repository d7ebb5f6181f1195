/// Why a stream of server-sent events is not read on.
package enum EventStreamError: Error, Sendable, Hashable {
  case lineTooLong(maximum: Int)
  case eventTooLong(maximum: Int)
}

/// Takes `text/event-stream` apart, byte by byte as the bytes come: pure, bounded, and the same
/// however the stream is cut into pieces.
///
/// States: in a line → at its end the line is a field of the event → at an empty line the event is
/// complete. Lines end in LF, CR or CRLF; a byte order mark at the start is skipped. Only `data`
/// counts; other fields and comments are read over. An event that the stream ends within is lost,
/// as the format has it. After an error nothing more is read.
package struct EventStreamMachine: Sendable {
  private let lineByteCountMax: Int
  private let eventByteCountMax: Int
  private var line: [UInt8] = []
  private var data: [UInt8] = []
  private var hasData = false
  private var isFirstLine = true
  /// The last byte was a CR: an LF now belongs to it.
  private var isAfterCR = false
  private var failure: EventStreamError?

  package init(lineByteCountMax: Int, eventByteCountMax: Int) {
    self.lineByteCountMax = lineByteCountMax
    self.eventByteCountMax = eventByteCountMax
  }

  /// The data of the events that `bytes` complete, in order.
  package mutating func receive(
    _ bytes: some Sequence<UInt8>
  ) throws(EventStreamError) -> [[UInt8]] {
    if let failure { throw failure }
    var events: [[UInt8]] = []
    for byte in bytes {
      let endsCRLF = isAfterCR && byte == UInt8(ascii: "\n")
      isAfterCR = byte == UInt8(ascii: "\r")
      if endsCRLF { continue }
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
        if let event = try endLine() { events.append(event) }
      } else {
        guard line.count < lineByteCountMax else {
          throw fail(.lineTooLong(maximum: lineByteCountMax))
        }
        line.append(byte)
      }
    }
    return events
  }

  private mutating func endLine() throws(EventStreamError) -> [UInt8]? {
    defer { line.removeAll(keepingCapacity: true) }
    if isFirstLine {
      isFirstLine = false
      if line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
    }
    guard !line.isEmpty else { return endEvent() }
    let name = line.prefix { $0 != UInt8(ascii: ":") }
    guard name.elementsEqual("data".utf8) else { return nil }
    var value = line.dropFirst(name.count + 1)
    if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
    guard data.count + value.count < eventByteCountMax else {
      throw fail(.eventTooLong(maximum: eventByteCountMax))
    }
    if hasData { data.append(UInt8(ascii: "\n")) }
    data.append(contentsOf: value)
    hasData = true
    return nil
  }

  private mutating func endEvent() -> [UInt8]? {
    guard hasData else { return nil }
    hasData = false
    defer { data = [] }
    return data
  }

  private mutating func fail(_ error: EventStreamError) -> EventStreamError {
    failure = error
    line = []
    data = []
    return error
  }
}
