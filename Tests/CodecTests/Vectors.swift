import Foundation
import RPC
import Testing

@testable import Contract

/// One entry of `Tests/Vectors/messages/vectors.json`, which official protobuf wrote.
struct Vector: Decodable, Sendable, CustomTestStringConvertible {
  var name: String
  var type: String
  var bytes: String
  /// What we write for the same message where that is not `bytes`.
  var reencoded: String?
  /// Why the bytes are refused; nil where they are accepted.
  var reason: String?
  var field: String?

  var testDescription: String { "\(type) \(name)" }

  static let all: [Vector] = {
    struct File: Decodable { var vectors: [Vector] }
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Vectors/messages/vectors.json")
    do {
      return try JSONDecoder().decode(File.self, from: Data(contentsOf: url)).vectors
    } catch {
      Issue.record(error)
      return []
    }
  }()

  static let accepted = all.filter { $0.reason == nil }
  static let refused = all.filter { $0.reason != nil }

  /// The bytes of the accepted vector with this name.
  static func named(_ name: String) throws -> [UInt8] {
    try #require(accepted.first { $0.name == name }.map { bytes($0.bytes) })
  }

  static func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
  }
}

/// The fixture's messages by their names.
let messageTypes: [String: any TestMessage.Type] = [
  Leaf.fullName: Leaf.self, Scalars.fullName: Scalars.self, Lists.fullName: Lists.self,
  Maps.fullName: Maps.self, Choices.fullName: Choices.self, Names.fullName: Names.self,
  Tree.fullName: Tree.self,
]

protocol TestMessage: CodedMessage, Equatable {}
extension Leaf: TestMessage {}
extension Scalars: TestMessage {}
extension Lists: TestMessage {}
extension Maps: TestMessage {}
extension Choices: TestMessage {}
extension Names: TestMessage {}
extension Tree: TestMessage {}
