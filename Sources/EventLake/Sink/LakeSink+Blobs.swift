import Domain

/// The large contents of events go into the lake before the events that name them.
extension LakeSink {
  /// What is read of contents at a time.
  private static let byteCountMax = 16 << 20
  private static let countMax = 200

  func storeBlobs(of events: [StoredEvent]) async throws {
    guard let blobs else { return }
    try await copyOlderBlobs()
    var portion: [BlobReference] = []
    var byteCount = 0
    for named in events.flatMap(\.blobs) {
      portion.append(named.reference)
      byteCount += named.byteCount
      if byteCount >= Self.byteCountMax || portion.count >= Self.countMax {
        try await copy(portion, from: blobs)
        (portion, byteCount) = ([], 0)
      }
    }
    try await copy(portion, from: blobs)
  }

  private func copy(_ references: [BlobReference], from blobs: any EventBlobs) async throws {
    guard !references.isEmpty else { return }
    let wanted = Set(references)
    let found = try await blobs.blobs(wanted.sorted())
    try await lake.store(found)
    // Events of builds without contents, or of a server that runs one still: nothing waits for them.
    let missing = wanted.count - found.count
    if missing > 0 {
      logger.warning(
        "contents that events name are not in the database", metadata: ["count": "\(missing)"])
    }
  }

  /// Once for a lake that was begun by a version without contents.
  private func copyOlderBlobs() async throws {
    guard let blobs, !areBlobsComplete.withLock({ $0 }) else { return }
    if try await !lake.hasAllBlobs() {
      var last: BlobReference?
      while lake.publishedPosition > 0 {
        // Contents are 2 MiB at most.
        let page = try await blobs.blobs(after: last, limit: 16)
        guard let end = page.last else { break }
        try await lake.store(page)
        last = end.reference
      }
      try await lake.markBlobs()
    }
    areBlobsComplete.withLock { $0 = true }
  }
}
