import Domain

/// Which system calls a job may make: a list of those that are let through, all others refused.
///
/// Refused is with EPERM, which programs report and survive; with ENOSYS where C libraries then try an
/// older call that is let through; and by death where the call is made in the manner of another processor,
/// which only an attack on the filter does.
enum SeccompProgram {
  private static let notPermitted = Filter.Verdict.refuse(1)
  private static let notImplemented = Filter.Verdict.refuse(38)
  private static let notATerminal = Filter.Verdict.refuse(25)

  /// Calls from here on came after Linux 5.0: a program that makes one must be ready to hear that the
  /// kernel does not have it.
  private static let firstRecent: UInt32 = 424
  /// On x86_64, calls with this bit are those of x32.
  private static let x32Bit: UInt32 = 0x4000_0000

  static func filter(for profile: SandboxJob.Profile, on processor: Processor = .current) -> Filter
  {
    var filter = Filter()
    filter.load(.processor)
    filter.end(.kill, ifNotEqual: processor.auditName)
    filter.load(.number)
    if processor == .x86 { filter.end(.kill, ifAtLeast: x32Bit) }
    for range in ranges(of: plain(profile), on: processor) { filter.end(.allow, ifWithin: range) }
    for rule in rules(profile) {
      guard let number = rule.call.number(on: processor) else { continue }
      filter.decide(number, allowedIf: rule.allowed, else: rule.refusal)
    }
    filter.end(notImplemented, ifAtLeast: firstRecent)
    filter.end(notPermitted)
    return filter
  }

  /// Those that are let through whatever their arguments.
  static func plain(_ profile: SandboxJob.Profile) -> [SystemCall] {
    let common =
      SystemCall.files + SystemCall.olderFiles + SystemCall.memory + SystemCall.processes
      + SystemCall.signals + SystemCall.threads + SystemCall.time + SystemCall.events
    return profile == .run ? common + SystemCall.sockets : common
  }

  private struct Rule {
    let call: SystemCall
    let allowed: [[Filter.Condition]]
    var refusal = SeccompProgram.notPermitted
  }

  private static func rules(_ profile: SandboxJob.Profile) -> [Rule] {
    var rules = [
      // Threads and children, but no new namespace, and nobody to trace them.
      Rule(
        call: .clone, allowed: [[.masked(.low(argument: 0), mask: cloneFlagsRefused, 0)]]),
      // Its flags are in memory, where a filter cannot see them. C libraries fall back to clone.
      Rule(call: .clone3, allowed: [], refusal: notImplemented),
      Rule(
        call: .ioctl, allowed: requests.map { [.equal(.low(argument: 1), $0)] },
        refusal: notATerminal),
      Rule(call: .prctl, allowed: processControls),
      // Its own, and not what becomes of a core dump: a limit of 0 does not keep one from a program
      // that the host has set up for them, the limit of 1 that the job starts with does.
      Rule(
        call: .prlimit,
        allowed: [
          [
            .equal(.low(argument: 0), 0), .equal(.low(argument: 2), 0),
            .equal(.high(argument: 2), 0),
          ]
        ]
          + (UInt32(0)..<16).filter { $0 != coreLimit }.map {
            [.equal(.low(argument: 0), 0), .equal(.low(argument: 1), $0)]
          }),
      // To ask what it is, and to set what it is anyway.
      Rule(
        call: .personality,
        allowed: [[.equal(.low(argument: 0), 0xFFFF_FFFF)], [.equal(.low(argument: 0), 0)]]),
      Rule(call: .mknod, allowed: fileKinds(argument: 1)),
      Rule(call: .mknodat, allowed: fileKinds(argument: 2)),
    ]
    if profile == .run {
      // asyncio and libuv talk to themselves and their children over a pair of connected Unix sockets.
      rules.append(Rule(call: .socketpair, allowed: [[.equal(.low(argument: 0), unixFamily)]]))
    }
    return rules
  }

  private static let coreLimit: UInt32 = 4
  private static let unixFamily: UInt32 = 1
  /// CLONE_NEW* and CLONE_PTRACE.
  private static let cloneFlagsRefused: UInt32 = 0x7E02_2000

  /// Of terminals only what programs ask to know whether they have one; never TIOCSTI and TIOCLINUX, which
  /// write into it.
  private static let requests: [UInt32] = [
    0x5401,  // TCGETS
    0x5413,  // TIOCGWINSZ
    0x540F,  // TIOCGPGRP
    0x541B,  // FIONREAD
    0x5421,  // FIONBIO
    0x5450,  // FIONCLEX
    0x5451,  // FIOCLEX
    0x5452,  // FIOASYNC
  ]

  private static let processControls: [[Filter.Condition]] = [
    [.equal(.low(argument: 0), 1)],  // PR_SET_PDEATHSIG
    [.equal(.low(argument: 0), 2)],  // PR_GET_PDEATHSIG
    [.equal(.low(argument: 0), 3)],  // PR_GET_DUMPABLE
    // PR_SET_DUMPABLE: only to hide.
    [.equal(.low(argument: 0), 4), .equal(.low(argument: 1), 0), .equal(.high(argument: 1), 0)],
    [.equal(.low(argument: 0), 15)],  // PR_SET_NAME
    [.equal(.low(argument: 0), 16)],  // PR_GET_NAME
    [.equal(.low(argument: 0), 21)],  // PR_GET_SECCOMP
    [.equal(.low(argument: 0), 23)],  // PR_CAPBSET_READ
    [.equal(.low(argument: 0), 29)],  // PR_SET_TIMERSLACK
    [.equal(.low(argument: 0), 30)],  // PR_GET_TIMERSLACK
    [.equal(.low(argument: 0), 38)],  // PR_SET_NO_NEW_PRIVS
    [.equal(.low(argument: 0), 39)],  // PR_GET_NO_NEW_PRIVS
    [.equal(.low(argument: 0), 42)],  // PR_GET_THP_DISABLE
    [.equal(.low(argument: 0), 0x5356_4D41)],  // PR_SET_VMA: names of memory
  ]

  /// Plain files and pipes, no devices and sockets.
  private static func fileKinds(argument: UInt32) -> [[Filter.Condition]] {
    [0x8000, 0x1000, 0].map { [.masked(.low(argument: argument), mask: 0xF000, $0)] }
  }

  private static func ranges(
    of calls: [SystemCall], on processor: Processor
  ) -> [ClosedRange<UInt32>] {
    var ranges: [ClosedRange<UInt32>] = []
    for number in Set(calls.compactMap { $0.number(on: processor) }).sorted() {
      if let last = ranges.last, last.upperBound + 1 == number {
        ranges[ranges.count - 1] = last.lowerBound...number
      } else {
        ranges.append(number...number)
      }
    }
    return ranges
  }
}
