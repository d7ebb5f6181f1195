package import JSON

/// What becomes of a batch of events of other systems: which of them are new, and what is written for those.
package struct ExternalBatch: Sendable {
  /// Of each event of the batch, the id that it has in the log.
  package private(set) var eventIDs: [EntityID] = []
  package private(set) var events: [NewEvent] = []
  package private(set) var records: [ExternalRecord] = []
  /// Those that get new events.
  package var changedSubjects: [ExternalSubject] {
    subjects.values.filter { $0.version > $0.loadedVersion }.sorted {
      ($0.key.source, $0.key.subject) < ($1.key.source, $1.key.subject)
    }
  }

  private var known: [ExternalKey: ExternalRecord] = [:]
  private var subjects: [SubjectKey: ExternalSubject] = [:]

  /// The event at `index` is stored already, with another content.
  package struct Conflict: Error, Sendable, Hashable {
    package var index: Int

    package init(index: Int) { self.index = index }
  }

  /// - Parameters:
  ///   - known: the records of these events that there are.
  ///   - subjects: those of their subjects that there are.
  package init(
    _ batch: [ExternalEvent], known: [ExternalRecord], subjects: [ExternalSubject], now: Timestamp,
    ids: any IDGenerator, metadata: JSONValue
  ) throws(Conflict) {
    self.known = Dictionary(known.map { ($0.key, $0) }) { first, _ in first }
    self.subjects = Dictionary(subjects.map { ($0.key, $0) }) { first, _ in first }
    for (index, event) in batch.enumerated() {
      let key = ExternalKey(source: event.source, externalID: event.externalID)
      if let record = self.known[key] {
        guard record.contentHash == event.contentHash else { throw Conflict(index: index) }
        eventIDs.append(record.eventID)
        continue
      }
      let id = ids.next(at: now)
      let record = ExternalRecord(key: key, eventID: id, contentHash: event.contentHash)
      self.known[key] = record
      records.append(record)
      eventIDs.append(id)
      append(event, id, now: now, ids: ids, metadata)
    }
  }

  private mutating func append(
    _ event: ExternalEvent, _ id: EntityID, now: Timestamp, ids: any IDGenerator,
    _ metadata: JSONValue
  ) {
    var (entityID, version) = (id, Int64(1))
    if !event.subject.isEmpty {
      let key = SubjectKey(source: event.source, subject: event.subject)
      var subject =
        subjects[key]
        ?? ExternalSubject(key: key, entityID: ids.next(at: now), version: 0, loadedVersion: 0)
      subject.version += 1
      subjects[key] = subject
      (entityID, version) = (subject.entityID, subject.version)
    }
    events.append(
      NewEvent(
        id: id, externalType: event.type, entityID: entityID, version: version,
        userID: event.userID,
        payload: .object([
          ("source", .string(event.source)), ("external_id", .string(event.externalID)),
          ("subject", .string(event.subject)), ("received_at", JSONValue(now)),
          ("data", event.payload),
        ]), metadata: metadata, createdAt: event.occurredAt))
  }
}
