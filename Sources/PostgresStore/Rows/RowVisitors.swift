import Domain

/// Reads a row, column by column. The first cell that is not what its column says ends it.
struct RowReader: ColumnVisitor {
  private let row: Row
  private var next: Int
  private(set) var failure: StoreError?

  init(_ row: Row, from first: Int) {
    self.row = row
    next = first
  }

  mutating func visit<Value: SQLValue>(
    _ column: @autoclosure () -> Column, _ role: Column.Role, _ value: inout Value
  ) {
    read(&value, name: column().name)
  }

  mutating func visit<Value: SQLValue>(
    writing column: @autoclosure () -> Column, _ role: Column.Role, _ value: () -> Value
  ) {}

  mutating func visit<Value: SQLValue>(
    reading expression: @autoclosure () -> String, _ value: inout Value
  ) {
    read(&value, name: expression())
  }

  mutating func refuse(_ reason: @autoclosure () -> String) {
    if failure == nil { failure = .corrupt(reason()) }
  }

  private mutating func read<Value: SQLValue>(
    _ value: inout Value, name: @autoclosure () -> String
  ) {
    guard failure == nil else { return }
    do throws(StoreError) {
      value = try row.value(next, name: name())
    } catch {
      failure = error
    }
    next += 1
  }
}

/// Binds one row.
struct RowBinder: ColumnVisitor {
  private let isUpdate: Bool
  private var buffer = ParameterBuffer()

  static func bind<Description: TableRow>(
    _ value: Description.Value, of description: Description.Type, isUpdate: Bool,
    to buffer: inout ParameterBuffer
  ) {
    var binder = RowBinder(isUpdate: isUpdate)
    var value = value
    swap(&binder.buffer, &buffer)
    Description.visit(&value, &binder)
    swap(&binder.buffer, &buffer)
  }

  private init(isUpdate: Bool) { self.isUpdate = isUpdate }

  mutating func visit<Value: SQLValue>(
    _ column: @autoclosure () -> Column, _ role: Column.Role, _ value: inout Value
  ) {
    if !isUpdate || role != .fixed { buffer.append(value) }
  }

  mutating func visit<Value: SQLValue>(
    writing column: @autoclosure () -> Column, _ role: Column.Role, _ value: () -> Value
  ) {
    if !isUpdate || role != .fixed { buffer.append(value()) }
  }

  mutating func visit<Value: SQLValue>(
    reading expression: @autoclosure () -> String, _ value: inout Value
  ) {}

  mutating func refuse(_ reason: @autoclosure () -> String) {}
}

/// Binds many rows, an array for each column.
struct ListBinder: ColumnVisitor {
  private(set) var arrays: [ArrayEncoder]
  private var next = 0

  init(_ types: [SQLType], capacity: Int) {
    arrays = types.map { ArrayEncoder($0, capacity: capacity) }
  }

  mutating func append<Description: TableRow>(
    _ value: Description.Value, of description: Description.Type
  ) {
    var value = value
    next = 0
    Description.visit(&value, &self)
  }

  mutating func visit<Value: SQLValue>(
    _ column: @autoclosure () -> Column, _ role: Column.Role, _ value: inout Value
  ) {
    append(value)
  }

  mutating func visit<Value: SQLValue>(
    writing column: @autoclosure () -> Column, _ role: Column.Role, _ value: () -> Value
  ) {
    append(value())
  }

  mutating func visit<Value: SQLValue>(
    reading expression: @autoclosure () -> String, _ value: inout Value
  ) {}

  mutating func refuse(_ reason: @autoclosure () -> String) {}

  private mutating func append(_ value: some SQLValue) {
    arrays[next].append(value)
    next += 1
  }
}
