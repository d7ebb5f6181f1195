import CSandbox
import Domain
import Glibc

/// One job from its launch until nothing of it is left. It blocks its thread meanwhile.
final class JobRun {
  /// What came of a job, with what only an inspection wants to know.
  struct Report: Sendable {
    var result: SandboxResult
    /// Whom the collected files belong to, as this host sees it.
    var owners: Set<UInt32>
    /// As whom it ran.
    var userID: UInt32
    /// Whether its command had been started ahead of it.
    var wasAhead: Bool
  }

  private static let drainMax = Duration.seconds(2)
  /// How long bubblewrap has to end by itself once its sandbox is gone.
  private static let endMax = Duration.milliseconds(500)
  private static let chunk = 1 << 16
  private static let traceMax = 300

  private let job: SandboxJob
  private let process: LaunchedProcess
  private let input: JobInput?
  /// What the processor was used for before the job came to a command that waited for it.
  private let usedBefore: Duration?
  /// Whether its first processes ran only when nobody else wanted to. One that was being started while the others
  /// took their turn is met later.
  private let gaveWay: Bool
  private let bell: CancellationBell
  private let tell: @Sendable (SandboxEvent) -> Void
  private let processorCount = sysconf(Int32(_SC_NPROCESSORS_ONLN))
  private var machine: RunMachine
  private let streams: JobStreams
  private var received: [[UInt8]] = [[], [], []]
  private var readers: [Int32]
  private var folders: [Int32] = []
  private var nextLook: ContinuousClock.Instant
  private var killedAt: ContinuousClock.Instant?
  private(set) var hasBegun = false
  private var hasHungUp = false
  private var launchError: SandboxError?
  private var buffer = [UInt8](repeating: 0, count: chunk)

  /// - Parameter usedBefore: nil where the command is started for this job.
  init(
    _ job: SandboxJob, _ process: LaunchedProcess, _ streams: JobStreams,
    usedBefore: Duration? = nil, gaveWay: Bool = false, bell: CancellationBell,
    received: @escaping @Sendable (SandboxEvent) -> Void
  ) {
    let now = ContinuousClock.now
    self.job = job
    self.process = process
    self.streams = streams
    self.usedBefore = usedBefore
    self.gaveWay = gaveWay
    readers = streams.readers
    input = streams.input.map { JobInput(job.input, to: $0) }
    self.bell = bell
    tell = received
    machine = RunMachine(limits: job.limits, overflow: job.overflow, launchedAt: now)
    nextLook = now + .milliseconds(100)
  }

  deinit { for folder in folders { close(folder) } }

  func play() throws(SandboxError) -> Report {
    waitForEnd()
    process.end()
    guard endAll() else {
      throw .unavailable([
        SandboxFinding(
          .kill, isKept: false, "processes of a job are left in \(process.group.folders)")
      ])
    }
    let usage = process.group.usage()
    defer {
      for folder in folders { close(folder) }
      folders = []
    }
    if let launchError { throw launchError }
    let trace = hasBegun ? "" : String(decoding: received[1].prefix(Self.traceMax), as: UTF8.self)
    if !hasBegun, let error = MissingRight.error(bubblewrap: trace.trimmed), machine.ending == nil {
      throw error
    }
    let outcome = try machine.outcome(usage, trace: trace)
    return report(outcome, usage)
  }

  // MARK: - Until the end

  private func waitForEnd() {
    var drainEnd: ContinuousClock.Instant?
    while true {
      let now = ContinuousClock.now
      if let drainEnd, now >= drainEnd || readers.allSatisfy({ $0 < 0 }) { return }
      let pause =
        drainEnd.map { $0 - now } ?? machine.pause(at: now, processorCount: processorCount)
      var polled = ([process.control, bell.descriptor, process.descriptor] + readers).map {
        pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
      }
      if hasBegun, let writer = input?.writer {
        polled.append(pollfd(fd: writer, events: Int16(POLLOUT), revents: 0))
      }
      // A socket that will say no more would wake this again and again until bubblewrap has ended, too.
      if hasHungUp { polled[0].fd = -1 }
      // Once the end is there only the streams are of interest.
      if drainEnd != nil { for index in 0..<3 { polled[index].fd = -1 } }
      poll(&polled, nfds_t(polled.count), Int32(clamping: pause.wholeMilliseconds))
      if polled[0].revents != 0 { hear() }
      if polled[0].revents & Int16(POLLHUP | POLLERR) != 0 { hasHungUp = true }
      if polled[1].revents != 0 { machine.cancelled() }
      for index in 0..<3 where polled[3 + index].revents != 0 { read(index) }
      if polled.count > 6, polled[6].revents != 0 { input?.write() }
      if polled[2].revents != 0, drainEnd == nil {
        hear()
        drainEnd = .now + Self.drainMax
      }
      if drainEnd == nil { look() }
      if machine.ending != nil || launchError != nil { kill() }
    }
  }

