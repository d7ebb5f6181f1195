import Domain
import JSON

enum ConsumerGroupRow: TableRow {
  static let layout = RowLayout(of: ConsumerGroupRow.self, "consumer_groups", as: "g")
  static let blank = ConsumerGroup(
    id: .blank, name: "", userID: .blank, filter: EventFilter(), strategy: .roundRobin, from: nil,
    limits: GroupLimits(), readPosition: 0, createdAt: .blank)

  static func visit(_ group: inout ConsumerGroup, _ columns: inout some ColumnVisitor) {
    columns.key("id", &group.id)
    columns.fixed("name", &group.name)
    columns.fixed("user_id", &group.userID)
    columns.fixed("filter", &group.filter)
    columns.fixed("strategy", &group.strategy)
    columns.fixed("from_time", &group.from)
    columns.column("attempt_max", &group.limits.attemptMax)
    columns.column("ack_timeout", &group.limits.ackTimeout)
    columns.column("retry_delay", &group.limits.retryDelay)
    columns.column("retry_delay_max", &group.limits.retryDelayMax)
    columns.column("outstanding_max", &group.limits.outstandingMax)
    columns.column("parked_max", &group.limits.parkedMax)
    columns.fixed("read_position", &group.readPosition)
    columns.column("version", &group.version)
    columns.fixed("created_at", &group.createdAt)
  }
}

extension GroupStrategy: SQLValue {}

/// In whole microseconds.
extension Duration: SQLValue {
  static var sqlType: SQLType { .int8 }
  static var arrayType: SQLType { .int8Array }

  var wholeMicroseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }

  func encode(to bytes: inout [UInt8]) -> Bool { wholeMicroseconds.encode(to: &bytes) }

  init?(cell: UnsafeRawBufferPointer) {
    guard let micros = Int64(cell: cell) else { return nil }
    self = .microseconds(micros)
  }
}

extension EventFilter: SQLValue {
  static var sqlType: SQLType { JSONText.sqlType }
  static var arrayType: SQLType { JSONText.arrayType }

  func encode(to bytes: inout [UInt8]) -> Bool {
    func ids(_ ids: [EntityID]) -> JSONValue { .array(ids.map { .string($0.description) }) }
    return JSONValue.object([
      ("users", ids(userIDs)), ("goals", ids(goalIDs)), ("tasks", ids(taskIDs)),
      ("courses", ids(courseIDs)), ("types", .array(types.map(JSONValue.string))),
    ]).encode(to: &bytes)
  }

  init?(cell: UnsafeRawBufferPointer) {
    guard let json = JSONValue(cell: cell) else { return nil }
    func list<T>(_ name: String, _ read: (JSONValue) -> T?) -> [T]? {
      guard let values = json[name]?.arrayValue else { return nil }
      let read = values.compactMap(read)
      return read.count == values.count ? read : nil
    }
    guard let users = list("users", \.id), let goals = list("goals", \.id),
      let tasks = list("tasks", \.id), let courses = list("courses", \.id),
      let types = list("types", \.stringValue)
    else { return nil }
    self.init()
    (userIDs, goalIDs, taskIDs, courseIDs) = (users, goals, tasks, courses)
    self.types = types
  }
}
