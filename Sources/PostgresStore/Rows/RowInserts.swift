/// Plain inserts of one or more rows, in their order.
///
/// A statement of its own for each of the first few numbers of rows: reading rows out of arrays costs
/// as much again as the rows of a goal and its tasks (58 µs became 99).
struct RowInserts<Description: TableRow>: Sendable {
  private static var listedCountMax: Int { 8 }

  private let listed: [Statement]
  private let many: Query<Listed<Description>>

  init(_ name: String) {
    let columns = Description.layout.inserted
    let names = Description.names
    let target = "INSERT INTO \(Description.layout.table) (\(names))"
    listed = (1...Self.listedCountMax).map { rowCount in
      let rows = (0..<rowCount).map { row in
        let values = columns.indices.map { "$\(row * columns.count + $0 + 1)" }
        return "(\(values.joined(separator: ", ")))"
      }
      return Statement(
        "\(name)_\(rowCount)", (0..<rowCount).flatMap { _ in columns.map(\.type) },
        "\(target)\nVALUES \(rows.joined(separator: ",\n  "))")
    }
    many = Query(
      "\(name)_many",
      """
      \(target)
      SELECT \(Description.elements)
      FROM unnest(\(Description.arrays)) WITH ORDINALITY AS n (\(names), place)
      ORDER BY n.place
      """)
  }

  func callAsFunction(_ values: [Description.Value]) -> StatementCall {
    guard (1...listed.count).contains(values.count) else { return many(Listed(values)) }
    var buffer = ParameterBuffer()
    for value in values {
      buffer.append(RowBinder.bind(value, of: Description.self, isUpdate: false))
    }
    return StatementCall(statement: listed[values.count - 1], parameters: buffer)
  }

  var all: [any StatementSource] { listed + [many] }
}