  private func hear() {
    while let message = process.receive() {
      let now = ContinuousClock.now
      switch message {
      case .folders(let work, let tmp): folders += [work, tmp]
      case .failed(let step, let errorNumber):
        launchError = launchError ?? MissingRight.error(step: step, errorNumber: errorNumber)
      case .began:
        hasBegun = true
        if gaveWay { process.takeTurn() }
        if let usedBefore {
          machine.continued(at: now, cpuTime: usedBefore)
        } else {
          machine.began(at: now, cpuTime: process.group.usage().cpuTime)
        }
        tell(.began)
        input?.write()
      case .refused(let errorNumber):
        machine.ended(.refused(errorNumber: Int(errorNumber)), at: now)
      case .ended(let status):
        let signal = Int(status & 0x7f)
        machine.ended(
          signal == 0 ? .exited(code: Int(status >> 8 & 0xff)) : .signalled(signal), at: now)
      }
    }
  }

  private func read(_ index: Int) {
    guard readers[index] >= 0, let stream = RunMachine.Stream(rawValue: index) else { return }
    let count = Glibc.read(readers[index], &buffer, buffer.count)
    if count > 0 {
      let kept = machine.received(count, on: stream)
      received[index] += buffer[..<kept]
      if stream == .report, kept > 0 { tell(.report(Array(buffer[..<kept]))) }
    } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
      readers[index] = -1
    }
  }

  private func look() {
    let now = ContinuousClock.now
    guard now >= nextLook else { return }
    if gaveWay { process.takeTurn() }
    let usage = process.group.usage()
    machine.looked(usage, isReady: { process.group.isReady }, at: now)
    nextLook = now + machine.pause(at: now, processorCount: processorCount)
  }

  private func kill() {
    let now = ContinuousClock.now
    guard let killedAt else {
      killedAt = now
      process.group.kill(sparing: process.processID)
      return
    }
    guard now - killedAt > Self.endMax else { return }
    process.group.kill()
    // The first process of the sandbox, and with it all others, dies with bubblewrap.
    _ = hsb_signal(process.descriptor, SIGKILL)
  }

  /// The kernel has ended them all with the first process of the sandbox; this makes sure.
  private func endAll() -> Bool {
    let end = ContinuousClock.now + .seconds(5)
    while !process.group.processIDs.isEmpty {
      guard ContinuousClock.now < end else { return false }
      process.group.kill()
      usleep(500)
    }
    return true
  }

  // MARK: - What came of it

  private func report(_ outcome: SandboxOutcome, _ usage: GroupUsage) -> Report {
    var met: Set<SandboxLimit> = []
    if case .limitReached(let limit) = outcome { met.insert(limit) }
    if usage.refusedForkCount > 0 { met.insert(.processes) }
    if RunMachine.Stream.allCases.contains(where: machine.isTruncated) { met.insert(.output) }
    if folders.contains(where: Self.isFull) { met.insert(.disk) }
    var result = SandboxResult(
      outcome: outcome, limitsMet: met, cpuTime: machine.cpuTime(usage),
      wallTime: machine.wallTime(at: .now), memoryPeakByteCount: usage.memoryPeakByteCount,
      output: stream(.output), errors: stream(.errors), report: stream(.report))
    let owners = collect(into: &result)
    return Report(
      result: result, owners: owners, userID: process.userID, wasAhead: usedBefore != nil)
  }

  private func stream(_ stream: RunMachine.Stream) -> SandboxStream {
    SandboxStream(bytes: received[stream.rawValue], isTruncated: machine.isTruncated(stream))
  }

  /// Less than a page, or no file.
  private static func isFull(_ folder: Int32) -> Bool {
    var bytes: UInt64 = 0
    var files: UInt64 = 0
    return hsb_room(folder, &bytes, &files) == 0 && (bytes < 4096 || files == 0)
  }

  /// Reads back what the job was to leave. All its processes are dead: nothing changes meanwhile.
  private func collect(into result: inout SandboxResult) -> Set<UInt32> {
    var owners: Set<UInt32> = []
    var left = job.limits.collectedByteCount
    for path in job.collects {
      guard let folder = folders.first else {
        result.filesMissing[path] = .absent
        continue
      }
      var size: Int64 = 0
      var owner: uid_t = 0
      guard let file = Descriptor(hsb_open_below(folder, path.text, &size, &owner)) else {
        result.filesMissing[path] = errno == ENOENT ? .absent : .notPlain
        continue
      }
      guard size <= left else {
        result.filesMissing[path] = .tooLarge
        continue
      }
      let content = Self.content(of: file.raw, count: Int(size))
      left -= content.count
      owners.insert(owner)
      result.files[path] = content
    }
    return owners
  }

  private static func content(of file: Int32, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
      while filled < count {
        let received = Glibc.read(file, bytes.baseAddress.map { $0 + filled }, count - filled)
        if received < 0, errno == EINTR { continue }
        if received <= 0 { break }
        filled += received
      }
    }
  }
}

extension Duration {
  /// Rounded up, so that a wait is not too short by less than one.
  fileprivate var wholeMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }
}

extension String {
  fileprivate var trimmed: String { String(prefix { $0 != "\n" }) }
}
