import Glibc

/// An installed PostgreSQL with pgvector.
package struct PostgresPrograms: Equatable, Sendable {
  /// The folder with `bin/` in it.
  package let prefix: String
  /// 15, 16, …
  let majorVersion: Int
  /// For people: "18.6".
  package let version: String
  /// The default version of pgvector, as its parts: [0, 8, 6].
  let vectorVersion: [Int]
  /// Statistics of statements come with the build.
  let hasStatementStatistics: Bool

  func program(_ name: String) -> String { "\(prefix)/bin/\(name)" }

  /// Where PostgreSQL is looked for, in order: where `named` says, or else where `make setup` puts it.
  package static func candidates(named: String?, home: String?) -> [String] {
    if let named { return [named] }
    return (home.map { [$0 + "/.local/lib/hito/postgres"] } ?? [])
      + ["/usr/local/lib/hito/postgres"]
  }

  /// Finds the first candidate with PostgreSQL in it and looks at what it has.
  package static func locate(
    candidates: [String]
  ) throws(EmbeddedClusterError) -> PostgresPrograms {
    for prefix in candidates where FileSystem.isExecutable(prefix + "/bin/postgres") {
      return try PostgresPrograms(inspecting: FileSystem.resolved(prefix))
    }
    throw .missingPrograms(searched: candidates)
  }

  private init(inspecting prefix: String) throws(EmbeddedClusterError) {
    let server = prefix + "/bin/postgres"
    for name in ["initdb"] where !FileSystem.isExecutable("\(prefix)/bin/\(name)") {
      throw .missingPrograms(searched: ["\(prefix)/bin/\(name)"])
    }
    let outcome = try ChildProcess.run([server, "--version"])
    guard outcome.succeeded, let version = Self.version(in: outcome.output) else {
      throw .unusablePrograms(path: server, reason: outcome.output)
    }
    let major = version.prefix { $0.isNumber }
    guard let majorVersion = Int(major), majorVersion >= 15 else {
      throw .unusablePrograms(path: server, reason: "version \(version) is older than 15")
    }
    let shares = [
      "\(prefix)/share", "\(prefix)/share/postgresql", "/usr/share/postgresql/\(majorVersion)",
    ]
    guard
      let share = shares.first(where: { FileSystem.exists($0 + "/extension/vector.control") }),
      let control = FileSystem.text(share + "/extension/vector.control")
    else { throw .missingVectorExtension(prefix: prefix) }
    self.prefix = prefix
    self.majorVersion = majorVersion
    self.version = version
    vectorVersion = Self.defaultVersion(control: control)
    hasStatementStatistics = ["\(prefix)/lib", "\(prefix)/lib/postgresql"].contains {
      FileSystem.exists($0 + "/pg_stat_statements.so")
    }
  }

  /// "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)" -> "15.20"
  package static func version(in output: String) -> String? {
    output.split(whereSeparator: { $0 == " " || $0 == "\n" })
      .first { $0.first?.isNumber == true }
      .map(String.init)
  }

  /// "default_version = '0.8.6'" -> [0, 8, 6]
  package static func defaultVersion(control: String) -> [Int] {
    for line in control.split(separator: "\n") where line.hasPrefix("default_version") {
      return line.split(whereSeparator: { !$0.isNumber }).compactMap { Int($0) }
    }
    return []
  }
}
