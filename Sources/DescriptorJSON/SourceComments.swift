/// The comments of a file, by the path of what they stand at (descriptor.proto, SourceCodeInfo).
struct SourceComments {
  /// What a contract's comments may take together; further ones are left out.
  private static let byteCountMax = 4 << 20
  private static let pathLengthMax = 64

  private var comments: [[Int]: String] = [:]

  init() {}

  init(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) {
    var budget = Self.byteCountMax
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      let (path, comment) = try Self.location(try field.bytes())
      budget -= comment.utf8.count
      if !comment.isEmpty, budget > 0 { comments[path] = comment }
    }
  }

  /// The comment at a path; empty where there is none.
  subscript(path: [Int]) -> String { comments[path] ?? "" }

  private static func location(
    _ bytes: ArraySlice<UInt8>
  ) throws(ProtobufError) -> (path: [Int], comment: String) {
    var path: [Int] = []
    var leading = ""
    var trailing = ""
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: try append(field, to: &path)
      case 3: leading = try field.text()
      case 4: trailing = try field.text()
      default: break
      }
    }
    return (path, clean(leading.isEmpty ? trailing : leading))
  }

  /// Steps are written packed, but some encoders do not.
  private static func append(
    _ field: ProtobufReader.Field, to path: inout [Int]
  ) throws(ProtobufError) {
    guard case .bytes(let packed) = field.value else {
      let step = Int(truncatingIfNeeded: try field.unsigned())
      if path.count < pathLengthMax { path.append(step) }
      return
    }
    var reader = ProtobufReader(packed)
    while !reader.isAtEnd {
      let step = Int(truncatingIfNeeded: try reader.varint())
      if path.count < pathLengthMax { path.append(step) }
    }
  }

  /// Without the blank that follows `//` and without empty lines at either end.
  private static func clean(_ comment: String) -> String {
    var lines = comment.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.hasPrefix(" ") ? line.dropFirst() : line
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    while lines.first?.isEmpty == true { lines.removeFirst() }
    return lines.joined(separator: "\n")
  }
}
