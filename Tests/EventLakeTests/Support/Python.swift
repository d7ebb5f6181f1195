import Foundation
import Testing

/// Runs Python with pyarrow and pandas: the foreign reader that the lake is made for.
enum Python {
  /// `HITO_PYTHON`, or the virtual environment that the set-up makes in the work tree.
  static var interpreter: String {
    ProcessInfo.processInfo.environment["HITO_PYTHON"] ?? "\(workTree)/.venv/bin/python3"
  }

  static var workTree: String {
    URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().path
  }

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Runs `script` in `folder`, in UTC, and parses the JSON that it prints.
  static func run(_ script: String, in folder: String, arguments: [String] = []) throws -> Any {
    guard FileManager.default.isExecutableFile(atPath: interpreter) else {
      throw Failure(description: "no \(interpreter): run `make test`, which sets it up")
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: interpreter)
    process.arguments = ["-c", script] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    var environment = ProcessInfo.processInfo.environment
    environment["TZ"] = "UTC"
    // The test process may carry libraries of another libstdc++ or libarrow.
    environment["LD_LIBRARY_PATH"] = nil
    process.environment = environment
    let output = Pipe()
    // A file, not a pipe: a pipe that nobody reads meanwhile fills up.
    let errorPath = "\(folder)/.python-errors-\(UUID().uuidString)"
    _ = FileManager.default.createFile(atPath: errorPath, contents: nil)
    defer { try? FileManager.default.removeItem(atPath: errorPath) }
    process.standardOutput = output
    process.standardError = FileHandle(forWritingAtPath: errorPath)
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let text = FileManager.default.contents(atPath: errorPath) ?? Data()
      throw Failure(description: String(decoding: text, as: UTF8.self))
    }
    return try JSONSerialization.jsonObject(with: bytes, options: [.fragmentsAllowed])
  }
}
