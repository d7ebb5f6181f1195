internal import Contract
internal import Domain
internal import JSON
internal import OpenSSL
internal import RPC
internal import Writes

/// Events of other systems.
extension EventService {
  func publishEvents(
    _ request: PublishEventsRequest, _ context: CallContext
  ) async throws -> PublishEventsResponse {
    let caller = try context.caller
    guard let externals else {
      throw RPCError(.unimplemented, "this server takes no events of other systems")
    }
    let drafts = try Self.drafts(request)
    try await checkUsers(drafts, caller)
    return try await writes.perform(
      context, caller, WritePolicy(retriesDuplicates: true)
    ) { change in
      let latest = change.now.advanced(by: Domain.ExternalEvent.aheadMax)
      for (index, draft) in drafts.enumerated() where draft.occurredAt.map({ $0 > latest }) ?? false
      {
        throw DomainError.invalid(
          "events[\(index)].created_at",
          "is more than \(Domain.ExternalEvent.aheadMax) in the future")
      }
      let events = drafts.map { draft in draft.event(at: draft.occurredAt ?? change.now) }
      let known = try await externals.records(
        of: Array(Set(events.map(\.key))))
      let subjects = try await externals.subjects(
        Array(Set(events.compactMap(\.subjectKey))))
      let batch: ExternalBatch
      do throws(ExternalBatch.Conflict) {
        batch = try ExternalBatch(
          events, known: known, subjects: subjects, now: change.now, ids: change.ids,
          metadata: change.metadata)
      } catch {
        throw RPCError.externalIDConflict(error.index, events[error.index])
      }
      var changes: [Change] = []
      if !batch.records.isEmpty { changes.append(.insertExternals(batch.records)) }
      let changed = batch.changedSubjects
      if !changed.isEmpty { changes.append(.saveSubjects(changed)) }
      return Decision(
        changes: changes, events: batch.events,
        response: PublishEventsResponse(
          stored: Int32(batch.events.count), eventIds: batch.eventIDs.map(\.description)))
    }
  }

  /// Everything that can be said of a request without the stores.
  private static func drafts(_ request: PublishEventsRequest) throws -> [ExternalDraft] {
    guard (1...Domain.ExternalEvent.batchMax).contains(request.events.count) else {
      throw DomainError.invalid(
        "events", "must have 1 to \(Domain.ExternalEvent.batchMax) entries")
    }
    let byteCount = request.events.reduce(0) { $0 + $1.payloadJson.utf8.count }
    guard byteCount <= Domain.ExternalEvent.batchByteMax else {
      throw DomainError.invalid(
        "events", "have more than \(Domain.ExternalEvent.batchByteMax) bytes of payloads")
    }
    var drafts: [ExternalDraft] = []
    for (index, event) in request.events.enumerated() {
      drafts.append(try ExternalDraft(event, field: "events[\(index)]"))
    }
    return drafts
  }

  private func checkUsers(_ drafts: [ExternalDraft], _ caller: Caller) async throws {
    var known: Set<EntityID> = []
    for (index, draft) in drafts.enumerated() {
      guard let id = draft.userID, known.insert(id).inserted else { continue }
      guard try await users.user(id, scope: AccessScope(caller)) != nil else {
        throw DomainError.invalid("events[\(index)].user_id", "is no user")
      }
    }
  }
}

/// An event of a request: its time may still have to be given.
private struct ExternalDraft: Sendable {
  private var type: String
  private var source: String
  private var externalID: String
  private var subject: String
  private var payload: JSONValue
  private var contentHash: [UInt8]
  var userID: EntityID?
  var occurredAt: Domain.Timestamp?

