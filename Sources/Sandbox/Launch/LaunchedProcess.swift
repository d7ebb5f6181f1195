import CSandbox
import Glibc

/// A launcher, which waits for its job in the groups of that job, and becomes bubblewrap.
final class LaunchedProcess {
  /// What it says on its socket.
  enum Message: Sendable, Hashable {
    /// Descriptors of `/work` and `/tmp`, which become the receiver's.
    case folders(work: Int32, tmp: Int32)
    case failed(step: String, errorNumber: Int32)
    case began
    case refused(errorNumber: Int32)
    case ended(status: Int32)
  }

  let group: any JobGroup
  /// Whom it becomes.
  let userID: UInt32
  let control: Int32
  /// Readable once the process has ended.
  let descriptor: Int32
  let processID: pid_t
  private var isReaped = false

  /// - Throws: what could not be done, as of a control group.
  init(launcher: String, group: any JobGroup, userID: UInt32) throws(GroupError) {
    var sockets: [Int32] = [-1, -1]
    guard hsb_socket_pair(&sockets) == 0 else { throw GroupError("make a pair of sockets") }
    let arguments = [launcher, "launch", "\(getpid())"] + group.joinPaths
    var copies: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    let process = hsb_spawn(launcher, &copies, sockets[1])
    let error = errno
    close(sockets[1])
    guard process > 0 else {
      close(sockets[0])
      throw GroupError("start \(launcher)", error)
    }
    self.group = group
    self.userID = userID
    control = sockets[0]
    processID = process
    descriptor = hsb_process(process)
    guard descriptor >= 0 else {
      let error = GroupError("watch the launcher")
      kill(process, SIGKILL)
      throw error
    }
  }

  deinit {
    end()
    close(control)
    if descriptor >= 0 { close(descriptor) }
  }

  /// Ends it and waits for its end, which comes at once.
  func end() {
    guard !isReaped else { return }
    kill(processID, SIGKILL)
    var status: Int32 = 0
    while waitpid(processID, &status, 0) < 0, errno == EINTR {}
    isReaped = true
  }

  var isAlive: Bool {
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&polled, 1, 0) == 0
  }

  /// Gives it its job. False where it has ended meanwhile.
  func send(_ descriptors: [Int32]) -> Bool {
    hsb_send(control, CChar(UInt8(ascii: "J")), descriptors, descriptors.count) == 0
  }

  /// Tells the first process of a sandbox that the files of its job are there. False where it has ended.
  func start() -> Bool { hsb_notify(control, CChar(UInt8(ascii: "S"))) == 0 }

  /// Has all that was started ahead, and ran only when nobody else wanted to, run as others do: all that can be
  /// seen, which is not what is just being started.
  func takeTurn() {
    var known: Set<pid_t> = []
    while true {
      // Again until there is nobody new: what starts others may have been met after them. Each thread for
      // itself: what collects a runtime's garbage must not wait for an idle machine.
      let new = group.threadIDs.filter { known.insert($0).inserted }
      if new.isEmpty { return }
      for one in new { hsb_take_turn(one) }
    }
  }

  /// The next message, if one is there; nil where none is, or none will come.
  func receive() -> Message? {
    var bytes = [CChar](repeating: 0, count: 256)
    var descriptors: [Int32] = [-1, -1]
    var count = descriptors.count
    let received = hsb_receive(control, &bytes, bytes.count, &descriptors, &count)
    guard received > 0 else { return nil }
    let content = bytes[1..<received].map { UInt8(bitPattern: $0) }
    let number = content.prefix(4).reversed().reduce(0) {
      $0 << 8 | Int32(truncatingIfNeeded: UInt32($1))
    }
    switch UInt8(bitPattern: bytes[0]) {
    case UInt8(ascii: "D") where count == 2:
      return .folders(work: descriptors[0], tmp: descriptors[1])
    case UInt8(ascii: "F"):
      return .failed(
        step: String(decoding: content.dropFirst(4), as: UTF8.self), errorNumber: number)
    case UInt8(ascii: "B"): return .began
    case UInt8(ascii: "X"): return .refused(errorNumber: number)
    case UInt8(ascii: "E"): return .ended(status: number)
    default:
      for index in 0..<count { close(descriptors[index]) }
      return .failed(step: "understand the launcher", errorNumber: EPROTO)
    }
  }
}
