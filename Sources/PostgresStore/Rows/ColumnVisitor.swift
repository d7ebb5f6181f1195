/// What a row's description is told to: it visits the columns in order, always the same.
///
/// Visitors are structs and generic code is specialized for each, so that binding and reading cost
/// what statements written out by hand would.
protocol ColumnVisitor {
  /// A column that is read and written.
  mutating func visit<Value: SQLValue>(
    _ column: @autoclosure () -> Column, _ role: Column.Role, _ value: inout Value)
  /// A column that is written and not read.
  mutating func visit<Value: SQLValue>(
    writing column: @autoclosure () -> Column, _ role: Column.Role, _ value: () -> Value)
  /// An expression that is read.
  mutating func visit<Value: SQLValue>(
    reading expression: @autoclosure () -> String, _ value: inout Value)
  /// The columns contradict each other.
  mutating func refuse(_ reason: @autoclosure () -> String)
}

extension ColumnVisitor {
  /// A part of the primary key: what an update finds the row by.
  mutating func key<Value: SQLValue>(_ name: StaticString, _ value: inout Value) {
    visit(Column(name), .key, &value)
  }

  /// A column that never changes once it is inserted.
  mutating func fixed<Value: SQLValue>(_ name: StaticString, _ value: inout Value) {
    visit(Column(name), .fixed, &value)
  }

  mutating func fixed(_ name: StaticString, _ bytes: inout [UInt8]) {
    var value = Bytes(bytes)
    fixed(name, &value)
    bytes = value.bytes
  }

  mutating func fixed(_ name: StaticString, _ texts: inout [String]) {
    var value = TextList(texts)
    fixed(name, &value)
    texts = value.texts
  }

  /// A column that is inserted and updated.
  ///
  /// - Parameter change: what an update makes of it, with the value as `$name`.
  mutating func column<Value: SQLValue>(
    _ name: StaticString, _ value: inout Value, change: StaticString? = nil
  ) {
    visit(Column(name, change: change), .changing, &value)
  }

  mutating func column(_ name: StaticString, _ bytes: inout [UInt8]) {
    var value = Bytes(bytes)
    column(name, &value)
    bytes = value.bytes
  }

  mutating func column(_ name: StaticString, _ texts: inout [String]) {
    var value = TextList(texts)
    column(name, &value)
    texts = value.texts
  }

  /// A column that is inserted and updated, and read some other way or not at all.
  mutating func written<Value: SQLValue>(
    _ name: StaticString, _ value: @autoclosure () -> Value, insertion: StaticString? = nil,
    change: StaticString? = nil
  ) {
    visit(writing: Column(name, insertion: insertion, change: change), .changing, value)
  }

  /// As `written`, inserted only.
  mutating func writtenOnce<Value: SQLValue>(
    _ name: StaticString, _ value: @autoclosure () -> Value
  ) {
    visit(writing: Column(name), .fixed, value)
  }

  /// What is read and not written.
  mutating func read<Value: SQLValue>(
    _ expression: @autoclosure () -> String, _ value: inout Value
  ) {
    visit(reading: expression(), &value)
  }

  /// The names and texts of a jsonb object.
  mutating func read(
    object: @autoclosure () -> String, _ texts: inout [String: String]
  ) {
    var (names, values) = (TextList([]), TextList([]))
    read("ARRAY(SELECT key FROM jsonb_each_text(\(object())) ORDER BY key)", &names)
    read("ARRAY(SELECT value FROM jsonb_each_text(\(object())) ORDER BY key)", &values)
    guard names.texts.count == values.texts.count else {
      return refuse("\(object()) has names without values")
    }
    guard !names.texts.isEmpty else { return }
    texts = Dictionary(zip(names.texts, values.texts)) { first, _ in first }
  }
}

/// A column as SQL sees it.
struct Column: Sendable {
  enum Role: Sendable {
    case key
    case fixed
    case changing
    case readOnly
  }

  var name: String
  /// What INSERT and UPDATE make of the value, which they call `$name`; nil: the value as it is.
  var insertion: String?
  var change: String?
  /// What SELECT reads it by; nil for what is only written.
  var selected: String?
  var role = Role.readOnly
  var type = SQLType.text
  var arrayType = SQLType.textArray
  var elementCast = ""

  init(_ name: StaticString, insertion: StaticString? = nil, change: StaticString? = nil) {
    self.name = "\(name)"
    self.insertion = insertion.map { "\($0)" }
    self.change = change.map { "\($0)" }
  }

  fileprivate init(reading expression: String) {
    name = expression
    selected = expression
  }

  fileprivate func holding<Value: SQLValue>(
    _ type: Value.Type, _ role: Role, selected: String?
  ) -> Column {
    var column = self
    column.role = role
    column.selected = selected
    column.type = Value.sqlType
    column.arrayType = Value.arrayType
    column.elementCast = Value.elementCast
    return column
  }
}

/// The columns of a row.
struct RowLayout: Sendable {
  let table: String
  /// What is inserted and what is updated, in the order of the parameters.
  let inserted: [Column]
  let updated: [Column]
  private let selected: [Column]

  /// - Parameter alias: the table's in every statement that uses the list of columns.
  init<Row: TableRow>(of row: Row.Type, _ table: String, as alias: String) {
    var collector = ColumnCollector(alias: alias)
    var blank = Row.blank
    Row.visit(&blank, &collector)
    self.table = table
    inserted = collector.columns.filter { $0.role != .readOnly }
    updated = collector.columns.filter { $0.role == .key || $0.role == .changing }
    selected = collector.columns.filter { $0.selected != nil }
  }

  var width: Int { selected.count }

  func list(_ expression: (Column) -> String?) -> String {
    selected.compactMap(expression).joined(separator: ", ")
  }

  /// The text with the numbers of parameters in the place of `$name`.
  func resolve(_ text: String, _ parameters: [Column]) -> String {
    let names = parameters.map(\.name) + ["next"]
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    return parts.dropFirst().reduce(into: parts.first.map(String.init) ?? "") { text, part in
      let name = part.prefix { $0.isLetter || $0 == "_" }
      // A name that nothing has stays as it is, and the server refuses the statement.
      let number = names.firstIndex { $0 == name }.map { "\($0 + 1)" }
      text += "$" + (number ?? String(name)) + part.dropFirst(name.count)
    }
  }
}

/// Collects the columns.
private struct ColumnCollector: ColumnVisitor {
  let alias: String
  var columns: [Column] = []

  mutating func visit<Value: SQLValue>(
    _ column: @autoclosure () -> Column, _ role: Column.Role, _ value: inout Value
  ) {
    let column = column()
    columns.append(column.holding(Value.self, role, selected: "\(alias).\(column.name)"))
  }

  mutating func visit<Value: SQLValue>(
    writing column: @autoclosure () -> Column, _ role: Column.Role, _ value: () -> Value
  ) {
    columns.append(column().holding(Value.self, role, selected: nil))
  }

  mutating func visit<Value: SQLValue>(
    reading expression: @autoclosure () -> String, _ value: inout Value
  ) {
    columns.append(Column(reading: expression()))
  }

  mutating func refuse(_ reason: @autoclosure () -> String) {}
}
