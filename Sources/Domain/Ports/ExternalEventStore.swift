/// What of other systems is known. It is written through `WriteStore`.
package protocol ExternalEventStore: Sendable {
  func records(of keys: [ExternalKey]) async throws(StoreError) -> [ExternalRecord]
  func subjects(_ keys: [SubjectKey]) async throws(StoreError) -> [ExternalSubject]
}
