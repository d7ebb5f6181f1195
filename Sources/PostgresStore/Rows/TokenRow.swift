import Domain

enum TokenRow: TableRow {
  static let layout = RowLayout(of: TokenRow.self, "tokens", as: "k")
  static let blank = TokenRecord(
    id: .blank, userID: .blank, role: .learner, hash: [], label: "", scopes: [],
    createdAt: .blank, expiresAt: .blank)

  static func visit(_ token: inout TokenRecord, _ columns: inout some ColumnVisitor) {
    columns.key("id", &token.id)
    columns.fixed("user_id", &token.userID)
    columns.fixed("role", &token.role)
    columns.fixed("hash", &token.hash)
    columns.fixed("label", &token.label)
    columns.fixed("scopes", &token.scopes)
    columns.fixed("created_at", &token.createdAt)
    columns.fixed("expires_at", &token.expiresAt)
    columns.column("revoked_at", &token.revokedAt)
    columns.fixed("parent_id", &token.parentID)
  }
}
