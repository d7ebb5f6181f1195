import Domain

enum GoalRow: TableRow {
  static let layout = RowLayout(of: GoalRow.self, "goals", as: "g")
  static let blank = Goal(
    id: .blank, userID: .blank, title: "", description: "", createdAt: .blank, updatedAt: .blank)

  static func visit(_ goal: inout Goal, _ columns: inout some ColumnVisitor) {
    columns.key("id", &goal.id)
    columns.fixed("user_id", &goal.userID)
    columns.column("course_id", &goal.courseID)
    columns.column("title", &goal.title)
    columns.column("description", &goal.description)
    columns.column("status", &goal.status)
    columns.column("progress_percentage", &goal.progressPercentage)
    columns.column("validation_criteria", &goal.validationCriteria)
    columns.column("ai_feedback", &goal.aiFeedback)
    columns.column("target_date", &goal.targetDate)
    columns.column("started_at", &goal.startedAt)
    columns.column("completed_at", &goal.completedAt)
    columns.column("version", &goal.version)
    columns.column("revision", &goal.revision, change: "$revision + 1")
    columns.fixed("created_at", &goal.createdAt)
    columns.column("updated_at", &goal.updatedAt)
  }
}

enum TaskRow: TableRow {
  static let layout = RowLayout(of: TaskRow.self, "tasks", as: "t")
  static let blank = LearningTask(
    id: .blank, goalID: .blank, userID: .blank, title: "", description: "", ordinal: 0,
    createdAt: .blank, updatedAt: .blank)

  static func visit(_ task: inout LearningTask, _ columns: inout some ColumnVisitor) {
    columns.key("id", &task.id)
    columns.fixed("goal_id", &task.goalID)
    columns.fixed("user_id", &task.userID)
    columns.column("title", &task.title)
    columns.column("description", &task.description)
    columns.column("status", &task.status)
    columns.column("ordinal", &task.ordinal)
    columns.column("validation_criteria", &task.validationCriteria)
    columns.column("started_at", &task.startedAt)
    columns.column("completed_at", &task.completedAt)
    columns.column("version", &task.version)
    columns.fixed("created_at", &task.createdAt)
    columns.column("updated_at", &task.updatedAt)
  }
}

extension WorkStatus: SQLValue {}
