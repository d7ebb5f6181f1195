package import Foundation
package import HitoClient
import Synchronization

/// For the handler of signals, which may use nothing else.
private let runningServer = Atomic<pid_t>(0)

/// A release build of `hito serve` on a data directory of its own, as a child process.
package final class BenchServer {
  package let folder: String
  package var dataDirectory: String { folder + "/data" }
  /// host:port
  package private(set) var address = ""

  private let program: String
  private let options: [String]
  private var process = Process()

  private static let startLimit = Duration.seconds(90)
  private static let stopLimit = Duration.seconds(40)

  /// Starts a server, gives it to `body`, and ends it whatever happens.
  package static func run<Value>(
    program: String, options: [String] = [], _ body: (BenchServer) async throws -> Value
  ) async throws -> Value {
    raiseFileLimit()
    endWithServer()
    let server = try BenchServer(program: program, options: options)
    let value: Value
    do {
      try await server.start()
      value = try await body(server)
    } catch {
      say(server.logTail())
      try? await server.stop()
      server.removeFolder()
      throw error
    }
    try await server.stop()
    server.removeFolder()
    return value
  }

  private init(program: String, options: [String]) throws {
    guard FileManager.default.isExecutableFile(atPath: program) else {
      throw BenchmarkError("\(program) is not there: run `make build`, or set HITO_BIN")
    }
    self.program = program
    self.options = options
    // Short, because a socket's path has little room; open, because PostgreSQL runs as another
    // user where we are root.
    var template = Array("/tmp/hito-bench-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw BenchmarkError("no folder: error \(errno)") }
    chmod(template, 0o755)
    folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The server and its thousand connections inherit it.
  private static func raiseFileLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// Whoever ends the benchmark ends its server too.
  private static func endWithServer() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number) { number in
        let server = runningServer.load(ordering: .relaxed)
        if server > 0 { kill(server, SIGTERM) }
        _exit(128 + number)
      }
    }
  }

  // MARK: Life

  private func start() async throws {
    let portFile = folder + "/port"
    try? FileManager.default.removeItem(atPath: portFile)
    let log = folder + "/server.log"
    if !FileManager.default.fileExists(atPath: log) {
      _ = FileManager.default.createFile(atPath: log, contents: nil)
    }
    guard let output = FileHandle(forWritingAtPath: log) else {
      throw BenchmarkError("\(log) cannot be written")
    }
    try output.seekToEnd()
    process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments =
      [
        "serve", "--data-dir", dataDirectory, "--listen", "127.0.0.1:0", "--port-file", portFile,
        // A benchmark is more than one learner would do.
        "--calls-per-second", "1000000", "--mebibytes-per-day", "1000000",
      ] + options
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.startWithSignals()
    runningServer.store(process.processIdentifier, ordering: .relaxed)
    let end = ContinuousClock.now + Self.startLimit
    while ContinuousClock.now < end {
      guard process.isRunning else { throw BenchmarkError("the server ended at its start") }
      if let text = try? String(contentsOfFile: portFile, encoding: .utf8), text.hasSuffix("\n") {
        address = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    throw BenchmarkError("the server did not take calls within \(Self.startLimit)")
  }

  private func stop() async throws {
    defer { runningServer.store(0, ordering: .relaxed) }
    guard process.isRunning else { return }
    process.terminate()
    let end = ContinuousClock.now + Self.stopLimit
    while process.isRunning, ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(20))
    }
    guard process.isRunning else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    // It would outlive a killed server.
    if let postmaster = try? postmasterID() { kill(postmaster, SIGINT) }
    throw BenchmarkError("the server did not end within \(Self.stopLimit)\n\(logTail())")
  }

  /// Ends the server and starts it again, with the settings of PostgreSQL that need it.
  package func restart() async throws {
    try await stop()
    try await start()
  }

  private func removeFolder() {
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func logTail() -> String {
    let text = (try? String(contentsOfFile: folder + "/server.log", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").suffix(20).joined(separator: "\n")
  }

  // MARK: Processes

  package var processID: pid_t { process.processIdentifier }

  package func postmasterID() throws -> pid_t {
    let path = dataDirectory + "/postgres/postmaster.pid"
    guard let text = try? String(contentsOfFile: path, encoding: .utf8),
      let id = text.split(separator: "\n").first.flatMap({ pid_t($0) })
    else { throw BenchmarkError("\(path) cannot be read") }
    return id
  }

  /// CPU seconds up to now.
  package func usage() throws -> ServerUsage {
    ServerUsage(
      server: try ProcessUsage.cpuSeconds(of: processID),
      database: try ProcessUsage.cpuSecondsOfFamily(of: try postmasterID()))
  }

  /// The memory once it has stopped moving, in KiB.
  package func settledMemory() async throws -> Double {
    var last = try ProcessUsage.memoryKiB(of: processID)
    for _ in 0..<20 {
      try await Task.sleep(for: .milliseconds(250))
      let now = try ProcessUsage.memoryKiB(of: processID)
      if (now - last).magnitude < 16 { return now }
      last = now
    }
    return last
  }

  // MARK: Ways in

  package func adminToken() throws -> String {
    try String(contentsOfFile: dataDirectory + "/admin.token", encoding: .utf8)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  package func connect(token: String? = nil) async throws -> HitoClient {
    try await HitoClient.connect(
      address: address, tls: .authority(file: dataDirectory + "/tls/ca.pem"), token: token)
  }

  package var database: BenchDatabase { BenchDatabase(socketFolder: dataDirectory + "/run") }
}

/// CPU seconds of the server and of its PostgreSQL.
package struct ServerUsage: Sendable {
  package var server: Double
  package var database: Double

  package static func - (after: ServerUsage, before: ServerUsage) -> ServerUsage {
    ServerUsage(server: after.server - before.server, database: after.database - before.database)
  }
}
