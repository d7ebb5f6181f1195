package import JSON

/// Brings the payload of an old event to what this build writes, as far as it says enough.
///
/// Events are never edited: each change of a payload's form has a step here, from its version to the
/// next one, and events of every version in `Tests/Golden/events`, which every build reads.
package enum Upcaster {
  /// A payload in the form of `StoredEvent.currentSchemaVersion`.
  package struct Upcast: Sendable, Hashable {
    package var payload: JSONValue
    /// What the event cannot say, since its build did not record it.
    package var unknown: Set<UnknownField>
  }

  /// - Throws: `RebuildProblem` where the payload cannot be read, or is of a later build.
  package static func upcast(_ event: StoredEvent) throws(RebuildProblem) -> Upcast {
    guard let payload = JSONValue(parsing: event.openedPayload), case .object = payload else {
      throw RebuildProblem(event, .notAnObject)
    }
    guard event.schemaVersion <= StoredEvent.currentSchemaVersion, event.schemaVersion > 0 else {
      throw RebuildProblem(event, .laterSchema(event.schemaVersion))
    }
    var upcast = Upcast(payload: payload, unknown: [])
    if event.schemaVersion < 2 { version2(&upcast, of: event) }
    return upcast
  }

  /// Version 2 says the revision of a goal's row, the other files of a submission, and null where a
  /// snapshot has no feedback.
  private static func version2(_ upcast: inout Upcast, of event: StoredEvent) {
    switch EntityType(rawValue: event.entityType) {
    case .goal, .task:
      if upcast.payload["revision"] == nil { upcast.unknown.insert(.goalRevision) }
    case .codeSnapshot:
      if upcast.payload["verdict"].map({ $0 == .null }) ?? true {
        upcast.payload.set("validation_feedback", .null)
      }
      if event.type == EventType.codeSubmitted.rawValue, upcast.payload["files"] == nil {
        upcast.unknown.insert(.snapshotFiles)
      }
    case .enrolment:
      placeInCourse(&upcast, of: event)
    default: break
    }
  }

  /// The first events of enrolments said only whether the learner is in; who made them is in the metadata.
  /// Nobody was invited then.
  private static func placeInCourse(_ upcast: inout Upcast, of event: StoredEvent) {
    guard upcast.payload["state"] == nil else { return }
    let isActive = upcast.payload["is_active"]?.boolValue ?? false
    let actor = JSONValue(parsing: event.openedMetadata)?["actor"]?["user_id"]?.id
    upcast.payload.set("state", .string((isActive ? EnrolmentState.active : .left).rawValue))
    upcast.payload.set("changed_by", JSONValue(actor))
    upcast.payload.set("is_direct", .bool(isActive && actor != nil && actor != event.userID))
  }
}

/// What events of older builds cannot say, by the name of where it belongs.
package enum UnknownField: String, Sendable, Hashable, CaseIterable {
  case goalRevision = "goals.revision"
  case snapshotFiles = "snapshot_files"
  /// The text of a version of a document that was replaced before texts were kept with events.
  case documentText = "passages.chunk_number"
}

/// Why an event makes no row.
package struct RebuildProblem: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Reason: Sendable, Hashable {
    case notAnObject
    case laterSchema(Int32)
    /// This build does not know the type, and the event does not say what rows of this build have.
    case unknownType
    case missing(member: String)
    case wrong(member: String, wanted: String)
    /// The content of this hash is not beside the log.
    case missingBlob(hash: String)
    /// The content there has another hash.
    case damagedBlob(hash: String)
    /// The text of a document cannot be read by this build.
    case unreadableDocument(String)
  }

  package var eventID: EntityID
  package var type: String
  package var position: Int64
  package var reason: Reason

  package init(_ event: StoredEvent, _ reason: Reason) {
    self.init(eventID: event.id, type: event.type, position: event.position, reason)
  }

  package init(eventID: EntityID, type: String, position: Int64, _ reason: Reason) {
    self.eventID = eventID
    self.type = type
    self.position = position
    self.reason = reason
  }

  /// A later build wrote it, which can read it: nothing is wrong with the event.
  package var isOfLaterBuild: Bool {
    switch reason {
    case .unknownType: true
    case .laterSchema(let version): version > StoredEvent.currentSchemaVersion
    default: false
    }
  }

  package var description: String {
    let place = position > 0 ? " at position \(position)" : ""
    return "event \(eventID) (\(type))\(place) \(text)"
  }

  private var text: String {
    switch reason {
    case .notAnObject: "has a payload that is not a JSON object"
    case .laterSchema(let version):
      "is of schema version \(version), and this build knows them up to "
        + "\(StoredEvent.currentSchemaVersion): use a newer build"
    case .unknownType: "is of a type that this build does not know: use a newer build"
    case .missing(let member): "says nothing of '\(member)'"
    case .wrong(let member, let wanted): "has '\(member)', which is not \(wanted)"
    case .missingBlob(let hash): "names the content \(hash), which is not there"
    case .damagedBlob(let hash): "names the content \(hash), and what is there has another hash"
    case .unreadableDocument(let why): "brought a document that \(why)"
    }
  }
}

extension JSONValue {
  /// Sets a member of an object.
  fileprivate mutating func set(_ name: String, _ value: JSONValue) {
    guard case .object(var members) = self else { return }
    members.removeAll { $0.key == name }
    members.append((name, value))
    self = .object(members)
  }
}
