import Domain
import Glibc

/// Who sees what: the one place where SQL says it. In every statement that uses a rule `$1` sees
/// everybody and `$2` is the caller (`AccessScope`); where instructors look through their courses,
/// `$3` says whether this caller may (`OverseerScope`).
enum Visibility {
  /// The rows of a learner are visible to the learner, to those who see everybody, and, where they
  /// belong to a course, to the instructor who owns it while the learner is enrolled.
  static func isOverseen(learner: String, course: String) -> String {
    """
    ($1 OR \(learner) = $2 OR $3 AND EXISTS (
      SELECT 1 FROM courses c JOIN enrolments n ON n.course_id = c.id
      WHERE c.id = \(course) AND c.user_id = $2 AND c.status <> 'deleted'
        AND n.user_id = \(learner) AND n.is_active))
    """
  }

  /// The course `c` is the caller's own, or one that they are enrolled in.
  static let isReadersCourse = """
    (c.user_id = $2 OR EXISTS (SELECT 1 FROM enrolments n
      WHERE n.user_id = $2 AND n.course_id = c.id AND n.is_active))
    """

  /// The material of the course `c`.
  static let isMaterialVisible = "c.status <> 'deleted' AND ($1 OR \(isReadersCourse))"

  /// The code of the row `code` that its author shares is an example to the reader: it has passed, by
  /// the word of a service, an admin or the server itself, or of an instructor who runs a course that
  /// the reader is in. Others' word is not taken: two accounts of one instructor could plant anything.
  static func isSharedExample(_ code: String, reader: String) -> String {
    """
    (\(code).shared AND \(code).verdict = 'passed'
      AND (\(code).provenance->>'source' <> '\(Provenance.instructorSource)'
        OR (\(code).provenance->>'actor_id')::uuid
          = ANY ((SELECT hito_trusted_graders(\(reader)))::uuid[])))
    """
  }

  /// The course `c` itself: active ones are everybody's.
  static let isCourseVisible = """
    c.status <> 'deleted' AND (c.status = 'active' OR $1 OR \(isReadersCourse))
    """

  /// The enrolment `n`: for the learner and the instructor who owns the course, whatever became of
  /// the course.
  static let isEnrolmentVisible = """
    ($1 OR n.user_id = $2
      OR $3 AND EXISTS (SELECT 1 FROM courses c WHERE c.id = n.course_id AND c.user_id = $2))
    """
}

/// Whether they see everybody, and the caller.
extension AccessScope: ParameterGroup {
  var parameters: Parameters<Bool, EntityID> {
    Parameters(FirstWall.isDown || role.seesEverybody, callerID)
  }
}

/// What statements ask for is the first wall, row-level security the second (`RowSecurity`). Tests
/// take the first one down, so that every statement asks for everybody's rows; a release server has
/// no way to.
package enum FirstWall {
  #if DEBUG
    @TaskLocal package static var isDown = getenv("HITO_TEST_FIRST_WALL_IS_DOWN") != nil
  #else
    static let isDown = false
  #endif
}

/// As `AccessScope`, and whether the caller looks through courses of theirs.
struct OverseerScope: ParameterGroup {
  var scope: AccessScope
  /// A change is never made through a course.
  var forUpdate = false

  var parameters: Parameters<AccessScope, Bool> {
    Parameters(scope, scope.role == .instructor && !forUpdate)
  }
}
