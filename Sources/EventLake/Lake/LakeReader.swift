import CArrow
package import Domain
import Threads

/// Reads every event of a lake that another process may have open for writing, and what they name.
///
/// Holds no lock and changes nothing: what it finds damaged it reports. The caller reads days in order,
/// and in a day kind by kind; a day and kind that was compacted meanwhile is read again, so that events
/// may come twice.
package final class LakeReader: Sendable {
  package let layout: LakeLayout
  private let storage: any LakeStorage
  private let thread = WorkerThreads<Void>(count: 1, waitingMax: 16)

  package init(directory: String, storage: any LakeStorage = PosixStorage()) {
    layout = LakeLayout(root: directory)
    self.storage = storage
  }

  deinit { thread.stop() }

  /// What the lake's manifest says now.
  ///
  /// - Throws: `.missing` where there is no lake, `.damaged` where files of it are set aside.
  package func state() async throws(LakeError) -> ManifestState {
    try await run { [self] () throws(LakeError) in
      guard try storage.inspect(layout.manifest, checksum: false) != nil else {
        throw .missing(path: layout.root, floor: 0)
      }
      var writer = LakeWriter(layout: layout, storage: storage, options: EncodingOptions())
      try writer.load()
      guard writer.state.damaged.isEmpty else { throw .damaged(writer.state.damaged) }
      return writer.state
    }
  }

  /// Whether the bytes of a file are what was written; false where it was replaced meanwhile.
  package func verify(_ file: LakeFile) async throws(LakeError) -> Bool {
    let path = layout.path(of: file)
    let facts = try await run { [self] () throws(LakeError) in
      try storage.inspect(path, checksum: true)
    }
    guard let facts else { return try await isReplaced(file, .missing) }
    if facts.byteCount != file.byteCount { return try await isReplaced(file, .wrongSize) }
    return facts.checksum == file.checksum ? true : try await isReplaced(file, .wrongChecksum)
  }

  /// False where the manifest has another file by now; else the file is damaged.
  private func isReplaced(
    _ file: LakeFile, _ reason: DamagedFile.Reason
  ) async throws(LakeError) -> Bool {
    guard try await state().contains(file) else { return false }
    throw .damaged([DamagedFile(file: file, reason: reason, quarantinePath: nil)])
  }

  /// The events of a row group of a file, in order; nil after the last one.
  package func events(
    of file: LakeFile, group: Int
  ) async throws(LakeError) -> [StoredEvent]? {
    let path = layout.path(of: file)
    return try await run { () throws(LakeError) in
      var list = carrow_row_list()
      var error = carrow_error()
      guard carrow_rows_of_group_take(path, Int32(clamping: group), &list, &error) == 0 else {
        throw LakeScanner.Failure(error, operation: "read", file: file, path: path).error
      }
      defer { carrow_row_list_free(&list) }
      guard group < Int(list.row_groups) else { return nil }
      var events: [StoredEvent] = []
      events.reserveCapacity(Int(list.count))
      for index in 0..<Int(list.count) {
        guard let row = list.rows?[index], let event = StoredEvent(row, seq: 0) else {
          throw .encoding(detail: "\(path) has a row that is no event")
        }
        events.append(event)
      }
      return events
    }
  }

  private func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws(LakeError) -> Value
  ) async throws(LakeError) -> Value {
    try await thread.perform(body)
  }
}

extension LakeReader: EventBlobs {
  /// A content of 2 MiB at most, and what a file system may add to none.
  private static let blobByteCountMax = 4 << 20

  package func blobs(_ references: [BlobReference]) async throws(StoreError) -> [EventBlob] {
    do throws(LakeError) {
      return try await run { [self] () throws(LakeError) in
        var found: [EventBlob] = []
        for reference in references {
          let path = layout.path(of: reference)
          guard let bytes = try storage.read(path, byteCountMax: Self.blobByteCountMax) else {
            continue
          }
          found.append(
            EventBlob(reference: reference, content: String(decoding: bytes, as: UTF8.self)))
        }
        return found
      }
    } catch {
      throw error.asObstacle
    }
  }
}

/// The lake as the part of the log that has left the database.
extension LakeReader: ArchivedLog {
  package func events(
    at places: [EventPlace], below floor: LogFloor, byteCountMax: Int, for caller: EntityID?
  ) async throws(StoreError) -> [StoredEvent] {
    try await reading(below: floor) { (state, layout) throws(LakeScanner.Failure) in
      var cost = LakeRows.Cost()
      return try LakeRows.events(
        at: places, byteCountMax: byteCountMax, of: state, layout: layout, cost: &cost)
    }
  }

  package func position(
    of eventID: EntityID, below floor: LogFloor
  ) async throws(StoreError) -> Int64? {
    try await reading(below: floor) { (state, layout) throws(LakeScanner.Failure) in
      try LakeRows.position(of: eventID, state: state, layout: layout)
    }
  }

  /// Reads once more where a file was replaced meanwhile.
  private func reading<Value: Sendable>(
    below floor: LogFloor,
    _ body: @escaping @Sendable (ManifestState, LakeLayout) throws(LakeScanner.Failure) -> Value
  ) async throws(StoreError) -> Value {
    do throws(LakeError) {
      for _ in 0..<3 {
        let state = try await state()
        let layout = layout
        let result = try await run { () throws(LakeError) -> Result<Value, LakeScanner.Failure> in
          do throws(LakeScanner.Failure) {
            let event = try LakeRows.event(at: floor.position, of: state, layout: layout)
            if floor.position > 0, event?.id != floor.eventID {
              throw LakeScanner.Failure(error: .otherLog, file: nil, reason: nil)
            }
            return .success(try body(state, layout))
          } catch {
            return .failure(error)
          }
        }
        switch result {
        case .success(let value): return value
        case .failure(let failure):
          guard failure.reason == .missing else { throw failure.error }
        }
      }
      throw .overloaded
    } catch {
      throw error.asObstacle
    }
  }
}
