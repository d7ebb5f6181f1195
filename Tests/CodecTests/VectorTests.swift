import Contract
import RPC
import Testing

@Suite("Messages of official protobuf")
struct VectorTests {
  @Test("are all there")
  func vectorsExist() {
    #expect(Vector.accepted.count > 150)
    #expect(Vector.refused.count > 40)
  }

  @Test(
    "decode, and encode to the bytes that official protobuf reads as the same message",
    arguments: Vector.accepted)
  func roundTrip(vector: Vector) throws {
    let type = try #require(messageTypes[vector.type])
    try check(type, vector)
  }

  private func check<Message: TestMessage>(_ type: Message.Type, _ vector: Vector) throws {
    let message = try Message.decode(Vector.bytes(vector.bytes))
    let encoded = message.encodedBytes()
    #expect(encoded == Vector.bytes(vector.reencoded ?? vector.bytes))
    #expect(message.encodedByteCount == encoded.count)
    #expect(try Message.decode(encoded) == message)
  }

  @Test("decode to the values that were written", arguments: Array(expectedValues.keys.sorted()))
  func values(name: String) throws {
    let expected = try #require(expectedValues[name])
    try expected.check(Vector.named(name))
  }

  @Test("that break a rule are refused with the reason and the field", arguments: Vector.refused)
  func refusals(vector: Vector) throws {
    let type = try #require(messageTypes[vector.type])
    let error = #expect(throws: DecodeError.self) {
      _ = try type.decode(Vector.bytes(vector.bytes))
    }
    #expect(error?.reason.rawValue == vector.reason)
    #expect(error?.field == vector.field ?? "")
  }
}

/// A value that a vector stands for.
struct ExpectedValue: Sendable {
  let check: @Sendable ([UInt8]) throws -> Void

  init<Message: TestMessage>(_ message: Message) {
    check = { bytes in
      let decoded = try Message.decode(bytes)
      #expect(decoded == message)
    }
  }
}

private let twig = Tree.Branch.Twig(leaves: [Leaf(name: "a", id: 1), Leaf()], name: "twig")

