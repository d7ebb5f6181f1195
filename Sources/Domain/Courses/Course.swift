package import JSON

/// A body of learning material that goals can belong to.
package struct Course: Sendable, Hashable {
  package var id: EntityID
  /// The instructor (or admin) that owns the course.
  package var userID: EntityID
  package var title: String
  package var description: String
  /// `es` or `en`.
  package var language: String
  package var technologies: [String]
  /// Free text by name; `technologies` is not allowed as a name.
  package var attributes: [String: String]
  package var status: CourseStatus
  package var version: Int64
  package var createdAt: Timestamp
  package var updatedAt: Timestamp

  package init(
    id: EntityID, userID: EntityID, title: String, description: String, language: String,
    technologies: [String], attributes: [String: String], status: CourseStatus = .active,
    version: Int64 = 1, createdAt: Timestamp, updatedAt: Timestamp
  ) {
    self.id = id
    self.userID = userID
    self.title = title
    self.description = description
    self.language = language
    self.technologies = technologies
    self.attributes = attributes
    self.status = status
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// The `courses.metadata` column: the attributes, and `technologies` as an array.
  package var metadata: JSONValue {
    .object(
      [("technologies", .array(technologies.map(JSONValue.string)))]
        + attributes.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
  }

  package var payload: JSONValue {
    .object([
      ("id", .string(id.description)),
      ("user_id", .string(userID.description)),
      ("title", .string(title)),
      ("description", .string(description)),
      ("language", .string(language)),
      ("metadata", metadata),
      ("status", .string(status.rawValue)),
      ("created_at", .string(createdAt.description)),
      ("updated_at", .string(updatedAt.description)),
    ])
  }

  package func validate() throws(DomainError) {
    var validation = Validation()
    validation.text("title", title, minimum: 1, maximum: CourseLimits.title, singleLine: true)
    validation.text("description", description, maximum: CourseLimits.description)
    if !UserLimits.languages.contains(language) {
      validation.add("language", "must be one of: \(UserLimits.languages.joined(separator: ", "))")
    }
    if technologies.count > CourseLimits.technologies {
      validation.add("technologies", "has more than \(CourseLimits.technologies) entries")
    }
    for (index, technology) in technologies.prefix(CourseLimits.technologies).enumerated() {
      validation.text(
        "technologies[\(index)]", technology, minimum: 1, maximum: CourseLimits.technology,
        singleLine: true)
    }
    if attributes.count > CourseLimits.attributes {
      validation.add("metadata", "has more than \(CourseLimits.attributes) entries")
    }
    for (name, value) in attributes.sorted(by: { $0.key < $1.key }).prefix(CourseLimits.attributes)
    {
      if name == "technologies" { validation.add("metadata", "use the field technologies") }
      validation.text("metadata", name, minimum: 1, maximum: 64, singleLine: true)
      validation.text("metadata[\(name.prefix(64))]", value, maximum: 1000, isLabel: true)
    }
    try validation.check()
  }

  package func event(
    _ type: EventType, id eventID: EntityID, at now: Timestamp, metadata: JSONValue
  ) -> NewEvent {
    NewEvent(
      id: eventID, type: type, entityType: .course, entityID: id, version: version,
      userID: userID, payload: payload, metadata: metadata, createdAt: now)
  }

  /// Moves the course along its life: active and archived to and fro, anything to deleted.
  ///
  /// - Returns: the type of the event that records the move.
  package mutating func apply(
    _ action: CourseAction, at now: Timestamp
  ) throws(DomainError) -> EventType {
    let (next, type): (CourseStatus, EventType)
    switch (status, action) {
    case (.active, .archive): (next, type) = (.archived, .courseArchived)
    case (.archived, .reopen): (next, type) = (.active, .courseReopened)
    case (.active, .delete), (.archived, .delete): (next, type) = (.deleted, .courseDeleted)
    case (.deleted, _): throw .notFound(.course, id)
    case (.archived, .archive), (.active, .reopen):
      throw .illegalTransition(
        .course, id, from: status.rawValue, action: action.rawValue,
        hint: "the course is \(status.rawValue) already")
    }
    status = next
    version += 1
    updatedAt = max(now, updatedAt)
    return type
  }
}

package enum CourseStatus: String, Sendable, Hashable, CaseIterable {
  case active, archived, deleted
}

package enum CourseAction: String, Sendable, Hashable, CaseIterable {
  case archive, reopen, delete
}

/// The maxima of a course's fields, in characters or entries.
package enum CourseLimits {
  package static let title = 200
  package static let description = 10_000
  package static let technologies = 50
  package static let technology = 64
  package static let attributes = 50
}
