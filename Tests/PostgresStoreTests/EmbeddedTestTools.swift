import Foundation
import Logging
import PostgresStore
import TestSupport

extension Logger {
  static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// A cluster's configuration in a directory of the test.
func configuration(
  _ directory: String, isDurable: Bool = false
) -> EmbeddedCluster.Configuration {
  var configuration = EmbeddedCluster.Configuration(
    dataDirectory: directory, programCandidates: ThrowAwayDirectory.postgresCandidates)
  configuration.isDurable = isDurable
  return configuration
}

/// Runs a test in a directory of its own and removes it, with a server that may still run there.
func withDirectory(_ body: (String) async throws -> Void) async throws {
  let directory = try ThrowAwayDirectory.make()
  defer { ThrowAwayDirectory.remove(directory) }
  try await body(directory)
}

/// Runs one statement and returns its rows.
@discardableResult
func run(
  _ statement: String, _ connection: ClusterConnection, _ role: ClusterRole = .administrator
) throws -> [[String?]] {
  let session = try AdministratorSession(connection, role: role)
  return try session.run(statement)
}

/// Whether a process runs; one that ended and was not yet reaped does not.
func isRunning(_ processID: Int32) -> Bool {
  let path = "/proc/\(processID)/cwd"
  return (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
}

/// Makes a file and the folders above it.
func makeFile(_ path: String, _ text: String) throws {
  let url = URL(fileURLWithPath: path)
  try FileManager.default.createDirectory(
    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
  try Data(text.utf8).write(to: url)
}

/// Another process with an embedded cluster in it, which can be killed as a server is.
final class ClusterProbe {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()

  init(_ directory: String) throws {
    // Beside the test program: both are products of this package.
    let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.executableURL = tests.deletingLastPathComponent()
      .appendingPathComponent("cluster-probe")
    process.arguments = [directory]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  var processID: Int32 { process.processIdentifier }

  struct NotReady: Error {
    let output: String
  }

  /// Returns the process id of PostgreSQL.
  func waitUntilReady() throws -> Int32 {
    let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    guard text.hasPrefix("ready "), let processID = Int32(text.dropFirst(6).prefix { $0 != "\n" })
    else { throw NotReady(output: text) }
    return processID
  }

  func kill() {
    Foundation.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Lets it stop its cluster; returns its exit status.
  func stop() -> Int32 {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
