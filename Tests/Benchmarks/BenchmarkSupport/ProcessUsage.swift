package import Foundation

/// What a process has used so far, asked of the kernel.
package enum ProcessUsage {
  /// CPU seconds of a process, all threads, without its children. To the nanosecond.
  package static func cpuSeconds(of process: pid_t) throws -> Double {
    var clock = clockid_t()
    var time = timespec()
    guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else {
      throw BenchmarkError("process \(process) has ended")
    }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// CPU seconds of a process, of its children, and of those children that have ended. To the
  /// kernel's tick, mostly 10 ms.
  package static func cpuSecondsOfFamily(of parent: pid_t) throws -> Double {
    func ofParent() throws -> Stat {
      guard let stat = Stat(process: parent) else {
        throw BenchmarkError("process \(parent) has ended")
      }
      return stat
    }
    var (own, children) = (try ofParent(), [Stat]())
    while true {
      children = processes().compactMap(Stat.init(process:)).filter { $0.parent == parent }
      let after = try ofParent()
      // A child that ended meanwhile would be in neither: among those who are gone, or among those who live.
      if after.childTicks == own.childTicks { break }
      own = after
    }
    let ticks = own.ticks + own.childTicks + children.map(\.ticks).reduce(0, +)
    return Double(ticks) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// The memory that a process alone costs, in KiB: its own pages, and its part of shared ones.
  package static func memoryKiB(of process: pid_t) throws -> Double {
    let path = "/proc/\(process)/smaps_rollup"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") }),
      let value = line.split(separator: " ").dropFirst().first.flatMap({ Double($0) })
    else { throw BenchmarkError("\(path) cannot be read") }
    return value
  }

  private static func processes() -> [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }
  }

  /// Some fields of `/proc/<pid>/stat` (proc(5)).
  private struct Stat {
    var parent: pid_t
    var ticks: UInt64
    var childTicks: UInt64

    /// Nil where there is no such process (any more).
    init?(process: pid_t) {
      guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        // The name is in parentheses and may hold anything, also spaces.
        let name = text.lastIndex(of: ")")
      else { return nil }
      let fields = text[text.index(after: name)...].split(separator: " ")
      guard fields.count > 14, let parent = pid_t(fields[1]) else { return nil }
      let times = fields[11...14].compactMap { UInt64($0) }
      guard times.count == 4 else { return nil }
      self.parent = parent
      ticks = times[0] + times[1]
      childTicks = times[2] + times[3]
    }
  }
}
