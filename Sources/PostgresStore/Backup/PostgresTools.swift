import Dispatch
import Glibc

/// PostgreSQL's own programs for copies of a database. Everything runs on a thread of its own, as the user
/// that we are; nothing of a connection's password is in an argument.
package struct PostgresTools: Sendable {
  private let programs: PostgresPrograms

  /// - Parameter candidates: where PostgreSQL is looked for, in order.
  package init(candidates: [String]) throws(EmbeddedClusterError) {
    programs = try PostgresPrograms.locate(candidates: candidates)
    for name in ["pg_basebackup", "pg_verifybackup", "pg_dump", "pg_restore"]
    where !FileSystem.isExecutable(programs.program(name)) {
      throw .missingPrograms(searched: [programs.program(name)])
    }
  }

  /// Which PostgreSQL it is, for people: "18.6".
  package var version: String { programs.version }
  package var majorVersion: Int { programs.majorVersion }

  /// Copies the files of a running cluster into a new folder, with the log that makes them one state: that
  /// of the moment when this returns.
  package func copyCluster(
    _ connection: ClusterConnection, into folder: String
  ) async throws(BackupToolError) {
    try await run(
      "pg_basebackup",
      [
        "--pgdata", folder, "--host", connection.socketDirectory, "--port", "\(connection.port)",
        "--username", ClusterRole.administrator.rawValue, "--no-password", "--wal-method", "stream",
        "--checkpoint", "fast", "--manifest-checksums", "SHA256",
      ], doing: "copying the database")
  }

  /// Compares a copy of a cluster with the checksums that were made with it. Names the first file that
  /// differs.
  package func verifyCluster(in folder: String) async throws(BackupToolError) {
    do throws(BackupToolError) {
      try await run(
        "pg_verifybackup", ["--exit-on-error", "--quiet", folder], doing: "looking at the copy")
    } catch {
      guard case .failed(_, let output) = error else { throw error }
      // What it quotes then is a part of the list, and no file's name.
      if output.contains("backup manifest") || output.contains("manifest checksum") {
        throw .damaged(file: "backup_manifest", why: output)
      }
      guard let name = Self.firstQuoted(output) else { throw error }
      throw .damaged(file: name, why: output)
    }
    try Self.checkSegments(in: folder + "/pg_wal")
  }

  /// What PostgreSQL needs of the log it has looked at; what came after it until the copy was whole stands in
  /// the same segments, and no list has their checksums.
  private static func checkSegments(in folder: String) throws(BackupToolError) {
    let segments = FileSystem.names(folder).filter { name in
      name.utf8.count == 24 && name.allSatisfy(\.isHexDigit)
    }
    for name in segments {
      let path = "\(folder)/\(name)"
      let size = Int(FileSystem.information(path)?.st_size ?? 0)
      guard size != segmentSize(saidIn: path) else { continue }
      throw .damaged(file: "pg_wal/\(name)", why: "the segment of the log has \(size) bytes")
    }
  }

  /// How large a segment says that it is, in `XLogLongPageHeaderData` of its first page; nil where it does not.
  private static func segmentSize(saidIn path: String) -> Int? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var size: UInt32 = 0
    let place: off_t = 32
    guard pread(file, &size, MemoryLayout.size(ofValue: size), place) == 4 else { return nil }
    return Int(size)
  }

  /// Writes a database into one file, as its owner, under row-level security that lets the owner see all.
  ///
  /// - Parameter parameters: how to connect, by libpq's keywords.
  package func dump(
    _ parameters: [(String, String)], into file: String
  ) async throws(BackupToolError) {
    try await withService(parameters, beside: file) { (service) throws(BackupToolError) in
      try await run(
        "pg_dump",
        [
          "--format", "custom", "--enable-row-security", "--file", file, "--schema", "public",
          "--dbname", "service=hito",
        ], service: service, doing: "dumping the database")
    }
  }

  /// Puts a dump into an empty database, as its owner-to-be: all or nothing. Extensions, rights and rules of
  /// rows are left out: the first is an administrator's to make, the others `Migrator` makes anew.
  package func restore(
    _ file: String, into parameters: [(String, String)], work folder: String
  ) async throws(BackupToolError) {
    let list = "\(folder)/contents"
    let output = try await output("pg_restore", ["--list", file], doing: "reading the dump")
    let left = [
      " EXTENSION ", " COMMENT - EXTENSION", " POLICY ", " ROW SECURITY ", " SCHEMA ", " COMMENT ",
    ]
    let wanted = output.split(separator: "\n").filter { line in
      !line.hasPrefix(";") && !left.contains { line.contains($0) }
    }
    do throws(EmbeddedClusterError) {
      try FileSystem.replace(
        list, with: wanted.joined(separator: "\n") + "\n", mode: 0o600, group: nil)
    } catch {
      throw .failed("reading the dump", output: "\(error)")
    }
    try await withService(parameters, beside: list) { (service) throws(BackupToolError) in
      try await run(
        "pg_restore",
        [
          "--use-list", list, "--no-owner", "--no-privileges", "--exit-on-error",
          "--single-transaction", "--dbname", "service=hito", file,
        ], service: service, doing: "restoring the database")
    }
    unlink(list)
  }

  private func withService(
    _ parameters: [(String, String)], beside file: String,
    _ body: (String) async throws(BackupToolError) -> Void
  ) async throws(BackupToolError) {
    let service = file + ".service"
    let lines = parameters.map { "\($0.0)=\($0.1)" }
    do throws(EmbeddedClusterError) {
      try FileSystem.replace(
        service, with: "[hito]\n" + lines.joined(separator: "\n") + "\n", mode: 0o600, group: nil)
    } catch {
      throw .failed("connecting", output: "\(error)")
    }
    defer { unlink(service) }
    try await body(service)
  }

  private func run(
    _ name: String, _ arguments: [String], service: String? = nil, doing what: String
  ) async throws(BackupToolError) {
    _ = try await output(name, arguments, service: service, doing: what)
  }

  private func output(
    _ name: String, _ arguments: [String], service: String? = nil, doing what: String
  ) async throws(BackupToolError) -> String {
    let command =
      (service.map { ["PGSERVICEFILE=\($0)"] } ?? []) + [programs.program(name)] + arguments
    let result: Result<ChildProcess.Outcome, EmbeddedClusterError> =
      await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
          continuation.resume(
            returning: Result { () throws(EmbeddedClusterError) in
              try ChildProcess.run(command, outputByteCountMax: 16 << 20)
            })
        }
      }
    switch result {
    case .success(let outcome) where outcome.succeeded: return outcome.output
    case .success(let outcome):
      if outcome.output.contains("No space left on device") { throw .diskFull(what) }
      throw .failed(what, output: String(outcome.output.suffix(2000)))
    case .failure(.diskFull): throw .diskFull(what)
    case .failure(let error): throw .failed(what, output: "\(error)")
    }
  }

  private static func firstQuoted(_ text: String) -> String? {
    let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
    return parts.count > 2 ? String(parts[1]) : nil
  }
}

/// Why a copy of a database was not made, or not put back.
package enum BackupToolError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What was being done.
  case diskFull(String)
  /// A file of the copy is not what was written.
  case damaged(file: String, why: String)
  /// What was being done, and what the program said.
  case failed(String, output: String)

  package var description: String {
    switch self {
    case .diskFull(let what): "the disk was full while \(what)"
    case .damaged(let file, let why): "the backup is damaged at \(file): \(why)"
    case .failed(let what, let output): "\(what) did not work: \(output)"
    }
  }
}

extension ConnectionSettings {
  /// A connection string by libpq's keywords, with what we add where it says nothing: for programs of
  /// PostgreSQL that connect by themselves.
  package static func parameters(
    of conninfo: String
  ) throws(ConnectFailure) -> [(String, String)] {
    let given = try parse(conninfo)
    let ours = try ConnectionSettings(conninfo: conninfo).connectParameters()
      .filter {
        $0.0 != "dbname" && $0.0 != "fallback_application_name" && $0.0 != "client_encoding"
      }
    return given.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
      + ours.filter { given[$0.0] == nil }
  }
}
