import Digits
package import JSON

/// A file of a learner's code as it was at one moment. The code itself never changes: a new version
/// is a new snapshot; what changes is what is thought of it and who may see it.
package struct CodeSnapshot: Sendable, Hashable {
  package var id: EntityID
  /// The author.
  package var userID: EntityID
  package var goalID: EntityID?
  package var taskID: EntityID?
  /// The course that this is a reference solution of; nil for all other code.
  package var referenceCourseID: EntityID?
  package var filePath: String
  /// In lower case, for example `python`; `text` where nothing says more.
  package var language: String
  package var content: String
  /// SHA-256 of the content's UTF-8.
  package var contentHash: [UInt8]
  /// The other files of a submission, in the order of their paths; not in lists.
  package var files: [SourceFile]
  /// SHA-256 of the files' UTF-8, in their order; of a new snapshot only.
  package var fileHashes: [[UInt8]]
  /// What was decided last; nil before anybody has judged it.
  package var judgement: Judgement?
  /// Whether the author lets others see it, once it has passed.
  package var isShared: Bool
  package var version: Int64
  package var createdAt: Timestamp
  package var updatedAt: Timestamp

  /// - Parameters:
  ///   - language: empty means by the ending of the path.
  ///   - contentHash: SHA-256 of the content's UTF-8, which the caller computes.
  ///   - fileHashes: the same of each of the other files.
  package init(
    id: EntityID, userID: EntityID, goalID: EntityID? = nil, taskID: EntityID? = nil,
    referenceCourseID: EntityID? = nil, filePath: String, language: String, content: String,
    contentHash: [UInt8], files: [SourceFile] = [], fileHashes: [[UInt8]] = [],
    judgement: Judgement? = nil, isShared: Bool = false,
    version: Int64 = 1, createdAt: Timestamp, updatedAt: Timestamp
  ) {
    self.id = id
    self.userID = userID
    self.goalID = goalID
    self.taskID = taskID
    self.referenceCourseID = referenceCourseID
    self.filePath = filePath
    self.language = language.isEmpty ? CodeLanguage.ofPath(filePath) : language.lowercased()
    self.content = content
    self.contentHash = contentHash
    self.files = files
    self.fileHashes = fileHashes
    self.judgement = judgement
    self.isShared = isShared
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// Whether it is an example for those who have nothing else to do with its author, and take the
  /// word of these instructors.
  package func isSharedExample(trusting instructors: Set<EntityID>) -> Bool {
    guard isShared, let judgement, judgement.verdict == .passed else { return false }
    return judgement.provenance.instructorID.map(instructors.contains) ?? true
  }

  package func validate() throws(DomainError) {
    var validation = Validation()
    validation.text(
      "file_path", filePath, minimum: 1, maximum: CodeLimits.filePath, singleLine: true)
    if !CodeLanguage.isName(language) {
      validation.add(
        "language", "must be 1 to \(CodeLimits.language) of a-z, 0-9, '+', '#', '.', '_' and '-'")
    }
    // Other control characters have their place in code; PostgreSQL holds all but this one.
    if content.utf8.count > CodeLimits.contentByteCount {
      validation.add("code_content", "is longer than 256 KiB")
    } else if content.utf8.contains(0) {
      validation.add("code_content", "contains a NUL character")
    }
    try validation.check()
  }

  /// All files, the main one too.
  package var submission: Submission {
    Submission(
      language: language, mainPath: filePath,
      files: files + [SourceFile(path: filePath, content: content)])
  }

  /// Takes over a verdict that was decided elsewhere.
  ///
  /// - Returns: false where that was decided already, word for word.
  package mutating func judge(
    _ new: Judgement, at now: Timestamp
  ) throws(DomainError) -> Bool {
    try new.validate()
    if let old = judgement, old.verdict.isDecided, !new.verdict.isDecided {
      throw .illegalTransition(
        .codeSnapshot, id, from: old.verdict.rawValue, action: "record \(new.verdict.rawValue)",
        hint: "a verdict gives way only to passed or failed")
    }
    guard judgement != new else { return false }
    judgement = new
    touch(at: now)
    return true
  }

  /// Takes over the verdict of a validation: each one counts, also where it says what the last one said.
  package mutating func judgeAgain(_ new: Judgement, at now: Timestamp) throws(DomainError) {
    if try !judge(new, at: now) { touch(at: now) }
  }

  /// - Returns: the type of the event that records the change; nil where there is none.
  package mutating func share(_ isShared: Bool, at now: Timestamp) -> EventType? {
    guard isShared != self.isShared else { return nil }
    self.isShared = isShared
    touch(at: now)
    return isShared ? .codeShared : .codeUnshared
  }

  private mutating func touch(at now: Timestamp) {
    version += 1
    updatedAt = max(now, updatedAt)
  }

  /// The state under its column names. The code is not part of it, only its hash and size: an event
  /// must stay small enough for every page and every subscriber, and the row never changes its code.
  /// It is kept beside the log (`EventBlobs`).
  ///
  /// - Parameter goalCourseID: the course that the goal belongs to now, whose owner may follow.
  package func payload(goalCourseID: EntityID?) -> JSONValue {
    func text(_ id: EntityID?) -> JSONValue { id.map { .string($0.description) } ?? .null }
    return .object([
      ("code_snapshot_id", .string(id.description)),
      ("user_id", .string(userID.description)),
      ("goal_id", text(goalID)),
      ("task_id", text(taskID)),
      ("course_id", text(referenceCourseID ?? goalCourseID)),
      ("reference_solution", .bool(referenceCourseID != nil)),
      ("file_path", .string(filePath)),
      ("language", .string(language)),
      ("code_hash", .string(Digits.hexadecimal(contentHash))),
      ("code_byte_count", .integer(Int64(content.utf8.count))),
      ("verdict", judgement.map { .string($0.verdict.rawValue) } ?? .null),
      ("validation_passed", judgement?.verdict.passed.map(JSONValue.bool) ?? .null),
      ("validation_score", judgement?.score.map(JSONValue.number) ?? .null),
      ("validation_feedback", judgement.map { .string($0.feedback) } ?? .null),
      ("provenance", judgement?.provenance.json ?? .null),
      ("shared", .bool(isShared)),
      ("created_at", .string(createdAt.description)),
      ("updated_at", .string(updatedAt.description)),
    ])
  }

  package func event(
    _ type: EventType, goalCourseID: EntityID?, context: ChangeContext
  ) -> NewEvent {
    var payload = payload(goalCourseID: goalCourseID)
    if type == .codeSubmitted, case .object(let members) = payload {
      payload = .object(members + [("files", filesPayload)])
    }
    return NewEvent(
      id: context.nextID(), type: type, entityType: .codeSnapshot, entityID: id,
      version: version, userID: userID, payload: payload,
      metadata: context.metadata, createdAt: context.now)
  }

  /// The other files as the first event names them; later ones do not, since they never change.
  private var filesPayload: JSONValue {
    assert(files.count == fileHashes.count, "a new snapshot says the hashes of its files")
    return .array(
      zip(files, fileHashes).map { file, hash in
        .object([
          ("path", .string(file.path)),
          ("hash", .string(Digits.hexadecimal(hash))),
          ("byte_count", .integer(Int64(file.content.utf8.count))),
        ])
      })
  }

  /// The contents that its first event names: its code and its other files.
  package var blobs: [EventBlob] {
    [EventBlob(reference: BlobReference(ownerID: userID, hash: contentHash), content: content)]
      + zip(files, fileHashes).map { file, hash in
        EventBlob(reference: BlobReference(ownerID: userID, hash: hash), content: file.content)
      }
  }
}

/// The maxima of a snapshot's fields, in characters where nothing else is said.
package enum CodeLimits {
  package static let filePath = 500
  package static let language = 32
  package static let contentByteCount = 256 * 1024
  package static let feedback = 10_000
  package static let source = 100
  package static let policy = 100
  /// Entries of each table of a provenance.
  package static let provenanceEntries = 50
  package static let provenanceName = 64
  package static let provenanceValue = 200
}
