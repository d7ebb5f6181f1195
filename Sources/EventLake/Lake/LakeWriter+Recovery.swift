import Domain

/// What a start found and did.
package struct RecoveryReport: Sendable, Hashable, CustomStringConvertible {
  package var publishedPosition: Int64 = 0
  package var fileCount = 0
  /// A publication that a crash left half done, and how it ended.
  package var settled: Settlement?
  /// Temporary and unknown files that were removed, relative to `events/`.
  package var removed: [String] = []
  /// Files under `events/` that this lake did not make: left alone, but readers see them.
  package var foreign: [String] = []
  /// Every file that is set aside and not restored yet, also from earlier starts.
  package var damaged: [DamagedFile] = []

  package init() {}

  /// For the log: what is not as it always is comes with its names, of which the first few will do.
  package var description: String {
    var parts = ["\(fileCount) files, events up to \(publishedPosition)"]
    switch settled {
    case .completed: parts.append("a publication that was cut off was completed")
    case .undone: parts.append("a publication that was cut off was undone")
    case nil: break
    }
    for (what, names) in [
      ("removed", removed), ("not the lake's own", foreign),
      ("damaged and set aside", damaged.map { "\($0.file.path): \($0.reason.rawValue)" }),
    ] where !names.isEmpty {
      parts.append(
        "\(names.count) \(what) (\(names.prefix(3).joined(separator: ", "))"
          + (names.count > 3 ? ", …)" : ")"))
    }
    return parts.joined(separator: "; ")
  }

  package enum Settlement: String, Sendable, Hashable {
    case completed
    case undone
  }
}

/// How much of each published file a start reads.
package enum Verification: String, Sendable, Hashable {
  /// Presence and size.
  case sizes
  /// Every byte, against the manifest's checksum.
  case checksums
}

extension LakeWriter {
  /// Opens the lake: reads the manifest, ends what was pending, sweeps what nobody knows, and sets
  /// damaged files aside. Called again, it does the same again.
  ///
  /// - Parameter floor: what must be there is looked for before anything is made.
  mutating func recover(
    verify: Verification, below floor: LogFloor = .none
  ) throws(LakeError) -> RecoveryReport {
    isOpen = false
    if floor.position > 0, try storage.inspect(layout.manifest, checksum: false) == nil {
      throw .missing(path: layout.root, floor: floor.position)
    }
    try storage.makeFolder(layout.manifestFolder)
    try storage.makeFolder(layout.events)
    if lock == nil { lock = try LakeLock(path: layout.lock) }
    try storage.restrict(layout)
    try load()
    var report = RecoveryReport()
    if let intent = state.pending {
      let before = state.publishedPosition
      try settle()
      let isCompleted =
        state.publishedPosition != before
        || intent.files.allSatisfy { state.contains($0) }
      report.settled = isCompleted ? .completed : .undone
    }
    try sweepManifestFolder()
    try reinstate()
    try sweep("", depth: 0, known: Set(state.files.map(\.path)), into: &report)
    try verifyFiles(verify)
    // Each start begins with a short journal, so that the next one reads little.
    let isNamed = state.lakeID != nil
    if !isNamed { state.lakeID = .random() }
    if journalEnd > 0 || generation == 0 || !isNamed { try startJournal() }
    report.publishedPosition = state.publishedPosition
    report.fileCount = state.fileCount
    report.damaged = state.damaged
    isOpen = true
    return report
  }

  /// Takes damaged files back whose bytes are right again: where they were, or in the quarantine.
  /// Others that are found where they were go into the quarantine: they may be all there is.
  mutating func reinstate() throws(LakeError) {
    try settle()
    for entry in state.damaged {
      let file = entry.file
      let (path, aside) = (layout.path(of: file), layout.quarantinePath(of: file))
      if try !isWhole(file, at: path) {
        let isThere = try storage.inspect(path, checksum: false) != nil
        guard try isWhole(file, at: aside) else {
          if isThere { try setAside(path, at: aside) }
          continue
        }
        try storage.makeFolder(layout.folder(of: file))
        if isThere { try storage.remove(path) }
        // The quarantine keeps its copy until the manifest knows the file again.
        try storage.link(aside, to: path)
        try storage.syncFolder(layout.folder(of: file))
      }
      let cursor = state.publishedPosition
      try record(
        .intent(
          PublishIntent(firstPosition: cursor, lastPosition: cursor, files: [file], replaced: [])))
      try record(.commit(last: cursor))
      if try isWhole(file, at: aside) { try storage.remove(aside) }
    }
  }

  private func setAside(_ path: String, at aside: String) throws(LakeError) {
    try storage.makeFolder(layout.quarantine)
    let isTaken = try storage.inspect(aside, checksum: false) != nil
    try storage.rename(path, to: isTaken ? "\(aside).found" : aside)
    try storage.syncFolder(layout.quarantine)
  }

