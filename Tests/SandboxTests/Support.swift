import Domain
import Foundation
import Sandbox
import Synchronization
import Testing

/// One sandbox for all tests of this target, as a server has one. Inspected once: every test that runs
/// code fails with what is missing where it does not hold, and none is skipped.
enum SharedSandbox {
  static let value = BubblewrapSandbox(SandboxConfiguration(slotCount: 2))
  static let callerID = EntityID(high: 0, low: 1)
}

/// What several tasks note down.
final class Notes<Value: Sendable>: Sendable {
  private let values = Mutex<[Value]>([])

  func add(_ value: Value) { values.withLock { $0.append(value) } }
  var all: [Value] { values.withLock { $0 } }
}

func path(_ text: String) throws -> SandboxPath { try SandboxPath(text) }

extension SandboxResult {
  var text: String { String(decoding: output.bytes, as: UTF8.self) }
  var errorText: String { String(decoding: errors.bytes, as: UTF8.self) }
  var lines: [String] { text.split(separator: "\n").map(String.init) }
}

extension SandboxLimits {
  /// Small enough that a test of a limit is soon over.
  static let small = SandboxLimits(
    cpuTime: .seconds(2), wallTime: .seconds(20), memoryByteCount: 128 << 20, processCount: 32,
    outputByteCount: 64 << 10, reportByteCount: 64 << 10, fileByteCount: 4 << 20,
    diskByteCount: 8 << 20, fileCount: 256)
}

func run(_ job: SandboxJob) async throws -> SandboxResult {
  try await SharedSandbox.value.run(job, for: SharedSandbox.callerID)
}

func shell(_ script: String, _ limits: SandboxLimits = .small) -> SandboxJob {
  SandboxJob(profile: .run, command: ["/bin/sh", "-c", script], limits: limits)
}
