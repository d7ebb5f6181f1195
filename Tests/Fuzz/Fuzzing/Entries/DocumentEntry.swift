import Documents
import Domain

/// A document of one format: the readers take any bytes, and what they find is text.
enum DocumentEntry {
  static func run(_ bytes: [UInt8], _ format: DocumentFormat) {
    guard let document = try? StandardDocumentReader().read(bytes, as: format) else { return }
    var anchors: Set<String> = []
    for section in document.sections {
      require(anchors.insert(section.anchor).inserted, "two sections with one anchor")
      for block in section.blocks {
        switch block {
        case .prose(let text): require(!text.utf8.contains(0), "NUL in a paragraph")
        case .code(let text, let language):
          require(!text.utf8.contains(0) && !language.utf8.contains(0), "NUL in a listing")
        }
      }
    }
    // Pure: the same again.
    require((try? StandardDocumentReader().read(bytes, as: format)) == document, "not pure")
  }
}
