import Glibc

/// The encodings that the system converts (`iconv`).
enum SystemEncoding {
  /// Nil where the text is not in that encoding, or the system does not know it.
  static func utf8(_ bytes: [UInt8], from name: String) -> [UInt8]? {
    guard let converter = iconv_open("UTF-8", name), converter != iconv_t(bitPattern: -1) else {
      return nil
    }
    defer { iconv_close(converter) }
    var input = bytes.map(CChar.init(bitPattern:))
    var output: [UInt8] = []
    var part = [CChar](repeating: 0, count: 16 << 10)
    let isDone = input.withUnsafeMutableBufferPointer { input in
      var start = input.baseAddress
      var rest = input.count
      while true {
        let (result, count, problem) = part.withUnsafeMutableBufferPointer { part in
          var end = part.baseAddress
          var room = part.count
          let result = iconv(converter, &start, &rest, &end, &room)
          return (result, part.count - room, errno)
        }
        output += part[..<count].map(UInt8.init(bitPattern:))
        if result != -1 { return rest == 0 }
        guard problem == E2BIG else { return false }
      }
    }
    return isDone ? output : nil
  }
}