/// What the vectors must decode to, written down by hand.
let expectedValues: [String: ExpectedValue] = [
  "scalars empty": ExpectedValue(Scalars()),
  "scalars least": ExpectedValue(
    Scalars(
      int32Value: .min, int64Value: .min, sint32Value: .min, sint64Value: .min,
      sfixed32Value: .min, sfixed64Value: .min, floatValue: -.greatestFiniteMagnitude,
      doubleValue: -.greatestFiniteMagnitude, moodValue: .sad)),
  "scalars greatest": ExpectedValue(
    Scalars(
      int32Value: .max, int64Value: .max, uint32Value: .max, uint64Value: .max, sint32Value: .max,
      sint64Value: .max, fixed32Value: .max, fixed64Value: .max, sfixed32Value: .max,
      sfixed64Value: .max, floatValue: .greatestFiniteMagnitude,
      doubleValue: .greatestFiniteMagnitude, boolValue: true, stringValue: "\u{10FFFF}",
      bytesValue: Array(0...255), moodValue: .happy)),
  "scalars infinite": ExpectedValue(Scalars(floatValue: .infinity, doubleValue: -.infinity)),
  "scalars smallest": ExpectedValue(
    Scalars(floatValue: .leastNonzeroMagnitude, doubleValue: .leastNonzeroMagnitude)),
  "text of every width": ExpectedValue(Scalars(stringValue: "aé漢😀\u{1}\u{7F}")),
  "enum unknown number": ExpectedValue(Scalars(moodValue: Mood(rawValue: 1_234_567))),
  "enum least number": ExpectedValue(Scalars(moodValue: Mood(rawValue: .min))),
  "number wider than its type": ExpectedValue(Scalars(int32Value: 1, boolValue: true)),
  "lists full": ExpectedValue(
    Lists(
      int32Values: [0, -1, .max, .min], int64Values: [0, -1, .max, .min],
      uint32Values: [0, .max], uint64Values: [0, .max], sint32Values: [0, -1, 1],
      sint64Values: [.min, .max], fixed32Values: [0, .max], fixed64Values: [0, .max],
      sfixed32Values: [-1, 1], sfixed64Values: [-1, 1], floatValues: [0, -0.0, 1.5],
      doubleValues: [0, -0.0, 2.5], boolValues: [true, false, true],
      stringValues: ["", "a", "é"], bytesValues: [[], [0], Array("x".utf8)],
      moodValues: [.unspecified, .sad, Mood(rawValue: 77)],
      leafValues: [Leaf(), Leaf(name: "n", id: -1)],
      nothingValues: [Nothing(), Nothing(), Nothing()], unpackedValues: [0, 1, -1])),
  "packed and one by one mixed": ExpectedValue(Lists(int32Values: [1, 2, 3, 4])),
  "packed empty": ExpectedValue(Lists()),
  "maps full": ExpectedValue(
    Maps(
      labels: ["b": "2", "a": "1", "é": "x"], leaves: [-7: Leaf(name: "n"), 2: Leaf(id: 1)],
      totals: [true: 5], moods: [-3: .happy, 4: .sad], blobs: ["k": [0, 1]], weights: [9: 1.5])),
  "map entries of defaults": ExpectedValue(
    Maps(labels: ["": ""], totals: [false: 0], weights: [0: 0])),
  "map value message missing": ExpectedValue(Maps(leaves: [1: Leaf()])),
  "map last of equal keys": ExpectedValue(Maps(labels: ["k": "2"])),
  "choice none": ExpectedValue(Choices()),
  "choice text empty": ExpectedValue(Choices(choice: .text(""))),
  "choice blob empty": ExpectedValue(Choices(choice: .blob([]))),
  "choice leaf empty": ExpectedValue(Choices(choice: .leaf(Leaf()))),
  "choice number": ExpectedValue(Choices(choice: .number(-5))),
  "choice flag false": ExpectedValue(Choices(choice: .flag(false))),
  "choice mood": ExpectedValue(Choices(choice: .mood(.sad))),
  "choice ratio": ExpectedValue(Choices(choice: .ratio(0.5))),
  "choice nothing": ExpectedValue(Choices(choice: .nothing(Nothing()))),
  "choice last member wins": ExpectedValue(Choices(choice: .number(7))),
  "choice message after others": ExpectedValue(Choices(choice: .leaf(Leaf(id: 1)))),
  "presence of zero and empty": ExpectedValue(Choices(score: 0, note: "")),
  "presence of values": ExpectedValue(Choices(choice: .text("t"), score: 99.5, note: "n")),
  "scalar twice, last wins": ExpectedValue(Leaf(name: "b", id: 2)),
  "unknown fields of every wire type": ExpectedValue(Leaf(name: "n")),
  "longer varints than needed": ExpectedValue(Leaf(name: "n", id: 1)),
  "names": ExpectedValue(
    Names(
      class: "c", default: "d", self_: "s", in: "i", init: 1, isURL: true, camelCase: "cc",
      operator: ["o"], type: "t", description: "d", extension: "e", from: "f", none: "n",
      typeValue: Names.ProtoType(protocol: "p"), stringValue: .self_)),
  "tree full": ExpectedValue(
    Tree(
      branches: [
        Tree.Branch(twigs: [twig, Tree.Branch.Twig()], main: twig), Tree.Branch(),
      ],
      root: Tree.Branch(main: twig),
      plantedAt: Timestamp(seconds: 1_714_979_289, nanos: 123_456_000),
      age: ProtoDuration(seconds: -3, nanos: -500), mask: FieldMask(paths: ["a", "b.c"]),
      empty: Empty(), last: "end", oldName: "old")),
]
