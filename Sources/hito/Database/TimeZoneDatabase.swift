import Domain
import Foundation

/// The time zone database of this machine: its names, read once.
///
/// No name of anybody's becomes a path: what the folder holds is listed, and names are looked up in the list.
struct TimeZoneDatabase: Sendable {
  /// The system's, in the order in which they are looked for.
  static let systemFolders = [
    "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo",
  ]
  private static let index = "tzdata.zi"
  private static let byteCountMax = 4 << 20
  private static let fileCountMax = 20_000
  private static let nameByteCountMax = UserLimits.timeZone
  /// Copies of all zones under other rules, and files that are no zones.
  private static let foreign: Set<String> = [
    "posix", "right", "Factory", "localtime", "posixrules",
  ]

  let names: TimeZoneNames
  /// Where they were read; nil: nowhere.
  let folder: String?

  /// The first of `folders` that has a time zone.
  init(folders: [String]) {
    for folder in folders {
      let found = Self.indexed(folder) ?? Self.listed(folder)
      if !found.isEmpty {
        (names, self.folder) = (TimeZoneNames(found), folder)
        return
      }
    }
    (names, folder) = (.utcOnly, nil)
  }

  /// By the index, where the folder has one: `Z` lines are zones, `L` lines other names of them.
  private static func indexed(_ folder: String) -> [String]? {
    guard let text = InputFile.text("\(folder)/\(index)", byteCountMax: byteCountMax) else {
      return nil
    }
    let names = text.split(separator: "\n").compactMap { line -> String? in
      let words = line.split(separator: " ")
      let name: Substring? =
        switch words.first {
        case "Z" where words.count > 1: words[1]
        case "L" where words.count > 2: words[2]
        default: nil
        }
      return name.map(String.init).flatMap { isName($0) ? $0 : nil }
    }
    return names.isEmpty ? nil : names
  }

  /// By the files, as PostgreSQL's own copy has them.
  private static func listed(_ folder: String) -> [String] {
    let root = URL(filePath: folder, directoryHint: .isDirectory).resolvingSymlinksInPath()
    guard let walk = FileManager.default.enumerator(atPath: root.path) else { return [] }
    var names: [String] = []
    var count = 0
    while let name = walk.nextObject() as? String, count < fileCountMax {
      count += 1
      if foreign.contains(name) { walk.skipDescendants() }
      if isName(name), isZone("\(root.path)/\(name)") { names.append(name) }
    }
    return names
  }

  private static func isName(_ name: String) -> Bool {
    name.utf8.count <= nameByteCountMax && !foreign.contains(name)
      && name.utf8.allSatisfy {
        $0 > UInt8(ascii: " ") && $0 < 0x7f && $0 != UInt8(ascii: ".")
      }
  }

  /// Whether a file begins as compiled zones do (RFC 9636).
  private static func isZone(_ path: String) -> Bool {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return false }
    defer { close(file) }
    var start: [UInt8] = [0, 0, 0, 0]
    return read(file, &start, 4) == 4 && start == Array("TZif".utf8)
  }
}

extension Settings {
  /// The system's time zones, else those that come with the embedded PostgreSQL.
  var timeZones: TimeZoneDatabase {
    TimeZoneDatabase(
      folders: TimeZoneDatabase.systemFolders + postgresCandidates.map { "\($0)/share/timezone" })
  }
}
