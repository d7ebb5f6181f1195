import Foundation

extension Process {
  /// Starts the program with no signal blocked. Threads of a pool block nearly all of them and a
  /// program inherits that: pgbench, for one, would never hear its own alarm.
  func startWithSignals() throws {
    var none = sigset_t()
    var before = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try run()
  }
}

/// Other programs that a benchmark runs to their end.
package enum Programs {
  /// Runs a program; throws with what it said where it fails.
  @discardableResult
  package static func run(_ arguments: [String], input: String? = nil) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = arguments
    let output = try ScratchFile()
    let errors = try ScratchFile()
    process.standardOutput = output.handle
    process.standardError = errors.handle
    let source = try ScratchFile(text: input ?? "")
    process.standardInput = source.handle
    try process.startWithSignals()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw BenchmarkError(
        "\(arguments[0]) ended with \(process.terminationStatus): \(try errors.text())")
    }
    return try output.text()
  }

  /// A file without a name to read from or to write to: no pipe that could fill up.
  private struct ScratchFile {
    let handle: FileHandle

    init(text: String = "") throws {
      var template = Array("/tmp/hito-bench-io-XXXXXX".utf8CString)
      let descriptor = mkstemp(&template)
      guard descriptor >= 0 else { throw BenchmarkError("no temporary file: error \(errno)") }
      unlink(template)
      handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
      try handle.write(contentsOf: Data(text.utf8))
      try handle.seek(toOffset: 0)
    }

    func text() throws -> String {
      try handle.seek(toOffset: 0)
      return String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
    }
  }
}
