import Foundation
import Models
import OpenSSL
import Testing

@Suite(.serialized) struct ModelFileTests {
  /// A folder with a copy of the model that `damage` has changed; gone afterwards.
  private func withModel<Result>(
    _ damage: (inout Data) -> Void, _ body: (String) throws -> Result
  ) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "hito-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var data = try Data(contentsOf: URL(filePath: Installed.folder.get() + "/model.bin"))
    damage(&data)
    try data.write(to: folder.appending(path: "model.bin"))
    return try body(folder.path)
  }

  /// What opening the damaged model says.
  private func message(_ damage: (inout Data) -> Void) throws -> String {
    try withModel(damage) { folder in
      do {
        _ = try UniversalSentenceEncoder(folder: folder)
        return "it opened"
      } catch { return "\(error)" }
    }
  }

  /// Makes the checksum fit again, so that what is after it is tested.
  private func seal(_ data: inout Data) {
    data.replaceSubrange(32..<64, with: Data(SHA256.hash(data[64...])))
  }

  @Test func `A missing model says how to install it`() throws {
    let candidates = UniversalSentenceEncoder.candidates(
      named: "/nonexistent/model", home: "/home/bea")
    #expect(candidates == ["/nonexistent/model"])
    let error = #expect(throws: ModelFileError.self) {
      try UniversalSentenceEncoder.locate(candidates: candidates)
    }
    #expect(error == .missing(searched: candidates))
    #expect("\(try #require(error))".contains("run `make setup`"))
    #expect(throws: ModelFileError.missing(searched: ["/nonexistent/model/model.bin"])) {
      try UniversalSentenceEncoder(folder: "/nonexistent/model")
    }
  }

  @Test func `The home folder is looked at before the machine's`() {
    #expect(
      UniversalSentenceEncoder.candidates(named: nil, home: "/home/bea") == [
        "/home/bea/.local/lib/hito/use-multilingual-3", "/usr/local/lib/hito/use-multilingual-3",
      ])
  }

  @Test(arguments: [0, 10, 63, 64, 1000, 40_000_000])
  func `A truncated file is refused`(byteCount: Int) throws {
    let message = try message { $0 = $0.prefix(byteCount) }
    #expect(message.contains("is damaged") && message.contains("make setup"), "\(message)")
  }

  @Test func `A single changed bit is noticed`() throws {
    let message = try message { $0[50_000_001] ^= 1 }
    #expect(message.contains("checksum does not match"), "\(message)")
  }

  @Test func `A file of another kind, format or size is refused`() throws {
    #expect(try message { $0[0] = 0x58 }.contains("not a sentence encoder"))
    #expect(try message { $0[8] = 9 }.contains("has format 9, this Hito reads 2"))
    #expect(try message { $0[13] = 1 }.contains("another size"))
    #expect(try message { $0.append(0) }.contains("bytes instead of"))
  }

  @Test func `Nonsense after a fitting checksum is refused`() throws {
    // The first section's offset, size and name.
    for (place, reason) in [(64 + 38, "outside"), (64 + 46, "outside"), (64, "not as expected")] {
      let message = try message { data in
        data[place] ^= 0x7F
        seal(&data)
      }
      #expect(message.contains(reason), "\(message)")
    }
    // The number of sections.
    let crowded = try message { $0[17] = 0xFF }
    #expect(crowded.contains("directory does not fit"), "\(crowded)")
  }

  @Test func `A vocabulary that is not a tree is refused`() throws {
    let message = try message { data in
      // The third section of the directory: where the children of each node start.
      let entry = 64 + 2 * 48
      let offset = data[(entry + 32)..<(entry + 40)].reversed().reduce(0) { $0 << 8 | Int($1) }
      data[offset + 7] = 0xFF
      seal(&data)
    }
    #expect(message.contains("not a tree"), "\(message)")
  }
}
