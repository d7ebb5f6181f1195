import Domain

enum UserRow: TableRow {
  static let layout = RowLayout(of: UserRow.self, "users", as: "u")
  static let blank = User(
    id: .blank, externalID: nil, displayName: "", email: nil, role: .learner, language: "",
    timeZone: "", createdAt: .blank, updatedAt: .blank)

  static func visit(_ user: inout User, _ columns: inout some ColumnVisitor) {
    columns.key("id", &user.id)
    columns.column("external_id", &user.externalID)
    columns.column("display_name", &user.displayName)
    columns.column("email", &user.email)
    columns.column("role", &user.role)
    columns.column("language", &user.language)
    columns.column("time_zone", &user.timeZone)
    columns.column("is_active", &user.isActive)
    columns.column("version", &user.version)
    columns.fixed("created_at", &user.createdAt)
    columns.column("updated_at", &user.updatedAt)
  }
}

extension Role: SQLValue {}
