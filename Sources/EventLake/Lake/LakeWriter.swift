import Domain

/// The writing side of the lake, on the one thread that owns it.
///
/// A publication goes: intent (journal, durable) → temporary files (durable) → renames → folders
/// (durable) → commit (journal, durable). The commit is the point: a crash before it is undone or,
/// where every file is already in place, completed by `settle`; after it nothing is left to do.
struct LakeWriter {
  let layout: LakeLayout
  let storage: any LakeStorage
  let options: EncodingOptions
  var state = ManifestState()
  /// Numbers the journal; each snapshot starts a new one.
  var generation: Int64 = 0
  /// Where the next record goes: after the last one known to be whole and durable.
  var journalEnd: Int64 = 0
  var isManifestFolderSynced = false
  var isOpen = false
  var lock: LakeLock?

  static let journalByteCountMax: Int64 = 4 << 20

  init(layout: LakeLayout, storage: any LakeStorage, options: EncodingOptions) {
    self.layout = layout
    self.storage = storage
    self.options = options
  }

  /// Publishes the events that are new; durable when it returns.
  mutating func append(_ events: [StoredEvent]) throws(LakeError) {
    try settle()
    let published = state.publishedPosition
    var rest = events.drop { $0.position <= published }
    while !rest.isEmpty {
      let batch = try BatchPlan.nextBatch(of: rest, after: state.publishedPosition)
      try publish(BatchPlan(Array(batch), options: options))
      rest = rest[batch.endIndex...]
    }
    if journalEnd > LakeWriter.journalByteCountMax { try startJournal() }
  }

  mutating func publish(_ plan: BatchPlan) throws(LakeError) {
    try carryOut(plan.intent) { (writer) throws(LakeError) in try writer.write(plan) }
  }

  /// The steps of every publication; `write` makes the files and their names durable.
  mutating func carryOut(
    _ intent: PublishIntent, write: (LakeWriter) throws(LakeError) -> Void
  ) throws(LakeError) {
    do throws(LakeError) {
      try record(.intent(intent))
      try write(self)
      try record(.commit(last: intent.lastPosition))
    } catch {
      // Best effort now; where this fails too, the next call or the next start settles it.
      do throws(LakeError) { try settle() } catch {}
      throw error
    }
    removeReplaced(intent)
  }

  private func write(_ plan: BatchPlan) throws(LakeError) {
    for (file, bytes) in zip(plan.intent.files, plan.encoded) {
      try storage.makeFolder(layout.folder(of: file))
      try bytes.withBytes { (raw) throws(LakeError) in
        try storage.write(raw, to: layout.temporaryPath(of: file))
      }
    }
    for file in plan.intent.files {
      try storage.rename(layout.temporaryPath(of: file), to: layout.path(of: file))
    }
    try syncFolders(of: plan.intent.files)
  }

  func syncFolders(of files: [LakeFile]) throws(LakeError) {
    for folder in Set(files.map { layout.folder(of: $0) }).sorted() {
      try storage.syncFolder(folder)
    }
  }

  /// Ends what a failure or a crash left pending: forward where every file is whole in its place,
  /// back where one is not.
  mutating func settle() throws(LakeError) {
    guard let intent = state.pending else { return }
    if try isComplete(intent) {
      try syncFolders(of: intent.files)
      if let day = intent.exchangedDay { try storage.syncFolder(layout.monthFolder(day)) }
      try record(.commit(last: intent.lastPosition))
      removeReplaced(intent)
      return
    }
    if let day = intent.exchangedDay {
      // Names of merged files are in the hidden folder only: the day itself is as it was.
      try storage.removeFolder(layout.temporaryDayFolder(day))
      return try record(.abort)
    }
    for file in intent.files {
      try storage.remove(layout.temporaryPath(of: file))
      // A file that is replaced under its own name is not ours to remove.
      if !state.containsPath(of: file) { try storage.remove(layout.path(of: file)) }
    }
    // A folder that was never made has no names to make durable.
    var touched: [LakeFile] = []
    for file in intent.files where try storage.list(layout.folder(of: file)) != nil {
      touched.append(file)
    }
    try syncFolders(of: touched)
    try record(.abort)
  }

