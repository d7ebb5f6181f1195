import EventLake
import Synchronization

/// Passes operations on to the real file system and breaks at a chosen one.
///
/// Reading operations count too: a crash may come at any of them.
final class FaultyStorage: LakeStorage {
  enum Fault: Sendable {
    /// The operation is not carried out and fails, as does every later one: the process is gone.
    case crashBefore(Int)
    /// Half of the operation's bytes are written (other operations are carried out), then as above.
    case crashAfter(Int)
    /// The operation fails once with this error number, after half of its bytes; later ones work.
    case fail(Int, code: Int32)
    /// Every operation that takes space fails from here on.
    case full(from: Int)
    /// The process is killed by SIGKILL before the operation.
    case kill(Int)
  }

  /// What a crashed storage answers; recognisable by tests.
  static let crash = LakeError.io(operation: "crash", path: "", code: 0)

  private let real = PosixStorage()
  private let fault: Fault?
  private let state = Mutex((count: 0, isCrashed: false))

  init(_ fault: Fault? = nil) { self.fault = fault }

  /// Operations so far.
  var operationCount: Int { state.withLock { $0.count } }

  private enum Decision {
    case proceed
    case half(then: LakeError)
    case fail(LakeError)
    case kill
  }

  private func decide(takesSpace: Bool) -> Decision {
    state.withLock { state in
      let index = state.count
      state.count += 1
      if state.isCrashed { return .fail(Self.crash) }
      switch fault {
      case .crashBefore(index):
        state.isCrashed = true
        return .fail(Self.crash)
      case .crashAfter(index):
        state.isCrashed = true
        return .half(then: Self.crash)
      case .fail(index, let code):
        return .half(then: .io(operation: "injected", path: "", code: code))
      case .full(let first) where takesSpace && index >= first:
        return .half(then: .io(operation: "write", path: "", code: 28))
      case .kill(index): return .kill
      default: return .proceed
      }
    }
  }

  private func perform<Value>(
    takesSpace: Bool = false, _ half: () throws(LakeError) -> Void = {},
    _ whole: () throws(LakeError) -> Value
  ) throws(LakeError) -> Value {
    switch decide(takesSpace: takesSpace) {
    case .proceed: return try whole()
    case .half(let error):
      try half()
      throw error
    case .fail(let error): throw error
    case .kill:
      killThisProcess()
      throw Self.crash
    }
  }

  func restrict(_ layout: LakeLayout) throws(LakeError) {
    try perform { () throws(LakeError) in
      try real.restrict(layout)
    }
  }

  func makeFolder(_ path: String) throws(LakeError) {
    try perform { () throws(LakeError) in
      try real.makeFolder(path)
    } _: { () throws(LakeError) in
      try real.makeFolder(path)
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws(LakeError) {
    let half = UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / 2))
    try perform(takesSpace: true) { () throws(LakeError) in
      try real.write(half, to: path)
    } _: { () throws(LakeError) in
      try real.write(bytes, to: path)
    }
  }

  func append(
    _ bytes: UnsafeRawBufferPointer, to path: String, at offset: Int64
  ) throws(LakeError) {
    let half = UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / 2))
    try perform(takesSpace: !bytes.isEmpty) { () throws(LakeError) in
      try real.append(half, to: path, at: offset)
    } _: { () throws(LakeError) in
      try real.append(bytes, to: path, at: offset)
    }
  }

  func rename(_ path: String, to newPath: String) throws(LakeError) {
    try perform { () throws(LakeError) in
      try real.rename(path, to: newPath)
    } _: { () throws(LakeError) in
      try real.rename(path, to: newPath)
    }
  }

  func remove(_ path: String) throws(LakeError) {
    try perform { () throws(LakeError) in
      try real.remove(path)
    } _: { () throws(LakeError) in
      try real.remove(path)
    }
  }

  func removeFolder(_ path: String) throws(LakeError) {
    try perform { () throws(LakeError) in try real.removeFolder(path) }
  }

  func link(_ path: String, to newPath: String) throws(LakeError) {
    try perform { () throws(LakeError) in
      try real.link(path, to: newPath)
    } _: { () throws(LakeError) in
      try real.link(path, to: newPath)
    }
  }

  func exchange(_ path: String, with other: String) throws(LakeError) {
    try perform { () throws(LakeError) in
      try real.exchange(path, with: other)
    } _: { () throws(LakeError) in
      try real.exchange(path, with: other)
    }
  }

  func syncFolder(_ path: String) throws(LakeError) {
    try perform { () throws(LakeError) in try real.syncFolder(path) }
  }

  func list(_ path: String) throws(LakeError) -> [FolderEntry]? {
    try perform { () throws(LakeError) in try real.list(path) }
  }

  func read(_ path: String, byteCountMax: Int) throws(LakeError) -> [UInt8]? {
    try perform { () throws(LakeError) in try real.read(path, byteCountMax: byteCountMax) }
  }

  func inspect(_ path: String, checksum: Bool) throws(LakeError) -> FileFacts? {
    try perform { () throws(LakeError) in try real.inspect(path, checksum: checksum) }
  }
}