  private func isWhole(_ file: LakeFile, at path: String) throws(LakeError) -> Bool {
    do throws(LakeError) {
      guard try storage.inspect(path, checksum: false)?.byteCount == file.byteCount else {
        return false
      }
      return try storage.inspect(path, checksum: true)?.checksum == file.checksum
    } catch .io(operation: "read", _, _) {
      return false
    }
  }

  /// Reads every byte of a published file again; one that is not what was written is set aside.
  mutating func verify(_ file: LakeFile) throws(LakeError) {
    guard state.contains(file) else { throw .historyChanged }
    guard let reason = try problem(of: file, .checksums) else { return }
    try quarantine(file, reason: reason)
    throw .damaged(state.damaged.filter { $0.file == file })
  }

  mutating func load() throws(LakeError) {
    state = ManifestState()
    generation = 0
    let byteCountMax = 1 << 30
    if let bytes = try storage.read(layout.manifest, byteCountMax: byteCountMax) {
      let content = JournalCoding.content(ManifestSnapshot.self, of: bytes.dropLast())
      guard case .value(let snapshot) = content, snapshot.format == 1 else {
        let isWhole = if case .torn = content { false } else { true }
        throw .manifestDamaged(
          path: layout.manifest, detail: isWhole ? JournalCoding.unknownDetail : "checksum")
      }
      state = ManifestState(snapshot)
      generation = snapshot.generation
    }
    let path = layout.journal(generation: generation)
    let bytes = try storage.read(path, byteCountMax: byteCountMax) ?? []
    let (records, end) = try JournalCoding.records(of: bytes, path: path)
    for record in records {
      if let problem = state.problem(with: record) {
        throw .manifestDamaged(path: path, detail: problem)
      }
      state.apply(record)
    }
    journalEnd = end
  }

  private func sweepManifestFolder() throws(LakeError) {
    let journal = layout.journal(generation: generation)
    for entry in try storage.list(layout.manifestFolder) ?? [] {
      let path = "\(layout.manifestFolder)/\(entry.name)"
      let isOldJournal = entry.name.hasPrefix("journal-") && path != journal
      if isOldJournal || LakeLayout.isTemporary(name: entry.name) { try storage.remove(path) }
    }
  }

  /// Removes temporary files and published ones that the manifest does not know.
  private func sweep(
    _ folder: String, depth: Int, known: Set<String>, into report: inout RecoveryReport
  ) throws(LakeError) {
    // year, month, day: nothing of ours lies deeper.
    guard depth <= 3 else { return }
    var isChanged = false
    let path = folder.isEmpty ? layout.events : "\(layout.events)/\(folder)"
    for entry in try storage.list(path) ?? [] {
      let name = folder.isEmpty ? entry.name : "\(folder)/\(entry.name)"
      if entry.isFolder, LakeLayout.isTemporary(name: entry.name) {
        // What is left of an exchanged day, after its publication was settled.
        try storage.removeFolder("\(layout.events)/\(name)")
        report.removed.append(name)
        isChanged = true
      } else if entry.isFolder {
        try sweep(name, depth: depth + 1, known: known, into: &report)
      } else if LakeLayout.isTemporary(name: entry.name)
        || (LakeLayout.isPublished(name: entry.name) && !known.contains(name))
      {
        try storage.remove("\(layout.events)/\(name)")
        report.removed.append(name)
        isChanged = true
      } else if !known.contains(name) {
        report.foreign.append(name)
      }
    }
    if isChanged { try storage.syncFolder(path) }
  }

  private mutating func verifyFiles(_ verification: Verification) throws(LakeError) {
    for file in state.files {
      if let reason = try problem(of: file, verification) {
        try quarantine(file, reason: reason)
      }
    }
  }

  private func problem(
    of file: LakeFile, _ verification: Verification
  ) throws(LakeError) -> DamagedFile.Reason? {
    let wantsChecksum = verification == .checksums
    let facts: FileFacts?
    do throws(LakeError) {
      facts = try storage.inspect(layout.path(of: file), checksum: wantsChecksum)
    } catch .io(operation: "read", _, _) {
      return .unreadable
    }
    guard let facts else { return .missing }
    guard facts.byteCount == file.byteCount else { return .wrongSize }
    return wantsChecksum && facts.checksum != file.checksum ? .wrongChecksum : nil
  }

  /// Sets a file aside: out of readers' sight, its bytes kept, its events known to be missing.
  mutating func quarantine(
    _ file: LakeFile, reason: DamagedFile.Reason
  ) throws(LakeError) {
    guard state.contains(file) else { return }
    var movedTo: String?
    if try storage.inspect(layout.path(of: file), checksum: false) != nil {
      try storage.makeFolder(layout.quarantine)
      movedTo = layout.quarantinePath(of: file)
    }
    // Recorded first: a crash in between leaves a file that is swept, never one that is read.
    try record(
      .quarantine(DamagedFile(file: file, reason: reason, quarantinePath: movedTo)))
    guard let movedTo else { return }
    try storage.rename(layout.path(of: file), to: movedTo)
    try storage.syncFolder(layout.quarantine)
    try storage.syncFolder(layout.folder(of: file))
  }
}