  private func isComplete(_ intent: PublishIntent) throws(LakeError) -> Bool {
    // A day of which nothing stays has no new file to tell.
    if intent.files.isEmpty {
      for file in intent.replaced
      where try storage.inspect(layout.path(of: file), checksum: false) != nil { return false }
    }
    for file in intent.files {
      let facts = try storage.inspect(layout.path(of: file), checksum: true)
      guard facts == FileFacts(byteCount: file.byteCount, checksum: file.checksum) else {
        return false
      }
    }
    return true
  }

  /// Replaced files are out of the manifest: what stays of them now is swept at the next start.
  private func removeReplaced(_ intent: PublishIntent) {
    if let day = intent.exchangedDay {
      let old = layout.temporaryDayFolder(day)
      do throws(LakeError) { try storage.removeFolder(old) } catch {}
      return
    }
    let kept = Set(intent.files.map(\.path))
    for file in intent.replaced where !kept.contains(file.path) {
      do throws(LakeError) { try storage.remove(layout.path(of: file)) } catch {}
    }
  }

  /// Appends to the journal and moves the state; on failure the state is as before, and what may be
  /// on disk after `journalEnd` is cut by the next record.
  mutating func record(_ record: ManifestRecord) throws(LakeError) {
    let line = try JournalCoding.line(record)
    if let problem = state.problem(with: record) { throw .encoding(detail: problem) }
    try syncManifestFolder()
    let (path, offset) = (layout.journal(generation: generation), journalEnd)
    do throws(LakeError) {
      try line.withLakeBytes { (raw) throws(LakeError) in
        try storage.append(raw, to: path, at: offset)
      }
    } catch {
      do throws(LakeError) { try cutJournal() } catch {}
      throw error
    }
    journalEnd += Int64(line.count)
    state.apply(record)
  }

  /// A record that failed may be on disk all the same: it must not be found by a later start.
  private func cutJournal() throws(LakeError) {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    try storage.append(nothing, to: layout.journal(generation: generation), at: journalEnd)
  }

  /// Writes the state as a snapshot and continues in an empty journal.
  mutating func startJournal() throws(LakeError) {
    guard let snapshot = state.snapshot(generation: generation + 1) else { return }
    let bytes = try JournalCoding.framed(snapshot)
    let (old, new) = (
      layout.journal(generation: generation), layout.journal(generation: generation + 1)
    )
    let temporary = "\(layout.manifestFolder)/.manifest.json.tmp"
    try [UInt8]().withLakeBytes { (raw) throws(LakeError) in try storage.write(raw, to: new) }
    try bytes.withLakeBytes { (raw) throws(LakeError) in try storage.write(raw, to: temporary) }
    isManifestFolderSynced = false
    try storage.rename(temporary, to: layout.manifest)
    // From here on a new start reads the snapshot, so this one must continue after it too.
    generation += 1
    journalEnd = 0
    try syncManifestFolder()
    try storage.remove(old)
  }

  /// No record may rest on a snapshot whose name is not durable yet.
  private mutating func syncManifestFolder() throws(LakeError) {
    guard !isManifestFolderSynced else { return }
    try storage.syncFolder(layout.manifestFolder)
    isManifestFolderSynced = true
  }
}

extension Array where Element == UInt8 {
  /// `withUnsafeBytes` with typed errors.
  func withLakeBytes<Value>(
    _ body: (UnsafeRawBufferPointer) throws(LakeError) -> Value
  ) throws(LakeError) -> Value {
    let result: Result<Value, LakeError> = withUnsafeBytes { raw in
      do throws(LakeError) { return .success(try body(raw)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
