internal import Foundation
internal import SwiftProtobuf

/// Why a method has no rule that the emitters can use.
struct MethodRuleError: Error {
  /// What follows the method's name in the finding.
  var message: String
}

/// The `rule` option of a method, as hito/v1/options.proto declares it. This program knows no
/// extensions, so the option is among the unknown fields of the method's options.
struct MethodRuleOption {
  private static let fieldNumber = 51000
  private static let timeoutSecondsMax = 86_400
  private static let unaryTimeoutSecondsDefault = 30

  private var isThere = false
  private var callers = 0
  private var cost = 0
  private var timeoutSeconds = 0
  private var isUnimplemented = false

  init(_ options: Google_Protobuf_MethodOptions) throws(MethodRuleError) {
    var fields = WireFields([UInt8](options.unknownFields.data))
    while let field = try fields.next() {
      guard field.number == Self.fieldNumber else { continue }
      isThere = true
      // `option (rule).cost = …` on a line of its own comes as a field of its own: they add up.
      try read(WireFields(field.bytes))
    }
  }

  private mutating func read(_ rule: WireFields) throws(MethodRuleError) {
    var fields = rule
    while let field = try fields.next() {
      switch field.number {
      case 1: callers = field.value
      case 2: cost = field.value
      case 3: timeoutSeconds = field.value
      case 4: isUnimplemented = field.value != 0
      default: continue
      }
    }
  }

  func rule(isUnary: Bool) throws(MethodRuleError) -> MethodRuleModel {
    guard isThere else {
      throw MethodRuleError(
        message: """
          has no rule: say who may call it and what a call costs, \
          option (hito.v1.rule) = { callers: USERS cost: ROWS } (hito/v1/options.proto)
          """)
    }
    guard let callers = MethodRuleModel.Callers(rawValue: callers) else {
      throw MethodRuleError(message: "does not say who may call it: its rule needs callers")
    }
    guard let cost = MethodRuleModel.Cost(rawValue: cost) else {
      throw MethodRuleError(message: "does not say what a call costs: its rule needs cost")
    }
    guard timeoutSeconds <= Self.timeoutSecondsMax else {
      throw MethodRuleError(message: "has a timeout of more than \(Self.timeoutSecondsMax) seconds")
    }
    guard cost != .subscription || !isUnary else {
      throw MethodRuleError(message: "is unary: it cannot cost as a subscription")
    }
    let timeout =
      timeoutSeconds > 0 ? timeoutSeconds : isUnary ? Self.unaryTimeoutSecondsDefault : nil
    return MethodRuleModel(
      callers: callers, cost: cost, timeoutSeconds: timeout, isImplemented: !isUnimplemented)
  }
}

/// The fields of an encoded message, as far as options need them: numbers and nested messages.
private struct WireFields {
  struct Field {
    var number: Int
    /// Of a varint; else 0.
    var value = 0
    /// Of a field with a length; else empty.
    var bytes: [UInt8] = []
  }

  private let bytes: [UInt8]
  private var index = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  mutating func next() throws(MethodRuleError) -> Field? {
    guard index < bytes.count else { return nil }
    let tag = try varint()
    var field = Field(number: Int(clamping: tag >> 3))
    switch tag & 7 {
    case 0: field.value = Int(clamping: try varint())
    case 1: _ = try take(8)
    case 2: field.bytes = try take(Int(clamping: try varint()))
    case 5: _ = try take(4)
    default: throw Self.damaged
    }
    return field
  }

  private mutating func varint() throws(MethodRuleError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard index < bytes.count else { throw Self.damaged }
      let byte = bytes[index]
      index += 1
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    throw Self.damaged
  }

  private mutating func take(_ count: Int) throws(MethodRuleError) -> [UInt8] {
    guard count <= bytes.count - index else { throw Self.damaged }
    defer { index += count }
    return Array(bytes[index..<index + count])
  }

  private static let damaged = MethodRuleError(message: "has options that do not decode")
}
