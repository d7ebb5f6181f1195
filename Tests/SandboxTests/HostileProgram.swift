import Domain
import Foundation
import Testing

/// A program of `Hostile/`, which says in its first lines what must become of it:
///
///   expect    exited N, signalled N, stalled, a limit's name, `ended` (by a limit, or not with 0), `any`
///   met       a limit that it must have met
///   says      a text that it must print; whatever it is, `ESCAPED` must not be there
///   lacks     a text that must be in no output
///   compile   the command of a tool that reads it, in the profile for tools
///   wall      seconds; collects: files to read back; discard: output over the limit is thrown away
struct HostileProgram: Sendable, CustomTestStringConvertible {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "Hostile")

  let name: String
  let content: [UInt8]
  private let header: [String: String]

  var testDescription: String { name }

  static let all: [HostileProgram] =
    (FileManager.default.subpaths(atPath: folder.path) ?? []).sorted()
    .filter { $0.contains(".") }.compactMap(HostileProgram.init)

  private init?(name: String) {
    guard let data = FileManager.default.contents(atPath: Self.folder.appending(path: name).path)
    else { return nil }
    self.name = name
    content = Array(data)
    var header: [String: String] = [:]
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n").prefix(8) {
      let text = line.drop { $0 == "/" || $0 == "#" || $0 == " " }
      let parts = text.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, !parts[0].contains(" ") else { continue }
      header[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    self.header = header
  }

  subscript(key: String) -> String? { header[key] }

  var fileName: String { String(name.split(separator: "/").last ?? "") }
  var language: String { String(name.split(separator: ".").last ?? "") }

  private var limits: SandboxLimits {
    var limits = SandboxLimits.small
    if let seconds = header["wall"].flatMap(Int64.init) { limits.wallTime = .seconds(seconds) }
    return limits
  }

  /// The job that turns it into a program, which is collected as `program`; nil where it is one.
  func building() throws -> SandboxJob? {
    guard language == "c", header["compile"] == nil else { return nil }
    return SandboxJob(
      profile: .compile, command: ["gcc", "-w", "-pthread", "-o", "program", fileName],
      files: [SandboxFile(try SandboxPath(fileName), content)],
      collects: [try SandboxPath("program")],
      limits: SandboxLimits(cpuTime: .seconds(20), wallTime: .seconds(60)))
  }

  /// - Parameter program: what `building` made.
  func job(program: [UInt8]?) throws -> SandboxJob {
    var job = SandboxJob(
      profile: .run, command: [], files: [SandboxFile(try SandboxPath(fileName), content)],
      limits: limits)
    if let command = header["compile"] {
      job.profile = .compile
      job.command = command.split(separator: " ").map(String.init) + [fileName]
    } else if let program {
      job.files = [SandboxFile(try SandboxPath("program"), program, isExecutable: true)]
      job.command = ["./program"]
    } else {
      let interpreters = ["py": "python3", "js": "node", "sh": "sh"]
      job.command = [try #require(interpreters[language]), fileName]
    }
    if header["discard"] != nil { job.overflow = .discard }
    job.collects = try (header["collects"] ?? "").split(separator: " ").map {
      try SandboxPath(String($0))
    }
    return job
  }

  func check(_ result: SandboxResult) {
    let text = String(decoding: result.output.bytes, as: UTF8.self)
    let all = text + String(decoding: result.errors.bytes, as: UTF8.self)
    let shown = "\(name) ended as \(result.outcome), met \(result.limitsMet): \(all.prefix(600))"
    #expect(isExpected(result.outcome), "\(shown)")
    if let limit = header["met"] {
      #expect(result.limitsMet.contains { $0.rawValue == limit }, "\(shown)")
    }
    if let says = header["says"] { #expect(text.contains(says), "\(shown)") }
    if let lacks = header["lacks"] { #expect(!all.contains(lacks), "\(shown)") }
    #expect(!text.contains("ESCAPED"), "\(shown)")
    for (path, content) in result.files {
      #expect(content.isEmpty, "\(name) had \(path) read back")
    }
  }

  private func isExpected(_ outcome: SandboxOutcome) -> Bool {
    let expected = header["expect"] ?? ""
    switch outcome {
    case .exited(let code):
      return expected == "any" || expected == "exited \(code)" || expected == "ended" && code != 0
    case .signalled(let signal): return ["any", "ended", "signalled \(signal)"].contains(expected)
    case .limitReached(let limit): return ["any", "ended", limit.rawValue].contains(expected)
    case .stalled: return ["any", "stalled"].contains(expected)
    case .notStarted: return false
    }
  }
}
