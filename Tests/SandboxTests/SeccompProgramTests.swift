import Domain
import Foundation
import Testing

@testable import Sandbox

/// Runs a filter as the kernel does.
private enum FilterMachine {
  enum Action: Hashable {
    case allow
    case kill
    case errorNumber(UInt32)
  }

  static func run(
    _ filter: Filter, _ processor: Processor, _ number: UInt32, _ arguments: [UInt64] = []
  ) -> Action? {
    func value(at offset: UInt32) -> UInt32 {
      if offset == 0 { return number }
      if offset == 4 { return processor.auditName }
      let index = Int(offset - 16) / 8
      let argument = index < arguments.count ? arguments[index] : 0
      return UInt32(truncatingIfNeeded: (offset - 16) % 8 == 0 ? argument : argument >> 32)
    }
    var accumulator: UInt32 = 0
    var index = 0
    while index < filter.instructions.count {
      let one = filter.instructions[index]
      index += 1
      func jump(_ holds: Bool) { index += Int(holds ? one.holds : one.fails) }
      switch one.code {
      case 0x20: accumulator = value(at: one.operand)
      case 0x54: accumulator &= one.operand
      case 0x15: jump(accumulator == one.operand)
      case 0x25: jump(accumulator > one.operand)
      case 0x35: jump(accumulator >= one.operand)
      case 0x06:
        switch one.operand {
        case 0x7FFF_0000: return .allow
        case 0x8000_0000: return .kill
        default: return .errorNumber(one.operand & 0xFFFF)
        }
      default: return nil
      }
    }
    return nil
  }
}

@Suite struct `The filter of system calls` {
  private static let eperm = FilterMachine.Action.errorNumber(1)
  private static let enosys = FilterMachine.Action.errorNumber(38)

  @Test(arguments: SandboxJob.Profile.allCases, Processor.allCases)
  func `lets through what is on the list, and nothing else`(
    profile: SandboxJob.Profile, processor: Processor
  ) {
    let filter = SeccompProgram.filter(for: profile, on: processor)
    let plain = Set(SeccompProgram.plain(profile).compactMap { $0.number(on: processor) })
    let decided = Set(
      [
        SystemCall.clone, .clone3, .ioctl, .prctl, .prlimit, .personality, .mknod, .mknodat,
        .socketpair,
      ].compactMap { $0.number(on: processor) })
    for number in UInt32(0)..<1200 where !decided.contains(number) {
      let action = FilterMachine.run(filter, processor, number)
      if plain.contains(number) {
        #expect(action == .allow)
      } else {
        #expect(action == (number < 424 ? Self.eperm : Self.enosys), "\(number)")
      }
    }
  }

  @Test(arguments: Processor.allCases)
  func `kills what is called in another processor's manner`(processor: Processor) {
    let filter = SeccompProgram.filter(for: .run, on: processor)
    let other: Processor = processor == .x86 ? .arm : .x86
    #expect(FilterMachine.run(filter, other, 0) == .kill)
    if processor == .x86 { #expect(FilterMachine.run(filter, .x86, 0x4000_0000) == .kill) }
  }

  @Test(arguments: Processor.allCases)
  func `looks at the arguments of those that are harmless only with some`(processor: Processor)
    throws
  {
    let filter = SeccompProgram.filter(for: .run, on: processor)
    func action(_ call: SystemCall, _ arguments: UInt64...) throws -> FilterMachine.Action? {
      FilterMachine.run(filter, processor, try #require(call.number(on: processor)), arguments)
    }
    #expect(try action(.clone, 0x003D_0F00) == .allow)
    for flag in [0x0002_0000, 0x0200_0000, 0x1000_0000, 0x4000_0000, 0x2000] as [UInt64] {
      #expect(try action(.clone, flag | 17) == Self.eperm)
    }
    #expect(try action(.clone3, 0) == Self.enosys)
    #expect(try action(.ioctl, 0, 0x5401) == .allow)
    #expect(try action(.ioctl, 0, 0x5412) == .errorNumber(25))
    // The kernel looks at 32 bits of the request.
    #expect(try action(.ioctl, 0, 0x1_0000_5412) == .errorNumber(25))
    #expect(try action(.prctl, 4, 0) == .allow)
    #expect(try action(.prctl, 4, 1) == Self.eperm)
    #expect(try action(.prctl, 4, 1 << 32) == Self.eperm)
    #expect(try action(.prctl, 22, 2) == Self.eperm)
    #expect(try action(.prlimit, 0, 7, 0x7FFF_0000_0000) == .allow)
    #expect(try action(.prlimit, 0, 4, 0) == .allow)
    #expect(try action(.prlimit, 0, 4, 0x7FFF_0000_0000) == Self.eperm)
    #expect(try action(.prlimit, 1, 7, 0x7FFF_0000_0000) == Self.eperm)
    #expect(try action(.personality, 0xFFFF_FFFF) == .allow)
    #expect(try action(.personality, 0x0004_0000) == Self.eperm)
    #expect(try action(.mknodat, 0, 0, 0x1180) == .allow)
    #expect(try action(.mknodat, 0, 0, 0x6180) == Self.eperm)
    #expect(try action(.socketpair, 1, 1) == .allow)
    #expect(try action(.socketpair, 2, 1) == Self.eperm)
  }

  @Test(arguments: Processor.allCases)
  func `leaves compilers no socket at all`(processor: Processor) throws {
    let filter = SeccompProgram.filter(for: .compile, on: processor)
    let number = try #require(SystemCall.socketpair.number(on: processor))
    #expect(FilterMachine.run(filter, processor, number, [1, 1]) == Self.eperm)
    for call in SystemCall.sockets {
      let number = try #require(call.number(on: processor))
      #expect(FilterMachine.run(filter, processor, number) == Self.eperm)
    }
  }

  @Test func `is short enough for the kernel, and eight bytes a step`() {
    for profile in SandboxJob.Profile.allCases {
      for processor in Processor.allCases {
        let filter = SeccompProgram.filter(for: profile, on: processor)
        #expect(filter.instructions.count < 4096)
        #expect(filter.bytes.count == filter.instructions.count * 8)
      }
    }
  }

  /// The headers are those that every C compiler needs.
  @Test(arguments: [
    (
      Processor.x86,
      [
        "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
        "/usr/x86_64-linux-gnu/include/asm/unistd_64.h",
      ]
    ),
    (.arm, ["/usr/include/asm-generic/unistd.h"]),
  ])
  func `has the numbers that the kernel's headers have`(processor: Processor, headers: [String])
    throws
  {
    let path = try #require(
      headers.first { FileManager.default.fileExists(atPath: $0) }
        ?? (processor == .current ? headers[0] : nil)
        ?? headers.last)
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      // Headers of the other processor are not everywhere; those of this one are.
      #expect(processor != .current, "linux-libc-dev is missing: \(path)")
      return
    }
    var numbers: [String: UInt32] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("#define __NR") {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count == 3, let number = UInt32(words[2]) else { continue }
      let name = words[1].dropFirst(words[1].hasPrefix("__NR3264_") ? 9 : 5)
      numbers[String(name)] = number
    }
    if let number = numbers["fstatat"] { numbers["newfstatat"] = number }
    let all =
      SeccompProgram.plain(.run) + [
        .clone, .clone3, .ioctl, .prctl, .prlimit, .personality, .mknodat, .socketpair,
      ]
    for call in all {
      #expect(call.number(on: processor) == numbers[call.name], "\(call.name)")
    }
  }
}
