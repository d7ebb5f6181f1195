/// Emits bytes as a C constant: that is the only form in which a compiler takes long data fast.
struct DescriptorEmitter {
  let symbol: String

  func header() -> String {
    """
    /* \(banner(for: "the descriptors of all files")) */
    #pragma once

    #include <stddef.h>

    /* A google.protobuf.FileDescriptorSet with comments, imports first. */
    extern const unsigned char \(symbol)[];
    extern const size_t \(symbol)_size;

    /* The start of the bytes: an array of unknown size does not reach Swift. */
    const unsigned char *\(symbol)_bytes(void);

    """
  }

  func source(_ bytes: [UInt8], header: String) -> String {
    var out = SourceWriter()
    out.line("/* \(banner(for: "the descriptors of all files")) */")
    out.line("#include \"\(header)\"")
    out.line()
    out.line("const unsigned char \(symbol)[] = {")
    out.indented { out in
      // Decimal is the shortest; one line for 24 numbers keeps differences readable.
      for start in stride(from: 0, to: bytes.count, by: 24) {
        let row = bytes[start..<min(start + 24, bytes.count)]
        out.line(row.map { "\($0)," }.joined())
      }
    }
    out.line("};")
    out.line("const size_t \(symbol)_size = sizeof \(symbol);")
    out.line()
    out.line("const unsigned char *\(symbol)_bytes(void) { return \(symbol); }")
    return out.text
  }
}