  init(_ message: Contract.ExternalEvent, field: String) throws {
    guard Domain.ExternalEvent.isType(message.type) else {
      throw DomainError.invalid(
        "\(field).type", "must be external. and 1 to 60 characters of a-z and _")
    }
    guard Domain.ExternalEvent.isSource(message.source) else {
      throw DomainError.invalid(
        "\(field).source", "must be 1 to 60 characters of a-z, 0-9, -, _ and .")
    }
    var check = Domain.Validation()
    check.text(
      "\(field).external_id", message.externalId, minimum: 1, maximum: 200, singleLine: true)
    check.text("\(field).subject", message.subject, maximum: 200, singleLine: true)
    try check.check()
    type = message.type
    source = message.source
    externalID = message.externalId
    subject = message.subject
    userID = try EntityID.optional(message.userId, field: "\(field).user_id")
    payload = try Self.payload(message.payloadJson, field: "\(field).payload_json")
    occurredAt = try Domain.Timestamp.optional(message.createdAt, field: "\(field).created_at")
    if let time = occurredAt, time < Domain.ExternalEvent.earliest {
      throw DomainError.invalid("\(field).created_at", "is before 1970")
    }
    var hash = SHA256()
    for text in [
      type, subject, userID?.description ?? "", occurredAt?.description ?? "", payload.text,
    ] {
      hash.update("\(text.utf8.count):".utf8)
      hash.update(text.utf8)
    }
    contentHash = hash.finalize()
  }

  /// The depth first: what is nested too deeply is not read.
  private static func payload(_ text: String, field: String) throws(DomainError) -> JSONValue {
    guard text.utf8.count <= Domain.ExternalEvent.payloadByteMax else {
      throw .invalid(field, "is longer than \(Domain.ExternalEvent.payloadByteMax) bytes")
    }
    guard
      let value = JSONValue(
        parsing: text.isEmpty ? "{}" : text, depthMax: Domain.ExternalEvent.depthMax),
      case .object = value
    else {
      throw .invalid(
        field, "is not a JSON object of at most \(Domain.ExternalEvent.depthMax) levels")
    }
    // PostgreSQL's jsonb holds no such character.
    guard !text.contains("\\u0000") else { throw .invalid(field, "has a NUL character") }
    guard (value.digitByteCount ?? .max) <= Domain.ExternalEvent.payloadByteMax else {
      throw .invalid(
        field,
        "has numbers that are longer than \(Domain.ExternalEvent.payloadByteMax) bytes without "
          + "exponents, or an exponent beyond \(JSONValue.exponentMax)")
    }
    return value
  }

  func event(at time: Domain.Timestamp) -> Domain.ExternalEvent {
    Domain.ExternalEvent(
      type: type, source: source, externalID: externalID, subject: subject, userID: userID,
      payload: payload, occurredAt: time, contentHash: contentHash)
  }
}

extension Domain.ExternalEvent {
  fileprivate var key: ExternalKey { ExternalKey(source: source, externalID: externalID) }

  fileprivate var subjectKey: SubjectKey? {
    subject.isEmpty ? nil : SubjectKey(source: source, subject: subject)
  }
}

extension RPCError {
  fileprivate static func externalIDConflict(
    _ index: Int, _ event: Domain.ExternalEvent
  ) -> RPCError {
    RPCError(
      .alreadyExists,
      "events[\(index)]: there is an event of this source and external id with another content",
      details: .encoded(
        ErrorDetails(
          reason: .externalIdConflict,
          fieldViolations: [
            Contract.FieldViolation(
              field: "events[\(index)].external_id", description: "is another event's")
          ])))
  }
}

extension JSONValue {
  /// Beyond every `Double`, and far below what PostgreSQL takes.
  fileprivate static let exponentMax = 1000

  /// How long all numbers are as PostgreSQL writes them, which is without exponents: a few bytes of `1e99999`
  /// would be more than any reader of the log takes. Nil where an exponent is beyond all measure.
  fileprivate var digitByteCount: Int? {
    switch self {
    case .number(let number):
      let parts = number.text.split { $0 == "e" || $0 == "E" }
      guard parts.count > 1 else { return number.text.utf8.count }
      guard let exponent = Int(parts[1]), exponent.magnitude <= Self.exponentMax else { return nil }
      return parts[0].utf8.count + abs(exponent)
    case .array(let values): return Self.sum(values)
    case .object(let members): return Self.sum(members.map(\.value))
    default: return 0
    }
  }

  private static func sum(_ values: [JSONValue]) -> Int? {
    var sum = 0
    for value in values {
      guard let count = value.digitByteCount else { return nil }
      sum += count
    }
    return sum
  }
}
