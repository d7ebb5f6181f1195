import HitoClient
import OpenSSL

/// What an ingestion would do to the documents of a course.
struct IngestPlan {
  private(set) var added: [String] = []
  private(set) var changed: [String] = []
  private(set) var unchangedCount = 0
  private(set) var removed: [String] = []
  private(set) var refused: [DocumentFolder.Refusal] = []
  private(set) var notes: [String] = []

  /// - Parameter stored: the documents of the course.
  init(_ folder: DocumentFolder, stored: [DocumentInfo], replacingAll: Bool) {
    let hashes = Dictionary(stored.map { ($0.path, $0.contentHash) }) { first, _ in first }
    var brought: Set<String> = []
    refused = folder.refused
    for file in folder.files {
      brought.insert(file.path)
      do throws(DocumentFolder.Refusal) {
        let text = try file.check()
        if let encoding = text.encoding { notes.append(IngestText.converted(file.path, encoding)) }
        switch hashes[file.path] {
        case nil: added.append(file.path)
        case SHA256.hash(text.bytes)?: unchangedCount += 1
        default: changed.append(file.path)
        }
      } catch {
        refused.append(error)
      }
    }
    guard replacingAll else { return }
    brought.formUnion(folder.refused.map(\.path))
    removed = stored.map(\.path).filter { !brought.contains($0) }
  }
}
