package import Domain

/// Reads Markdown with md4c, HTML and plain text by itself. Pure: no file, no network,
/// no state; safe to call from many tasks at a time.
///
/// md4c takes time in proportion to the text for all but a few known shapes of input; those are
/// refused (`tooComplex`) before or while they are read, so that the whole is bounded.
package struct StandardDocumentReader: DocumentReader {
  package static let byteCountMax = 2 << 20

  package init() {}

  package func read(
    _ bytes: [UInt8], as format: DocumentFormat
  ) throws(DocumentError) -> ReadDocument {
    guard bytes.count <= Self.byteCountMax else { throw .tooComplex("longer than 2 MiB") }
    guard !bytes.contains(0) else { throw .containsNUL }
    guard String(validating: bytes, as: UTF8.self) != nil else { throw .notUTF8 }
    // A byte order mark is not part of the text.
    let text = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes[3...] : bytes[...]
    return switch format {
    case .markdown: try MarkdownReader.read(text)
    case .html: try HTMLReader.read(text)
    case .plain: try PlainTextReader.read(text)
    }
  }
}
