import Foundation
import Fuzzing
import Testing

/// Every input that was kept, through the same function that the fuzzer calls: those that once failed, and
/// those that reach the most.
@Suite(.serialized) struct `The kept inputs` {
  static let corpus = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fuzz/corpus")

  @Test(arguments: FuzzTarget.allCases)
  func `of every target do what they must`(target: FuzzTarget) throws {
    let folder = Self.corpus.appending(path: target.rawValue)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(!names.isEmpty, "Tests/Fuzz/corpus/\(target.rawValue) has no input")
    for name in names {
      CrashNote.set("\(target.rawValue): Tests/Fuzz/corpus/\(target.rawValue)/\(name)")
      target.run(Array(try Data(contentsOf: folder.appending(path: name))))
    }
  }

  @Test func `are of targets that there are`() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path)
    #expect(Set(folders) == Set(FuzzTarget.allCases.map(\.rawValue)))
  }
}
