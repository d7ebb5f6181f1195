import CArrow
import Digits
package import Domain

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// One entry of the journal; each is durable before the lake continues.
package enum ManifestRecord: Sendable, Hashable, Codable {
  /// Files that are about to be written, and the positions that they publish.
  case intent(PublishIntent)
  /// The files of the last intent are published: the sink's cursor moves to its last position.
  case commit(last: Int64)
  /// The last intent came to nothing; its files are gone.
  case abort
  /// A file was not what it should be and is no longer read.
  case quarantine(DamagedFile)
  /// The lake continues this history of the log, and has every event of it up to `last`.
  case history(LogHistory, last: Int64)
}

/// What a publication does, recorded before it begins, so that whoever finds it half done can end it.
package struct PublishIntent: Sendable, Hashable, Codable {
  /// The batch's bounds; equal to the cursor where no event is new (compaction, restoring).
  package var firstPosition: Int64
  package var lastPosition: Int64
  package var files: [LakeFile]
  /// The files that these take the place of.
  package var replaced: [LakeFile]
  /// Where the whole folder of a day changes places with a new one.
  package var exchangedDay: Int64?

  package init(
    firstPosition: Int64, lastPosition: Int64, files: [LakeFile], replaced: [LakeFile],
    exchangedDay: Int64? = nil
  ) {
    self.firstPosition = firstPosition
    self.lastPosition = lastPosition
    self.files = files
    self.replaced = replaced
    self.exchangedDay = exchangedDay
  }
}

/// Journal lines: eight hexadecimal digits of CRC-32C, a space, JSON, a newline.
enum JournalCoding {
  static let lineByteCountMax = 64 << 20

  static func line(_ record: ManifestRecord) throws(LakeError) -> [UInt8] {
    try framed(record)
  }

  static func framed(_ value: some Encodable) throws(LakeError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json: [UInt8]
    do { json = [UInt8](try encoder.encode(value)) } catch {
      throw .encoding(detail: "manifest: \(error)")
    }
    let sum = carrow_crc32c(0, json, json.count)
    return Array("\(Digits.hexadecimal(sum)) ".utf8) + json + [UInt8(ascii: "\n")]
  }

  /// What a line without its newline holds.
  enum Content<Value> {
    case value(Value)
    /// The line is as it was written, and this build cannot read it: a later one wrote it.
    case unknown
    case torn
  }

  static func content<Value: Decodable>(
    _ type: Value.Type, of line: ArraySlice<UInt8>
  ) -> Content<Value> {
    guard line.count > 9, line[line.startIndex + 8] == UInt8(ascii: " ") else { return .torn }
    let head = String(decoding: line.prefix(8), as: UTF8.self)
    let json = Array(line.dropFirst(9))
    guard let sum = UInt32(head, radix: 16), sum == carrow_crc32c(0, json, json.count) else {
      return .torn
    }
    let value = try? JSONDecoder().decode(type, from: Data(json))
    return value.map(Content.value) ?? .unknown
  }

  static let unknownDetail = "a record that a later build wrote: use that build"

  /// The records of a journal and the offset after the last whole one. A torn line at the end is
  /// what a crash leaves; whole lines after a torn one mean that the medium lies.
  ///
  /// - Throws: what is wrong with the journal. What a later build wrote is whole: cut off as torn, what it
  ///   published would be lost.
  static func records(
    of bytes: [UInt8], path: String
  ) throws(LakeError) -> (records: [ManifestRecord], end: Int64) {
    var records: [ManifestRecord] = []
    var end = 0
    var isTorn = false
    var start = 0
    while start < bytes.count, let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let content = content(ManifestRecord.self, of: bytes[start..<newline])
      start = newline + 1
      switch content {
      case .torn: isTorn = true
      case .unknown: throw .manifestDamaged(path: path, detail: unknownDetail)
      case .value(let record):
        guard !isTorn else {
          throw .manifestDamaged(path: path, detail: "a damaged record before whole ones")
        }
        records.append(record)
        end = start
      }
    }
    return (records, Int64(end))
  }
}
