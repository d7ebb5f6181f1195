import DescriptorJSON
import Foundation
import JSON
import Testing

/// The files that Vectors/generate.py makes with the reference implementation.
struct Vectors {
  let schema: Schema
  let everything: MessageType
  let file: JSONValue

  init() throws {
    schema = try Schema(descriptorSet: Self.descriptorSet())
    everything = try #require(schema.message(named: "vectors.v1.Everything"))
    file = try JSONValue(
      typed: String(contentsOf: Self.folder.appending(path: "vectors.json"), encoding: .utf8))
  }

  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Vectors")

  static func descriptorSet() throws -> [UInt8] {
    Array(try Data(contentsOf: folder.appending(path: "everything.binpb")))
  }

  struct Case {
    let input: String
    let json: JSONValue
    let binary: [UInt8]
  }

  func cases(_ name: String) throws -> [Case] {
    guard case .array(let elements) = file[name] else { return [] }
    return try elements.map { element in
      guard case .string(let json) = element["json"], case .string(let binary) = element["binary"],
        let data = Data(base64Encoded: binary)
      else { throw CocoaError(.coderReadCorrupt) }
      var input = json
      if case .string(let text) = element["input"] { input = text }
      return Case(input: input, json: try JSONValue(typed: json), binary: Array(data))
    }
  }

  func refused() -> [String] {
    guard case .array(let elements) = file["refused"] else { return [] }
    return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }

  func encode(_ json: String) throws -> [UInt8] {
    try schema.encode(try JSONValue(typed: json), as: everything)
  }

  func decode(_ bytes: [UInt8]) throws -> String {
    try schema.decode(bytes, as: everything).shown()
  }
}

extension JSONValue {
  /// Where this differs from `other` in meaning; the order of members and the digits of numbers
  /// are free.
  func differences(from other: JSONValue, at path: String = "") -> [String] {
    switch (self, other) {
    case (.number(let left), .number(let right)):
      return left.double == right.double ? [] : ["\(path): \(left.text), \(right.text)"]
    case (.array(let left), .array(let right)) where left.count == right.count:
      return zip(left, right).enumerated().flatMap { index, pair in
        pair.0.differences(from: pair.1, at: "\(path)[\(index)]")
      }
    case (.object(let left), .object(let right)):
      let names = Set(left.map(\.key)).union(right.map(\.key))
      return names.sorted().flatMap { name in
        guard let mine = self[name], let others = other[name] else {
          return ["\(path).\(name): only in one"]
        }
        return mine.differences(from: others, at: "\(path).\(name)")
      }
    default: return self == other ? [] : ["\(path): \(shown()), \(other.shown())"]
    }
  }
}
