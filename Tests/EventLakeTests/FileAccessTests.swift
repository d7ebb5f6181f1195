import Foundation
import Testing

@testable import EventLake

@Suite("Access to the lake's files", .serialized)
struct FileAccessTests {
  /// The group that a test gives files to: as root one that we are not in.
  private static let group: UInt32 = geteuid() == 0 ? 1 : getegid()

  private static func facts(_ path: String) throws -> stat {
    var facts = stat()
    try #require(lstat(path, &facts) == 0, "\(path)")
    return facts
  }

  /// The lake's folder and everything below it.
  private static func paths(_ root: String) throws -> [String] {
    [root] + (try FileManager.default.subpathsOfDirectory(atPath: root)).map { "\(root)/\($0)" }
  }

  /// Every folder has mode 0750 and every file 0640, but for the lock.
  private static func expectClosed(_ root: String, group: UInt32? = nil) throws {
    let all = try paths(root)
    #expect(all.contains { $0.hasSuffix(".parquet") })
    for path in all {
      let facts = try facts(path)
      let isFolder = facts.st_mode & S_IFMT == S_IFDIR
      let expected: mode_t = path.hasSuffix("/lock") ? 0o600 : isFolder ? 0o750 : 0o640
      let mode = facts.st_mode & 0o7777
      #expect(mode == expected, "\(path) has mode \(String(mode, radix: 8))")
      if let group, !path.hasSuffix("/lock") { #expect(facts.st_gid == group, "\(path)") }
    }
  }

  private static func open(_ root: String, group: UInt32? = nil) async throws -> ParquetEventLake {
    let lake = ParquetEventLake(directory: root, storage: PosixStorage(readingGroup: group))
    try await lake.recover()
    return lake
  }

  private static func fill(_ lake: ParquetEventLake, _ range: ClosedRange<Int64>) async throws {
    try await lake.append(range.map { Fixtures.event($0) })
  }

  @Test("is its user's and its group's")
  func fresh() async throws {
    let folder = try TemporaryFolder()
    let root = "\(folder.path)/lake"
    let lake = try await Self.open(root)
    try await Self.fill(lake, 1...3)
    try Self.expectClosed(root)
  }

  @Test("is closed by the start where an earlier version left it open")
  func existing() async throws {
    let folder = try TemporaryFolder()
    let root = "\(folder.path)/lake"
    let lake = try await Self.open(root)
    try await Self.fill(lake, 1...3)
    try await lake.close()
    for path in try Self.paths(root) {
      let isFolder = try Self.facts(path).st_mode & S_IFMT == S_IFDIR
      try #require(chmod(path, isFolder ? 0o755 : 0o644) == 0)
    }
    // What is not the lake's own stays as it is.
    let (note, target) = ("\(root)/note.txt", "\(folder.path)/target")
    for path in [note, target] {
      try #require(FileManager.default.createFile(atPath: path, contents: nil))
      try #require(chmod(path, 0o644) == 0)
    }
    try #require(symlink(target, "\(root)/events/link") == 0)
    let again = try await Self.open(root)
    try await Self.fill(again, 4...5)
    #expect(try Self.facts(target).st_mode & 0o777 == 0o644)
    #expect(try Self.facts(note).st_mode & 0o777 == 0o644)
    try FileManager.default.removeItem(atPath: note)
    try FileManager.default.removeItem(atPath: "\(root)/events/link")
    try Self.expectClosed(root)
  }

  @Test("can be read by the reading group: what is there, and what comes")
  func readingGroup() async throws {
    let folder = try TemporaryFolder()
    let root = "\(folder.path)/lake"
    let lake = try await Self.open(root)
    try await Self.fill(lake, 1...3)
    try await lake.close()
    let shared = try await Self.open(root, group: Self.group)
    try await Self.fill(shared, 4...5)
    try Self.expectClosed(root, group: Self.group)
    // A closed umask takes nothing from the group.
    let other = "\(folder.path)/other"
    let mask = umask(0o077)
    defer { umask(mask) }
    let masked = try await Self.open(other, group: Self.group)
    try await Self.fill(masked, 1...3)
    try Self.expectClosed(other, group: Self.group)
  }

  @Test("that was being closed when the process died is closed by the next start")
  func interrupted() async throws {
    let folder = try TemporaryFolder()
    let root = "\(folder.path)/lake"
    let lake = try await Self.open(root, group: Self.group)
    try await Self.fill(lake, 1...3)
    try await lake.close()
    try #require(chmod(root, 0o700) == 0 && chmod("\(root)/events", 0o755) == 0)
    _ = try await Self.open(root, group: Self.group)
    try Self.expectClosed(root, group: Self.group)
  }
}
