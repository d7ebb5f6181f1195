import Foundation
import OpenSSL
import PostgresStore

/// What a backup holds: written last, so that a folder without it is no backup.
struct BackupManifest: Codable, Sendable {
  enum Kind: String, Codable, Sendable {
    /// The files of an embedded cluster, with the log that makes them one state.
    case cluster
    /// A dump of one database.
    case dump
  }

  /// A file, by its path inside the backup. Those of the cluster are in PostgreSQL's own list.
  struct File: Codable, Sendable, Hashable {
    var path: String
    var byteCount: Int64
    var sha256: String
  }

  static let fileName = "MANIFEST"
  static let clusterFolder = "postgres"
  static let dumpFile = "database.dump"
  static let lakeFolder = "lake"
  /// Of the data directory, beside the database and the lake: certificates, settings, the first token.
  static let keptNames = ["tls", "hito.toml", "admin.token"]
  private static let format = "hito-backup 1"

  var kind: Kind
  /// The version of Hito, and PostgreSQL's.
  var hito: String
  var postgres: String
  var logID: String
  /// The last position before the copy began: all up to it is in the backup.
  var position: Int64
  /// Up to where events had left the database: the lake alone has them.
  var floor: Int64
  /// Whether the lake is in the backup, and up to where.
  var lakePosition: Int64?
  /// Times in UTC, as people read them.
  var startedAt: String
  /// When the copy of the database was whole; nil in backups of builds before.
  var copiedAt: String?
  var endedAt: String
  var files: [File]

  /// The text of the file: what it is, the content, and the checksum of both.
  func text() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let body = "\(Self.format)\n\(String(decoding: try encoder.encode(self), as: UTF8.self))\n"
    return "\(body)sha256 \(Self.hexadecimal(SHA256.hash(body)))\n"
  }

  /// Reads the manifest of a backup; throws what is wrong with it, in words.
  static func read(inFolder folder: String) throws(BackupError) -> BackupManifest {
    let path = "\(folder)/\(fileName)"
    guard FileManager.default.fileExists(atPath: path) else { throw .noBackup(folder) }
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw .damaged(file: fileName, why: "it cannot be read")
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.count == 4, lines[0] == format else {
      throw .damaged(file: fileName, why: "it is not one of this version")
    }
    guard lines[2] == "sha256 \(hexadecimal(SHA256.hash("\(lines[0])\n\(lines[1])\n")))" else {
      throw .damaged(file: fileName, why: "its checksum is another")
    }
    do {
      return try JSONDecoder().decode(BackupManifest.self, from: Data(lines[1].utf8))
    } catch {
      throw .damaged(file: fileName, why: "it cannot be understood")
    }
  }

  /// Compares every file with its checksum.
  func verify(inFolder folder: String) throws(BackupError) {
    for file in files {
      guard let found = Self.describe(file.path, inFolder: folder) else {
        throw .damaged(file: file.path, why: "it is missing or cannot be read")
      }
      guard found == file else {
        throw .damaged(file: file.path, why: "it is not what was written")
      }
    }
  }

  /// A file as it is now; nil where it cannot be read.
  static func describe(_ path: String, inFolder folder: String) -> File? {
    guard let handle = FileHandle(forReadingAtPath: "\(folder)/\(path)") else { return nil }
    defer { try? handle.close() }
    var hash = SHA256()
    var byteCount: Int64 = 0
    while true {
      let data: Data
      do { data = try handle.read(upToCount: 1 << 20) ?? Data() } catch { return nil }
      if data.isEmpty { break }
      hash.update(data)
      byteCount += Int64(data.count)
    }
    return File(path: path, byteCount: byteCount, sha256: hexadecimal(hash.finalize()))
  }

  /// Every file below a folder of the backup, by its path inside the backup.
  static func files(below name: String, inFolder folder: String) throws(BackupError) -> [File] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: "\(folder)/\(name)", isDirectory: &isFolder) else {
      return []
    }
    let paths: [String]
    if isFolder.boolValue {
      let names =
        FileManager.default.enumerator(atPath: "\(folder)/\(name)")?
        .compactMap { $0 as? String } ?? []
      paths = names.filter { path in
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(
          atPath: "\(folder)/\(name)/\(path)", isDirectory: &isFolder) && !isFolder.boolValue
      }.map { "\(name)/\($0)" }
    } else {
      paths = [name]
    }
    var files: [File] = []
    for path in paths.sorted() {
      guard let file = describe(path, inFolder: folder) else {
        throw .failed("reading \(path) again did not work")
      }
      files.append(file)
    }
    return files
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// Why a backup was not made, or not put back. Nothing of either is left then.
enum BackupError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The folder is no backup, or one that was not finished.
  case noBackup(String)
  /// A file of the backup, by its path in it.
  case damaged(file: String, why: String)
  case diskFull(String)
  /// There is something where it was to be put.
  case notEmpty(String)
  case failed(String)

  init(_ error: any Error) {
    switch error {
    case let error as BackupError: self = error
    case BackupToolError.diskFull(let what): self = .diskFull(what)
    case BackupToolError.damaged(let file, let why):
      self = .damaged(file: "\(BackupManifest.clusterFolder)/\(file)", why: why)
    case EmbeddedClusterError.diskFull(let path, _, _): self = .diskFull("writing \(path)")
    default: self = .failed("\(error)")
    }
  }

  var description: String {
    switch self {
    case .noBackup(let folder):
      "\(folder) is no backup: it has no \(BackupManifest.fileName). One that was not finished has none"
    case .damaged(let file, let why):
      "the backup is damaged at \(file): \(why.trimmingCharacters(in: .whitespacesAndNewlines)); nothing was restored"
    case .diskFull(let what): "the disk was full while \(what); what was written was removed"
    case .notEmpty(let path): "\(path) is there and not empty: give a folder that is not there yet"
    case .failed(let why): why
    }
  }
}
