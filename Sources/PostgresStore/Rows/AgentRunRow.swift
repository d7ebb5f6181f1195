import Domain
import JSON

enum AgentRunRow: TableRow {
  static let layout = RowLayout(of: AgentRunRow.self, "agent_runs", as: "r")
  static let blank = AgentRun(
    id: .blank, learnerID: .blank, callerID: .blank,
    request: .goal(.init(prompt: "", courseID: nil, language: "", requiresApproval: false)),
    lease: AgentLease(owner: ""), createdAt: .blank, updatedAt: .blank)

  static func visit(_ run: inout AgentRun, _ columns: inout some ColumnVisitor) {
    columns.key("id", &run.id)
    var kind = run.kind
    columns.fixed("kind", &kind)
    columns.fixed("user_id", &run.learnerID)
    columns.fixed("caller_id", &run.callerID)
    columns.writtenOnce("request", run.request.json)
    var json: JSONValue?
    columns.read("r.request", &json)
    if let json {
      if let request = AgentRequest(kind, json: json) {
        run.request = request
      } else {
        columns.refuse("the request of a run cannot be read")
      }
    }
    columns.column("status", &run.status)
    columns.column("version", &run.version)
    columns.column("owner", &run.lease.owner)
    // By the database's clock, and never shortened here: a renewal may have come in between.
    columns.written(
      "lease_until", run.lease.microseconds,
      insertion: "now() + $lease_until * interval '1 microsecond'",
      change: "greatest(lease_until, now() + $lease_until * interval '1 microsecond')")
    columns.read("r.takeover_count", &run.takeoverCount)
    columns.fixed("created_at", &run.createdAt)
    columns.column("updated_at", &run.updatedAt)
  }
}

extension AgentLease {
  /// How long it is to be from the moment of the write.
  var microseconds: Int64 { Int64(clamping: Int(duration / .microseconds(1))) }
}

extension AgentKind: SQLValue {}
extension AgentRunStatus: SQLValue {}
