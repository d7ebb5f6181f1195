package import JSON

/// JSON text of an object as the log and every copy of it hold it: personal members may be sealed.
///
/// A personal value, at the top level of a payload or of metadata, has one of these forms, and every
/// reader knows all of them:
///
///     "title": "Learn Swift"                                           in clear
///     "title": {"$personal": {"clear": …}}                             in clear, and looks like the next
///     "title": {"$personal": {"key": "…", "type": "string", "box": "…"}}   sealed
///
/// A sealed value whose key has gone reads as the placeholder of its type: `[forgotten]`, an empty
/// array or object, null.
package struct SealedJSON: Sendable, Hashable, ExpressibleByStringLiteral {
  /// As it is stored. For what stores it and brings it back, and nobody else: readers ask the event
  /// for `openedPayload` and `openedMetadata`.
  package let sealedText: String

  package init(sealedText: String) { self.sealedText = sealedText }

  package init(stringLiteral text: String) { sealedText = text }

  package var byteCount: Int { sealedText.utf8.count }

  /// The members `names` that are stored in clear. Those that are sealed are missing, whether or not
  /// there is a key.
  package func clearFields(_ names: Set<String>) -> JSONFields {
    JSONFields(of: sealedText, names: names).removing {
      if case .nested(let text) = $0 { PersonalValue.mayBeSealed(text) } else { false }
    }
  }
}

extension SealedJSON {
  /// Seals what of `object` is personal.
  ///
  /// - Parameter person: whose event it is; nobody's is stored in clear.
  init(
    _ object: JSONValue, _ fields: PersonalFields, _ part: PersonalPlace.Part, eventID: EntityID,
    person: EntityID?
  ) throws(SealingFailed) {
    guard case .object(var members) = object else {
      self.init(sealedText: object.text)
      return
    }
    for index in members.indices {
      let (name, value) = members[index]
      if fields.plain.contains(name) {
        members[index].value = PersonalValue.clear(value)
        continue
      }
      assert(fields.personal.contains(name), "declare '\(name)' of \(part) in PersonalFields")
      members[index].value = try PersonalValue.sealed(
        value, at: PersonalPlace(eventID: eventID, part: part, member: name), of: person)
    }
    self.init(sealedText: JSONValue.object(members).text)
  }

  /// Whether nothing in it is sealed, which is for one event only.
  package var isReadAlikeInEveryEvent: Bool { !PersonalValue.isMarked(sealedText) }

  /// The text with every sealed member opened, or its placeholder instead.
  func opened(_ part: PersonalPlace.Part, eventID: EntityID) -> String {
    guard PersonalValue.isMarked(sealedText),
      case .object(let members)? = JSONValue(parsing: sealedText)
    else { return sealedText }
    return JSONValue.object(
      members.map { name, value in
        let place = PersonalPlace(eventID: eventID, part: part, member: name)
        return (name, PersonalValue.opened(value, at: place))
      }
    ).text
  }
}

extension StoredEvent {
  /// An event that the log has not seen yet, as it is stored: the one way into the log.
  package init(sealing event: NewEvent) throws(SealingFailed) {
    self.init(
      id: event.id, seq: 0, position: 0, type: event.typeText,
      entityType: event.entityType.rawValue, entityID: event.entityID, version: event.version,
      userID: event.userID,
      payload: try SealedJSON(
        event.payload, event.type.personalFields, .payload, eventID: event.id,
        person: event.userID),
      metadata: try SealedJSON(
        event.metadata, .ofMetadata, .metadata, eventID: event.id, person: event.userID),
      createdAt: event.createdAt)
  }

  /// JSON text of the payload for its readers.
  package var openedPayload: String { payload.opened(.payload, eventID: id) }

  /// JSON text of the metadata for its readers.
  package var openedMetadata: String { metadata.opened(.metadata, eventID: id) }
}
