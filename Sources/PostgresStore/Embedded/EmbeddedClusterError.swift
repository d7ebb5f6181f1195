/// Why the embedded cluster could not be made, started, adopted or stopped.
///
/// Every description says what happened and what a person can do about it.
package enum EmbeddedClusterError: Error, Equatable, Sendable {
  /// PostgreSQL is not installed where it was looked for.
  case missingPrograms(searched: [String])
  /// PostgreSQL is installed, without pgvector.
  case missingVectorExtension(prefix: String)
  /// The installed programs do not run on this machine.
  case unusablePrograms(path: String, reason: String)
  /// Another server holds the data directory.
  case inUse(dataDirectory: String, processID: Int32?)
  /// The database's own user cannot get to a path because a folder above it is closed.
  case unreachable(path: String, blockedAt: String, user: String)
  /// The cluster was made by another major version.
  case versionMismatch(cluster: String, programs: String, dataDirectory: String)
  /// There is something in the place of the cluster that is not a cluster, or not ours.
  case foreignDirectory(path: String, reason: String)
  /// No folder for the socket is short enough.
  case socketPathTooLong(path: String, byteCountMax: Int)
  /// A folder for the socket belongs to another user.
  case socketDirectoryNotOurs(path: String)
  /// Too little space to work safely.
  case diskFull(path: String, availableMiB: Int, neededMiB: Int)
  /// The database's own user does not exist and could not be created.
  case serviceUser(name: String, reason: String)
  /// `initdb` failed.
  case creationFailed(output: String)
  /// `postgres` ended instead of becoming ready.
  case startFailed(log: String)
  /// `postgres` did not become ready, or did not stop, in time.
  case timedOut(doing: String, log: String)
  /// The server answered a statement of ours with an error.
  case statementFailed(statement: String, message: String)
  /// An operation of the system failed.
  case system(operation: String, path: String, code: Int32)
  /// The caller's task was cancelled.
  case cancelled
}

extension EmbeddedClusterError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missingPrograms, .missingVectorExtension, .unusablePrograms:
      return programsDescription
    case .inUse, .unreachable, .versionMismatch, .foreignDirectory, .diskFull:
      return directoryDescription
    case .socketPathTooLong(let path, let byteCountMax):
      return "the socket's path is longer than \(byteCountMax) bytes: \(path); "
        + "choose a data directory with a shorter path"
    case .socketDirectoryNotOurs(let path):
      return "\(path) exists and is not ours (a folder of mode 0700 of the database's user is "
        + "expected); remove it, or choose another data directory"
    case .serviceUser(let name, let reason):
      return "PostgreSQL refuses to run as root and its own user '\(name)' could not be used: "
        + "\(reason); create it with: useradd --system --user-group --no-create-home \(name)"
    case .creationFailed(let output):
      return "the database could not be created; initdb says:\n\(output)"
    case .startFailed(let log):
      return "PostgreSQL did not start; it says:\n\(log)"
    case .timedOut(let doing, let log):
      return "PostgreSQL took too long \(doing); its last words:\n\(log)"
    case .statementFailed(let statement, let message):
      return "PostgreSQL refused '\(statement)': \(message)"
    case .system(let operation, let path, let code):
      return "could not \(operation) \(path): \(systemMessage(code))"
    case .cancelled:
      return "starting PostgreSQL was cancelled"
    }
  }

  private var programsDescription: String {
    switch self {
    case .missingPrograms(let searched):
      return "PostgreSQL was not found in \(searched.joined(separator: ", ")); run `make setup`, "
        + "or name a prefix of your own in HITO_POSTGRES, or use a server of your own by its URL"
    case .missingVectorExtension(let prefix):
      return "PostgreSQL in \(prefix) has no pgvector; run `make setup`, or install the "
        + "extension 'vector' there"
    case .unusablePrograms(let path, let reason):
      return "\(path) does not run: \(reason); run `make setup`"
    default:
      return ""
    }
  }

  private var directoryDescription: String {
    switch self {
    case .inUse(let dataDirectory, let processID):
      let owner = processID.map { " (process \($0))" } ?? ""
      return "another Hito server\(owner) uses the data directory \(dataDirectory); "
        + "stop it, or choose another one with --data-dir"
    case .unreachable(let path, let blockedAt, let user):
      return "\(path) is not reachable by the database's user '\(user)': \(blockedAt) is closed "
        + "to it; run `chmod a+x \(blockedAt)`, or choose another place"
    case .versionMismatch(let cluster, let programs, let dataDirectory):
      return "the database in \(dataDirectory) was made by PostgreSQL \(cluster) and the "
        + "installed one is \(programs); dump it with the old version and restore it, run "
        + "pg_upgrade, or choose another data directory"
    case .foreignDirectory(let path, let reason):
      return "\(path) cannot be used as the database: \(reason); move it away, or choose another "
        + "data directory"
    case .diskFull(let path, let availableMiB, let neededMiB):
      return "the disk of \(path) is full: \(availableMiB) MiB are left and \(neededMiB) MiB are "
        + "needed; make room, or choose another data directory"
    default:
      return ""
    }
  }
}
