import Digits
package import Domain

/// A published file as the manifest knows it.
package struct LakeFile: Sendable, Hashable, Codable {
  package var kind: EventKind
  /// Days since 1970-01-01 (UTC) of every event in it.
  package var dayNumber: Int64
  /// The lowest and highest position in it; with the kind this is the name.
  package var firstPosition: Int64
  package var lastPosition: Int64
  package var rowCount: Int64
  package var byteCount: Int64
  /// CRC-32C of the whole file.
  package var checksum: UInt32

  package init(
    kind: EventKind, dayNumber: Int64, firstPosition: Int64, lastPosition: Int64,
    rowCount: Int64, byteCount: Int64, checksum: UInt32
  ) {
    self.kind = kind
    self.dayNumber = dayNumber
    self.firstPosition = firstPosition
    self.lastPosition = lastPosition
    self.rowCount = rowCount
    self.byteCount = byteCount
    self.checksum = checksum
  }

  package var name: String {
    "\(kind.rawValue)_events-\(Digits.decimal(firstPosition, width: 12))-\(Digits.decimal(lastPosition, width: 12)).parquet"
  }

  /// True for the events of the log that belong into this file.
  package func holds(_ event: StoredEvent) -> Bool {
    event.position >= firstPosition && event.position <= lastPosition
      && EventKind(eventType: event.type) == kind
      && CivilTime(event.createdAt).dayNumber == dayNumber
  }

  /// The day's folder, relative to `events/`.
  package var folder: String { LakeLayout.folder(ofDay: dayNumber) }

  /// Relative to `events/`.
  package var path: String { "\(folder)/\(name)" }
}

/// Where things lie under the lake's folder.
package struct LakeLayout: Sendable, Hashable {
  package let root: String

  package init(root: String) {
    self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
  }

  /// What readers of design-notes.md open.
  package var events: String { "\(root)/events" }
  /// Manifest, journal and lock: never under `events/`, where they would be read as data.
  package var manifestFolder: String { "\(root)/manifest" }
  package var manifest: String { "\(manifestFolder)/manifest.json" }
  package var lock: String { "\(manifestFolder)/lock" }
  package var quarantine: String { "\(root)/quarantine" }

  func journal(generation: Int64) -> String {
    "\(manifestFolder)/journal-\(Digits.decimal(generation, width: 8)).log"
  }

  package func path(of file: LakeFile) -> String { "\(events)/\(file.path)" }
  /// Where a damaged file is set aside.
  package func quarantinePath(of file: LakeFile) -> String {
    "\(quarantine)/\(file.path.split(separator: "/").joined(separator: "_"))"
  }

  func folder(of file: LakeFile) -> String { "\(events)/\(file.folder)" }

  func dayFolder(_ dayNumber: Int64) -> String {
    "\(events)/\(LakeLayout.folder(ofDay: dayNumber))"
  }

  func monthFolder(_ dayNumber: Int64) -> String {
    String(dayFolder(dayNumber).dropLast("/day=DD".count))
  }

  /// Where a new day is built, and where the old one is after the exchange.
  func temporaryDayFolder(_ dayNumber: Int64) -> String {
    let day = dayFolder(dayNumber).suffix("day=DD".count)
    return "\(monthFolder(dayNumber))/.\(day).tmp"
  }

  /// Hidden and without the data suffix: pyarrow, DuckDB and polars pass it over.
  func temporaryPath(of file: LakeFile) -> String {
    "\(events)/\(file.folder)/.\(file.name).tmp"
  }

  static func folder(ofDay dayNumber: Int64) -> String {
    let start = dayNumber.multipliedReportingOverflow(by: microsecondsPerDay).partialValue
    let civil = CivilTime(Timestamp(microsecondsSinceEpoch: start))
    return
      "year=\(Digits.decimal(civil.year, width: 4))/month=\(Digits.decimal(civil.month, width: 2))"
      + "/day=\(Digits.decimal(civil.day, width: 2))"
  }

  static func isTemporary(name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(".tmp") }

  /// True for names that only this lake gives: others in the folder are left alone.
  package static func isPublished(name: String) -> Bool {
    guard name.hasSuffix(".parquet") else { return false }
    let parts = name.dropLast(".parquet".count).split(
      separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].hasSuffix("_events") else { return false }
    return EventKind(rawValue: String(parts[0].dropLast("_events".count))) != nil
      && parts.dropFirst().allSatisfy { $0.count >= 12 && $0.utf8.allSatisfy(isDigit) }
  }
}

let microsecondsPerDay: Int64 = 86_400_000_000

private func isDigit(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
}
