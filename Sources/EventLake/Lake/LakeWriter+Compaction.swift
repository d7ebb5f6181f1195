import CArrow

/// What a compaction did.
package struct CompactionReport: Sendable, Hashable {
  package var dayCount = 0
  package var filesBefore = 0
  package var filesAfter = 0
  /// Days that were left as they are, and why.
  package var skipped: [Int64: String] = [:]

  package init() {}
}

/// Closed days become one file a kind, with a learner's rows together.
///
/// The new day is built in a hidden folder beside the old one, and the two change places in one
/// step, so that whoever reads the folder sees all of the one or all of the other. The steps are
/// those of a publication: intent, durable folder, exchange, commit.
extension LakeWriter {
  /// Merged in memory: the compressed bytes of one kind and day, and the rows they become.
  static let mergeByteCountMax: Int64 = 256 << 20
  static let mergeMemoryMax: Int64 = 2 << 30

  /// Compacts every day before `dayNumber` that has more than one file of a kind.
  mutating func compact(
    before dayNumber: Int64, isCancelled: () -> Bool
  ) throws(LakeError) -> CompactionReport {
    try settle()
    var report = CompactionReport()
    for day in state.dayNumbers where day < dayNumber {
      if isCancelled() { throw .cancelled }
      let files = state.files(ofDay: day)
      let groups = Dictionary(grouping: files, by: \.kind).values.filter { $0.count > 1 }
      guard !groups.isEmpty else { continue }
      if let reason = try obstacle(day, groups) {
        report.skipped[day] = reason
        continue
      }
      try compact(day, groups.sorted { $0[0].kind.rawValue < $1[0].kind.rawValue })
      report.dayCount += 1
      report.filesBefore += files.count
      report.filesAfter += state.files(ofDay: day).count
    }
    return report
  }

  private func obstacle(_ day: Int64, _ groups: [[LakeFile]]) throws(LakeError) -> String? {
    // A restored file has to hold every event of its bounds: those of a merged one would be too wide.
    if !state.damaged(fromDay: day, throughDay: day).isEmpty { return "a file is damaged" }
    for group in groups where group.reduce(0, { $0 + $1.byteCount }) > LakeWriter.mergeByteCountMax
    {
      return "\(group[0].kind.rawValue) events are too many for one merge"
    }
    let entries = try storage.list("\(layout.events)/\(LakeLayout.folder(ofDay: day))") ?? []
    return entries.contains { $0.isFolder } ? "there is a folder of another program" : nil
  }

  private mutating func compact(_ day: Int64, _ groups: [[LakeFile]]) throws(LakeError) {
    var merged: [LakeFile] = []
    var encoded: [EncodedFile] = []
    for group in groups {
      let (file, bytes) = try merge(group)
      merged.append(file)
      encoded.append(bytes)
    }
    let cursor = state.publishedPosition
    let intent = PublishIntent(
      firstPosition: cursor, lastPosition: cursor, files: merged, replaced: groups.flatMap { $0 },
      exchangedDay: day)
    try carryOut(intent) { (writer) throws(LakeError) in
      try writer.buildDay(intent, encoded)
      try writer.storage.exchange(
        writer.layout.dayFolder(day), with: writer.layout.temporaryDayFolder(day))
      try writer.storage.syncFolder(writer.layout.monthFolder(day))
    }
  }

  /// The hidden folder: merged files, and links to all files that stay.
  func buildDay(
    _ intent: PublishIntent, _ encoded: [EncodedFile]
  ) throws(LakeError) {
    guard let day = intent.exchangedDay else { return }
    let (folder, built) = (layout.dayFolder(day), layout.temporaryDayFolder(day))
    try storage.removeFolder(built)
    try storage.makeFolder(built)
    let replaced = Set(intent.replaced.map(\.name))
    for entry in try storage.list(folder) ?? [] where !replaced.contains(entry.name) {
      guard !LakeLayout.isTemporary(name: entry.name) else { continue }
      try storage.link("\(folder)/\(entry.name)", to: "\(built)/\(entry.name)")
    }
    for (file, bytes) in zip(intent.files, encoded) {
      try bytes.withBytes { (raw) throws(LakeError) in
        try storage.write(raw, to: "\(built)/\(file.name)")
      }
    }
    try storage.syncFolder(built)
  }

  private func merge(_ group: [LakeFile]) throws(LakeError) -> (LakeFile, EncodedFile) {
    var out: OpaquePointer?
    var rowCount: Int64 = 0
    var error = carrow_error()
    let status = LakeWriter.withCStrings(group.map { layout.path(of: $0) }) { paths in
      var raw = options.raw
      return carrow_merge_take(
        paths.baseAddress, Int32(paths.count), LakeWriter.mergeMemoryMax, &raw, &out, &rowCount,
        &error)
    }
    guard status == 0, let out else {
      throw LakeError(error, operation: "merge", path: group.first?.path ?? "")
    }
    let bytes = EncodedFile(taking: out)
    let expected = group.reduce(0) { $0 + $1.rowCount }
    guard rowCount == expected, let first = group.first else {
      throw .encoding(detail: "\(rowCount) rows after merging \(expected)")
    }
    let file = LakeFile(
      kind: first.kind, dayNumber: first.dayNumber,
      firstPosition: group.reduce(first.firstPosition) { min($0, $1.firstPosition) },
      lastPosition: group.reduce(first.lastPosition) { max($0, $1.lastPosition) },
      rowCount: rowCount, byteCount: bytes.byteCount, checksum: bytes.checksum)
    return (file, bytes)
  }

  private static func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result
  ) -> Result {
    // One block of text, so that all pointers live as long as the call.
    var bytes: [CChar] = []
    var offsets: [Int] = []
    for text in texts {
      offsets.append(bytes.count)
      bytes += text.utf8CString
    }
    return bytes.withUnsafeBufferPointer { block in
      let pointers = offsets.map { offset in block.baseAddress.map { $0 + offset } }
      return pointers.withUnsafeBufferPointer(body)
    }
  }
}
