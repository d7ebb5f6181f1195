/// Reads of courses and enrolments.
enum CourseStatements {
  // The metadata comes apart here, so that no JSON needs to be parsed on the way in.
  private static let columns = """
    c.id, c.user_id, c.title, c.description, c.language,
    ARRAY(SELECT jsonb_array_elements_text(c.metadata->'technologies')) AS technologies,
    ARRAY(SELECT key FROM jsonb_each_text(c.metadata - 'technologies') ORDER BY key) AS names,
    ARRAY(SELECT value FROM jsonb_each_text(c.metadata - 'technologies') ORDER BY key) AS texts,
    c.status, c.version, c.created_at, c.updated_at
    """

  private static let isEnrolled = """
    EXISTS (SELECT 1 FROM enrolments n
      WHERE n.user_id = $2 AND n.course_id = c.id AND n.is_active)
    """

  /// `$1` sees everybody, `$2` is the caller.
  private static let isVisible = """
    c.status <> 'deleted' AND (c.status = 'active' OR $1 OR c.user_id = $2 OR \(isEnrolled))
    """

  static let byID = Statement(
    "course.by_id", [.bool, .uuid, .uuid],
    "SELECT \(columns) FROM courses c WHERE c.id = $3 AND \(isVisible)")

  private static let listTypes: [SQLType] = [
    .bool, .uuid, .textArray, .text, .timestamptz, .uuid, .int8,
  ]
  private static let page = """
    AND \(isVisible) AND c.status = ANY ($3)
    AND ($4 IS NULL OR c.metadata->'technologies' ? $4) AND (c.created_at, c.id) < ($5, $6)
    ORDER BY c.created_at DESC, c.id DESC LIMIT $7
    """

  static let list = Statement(
    "courses.list", listTypes, "SELECT \(columns) FROM courses c WHERE true \(page)")

  static let listByOwner = Statement(
    "courses.list_by_owner", listTypes + [.uuid],
    "SELECT \(columns) FROM courses c WHERE c.user_id = $8 \(page)")

  /// `$8` is the owner, or NULL.
  static let listEnrolled = Statement(
    "courses.list_enrolled", listTypes + [.uuid],
    """
    SELECT \(columns) FROM courses c
    WHERE c.id IN (SELECT n.course_id FROM enrolments n WHERE n.user_id = $2 AND n.is_active)
      AND ($8 IS NULL OR c.user_id = $8) \(page)
    """)

  private static let enrolmentColumns =
    "n.id, n.course_id, n.user_id, n.is_active, n.version, n.created_at, n.updated_at"

  /// `$1` sees everybody, `$2` is the caller.
  private static let isEnrolmentVisible = """
    ($1 OR n.user_id = $2
      OR EXISTS (SELECT 1 FROM courses c WHERE c.id = n.course_id AND c.user_id = $2))
    """

  static let enrolment = Statement(
    "enrolment.find", [.bool, .uuid, .uuid, .uuid],
    """
    SELECT \(enrolmentColumns) FROM enrolments n
    WHERE n.course_id = $3 AND n.user_id = $4 AND \(isEnrolmentVisible)
    """)

  static let enrolments = Statement(
    "enrolments.list", [.bool, .uuid, .uuid, .timestamptz, .uuid, .int8],
    """
    SELECT \(enrolmentColumns) FROM enrolments n
    WHERE n.course_id = $3 AND n.is_active AND \(isEnrolmentVisible)
      AND (n.created_at, n.id) < ($4, $5)
    ORDER BY n.created_at DESC, n.id DESC LIMIT $6
    """)

  static let all = [byID, list, listByOwner, listEnrolled, enrolment, enrolments]
}
