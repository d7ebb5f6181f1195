import Domain

/// What no job may ask for.
enum JobCheck {
  private static let fileCountMax = 1000
  private static let argumentCountMax = 1000
  private static let argumentByteCountMax = 128 << 10
  private static let inputByteCountMax = 16 << 20
  private static let mountCountMax = 16
  private static let collectCountMax = 128
  private static let reportDescriptors = 3...9
  /// Where the sandbox itself mounts, or has files of its own.
  private static let ownFolders = [
    SandboxFolder.work, SandboxFolder.temporary, "/proc", "/dev", "/etc", "/usr", "/init", "/sys",
  ]

  /// - Parameter maxima: of each limit.
  static func check(_ job: SandboxJob, maxima: SandboxLimits) throws(SandboxError) {
    try checkCommand(job)
    try checkFiles(job)
    try checkMounts(job)
    try checkLimits(job.limits, maxima)
    if let number = job.reportDescriptor, !reportDescriptors.contains(number) {
      throw .invalid("a report's descriptor is one of \(reportDescriptors)")
    }
    guard job.input.count <= inputByteCountMax else {
      throw .invalid("the input is longer than \(inputByteCountMax) bytes")
    }
  }

  private static func checkCommand(_ job: SandboxJob) throws(SandboxError) {
    guard let program = job.command.first, !program.isEmpty else {
      throw .invalid("there is no command")
    }
    guard job.command.count <= argumentCountMax, job.environment.count <= argumentCountMax else {
      throw .invalid("more than \(argumentCountMax) arguments or variables")
    }
    let texts = job.command + job.environment.flatMap { [$0.key, $0.value] }
    guard texts.allSatisfy({ !$0.utf8.contains(0) }) else {
      throw .invalid("an argument or a variable contains a NUL")
    }
    guard texts.reduce(0, { $0 + $1.utf8.count }) <= argumentByteCountMax else {
      throw .invalid("arguments and variables are longer than \(argumentByteCountMax) bytes")
    }
    guard job.environment.keys.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(UInt8(ascii: "=")) })
    else { throw .invalid("a variable has no name, or one with =") }
  }

  private static func checkFiles(_ job: SandboxJob) throws(SandboxError) {
    guard job.files.count <= fileCountMax else { throw .invalid("more than \(fileCountMax) files") }
    guard job.collects.count <= collectCountMax else {
      throw .invalid("more than \(collectCountMax) files to collect")
    }
    guard Set(job.files.map(\.path)).count == job.files.count else {
      throw .invalid("two files have the same path")
    }
    let byteCount = job.files.reduce(0) { $0 + $1.content.count }
    guard byteCount <= job.limits.diskByteCount, job.files.count <= job.limits.fileCount else {
      throw .invalid("the files are more than the job's own limits let be")
    }
  }

  private static func checkMounts(_ job: SandboxJob) throws(SandboxError) {
    guard job.mounts.count <= mountCountMax else {
      throw .invalid("more than \(mountCountMax) mounts")
    }
    for mount in job.mounts {
      let parts = mount.target.split(separator: "/", omittingEmptySubsequences: false)
      let isPlain =
        parts.first == "" && parts.count > 1
        && parts.dropFirst().allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
      guard isPlain, mount.source.hasPrefix("/"), !mount.source.utf8.contains(0),
        !mount.target.utf8.contains(0)
      else { throw .invalid("a mount needs plain absolute paths: \(mount.target)") }
      let isOwn = ownFolders.contains { mount.target == $0 || mount.target.hasPrefix($0 + "/") }
      guard !isOwn else { throw .invalid("nothing can be mounted at \(mount.target)") }
    }
  }

  private static func checkLimits(
    _ limits: SandboxLimits, _ maxima: SandboxLimits
  ) throws(SandboxError) {
    func isWithin(_ value: Int, _ maximum: Int) -> Bool { value > 0 && value <= maximum }
    let isTimeWithin =
      limits.cpuTime > .zero && limits.cpuTime <= maxima.cpuTime && limits.wallTime > .zero
      && limits.wallTime <= maxima.wallTime
    guard isTimeWithin else { throw .invalid("a limit of time is out of bounds") }
    let checks: [(String, KeyPath<SandboxLimits, Int>)] = [
      ("memory", \.memoryByteCount), ("processes", \.processCount), ("output", \.outputByteCount),
      ("report", \.reportByteCount), ("file size", \.fileByteCount), ("disk", \.diskByteCount),
      ("files", \.fileCount), ("descriptors", \.descriptorCount),
      ("collected files", \.collectedByteCount),
    ]
    for (name, path) in checks where !isWithin(limits[keyPath: path], maxima[keyPath: path]) {
      throw .invalid("the limit of \(name) is not within 1 to \(maxima[keyPath: path])")
    }
  }
}
