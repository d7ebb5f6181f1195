import DescriptorJSON
import JSON
import SeededRandom
import Testing

@Suite("Hostile input")
struct HostileInputTests {
  let vectors: Vectors

  init() throws {
    vectors = try Vectors()
  }

  @Test("deep JSON is refused, however deep")
  func deepJSON() {
    for depth in [200, 1_000_000] {
      let arrays = String(repeating: "[", count: depth)
      #expect(throws: JSONSyntaxError.self) { try JSONValue(typed: arrays) }
      let objects = String(repeating: #"{"inner":"#, count: depth)
      #expect(throws: JSONSyntaxError.self) { try JSONValue(typed: objects) }
    }
    let nested =
      String(repeating: #"{"inner":"#, count: 80) + "{}" + String(repeating: "}", count: 80)
    #expect(throws: ConversionError.self) { try vectors.encode(nested) }
  }

  @Test("deep messages are refused")
  func deepMessage() {
    var bytes: [UInt8] = []
    for _ in 0..<200 {
      var outer: [UInt8] = [0x1a]
      var count = bytes.count
      while count >= 0x80 {
        outer.append(UInt8(count & 0x7f) | 0x80)
        count >>= 7
      }
      bytes = outer + [UInt8(count)] + bytes
    }
    var field: [UInt8] = [0x8a, 0x01]
    field += [UInt8(bytes.count & 0x7f) | 0x80, UInt8(bytes.count >> 7)]
    #expect(throws: ConversionError.self) { try vectors.decode(field + bytes) }
    #expect(throws: ConversionError.self) {
      try vectors.decode(
        [UInt8](repeating: 0xbb, count: 1) + [0x3e] + Array(repeating: 0x0b, count: 99))
    }
  }

  @Test("numbers of any length and exponent are read or refused, never trapped on")
  func hugeNumbers() throws {
    let digits = String(repeating: "9", count: 100_000)
    for number in [digits, "1e99999999999999999999", "-1e-9223372036854775808", "0e999999", "1e-5"]
    {
      _ = try? vectors.encode(#"{"anInt64": \#(number)}"#)
      _ = try? vectors.encode(#"{"aDouble": \#(number)}"#)
    }
    #expect(throws: ConversionError.self) { try vectors.encode(#"{"anInt64": \#(digits)}"#) }
    #expect(throws: ConversionError.self) { try vectors.encode(#"{"anInt64": 1e30}"#) }
    #expect(try vectors.encode(#"{"anInt64": 0e30}"#) == [])
  }

  @Test("truncated and changed bytes never trap: messages")
  func mutatedMessages() throws {
    var generator = SeededGenerator(state: 1)
    for item in try vectors.cases("random").prefix(40) {
      for _ in 0..<50 {
        var bytes = Array(item.binary.prefix(.random(in: 0...item.binary.count, using: &generator)))
        for _ in 0..<3 where !bytes.isEmpty {
          let index = Int.random(in: bytes.indices, using: &generator)
          bytes[index] = .random(in: 0...255, using: &generator)
        }
        guard let json = try? vectors.schema.decode(bytes, as: vectors.everything) else { continue }
        // What can be shown can be sent, but for masks in another spelling.
        #expect(throws: Never.self) { try JSONValue(typed: json.shown()) }
      }
    }
  }

  @Test("truncated and changed bytes never trap: descriptor sets")
  func mutatedDescriptorSets() throws {
    let original = try Vectors.descriptorSet()
    var generator = SeededGenerator(state: 2)
    for _ in 0..<150 {
      var bytes = original
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[.random(in: bytes.indices, using: &generator)] = .random(
          in: 0...255, using: &generator)
      }
      if Bool.random(using: &generator) {
        bytes = Array(bytes.prefix(.random(in: 0...bytes.count, using: &generator)))
      }
      guard let schema = try? Schema(descriptorSet: bytes) else { continue }
      for method in schema.methods { _ = schema.description(of: method) }
      for item in try vectors.cases("random").prefix(2) {
        guard let type = schema.message(named: "vectors.v1.Everything") else { continue }
        _ = try? schema.decode(item.binary, as: type)
        _ = try? schema.encode(item.json, as: type)
      }
    }
  }
}
