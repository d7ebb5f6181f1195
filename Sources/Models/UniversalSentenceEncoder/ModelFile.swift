import Glibc
import OpenSSL

/// The flat file of the model, made by `.make/convert-embedder.py` (which describes its layout):
/// header and checksum are checked when it is opened, sections when they are asked for.
struct ModelFile: Sendable {
  static let format: UInt32 = 2
  static let name = "model.bin"

  private static let headerByteCount = 64
  private static let entryByteCount = 48
  private static let sectionCountMax = 256
  private static let alignment = 64

  private struct Section {
    var type: UInt32
    var offset: Int
    var count: Int
  }

  let path: String
  private let file: MappedFile
  private let sections: [String: Section]

  init(path: String) throws(ModelFileError) {
    self.path = path
    file = try MappedFile(path: path)
    let bytes = file.bytes
    func damaged(_ reason: String) -> ModelFileError { .damaged(path: path, reason: reason) }

    guard bytes.count >= Self.headerByteCount else { throw damaged("it ends in its header") }
    guard bytes.prefix(8).elementsEqual("HITOUSE3".utf8) else {
      throw damaged("it is not a sentence encoder")
    }
    let format = bytes.number(at: 8, as: UInt32.self)
    guard format == Self.format else {
      throw .otherFormat(path: path, found: format, expected: Self.format)
    }
    guard bytes.number(at: 12, as: UInt32.self) == UInt32(Dimensions.output) else {
      throw damaged("its vectors have another size")
    }
    let declared = bytes.number(at: 24, as: UInt64.self)
    guard declared == UInt64(bytes.count) else {
      throw damaged("\(bytes.count) bytes instead of \(declared)")
    }
    var hash = SHA256()
    hash.update(UnsafeRawBufferPointer(rebasing: bytes[Self.headerByteCount...]))
    guard hash.finalize().elementsEqual(bytes[32..<64]) else {
      throw damaged("its checksum does not match")
    }
    sections = try Self.directory(of: bytes, damaged)
  }

  private static func directory(
    of bytes: UnsafeRawBufferPointer, _ damaged: (String) -> ModelFileError
  ) throws(ModelFileError) -> [String: Section] {
    let count = Int(bytes.number(at: 16, as: UInt32.self))
    guard count <= sectionCountMax, headerByteCount + count * entryByteCount <= bytes.count else {
      throw damaged("its directory does not fit")
    }
    var sections: [String: Section] = [:]
    for index in 0..<count {
      let entry = headerByteCount + index * entryByteCount
      let name = String(
        decoding: bytes[entry..<entry + 24].prefix { $0 != 0 }, as: UTF8.self)
      let type = bytes.number(at: entry + 24, as: UInt32.self)
      let offset = bytes.number(at: entry + 32, as: UInt64.self)
      let count = bytes.number(at: entry + 40, as: UInt64.self)
      let (size, overflow) = count.multipliedReportingOverflow(by: type == 0 || type == 3 ? 1 : 4)
      guard
        type <= 3, !overflow, offset % UInt64(alignment) == 0,
        offset <= UInt64(bytes.count), size <= UInt64(bytes.count) - offset
      else { throw damaged("its section \(name) is outside") }
      sections[name] = Section(type: type, offset: Int(offset), count: Int(count))
    }
    return sections
  }

  func bytes(_ name: String, count: Int? = nil) throws(ModelFileError) -> Numbers<UInt8> {
    try section(name, type: 0, count: count)
  }

  func integers(_ name: String, count: Int? = nil) throws(ModelFileError) -> Numbers<UInt32> {
    try section(name, type: 1, count: count)
  }

  func floats(_ name: String, count: Int? = nil) throws(ModelFileError) -> Numbers<Float> {
    try section(name, type: 2, count: count)
  }

  func smallIntegers(_ name: String, count: Int? = nil) throws(ModelFileError) -> Numbers<Int8> {
    try section(name, type: 3, count: count)
  }

  func damaged(_ reason: String) -> ModelFileError { .damaged(path: path, reason: reason) }

  private func section<Number>(
    _ name: String, type: UInt32, count: Int?
  ) throws(ModelFileError) -> Numbers<Number> {
    guard
      let section = sections[name], section.type == type, section.count > 0,
      section.count == count ?? section.count, let base = file.bytes.baseAddress
    else { throw damaged("its section \(name) is not as expected") }
    // The mapping starts on a page and the offset is a multiple of 64: aligned for every number.
    let start = (base + section.offset).assumingMemoryBound(to: Number.self)
    return Numbers(
      start: UnsafeBufferPointer(start: start, count: section.count), owner: file)
  }
}

/// Numbers of the model inside its mapped file, which lives as long as they do.
///
/// `@unchecked Sendable`: the memory is never written and `owner` keeps it mapped.
struct Numbers<Number: BitwiseCopyable>: @unchecked Sendable {
  private let start: UnsafeBufferPointer<Number>
  private let owner: MappedFile

  init(start: UnsafeBufferPointer<Number>, owner: MappedFile) {
    self.start = start
    self.owner = owner
  }

  var count: Int { start.count }

  /// Nil outside.
  subscript(index: Int) -> Number? {
    start.indices.contains(index) ? start[index] : nil
  }

  /// `body` must not keep the buffer.
  func withBuffer<Result>(_ body: (UnsafeBufferPointer<Number>) -> Result) -> Result {
    withExtendedLifetime(owner) { body(start) }
  }
}

extension UnsafeRawBufferPointer {
  /// A little-endian number; the caller has checked that it is inside.
  fileprivate func number<Number: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as type: Number.Type
  ) -> Number {
    Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
  }
}
