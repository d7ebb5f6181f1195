import Domain

/// The files that a batch of events makes: one a kind and day, encoded but not written yet.
struct BatchPlan {
  var intent: PublishIntent
  let encoded: [EncodedFile]

  /// More text than this in one batch is cut into several by the caller.
  static let byteCountMax = 256 << 20
  static let rowCountMax = 200_000

  /// - Parameter events: in the order of their positions, without gaps; not empty.
  init(
    _ events: [StoredEvent], replaced: [LakeFile] = [], options: EncodingOptions
  ) throws(LakeError) {
    guard let first = events.first, let last = events.last else {
      throw .encoding(detail: "an empty batch")
    }
    var tables: [Key: EventTable] = [:]
    var bounds: [Key: (first: Int64, last: Int64)] = [:]
    for event in events {
      let key = try Key(event)
      tables[key, default: EventTable(kind: key.kind)].append(event)
      bounds[key, default: (event.position, event.position)].last = event.position
    }
    var files: [LakeFile] = []
    var encoded: [EncodedFile] = []
    for key in tables.keys.sorted() {
      guard let table = tables.removeValue(forKey: key), let bound = bounds[key] else { continue }
      let bytes = try table.encoded(options: options)
      files.append(
        LakeFile(
          kind: key.kind, dayNumber: key.dayNumber, firstPosition: bound.first,
          lastPosition: bound.last, rowCount: Int64(table.rowCount), byteCount: bytes.byteCount,
          checksum: bytes.checksum))
      encoded.append(bytes)
    }
    intent = PublishIntent(
      firstPosition: first.position, lastPosition: last.position, files: files, replaced: replaced)
    self.encoded = encoded
  }

  struct Key: Hashable, Comparable {
    let dayNumber: Int64
    let kind: EventKind

    init(_ event: StoredEvent) throws(LakeError) {
      let civil = CivilTime(event.createdAt)
      // Four digits of year are what the folder names and every reader's calendar hold.
      guard (1...9999).contains(civil.year) else {
        throw .invalidEvent(position: event.position, reason: "created_at is out of range")
      }
      dayNumber = civil.dayNumber
      kind = EventKind(eventType: event.type)
    }

    static func < (left: Key, right: Key) -> Bool {
      (left.dayNumber, left.kind.rawValue) < (right.dayNumber, right.kind.rawValue)
    }
  }

  /// The part of `events` that is new and fits one batch.
  static func nextBatch(
    of events: ArraySlice<StoredEvent>, after published: Int64
  ) throws(LakeError) -> ArraySlice<StoredEvent> {
    var byteCount = 0
    var end = events.startIndex
    var expected = published + 1
    for event in events {
      // Without gaps: whoever skips a position has lost an event, and nobody would notice later.
      guard event.position == expected else {
        throw .gap(expected: expected, found: event.position)
      }
      let size = event.payload.byteCount + event.metadata.byteCount + 512
      guard size <= byteCountMax else {
        throw .invalidEvent(position: event.position, reason: "it has \(size) bytes")
      }
      if byteCount + size > byteCountMax || end - events.startIndex == rowCountMax { break }
      byteCount += size
      expected += 1
      end += 1
    }
    return events[events.startIndex..<end]
  }
}
