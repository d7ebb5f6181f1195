/// A filter of system calls in the kernel's classic BPF, put together step by step.
struct Filter: Sendable, Hashable {
  /// As the kernel reads it: `struct sock_filter`.
  struct Instruction: Sendable, Hashable {
    let code: UInt16
    /// How many instructions to skip where the comparison holds, and where it does not.
    let holds: UInt8
    let fails: UInt8
    let operand: UInt32
  }

  enum Verdict: Sendable, Hashable {
    case allow
    case refuse(Int32)
    case kill

    var operand: UInt32 {
      switch self {
      case .allow: 0x7FFF_0000
      case .refuse(let error): 0x0005_0000 | UInt32(error)
      case .kill: 0x8000_0000
      }
    }
  }

  /// What of a call is looked at; 32 bits each.
  enum Field: Sendable, Hashable {
    case number
    case processor
    case low(argument: UInt32)
    case high(argument: UInt32)

    var offset: UInt32 {
      switch self {
      case .number: 0
      case .processor: 4
      case .low(let argument): 16 + 8 * argument
      case .high(let argument): 20 + 8 * argument
      }
    }
  }

  /// What must hold of a field.
  enum Condition: Sendable, Hashable {
    case equal(Field, UInt32)
    /// The bits of the mask have this value.
    case masked(Field, mask: UInt32, UInt32)
  }

  private enum Code {
    static let load: UInt16 = 0x20
    static let jumpIfEqual: UInt16 = 0x15
    static let jumpIfAtLeast: UInt16 = 0x35
    static let jumpIfAbove: UInt16 = 0x25
    static let and: UInt16 = 0x54
    static let end: UInt16 = 0x06
  }

  private(set) var instructions: [Instruction] = []

  mutating func load(_ field: Field) { add(Code.load, field.offset) }

  mutating func end(_ verdict: Verdict) { add(Code.end, verdict.operand) }

  /// What was loaded is compared, and the verdict given where it is `value`.
  mutating func end(_ verdict: Verdict, ifEqual value: UInt32) {
    add(Code.jumpIfEqual, value, holds: 0, fails: 1)
    end(verdict)
  }

  mutating func end(_ verdict: Verdict, ifNotEqual value: UInt32) {
    add(Code.jumpIfEqual, value, holds: 1, fails: 0)
    end(verdict)
  }

  mutating func end(_ verdict: Verdict, ifAtLeast value: UInt32) {
    add(Code.jumpIfAtLeast, value, holds: 0, fails: 1)
    end(verdict)
  }

  mutating func end(_ verdict: Verdict, ifWithin range: ClosedRange<UInt32>) {
    add(Code.jumpIfAtLeast, range.lowerBound, holds: 0, fails: 2)
    add(Code.jumpIfAbove, range.upperBound, holds: 1, fails: 0)
    end(verdict)
  }

  /// For a call with this number, which must be loaded: allowed where all conditions of one of
  /// `alternatives` hold, else refused. The number stays loaded for other calls.
  mutating func decide(
    _ number: UInt32, allowedIf alternatives: [[Condition]], else refusal: Verdict
  ) {
    var body = Filter()
    for conditions in alternatives {
      // From the last one, so that each knows how far the end of its alternative is.
      var parts: [[Instruction]] = [
        [Instruction(code: Code.end, holds: 0, fails: 0, operand: Verdict.allow.operand)]
      ]
      for condition in conditions.reversed() {
        let rest = UInt8(clamping: parts.joined().count)
        parts.insert(Self.test(condition, skippingIfNot: rest), at: 0)
      }
      body.instructions += parts.joined()
    }
    body.end(refusal)
    add(Code.jumpIfEqual, number, holds: 0, fails: UInt8(clamping: body.instructions.count))
    instructions += body.instructions
  }

  private static func test(_ condition: Condition, skippingIfNot count: UInt8) -> [Instruction] {
    switch condition {
    case .equal(let field, let value):
      return [
        Instruction(code: Code.load, holds: 0, fails: 0, operand: field.offset),
        Instruction(code: Code.jumpIfEqual, holds: 0, fails: count, operand: value),
      ]
    case .masked(let field, let mask, let value):
      return [
        Instruction(code: Code.load, holds: 0, fails: 0, operand: field.offset),
        Instruction(code: Code.and, holds: 0, fails: 0, operand: mask),
        Instruction(code: Code.jumpIfEqual, holds: 0, fails: count, operand: value),
      ]
    }
  }

  private mutating func add(_ code: UInt16, _ operand: UInt32, holds: UInt8 = 0, fails: UInt8 = 0) {
    instructions.append(Instruction(code: code, holds: holds, fails: fails, operand: operand))
  }

  /// As bubblewrap hands it to the kernel.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(instructions.count * 8)
    for one in instructions {
      withUnsafeBytes(of: one.code.littleEndian) { bytes += $0 }
      bytes += [one.holds, one.fails]
      withUnsafeBytes(of: one.operand.littleEndian) { bytes += $0 }
    }
    return bytes
  }
}
