extension RowSecurity {
  /// What a database does for the second wall.
  package enum State: Sendable, Hashable {
    case upright
    /// Searches by words look at every passage: there is no role for them.
    case slowSearches
    /// The role that the server works as passes all policies over.
    case passedOver(role: String)
    /// These tables are not under it.
    case missing(tables: [String])
  }

  /// - Parameter settings: log in as the server does.
  package static func state(_ settings: ConnectionSettings) async throws -> State {
    let session = try await ScriptSession(settings)
    let names = rules.map { "'\($0.table)'" }.joined(separator: ", ")
    let open = try await session.run(
      """
      SELECT n FROM unnest(ARRAY[\(names)]) n
      WHERE NOT COALESCE((SELECT c.relrowsecurity AND c.relforcerowsecurity FROM pg_class c
        WHERE c.oid = to_regclass('public.' || n)), false)
      ORDER BY n
      """
    ).compactMap { $0.first ?? nil }
    if !open.isEmpty { return .missing(tables: open) }
    let role = try await session.run(
      "SELECT rolname FROM pg_roles WHERE rolname = CURRENT_USER AND (rolsuper OR rolbypassrls)")
    if let name = role.first?.first ?? nil { return .passedOver(role: name) }
    let hasReader = try await session.run(ReaderRole.isThere.statement.text).first?[0] == "t"
    return hasReader ? .upright : .slowSearches
  }
}
