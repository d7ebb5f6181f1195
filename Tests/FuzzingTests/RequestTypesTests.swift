import Foundation
import Fuzzing
import RPC
import Testing

@Suite struct `The request types that are fuzzed` {
  @Test func `are those of the contract`() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Protos/hito/v1")
    var named: Set<String> = []
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
      let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
      for method in text.matches(of: /rpc\s+\w+\s*\(\s*(?:stream\s+)?([\w.]+)\s*\)/) {
        named.insert("hito.v1." + (method.1.split(separator: ".").last ?? ""))
      }
    }
    #expect(named.count > 90)
    #expect(Set(RequestTypes.all.map { $0.fullName }) == named)
  }
}
