import Domain

enum CourseRow: TableRow {
  static let layout = RowLayout(of: CourseRow.self, "courses", as: "c")
  static let blank = Course(
    id: .blank, userID: .blank, title: "", description: "", language: "", technologies: [],
    attributes: [:], createdAt: .blank, updatedAt: .blank)

  static func visit(_ course: inout Course, _ columns: inout some ColumnVisitor) {
    columns.key("id", &course.id)
    columns.fixed("user_id", &course.userID)
    columns.column("title", &course.title)
    columns.column("description", &course.description)
    columns.column("language", &course.language)
    // The metadata comes apart in SQL, so that no JSON needs to be parsed on the way in.
    columns.written("metadata", course.metadata)
    var technologies = TextList(course.technologies)
    columns.read(
      "ARRAY(SELECT jsonb_array_elements_text(c.metadata->'technologies'))", &technologies)
    course.technologies = technologies.texts
    columns.read(object: "c.metadata - 'technologies'", &course.attributes)
    columns.column("status", &course.status)
    columns.column("version", &course.version)
    columns.fixed("created_at", &course.createdAt)
    columns.column("updated_at", &course.updatedAt)
  }
}

enum EnrolmentRow: TableRow {
  static let layout = RowLayout(of: EnrolmentRow.self, "enrolments", as: "n")
  static let blank = Enrolment(
    id: .blank, courseID: .blank, userID: .blank, state: .left, version: 0, createdAt: .blank,
    updatedAt: .blank)

  static func visit(_ enrolment: inout Enrolment, _ columns: inout some ColumnVisitor) {
    columns.key("id", &enrolment.id)
    columns.fixed("course_id", &enrolment.courseID)
    columns.fixed("user_id", &enrolment.userID)
    columns.written("is_active", enrolment.isActive)
    columns.column("state", &enrolment.state)
    columns.column("changed_by", &enrolment.changedBy)
    columns.column("is_direct", &enrolment.isDirect)
    columns.column("version", &enrolment.version)
    columns.fixed("created_at", &enrolment.createdAt)
    columns.column("updated_at", &enrolment.updatedAt)
  }
}

extension CourseStatus: SQLValue {}
extension EnrolmentState: SQLValue {}
