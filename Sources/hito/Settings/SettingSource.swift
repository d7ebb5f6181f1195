import Foundation
import Glibc

/// Where a setting came from; shown by `hito config` and in errors.
enum SettingSource: Sendable, Hashable, CustomStringConvertible {
  case flag(String)
  case environment(String)
  case file(String)
  case standard

  var description: String {
    switch self {
    case .flag(let name): "flag \(name)"
    case .environment(let name): "environment \(name)"
    case .file(let path): path
    case .standard: "default"
    }
  }
}

/// What was given for a setting, and where.
struct SettingGiven: Sendable, Hashable {
  /// Never empty.
  let texts: [String]
  let source: SettingSource

  /// The one that counts; nil where it is empty.
  var text: String? { texts.last.flatMap { $0.isEmpty ? nil : $0 } }
}

/// Why a command's settings cannot be used: a line for each reason, each of which says what to do.
struct SettingsError: Error, Sendable, Hashable, CustomStringConvertible {
  let problems: [String]

  var description: String { problems.joined(separator: "\n") }
}

/// What of the machine and of the process the settings look at. The only place that reads the
/// environment.
struct SettingSurroundings: Sendable {
  var environment: [String: String]
  var isRoot: Bool
  var processorCount: Int
  /// The text of a file; nil where it is not there or may not be read.
  var contents: @Sendable (String) -> String?
  /// Whether others than its owner may read a file.
  var isOpenToOthers: @Sendable (String) -> Bool
  /// Where the server of this machine keeps everything; known once `data-dir` is.
  var dataDirectory: String?

  /// A variable; an empty one is one that is not set.
  func variable(_ name: String) -> String? {
    environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }
}

extension SettingSurroundings {
  /// More of a file is not read; certificates of a system are a quarter of it.
  private static let byteCountMax = 1 << 20

  /// Those of this process.
  static var ofProcess: SettingSurroundings {
    SettingSurroundings(
      environment: ProcessInfo.processInfo.environment, isRoot: geteuid() == 0,
      processorCount: ProcessInfo.processInfo.activeProcessorCount,
      contents: { InputFile.text($0, byteCountMax: byteCountMax) },
      isOpenToOthers: { path in
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & 0o077 != 0
      })
  }
}
