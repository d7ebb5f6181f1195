import Domain

/// Courses and enrolments.
enum CourseStatements {
  private static let select = "SELECT \(CourseRow.columns) FROM courses c"

  static let byID = Query<AccessScope, EntityID>(
    "course.by_id", "\(select) WHERE c.id = $3 AND \(Visibility.isCourseVisible)")

  /// `$3` statuses, `$4` a technology or NULL, `$5` created at or after, `$6`, `$7` after this key,
  /// `$8` limit.
  typealias List = Parameters<AccessScope, [CourseStatus], String?, Timestamp, PageRequest>
  private static let page = """
    AND \(Visibility.isCourseVisible) AND c.status = ANY ($3)
    AND ($4 IS NULL OR c.metadata->'technologies' ? $4) AND c.created_at >= $5
    AND (c.created_at, c.id) < ($6, $7)
    ORDER BY c.created_at DESC, c.id DESC LIMIT $8
    """

  static let list = Query<List>("courses.list", "\(select) WHERE true \(page)")

  static let listByOwner = Query<List, EntityID>(
    "courses.list_by_owner", "\(select) WHERE c.user_id = $9 \(page)")

  /// `$9` is the owner, or NULL.
  static let listEnrolled = Query<List, EntityID?>(
    "courses.list_enrolled",
    """
    \(select)
    WHERE c.id IN (SELECT n.course_id FROM enrolments n WHERE n.user_id = $2 AND n.is_active)
      AND ($9 IS NULL OR c.user_id = $9) \(page)
    """)

  static let floor = Query<FloorStatement.Range>("courses.floor", FloorStatement.text("courses"))

  static let insert = Query<Inserted<CourseRow>>("course.insert", CourseRow.insert)

  static let update = Query<Updated<CourseRow>>(
    "course.update", CourseRow.update(where: "version = $version - 1"))

  /// `$4` the course, `$5` the learner.
  static let enrolment = Query<OverseerScope, EntityID, EntityID>(
    "enrolment.find",
    """
    SELECT \(EnrolmentRow.columns) FROM enrolments n
    WHERE n.course_id = $4 AND n.user_id = $5 AND \(Visibility.isEnrolmentVisible)
    """)

  /// `$4` the course or the learner, `$5` states, `$6`, `$7` after this key, `$8` limit.
  typealias EnrolmentList = Query<OverseerScope, EntityID, [EnrolmentState], PageRequest>
  private static func enrolmentList(_ condition: String) -> String {
    """
    SELECT \(EnrolmentRow.columns) FROM enrolments n
    WHERE \(condition) AND n.state = ANY ($5) AND \(Visibility.isEnrolmentVisible)
      AND (n.created_at, n.id) < ($6, $7)
    ORDER BY n.created_at DESC, n.id DESC LIMIT $8
    """
  }

  static let enrolments = EnrolmentList("enrolments.list", enrolmentList("n.course_id = $4"))

  static let enrolmentsByLearner = EnrolmentList(
    "enrolments.list_by_learner", enrolmentList("n.user_id = $4"))

  static let insertEnrolment = Query<Inserted<EnrolmentRow>>(
    "enrolment.insert", EnrolmentRow.insert)

  static let updateEnrolment = Query<Updated<EnrolmentRow>>(
    "enrolment.update", EnrolmentRow.update(where: "version = $version - 1"))

  static let all: [any StatementSource] = [
    byID, list, listByOwner, listEnrolled, floor, insert, update, enrolment, enrolments,
    enrolmentsByLearner, insertEnrolment, updateEnrolment,
  ]
}
