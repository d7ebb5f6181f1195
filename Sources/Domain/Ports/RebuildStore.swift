/// What a page of the log makes of the rebuilt tables.
package struct RebuiltBatch: Sendable {
  /// The latest row of each entity in the page, without large contents.
  package var rows: [RebuiltRow] = []
  /// The contents that `rows` and their files name.
  package var contents: [BlobReference: String] = [:]
  /// Every version of a document in the page.
  package var documents: [RebuiltRow] = []
  /// Of each goal that the page touches; nil where no event of it could say.
  package var revisions: [EntityID: Int64?] = [:]
  /// Whole events, where they are rebuilt as well.
  package var events: [StoredEvent] = []
  /// Up to here everything is applied; nil where that cannot be said yet.
  package var position: Int64?

  package init() {}
}

/// An entity whose passages may have changed.
package enum PassageWork: Sendable {
  case goal(Goal)
  case course(Course)
  case snapshot(CodeSnapshot)
  case document(DocumentVersion)
}

/// One version of a document: its chunks follow from the versions before it.
package struct DocumentVersion: Sendable {
  package var documentID: EntityID
  package var version: Int64
  package var course: EntityID
  package var content: BlobReference
  package var ordinal: Int32
  package var path: String
  package var language: String
  package var format: DocumentFormat
  package var isDeleted: Bool
  /// Whether the course is there still.
  package var isCourseThere: Bool
  package var isOld: Bool
  package var origin: RebuildProblem

  package init(
    documentID: EntityID, version: Int64, course: EntityID, content: BlobReference,
    ordinal: Int32, path: String, language: String, format: DocumentFormat, isDeleted: Bool,
    isCourseThere: Bool, isOld: Bool, origin: RebuildProblem
  ) {
    self.documentID = documentID
    self.version = version
    self.course = course
    self.content = content
    self.ordinal = ordinal
    self.path = path
    self.language = language
    self.format = format
    self.isDeleted = isDeleted
    self.isCourseThere = isCourseThere
    self.isOld = isOld
    self.origin = origin
  }
}

/// What was found of one table.
package struct TableComparison: Sendable, Hashable {
  package struct Difference: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
      case onlyLive = "is in the table, and no event says so"
      case onlyRebuilt = "is missing in the table"
      case differs
    }

    /// The row's key, as text.
    package var key: String
    package var kind: Kind
    /// The columns that differ.
    package var columns: [String]

    package init(key: String, kind: Kind, columns: [String] = []) {
      self.key = key
      self.kind = kind
      self.columns = columns
    }
  }

  package var table: String
  package var rowCount: Int
  package var differenceCount: Int
  /// The first of them.
  package var differences: [Difference]
  /// Rows that were not compared, or in part, by why.
  package var remarks: [String]

  package init(
    table: String, rowCount: Int, differenceCount: Int, differences: [Difference],
    remarks: [String] = []
  ) {
    self.table = table
    self.rowCount = rowCount
    self.differenceCount = differenceCount
    self.differences = differences
    self.remarks = remarks
  }
}

/// A schema beside the live tables, into which the log is folded, and which is compared with them.
///
/// One caller at a time. Between `beginComparison` and `endComparison` everything is of one snapshot of
/// the database, and what is applied then is seen by nobody else.
package protocol RebuildStore: Sendable {
  /// Makes the schema anew, in the place of one that was made by this before; or continues one.
  ///
  /// - Returns: up to which position it has everything.
  func begin(continuing: Bool, withEvents: Bool) async throws(StoreError) -> Int64
  /// Takes over a page. Rows of a lower version than what is there change nothing.
  func apply(_ batch: RebuiltBatch) async throws(StoreError)
  /// Entities whose passages are to be derived, at most `limit`; documents first, in the order of their
  /// versions, then courses. Empty where nothing is left.
  func passageWork(limit: Int) async throws(StoreError) -> [PassageWork]
  /// The chunks with these numbers of a course.
  func chunks(
    ofCourse course: EntityID, _ numbers: Range<Int32>
  ) async throws(StoreError) -> [StoredChunk]
  /// What becomes of passages; the work is done with it.
  func finish(_ work: [PassageWork], _ updates: [PassageUpdate]) async throws(StoreError)
  /// Makes the vectors of the rebuilt passages out of those that the live tables have of the same text
  /// and model.
  func takeOverVectors() async throws(StoreError)

  /// Begins a snapshot.
  ///
  /// - Parameter locking: keeps others from writing until the end.
  /// - Returns: the last position in it.
  func beginComparison(locking: Bool) async throws(StoreError) -> Int64
  /// The events of the snapshot that have no position yet.
  func unsequenced() async throws(StoreError) -> [StoredEvent]
  /// - Parameter limit: how many differences of each table are told.
  func compare(limit: Int) async throws(StoreError) -> [TableComparison]
  /// Puts what was rebuilt in the place of what differs.
  func swap() async throws(StoreError) -> Int
  func endComparison(committing: Bool) async throws(StoreError)
  /// Removes the schema.
  func drop() async throws(StoreError)
}
