import Glibc

/// What the settings of the cluster are sized by.
package struct MachineResources: Equatable, Sendable {
  /// Memory of the machine or of our control group, whichever is less.
  package var memoryMiB: Int
  /// Free shared memory: parallel index builds live in it.
  package var sharedMemoryMiB: Int

  package init(memoryMiB: Int, sharedMemoryMiB: Int) {
    self.memoryMiB = memoryMiB
    self.sharedMemoryMiB = sharedMemoryMiB
  }

  static func current() -> MachineResources {
    let machine = FileSystem.text("/proc/meminfo").flatMap(totalMemoryMiB) ?? 1024
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
      .compactMap { FileSystem.text($0) }
      .compactMap { Int($0.prefix { $0.isNumber }) }
      .map { $0 / 1_048_576 }
      .filter { $0 > 0 }
    return MachineResources(
      memoryMiB: min(machine, limits.min() ?? machine),
      sharedMemoryMiB: FileSystem.availableMiB("/dev/shm") ?? 0)
  }

  package static func totalMemoryMiB(meminfo: String) -> Int? {
    for line in meminfo.split(separator: "\n") where line.hasPrefix("MemTotal:") {
      let digits = line.drop { !$0.isNumber }.prefix { $0.isNumber }
      return Int(digits).map { $0 / 1024 }
    }
    return nil
  }
}
