package import Domain

/// What the manifest says: a value that journal records move forward.
///
/// ```
///   settled --intent--> pending --commit | abort--> settled
/// ```
/// `quarantine` may come in either. Any other order is a damaged journal.
///
/// Files are kept by day: a copy that a scan holds then shares all days but the one that changes.
package struct ManifestState: Sendable, Hashable {
  /// Every event up to here is in a published file, or was in one that is now set aside.
  package private(set) var publishedPosition: Int64 = 0
  package private(set) var pending: PublishIntent?
  /// The log's history that the events are of; nil where it was never recorded.
  package private(set) var history: LogHistory?
  /// Tells this lake from others; nil for one of a version that did not.
  package internal(set) var lakeID: EntityID?
  private var days: [Int64: [String: LakeFile]] = [:]
  private var damagedByPath: [String: DamagedFile] = [:]

  package init() {}

  /// Why the record cannot follow; nil where it can.
  package func problem(with record: ManifestRecord) -> String? {
    switch record {
    case .intent(let intent):
      if pending != nil { return "intent after intent" }
      return intent.lastPosition < publishedPosition ? "intent goes backwards" : nil
    case .commit(let last):
      return pending?.lastPosition == last ? nil : "commit without its intent"
    case .abort:
      return pending == nil ? "abort without intent" : nil
    case .quarantine(let damaged):
      return contains(damaged.file) ? nil : "quarantine of unknown \(damaged.file.path)"
    case .history(_, let last):
      if pending != nil { return "history within a publication" }
      if last > publishedPosition { return "history goes forwards" }
      let isCut = (files + damaged.map(\.file)).allSatisfy { $0.lastPosition <= last }
      return isCut || last == publishedPosition ? nil : "history before its files are cut"
    }
  }

  /// Moves the state forward; a record that cannot follow changes nothing.
  package mutating func apply(_ record: ManifestRecord) {
    guard problem(with: record) == nil else { return }
    switch record {
    case .intent(let intent): pending = intent
    case .commit(let last):
      for file in pending?.replaced ?? [] { remove(file) }
      for file in pending?.files ?? [] {
        days[file.dayNumber, default: [:]][file.path] = file
        damagedByPath[file.path] = nil
      }
      publishedPosition = last
      pending = nil
    case .abort: pending = nil
    case .quarantine(let damaged):
      remove(damaged.file)
      damagedByPath[damaged.file.path] = damaged
    case .history(let history, let last):
      self.history = history
      publishedPosition = last
    }
  }

  private mutating func remove(_ file: LakeFile) {
    days[file.dayNumber]?[file.path] = nil
    if days[file.dayNumber]?.isEmpty == true { days[file.dayNumber] = nil }
    damagedByPath[file.path] = nil
  }

  package func contains(_ file: LakeFile) -> Bool {
    days[file.dayNumber]?[file.path] == file
  }

  package func containsPath(of file: LakeFile) -> Bool {
    days[file.dayNumber]?[file.path] != nil
  }

  package var fileCount: Int { days.values.reduce(0) { $0 + $1.count } }

  /// Days that have files, in order.
  package var dayNumbers: [Int64] { days.keys.sorted() }

  /// Every published file, in the order of days and positions.
  package var files: [LakeFile] { dayNumbers.flatMap { files(ofDay: $0) } }

  package func files(ofDay dayNumber: Int64) -> [LakeFile] {
    (days[dayNumber]?.values).map {
      $0.sorted { ($0.firstPosition, $0.path) < ($1.firstPosition, $1.path) }
    } ?? []
  }

  /// The files that may hold events of the days, in the order of days and positions.
  package func files(fromDay first: Int64, throughDay last: Int64) -> [LakeFile] {
    dayNumbers.filter { $0 >= first && $0 <= last }.flatMap { files(ofDay: $0) }
  }

  /// Files set aside and not restored yet.
  package var damaged: [DamagedFile] {
    damagedByPath.values.sorted { $0.file.path < $1.file.path }
  }

  package func damaged(fromDay first: Int64, throughDay last: Int64) -> [DamagedFile] {
    damaged.filter { $0.file.dayNumber >= first && $0.file.dayNumber <= last }
  }
}

/// The state at the start of a journal.
struct ManifestSnapshot: Codable {
  var format = 1
  /// The number of the journal that continues it.
  var generation: Int64
  var publishedPosition: Int64
  var files: [LakeFile]
  var damaged: [DamagedFile]
  /// Not in those of earlier versions, which pass both over.
  var history: LogHistory?
  var lakeID: String?
}

extension ManifestState {
  init(_ snapshot: ManifestSnapshot) {
    publishedPosition = snapshot.publishedPosition
    history = snapshot.history
    lakeID = snapshot.lakeID.flatMap { EntityID($0) }
    for file in snapshot.files { days[file.dayNumber, default: [:]][file.path] = file }
    damagedByPath = Dictionary(snapshot.damaged.map { ($0.file.path, $0) }) { $1 }
  }

  /// nil while a publication is pending: a snapshot holds settled states only.
  func snapshot(generation: Int64) -> ManifestSnapshot? {
    guard pending == nil else { return nil }
    return ManifestSnapshot(
      generation: generation, publishedPosition: publishedPosition, files: files,
      damaged: damaged, history: history, lakeID: lakeID?.description)
  }
}
