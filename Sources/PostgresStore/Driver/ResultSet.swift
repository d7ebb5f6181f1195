import CLibPQ
package import Domain

/// The rows of one statement, in binary format.
///
/// Owns the `PGresult`. `@unchecked Sendable`: libpq never touches a result again once
/// `PQgetResult` has returned it, and this class only reads it until `deinit` frees it.
package final class ResultSet: @unchecked Sendable {
  private let pointer: OpaquePointer

  /// Takes over the result.
  init(taking pointer: OpaquePointer) { self.pointer = pointer }

  deinit { PQclear(pointer) }

  package var count: Int { Int(PQntuples(pointer)) }
  package var columnCount: Int { Int(PQnfields(pointer)) }

  package subscript(row: Int) -> Row { Row(result: self, index: Int32(row)) }

  package var first: Row? { count > 0 ? self[0] : nil }

  /// What `transform` makes of the first row; nil where there is none.
  package func first<T>(
    _ transform: (Row) throws(StoreError) -> T
  ) throws(StoreError) -> T? {
    guard count > 0 else { return nil }
    return try transform(self[0])
  }

  package func map<T>(_ transform: (Row) throws(StoreError) -> T) throws(StoreError) -> [T] {
    var output: [T] = []
    output.reserveCapacity(count)
    for index in 0..<count { output.append(try transform(self[index])) }
    return output
  }

  /// The bytes of a cell, valid during `body`; nil for NULL.
  fileprivate func withCell<T>(
    _ row: Int32, _ column: Int, _ body: (UnsafeRawBufferPointer?) throws(StoreError) -> T
  ) throws(StoreError) -> T {
    guard row < PQntuples(pointer), column < Int(PQnfields(pointer)) else {
      throw .corrupt("there is no column \(column)")
    }
    if PQgetisnull(pointer, row, Int32(column)) == 1 { return try body(nil) }
    return try body(
      UnsafeRawBufferPointer(
        start: PQgetvalue(pointer, row, Int32(column)),
        count: Int(PQgetlength(pointer, row, Int32(column)))))
  }
}

/// One row of a result. Reading throws `.corrupt` where a cell is not what is asked for.
package struct Row {
  fileprivate let result: ResultSet
  fileprivate let index: Int32

  package func isNull(_ column: Int) throws(StoreError) -> Bool {
    try result.withCell(index, column) { (cell) throws(StoreError) in cell == nil }
  }

  /// The value of the column `column`, counted from 0; `name` is for the error.
  func value<Value: SQLValue>(
    _ column: Int, as type: Value.Type = Value.self, name: @autoclosure () -> String? = nil
  ) throws(StoreError) -> Value {
    try result.withCell(index, column) { (cell) throws(StoreError) -> Value in
      guard let cell else {
        if let null = Value.null { return null }
        throw .corrupt("the column \(name() ?? "\(column)") is NULL")
      }
      guard let value = Value(cell: cell) else {
        throw .corrupt("the column \(name() ?? "\(column)") does not hold a valid \(Value.self)")
      }
      return value
    }
  }

  /// The values of as many columns as the result has parts, from `first` on.
  func values<each Value: SQLValue>(
    from first: Int = 0
  ) throws(StoreError) -> (repeat each Value) {
    var next = first
    func take<T: SQLValue>(_ type: T.Type) throws(StoreError) -> T {
      defer { next += 1 }
      return try value(next)
    }
    return try (repeat take((each Value).self))
  }
}
