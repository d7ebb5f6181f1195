import Foundation
import Testing

@testable import hito

@Suite("The time zone database of a machine")
struct TimeZoneDatabaseTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try FileManager.default.createDirectory(
      atPath: folder + "/Europe", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test("is read from its index")
  func index() throws {
    try withFolder { folder in
      try
        "# version x\nR d 1916 o\nZ Europe/Madrid -0:14:44 - LMT\nL Europe/Madrid Spain/Main\nZ ../up 0\nL x\n"
        .write(toFile: folder + "/tzdata.zi", atomically: true, encoding: .utf8)
      let zones = TimeZoneDatabase(folders: ["/nowhere", folder])
      #expect(zones.names.sorted == ["Europe/Madrid", "Spain/Main", "UTC"])
      #expect(zones.folder == folder)
    }
  }

  @Test("is listed where it has no index, by what its files are")
  func listing() throws {
    try withFolder { folder in
      for (name, text) in [
        ("Europe/Madrid", "TZif2"), ("posixrules", "TZif2"), ("zone.tab", "TZif2"),
        ("README", "read"),
      ] {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
      }
      #expect(TimeZoneDatabase(folders: [folder]).names.sorted == ["Europe/Madrid", "UTC"])
    }
  }

  @Test("may be nowhere")
  func nowhere() throws {
    try withFolder { folder in
      let zones = TimeZoneDatabase(folders: [folder, "/nowhere"])
      #expect(zones.folder == nil && zones.names.isEmpty)
    }
  }

  @Test("of the system has what people live in, and nothing that looks like it")
  func system() {
    let names = TimeZoneDatabase(folders: TimeZoneDatabase.systemFolders).names
    guard !names.isEmpty else { return }
    for name in ["Europe/Madrid", "America/Argentina/Buenos_Aires", "UTC"] {
      #expect(names.contains(name), "\(name)")
    }
    for name in ["Mars/Base", "UTC+2", "posix/UTC", "tzdata.zi"] { #expect(!names.contains(name)) }
  }
}
