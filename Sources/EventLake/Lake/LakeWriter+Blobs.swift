import Digits
package import Domain

/// The large contents of events, each a file of its own beside `events/`. A file is there before the
/// batch of the event that names it, and never changes: its name is its content's hash.
extension LakeWriter {
  /// Makes the contents durable; those that are there already are passed over.
  func store(_ blobs: [EventBlob]) throws(LakeError) {
    // Whoever may read events is not shown everybody's code.
    let storage = storage.withoutReaders
    var touched: Set<String> = []
    for blob in blobs {
      let path = layout.path(of: blob.reference)
      let bytes = Array(blob.content.utf8)
      if try storage.inspect(path, checksum: false)?.byteCount == Int64(bytes.count) { continue }
      let folder = layout.folder(ofBlobsOf: blob.reference.ownerID)
      try storage.makeFolder(folder)
      let temporary = layout.temporaryPath(of: blob.reference)
      try bytes.withLakeBytes { (raw) throws(LakeError) in try storage.write(raw, to: temporary) }
      try storage.rename(temporary, to: path)
      touched.insert(folder)
    }
    for folder in touched.sorted() { try storage.syncFolder(folder) }
  }

  /// Whether the lake has every content that its events name: one that was begun by a version without
  /// contents has those of its first events only once they were copied.
  func hasAllBlobs() throws(LakeError) -> Bool {
    try storage.inspect(layout.blobMark, checksum: false) != nil
  }

  func markBlobs() throws(LakeError) {
    let storage = storage.withoutReaders
    try storage.makeFolder(layout.blobs)
    try [UInt8]("every content is here\n".utf8).withLakeBytes { (raw) throws(LakeError) in
      try storage.write(raw, to: layout.blobMark)
    }
    try storage.syncFolder(layout.blobs)
  }
}

extension LakeLayout {
  /// Beside `events/`: readers of that folder never meet them.
  package var blobs: String { "\(root)/blobs" }
  var blobMark: String { "\(blobs)/complete" }

  /// A folder for each owner, so that a person's contents go with it.
  package func folder(ofBlobsOf owner: EntityID) -> String { "\(blobs)/\(owner)" }

  package func path(of blob: BlobReference) -> String {
    "\(folder(ofBlobsOf: blob.ownerID))/\(Digits.hexadecimal(blob.hash))"
  }

  func temporaryPath(of blob: BlobReference) -> String {
    "\(folder(ofBlobsOf: blob.ownerID))/.\(Digits.hexadecimal(blob.hash)).tmp"
  }
}

extension ParquetEventLake {
  /// Makes contents of events durable, before the events that name them are appended.
  package func store(_ blobs: [EventBlob]) async throws(LakeError) {
    guard !blobs.isEmpty else { return }
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      try writer.store(blobs)
    }
  }

  func hasAllBlobs() async throws(LakeError) -> Bool {
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      return try writer.hasAllBlobs()
    }
  }

  func markBlobs() async throws(LakeError) {
    try await write { (writer) throws(LakeError) in
      try writer.requireOpen()
      try writer.markBlobs()
    }
  }
}
