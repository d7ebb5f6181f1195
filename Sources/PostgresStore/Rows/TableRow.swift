import Domain

/// The one description of a table's row: its columns in order, and what of a `Value` each holds.
///
/// From it come the SELECT list, INSERT, UPDATE, the parameters and how they are bound, and how a row
/// is read. A column more is one line in `visit` (and a migration).
protocol TableRow {
  associatedtype Value
  /// Made from this description: `static let layout = RowLayout(of: GoalRow.self, "goals", as: "g")`.
  static var layout: RowLayout { get }
  /// What a row is read into.
  static var blank: Value { get }
  /// Visits each column with its place in `value`: which the visitor reads, or writes (`value` is then
  /// a copy, or starts as `blank`).
  static func visit(_ value: inout Value, _ columns: inout some ColumnVisitor)
}

// MARK: Fragments of SQL

extension TableRow {
  /// The list for SELECT and RETURNING.
  static var columns: String { layout.list(\.selected) }

  /// As `columns`, with an empty text in the place of `column`.
  static func columns(emptying column: String) -> String {
    layout.list { $0.name == column ? "''" : $0.selected }
  }

  /// As `columns`, with an expression in the place of `column`.
  static func columns(replacing column: String, with expression: String) -> String {
    layout.list { $0.name == column ? expression : $0.selected }
  }

  /// How many columns of a result `columns` makes.
  static var width: Int { layout.width }

  /// The names of what is inserted.
  static var names: String { layout.inserted.map(\.name).joined(separator: ", ") }

  /// `Inserted` as a statement.
  static var insert: String {
    "INSERT INTO \(layout.table) (\(names))\nVALUES (\(values))"
  }

  /// `Inserted` where a condition holds; it names parameters as that of `update` does.
  static func insert(where condition: String) -> String {
    """
    INSERT INTO \(layout.table) (\(names))
    SELECT \(values) WHERE \(layout.resolve(condition, layout.inserted))
    """
  }

  /// What `Inserted` puts into the columns.
  static var values: String {
    let values = layout.inserted.enumerated().map { index, column in
      column.insertion ?? "$\(index + 1)"
    }
    return layout.resolve(values.joined(separator: ", "), layout.inserted)
  }

  /// `Updated` as a guarded statement: `condition` names columns, and their parameters as `$column`;
  /// `$next` is the parameter after the row's.
  static func update(where condition: String) -> String {
    let assignments = layout.updated.enumerated().compactMap { index, column in
      column.role == .key ? nil : "\(column.name) = \(column.change ?? "$\(index + 1)")"
    }
    let keys = layout.updated.filter { $0.role == .key }.map { "\($0.name) = $\($0.name)" }
    return Statement.guarded(
      layout.resolve(
        """
        UPDATE \(layout.table) SET \(assignments.joined(separator: ", "))
          WHERE \(keys.joined(separator: " AND ")) AND \(condition)
        """, layout.updated))
  }

  /// The arrays of `Listed`: `FROM unnest(arrays) AS n (names)`.
  static var arrays: String {
    layout.inserted.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
  }

  /// What is inserted of each `n`.
  static var elements: String {
    layout.inserted.map { "n.\($0.name)\($0.elementCast)" }.joined(separator: ", ")
  }

  /// The assignments of ON CONFLICT DO UPDATE.
  static var overwriting: String {
    layout.inserted.filter { $0.role == .changing }
      .map { "\($0.name) = excluded.\($0.name)" }.joined(separator: ", ")
  }

  /// The number of the parameter after those of `Inserted` or `Listed`.
  static var next: Int { layout.inserted.count + 1 }
}

// MARK: Values

extension TableRow {
  /// The value of the columns of a row from `first` on.
  static func read(_ row: Row, from first: Int) throws(StoreError) -> Value {
    var value = blank
    var reader = RowReader(row, from: first)
    visit(&value, &reader)
    if let failure = reader.failure { throw failure }
    return value
  }

  static func read(_ row: Row) throws(StoreError) -> Value { try read(row, from: 0) }
}

// The rows are bound where these are made, in code that knows the type of the row and is
// specialized for it.

/// The parameters of `TableRow.insert`.
struct Inserted<Description: TableRow>: SQLParameters {
  private let bound: ParameterBuffer

  init(_ value: Description.Value) {
    bound = RowBinder.bind(value, of: Description.self, isUpdate: false)
  }

  static var types: [SQLType] { Description.layout.inserted.map(\.type) }
  func append(to buffer: inout ParameterBuffer) { buffer.append(bound) }
}

/// The parameters of `TableRow.update`.
struct Updated<Description: TableRow>: SQLParameters {
  private let bound: ParameterBuffer

  init(_ value: Description.Value) {
    bound = RowBinder.bind(value, of: Description.self, isUpdate: true)
  }

  static var types: [SQLType] { Description.layout.updated.map(\.type) }
  func append(to buffer: inout ParameterBuffer) { buffer.append(bound) }
}

/// Rows as an array for each column.
struct Listed<Description: TableRow>: SQLParameters {
  private let bound: ParameterBuffer

  init(_ values: [Description.Value]) {
    var binder = ListBinder(Self.types, capacity: values.count)
    for value in values { binder.append(value, of: Description.self) }
    bound = binder.buffer
  }

  static var types: [SQLType] { Description.layout.inserted.map(\.arrayType) }
  func append(to buffer: inout ParameterBuffer) { buffer.append(bound) }
}

extension EntityID {
  /// What a row's id is before it is read.
  static let blank = EntityID(high: 0, low: 0)
}

extension Timestamp {
  /// What a row's time is before it is read.
  static let blank = Timestamp(microsecondsSinceEpoch: 0)
}
