/// One statement of ours: constant text, prepared under its name on each connection that uses it.
package struct Statement: Sendable {
  /// Unique among all statements, for example `goal.insert`.
  package let name: String
  /// The type of `$1`, `$2`, …
  package let parameters: [SQLType]
  package let text: String

  package init(_ name: String, _ parameters: [SQLType], _ text: String) {
    self.name = name
    self.parameters = parameters
    self.text = text
  }

  /// An execution of this statement with the parameters that `bind` appends.
  package func callAsFunction(_ bind: (inout ParameterBuffer) -> Void = { _ in }) -> StatementCall {
    var buffer = ParameterBuffer()
    bind(&buffer)
    // A wrong count is refused by the server (08P01) and fails only this unit.
    assert(buffer.lengths.count == parameters.count, "\(name): wrong number of parameters")
    return StatementCall(statement: self, parameters: buffer)
  }
}

/// A statement with its parameters.
package struct StatementCall: Sendable {
  let statement: Statement
  let parameters: ParameterBuffer
}

/// Statements between two syncs: one implicit transaction, and one caller's.
package struct StatementUnit: Sendable {
  package var calls: [StatementCall]
  /// Whether it changes anything: only then does a lost connection leave a doubt.
  package var isWrite: Bool

  package init(_ calls: [StatementCall], isWrite: Bool = false) {
    self.calls = calls
    self.isWrite = isWrite
  }
}
