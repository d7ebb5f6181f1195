/// What can go wrong with the lake.
package enum LakeError: Error, Sendable, Hashable {
  /// The operating system refused an operation; the lake is as it was before.
  case io(operation: String, path: String, code: Int32)
  /// Another process has this lake open for writing.
  case locked(path: String)
  /// The manifest or its journal cannot be trusted; nothing was changed.
  case manifestDamaged(path: String, detail: String)
  /// Files that the period needs are damaged and were set aside; `restore` writes them again.
  case damaged([DamagedFile])
  /// A batch does not follow what was published: an event would be missing for ever.
  case gap(expected: Int64, found: Int64)
  /// An event that no file can hold.
  case invalidEvent(position: Int64, reason: String)
  /// The encoder refused a batch; this is a defect of ours.
  case encoding(detail: String)
  /// More rows or bytes than one operation may handle.
  case tooLarge(detail: String)
  /// The lake's rows are of another log than the one that it is to follow; nothing was changed.
  case otherLog
  /// The lake has events that the log does not have, and the database does not say that it lost any.
  case ahead(published: Int64)
  /// Another caller has made the lake follow the log's history meanwhile; nothing was changed.
  case historyChanged
  /// Events have left the database for a lake, and in this folder there is none: none was begun.
  case missing(path: String, floor: Int64)
  /// Events have left the database that this lake does not have yet: it cannot have them any more.
  case behindFloor(published: Int64, floor: Int64)
  /// These files have events that have left the database: no other copy is known.
  case belowFloor([LakeFile])
  /// `recover` has not succeeded yet.
  case closed
  /// Too many operations wait already; try again later.
  case overloaded
  /// The caller's task was cancelled.
  case cancelled

  /// True where the same call may succeed later without anybody repairing anything by hand.
  package var isRetryable: Bool {
    switch self {
    case .io, .locked, .overloaded, .ahead, .historyChanged: true
    case .manifestDamaged, .damaged, .gap, .invalidEvent, .encoding, .tooLarge, .otherLog,
      .missing, .behindFloor, .belowFloor, .closed, .cancelled:
      false
    }
  }
}

/// A file that was not what the manifest says, and its events' bounds.
package struct DamagedFile: Sendable, Hashable, Codable {
  package enum Reason: String, Sendable, Hashable, Codable {
    case missing
    case wrongSize = "wrong size"
    case wrongChecksum = "wrong checksum"
    case unreadable
  }

  package var file: LakeFile
  package var reason: Reason
  /// Where the bytes went; nil where there were none.
  package var quarantinePath: String?

  package init(file: LakeFile, reason: Reason, quarantinePath: String?) {
    self.file = file
    self.reason = reason
    self.quarantinePath = quarantinePath
  }
}

extension LakeError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .io(let operation, let path, let code):
      "\(operation) \(path): \(systemErrorText(code))"
    case .locked(let path): "the lake \(path) is in use by another process"
    case .manifestDamaged(let path, let detail):
      "\(path) is damaged (\(detail)); move the lake's folder away: it is rebuilt from the log, but "
        + "for events that have left the database (`hito log status`): those need a copy of the lake"
    case .damaged(let files):
      "\(files.count) damaged file(s), first \(files.first?.file.path ?? "")"
    case .gap(let expected, let found): "expected event \(expected), got \(found)"
    case .invalidEvent(let position, let reason): "event \(position): \(reason)"
    case .encoding(let detail): "encoding failed: \(detail)"
    case .tooLarge(let detail): "too large: \(detail)"
    case .otherLog:
      "the lake is of another log: give this server a folder of its own for its lake, or move the "
        + "folder away: it is rebuilt from the log"
    case .ahead(let published):
      "the lake has event \(published), the log does not: the database may be behind another one"
    case .historyChanged: "the lake follows another history of the log since a moment ago"
    case .missing(let path, let floor):
      "there is no lake in \(path), and events up to \(floor) have left the database for one: put its "
        + "folder there, or set `lake-dir` to where it is, and start again. Until then these events, and "
        + "reports about their time, cannot be read here"
    case .behindFloor(let published, let floor):
      "the lake ends at event \(published), and events up to \(floor) have left the database: put a "
        + "newer copy of the lake in its place, and start again. Until then these events, and reports "
        + "about their time, cannot be read here"
    case .belowFloor(let files):
      "\(files.count) damaged file(s) have events that have left the database, first "
        + "\(files.first?.path ?? ""): put a whole copy of each back from a backup of the lake, where it was "
        + "or into the quarantine folder, under its name there"
    case .closed: "the lake is not open"
    case .overloaded: "too many operations on the lake wait already"
    case .cancelled: "cancelled"
    }
  }
}
